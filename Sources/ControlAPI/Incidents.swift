public import TerminalModel

/// An incident as operators see it.
public struct IncidentView: Sendable, Equatable, Codable {
    public var id: String
    public var service: String
    public var state: String
    public var terminal: String
    public var person: String?
    public var personName: String?
    public var trust: String
    public var causes: [String]
    public var keys: [Int]
    public var fence: String?
    public var openedAt: Timestamp
    public var deviceTime: Timestamp?
    public var late: Bool
    /// True for one that began in a drill; absent for a real one.
    public var isDrill: Bool?
    /// True for a test press of one person; such a one is a drill as well.
    public var isTest: Bool?
    public var position: PositionView?
    public var presses: Int
    /// The most terminals that an incident of many stood for.
    public var affected: Int?
    public var acknowledgedBy: String?
    public var acknowledgedAt: Timestamp?
    public var owner: String?
    public var dueAt: Timestamp?
    public var closedAt: Timestamp?
    public var disposition: String?

    enum CodingKeys: String, CodingKey {
        case id, service, state, terminal, person, trust, causes, keys, fence, late, position, presses, owner
        case disposition
        case isDrill = "drill"
        case isTest = "test_press"
        case affected = "affected_terminals"
        case personName = "person_name"
        case openedAt = "opened_at"
        case deviceTime = "device_time"
        case acknowledgedBy = "acknowledged_by"
        case acknowledgedAt = "acknowledged_at"
        case dueAt = "due_at"
        case closedAt = "closed_at"
    }

    public init(
        id: String, service: String, state: String, terminal: String, trust: String, causes: [String],
        openedAt: Timestamp, late: Bool = false, presses: Int = 1
    ) {
        self.id = id
        self.service = service
        self.state = state
        self.terminal = terminal
        self.trust = trust
        self.causes = causes
        self.keys = []
        self.openedAt = openedAt
        self.late = late
        self.presses = presses
    }
}

/// A place in WGS-84 with the time of its fix.
public struct PositionView: Sendable, Equatable, Codable {
    public var latitude: Double
    public var longitude: Double
    public var accuracyMetres: Int?
    public var valid: Bool
    public var source: String
    public var fixTime: Timestamp

    enum CodingKeys: String, CodingKey {
        case latitude, longitude, valid, source
        case accuracyMetres = "accuracy_m"
        case fixTime = "fix_time"
    }

    public init(
        latitude: Double, longitude: Double, accuracyMetres: Int?, valid: Bool, source: String, fixTime: Timestamp
    ) {
        self.latitude = latitude
        self.longitude = longitude
        self.accuracyMetres = accuracyMetres
        self.valid = valid
        self.source = source
        self.fixTime = fixTime
    }
}

/// Incidents, the newest first.
public struct IncidentPage: Sendable, Equatable, Codable {
    public var incidents: [IncidentView]
    public var next: String?

    public init(incidents: [IncidentView], next: String?) {
        self.incidents = incidents
        self.next = next
    }
}

public struct TimelineView: Sendable, Equatable, Codable {
    public var at: Timestamp
    public var kind: String
    public var actor: String
    public var detail: String

    public init(at: Timestamp, kind: String, actor: String, detail: String) {
        self.at = at
        self.kind = kind
        self.actor = actor
        self.detail = detail
    }
}

/// The bytes and words that an incident was opened or changed by.
public struct EvidenceView: Sendable, Equatable, Codable {
    public var at: Timestamp
    public var protocolName: String
    public var peer: String
    public var bearer: String
    /// Lower-case hexadecimal.
    public var frame: String
    public var event: JSONTree

    enum CodingKeys: String, CodingKey {
        case at, peer, bearer, frame, event
        case protocolName = "protocol"
    }

    public init(at: Timestamp, protocolName: String, peer: String, bearer: String, frame: String, event: JSONTree) {
        self.at = at
        self.protocolName = protocolName
        self.peer = peer
        self.bearer = bearer
        self.frame = frame
        self.event = event
    }
}

/// `GET /v1/incidents/{incident}`
public struct IncidentDetail: Sendable, Equatable, Codable {
    public var incident: IncidentView
    public var person: PersonCard?
    public var timeline: [TimelineView]
    public var evidence: [EvidenceView]

    public init(incident: IncidentView, person: PersonCard?, timeline: [TimelineView], evidence: [EvidenceView]) {
        self.incident = incident
        self.person = person
        self.timeline = timeline
        self.evidence = evidence
    }
}

/// The bodies of `POST /v1/incidents/{incident}/…`; which members are needed differs by action.
public struct IncidentActionRequest: Sendable, Equatable, Codable {
    public var `operator`: String
    public var reason: String?
    public var text: String?
    public var to: String?
    public var dueAt: String?
    public var disposition: String?
    public var person: String?

    enum CodingKeys: String, CodingKey {
        case `operator`, reason, text, to, disposition, person
        case dueAt = "due_at"
    }

    public init(operator id: String) {
        self.operator = id
    }
}
