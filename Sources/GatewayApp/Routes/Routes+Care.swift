import ControlAPI
import IncidentCore
import IncidentStore
import TerminalModel

extension Routes {
    static let care = Route(
        method: .get, template: "/v1/care", operation: "listCare",
        summary: "Reminders to people and what became of them, the latest due first",
        queryParameters: [
            .init(name: "after", schema: .line(1...200), note: "the `next` of the page before"),
            .init(name: "from", schema: .time, note: "due at or after; the last 24 hours when absent"), limit,
            .init(name: "person", schema: .identifier, note: ""),
            .init(name: "schedule", schema: .line(1...64), note: "the name of a [[care_contact]]"),
            .init(name: "state", schema: .choice(CareRecord.State.allCases.map(\.rawValue)), note: ""),
            .init(name: "to", schema: .time, note: "due before; now when absent"),
        ],
        responses: [.json(200, "A page of reminders.", Shapes.carePage)]
    ) { input, operations in
        var query = CareFilter()
        query.from = input.query["from"].flatMap { Timestamp(rfc3339: $0) }
        query.to = input.query["to"].flatMap { Timestamp(rfc3339: $0) }
        query.person = input.query["person"]
        query.schedule = input.query["schedule"]
        query.state = input.query["state"].flatMap(CareRecord.State.init(rawValue:))
        query.limit = input.integer("limit", default: 100)
        if let after = input.query["after"] {
            // What no page ended with has nothing behind it.
            guard let key = CareKey(page: after) else { return try .json(CarePage(reminders: [])) }
            query.after = key
        }
        return try .json(await operations.care(query))
    }
}

extension Shapes {
    static let carePage = Schema.named(
        "CarePage",
        .object([
            .required(
                "reminders",
                .array(
                    .object([
                        .required("schedule", .string), .required("due_at", .time), .required("person", .string),
                        .optional("terminal", .string),
                        .required("state", .choice(CareRecord.State.allCases.map(\.rawValue))),
                        .required("text", .string), .required("attempts", count, "how often it was sent"),
                        .required("answer_by", .time), .optional("sent_at", .time),
                        .optional("settled_at", .time, "when it was confirmed or missed"),
                        .required("detail", .string),
                    ]), count: 0...Int.max)),
            .optional("next", .string),
        ]))
}

extension CareKey {
    /// Reads what `page` wrote.
    init?(page: String) {
        let parts = page.split(separator: " ", maxSplits: 2)
        guard parts.count == 3, let milliseconds = Int64(parts[0]) else { return nil }
        self.init(
            schedule: String(parts[1]), dueAt: Timestamp(milliseconds: milliseconds), person: String(parts[2]))
    }

    /// A name of a schedule has no spaces.
    var page: String { "\(dueAt.milliseconds) \(schedule) \(person)" }
}
