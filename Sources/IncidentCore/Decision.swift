public import TerminalModel

/// One line of an incident's history: who, when, why.
public struct TimelineEntry: Sendable, Equatable, Codable {
    public enum Kind: String, Sendable, Codable, CaseIterable {
        case opened
        /// A retransmission, a held bit, a better position or the same press over another bearer.
        case attached
        case raisedAgain = "raised_again"
        /// The terminal says that it is over; only a human closes (promise P4).
        case cancelClaimed = "cancel_claimed"
        case notified
        case acknowledged
        case handedOver = "handed_over"
        case closed
        /// What was handed over is due soon.
        case reminder
        /// What was handed over is overdue: attention is raised again.
        case overdue
        case note
        case ladderStep = "ladder_step"
        /// A step is due and waits for the end of the policy's quiet hours.
        case waits
        /// A target that was left out of a step, and why (not commissioned, no consent, trust, late).
        case withheld
        case attempt
        case accepted
        case gaveUp = "gave_up"
        case command
        case assigned
        case notDurable = "not_durable"
    }

    public var at: Timestamp
    public var kind: Kind
    /// The operator, target or terminal that acted.
    public var actor: String
    public var detail: String

    public init(at: Timestamp, kind: Kind, actor: String, detail: String) {
        self.at = at
        self.kind = kind
        self.actor = actor
        self.detail = detail
    }
}

/// A fact about an incident that some targets must hear, complete in itself: channels render it, the outbox keeps it.
public struct Notice: Sendable, Equatable, Codable {
    public enum Kind: String, Sendable, Codable, CaseIterable {
        case opened = "incident.opened"
        case updated = "incident.updated"
        case escalated = "incident.escalated"
        case acknowledged = "incident.acknowledged"
        case handedOver = "incident.handed_over"
        case cancelled = "incident.cancelled"
        /// What was handed over is due soon.
        case due = "incident.due"
        case closed = "incident.closed"
    }

    public var kind: Kind
    /// When it happened.
    public var at: Timestamp
    /// The incident as it was then; its `lastEventNumber` is the number of this fact.
    public var incident: Incident
    public var person: Person?
    /// Ladder round and step that produced it; 0 and 0 for facts outside the ladder.
    public var round: Int
    public var step: Int
    /// False while the incident could not be written to disk yet (promise P1).
    public var durable: Bool

    public init(
        kind: Kind, at: Timestamp, incident: Incident, person: Person?, round: Int = 0, step: Int = 0,
        durable: Bool = true
    ) {
        self.kind = kind
        self.at = at
        self.incident = incident
        self.person = person
        self.round = round
        self.step = step
        self.durable = durable
    }

    /// The event's name for receivers: the same for every retry and every target.
    public var identifier: String {
        "inc_\(incident.id)_\(incident.lastEventNumber)"
    }
}

/// The bytes and words an incident was opened or changed by.
public struct Evidence: Sendable, Equatable {
    public var at: Timestamp
    public var protocolName: ProtocolName
    public var peer: String
    public var bearer: Bearer
    /// The frame as it came from the wire.
    public var frame: [UInt8]
    /// The decoded event as JSON.
    public var event: String

    public init(
        at: Timestamp, protocolName: ProtocolName, peer: String, bearer: Bearer, frame: [UInt8], event: String
    ) {
        self.at = at
        self.protocolName = protocolName
        self.peer = peer
        self.bearer = bearer
        self.frame = frame
        self.event = event
    }
}

/// Everything about one incident that must be stored in one transaction.
public struct IncidentChange: Sendable, Equatable {
    /// The incident after the change.
    public var incident: Incident
    public var entries: [TimelineEntry]
    public var evidence: Evidence?
    /// Notices with the names of the targets that must get each: one outbox row a target.
    public var deliveries: [Delivery]

    public struct Delivery: Sendable, Equatable {
        public var notice: Notice
        public var targets: [String]

        public init(notice: Notice, targets: [String]) {
            self.notice = notice
            self.targets = targets
        }
    }

    public init(
        incident: Incident, entries: [TimelineEntry] = [], evidence: Evidence? = nil, deliveries: [Delivery] = []
    ) {
        self.incident = incident
        self.entries = entries
        self.evidence = evidence
        self.deliveries = deliveries
    }
}

/// What the engine decided on one input; empty when nothing changes.
public struct Decision: Sendable, Equatable {
    public var changes: [IncidentChange] = []
    /// Things to say to terminals.
    public var commands: [Order] = []

    public struct Order: Sendable, Equatable {
        public var terminal: TerminalID
        public var command: TerminalCommand
        public var incident: IncidentID?
        /// How long it is worth sending; nil: as long as all orders of the gateway.
        public var lifetimeSeconds: Int?

        public init(
            terminal: TerminalID, command: TerminalCommand, incident: IncidentID?, lifetimeSeconds: Int? = nil
        ) {
            self.terminal = terminal
            self.command = command
            self.incident = incident
            self.lifetimeSeconds = lifetimeSeconds
        }
    }

    public init() {}

    public var isEmpty: Bool { changes.isEmpty && commands.isEmpty }
}

/// What a human does to an incident.
public enum OperatorAction: Sendable, Equatable {
    case acknowledge(reason: String)
    case note(text: String)
    case handOver(to: String, dueAt: Timestamp?, reason: String)
    case close(disposition: String, reason: String)
    /// Says whose terminal an unidentified incident came from.
    case assign(person: String)
    /// Says that what began in a drill is an emergency: its ladder starts anew, with the emergency services.
    case makeReal(reason: String)
}

/// Who acts: the id that was claimed and the Unix user at the other end of the socket.
public struct Operator: Sendable, Equatable {
    public var id: String
    public var unixUser: String

    public init(id: String, unixUser: String) {
        self.id = id
        self.unixUser = unixUser
    }
}
