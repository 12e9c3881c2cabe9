import TerminalModel
public import WireBytes

/// One GT06 frame whose markers, length and CRC have been checked.
///
///     short       78 78 | length 1 | number 1 | content n | serial 2 BE | CRC-16/X-25 2 BE | 0D 0A
///     long        79 79 | length 2 BE | number 1 | content n | serial 2 BE | CRC-16/X-25 2 BE | 0D 0A
///     look-alike  78 78 | length 1 | number 1 | content n | 0D 0A
///
/// The length counts the number through the CRC, the CRC covers the length through the serial. What counts here is where
/// the frame really ends; `lengthMismatch` tells of a sender whose length says otherwise.
/// Source: sections 2 and 7.14.
public struct GT06Frame: ~Escapable {
    /// Offsets from the start of the frame.
    @usableFromInline
    enum Field {
        @inlinable static var length: Int { 2 }
        @inlinable static var shortNumber: Int { 3 }
        @inlinable static var longNumber: Int { 4 }
    }

    /// Offsets from the end of the frame.
    @usableFromInline
    enum Tail {
        @inlinable static var serial: Int { 6 }
        @inlinable static var crc: Int { 4 }
        @inlinable static var stop: Int { 2 }
    }

    /// The whole frame, from its marker through 0D 0A.
    public let bytes: Span<UInt8>
    public let form: GT06Form

    /// Checks markers, end and CRC of a regular frame that is all of `bytes`; after this no accessor fails.
    ///
    /// - Throws: `notThisProtocol` without a start marker, `badLength` when the bytes cannot hold a frame or do not end in
    ///   0D 0A, `badIntegrity` for a wrong CRC.
    @_lifetime(copy bytes)
    public init(checking bytes: Span<UInt8>) throws(DecodeError) {
        guard bytes.count >= 2, let form = Self.form(of: bytes, at: 0) else { throw Self.noMarker(bytes) }
        let minimum = GT06.minimumFrameBytes + (form == .long ? 1 : 0)
        guard bytes.count >= minimum else { throw Self.tooShort(bytes.count, minimum) }
        let found = bytes.uint16BE(at: bytes.count - Tail.stop)
        guard found == Self.stop else { throw Self.noStop(found, at: bytes.count - Tail.stop) }
        guard Self.hasRightCRC(bytes) else { throw Self.wrongCRC(bytes) }
        self.bytes = bytes
        self.form = form
    }

    /// A frame that the framer has checked.
    @inlinable @inline(__always)
    @_lifetime(copy bytes)
    init(checked bytes: Span<UInt8>, form: GT06Form) {
        self.bytes = bytes
        self.form = form
    }

    /// The protocol number.
    @inlinable @inline(__always)
    public var number: UInt8 { bytes[form == .long ? Field.longNumber : Field.shortNumber] }

    /// The message counter of the sender; the look-alike family has none.
    @inlinable @inline(__always)
    public var serial: UInt16? {
        form == .lookAlike ? nil : bytes.uint16BE(at: bytes.count &- Tail.serial)
    }

    /// Where the content begins, counted from the start of the frame.
    @inlinable @inline(__always)
    public var contentOffset: Int { form == .long ? 5 : 4 }

    @inlinable @inline(__always)
    public var content: Span<UInt8> {
        @_lifetime(copy self) get {
            bytes.extracting(contentOffset..<bytes.count &- (form == .lookAlike ? Tail.stop : Tail.serial))
        }
    }

    /// The length as it was sent. In the look-alike family it does not always count bytes.
    public var declaredLength: Int {
        form == .long ? Int(bytes.uint16BE(at: Field.length)) : Int(bytes[Field.length])
    }

    /// True when a regular frame declares another length than it has.
    @inlinable @inline(__always)
    public var lengthMismatch: Bool {
        switch form {
        case .short: Int(bytes[Field.length]) != bytes.count &- 5
        case .long: Int(bytes.uint16BE(at: Field.length)) != bytes.count &- 6
        case .lookAlike: false
        }
    }

    // MARK: Parts of the check, shared with the framer

    /// 0D 0A.
    @inlinable static var stop: UInt16 { 0x0D0A }

    /// The form whose marker stands at `offset`, which is followed by at least one byte.
    @inlinable @inline(__always)
    static func form(of bytes: Span<UInt8>, at offset: Int) -> GT06Form? {
        switch bytes.uint16BE(at: offset) {
        case 0x7878: .short
        case 0x7979: .long
        default: nil
        }
    }

    /// - Parameter frame: a whole regular frame of at least 10 bytes.
    @inlinable @inline(__always)
    static func hasRightCRC(_ frame: Span<UInt8>) -> Bool {
        let end = frame.count &- Tail.crc
        return CRC16.x25(frame.extracting(Field.length..<end)) == frame.uint16BE(at: end)
    }

    // MARK: Refusals

    static func noMarker(_ bytes: Span<UInt8>) -> DecodeError {
        DecodeError(
            .notThisProtocol, protocolName: .gt06, field: "start", offset: 0, expected: "7878 or 7979",
            found: bytes.isEmpty ? "nothing" : Hex.text(bytes.extracting(0..<min(2, bytes.count))))
    }

    static func tooShort(_ count: Int, _ minimum: Int) -> DecodeError {
        DecodeError(
            .badLength, protocolName: .gt06, field: "frame", offset: 0, expected: "at least \(minimum) bytes",
            found: "\(count)")
    }

    static func noStop(_ found: UInt16, at offset: Int) -> DecodeError {
        DecodeError(
            .badLength, protocolName: .gt06, field: "stop", offset: offset,
            expected: "0d0a where the length says that the frame ends",
            found: String(Hex.number(found, digits: 4).dropFirst(2)))
    }

    static func wrongCRC(_ frame: Span<UInt8>) -> DecodeError {
        let end = frame.count - Tail.crc
        let number = frame[frame[0] == GT06.longMarker ? Field.longNumber : Field.shortNumber]
        return DecodeError(
            .badIntegrity, protocolName: .gt06, message: .number(UInt16(number)), field: "crc", offset: end,
            expected: Hex.number(CRC16.x25(frame.extracting(Field.length..<end)), digits: 4),
            found: Hex.number(frame.uint16BE(at: end), digits: 4))
    }
}
