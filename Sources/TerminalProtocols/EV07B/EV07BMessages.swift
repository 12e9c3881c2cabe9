public import TerminalModel
public import WireBytes

/// What a frame is about. Source: section 4.
public struct EV07BCommand: RawRepresentable, Sendable, Hashable {
    public var rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Up: reports. Down: requests for positions.
    public static let data = EV07BCommand(rawValue: 0x01)
    /// Down: write or read. Up: values.
    public static let configuration = EV07BCommand(rawValue: 0x02)
    /// Up: requests. Down: answers.
    public static let services = EV07BCommand(rawValue: 0x03)
    public static let control = EV07BCommand(rawValue: 0x04)
    public static let debug = EV07BCommand(rawValue: 0x06)
    public static let password = EV07BCommand(rawValue: 0x09)
    public static let firmware = EV07BCommand(rawValue: 0x7E)
    public static let response = EV07BCommand(rawValue: 0x7F)
    public static let factoryTest = EV07BCommand(rawValue: 0xFE)

    public var message: MessageName { .number(UInt16(rawValue)) }
}

/// What became of a frame; a response states it as the key of its only block. Source: section 5.
public struct EV07BResult: RawRepresentable, Sendable, Hashable {
    public var rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let ok = EV07BResult(rawValue: 0x00)
    public static let version = EV07BResult(rawValue: 0x11)
    public static let checksum = EV07BResult(rawValue: 0x14)
    public static let unsupported = EV07BResult(rawValue: 0x26)
    public static let positionNotReady = EV07BResult(rawValue: 0x27)
    public static let outOfService = EV07BResult(rawValue: 0x30)
    public static let noSuchService = EV07BResult(rawValue: 0x31)

    /// The words of the document, or `result 0x42`.
    public var name: String { Self.names[rawValue] ?? "result \(Hex.number(rawValue, digits: 2))" }

    private static let names: [UInt8: String] = [
        0x00: "ok", 0x11: "version", 0x12: "encryption", 0x13: "length", 0x14: "checksum", 0x15: "command",
        0x16: "key", 0x17: "key length", 0x21: "data format", 0x22: "data size", 0x23: "invalid state",
        0x24: "invalid parameter", 0x25: "no memory", 0x26: "function unsupported", 0x27: "GPS not ready",
        0x28: "address error", 0x30: "out of service", 0x31: "service does not exist",
        0x40: "no password verification", 0xF0: "battery low", 0xF1: "file open failed",
    ]
}

/// One block of a body: a key and its value as they stand on the wire.
public struct EV07BBlock: Sendable, Equatable {
    /// A longer value does not fit the length byte, which counts the key too.
    public static let maximumValueBytes = 254

    public var key: UInt8
    public var value: [UInt8]

    public init(key: UInt8, bytes: [UInt8] = []) {
        self.key = key
        value = bytes
    }

    public init(key: UInt8, _ value: some EV07BValue) {
        self.key = key
        var output = ByteWriter()
        value.write(to: &output)
        self.value = output.bytes
    }

    /// The value as the table of its key lays it out; bytes that are missing count as zero, a tail is left out.
    public func read<Value: EV07BValue>(_ type: Value.Type) -> Value {
        var input = EV07BValueReader(value.span, key: key)
        return Value(parsing: &input)
    }
}

/// The message of one frame: every message is a command and blocks. Source: section 2.
public struct EV07BMessage: Sendable, Equatable {
    public var command: EV07BCommand
    public var blocks: [EV07BBlock]

    public init(_ command: EV07BCommand, _ blocks: [EV07BBlock] = []) {
        self.command = command
        self.blocks = blocks
    }

    public static func response(_ result: EV07BResult) -> EV07BMessage {
        EV07BMessage(.response, [EV07BBlock(key: result.rawValue)])
    }

    /// The result that a response states, nil for other messages.
    ///
    /// The revised edition answers positively with the command alone (section 12).
    public var result: EV07BResult? {
        guard command == .response else { return nil }
        return blocks.first.map { EV07BResult(rawValue: $0.key) } ?? .ok
    }

    public func first(_ key: UInt8) -> EV07BBlock? { blocks.first { $0.key == key } }

    /// Who reports, nil without a block that says so.
    public var identity: EV07BIdentity? { first(EV07BKey.identity)?.read(EV07BIdentity.self) }
}

/// One frame, decoded.
public struct EV07BPacket: Sendable, Equatable {
    public var header: EV07BHeader
    public var message: EV07BMessage
    /// What follows the last whole block of the body.
    public var trailing: [UInt8]

    public init(header: EV07BHeader, message: EV07BMessage, trailing: [UInt8] = []) {
        self.header = header
        self.message = message
        self.trailing = trailing
    }
}

/// A value whose layout the document states: read, written and explained by the same type.
public protocol EV07BValue: Sendable, Equatable {
    /// A shorter value is incomplete.
    static var minimumByteCount: Int { get }
    /// Reads what is there: bytes that are missing count as zero.
    init(parsing input: inout EV07BValueReader)
    func write(to output: inout ByteWriter)
}

/// Reads one value from front to back, low byte first; beyond the end everything is zero.
///
/// Devices send values shorter than the table; then what is there counts (section 12).
public struct EV07BValueReader: ~Escapable {
    let bytes: Span<UInt8>
    /// The key of the block, for layouts that several keys share.
    let key: UInt8
    private(set) var offset = 0
    private let trace: FieldTrace?
    private let base: Int

    @_lifetime(copy bytes)
    public init(_ bytes: Span<UInt8>, key: UInt8) {
        self.init(bytes, key: key, base: 0, trace: nil)
    }

    /// - Parameters:
    ///   - base: where the value begins in the frame.
    ///   - trace: notes which bytes were read as which field.
    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, key: UInt8, base: Int, trace: FieldTrace?) {
        self.bytes = bytes
        self.key = key
        self.base = base
        self.trace = trace
    }

    var remaining: Int { bytes.count - offset }

    /// Steps over as many of `count` bytes as are there.
    @_lifetime(self: copy self)
    private mutating func take(_ count: Int, _ field: String, isText: Bool = false) -> Range<Int> {
        let start = offset
        offset += min(count, remaining)
        trace?.add(base + start, offset - start, field, isText: isText)
        return start..<offset
    }

    @_lifetime(self: copy self)
    mutating func uint8(_ field: String) -> UInt8 {
        let range = take(1, field)
        return range.isEmpty ? 0 : bytes[range.lowerBound]
    }

    @_lifetime(self: copy self)
    mutating func int8(_ field: String) -> Int8 { Int8(bitPattern: uint8(field)) }

    @_lifetime(self: copy self)
    mutating func uint16(_ field: String) -> UInt16 {
        let range = take(2, field)
        guard range.count < 2 else { return bytes.uint16LE(at: range.lowerBound) }
        return UInt16(truncatingIfNeeded: partial(range))
    }

    @_lifetime(self: copy self)
    mutating func int16(_ field: String) -> Int16 { Int16(bitPattern: uint16(field)) }

    @_lifetime(self: copy self)
    mutating func uint24(_ field: String) -> UInt32 {
        UInt32(truncatingIfNeeded: partial(take(3, field)))
    }

    @_lifetime(self: copy self)
    mutating func uint32(_ field: String) -> UInt32 {
        let range = take(4, field)
        guard range.count < 4 else { return bytes.uint32LE(at: range.lowerBound) }
        return UInt32(truncatingIfNeeded: partial(range))
    }

    @_lifetime(self: copy self)
    mutating func int32(_ field: String) -> Int32 { Int32(bitPattern: uint32(field)) }

    /// A hardware address in the order in which it is printed.
    @_lifetime(self: copy self)
    mutating func address(_ field: String) -> UInt64 {
        let range = take(6, field)
        return range.reduce(0) { $0 << 8 | UInt64(bytes[$1]) } << UInt64(8 * (6 - range.count))
    }

    /// A hardware address whose last byte comes first.
    @_lifetime(self: copy self)
    mutating func reversedAddress(_ field: String) -> UInt64 { partial(take(6, field)) }

    @_lifetime(self: copy self)
    mutating func bytes(_ count: Int, _ field: String) -> [UInt8] { bytes.extracting(take(count, field)).array }

    @_lifetime(self: copy self)
    mutating func rest(_ field: String) -> [UInt8] { bytes(remaining, field) }

    /// UTF-8 without zero bytes at its end; what is no UTF-8 becomes U+FFFD.
    @_lifetime(self: copy self)
    mutating func text(_ count: Int, _ field: String) -> String {
        let range = take(count, field, isText: true)
        var end = range.upperBound
        while end > range.lowerBound, bytes[end - 1] == 0 { end -= 1 }
        return String(decoding: bytes.extracting(range.lowerBound..<end).array, as: UTF8.self)
    }

    @_lifetime(self: copy self)
    mutating func restText(_ field: String) -> String { text(remaining, field) }

    /// The number whose low byte comes first.
    private func partial(_ range: Range<Int>) -> UInt64 {
        range.reversed().reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
    }
}
