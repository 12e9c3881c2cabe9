public import IncidentStore
public import TerminalModel

/// How the pipeline is, for the status page and the watchdog.
public struct PipelineHealth: Sendable, Equatable {
    /// Writing of incidents fails: nothing is acknowledged, alarms go out marked as not durable.
    public var incidentFailure: StoreFailure?
    /// Writing of positions fails: they are not acknowledged.
    public var trackFailure: StoreFailure?
    public var queues: [QueueHealth]
    public var targets: [TargetHealth]
    /// Damaged files that were moved out of the way and wait for somebody to look.
    public var setAside: [SetAsideFile]
    public var openIncidents: Int
    public var unacknowledgedIncidents: Int
    /// Turns of each thread; one that stands still hangs.
    public var liveness: [ThreadLiveness]

    /// No store error, and every target with waiting notices has a channel.
    public var isWell: Bool {
        incidentFailure == nil && trackFailure == nil && targets.allSatisfy { $0.hasChannel || $0.waiting == 0 }
    }
}

/// A store that cannot be written now.
public struct StoreFailure: Sendable, Equatable {
    public var code: StoreError.Code
    public var message: String
    public var since: Timestamp
    /// What waits in memory to be written in order.
    public var pending: Int
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
}
