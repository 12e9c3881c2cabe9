/// Reads wire bytes from front to back; a read beyond the end returns nil and moves nothing.
public struct ByteReader: ~Escapable {
    /// All bytes, also those already read.
    public let bytes: Span<UInt8>
    /// How many bytes have been read.
    public private(set) var offset = 0

    @_lifetime(copy bytes)
    public init(_ bytes: Span<UInt8>) {
        self.bytes = bytes
    }

    public var remaining: Int { bytes.count - offset }

    @_lifetime(self: copy self)
    public mutating func uint8() -> UInt8? {
        guard remaining >= 1 else { return nil }
        defer { offset += 1 }
        return bytes[offset]
    }

    @_lifetime(self: copy self)
    public mutating func uint16BE() -> UInt16? {
        guard remaining >= 2 else { return nil }
        defer { offset += 2 }
        return bytes.uint16BE(at: offset)
    }

    @_lifetime(self: copy self)
    public mutating func uint32BE() -> UInt32? {
        guard remaining >= 4 else { return nil }
        defer { offset += 4 }
        return bytes.uint32BE(at: offset)
    }

    @_lifetime(self: copy self)
    public mutating func uint48BE() -> UInt64? {
        guard remaining >= 6 else { return nil }
        defer { offset += 6 }
        return bytes.uint48BE(at: offset)
    }

    /// Steps over `count` bytes and returns where they stand in `bytes`.
    @_lifetime(self: copy self)
    public mutating func skip(_ count: Int) -> Range<Int>? {
        guard count >= 0, count <= remaining else { return nil }
        defer { offset += count }
        return offset..<offset + count
    }
}
