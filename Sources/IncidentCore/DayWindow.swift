public import TerminalModel

public enum Weekday: Int, Sendable, CaseIterable {
    case sunday, monday, tuesday, wednesday, thursday, friday, saturday

    /// The name in the configuration.
    public var name: String {
        switch self {
        case .sunday: "sun"
        case .monday: "mon"
        case .tuesday: "tue"
        case .wednesday: "wed"
        case .thursday: "thu"
        case .friday: "fri"
        case .saturday: "sat"
        }
    }
}

/// Hours that come back on some days of the week, on the site's own clock.
///
/// A window that ends at or before its start goes on into the next day, and belongs to the day on which it starts.
public struct DayWindow: Sendable, Equatable {
    public static let minutesPerDay = 1440
    static let millisecondsPerDay: Int64 = 86_400_000

    public var days: Set<Weekday>
    /// 0...1439, minutes after midnight.
    public var fromMinute: Int
    /// 0...1439; the window ends with the start of this minute.
    public var toMinute: Int

    public init(days: Set<Weekday> = Set(Weekday.allCases), fromMinute: Int, toMinute: Int) {
        self.days = days
        self.fromMinute = fromMinute
        self.toMinute = toMinute
    }

    public func contains(_ time: Timestamp, utcOffsetMinutes: Int) -> Bool {
        millisecondsLeft(at: time, utcOffsetMinutes: utcOffsetMinutes) != nil
    }

    /// How long the window still lasts at that time; nil outside of it.
    public func millisecondsLeft(at time: Timestamp, utcOffsetMinutes: Int) -> Int64? {
        let local = time.milliseconds &+ Int64(utcOffsetMinutes) * 60_000
        let day = local.floorDivided(by: Self.millisecondsPerDay)
        let ofDay = local &- day * Self.millisecondsPerDay
        let (from, to) = (Int64(fromMinute) * 60_000, Int64(toMinute) * 60_000)
        if from < to {
            return starts(on: day) && from <= ofDay && ofDay < to ? to - ofDay : nil
        }
        if starts(on: day), ofDay >= from { return Self.millisecondsPerDay - ofDay + to }
        return starts(on: day - 1) && ofDay < to ? to - ofDay : nil
    }

    /// The first of January 1970 was a Thursday.
    private func starts(on day: Int64) -> Bool {
        let index = Int((day + 4) - (day + 4).floorDivided(by: 7) * 7)
        return days.contains(Weekday.allCases[index])
    }
}

extension Int64 {
    /// Rounds down also for times before 1970.
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
