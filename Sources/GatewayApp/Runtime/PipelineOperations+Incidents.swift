import AlarmPipeline
import ControlAPI
import IncidentCore
import IncidentStore
import TerminalModel

extension PipelineOperations {
    func incidents(_ query: IncidentQuery) async throws -> IncidentPage {
        try await answering {
            let filter = IncidentFilter(
                states: query.states.count == IncidentState.allCases.count ? nil : Array(query.states),
                service: query.service, terminal: query.terminal, person: query.person, after: query.after,
                limit: query.limit + 1)
            let found = try pipeline.store.incidents(filter)
            var names = NameCache(store: pipeline.store)
            let views = try found.prefix(query.limit).map { IncidentView($0, name: try names.name(of: $0.person)) }
            return IncidentPage(
                incidents: views, next: found.count > query.limit ? views.last?.id : nil)
        }
    }

    func incident(_ id: IncidentID) async throws -> IncidentDetail? {
        try await answering {
            guard let history = try pipeline.store.history(of: id) else { return nil }
            let person = try history.incident.person.flatMap { try pipeline.store.person($0) }
            return IncidentDetail(
                incident: IncidentView(history.incident, name: person?.name), person: person.map(PersonCard.init),
                timeline: history.timeline.map {
                    TimelineView(at: $0.at, kind: $0.kind.rawValue, actor: $0.actor, detail: $0.detail)
                },
                evidence: history.evidence.map(EvidenceView.init))
        }
    }

    func act(_ action: OperatorAction, on id: IncidentID, by actor: Operator) async throws -> IncidentView {
        try await answering {
            let incident = try await pipeline.operate(action, on: id, by: actor)
            let person = try incident.person.flatMap { try pipeline.store.person($0) }
            return IncidentView(incident, name: person?.name)
        }
    }
}

/// Looks each name up once for a page.
struct NameCache {
    private let store: IncidentStore
    private var names: [String: String] = [:]

    init(store: IncidentStore) {
        self.store = store
    }

    mutating func name(of person: String?) throws -> String? {
        guard let person else { return nil }
        if let name = names[person] { return name }
        let name = try store.person(person)?.name
        names[person] = name
        return name
    }
}

extension IncidentView {
    init(_ incident: Incident, name: String?) {
        self.init(
            id: incident.id.description, service: incident.service.rawValue, state: incident.state.rawValue,
            terminal: incident.terminal.description, trust: incident.trust.rawValue, causes: incident.causes,
            openedAt: incident.openedAt, late: incident.late, presses: incident.presses)
        person = incident.person
        personName = name
        isDrill = incident.isDrill
        isTest = incident.isTest ? true : nil
        affected = incident.affected
        keys = incident.keys
        fence = incident.fence
        deviceTime = incident.deviceTime
        position = incident.position.map {
            PositionView(
                latitude: $0.latitudeDegrees, longitude: $0.longitudeDegrees, accuracyMetres: $0.accuracyMetres,
                valid: $0.valid, source: $0.source.rawValue, fixTime: $0.fixTime)
        }
        acknowledgedBy = incident.acknowledgedBy
        acknowledgedAt = incident.acknowledgedAt
        owner = incident.owner
        dueAt = incident.dueAt
        closedAt = incident.closedAt
        disposition = incident.disposition
    }
}

extension EvidenceView {
    init(_ evidence: Evidence) {
        let digits = Array("0123456789abcdef".utf8)
        let hex = evidence.frame.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        self.init(
            at: evidence.at, protocolName: evidence.protocolName.rawValue, peer: evidence.peer,
            bearer: evidence.bearer.rawValue, frame: String(decoding: hex, as: UTF8.self),
            event: JSONTree(text: evidence.event))
    }
}

extension JSONTree {
    /// Our own JSON text as a tree; null when it cannot be read.
    init(text: String) {
        self = (try? JSONTree(parsing: .init(text.utf8))) ?? .null
    }
}
