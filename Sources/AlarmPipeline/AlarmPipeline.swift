import Foundation
import GatewayTelemetry
public import IncidentCore
public import IncidentStore
public import Logging
import Synchronization
public import TerminalModel

/// From decoded reports to stored incidents and delivered notices.
///
///     reactor threads -> IngestQueue -> DecisionLoop -> IncidentCommitter -> results to terminals
///                        (two lanes)    (rules, no I/O)  (group commit)  \-> OutboxPump -> channels
///                                                  \-> LaneCommitter  -> results to terminals
///                                                      (positions; messages)
///
/// Each box is one thread with a bounded queue in front of it. A result `stored` leaves only after the commit
/// (promise P1); a failing store stops results, never notices. Each lane has a file of its own, and those beside the
/// alarms' stand back from the disk while an alarm is being committed.
public final class AlarmPipeline: Sendable {
    public let store: IncidentStore
    public let tracks: TrackStore
    let clock: any PipelineClock
    let mailbox: Mailbox
    private let configuration: PipelineConfiguration
    private let loop: DecisionLoop
    private let committer: IncidentCommitter
    private let trackCommitter: LaneCommitter<TrackItem>
    private let messageCommitter: LaneCommitter<MessageEntry>
    private let upkeep: StoreUpkeep
    private let people: PeopleCache
    let pump: OutboxPump
    private let hub = EventHub()
    private let logger: Logger
    private let hasStopped = Mutex(false)

    /// Restores what the last run left: open incidents with their ladders, the outbox, waiting commands, terminals.
    ///
    /// - Parameters:
    ///   - directory: Filled here with all known terminals; the pipeline keeps it up to date.
    ///   - plane: Gets results and orders, on the pipeline's threads.
    ///   - channels: One for each target that can be reached.
    /// - Throws: SQLite's codes when the store cannot be read.
    public init(
        configuration: PipelineConfiguration, store: IncidentStore, tracks: TrackStore, directory: TerminalDirectory,
        plane: any TerminalPlane, channels: [any EscalationChannel], clock: any PipelineClock = SystemClock(),
        logger: Logger
    ) throws(StoreError) {
        self.configuration = configuration
        self.store = store
        self.tracks = tracks
        self.clock = clock
        self.logger = logger
        let now = clock.now()
        let restored = try Restoration(store, directory: directory, now: now)
        let waiting = restored.state.outbox
        for row in restored.state.unreadable {
            logger.error("A stored row cannot be read and is left out", metadata: .keyed([.errorDetail: "\(row)"]))
        }
        let limits = configuration.queueLimits
        let decisionThread = WorkerThread(name: "ydt-decide")
        let mailbox = Mailbox(bell: decisionThread.bell)
        self.mailbox = mailbox
        let hub = hub
        var pumpLimits = TargetQueue.Limits()
        pumpLimits.inFlight = limits.attemptsPerTarget
        pumpLimits.ordinaryInFlight = max(1, limits.attemptsPerTarget / 2)
        pumpLimits.queued = limits.noticesPerTarget
        let pump = OutboxPump(
            channels: channels, clock: clock, jitter: configuration.jitter, limits: pumpLimits, logger: logger
        ) { mailbox.post(.attempts($0)) }
        let precedence = AlarmPrecedence()
        let reserve = store.options.reserve
        var trackLimits = LaneCommitter<TrackItem>.Limits()
        trackLimits.busyMilliseconds = Int64(configuration.positionWindowMilliseconds)
        trackLimits.waiting = limits.pendingPositions
        let trackCommitter = LaneCommitter<TrackItem>(
            database: "tracks", precedence: precedence, clock: clock, limits: trackLimits, logger: logger,
            arrivalToCommit: GatewayMetric.positionToCommit.timer(),
            outlets: .init(
                write: { items throws(StoreError) in
                    try Self.checkRoom(reserve)
                    try tracks.write(items.count) { items[items.startIndex + $0].point }
                },
                results: { plane.deliver($0) }, hasRoom: { decisionThread.bell.ring() }))
        var messageLimits = LaneCommitter<MessageEntry>.Limits()
        messageLimits.busyMilliseconds = Int64(configuration.positionWindowMilliseconds)
        messageLimits.waiting = limits.messages
        messageLimits.kept = limits.messages
        let messageCommitter = LaneCommitter<MessageEntry>(
            database: "messages", precedence: precedence, clock: clock, limits: messageLimits, logger: logger,
            outlets: .init(
                write: { entries throws(StoreError) in
                    try Self.checkRoom(reserve)
                    try store.messages.write(entries.lazy.flatMap(\.writes))
                },
                results: { plane.deliver($0) }))
        var commitLimits = IncidentCommitter.Limits()
        commitLimits.pendingEntries = limits.pendingDecisions
        commitLimits.stalledMilliseconds = Int64(configuration.stalledCommitMilliseconds)
        let committer = IncidentCommitter(
            store: store, precedence: precedence, clock: clock, limits: commitLimits,
            outlets: .init(
                results: { plane.deliver($0) }, deliveries: { pump.add($0) }, takenOver: { pump.stopRaising($0) },
                track: { trackCommitter.add($0) },
                messages: { messageCommitter.add($0) }, events: { hub.publish($0) },
                rewrite: { mailbox.post(.rewrite($0)) }),
            logger: logger)
        let queue = IngestQueue(
            limits: .init(
                positions: limits.positions, alarms: limits.alarms,
                reservedForLifeSafety: limits.reservedForLifeSafety), bell: decisionThread.bell)
        let people = PeopleCache(store: store, logger: logger) { mailbox.post(.cardRead($0)) }
        self.people = people
        loop = DecisionLoop(
            thread: decisionThread, queue: queue, messages: mailbox,
            decider: Decider(
                configuration: configuration, restored: restored, people: people,
                directory: directory, hub: hub, logger: logger, now: now,
                readLastSeen: { Self.readLastSeen(store, mailbox, logger) }, post: { mailbox.post($0) }),
            clock: clock,
            outlets: .init(
                commit: { committer.add($0) }, results: { plane.deliver($0) }, track: { trackCommitter.add($0) },
                messages: { messageCommitter.add($0) }, roomForPositions: { trackCommitter.room },
                orders: { plane.deliver($0) }, takenOver: { pump.stopRaising($0) },
                tick: { committer.releaseStalled(now: $0) }))
        self.pump = pump
        self.trackCommitter = trackCommitter
        self.messageCommitter = messageCommitter
        upkeep = StoreUpkeep(store: store, precedence: precedence, clock: clock, logger: logger)
        self.committer = committer
        pump.add(waiting)
    }

    /// Terminals whose last reception is handed to the decision thread at once, so that no alarm waits long for it.
    private static let lastSeenPerMessage = 2000

    /// Reads on a thread of its own when terminals were last heard: silence is counted in minutes, alarms are not kept
    /// waiting for it.
    private static func readLastSeen(_ store: IncidentStore, _ mailbox: Mailbox, _ logger: Logger) {
        Thread {
            do throws(StoreError) {
                try store.forEachLastSeen(groupSize: lastSeenPerMessage) { seen in
                    mailbox.post(.request { decider, now in decider.heard(seen, now: now) })
                }
            } catch {
                logger.error(
                    "It cannot be read when terminals were last heard; silence counts from now on",
                    metadata: .keyed([.errorCode: "\(error.code.rawValue)", .errorDetail: "\(error.message)"]))
            }
        }.start()
    }

    /// What is left of a nearly full disk is for alarms.
    private static func checkRoom(_ reserve: DiskReserve?) throws(StoreError) {
        guard reserve?.isForAlarmsOnly == true else { return }
        throw StoreError(.diskFull, "what is left of the disk is kept for alarms")
    }

    /// Starts the threads; what the last run had not delivered goes out at once.
    public func start() {
        pump.start()
        upkeep.start()
        people.start()
        trackCommitter.start()
        messageCommitter.start()
        committer.start()
        loop.start()
    }

    /// Takes nothing more, decides and writes what it has, and ends its threads. What could not be delivered is in the
    /// outbox for the next start.
    public func stop() async {
        let isFirst = hasStopped.withLock { stopped in
            defer { stopped = true }
            return !stopped
        }
        guard isFirst else { return }
        await withCheckedContinuation { continuation in
            Thread { [self] in
                loop.stop()
                people.stop()
                pump.stop()
                // The pump's last reports are decided here no more: their rows are pending and are delivered again.
                committer.stop()
                trackCommitter.stop()
                messageCommitter.stop()
                upkeep.stop()
                hub.finish()
                continuation.resume()
            }.start()
        }
    }

    // MARK: Terminals

    /// Takes events from a reactor thread; never blocks.
    ///
    /// Items without room are answered `failed`; life-safety reports have room of their own.
    /// - Returns: how many items were taken.
    @discardableResult
    public func ingest(_ items: [IngestItem]) -> Int { loop.queue.add(items) }

    /// Wakes all threads to look at the clock, when a clock that was passed in has jumped.
    public func clockChanged() {
        for thread in threads { thread.bell.ring() }
    }

    // MARK: Watching

    /// Everything that happens from now on; a slow reader loses the newest events.
    public func subscribe() -> AsyncStream<PipelineEvent> { hub.subscribe() }

    /// The open life-safety incidents that wait for a human, for the siren; never waits for anything.
    public var lifeSafetyCalls: LifeSafetyCalls { loop.presentCounts.calls }

    public var health: PipelineHealth {
        let ingest = loop.queue.depth
        let commit = committer.depth
        let track = trackCommitter.depth
        let messages = messageCommitter.depth
        let limits = configuration.queueLimits
        let counts = loop.presentCounts
        return PipelineHealth(
            incidentFailure: committer.failure, trackFailure: trackCommitter.failure,
            messageFailure: messageCommitter.failure, space: store.options.reserve?.space,
            queues: [
                QueueHealth(
                    name: "ingest_alarms", depth: ingest.alarms,
                    limit: limits.alarms + limits.reservedForLifeSafety, dropped: ingest.refused),
                QueueHealth(name: "ingest_positions", depth: ingest.positions, limit: limits.positions, dropped: 0),
                QueueHealth(
                    name: "commit", depth: commit.waiting, limit: limits.pendingDecisions, dropped: commit.dropped),
                QueueHealth(
                    name: "tracks", depth: track.waiting, limit: limits.pendingPositions, dropped: track.dropped),
                QueueHealth(
                    name: "messages", depth: messages.waiting, limit: limits.messages, dropped: messages.dropped),
                QueueHealth(
                    name: "commands", depth: counts.commands, limit: limits.commands, dropped: 0),
                QueueHealth(name: "events", depth: 0, limit: EventHub.bufferedEvents, dropped: hub.dropped),
            ],
            targets: pump.health, setAside: store.setAside + tracks.setAside, incidents: counts.incidents,
            unheardEmergencies: counts.unheard, unheardSince: counts.unheardSince,
            liveness: threads.map {
                ThreadLiveness(thread: $0.name, turns: $0.liveness, isAtTheDisk: $0.isAtTheDisk)
            })
    }

    package var threads: [WorkerThread] {
        [
            loop.thread, committer.thread, trackCommitter.thread, messageCommitter.thread, upkeep.thread, pump.thread,
            people.thread,
        ]
    }

    // MARK: Changing

    /// Puts new rules and channels into force. Open incidents go on with the new ladder at their next step; nothing that
    /// waits for a target is lost, also while the target has no channel.
    public func reload(rules: IncidentRules, channels: [any EscalationChannel]) {
        mailbox.post(
            .request { decider, now in
                decider.take(rules, now: now)
            })
        pump.replaceChannels(channels)
    }
}
