/// Builds wire bytes from front to back.
public struct ByteWriter: Sendable {
    public var bytes: [UInt8]

    public init(reservingCapacity capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    public mutating func uint8(_ value: UInt8) {
        bytes.append(value)
    }

    public mutating func uint16BE(_ value: UInt16) {
        bytes.append(UInt8(truncatingIfNeeded: value >> 8))
        bytes.append(UInt8(truncatingIfNeeded: value))
    }

    public mutating func uint32BE(_ value: UInt32) {
        uint16BE(UInt16(truncatingIfNeeded: value >> 16))
        uint16BE(UInt16(truncatingIfNeeded: value))
    }

    /// The low 24 bits.
    public mutating func uint24BE(_ value: UInt32) {
        bytes.append(UInt8(truncatingIfNeeded: value >> 16))
        uint16BE(UInt16(truncatingIfNeeded: value))
    }

    public mutating func uint64BE(_ value: UInt64) {
        uint32BE(UInt32(truncatingIfNeeded: value >> 32))
        uint32BE(UInt32(truncatingIfNeeded: value))
    }

    /// The low 48 bits.
    public mutating func uint48BE(_ value: UInt64) {
        uint16BE(UInt16(truncatingIfNeeded: value >> 32))
        uint32BE(UInt32(truncatingIfNeeded: value))
    }

    public mutating func uint16LE(_ value: UInt16) {
        uint16BE(value.byteSwapped)
    }

    public mutating func uint32LE(_ value: UInt32) {
        uint32BE(value.byteSwapped)
    }

    public mutating func append(_ more: some Sequence<UInt8>) {
        bytes.append(contentsOf: more)
    }

    /// `more` cut or filled at the end with `filler` to exactly `count` bytes.
    public mutating func append(_ more: [UInt8], padded count: Int, with filler: UInt8 = 0) {
        bytes.append(contentsOf: more.prefix(count))
        for _ in 0..<max(0, count - more.count) { bytes.append(filler) }
    }
}
