import IncidentCore
import TerminalModel
import Testing

struct CareScheduleTests {
    private static let china = 480

    private static func day(_ text: String) throws -> SiteDay { try #require(SiteDay(text)) }

    private static func due(
        _ rule: DayRule, from: String, through: String, minutes: [Int] = [480]
    ) throws -> [String] {
        // National Day 2026: the first three days are free, the Sunday before is worked.
        let calendar = SiteCalendar(
            holidays: [try day("2026-10-01"), try day("2026-10-02"), try day("2026-10-03")],
            workdays: [try day("2026-09-27")])
        let schedule = CareSchedule(name: "morning", minutes: minutes, days: rule, text: "x")
        return schedule.occurrences(
            after: try #require(Timestamp(from)), through: try #require(Timestamp(through)), calendar: calendar,
            utcOffsetMinutes: china
        ).map { String($0.description.prefix(16)) }
    }

    @Test func dayOfTheSiteIsNotTheDayOfUTC() throws {
        let late = try #require(Timestamp("2026-09-30T16:00:00Z"))
        #expect(SiteDay(late, utcOffsetMinutes: Self.china) == (try Self.day("2026-10-01")))
        #expect(try Self.day("2026-10-01").weekday == .thursday)
        #expect(SiteDay("2026-02-29") == nil)
        #expect(SiteDay("2026-2-9") == nil)
        #expect(SiteDay(Timestamp(milliseconds: -1), utcOffsetMinutes: 0).weekday == .wednesday)
    }

    /// Eight in the morning in China is midnight UTC.
    @Test func holidaysAndWorkedWeekends() throws {
        let working: Set<Weekday> = [.monday, .tuesday, .wednesday, .thursday, .friday]
        let week = ("2026-09-25T12:00:00Z", "2026-10-05T12:00:00Z")
        #expect(
            try Self.due(DayRule(weekdays: working, onHolidays: .skip), from: week.0, through: week.1) == [
                "2026-09-27T00:00", "2026-09-28T00:00", "2026-09-29T00:00", "2026-09-30T00:00", "2026-10-05T00:00",
            ])
        #expect(
            try Self.due(DayRule(weekdays: working, onHolidays: .also), from: week.0, through: week.1) == [
                "2026-09-28T00:00", "2026-09-29T00:00", "2026-09-30T00:00", "2026-10-01T00:00", "2026-10-02T00:00",
                "2026-10-05T00:00",
            ])
        #expect(
            try Self.due(DayRule(onHolidays: .only), from: week.0, through: week.1) == [
                "2026-10-01T00:00", "2026-10-02T00:00", "2026-10-03T00:00",
            ])
        let dates: Set<SiteDay> = [try Self.day("2026-09-29"), try Self.day("2026-10-02")]
        #expect(
            try Self.due(DayRule(dates: dates, onHolidays: .skip), from: week.0, through: week.1)
                == ["2026-09-29T00:00"])
    }

    @Test func eachTimeComesOnce() throws {
        let minutes = [480, 1200]
        #expect(
            try Self.due(
                DayRule(), from: "2026-03-01T00:00:00Z", through: "2026-03-02T00:00:00Z", minutes: minutes)
                == ["2026-03-01T12:00", "2026-03-02T00:00"])
        #expect(
            try Self.due(
                DayRule(), from: "2026-03-02T00:00:00Z", through: "2026-03-02T00:00:00Z", minutes: minutes) == [])
    }

    @Test func wordsForAPerson() throws {
        let schedule = CareSchedule(name: "m", minutes: [485], text: "{name}您好，{time}，{name}")
        let due = try #require(Timestamp("2026-03-02T00:05:00Z"))
        #expect(schedule.text(for: "{time}", dueAt: due, utcOffsetMinutes: 480) == "{time}您好，08:05，{time}")
    }
}
