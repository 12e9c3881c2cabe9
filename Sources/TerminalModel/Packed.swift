/// An optional whole number in the room of the number alone: the lowest value of the storage stands for nil, and what
/// does not fit is cut to the range.
struct PackedInteger<Storage: FixedWidthInteger & Sendable>: Sendable, Equatable {
    private var storage = Storage.min

    init(_ value: Int? = nil) { self.value = value }

    var value: Int? {
        get { storage == .min ? nil : Int(storage) }
        set { storage = newValue.map { max(Storage(clamping: $0), .min + 1) } ?? .min }
    }
}

/// The same for a number with a fraction; infinity stands for nil, so that two absent numbers are equal.
struct PackedDouble: Sendable, Equatable {
    private var storage = Double.infinity

    init(_ value: Double? = nil) { self.value = value }

    var value: Double? {
        get { storage == .infinity ? nil : storage }
        set { storage = newValue ?? .infinity }
    }
}

/// The same for a point in time.
struct PackedTime: Sendable, Equatable {
    private var milliseconds = Int64.min

    init(_ value: Timestamp? = nil) { self.value = value }

    var value: Timestamp? {
        get { milliseconds == .min ? nil : Timestamp(milliseconds: milliseconds) }
        set { milliseconds = newValue?.milliseconds ?? .min }
    }
}

/// A message name without a string: a number, or a word of up to seven bytes.
struct PackedName: Sendable, Equatable {
    /// The topmost byte is 0xFF for a number, else the length of the word.
    private var storage: UInt64

    /// The empty word.
    static let none = PackedName(storage: 0)

    private init(storage: UInt64) { self.storage = storage }

    /// nil for a longer word.
    init?(_ name: MessageName) {
        switch name {
        case .number(let value): storage = 0xFF << 56 | UInt64(value)
        case .word(let word):
            guard word.utf8.count < 8 else { return nil }
            storage = word.utf8.reduce(0) { $0 << 8 | UInt64($1) } | UInt64(word.utf8.count) << 56
        }
    }

    var name: MessageName {
        let length = Int(storage >> 56)
        guard length < 8 else { return .number(UInt16(truncatingIfNeeded: storage)) }
        let bytes = (0..<length).map { UInt8(truncatingIfNeeded: storage >> UInt64(8 * (length - 1 - $0))) }
        return .word(String(decoding: bytes, as: UTF8.self))
    }
}

/// A few short wire items, each as number, length and value, in the room of two words.
struct PackedItems: Sendable, Equatable {
    static let maximumBytes = 15

    /// Byte 0 in the lowest bits; the topmost byte is the count of bytes in use.
    private var storage: UInt128 = 0

    var isEmpty: Bool { storage == 0 }
    private var count: Int { Int(storage >> 120) }

    private subscript(index: Int) -> UInt8 { UInt8(truncatingIfNeeded: storage >> UInt128(8 * index)) }

    /// False when there is no room, or an item of that number is there already.
    mutating func append(_ number: UInt8, _ value: Span<UInt8>) -> Bool {
        let start = count
        guard value.count + 2 <= Self.maximumBytes - start, !contains(number) else { return false }
        var bytes = storage & ~(UInt128(0xFF) << 120)
        bytes |= UInt128(number) << UInt128(8 * start)
        bytes |= UInt128(value.count) << UInt128(8 * (start + 1))
        for index in 0..<value.count { bytes |= UInt128(value[index]) << UInt128(8 * (start + 2 + index)) }
        storage = bytes | UInt128(start + 2 + value.count) << 120
        return true
    }

    private func contains(_ number: UInt8) -> Bool {
        var offset = 0
        while offset < count {
            if self[offset] == number { return true }
            offset += 2 + Int(self[offset + 1])
        }
        return false
    }

    /// Name (`0x51`) and value in lower-case hexadecimal digits, in order.
    var shown: [(name: String, hex: String)] {
        var items: [(name: String, hex: String)] = []
        var offset = 0
        while offset < count {
            let end = offset + 2 + Int(self[offset + 1])
            let hex = (offset + 2..<end).map { Self.digits(self[$0]) }.joined()
            items.append(("0x" + Self.digits(self[offset]), hex))
            offset = end
        }
        return items
    }

    private static func digits(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}
