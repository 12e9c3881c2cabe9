public import CWireBytes

/// 16-bit cyclic redundancy checks.
public enum CRC16 {
    /// CRC-16/XMODEM: polynomial 0x1021, initial 0, most significant bit first, no final XOR; 0x31C3 for `123456789`. A byte
    /// at a time and without a table.
    @inlinable
    public static func xmodem(_ bytes: Span<UInt8>) -> UInt16 {
        var register: UInt16 = 0
        for index in 0..<bytes.count {
            // The eight shifts of one byte in closed form: the polynomial has its bits at 12, 5 and 0.
            var high = register >> 8 ^ UInt16(bytes[index])
            high ^= high >> 4
            register = register << 8 ^ high << 12 ^ high << 5 ^ high
        }
        return register
    }

    /// CRC-16/X-25: polynomial 0x1021 bit-reflected, initial FFFF, inverted at the end; 0x906E for `123456789`.
    @inlinable @inline(__always)
    public static func x25(_ bytes: Span<UInt8>) -> UInt16 {
        x25Register(bytes, after: 0xFFFF) ^ 0xFFFF
    }

    /// The register behind `bytes`, not inverted, so that a sum can go on where it stopped.
    @inlinable @inline(__always)
    public static func x25Register(_ bytes: Span<UInt8>, after register: UInt16) -> UInt16 {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return register }
            return unsafe cwb_crc_x25(base, buffer.count, register)
        }
    }
}
