public import IncidentCore
public import IncidentStore
public import TerminalModel

/// How the pipeline is, for the status page and the watchdog.
public struct PipelineHealth: Sendable, Equatable {
    /// Writing of incidents fails: nothing is acknowledged, alarms go out marked as not durable.
    public var incidentFailure: StoreFailure?
    /// Writing of positions fails: they are not acknowledged.
    public var trackFailure: StoreFailure?
    /// Writing of messages and last words fails: messages are not acknowledged.
    public var messageFailure: StoreFailure?
    /// The room on the disk; nil when nobody watches it.
    public var space: DiskSpace?
    public var queues: [QueueHealth]
    public var targets: [TargetHealth]
    /// Damaged files that were moved out of the way and wait for somebody to look.
    public var setAside: [SetAsideFile]
    /// Services that never had an open incident since the start may be missing.
    public var incidents: [Service: IncidentCounts]
    /// Emergencies that no target has accepted in some attempts, and since when that is so.
    public var unheardEmergencies: Int
    public var unheardSince: Timestamp?
    /// Turns of each thread; one that stands still hangs.
    public var liveness: [ThreadLiveness]

    public var openIncidents: Int { incidents.values.reduce(0) { $0 + $1.open } }
    public var unacknowledgedIncidents: Int { incidents.values.reduce(0) { $0 + $1.unacknowledged } }

    /// No store error, and every target with waiting notices has a channel.
    public var isWell: Bool {
        incidentFailure == nil && trackFailure == nil && messageFailure == nil
            && targets.allSatisfy { $0.hasChannel || $0.waiting == 0 }
    }
}

/// How many incidents of one service are open, and how many of those wait for a human.
public struct IncidentCounts: Sendable, Equatable {
    public var open = 0
    public var unacknowledged = 0

    public init() {}
}

/// A store that cannot be written now.
public struct StoreFailure: Sendable, Equatable {
    public var code: StoreError.Code
    public var message: String
    public var since: Timestamp
    /// What waits in memory to be written in order.
    public var pending: Int
    /// The incidents whose present state is not on the disk.
    public var incidents = 0
}

/// A bounded queue: how full it is and what it had to refuse since the start.
public struct QueueHealth: Sendable, Equatable {
    public var name: String
    public var depth: Int
    public var limit: Int
    public var dropped: UInt64
}

/// How one target stands.
public struct TargetHealth: Sendable, Equatable {
    public var target: String
    public var hasChannel: Bool
    public var waiting: Int
    public var inFlight: Int
    public var lastAcceptedAt: Timestamp?
    public var lastFailure: String?
    public var failuresInARow: Int
    /// Notices for which there was no room in memory; they stay in the database.
    public var overflowed: UInt64
}

/// The turns that one thread has made.
public struct ThreadLiveness: Sendable, Equatable {
    public var thread: String
    public var turns: UInt64
    /// It waits for the disk: standing still, it does not hang by itself, and the gateway escalates without it.
    public var isAtTheDisk: Bool
}
