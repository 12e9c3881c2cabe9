import TerminalModel
import WireBytes

/// Reads numbers and text out of wire bytes without an allocation.
enum WatchText {
    @inline(__always)
    static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    /// UTF-8, with U+FFFD for what is none.
    static func string(_ bytes: Span<UInt8>) -> String {
        do {
            return String(copying: try UTF8Span(validating: bytes))
        } catch {
            return String(decoding: bytes.array, as: UTF8.self)
        }
    }

    static func isBlank(_ bytes: Span<UInt8>) -> Bool {
        for index in 0..<bytes.count where bytes[index] != 0x20 { return false }
        return true
    }

    /// Without the spaces around it.
    static func trimmed(_ bytes: Span<UInt8>) -> Range<Int> {
        var start = 0
        var end = bytes.count
        while start < end, bytes[start] == 0x20 { start += 1 }
        while end > start, bytes[end - 1] == 0x20 { end -= 1 }
        return start..<end
    }

    /// A whole number of at most 18 digits, signed or not, spaces around it allowed; nil for anything else.
    static func int(_ bytes: Span<UInt8>) -> Int? {
        guard let decimal = WatchDecimal(bytes), decimal.fractionDigits == 0 else { return nil }
        return Int(decimal.digits)
    }

    /// 1 to 8 hexadecimal digits; nil for anything else.
    static func hex(_ bytes: Span<UInt8>) -> UInt32? {
        let range = trimmed(bytes)
        guard (1...8).contains(range.count) else { return nil }
        var value: UInt32 = 0
        for index in range {
            guard let digit = hexDigit(bytes[index]) else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    /// Six bytes as `0a:1b:2c:3d:4e:5f`; nil for anything else.
    static func hardwareAddress(_ bytes: Span<UInt8>) -> UInt64? {
        guard bytes.count == 17 else { return nil }
        var value: UInt64 = 0
        for index in 0..<17 {
            if index % 3 == 2 {
                guard bytes[index] == 0x3A else { return nil }
            } else {
                guard let digit = hexDigit(bytes[index]) else { return nil }
                value = value << 4 | UInt64(digit)
            }
        }
        return value
    }

    static func hardwareAddress(_ value: UInt64) -> String {
        stride(from: 40, through: 0, by: -8).map { shift in
            String(Hex.number(UInt8(truncatingIfNeeded: value >> UInt64(shift)), digits: 2).dropFirst(2))
        }.joined(separator: ":")
    }

    /// Text as UTF-16BE in hexadecimal digits, upper case (section 8).
    static func utf16Hex(_ text: String) -> String {
        text.utf16.map { Hex.number($0, digits: 4).dropFirst(2).uppercased() }.joined()
    }

    /// The text of hexadecimal digits that are UTF-16BE; nil when they are none.
    static func text(utf16Hex digits: Span<UInt8>) -> String? {
        guard digits.count % 4 == 0 else { return nil }
        var units: [UInt16] = []
        units.reserveCapacity(digits.count / 4)
        for start in stride(from: 0, to: digits.count, by: 4) {
            guard let unit = hex(digits.extracting(start..<start + 4)) else { return nil }
            units.append(UInt16(truncatingIfNeeded: unit))
        }
        let text = String(decoding: units, as: UTF16.self)
        // A lone surrogate would come back as another text.
        return text.utf16.elementsEqual(units) ? text : nil
    }
}

/// A decimal number as it was written, up to 9 digits behind the point; more are cut off.
public struct WatchDecimal: Sendable, Equatable {
    /// All digits as one number, at most 18 of them.
    public let digits: Int64
    /// How many of them stand behind the point.
    public let fractionDigits: UInt8

    public init(digits: Int64, fractionDigits: Int) {
        self.digits = digits
        self.fractionDigits = UInt8(clamping: min(9, max(0, fractionDigits)))
    }

    private static let powers: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

    public var value: Double {
        Double(digits) / Self.powers[Int(fractionDigits)]
    }

    public var magnitude: WatchDecimal {
        WatchDecimal(digits: abs(digits), fractionDigits: Int(fractionDigits))
    }

    public var text: String {
        let number = String(digits.magnitude)
        let padded = String(repeating: "0", count: max(0, Int(fractionDigits) + 1 - number.count)) + number
        let sign = digits < 0 ? "-" : ""
        guard fractionDigits > 0 else { return sign + padded }
        return sign + padded.dropLast(Int(fractionDigits)) + "." + padded.suffix(Int(fractionDigits))
    }

    /// Reads a number with an optional sign and point, spaces around it allowed; nil for anything else.
    init?(_ bytes: Span<UInt8>) {
        let range = WatchText.trimmed(bytes)
        var index = range.lowerBound
        var isNegative = false
        if index < range.upperBound, bytes[index] == 0x2D || bytes[index] == 0x2B {
            isNegative = bytes[index] == 0x2D
            index += 1
        }
        var digits: Int64 = 0
        var fraction = -1
        var hasDigit = false
        while index < range.upperBound {
            let byte = bytes[index]
            index += 1
            if byte == 0x2E, fraction < 0 {
                fraction = 0
                continue
            }
            guard case 0x30...0x39 = byte else { return nil }
            hasDigit = true
            if fraction == 9 { continue }
            if fraction >= 0 { fraction += 1 }
            // One digit more than 18 might not fit.
            guard digits < 100_000_000_000_000_000 else { return nil }
            digits = digits * 10 + Int64(byte & 15)
        }
        guard hasDigit else { return nil }
        self.init(digits: isNegative ? -digits : digits, fractionDigits: max(0, fraction))
    }
}

/// Reads the fields of one content from front to back; a comma stands before each.
///
/// A copy reads ahead without moving the original.
struct WatchFieldReader: ~Escapable {
    let content: Span<UInt8>
    /// The comma before the next field; `content.count` when there is none.
    private(set) var offset: Int
    let keyword: String
    /// Where the content begins in the frame.
    let base: Int
    /// Which bytes were read as which field, each with the comma before it; only explaining a frame keeps it.
    private(set) var trace: [FieldTrace.Entry]?

    /// - Parameter keywordLength: how many bytes of the content are the keyword.
    @_lifetime(copy content)
    init(_ content: Span<UInt8>, keyword: String, keywordLength: Int, base: Int, isTraced: Bool = false) {
        self.content = content
        self.keyword = keyword
        self.base = base
        trace = isTraced ? [] : nil
        offset = keywordLength
    }

    var isAtEnd: Bool { offset >= content.count }

    /// How many fields are left, counted up to `limit`.
    func fieldCount(upTo limit: Int) -> Int {
        var count = 0
        var index = offset
        while index < content.count, count < limit {
            if content[index] == Watch.comma { count += 1 }
            index += 1
        }
        return count
    }

    /// The next field, empty when there is none; `name` is what explaining a frame calls it.
    @_lifetime(self: copy self)
    @_lifetime(copy self)
    mutating func next(_ name: String) -> Span<UInt8> {
        joined(1, name)
    }

    /// The next `count` fields with the commas between them, as far as there are that many.
    @_lifetime(self: copy self)
    @_lifetime(copy self)
    mutating func joined(_ count: Int, _ name: String) -> Span<UInt8> {
        guard offset < content.count else { return content.extracting(content.count..<content.count) }
        let start = offset + 1
        var end = start
        var rest = count
        while end < content.count {
            if content[end] == Watch.comma {
                rest -= 1
                if rest <= 0 { break }
            }
            end += 1
        }
        note(end, name, isText: true)
        return content.extracting(start..<end)
    }

    /// Everything behind the next comma, commas included; empty when there is no comma.
    @_lifetime(self: copy self)
    @_lifetime(copy self)
    mutating func rest(_ name: String, isText: Bool) -> Span<UInt8> {
        guard offset < content.count else { return content.extracting(content.count..<content.count) }
        let start = offset + 1
        let end = content.count
        note(end, name, isText: isText)
        return content.extracting(start..<end)
    }

    @_lifetime(self: copy self)
    private mutating func note(_ end: Int, _ name: String, isText: Bool) {
        let entry = FieldTrace.Entry(offset: base + offset, count: end - offset, field: name, isText: isText)
        trace?.append(entry)
        offset = end
    }

    @_lifetime(self: copy self)
    mutating func int(_ name: String) -> Int? { WatchText.int(next(name)) }

    @_lifetime(self: copy self)
    mutating func decimal(_ name: String) -> WatchDecimal? { WatchDecimal(next(name)) }

    @_lifetime(self: copy self)
    mutating func text(_ name: String) -> String { WatchText.string(next(name)) }

    /// All fields that are left, as text.
    @_lifetime(self: copy self)
    mutating func texts(_ name: String) -> [String] {
        var texts: [String] = []
        while !isAtEnd { texts.append(text(name)) }
        return texts
    }
}

/// Builds one content: a keyword and fields.
struct WatchContentWriter {
    private(set) var bytes: [UInt8]

    init(keyword: String) {
        bytes = Array(keyword.utf8)
    }

    /// Text without what would end the field, the frame or the line.
    mutating func field(_ text: String) {
        bytes.append(Watch.comma)
        bytes += text.utf8.filter { $0 >= 0x20 && $0 != Watch.comma && $0 != Watch.open && $0 != Watch.close }
    }

    mutating func field(_ number: Int?) { field(number.map(String.init) ?? "") }

    mutating func field(_ number: WatchDecimal?) { field(number?.text ?? "") }

    mutating func fields(_ texts: [String]) {
        for text in texts { field(text) }
    }

    /// Bytes as they are, commas and brackets included.
    mutating func field(raw more: some Sequence<UInt8>) {
        bytes.append(Watch.comma)
        bytes += more
    }
}
