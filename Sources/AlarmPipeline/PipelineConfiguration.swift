public import IncidentCore
import TerminalModel

/// When an ordinary position may be acknowledged.
public enum PositionPolicy: String, Sendable, CaseIterable {
    /// After it is on the disk.
    case stored
    /// As soon as the pipeline has it; a crash may lose what was not written yet. Alarms are never acknowledged so.
    case received
}

/// Everything the pipeline is told at the start. Rules and channels can be replaced while it runs.
public struct PipelineConfiguration: Sendable {
    public var rules: IncidentRules
    public var positionPolicy: PositionPolicy
    /// 0...1000: how long a busy writer of positions or messages waits at least for more to commit together. Idle, it
    /// never waits; the writer of incidents never does.
    public var positionWindowMilliseconds: Int
    /// Boot id of the kernel: says whether monotonic deadlines of the last run still mean anything.
    public var bootID: String
    /// How often terminals' last words are written.
    public var stateFlushMilliseconds: Int
    /// How long the engine's own orders to a terminal (confirm, spoken text, locate) are worth sending.
    public var orderLifetimeSeconds: Int
    /// A commit that lasts longer than this counts as failing: notices that wait for it go out as not durable.
    public var stalledCommitMilliseconds: Int
    public var queueLimits: QueueLimits
    public var makeID: @Sendable () -> IncidentID
    /// A factor from 0.8 to 1.2 for pauses between attempts.
    public var jitter: @Sendable () -> Double

    /// Bounds of what waits in memory; see the named queues in `PipelineHealth`.
    public struct QueueLimits: Sendable, Equatable {
        public var positions = 40_000
        public var alarms = 20_000
        /// Room above `alarms` that only life-safety reports use.
        public var reservedForLifeSafety = 100_000
        /// Decisions kept while the store fails.
        public var pendingDecisions = 50_000
        /// Positions that wait for the disk.
        public var pendingPositions = 100_000
        /// Messages that wait for the disk; each may hold a picture of a quarter of a megabyte.
        public var messages = 256
        /// Notices waiting for one target.
        public var noticesPerTarget = 20_000
        /// Attempts under way to one target.
        public var attemptsPerTarget = 8
        public var commandsPerTerminal = 32
        public var commands = 200_000

        public init() {}
    }

    public init(rules: IncidentRules, bootID: String) {
        self.rules = rules
        self.positionPolicy = .stored
        self.positionWindowMilliseconds = 5
        self.bootID = bootID
        self.stateFlushMilliseconds = 3000
        self.orderLifetimeSeconds = 600
        self.stalledCommitMilliseconds = 2000
        self.queueLimits = QueueLimits()
        self.makeID = { IncidentID(rawValue: .random(in: .min ... .max)) }
        self.jitter = { .random(in: 0.8...1.2) }
    }
}
