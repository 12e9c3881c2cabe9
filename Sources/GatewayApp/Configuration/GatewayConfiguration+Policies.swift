import IncidentCore

extension GatewayConfiguration {
    mutating func readChase(_ table: TableReader) {
        var table = table
        chase.intervalSeconds = table.integer(
            "interval_seconds", default: chase.intervalSeconds, in: 0...3600, unit: "seconds, 0 for off")
        chase.periodSeconds = table.integer(
            "period_seconds", default: chase.periodSeconds, in: 60...3600, unit: "seconds")
        chase.normalIntervalSeconds = table.integer(
            "normal_interval_seconds", default: chase.normalIntervalSeconds, in: 10...86_400, unit: "seconds")
        chase.updateSeconds = table.integer(
            "update_seconds", default: chase.updateSeconds, in: 1...3600, unit: "seconds")
        table.finish()
    }

    static func readPolicy(_ table: TableReader) -> Policy? {
        var table = table
        let services = Service.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        let service = table.parsed("service", allowed: services, required: true) { Service(rawValue: $0) }
        let group = table.parsed("group", allowed: "1 to 64 characters") { (1...64).contains($0.count) ? $0 : nil }
        let period = table.integer(
            "repeat_milliseconds", default: 60_000, in: 1000...86_400_000, unit: "milliseconds")
        let quietHours = table.tables("quiet_hours").compactMap { table -> DayWindow? in
            var table = table
            let window = readHours(&table, required: true)
            table.finish()
            return window
        }
        let steps = table.tables("steps", required: true).map { step -> PolicyStep in
            var step = step
            let after = step.integer("after_milliseconds", default: 0, in: 0...86_400_000, unit: "milliseconds")
            let targets = step.strings("targets", allowed: "the name of a [[target]] or [[roster]]") { !$0.isEmpty }
            step.finish()
            return PolicyStep(afterMilliseconds: after, targets: targets)
        }
        table.finish()
        return service.map {
            Policy(
                service: $0, group: group, steps: steps.sorted { $0.afterMilliseconds < $1.afterMilliseconds },
                repeatMilliseconds: period, quietHours: quietHours)
        }
    }

    static func readRoster(_ table: TableReader) -> DutyRoster? {
        var table = table
        let name = readTargetName("name", &table)
        let fallback = readTargetName("fallback", &table)
        let shifts = table.tables("shifts", required: true).compactMap { shift -> DutyRoster.Shift? in
            var shift = shift
            let target = readTargetName("target", &shift)
            let districts = shift.strings("districts", allowed: "1 to 64 characters") { (1...64).contains($0.count) }
            let hours = readHours(&shift, required: false)
            shift.finish()
            return target.map { DutyRoster.Shift(target: $0, districts: Set(districts), hours: hours) }
        }
        table.finish()
        guard let name, let fallback else { return nil }
        return DutyRoster(name: name, shifts: shifts, fallback: fallback)
    }

    private static func readTargetName(_ key: String, _ table: inout TableReader) -> String? {
        table.parsed(key, allowed: ConfigurationFormats.targetNameAllowed, required: true) {
            ConfigurationFormats.isTargetName($0) ? $0 : nil
        }
    }

    /// `from`, `to` and `days`; nil when none of them is there.
    private static func readHours(_ table: inout TableReader, required: Bool) -> DayWindow? {
        let isThere = required || ["from", "to", "days"].contains(where: table.has)
        let allowed = ConfigurationFormats.timeOfDayAllowed
        // Days without hours are whole days.
        let needed = required || table.has("from") || table.has("to")
        let from = table.parsed("from", allowed: allowed, required: needed) { ConfigurationFormats.minute(of: $0) }
        let to = table.parsed("to", allowed: allowed, required: needed) { ConfigurationFormats.minute(of: $0) }
        let names = Weekday.allCases.map { "\"\($0.name)\"" }.joined(separator: ", ")
        let days = table.words("days", allowed: names) { name in Weekday.allCases.first { $0.name == name } }
        guard isThere else { return nil }
        return DayWindow(
            days: days.isEmpty ? Set(Weekday.allCases) : Set(days), fromMinute: from ?? 0, toMinute: to ?? 0)
    }
}
