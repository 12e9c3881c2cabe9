public import TerminalModel
import WireBytes

/// One frame, or one Contact ID line, whose sum and length have been checked and whose header has been read.
///
///     LF | CRC 4 | "0" length 3 | "id" sequence 4 [R receiver] L prefix [# account] "[" body | CR
///                               ^------------ counted by the length, summed by the CRC -----^
///
/// CRC and length are hexadecimal digits. A line is 16 digits and nothing else:
///
///     account 4 | 18 or 98 | qualifier 1 | event 3 | group 2 | zone 3 | check 1
///
/// LF and CR may be missing. Source: sections 1.1, 1.2 and 1.4.
public struct DC09Frame: ~Escapable {
    public let bytes: Span<UInt8>
    public let header: DC09Header
    /// Where the body begins, behind the bracket; where the digits of a line begin.
    let bodyStart: Int
    /// Where what the length counts ends.
    let bodyEnd: Int

    /// The only door: sum, length and header; after it no accessor fails.
    ///
    /// - Parameter bytes: one line of the framer, with or without the bytes around it.
    /// - Throws: `notThisProtocol` for other lines, `badLength` and `badIntegrity` for a wrong length or sum, `badValue` for a
    ///   header that breaks its rules.
    @_lifetime(copy bytes)
    public init(checking bytes: Span<UInt8>) throws(DecodeError) {
        let text = DC09Text.trimmed(bytes)
        if DC09Text.isLine(bytes, text) {
            try Self.checkLine(bytes, text)
            header = DC09Header(line: bytes.extracting(text.lowerBound..<text.lowerBound + 4))
            bodyStart = text.lowerBound
        } else {
            let content = try Self.checkedContent(bytes, text)
            var reader = DC09TextReader(bytes, content)
            header = try DC09Header(parsing: &reader)
            bodyStart = reader.offset
        }
        bodyEnd = text.upperBound
        self.bytes = bytes
    }

    /// Everything behind the opening bracket: cipher text when the header says so.
    public var body: Span<UInt8> {
        @_lifetime(copy self) get { bytes.extracting(bodyStart..<bodyEnd) }
    }

    // MARK: - The envelope

    /// What the length counts.
    private static func checkedContent(_ bytes: Span<UInt8>, _ text: Range<Int>) throws(DecodeError) -> Range<Int> {
        guard let sum = DC09Text.number(bytes, text, 0..<4), let length = DC09Text.number(bytes, text, 4..<8),
            text.count > DC09.prefixByteCount, bytes[text.lowerBound + DC09.prefixByteCount] == 0x22
        else {
            throw refusal(
                .notThisProtocol, "frame", text.lowerBound,
                "eight hexadecimal digits and a quotation mark, or 16 digits",
                text.isEmpty ? "nothing" : "\"\(DC09Text.shown(bytes.extracting(text).extracting(first: 24)))\"")
        }
        let content = text.lowerBound + DC09.prefixByteCount..<text.upperBound
        guard content.count == Int(length) else {
            throw refusal(.badLength, "length", text.lowerBound + 4, "\(length) bytes", "\(content.count)")
        }
        let computed = CRC16.arc(bytes.extracting(content))
        guard computed == sum else {
            throw refusal(
                .badIntegrity, "crc", text.lowerBound, Hex.number(computed, digits: 4), Hex.number(sum, digits: 4))
        }
        return content
    }

    private static func checkLine(_ bytes: Span<UInt8>, _ text: Range<Int>) throws(DecodeError) {
        var sum = 0
        // Zero counts ten, as in the tones that these digits once were.
        for offset in text { sum += DC09Text.digit(bytes[offset]).map { $0 == 0 ? 10 : Int($0) } ?? 0 }
        guard sum % 15 == 0 else {
            throw refusal(
                .badIntegrity, "check", text.upperBound - 1, "digits whose sum is a multiple of 15", "\(sum)")
        }
    }

    static func refusal(
        _ code: DecodeError.Code, _ field: String, _ offset: Int, _ expected: String, _ found: String
    ) -> DecodeError {
        DecodeError(code, protocolName: .dc09, field: field, offset: offset, expected: expected, found: found)
    }
}

/// What stands before the brackets; every answer repeats it. Source: section 1.1.
public struct DC09Header: Sendable, Equatable {
    public var identifier: DC09Identifier
    /// An asterisk before the name: the body is cipher text (section 1.3).
    public var isEncrypted: Bool
    /// 0...9999; nil for a line of 16 digits.
    public var sequence: UInt16?
    /// Digits behind `R`, as the panel writes them; nil when it leaves them out.
    public var receiver: String?
    /// Digits behind `L`; nil when they are missing, which the rules forbid and panels do.
    public var linePrefix: String?
    /// The account as the panel writes it, without `#`: 3 to 16 hexadecimal digits by the rules.
    public var account: String?

    public init(
        _ identifier: DC09Identifier, isEncrypted: Bool = false, sequence: UInt16?, receiver: String? = nil,
        linePrefix: String? = "0", account: String?
    ) {
        self.identifier = identifier
        self.isEncrypted = isEncrypted
        self.sequence = sequence
        self.receiver = receiver
        self.linePrefix = linePrefix
        self.account = account
    }

    /// The panel that speaks, zero when it does not say. The digits of the account are its id; an account with other letters,
    /// which the rules forbid, is known by the hexadecimal form of its characters.
    public var terminal: TerminalID {
        guard let account else { return TerminalID(nibbles: 0) }
        return TerminalID(account) ?? TerminalID(Hex.text(Array(account.utf8.suffix(16)))) ?? TerminalID(nibbles: 0)
    }

    init(line account: Span<UInt8>) {
        self.init(.line, sequence: nil, linePrefix: nil, account: DC09Text.shown(account))
    }

    /// Reads from the quotation mark to the bracket and past it.
    init(parsing input: inout DC09TextReader) throws(DecodeError) {
        _ = input.take(0x22)
        isEncrypted = input.take(0x2A)
        let name = input.run { $0 != 0x22 }
        identifier = DC09Identifier(name)
        guard !name.isEmpty, name.utf8.count <= 16, input.take(0x22) else {
            throw input.error("id", expected: "a name of at most 16 characters between quotation marks")
        }
        let digits = input.digits(4)
        guard let digits, let sequence = UInt16(digits) else {
            throw input.error("sequence", expected: "four digits")
        }
        self.sequence = sequence
        receiver = try Self.number(behind: 0x52, "receiver", &input)
        linePrefix = try Self.number(behind: 0x4C, "prefix", &input)
        if input.take(0x23) {
            let account = input.run { DC09Text.isAlphanumeric($0) }
            guard (1...16).contains(account.utf8.count) else {
                throw input.error("account", expected: "3 to 16 hexadecimal digits")
            }
            self.account = account
        }
        guard input.take(0x5B) else { throw input.error("data", expected: "a bracket [ behind the account") }
    }

    /// The letter and one to six hexadecimal digits; `NAK` writes three more behind its `L`.
    private static func number(
        behind letter: UInt8, _ field: String, _ input: inout DC09TextReader
    ) throws(DecodeError) -> String? {
        guard input.take(letter) else { return nil }
        let digits = input.run { DC09Text.digit($0) != nil }
        guard (1...8).contains(digits.utf8.count) else {
            throw input.error(field, expected: "one to six hexadecimal digits")
        }
        return digits
    }
}

/// What a frame is, by the name between its quotation marks. Source: section 1.1.
public enum DC09Identifier: Sendable, Hashable {
    /// `ADM-CID`: Contact ID (section 1.4).
    case contactID
    /// `SIA-DCS`: SIA codes (section 1.5).
    case sia
    /// `NULL`: a sign of life (section 1.8).
    case null
    /// `ACK`, `NAK`, `DUH`, `RSP`: answers (section 1.7).
    case acknowledgement, refusal, unable, response
    /// A line of 16 digits, which has no name.
    case line
    case other(String)

    private static let names: [DC09Identifier: String] = [
        .contactID: "ADM-CID", .sia: "SIA-DCS", .null: "NULL", .acknowledgement: "ACK", .refusal: "NAK", .unable: "DUH",
        .response: "RSP",
    ]

    init(_ name: String) {
        self = Self.names.first { $0.value == name }?.key ?? .other(name)
    }

    /// The name on the wire; `CID` for a line.
    public var name: String {
        switch self {
        case .line: "CID"
        case .other(let name): name
        default: Self.names[self] ?? ""
        }
    }

    /// True for what a receiver says.
    public var isAnswer: Bool {
        switch self {
        case .acknowledgement, .refusal, .unable, .response: true
        case .contactID, .sia, .null, .line, .other: false
        }
    }
}

/// Small questions about bytes that are text.
enum DC09Text {
    /// The line without white space and control characters around it.
    static func trimmed(_ bytes: Span<UInt8>) -> Range<Int> {
        var (start, end) = (0, bytes.count)
        while start < end, bytes[start] <= 0x20 { start += 1 }
        while end > start, bytes[end - 1] <= 0x20 { end -= 1 }
        return start..<end
    }

    /// True for 16 digits that begin like Contact ID; the sum is not looked at.
    static func isLine(_ bytes: Span<UInt8>, _ text: Range<Int>) -> Bool {
        guard text.count == DC09.lineByteCount else { return false }
        for offset in text where digit(bytes[offset]) == nil { return false }
        let kind = (bytes[text.lowerBound + 4], bytes[text.lowerBound + 5])
        return (kind.0 == 0x31 || kind.0 == 0x39) && kind.1 == 0x38
    }

    /// The value of a hexadecimal digit of either case.
    static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    /// At most four hexadecimal digits at places of the text; nil when one is none, or not there.
    static func number(_ bytes: Span<UInt8>, _ text: Range<Int>, _ places: Range<Int>) -> UInt16? {
        guard places.upperBound <= text.count else { return nil }
        var value: UInt16 = 0
        for place in places {
            guard let digit = digit(bytes[text.lowerBound + place]) else { return nil }
            value = value << 4 | UInt16(digit)
        }
        return value
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }

    /// Printable ASCII as it is, anything else as a question mark.
    static func shown(_ bytes: Span<UInt8>) -> String {
        var text: [UInt8] = []
        for index in 0..<bytes.count { text.append((0x20...0x7E).contains(bytes[index]) ? bytes[index] : 0x3F) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Windows-1252, the character set of alarm texts (section 1.6), without control characters.
    static func windows1252(_ bytes: some Sequence<UInt8>) -> String {
        var text = ""
        for byte in bytes where byte >= 0x20 && byte != 0x7F {
            let scalar = (0x80...0x9F).contains(byte) ? high[Int(byte - 0x80)] : UInt16(byte)
            if scalar != 0, let character = Unicode.Scalar(scalar) { text.unicodeScalars.append(character) }
        }
        return text
    }

    /// 80 to 9F; 0 where nothing is defined.
    private static let high: [UInt16] = [
        0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0,
        0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E,
        0x0178,
    ]
}

/// Reads text from front to back.
struct DC09TextReader: ~Escapable {
    private let bytes: Span<UInt8>
    private(set) var offset: Int
    private let end: Int

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        self.bytes = bytes
        offset = range.lowerBound
        end = range.upperBound
    }

    /// Steps over this byte when it is the next one.
    @_lifetime(self: copy self)
    mutating func take(_ byte: UInt8) -> Bool {
        guard offset < end, bytes[offset] == byte else { return false }
        offset += 1
        return true
    }

    /// The bytes of this kind that come next.
    @_lifetime(self: copy self)
    mutating func run(while isMeant: (UInt8) -> Bool) -> String {
        let start = offset
        while offset < end, isMeant(bytes[offset]) { offset += 1 }
        return DC09Text.shown(bytes.extracting(start..<offset))
    }

    /// Exactly so many decimal digits; nil when there are fewer.
    @_lifetime(self: copy self)
    mutating func digits(_ count: Int) -> String? {
        let start = offset
        while offset < end, offset - start < count, (0x30...0x39).contains(bytes[offset]) { offset += 1 }
        return offset - start == count ? DC09Text.shown(bytes.extracting(start..<offset)) : nil
    }

    func error(_ field: String, expected: String) -> DecodeError {
        DC09Frame.refusal(
            .badValue, field, offset, expected,
            offset < end ? "\"\(DC09Text.shown(bytes.extracting(offset..<min(end, offset + 8))))\"" : "the end")
    }
}
