import IncidentCore
import IncidentStore
import Synchronization
import TerminalModel

/// What other threads tell the decision thread.
enum DecisionMessage: Sendable {
    case attempts([OutboxPump.Report])
    case commandSettled(Int64)
    case rewrite(Set<IncidentID>)
    /// A card that the disk did not give in time is there.
    case cardRead(Person)
    /// Something an operator or administrator asks; runs between two reports.
    case request(@Sendable (inout Decider, Moment) -> Void)
}

/// The thread that decides. It never touches the disk or the network, and waits for a person's card at most once while the
/// disk hangs, for `PeopleCache.longestWaitMilliseconds`: nothing slow ever stands in front of an alarm.
final class DecisionLoop: Sendable {
    /// Positions, and alarms that threaten no life, decided before urgent ones are looked for again.
    static let itemsPerTurn = 512
    /// While positions come in, the thread lets them gather so long; anything else ends the wait.
    static let gatherMilliseconds: Int64 = 2
    /// Positions in a turn up to which nothing gathers.
    static let idlePositions = 2
    /// Alarms decided before what they decided is handed over.
    static let alarmsPerHandOver = 128

    struct Outlets: Sendable {
        var commit: @Sendable ([CommitEntry]) -> Void
        var results: @Sendable ([IngestResult]) -> Void
        var track: @Sendable ([TrackItem]) -> Void
        var messages: @Sendable ([MessageEntry]) -> Void
        /// How many more positions the track lane takes; those beyond wait undecided and are answered later.
        var roomForPositions: @Sendable () -> Int
        var orders: @Sendable ([DownlinkOrder]) -> Void
        var takenOver: @Sendable ([TakenOver]) -> Void
        /// Called in every turn: the committer may be stuck.
        var tick: @Sendable (Moment) -> Void
    }

    /// What the status page shows without asking the thread.
    struct Counts: Sendable {
        var incidents: [Service: IncidentCounts]
        var commands: Int
        var calls: LifeSafetyCalls
        /// Emergencies that no target has accepted, and since when.
        var unheard: Int
        var unheardSince: Timestamp?

        init(_ decider: borrowing Decider) {
            incidents = decider.counts
            commands = decider.commands.count
            calls = decider.calls
            unheard = decider.unheard.count
            unheardSince = decider.unheard.values.min()
        }
    }

    let thread: WorkerThread
    let queue: IngestQueue
    private let messages: Mailbox
    private let decider: Mutex<Decider>
    /// Only this thread uses it; the mutex makes that visible to the compiler.
    private let batch = Mutex(IngestQueue.Batch())
    private let counts: Mutex<Counts>
    /// The last turn had positions, and none was left over.
    private let isBusy = Atomic<Bool>(false)
    private let clock: any PipelineClock
    private let outlets: Outlets

    init(
        thread: WorkerThread, queue: IngestQueue, messages: Mailbox, decider: consuming sending Decider,
        clock: any PipelineClock, outlets: Outlets
    ) {
        self.thread = thread
        self.queue = queue
        self.messages = messages
        // Before the first turn too: what the last run left open must not look like silence to the siren.
        counts = Mutex(Counts(decider))
        self.decider = Mutex(decider)
        self.clock = clock
        self.outlets = outlets
    }

    var presentCounts: Counts { counts.withLock { $0 } }

    func start() {
        thread.start { [self] in
            turn()
        } last: { [self] in
            finish()
        }
    }

    /// Decides what has come in, writes the last words of terminals and ends the thread.
    func stop() {
        queue.close()
        thread.stop()
    }

    // MARK: One turn

    private func turn() -> Int64 {
        if isBusy.load(ordering: .relaxed) { thread.bell.gather(milliseconds: Self.gatherMilliseconds) }
        let next = decider.withLock { decider in
            let now = clock.now()
            let limit = min(Self.itemsPerTurn, outlets.roomForPositions())
            let hasMore = takeInput(&decider, now: now, positionLimit: limit)
            let due = decider.advance(now: now)
            handOver(&decider)
            return hasMore ? 0 : max(0, due - now.monotonicMilliseconds)
        }
        outlets.tick(clock.now())
        return next
    }

    /// What may save a life first, then some other alarms, requests and attempts, and some positions. True when there is
    /// more.
    private func takeInput(_ decider: inout Decider, now: Moment, positionLimit: Int) -> Bool {
        batch.withLock { batch in
            queue.take(into: &batch, limit: Self.itemsPerTurn, positionLimit: positionLimit)
            for ticket in batch.refused {
                decider.output.results.append(IngestResult(ticket: ticket, outcome: .failed))
            }
            decide(batch.urgent, &decider, now: now)
            decide(batch.alarms, &decider, now: now)
            for message in messages.takeAll() {
                switch message {
                case .attempts(let reports): for report in reports { decider.attempted(report, now: now) }
                case .commandSettled(let id): decider.commandSettled(id, now: now)
                case .rewrite(let incidents): decider.rewrite(incidents)
                case .cardRead(let person): decider.cardRead(person, now: now)
                case .request(let request): request(&decider, now)
                }
            }
            for index in batch.positions.turn { decider.handle(batch.positions.items[index], now: now) }
            let isBusy = batch.positions.turn.count > Self.idlePositions && !batch.hasMorePositions
            self.isBusy.store(isBusy, ordering: .relaxed)
            // Without room the track lane rings when it has some.
            return batch.hasMoreAlarms || positionLimit > 0 && batch.hasMorePositions
        }
    }

    /// Decides alarms. In a storm the first ones are committed and answered while the rest is still being decided; else
    /// every terminal would lose patience before the turn ends, and send again.
    private func decide(_ lane: borrowing IngestQueue.Lane, _ decider: inout Decider, now: Moment) {
        for index in lane.turn {
            decider.handle(lane.items[index], now: now)
            let isGroupFull = (index - lane.turn.lowerBound) % Self.alarmsPerHandOver == Self.alarmsPerHandOver - 1
            if isGroupFull || index == lane.turn.upperBound - 1 { handOver(&decider) }
        }
    }

    /// Gives what was decided to whoever does it, and keeps the room it took for the next turn.
    private func handOver(_ decider: inout Decider) {
        if decider.attentionChanged {
            decider.attentionChanged = false
            queue.changeAttention(decider.attentionMoves)
            decider.attentionMoves = [:]
        }
        let present = Counts(decider)
        counts.withLock { $0 = present }
        if !decider.output.entries.isEmpty { outlets.commit(decider.output.entries) }
        if !decider.output.takenOver.isEmpty { outlets.takenOver(decider.output.takenOver) }
        if !decider.output.results.isEmpty { outlets.results(decider.output.results) }
        if !decider.output.track.isEmpty { outlets.track(decider.output.track) }
        if !decider.output.messages.isEmpty { outlets.messages(decider.output.messages) }
        if !decider.output.orders.isEmpty { outlets.orders(decider.output.orders) }
        decider.output.clear()
    }

    private func finish() {
        decider.withLock { decider in
            let now = clock.now()
            messages.close()
            while takeInput(&decider, now: now, positionLimit: Self.itemsPerTurn) {}
            decider.flushLastWords(limit: .max)
            decider.flushFenceStates()
            handOver(&decider)
        }
    }
}

/// Messages to one thread, which is woken by each.
final class Mailbox: Sendable {
    private struct State {
        var messages: [DecisionMessage] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let bell: Doorbell

    init(bell: Doorbell) { self.bell = bell }

    /// False when the thread has ended.
    @discardableResult
    func post(_ message: DecisionMessage) -> Bool {
        let isOpen = state.withLock { state in
            if !state.isClosed { state.messages.append(message) }
            return !state.isClosed
        }
        bell.ring()
        return isOpen
    }

    func takeAll() -> [DecisionMessage] {
        state.withLock { state in
            defer { state.messages = [] }
            return state.messages
        }
    }

    func close() { state.withLock { $0.isClosed = true } }
}
