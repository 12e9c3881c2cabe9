import ControlAPI
import IncidentCore
import TerminalModel

extension Routes {
    static let incidentList = Route(
        method: .get, template: "/v1/incidents", operation: "listIncidents",
        summary: "Incidents, the newest first; those that are not closed unless a state is named",
        queryParameters: [
            .init(name: "state", schema: .choice(["all"] + IncidentState.allCases.map(\.rawValue)), note: ""),
            .init(name: "service", schema: .choice(Service.allCases.map(\.rawValue)), note: ""),
            .init(name: "terminal", schema: .terminal, note: ""),
            .init(name: "person", schema: .identifier, note: ""),
            .init(name: "after", schema: .incident, note: "the `next` of the page before"), limit,
        ],
        responses: [.json(200, "A page of incidents.", Shapes.incidentPage)]
    ) { input, operations in
        var query = IncidentQuery()
        switch input.query["state"] {
        case nil: query.states = Set(IncidentState.allCases.filter(\.isOpen))
        case "all": query.states = Set(IncidentState.allCases)
        case .some(let state): query.states = Set([IncidentState(rawValue: state)].compactMap(\.self))
        }
        query.service = input.query["service"].flatMap(Service.init(rawValue:))
        query.terminal = input.query["terminal"].flatMap { TerminalID($0) }
        query.person = input.query["person"]
        query.after = input.query["after"].flatMap { IncidentID($0) }
        query.limit = input.integer("limit", default: 100)
        return try .json(await operations.incidents(query))
    }

    static let incidentGet = Route(
        method: .get, template: "/v1/incidents/{incident}", operation: "getIncident",
        summary: "One incident with its whole timeline and evidence", pathParameters: [incidentParameter],
        responses: [.json(200, "The incident.", Shapes.incidentDetail), .problem(404, "There is no such incident.")]
    ) { input, operations in
        let id = try incidentID(input)
        guard let detail = try await operations.incident(id) else { throw Problem.notFound("incident \(id)") }
        return try .json(detail)
    }

    static let incidentAcknowledge = action(
        "acknowledge", "acknowledgeIncident", "A human has taken over: the ladder and the siren stop",
        Shapes.acknowledge
    ) { .acknowledge(reason: $0.reason ?? "") }

    static let incidentAssign = action(
        "assign", "assignIncident", "Says whose terminal an unidentified incident came from", Shapes.assignIncident
    ) { .assign(person: $0.person ?? "") }

    static let incidentClose = action(
        "close", "closeIncident", "Ends the incident; only a human does that", Shapes.close
    ) { .close(disposition: $0.disposition ?? "", reason: $0.reason ?? "") }

    static let incidentHandover = action(
        "handover", "handOverIncident", "Gives the incident to somebody else, with or without a time limit",
        Shapes.handover
    ) {
        .handOver(to: $0.to ?? "", dueAt: $0.dueAt.flatMap { Timestamp(rfc3339: $0) }, reason: $0.reason ?? "")
    }

    static let incidentReal = action(
        "real", "makeIncidentReal", "Says that an incident of a drill is an emergency: its ladder starts anew",
        Shapes.real
    ) { .makeReal(reason: $0.reason ?? "") }

    static let incidentNote = action(
        "note", "noteIncident", "Adds a line to the timeline", Shapes.note
    ) { .note(text: $0.text ?? "") }

    private static func action(
        _ verb: String, _ operation: String, _ summary: String, _ shape: Schema,
        _ make: @escaping @Sendable (IncidentActionRequest) -> OperatorAction
    ) -> Route {
        Route(
            method: .post, template: "/v1/incidents/{incident}/\(verb)", operation: operation, summary: summary,
            pathParameters: [incidentParameter], body: .json(shape),
            responses: [
                .json(200, "The incident afterwards.", Shapes.incident),
                .problem(404, "There is no such incident."),
                .problem(409, "The state of the incident does not allow this."),
            ]
        ) { input, operations in
            let request = try input.decode(IncidentActionRequest.self)
            let id = try incidentID(input)
            return try .json(await operations.act(make(request), on: id, by: actor(request.operator, input)))
        }
    }
}
