public import TerminalModel

/// One day on the site's own clock, counted from the first of January 1970.
public struct SiteDay: Hashable, Sendable, Comparable {
    public let number: Int64

    public init(number: Int64) { self.number = number }

    /// The day on which that time falls.
    public init(_ time: Timestamp, utcOffsetMinutes: Int) {
        let local = time.milliseconds &+ Int64(utcOffsetMinutes) * 60_000
        let quotient = local / DayWindow.millisecondsPerDay
        number = local % DayWindow.millisecondsPerDay < 0 ? quotient - 1 : quotient
    }

    /// Reads `YYYY-MM-DD`; nil for a day that is not in the calendar.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2],
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]),
            let midnight = Timestamp(year: year, month: month, day: day, hour: 0, minute: 0, second: 0)
        else { return nil }
        self.init(midnight, utcOffsetMinutes: 0)
    }

    /// The first of January 1970 was a Thursday.
    public var weekday: Weekday {
        Weekday.allCases[Int(((number + 4) % 7 + 7) % 7)]
    }

    /// The start of this minute of the day.
    public func time(ofMinute minute: Int, utcOffsetMinutes: Int) -> Timestamp {
        Timestamp(milliseconds: number * DayWindow.millisecondsPerDay + Int64(minute - utcOffsetMinutes) * 60_000)
    }

    public static func < (left: SiteDay, right: SiteDay) -> Bool { left.number < right.number }
}

/// Which days are not what their weekday says: the holidays, and the weekends that are worked for them (调休).
public struct SiteCalendar: Sendable, Equatable {
    public var holidays: Set<SiteDay>
    public var workdays: Set<SiteDay>

    public init(holidays: Set<SiteDay> = [], workdays: Set<SiteDay> = []) {
        self.holidays = holidays
        self.workdays = workdays
    }
}

/// On which days something comes back.
public struct DayRule: Sendable, Equatable {
    public enum Holidays: String, Sendable, CaseIterable {
        /// Working days: not on holidays, and also on the weekends that are worked for them.
        case skip
        /// A holiday is a day like any other.
        case also
        /// On holidays alone.
        case only
    }

    public var weekdays: Set<Weekday>
    /// Empty: every day whose weekday fits; else these alone.
    public var dates: Set<SiteDay>
    public var onHolidays: Holidays

    public init(
        weekdays: Set<Weekday> = Set(Weekday.allCases), dates: Set<SiteDay> = [], onHolidays: Holidays = .also
    ) {
        self.weekdays = weekdays
        self.dates = dates
        self.onHolidays = onHolidays
    }

    private static let working: Set<Weekday> = [.monday, .tuesday, .wednesday, .thursday, .friday]

    public func includes(_ day: SiteDay, _ calendar: SiteCalendar) -> Bool {
        let isHoliday = calendar.holidays.contains(day)
        switch onHolidays {
        case .skip where isHoliday: return false
        case .only where !isHoliday: return false
        default: break
        }
        guard dates.isEmpty else { return dates.contains(day) }
        if weekdays.contains(day.weekday) { return true }
        return onHolidays == .skip && calendar.workdays.contains(day) && !weekdays.isDisjoint(with: Self.working)
    }
}
