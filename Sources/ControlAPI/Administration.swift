public import TerminalModel

/// `GET /v1/status`
public struct GatewayStatus: Sendable, Equatable, Codable {
    public var name: String
    public var version: String
    public var startedAt: Timestamp
    public var now: Timestamp
    /// True while everything that an alarm needs works.
    public var healthy: Bool
    /// True once terminals are answered.
    public var ready: Bool
    public var commissioned: Bool
    /// The drill that is on.
    public var drill: DrillView?
    public var terminalsKnown: Int
    public var terminalsOnline: Int
    /// `open`: all that are not closed; `unacknowledged`: those of them that wait for a human.
    public var incidents: [String: Int]
    /// Incidents that are escalated but not on disk.
    public var notDurable: Int
    public var outboxPending: Int
    /// What is wrong now, each with a stable code and what to do.
    public var faults: [Fault]

    public struct Fault: Sendable, Equatable, Codable {
        public var code: String
        public var detail: String
        public var since: Timestamp

        public init(code: String, detail: String, since: Timestamp) {
            self.code = code
            self.detail = detail
            self.since = since
        }
    }

    enum CodingKeys: String, CodingKey {
        case name, version, now, healthy, ready, commissioned, drill, incidents, faults
        case startedAt = "started_at"
        case terminalsKnown = "terminals_known"
        case terminalsOnline = "terminals_online"
        case notDurable = "not_durable"
        case outboxPending = "outbox_pending"
    }

    public init(name: String, version: String, startedAt: Timestamp, now: Timestamp) {
        self.name = name
        self.version = version
        self.startedAt = startedAt
        self.now = now
        self.healthy = true
        self.ready = true
        self.commissioned = false
        self.terminalsKnown = 0
        self.terminalsOnline = 0
        self.incidents = [:]
        self.notDurable = 0
        self.outboxPending = 0
        self.faults = []
    }
}

/// What an import did with each row.
public struct ImportReport: Sendable, Equatable, Codable {
    public var stored: Int
    public var rejected: Int
    /// Rows that were not stored, in the order of the file.
    public var faults: [Row]

    public struct Row: Sendable, Equatable, Codable {
        /// The line of the file on which the row begins, 1 is the first; for GeoJSON the number of the feature.
        public var line: Int
        public var column: String
        public var found: String
        public var allowed: String

        public init(line: Int, column: String, found: String, allowed: String) {
            self.line = line
            self.column = column
            self.found = found
            self.allowed = allowed
        }
    }

    public init(stored: Int, rejected: Int, faults: [Row]) {
        self.stored = stored
        self.rejected = rejected
        self.faults = faults
    }
}

/// `POST /v1/backup`
public struct BackupRequest: Sendable, Equatable, Codable {
    public var `operator`: String

    public init(operator id: String) {
        self.operator = id
    }
}

public struct BackupReport: Sendable, Equatable, Codable {
    /// The directory that holds the copy, on the gateway's machine.
    public var directory: String

    public init(directory: String) {
        self.directory = directory
    }
}

/// `POST /v1/commission`: the explicit, logged act after which emergency services may be alarmed.
public struct CommissionRequest: Sendable, Equatable, Codable {
    public var `operator`: String
    public var reason: String
    /// False takes the site out of service again; absent means true.
    public var commissioned: Bool?

    public init(operator id: String, reason: String, commissioned: Bool? = nil) {
        self.operator = id
        self.reason = reason
        self.commissioned = commissioned
    }
}

public struct CommissionReport: Sendable, Equatable, Codable {
    public var commissioned: Bool

    public init(commissioned: Bool) {
        self.commissioned = commissioned
    }
}

/// A time in which what people press is an exercise.
public struct DrillView: Sendable, Equatable, Codable {
    public var startedBy: String
    public var startedAt: Timestamp
    public var until: Timestamp
    /// Only people of this group take part; absent: everybody with a card.
    public var group: String?

    enum CodingKeys: String, CodingKey {
        case until, group
        case startedBy = "started_by"
        case startedAt = "started_at"
    }

    public init(startedBy: String, startedAt: Timestamp, until: Timestamp, group: String?) {
        self.startedBy = startedBy
        self.startedAt = startedAt
        self.until = until
        self.group = group
    }
}

/// `POST /v1/drill`: begins one, in place of one that is on, or ends it.
public struct DrillRequest: Sendable, Equatable, Codable {
    public var `operator`: String
    /// 0 ends the drill that is on.
    public var minutes: Int
    public var group: String?

    public init(operator id: String, minutes: Int, group: String? = nil) {
        self.operator = id
        self.minutes = minutes
        self.group = group
    }
}

public struct DrillReport: Sendable, Equatable, Codable {
    /// Absent when none is on.
    public var drill: DrillView?

    public init(drill: DrillView?) {
        self.drill = drill
    }
}

/// `POST /v1/siren/test`
public struct SirenTestRequest: Sendable, Equatable, Codable {
    public var `operator`: String

    public init(operator id: String) {
        self.operator = id
    }
}

/// How a self-test of the siren ended.
public struct SirenTestReport: Sendable, Equatable, Codable {
    public var at: Timestamp
    /// The outputs that the siren program drives.
    public var outputs: [String]
    /// Empty when every output could be heard.
    public var failures: [String]

    public init(at: Timestamp, outputs: [String], failures: [String]) {
        self.at = at
        self.outputs = outputs
        self.failures = failures
    }
}
