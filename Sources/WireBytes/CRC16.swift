public import CWireBytes

/// 16-bit cyclic redundancy checks.
public enum CRC16 {
    /// CRC-16/XMODEM: polynomial 0x1021, initial 0, most significant bit first, no final XOR; 0x31C3 for `123456789`.
    public static func xmodem(_ bytes: Span<UInt8>) -> UInt16 {
        var register: UInt16 = 0
        var index = 0
        let count = bytes.count
        if count >= wordBytes {
            let tables = xmodemTables.span
            // Eight bytes at once: each has a table that carries it through the bytes behind it.
            while count &- index >= wordBytes {
                let word = bytes.uint64BE(at: index) ^ UInt64(register) << 48
                register = 0
                for place in 0..<wordBytes {
                    let byte = Int(truncatingIfNeeded: word >> UInt64(truncatingIfNeeded: place &* 8) & 0xFF)
                    register ^= tables[place &* 256 &+ byte]
                }
                index &+= wordBytes
            }
        }
        while index < count {
            register = step(register, bytes[index])
            index &+= 1
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

    /// CRC-16/ARC: polynomial 0x8005 bit-reflected (A001), initial 0, no final XOR; 0xBB3D for `123456789`.
    public static func arc(_ bytes: Span<UInt8>) -> UInt16 {
        let table = arcTable.span
        var register: UInt16 = 0
        for index in 0..<bytes.count {
            register = register >> 8 ^ table[Int(UInt8(truncatingIfNeeded: register) ^ bytes[index])]
        }
        return register
    }

    private static let arcTable: [UInt16] = (0...UInt8.max).map { byte in
        (0..<8).reduce(UInt16(byte)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xA001 }
    }

    private static let wordBytes = 8

    /// The eight shifts of one byte in closed form: the polynomial has its bits at 12, 5 and 0.
    private static func step(_ register: UInt16, _ byte: UInt8) -> UInt16 {
        var high = register >> 8 ^ UInt16(byte)
        high ^= high >> 4
        return register << 8 ^ high << 12 ^ high << 5 ^ high
    }

    /// For each place in a word, counted from its last byte, and each value the sum of that byte with zeros behind it.
    private static let xmodemTables: [UInt16] = {
        var tables: [UInt16] = (0...UInt8.max).map { step(0, $0) }
        for _ in 1..<wordBytes { tables += tables.suffix(256).map { step($0, 0) } }
        return tables
    }()
}
