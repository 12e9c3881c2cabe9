import ControlAPI
import IncidentCore
import TerminalModel

extension Routes {
    static let policyTest = Route(
        method: .get, template: "/v1/policy/test", operation: "testPolicy",
        summary: "Who would be told when, computed by the code that runs the ladder; nothing happens",
        queryParameters: [
            .init(name: "person", schema: .identifier, note: "the person's id", isRequired: true),
            .init(name: "service", schema: .choice(Service.allCases.map(\.rawValue)), note: "emergency when absent"),
            .init(name: "at", schema: .time, note: "the time of the press; now when absent"),
        ],
        responses: [
            .json(200, "The first round of the ladder.", Shapes.policyTest),
            .problem(404, "There is no such person."),
        ]
    ) { input, operations in
        guard let person = input.query["person"] else {
            throw Problem.request(pointer: "query.person", found: "nothing", allowed: "the id of a person")
        }
        let service = input.query["service"].flatMap(Service.init(rawValue:)) ?? .emergency
        let time = input.query["at"].flatMap { Timestamp(rfc3339: $0) }
        guard let test = try await operations.rehearse(service, person: person, at: time) else {
            throw Problem.notFound("person \"\(person)\"")
        }
        return try .json(test)
    }
}

extension PolicyTest {
    init(_ rehearsal: LadderRehearsal, person: String, service: Service, at time: Timestamp) {
        self.init(person: person, service: service.rawValue, at: time)
        group = rehearsal.group
        fallback = rehearsal.isFallback
        repeatMilliseconds = rehearsal.repeatMilliseconds
        rows = rehearsal.rows.map { row in
            Row(
                afterMilliseconds: row.afterMilliseconds, at: row.at, outcome: row.outcome.rawValue,
                target: row.target, step: row.step,
                recipients: row.recipients.isEmpty ? nil : row.recipients.map { ContactCard($0) },
                detail: row.detail.isEmpty ? nil : row.detail)
        }
    }
}
