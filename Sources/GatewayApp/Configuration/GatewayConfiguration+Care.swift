import AlarmPipeline
import IncidentCore

extension GatewayConfiguration {
    private static let dateAllowed = "a day written \"2026-10-01\""

    mutating func readCalendar(_ table: TableReader) {
        var table = table
        calendar.holidays = Self.readDays("holidays", &table)
        calendar.workdays = Self.readDays("workdays", &table)
        for day in calendar.holidays.intersection(calendar.workdays).sorted().prefix(1) {
            let text = "\(day.time(ofMinute: 0, utcOffsetMinutes: 0))".prefix(10)
            table.report(
                "workdays", found: "\"\(text)\", which is a holiday too", allowed: "days in one of the two lists")
        }
        table.finish()
    }

    private static func readDays(_ key: String, _ table: inout TableReader) -> Set<SiteDay> {
        Set(table.words(key, allowed: dateAllowed) { SiteDay($0) })
    }

    /// What a reminder says where the file does not.
    static func standardReminder(_ language: Language, _ confirmation: CareConfirmation) -> String {
        switch (language, confirmation) {
        case (.chinese, .key): "{name}您好，现在是{time}，请按一下按键报平安。"
        case (.chinese, .signOfLife): "{name}您好，现在是{time}，祝您一切安好。"
        case (.english, .key): "Hello {name}, it is {time}. Please press a key to tell us that you are well."
        case (.english, .signOfLife): "Hello {name}, it is {time}. We hope that you are well."
        }
    }

    mutating func readCareSchedules(_ tables: [TableReader]) {
        for table in tables {
            guard let schedule = readCareSchedule(table) else { continue }
            if careSchedules.contains(where: { $0.name == schedule.name }) {
                table.report("name", found: "\"\(schedule.name)\" a second time", allowed: "each name once")
            }
            careSchedules.append(schedule)
        }
    }

    private func readCareSchedule(_ table: TableReader) -> CareSchedule? {
        var table = table
        let name = table.parsed("name", allowed: ConfigurationFormats.targetNameAllowed, required: true) {
            ConfigurationFormats.isTargetName($0) ? $0 : nil
        }
        let isWord = { (word: String) in (1...64).contains(word.count) }
        let groups = table.strings("groups", allowed: "1 to 64 characters", isWord)
        let people = table.strings("people", allowed: "1 to 64 characters", isWord)
        if !table.has("groups"), !table.has("people") {
            table.report("groups", found: "nothing", allowed: "groups or people, or both: whom to remind")
        }
        let times = table.words("times", allowed: ConfigurationFormats.timeOfDayAllowed) {
            ConfigurationFormats.minute(of: $0)
        }
        if !table.has("times") {
            table.report("times", found: "nothing", allowed: ConfigurationFormats.timeOfDayAllowed)
        }
        let days = Self.readDayRule(&table)
        let confirmation = table.choice("confirm", default: CareConfirmation.key)
        let text = table.parsed("text", allowed: Self.reminderAllowed, Self.reminder)
        let within = table.integer("answer_within_seconds", default: 1800, in: 1...86_400, unit: "seconds")
        let isRepeated = table.boolean("repeat", default: true)
        table.finish()
        guard let name, !times.isEmpty else { return nil }
        return CareSchedule(
            name: name, groups: groups, people: people, minutes: Set(times).sorted(), days: days,
            text: text ?? Self.standardReminder(gateway.language, confirmation), answerWithinSeconds: within,
            confirmation: confirmation, attempts: isRepeated ? 2 : 1)
    }

    private static func readDayRule(_ table: inout TableReader) -> DayRule {
        let names = Weekday.allCases.map { "\"\($0.name)\"" }.joined(separator: ", ")
        let weekdays = table.words("days", allowed: names) { name in Weekday.allCases.first { $0.name == name } }
        let dates = readDays("dates", &table)
        if table.has("days"), table.has("dates") {
            table.report("dates", found: "dates beside days", allowed: "days or dates")
        }
        return DayRule(
            weekdays: weekdays.isEmpty ? Set(Weekday.allCases) : Set(weekdays), dates: dates,
            onHolidays: table.choice("on_holidays", default: DayRule.Holidays.also))
    }

    private static let reminderAllowed =
        "1 to 500 characters on one line, with no other placeholders than "
        + CareSchedule.placeholders.map { "{\($0)}" }.joined(separator: ", ")

    /// The text, when it has only placeholders that there are.
    private static func reminder(_ text: String) -> String? {
        guard (1...500).contains(text.unicodeScalars.count), !text.contains(where: \.isNewline) else { return nil }
        var rest = text
        for name in CareSchedule.placeholders { rest = rest.replacing("{\(name)}", with: "") }
        return rest.contains("{") || rest.contains("}") ? nil : text
    }
}
