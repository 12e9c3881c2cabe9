/// Binary-coded decimal: two digits a byte, the high one first.
public enum BCD {
    /// 0...99; a nibble above 9 counts as its value, so check `isDecimal` where it matters.
    @inlinable @inline(__always)
    public static func value(_ byte: UInt8) -> Int {
        Int((byte >> 4) &* 10 &+ (byte & 15))
    }

    /// True when no nibble is above 9.
    @inlinable
    public static func isDecimal(_ nibbles: UInt64) -> Bool {
        // A nibble is above 9 when its bit 3 is set and its lower three bits are 2 or more; those plus 6 reach bit 3.
        let lower = (nibbles & 0x7777_7777_7777_7777) &+ 0x6666_6666_6666_6666
        return nibbles & lower & 0x8888_8888_8888_8888 == 0
    }

    /// The byte of a number 0...99; larger numbers lose their hundreds.
    public static func byte(_ value: Int) -> UInt8 {
        let two = UInt8(truncatingIfNeeded: abs(value) % 100)
        return (two / 10) << 4 | two % 10
    }
}
