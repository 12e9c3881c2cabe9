import IncidentCore
import Testing

@testable import GatewayApp

struct CareConfigurationTests {
    private func parse(_ text: String) throws(ConfigurationError) -> GatewayConfiguration {
        try GatewayConfiguration.parse(text, file: "site.toml")
    }

    @Test func everythingIsRead() throws {
        let configuration = try parse(
            """
            [gateway]
            language = "en"
            [calendar]
            holidays = ["2026-10-01", "2026-10-02"]
            workdays = ["2026-09-27"]
            [[care_contact]]
            name = "morning"
            groups = ["living_alone"]
            people = ["P7"]
            times = ["20:00", "08:05", "08:05"]
            days = ["mon", "fri"]
            on_holidays = "skip"
            text = "{name}, {time}"
            answer_within_seconds = 60
            confirm = "sign_of_life"
            repeat = false
            [[care_contact]]
            name = "once"
            people = ["P7"]
            times = "12:00"
            dates = ["2026-10-18"]
            """)
        let holidays = ["2026-10-01", "2026-10-02"].compactMap { SiteDay($0) }
        #expect(
            configuration.calendar == SiteCalendar(holidays: Set(holidays), workdays: Set([SiteDay("2026-09-27")!])))
        let days = DayRule(weekdays: [.monday, .friday], onHolidays: .skip)
        #expect(
            configuration.careSchedules.first
                == CareSchedule(
                    name: "morning", groups: ["living_alone"], people: ["P7"], minutes: [485, 1200], days: days,
                    text: "{name}, {time}", answerWithinSeconds: 60, confirmation: .signOfLife, attempts: 1))
        let once = try #require(configuration.careSchedules.last)
        #expect(once.days == DayRule(dates: [SiteDay("2026-10-18")!]))
        #expect(once.text.hasPrefix("Hello {name}"))
        #expect((once.attempts, once.answerWithinSeconds, once.confirmation) == (2, 1800, .key))
        let chinese = try parse("[[care_contact]]\nname = \"a\"\npeople = [\"P\"]\ntimes = \"08:00\"")
        #expect(chinese.careSchedules.first?.text.contains("您好") == true)
    }

    @Test(arguments: [
        ("[[care_contact]]\nname = \"a\"\ntimes = \"08:00\"", "care_contact[0].groups", "nothing"),
        ("[[care_contact]]\nname = \"a\"\npeople = [\"P\"]", "care_contact[0].times", "nothing"),
        (
            "[[care_contact]]\nname = \"a\"\npeople = [\"P\"]\ntimes = [\"8:00\"]", "care_contact[0].times[0]",
            "\"8:00\""
        ),
        (
            "[[care_contact]]\nname = \"a\"\npeople = [\"P\"]\ntimes = \"08:00\"\ntext = \"{nmae}\"",
            "care_contact[0].text", "{nmae}"
        ),
        (
            "[[care_contact]]\nname = \"a\"\npeople = [\"P\"]\ntimes = \"08:00\"\ndays = [\"mon\"]\ndates = [\"2026-10-01\"]",
            "care_contact[0].dates", "beside days"
        ),
        (
            "[[care_contact]]\nname = \"a\"\npeople = [\"P\"]\ntimes = \"08:00\"\n"
                + "[[care_contact]]\nname = \"a\"\npeople = [\"P\"]\ntimes = \"09:00\"",
            "care_contact[1].name", "second time"
        ),
        ("[calendar]\nholidays = [\"2026-02-29\"]", "calendar.holidays[0]", "2026-02-29"),
        (
            "[calendar]\nholidays = [\"2026-10-01\"]\nworkdays = [\"2026-10-01\"]", "calendar.workdays",
            "holiday too"
        ),
    ])
    func faultsNameTheirKey(text: String, keyPath: String, found: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try parse(text) }
        #expect(error.issues.count == 1, "\(error)")
        let issue = try #require(error.issues.first)
        #expect(issue.keyPath == keyPath)
        #expect(issue.found.contains(found))
        #expect(issue.line != nil)
    }
}
