/// Lower-case hexadecimal text.
public enum Hex {
    /// Two digits a byte, nothing between them.
    public static func text(_ bytes: Span<UInt8>) -> String {
        let count = bytes.count
        return unsafe String(unsafeUninitializedCapacity: count * 2) { buffer in
            for index in 0..<count {
                unsafe buffer[index * 2] = digit(bytes[index] >> 4)
                unsafe buffer[index * 2 + 1] = digit(bytes[index] & 15)
            }
            return count * 2
        }
    }

    public static func text(_ bytes: [UInt8]) -> String {
        text(bytes.span)
    }

    /// `value`, at most 64 bits, in at least `digits` digits with `0x` in front, for example `0x0200`.
    public static func number(_ value: some FixedWidthInteger & UnsignedInteger, digits: Int) -> String {
        let needed = (value.bitWidth - value.leadingZeroBitCount + 3) / 4
        let count = max(1, digits, needed)
        var rest = UInt64(truncatingIfNeeded: value)
        return unsafe String(unsafeUninitializedCapacity: count + 2) { buffer in
            unsafe buffer[0] = 0x30
            unsafe buffer[1] = 0x78
            for index in stride(from: count + 1, to: 1, by: -1) {
                unsafe buffer[index] = digit(UInt8(truncatingIfNeeded: rest & 15))
                rest >>= 4
            }
            return count + 2
        }
    }

    /// Reads digits of either case, ignoring spaces, tabs and colons between bytes; nil for anything else or an odd count.
    public static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count / 2)
        var high: UInt8?
        for character in text.utf8 {
            let value: UInt8
            switch character {
            case 0x30...0x39: value = character - 0x30
            case 0x61...0x66: value = character - 0x61 + 10
            case 0x41...0x46: value = character - 0x41 + 10
            case 0x20, 0x09, 0x3A, 0x0D, 0x0A:
                if high != nil { return nil }
                continue
            default: return nil
            }
            if let first = high {
                result.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return high == nil ? result : nil
    }

    private static func digit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? 0x30 + nibble : 0x61 - 10 + nibble
    }
}
