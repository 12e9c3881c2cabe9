public import Geofencing
public import IncidentCore
public import TerminalModel

/// One thing to remember; any number of them make one transaction, in their order.
public enum StoreWrite: Sendable {
    /// The incident after a change, its timeline, evidence, notices and outbox rows.
    case change(IncidentChange)
    case attempt(DeliveryAttempt)
    /// A human has taken over: attempts to raise the alarm that are still waiting end here.
    case stopRaising(IncidentID)
    case command(CommandRecord)
    case commandOutcome(id: Int64, CommandOutcome, at: Timestamp)
    case registration(TerminalRegistration)
    /// The code with this digest was used: every other code of the terminal is void.
    case authenticated(TerminalID, digest: [UInt8])
    case assignment(TerminalAssignment, at: Timestamp)
    case removeTerminal(TerminalID, at: Timestamp)
    case person(Person)
    /// Removes the card only; see `IncidentStore.erase(person:)` for everything that is known of a person.
    case removePerson(String)
    case fence(FenceRecord)
    case removeFence(String)
    case fenceState(FenceStateRecord)
    /// nil removes the setting.
    case setting(key: String, value: String?)
    /// nil takes the announcement of a person's test press back.
    case testWindow(TestWindow?, person: String, at: Timestamp)
    case audit(AuditEntry)
    case care(CareRecord)
    /// Settled reminders that were due before leave.
    case removeCare(before: Timestamp)
}

/// How one try to hand a notice to one target ended, and what follows for the outbox row.
public struct DeliveryAttempt: Sendable, Equatable {
    /// How the outbox row stands afterwards.
    public enum RowState: String, Sendable, CaseIterable {
        case pending
        case accepted
        case gaveUp = "gave_up"
        /// A human took over before the target had accepted.
        case stopped
    }

    /// The notice's identifier.
    public var event: String
    public var incident: IncidentID
    public var target: String
    /// 1 for the first.
    public var attempt: Int
    public var startedAt: Timestamp
    public var endedAt: Timestamp
    /// `accepted`, `retry` or `gave_up`.
    public var outcome: String
    public var evidence: String
    public var state: RowState
    public var nextAttemptAt: Timestamp

    public init(
        event: String, incident: IncidentID, target: String, attempt: Int, startedAt: Timestamp, endedAt: Timestamp,
        outcome: String, evidence: String, state: RowState, nextAttemptAt: Timestamp
    ) {
        self.event = event
        self.incident = incident
        self.target = target
        self.attempt = attempt
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.outcome = outcome
        self.evidence = evidence
        self.state = state
        self.nextAttemptAt = nextAttemptAt
    }
}

/// A command to a terminal with its state.
public struct CommandRecord: Sendable, Equatable, Identifiable {
    /// Given by the pipeline, rising.
    public var id: Int64
    public var terminal: TerminalID
    public var command: TerminalCommand
    public var incident: IncidentID?
    /// The operator, or `gateway` for the engine's own.
    public var by: String
    public var createdAt: Timestamp
    public var expiresAt: Timestamp
    public var outcome: CommandOutcome
    public var updatedAt: Timestamp

    public init(
        id: Int64, terminal: TerminalID, command: TerminalCommand, incident: IncidentID?, by: String,
        createdAt: Timestamp, expiresAt: Timestamp, outcome: CommandOutcome = .queued
    ) {
        self.id = id
        self.terminal = terminal
        self.command = command
        self.incident = incident
        self.by = by
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.outcome = outcome
        self.updatedAt = createdAt
    }
}

/// A fence as it was drawn, which people read, and as it is decided by, which a start reads.
public struct FenceRecord: Sendable, Equatable, Identifiable {
    public var plan: FencePlan
    public var json: String

    public var id: String { plan.id }

    public init(plan: FencePlan, json: String) {
        self.plan = plan
        self.json = json
    }
}

/// On which side of a fence a terminal is, and since when.
public struct FenceStateRecord: Sendable, Equatable {
    public var terminal: TerminalID
    public var fence: String
    public var isInside: Bool
    public var since: Timestamp

    public init(terminal: TerminalID, fence: String, isInside: Bool, since: Timestamp) {
        self.terminal = terminal
        self.fence = fence
        self.isInside = isInside
        self.since = since
    }
}

/// When a terminal was last heard and what it said; written in groups, some seconds late.
public struct TerminalStateRecord: Sendable, Equatable {
    public var terminal: TerminalID
    public var lastSeen: Timestamp
    /// The last event that said more than "I am here", as JSON; nil leaves the stored one.
    public var event: String?

    public init(terminal: TerminalID, lastSeen: Timestamp, event: String?) {
        self.terminal = terminal
        self.lastSeen = lastSeen
        self.event = event
    }
}

/// Something a terminal said that is neither a position nor an incident: an answer, text, data, a picture.
public struct MessageRecord: Sendable, Equatable {
    public var terminal: TerminalID
    public var received: Timestamp
    public var kind: EventKind
    /// The event as JSON.
    public var event: String
    /// Kept in a table of its own beside the event.
    public var media: MediaRecord?

    public init(
        terminal: TerminalID, received: Timestamp, kind: EventKind, event: String, media: MediaRecord? = nil
    ) {
        self.terminal = terminal
        self.received = received
        self.kind = kind
        self.event = event
        self.media = media
    }
}

/// A picture, sound or film; the numbers mean what the terminal's protocol says.
public struct MediaRecord: Sendable, Equatable {
    public var mediaID: UInt32
    public var type: UInt8
    public var format: UInt8
    public var eventCode: UInt8
    public var data: [UInt8]

    public init(mediaID: UInt32, type: UInt8, format: UInt8, eventCode: UInt8, data: [UInt8]) {
        self.mediaID = mediaID
        self.type = type
        self.format = format
        self.eventCode = eventCode
        self.data = data
    }
}

/// An act of a human that must be found again: commissioning, erasing, rules that were changed.
public struct AuditEntry: Sendable, Equatable {
    public var at: Timestamp
    public var actor: Operator
    public var action: String
    public var detail: String

    public init(at: Timestamp, actor: Operator, action: String, detail: String) {
        self.at = at
        self.actor = actor
        self.action = action
        self.detail = detail
    }
}
