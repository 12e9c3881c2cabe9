public import TerminalModel
import WireBytes

/// The id in a header, 8 to 20 digits exactly as they came.
public struct WatchID: Sendable, Hashable {
    /// The digits as nibbles, the last digit lowest.
    public let nibbles: UInt128
    /// How many digits were written, leading zeros included.
    public let digitCount: UInt8

    /// - Parameter digitCount: 8...20; other numbers are taken as the nearest of these.
    public init(_ terminal: TerminalID, digitCount: Int = 10) {
        nibbles = terminal.nibbles & (UInt128(1) << 80 - 1)
        self.digitCount = UInt8(clamping: min(max(digitCount, Watch.idDigits.lowerBound), Watch.idDigits.upperBound))
    }

    init(nibbles: UInt128, digitCount: Int) {
        self.nibbles = nibbles
        self.digitCount = UInt8(truncatingIfNeeded: digitCount)
    }

    public var text: String {
        let digits = String(nibbles, radix: 16)
        return String(repeating: "0", count: max(0, Int(digitCount) - digits.count)) + digits
    }

    /// The identity without leading zeros.
    public var terminal: TerminalID { TerminalID(nibbles: nibbles) }
}

/// The header of one frame, copied out of it.
///
///     "[" maker 2 "*" id 8-20 "*" [ index 4 hex "*" ] length 4 hex "*"
///
/// Source: section 2.
public struct WatchHeader: Sendable, Equatable {
    /// Two characters that every answer repeats; the first one stands in the high byte.
    public var maker: UInt16
    public var id: WatchID
    /// A number that some makers write and that an answer repeats.
    public var index: UInt16?
    /// Bytes of content as they stand on the wire, as the header declares them.
    public var declaredLength: UInt16

    public init(maker: UInt16, id: WatchID, index: UInt16? = nil, declaredLength: UInt16 = 0) {
        self.maker = maker
        self.id = id
        self.index = index
        self.declaredLength = declaredLength
    }

    /// - Parameter maker: two printable ASCII characters; `3G` is taken for anything else.
    public init(maker: String, id: WatchID, index: UInt16? = nil) {
        let bytes = Array(maker.utf8)
        let good = bytes.count == 2 && bytes.allSatisfy(WatchHeader.isMakerByte)
        self.init(
            maker: good ? UInt16(bytes[0]) << 8 | UInt16(bytes[1]) : 0x3347, id: id, index: index)
    }

    public var makerText: String {
        String(decoding: [UInt8(maker >> 8), UInt8(truncatingIfNeeded: maker)], as: UTF8.self)
    }

    /// Printable and none of the bytes that have a meaning in a header.
    static func isMakerByte(_ byte: UInt8) -> Bool {
        (0x21...0x7E).contains(byte) && byte != Watch.open && byte != Watch.close && byte != Watch.separator
            && byte != Watch.comma
    }
}

extension WatchHeader {
    /// What bytes that begin with `[` are.
    enum Reading {
        /// A whole header of this many bytes.
        case header(WatchHeader, byteCount: Int)
        /// All that is there fits, but it is not all.
        case incomplete
        /// No header begins here; the offset of the byte that does not fit, from the `[`. That byte is there.
        case impossible(at: Int, expected: String)
    }

    /// Reads the header that may begin at `start`, where a `[` stands.
    static func read(_ bytes: Span<UInt8>, at start: Int) -> Reading {
        var offset = start + 1
        for part in 0..<3 {
            guard offset < bytes.count else { return .incomplete }
            guard part < 2 ? isMakerByte(bytes[offset]) : bytes[offset] == Watch.separator else {
                return .impossible(at: offset - start, expected: "two characters of a maker and *")
            }
            offset += 1
        }
        let maker = bytes.uint16BE(at: start + 1)
        let first = offset
        var nibbles: UInt128 = 0
        while offset < bytes.count, offset - first < Watch.idDigits.upperBound, case 0x30...0x39 = bytes[offset] {
            nibbles = nibbles << 4 | UInt128(bytes[offset] & 15)
            offset += 1
        }
        let digits = offset - first
        if offset == bytes.count { return .incomplete }
        guard Watch.idDigits.contains(digits), bytes[offset] == Watch.separator else {
            return .impossible(at: offset - start, expected: "8 to 20 digits of an id and *")
        }
        offset += 1
        let length: UInt16
        switch group(bytes, at: offset) {
        case .value(let value): length = value
        case .incomplete: return .incomplete
        case .none: return .impossible(at: offset - start, expected: "four hexadecimal digits and *")
        }
        offset += 5
        var header = WatchHeader(
            maker: maker, id: WatchID(nibbles: nibbles, digitCount: digits), declaredLength: length)
        switch group(bytes, at: offset) {
        case .value(let second):
            header.index = length
            header.declaredLength = second
            offset += 5
        case .incomplete: return .incomplete
        case .none: break
        }
        return .header(header, byteCount: offset - start)
    }

    private enum Group {
        case value(UInt16)
        case incomplete
        case none
    }

    /// Four hexadecimal digits of either case and `*`.
    private static func group(_ bytes: Span<UInt8>, at start: Int) -> Group {
        var value: UInt16 = 0
        for index in start..<start + 4 {
            guard index < bytes.count else { return .incomplete }
            guard let digit = WatchText.hexDigit(bytes[index]) else { return .none }
            value = value << 4 | UInt16(digit)
        }
        guard start + 4 < bytes.count else { return .incomplete }
        return bytes[start + 4] == Watch.separator ? .value(value) : .none
    }
}

/// One frame whose header and end have been checked; there is no checksum.
///
///     "[" maker "*" id "*" [ index "*" ] length "*" content "]"
///
/// The content is what is really there: makers are known to declare a wrong length, which `lengthMismatch` tells.
/// Source: section 2.
public struct WatchFrame: ~Escapable {
    /// The whole frame, brackets included.
    public let bytes: Span<UInt8>
    public let header: WatchHeader
    /// Where the content begins.
    public let headerByteCount: Int

    /// Checks header and brackets; after this no accessor fails.
    ///
    /// - Parameter bytes: one run of the framer.
    /// - Throws: `notThisProtocol` for a wrong header, `badLength` when the frame does not end.
    @_lifetime(copy bytes)
    public init(checking bytes: Span<UInt8>) throws(DecodeError) {
        guard bytes.count > 0, bytes[0] == Watch.open else {
            throw Self.refusal(.notThisProtocol, "open", 0, "a bracket [", bytes.isEmpty ? "nothing" : "another byte")
        }
        switch WatchHeader.read(bytes, at: 0) {
        case .impossible(let offset, let expected):
            throw Self.refusal(
                .notThisProtocol, "header", offset, expected,
                "byte " + Hex.number(offset < bytes.count ? bytes[offset] : 0, digits: 2))
        case .incomplete:
            throw Self.refusal(.badLength, "header", bytes.count, "a whole header", "the end of the input")
        case .header(let header, let size):
            guard bytes.count > size, bytes[bytes.count - 1] == Watch.close else {
                throw Self.refusal(
                    .badLength, "close", bytes.count, "a bracket ] that ends the frame", "the end of the input")
            }
            self.bytes = bytes
            self.header = header
            headerByteCount = size
        }
    }

    public var content: Span<UInt8> {
        @_lifetime(copy self) get { bytes.extracting(headerByteCount..<bytes.count - 1) }
    }

    /// How many bytes the content has more than the header declares; 0 when the length is right.
    public var lengthMismatch: Int {
        bytes.count - 1 - headerByteCount - Int(header.declaredLength)
    }

    static func refusal(
        _ code: DecodeError.Code, _ field: String, _ offset: Int, _ expected: String, _ found: String
    ) -> DecodeError {
        DecodeError(
            code, protocolName: .watch, field: field, offset: offset, expected: expected, found: found)
    }
}

extension WatchFrame {
    /// The watch that a frame at the start of `bytes` names.
    public static func speaker(in bytes: Span<UInt8>) -> TerminalID? {
        guard !bytes.isEmpty, bytes[0] == Watch.open, case .header(let header, _) = WatchHeader.read(bytes, at: 0)
        else {
            return nil
        }
        return header.id.terminal
    }
}
