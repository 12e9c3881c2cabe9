import TerminalModel
import WireBytes

/// The header of one frame, copied out of it.
public struct EV07BHeader: Sendable, Equatable {
    /// Version 0-3, acknowledgement wanted 4, error 5, encryption 6-7.
    public var properties: UInt8
    /// The sender's frame counter; answers repeat it. It starts again after a reboot, and 0 is legal (section 12).
    public var sequence: UInt16

    public init(properties: UInt8, sequence: UInt16) {
        self.properties = properties
        self.sequence = sequence
    }

    /// 0 and 8 are laid out as this folder says, 1 is the revised edition (section 12).
    public var version: UInt8 { properties & 0x0F }
    public var isAcknowledgementWanted: Bool { properties & 0x10 != 0 }
    public var isError: Bool { properties & 0x20 != 0 }
}

/// One frame whose length and checksum have been checked.
///
///     AB | properties 1 | body length 2 LE | CRC of the body 2 LE | sequence 2 LE | command 1 | blocks
///
/// Source: sections 2 and 3.
public struct EV07BFrame: ~Escapable {
    @usableFromInline
    enum Field {
        @inlinable static var properties: Int { 1 }
        @inlinable static var bodyLength: Int { 2 }
        @inlinable static var checksum: Int { 4 }
        @inlinable static var sequence: Int { 6 }
    }

    @usableFromInline static let encryptionBits: UInt8 = 0xC0

    /// The whole frame.
    public let bytes: Span<UInt8>

    /// The only door: marker, header, length and checksum; after it no accessor fails.
    ///
    /// - Throws: `notThisProtocol` without the marker, `badLength` when header and bytes contradict each other,
    ///   `unsupported` for an encrypted frame, `badIntegrity` for a wrong checksum.
    @_lifetime(copy bytes)
    public init(checking bytes: Span<UInt8>) throws(DecodeError) {
        guard !bytes.isEmpty, bytes[0] == EV07B.marker else { throw Self.noMarker(bytes) }
        guard bytes.count >= EV07B.headerByteCount else { throw Self.tooShort(bytes) }
        let length = Int(bytes.uint16LE(at: Field.bodyLength))
        guard length >= 1, length <= EV07B.maximumBodyBytes else { throw Self.impossibleLength(bytes, length) }
        guard bytes[Field.properties] & Self.encryptionBits == 0 else { throw Self.encrypted(bytes) }
        guard bytes.count == EV07B.headerByteCount + length else { throw Self.otherLength(bytes, length) }
        let checksum = CRC16.xmodem(bytes.extracting(droppingFirst: EV07B.headerByteCount))
        guard checksum == bytes.uint16LE(at: Field.checksum) else { throw Self.wrongChecksum(bytes, checksum) }
        self.bytes = bytes
    }

    /// Bytes that the framer has checked already.
    @_lifetime(copy bytes)
    init(framed bytes: Span<UInt8>) {
        self.bytes = bytes
    }

    public var header: EV07BHeader { EV07BHeader(properties: bytes[Field.properties], sequence: sequence) }

    public var sequence: UInt16 { bytes.uint16LE(at: Field.sequence) }

    public var checksum: UInt16 { bytes.uint16LE(at: Field.checksum) }

    /// Section 4; a checked frame has at least this byte of body.
    public var command: EV07BCommand { EV07BCommand(rawValue: bytes[EV07B.headerByteCount]) }

    /// False for the revised edition, whose alarms are laid out otherwise; its answers are the same (section 12).
    public var isReadable: Bool { header.version != 1 || command == .response }

    /// Why a frame of the revised edition is not decoded.
    public var unreadableError: DecodeError {
        Self.error(
            .unsupported, bytes, "version", Field.properties, expected: "version 0 or 8",
            found: "1, the revised edition")
    }

    /// True for frames that answer something and name nobody.
    public var isAnswer: Bool { command == .response || command == .configuration }

    /// What a response says of the frame that it answers; values that were asked for say ok.
    ///
    /// The revised edition answers positively with the command alone (section 12).
    public var result: EV07BResult {
        guard command == .response, bytes.count > EV07B.headerByteCount + 2 else { return .ok }
        return EV07BResult(rawValue: bytes[EV07B.headerByteCount + 2])
    }

    /// The blocks behind the command.
    public var blocks: EV07BBlockWalk {
        @_lifetime(copy self) get {
            EV07BBlockWalk(bytes.extracting(droppingFirst: EV07B.headerByteCount + 1), command: command)
        }
    }

    // MARK: Refusals, kept out of the way of the frames that are right

    @inline(never)
    private static func error(
        _ code: DecodeError.Code, _ bytes: Span<UInt8>, _ field: String, _ offset: Int, expected: String, found: String
    ) -> DecodeError {
        let hasCommand = bytes.count > EV07B.headerByteCount
        return DecodeError(
            code, protocolName: .ev07b,
            message: hasCommand ? .number(UInt16(bytes[EV07B.headerByteCount])) : nil, field: field, offset: offset,
            expected: expected, found: found)
    }

    private static func noMarker(_ bytes: Span<UInt8>) -> DecodeError {
        if !bytes.isEmpty, bytes[0] == EV07B.encryptedMarker {
            return DecodeError(
                .unsupported, protocolName: .ev07b, field: "marker", offset: 0,
                expected: "a frame that is not encrypted", found: "a5, an envelope that needs the key of the device")
        }
        return DecodeError(
            .notThisProtocol, protocolName: .ev07b, field: "marker", offset: 0, expected: "ab",
            found: bytes.isEmpty ? "nothing" : Hex.text(bytes.extracting(0..<1)))
    }

    private static func tooShort(_ bytes: Span<UInt8>) -> DecodeError {
        error(
            .badLength, bytes, "header", 0, expected: "\(EV07B.headerByteCount) bytes of header",
            found: "\(bytes.count)")
    }

    private static func impossibleLength(_ bytes: Span<UInt8>, _ length: Int) -> DecodeError {
        error(
            .badLength, bytes, "length", Field.bodyLength, expected: "a body of 1...\(EV07B.maximumBodyBytes) bytes",
            found: "\(length)")
    }

    private static func encrypted(_ bytes: Span<UInt8>) -> DecodeError {
        error(
            .unsupported, bytes, "encryption", Field.properties, expected: "a body that is not encrypted",
            found: "method \(bytes[Field.properties] >> 6)")
    }

    private static func otherLength(_ bytes: Span<UInt8>, _ length: Int) -> DecodeError {
        error(
            .badLength, bytes, "length", Field.bodyLength,
            expected: "\(bytes.count - EV07B.headerByteCount) bytes of body, as many as are there", found: "\(length)")
    }

    private static func wrongChecksum(_ bytes: Span<UInt8>, _ right: UInt16) -> DecodeError {
        error(
            .badIntegrity, bytes, "checksum", Field.checksum, expected: Hex.number(right, digits: 4),
            found: Hex.number(bytes.uint16LE(at: Field.checksum), digits: 4))
    }
}

/// Walks the blocks of a body without copying.
///
///     length 1 | key 1 | value ...      repeated; the length counts key and value
///
/// The walk stops at a block that runs past the end and at a length of 0, except in the first block of a firmware frame,
/// where the rest of the body is the value. Source: section 2.
public struct EV07BBlockWalk: ~Escapable {
    public struct Block: Sendable, Equatable {
        public let key: UInt8
        /// Where the value stands in `bytes`.
        public let value: Range<Int>
    }

    /// Everything behind the command.
    public let bytes: Span<UInt8>
    /// Where the next block begins, or where the walk stopped.
    public private(set) var offset = 0
    private let isFirmware: Bool

    @_lifetime(copy bytes)
    public init(_ bytes: Span<UInt8>, command: EV07BCommand) {
        self.bytes = bytes
        isFirmware = command == .firmware
    }

    @_lifetime(self: copy self)
    public mutating func next() -> Block? {
        let left = bytes.count &- offset
        guard left >= 2 else { return nil }
        let start = offset &+ 2
        var end = start &+ Int(bytes[offset]) &- 1
        if end < start {
            guard isFirmware, offset == 0 else { return nil }
            end = bytes.count
        }
        guard end <= bytes.count else { return nil }
        let key = bytes[offset &+ 1]
        offset = end
        return Block(key: key, value: start..<end)
    }
}
