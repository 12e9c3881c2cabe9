public import TerminalModel

/// What is known of a terminal now.
public struct TerminalView: Sendable, Equatable, Codable {
    public var terminal: String
    public var person: String?
    public var personName: String?
    public var model: String
    public var utcOffsetMinutes: Int
    public var trustByID: Bool
    /// True when the site listed it or it has registered.
    public var known: Bool
    public var online: Bool
    /// `tcp`, `udp` or `serial` while it is online.
    public var bearer: String?
    public var peer: String?
    public var onlineSince: Timestamp?
    public var lastSeen: Timestamp?
    /// The last event that said more than "I am here", in the common form of all tools.
    public var lastEvent: JSONTree?

    enum CodingKeys: String, CodingKey {
        case terminal, person, model, known, online, bearer, peer
        case personName = "person_name"
        case utcOffsetMinutes = "utc_offset_minutes"
        case trustByID = "trust_by_id"
        case onlineSince = "online_since"
        case lastSeen = "last_seen"
        case lastEvent = "last_event"
    }

    public init(
        terminal: String, person: String? = nil, personName: String? = nil, model: String = "",
        utcOffsetMinutes: Int = 480, trustByID: Bool = false, known: Bool = true, online: Bool = false
    ) {
        self.terminal = terminal
        self.person = person
        self.personName = personName
        self.model = model
        self.utcOffsetMinutes = utcOffsetMinutes
        self.trustByID = trustByID
        self.known = known
        self.online = online
    }
}

/// Terminals in the order of their ids.
public struct TerminalPage: Sendable, Equatable, Codable {
    public var terminals: [TerminalView]
    public var next: String?

    public init(terminals: [TerminalView], next: String?) {
        self.terminals = terminals
        self.next = next
    }
}

/// `PUT /v1/terminals/{terminal}/assignment`
public struct AssignmentRequest: Sendable, Equatable, Codable {
    public var `operator`: String
    /// nil takes the terminal away from its person.
    public var person: String?
    public var model: String?
    public var utcOffsetMinutes: Int?
    public var trustByID: Bool?

    enum CodingKeys: String, CodingKey {
        case `operator`, person, model
        case utcOffsetMinutes = "utc_offset_minutes"
        case trustByID = "trust_by_id"
    }

    public init(
        operator id: String, person: String?, model: String? = nil, utcOffsetMinutes: Int? = nil,
        trustByID: Bool? = nil
    ) {
        self.operator = id
        self.person = person
        self.model = model
        self.utcOffsetMinutes = utcOffsetMinutes
        self.trustByID = trustByID
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.operator, forKey: .operator)
        try container.encode(person, forKey: .person)
        try container.encodeIfPresent(model, forKey: .model)
        try container.encodeIfPresent(utcOffsetMinutes, forKey: .utcOffsetMinutes)
        try container.encodeIfPresent(trustByID, forKey: .trustByID)
    }
}

/// One stored position of a track: WGS-84.
public struct TrackPoint: Sendable, Equatable, Codable {
    /// When the gateway had read it.
    public var at: Timestamp
    public var deviceTime: Timestamp?
    public var latitude: Double
    public var longitude: Double
    public var valid: Bool
    public var accuracyMetres: Int?
    public var speedKilometresPerHour: Double?
    public var courseDegrees: Int?

    enum CodingKeys: String, CodingKey {
        case at, latitude, longitude, valid
        case deviceTime = "device_time"
        case accuracyMetres = "accuracy_m"
        case speedKilometresPerHour = "speed_kmh"
        case courseDegrees = "course_deg"
    }

    public init(at: Timestamp, latitude: Double, longitude: Double, valid: Bool) {
        self.at = at
        self.latitude = latitude
        self.longitude = longitude
        self.valid = valid
    }
}

/// `GET /v1/terminals/{terminal}/track`
public struct Track: Sendable, Equatable, Codable {
    public var terminal: String
    public var points: [TrackPoint]
    /// True when there were more than `limit` points: these are the newest, ask again up to the time of the first one.
    public var truncated: Bool

    public init(terminal: String, points: [TrackPoint], truncated: Bool) {
        self.terminal = terminal
        self.points = points
        self.truncated = truncated
    }
}

/// `POST /v1/terminals/{terminal}/commands`
public struct CommandRequest: Sendable, Equatable, Codable {
    public var `operator`: String
    /// `locate`, `message`, `call-back`, `report-interval`, `track`, `find`, `set-numbers`, `fall-detection`, `restart` or
    /// `power-off`.
    public var command: String
    public var text: String?
    public var urgent: Bool?
    public var number: String?
    public var listen: Bool?
    public var seconds: Int?
    public var intervalSeconds: Int?
    public var durationSeconds: Int?
    /// `sos`, `centre`, `family` or `monitor`.
    public var purpose: String?
    /// None takes the stored numbers away.
    public var numbers: [String]?
    public var enabled: Bool?
    public var expiresSeconds: Int?

    enum CodingKeys: String, CodingKey {
        case `operator`, command, text, urgent, number, listen, seconds, purpose, numbers, enabled
        case intervalSeconds = "interval_seconds"
        case durationSeconds = "duration_seconds"
        case expiresSeconds = "expires_seconds"
    }

    public init(operator id: String, command: String) {
        self.operator = id
        self.command = command
    }
}

/// A command with what has become of it.
public struct CommandView: Sendable, Equatable, Codable {
    public var id: Int
    public var terminal: String
    public var command: String
    public var incident: String?
    public var by: String
    public var createdAt: Timestamp
    public var expiresAt: Timestamp
    /// `queued`, `sent`, `confirmed`, `failed` or `expired`.
    public var outcome: String
    public var reason: String?
    public var updatedAt: Timestamp

    enum CodingKeys: String, CodingKey {
        case id, terminal, command, incident, by, outcome, reason
        case createdAt = "created_at"
        case expiresAt = "expires_at"
        case updatedAt = "updated_at"
    }

    public init(
        id: Int, terminal: String, command: String, incident: String? = nil, by: String, createdAt: Timestamp,
        expiresAt: Timestamp, outcome: String, reason: String? = nil, updatedAt: Timestamp
    ) {
        self.id = id
        self.terminal = terminal
        self.command = command
        self.incident = incident
        self.by = by
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.outcome = outcome
        self.reason = reason
        self.updatedAt = updatedAt
    }
}

public struct CommandList: Sendable, Equatable, Codable {
    public var commands: [CommandView]

    public init(commands: [CommandView]) {
        self.commands = commands
    }
}
