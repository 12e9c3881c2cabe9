/// 16-bit cyclic redundancy checks, a byte at a time and without a table.
public enum CRC16 {
    /// CRC-16/XMODEM: polynomial 0x1021, initial 0, most significant bit first, no final XOR; 0x31C3 for `123456789`.
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
}
