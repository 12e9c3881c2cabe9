/// The identity a terminal claims on the wire: up to 32 decimal or hexadecimal digits without leading zeros.
///
/// The digits are packed four bits each into one integer, so that an identifier is a value of 16 bytes that can be
/// compared and hashed without touching the heap, and a JT/T 808 phone is the same in its 6-byte and its 10-byte form.
/// Source: DESIGN section 4 (`terminal`).
public struct TerminalID: Hashable, Sendable {
    /// The digits as nibbles, the last digit lowest.
    public let nibbles: UInt128

    public init(nibbles: UInt128) {
        self.nibbles = nibbles
    }

    /// Reads 1 to 32 digits `0-9`, `a-f`, `A-F`; leading zeros are dropped. Returns nil for anything else.
    public init?(_ text: some StringProtocol) {
        let digits = text.utf8
        guard !digits.isEmpty, digits.count <= 32 else { return nil }
        var value: UInt128 = 0
        for digit in digits {
            guard let nibble = Self.nibble(digit) else { return nil }
            value = value << 4 | UInt128(nibble)
        }
        self.nibbles = value
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x61 + 10
        case 0x41...0x46: digit - 0x41 + 10
        default: nil
        }
    }
}

extension TerminalID: CustomStringConvertible, LosslessStringConvertible {
    /// The digits in lower case, `0` when all were zero.
    public var description: String {
        String(nibbles, radix: 16)
    }
}

extension TerminalID {
    /// Compares as `description` does, without making it: the digits from the left, and of two that begin alike the shorter
    /// one first.
    public var textOrder: (digits: UInt128, count: Int) {
        let count = max(1, (UInt128.bitWidth - nibbles.leadingZeroBitCount + 3) / 4)
        return (nibbles << UInt128(UInt128.bitWidth - 4 * count), count)
    }
}

extension TerminalID: Comparable {
    public static func < (left: TerminalID, right: TerminalID) -> Bool {
        left.nibbles < right.nibbles
    }
}

extension TerminalID: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let id = TerminalID(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a terminal id is 1 to 32 hexadecimal digits, found \"\(text)\"")
        }
        self = id
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
