extension Span where Element == UInt8 {
    // One load and one check an integer: byte by byte the compiler neither merges the loads nor the checks. The loads of
    // the standard library are called unsafe because they give a type to bytes; they too trap outside the span.

    /// The big-endian integer at `offset`. Traps outside the span: every variable read stands behind a guard.
    @inlinable @inline(__always)
    public func uint16BE(at offset: Int) -> UInt16 {
        UInt16(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    /// The big-endian integer at `offset`. Traps outside the span.
    @inlinable @inline(__always)
    public func uint32BE(at offset: Int) -> UInt32 {
        UInt32(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    /// The big-endian integer at `offset`. Traps outside the span.
    @inlinable @inline(__always)
    public func uint64BE(at offset: Int) -> UInt64 {
        UInt64(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// The little-endian integer at `offset`. Traps outside the span.
    @inlinable @inline(__always)
    public func uint16LE(at offset: Int) -> UInt16 {
        UInt16(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    /// The little-endian integer at `offset`. Traps outside the span.
    @inlinable @inline(__always)
    public func uint32LE(at offset: Int) -> UInt32 {
        UInt32(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
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
