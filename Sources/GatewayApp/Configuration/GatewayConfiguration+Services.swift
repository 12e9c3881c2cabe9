import IncidentCore

extension GatewayConfiguration {
    /// How incidents end where the file says nothing of their service.
    static let standardServices: [Service: ServiceRules] = [
        .emergency: ["helped", "hospital", "police", "deceased"],
        .lifeAssistance: ["helped", "delivered", "repaired", "referred", "declined"],
        .careContact: ["helped", "well", "unreachable"],
        .securityAlarm: ["helped", "police", "repaired"],
        .fenceWatch: ["helped", "returned", "found", "allowed"],
        .elderLocation: ["helped", "found", "allowed"],
        .childLocation: ["helped", "found", "allowed"],
    ].mapValues { ServiceRules(dispositions: $0 + ["false_alarm", "test", "other"]) }

    static func readService(_ table: TableReader) -> (service: Service, rules: ServiceRules)? {
        var table = table
        let names = Service.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        let service = table.parsed("name", allowed: names, required: true) { Service(rawValue: $0) }
        let dispositions = table.strings("dispositions", allowed: "1 to 64 characters") { (1...64).contains($0.count) }
        let due = table.integer("due_seconds", default: 0, in: 0...2_592_000, unit: "seconds, 0 for none")
        table.finish()
        guard let service else { return nil }
        let standard = standardServices[service]?.dispositions ?? []
        return (
            service,
            ServiceRules(
                dispositions: dispositions.isEmpty ? standard : dispositions, dueSeconds: due == 0 ? nil : due)
        )
    }

    mutating func readSupervision(_ table: TableReader) {
        var table = table
        supervision.remindSeconds = table.integer(
            "remind_seconds", default: supervision.remindSeconds, in: 0...86_400, unit: "seconds, 0 for off")
        supervision.overdueSeconds = table.integer(
            "overdue_seconds", default: supervision.overdueSeconds, in: 60...86_400, unit: "seconds")
        table.finish()
    }
}
