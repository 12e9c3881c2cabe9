/// A point on the UTC time line in milliseconds since 1970-01-01T00:00:00Z.
public struct Timestamp: Hashable, Sendable, Comparable {
    public var milliseconds: Int64

    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    public init(seconds: Int64) {
        self.milliseconds = seconds &* 1000
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    public func adding(milliseconds: Int64) -> Timestamp {
        Timestamp(milliseconds: self.milliseconds &+ milliseconds)
    }
}

extension Timestamp {
    /// A proleptic Gregorian date and time of day, UTC.
    public struct Calendar: Equatable, Sendable {
        public var year: Int
        /// 1...12
        public var month: Int
        /// 1...31
        public var day: Int
        public var hour: Int
        public var minute: Int
        public var second: Int
        public var millisecond: Int
    }

    /// Builds a time from calendar fields; nil when a field is out of its range (a leap second counts as out of range).
    public init?(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, millisecond: Int = 0) {
        guard (1...9999).contains(year), (1...12).contains(month),
            day >= 1, day <= Self.daysInMonth(year: year, month: month),
            (0...23).contains(hour), (0...59).contains(minute), (0...59).contains(second),
            (0...999).contains(millisecond)
        else { return nil }
        let days = Self.daysFromEpoch(year: year, month: month, day: day)
        let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
        self.milliseconds = Int64(seconds) * 1000 + Int64(millisecond)
    }

    public var calendar: Calendar {
        let dayLength: Int64 = 86_400_000
        var days = milliseconds / dayLength
        var rest = milliseconds % dayLength
        if rest < 0 {
            rest += dayLength
            days -= 1
        }
        let date = Self.civil(daysFromEpoch: Int(days))
        let seconds = Int(rest / 1000)
        return Calendar(
            year: date.year, month: date.month, day: date.day, hour: seconds / 3600, minute: seconds / 60 % 60,
            second: seconds % 60, millisecond: Int(rest % 1000))
    }

    private static func daysInMonth(year: Int, month: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01; years are counted from March so that the leap day is the last of its year.
    private static func daysFromEpoch(year: Int, month: Int, day: Int) -> Int {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func civil(daysFromEpoch: Int) -> (year: Int, month: Int, day: Int) {
        let z = daysFromEpoch + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }
}

extension Timestamp: CustomStringConvertible {
    /// ISO 8601 in UTC; milliseconds appear only when they are not zero: `2026-03-14T02:10:12.031Z`.
    public var description: String {
        let c = calendar
        let date = "\(Self.padded(c.year, 4))-\(Self.padded(c.month, 2))-\(Self.padded(c.day, 2))"
        let time = "\(Self.padded(c.hour, 2)):\(Self.padded(c.minute, 2)):\(Self.padded(c.second, 2))"
        return c.millisecond == 0 ? "\(date)T\(time)Z" : "\(date)T\(time).\(Self.padded(c.millisecond, 3))Z"
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension Timestamp {
    /// Reads ISO 8601 `YYYY-MM-DDThh:mm:ss[.fff](Z|±hh:mm)`; nil for anything else.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20 else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count else { return nil }
            var value = 0
            for byte in bytes[range] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            return value
        }
        guard bytes[4] == 0x2D, bytes[7] == 0x2D, bytes[10] == 0x54 || bytes[10] == 0x20,
            bytes[13] == 0x3A, bytes[16] == 0x3A,
            let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19)
        else { return nil }
        var offset = 19
        var millisecond = 0
        if bytes[offset] == 0x2E {
            offset += 1
            var scale = 100
            while offset < bytes.count, (0x30...0x39).contains(bytes[offset]) {
                millisecond += Int(bytes[offset] - 0x30) * scale
                scale /= 10
                offset += 1
            }
        }
        guard
            let local = Timestamp(
                year: year, month: month, day: day, hour: hour, minute: minute, second: second,
                millisecond: millisecond),
            offset < bytes.count
        else { return nil }
        if bytes[offset] == 0x5A, offset + 1 == bytes.count {
            self = local
            return
        }
        guard bytes[offset] == 0x2B || bytes[offset] == 0x2D, offset + 6 == bytes.count, bytes[offset + 3] == 0x3A,
            let zoneHours = number(offset + 1..<offset + 3), let zoneMinutes = number(offset + 4..<offset + 6),
            zoneHours <= 14, zoneMinutes <= 59
        else { return nil }
        let shift = Int64(zoneHours * 60 + zoneMinutes) * 60_000
        self = local.adding(milliseconds: bytes[offset] == 0x2B ? -shift : shift)
    }
}

extension Timestamp: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let time = Timestamp(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a time is ISO 8601 with a zone, found \"\(text)\"")
        }
        self = time
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// One reading of both clocks, passed into every state machine so that none of them asks for the time itself.
public struct Moment: Sendable, Equatable {
    /// What the calendar says; orders alarms and is shown to people.
    public var wall: Timestamp
    /// Milliseconds on the monotonic clock (CLOCK_BOOTTIME); every timer runs on it.
    public var monotonicMilliseconds: Int64

    public init(wall: Timestamp, monotonicMilliseconds: Int64) {
        self.wall = wall
        self.monotonicMilliseconds = monotonicMilliseconds
    }
}
