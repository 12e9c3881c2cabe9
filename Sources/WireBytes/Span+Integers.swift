extension Span where Element == UInt8 {
    /// The big-endian integer at `offset`. Traps outside the span: every variable read stands behind a guard.
    @inlinable @inline(__always)
    public func uint16BE(at offset: Int) -> UInt16 {
        UInt16(self[offset]) << 8 | UInt16(self[offset &+ 1])
    }

    /// The big-endian integer at `offset`. Traps outside the span.
    @inlinable @inline(__always)
    public func uint32BE(at offset: Int) -> UInt32 {
        UInt32(self[offset]) << 24 | UInt32(self[offset &+ 1]) << 16
            | UInt32(self[offset &+ 2]) << 8 | UInt32(self[offset &+ 3])
    }

    /// Six bytes at `offset` in the low 48 bits, for BCD times and hardware addresses. Traps outside the span.
    @inlinable @inline(__always)
    public func uint48BE(at offset: Int) -> UInt64 {
        UInt64(uint16BE(at: offset)) << 32 | UInt64(uint32BE(at: offset &+ 2))
    }

    /// An owned copy.
    @inlinable
    public var array: [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            for index in 0..<count { unsafe buffer[index] = self[index] }
            initialized = count
        }
    }

    /// True when both hold the same bytes.
    public func holds(sameAs other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where self[index] != other[index] { return false }
        return true
    }
}
