import IncidentCore
import IncidentStore
import Synchronization
import TerminalModel

/// What other threads tell the decision thread.
enum DecisionMessage: Sendable {
    case attempts([OutboxPump.Report])
    case commandSettled(Int64)
    case rewrite(Set<IncidentID>)
    /// Something an operator or administrator asks; runs between two reports.
    case request(@Sendable (inout Decider, Moment) -> Void)
}

/// The thread that decides. It never touches the disk or the network, so nothing slow ever stands in front of an alarm.
final class DecisionLoop: Sendable {
    /// Positions decided before alarms are looked for again.
    static let positionsPerTurn = 512
    /// Alarms decided before what they decided is handed over.
    static let alarmsPerHandOver = 128

    struct Outlets: Sendable {
        var commit: @Sendable ([CommitEntry]) -> Void
        var results: @Sendable ([IngestResult]) -> Void
        var track: @Sendable ([TrackItem]) -> Void
        var orders: @Sendable ([DownlinkOrder]) -> Void
        var takenOver: @Sendable (IncidentID) -> Void
        /// Called in every turn: the committer may be stuck.
        var tick: @Sendable (Moment) -> Void
    }

    /// What the status page shows without asking the thread.
    struct Counts: Sendable {
        var open = 0
        var unacknowledged = 0
    }

    let thread: WorkerThread
    let queue: IngestQueue
    private let messages: Mailbox
    private let decider: Mutex<Decider>
    private let counts = Mutex(Counts())
    private let clock: any PipelineClock
    private let outlets: Outlets

    init(
        thread: WorkerThread, queue: IngestQueue, messages: Mailbox, decider: consuming sending Decider,
        clock: any PipelineClock, outlets: Outlets
    ) {
        self.thread = thread
        self.queue = queue
        self.messages = messages
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
        let (next, output) = decider.withLock { decider in
            let now = clock.now()
            let hasMore = takeInput(&decider, now: now)
            let due = decider.advance(now: now)
            return (hasMore ? 0 : max(0, due - now.monotonicMilliseconds), takeOutput(&decider))
        }
        emit(output)
        outlets.tick(clock.now())
        return next
    }

    /// Alarms first, then requests and attempts, then some positions. True when there is more.
    private func takeInput(_ decider: inout Decider, now: Moment) -> Bool {
        let batch = queue.takeBatch(positionLimit: Self.positionsPerTurn)
        decider.output.results += batch.refused.map { IngestResult(ticket: $0, outcome: .failed) }
        for (index, item) in batch.alarms.enumerated() {
            decider.handle(item, now: now)
            // In a storm the first alarms are committed and answered while the rest is still being decided; else
            // every terminal would lose patience before the turn ends, and send again.
            if index % Self.alarmsPerHandOver == Self.alarmsPerHandOver - 1 { emit(takeOutput(&decider)) }
        }
        for message in messages.takeAll() {
            switch message {
            case .attempts(let reports): for report in reports { decider.attempted(report, now: now) }
            case .commandSettled(let id): decider.commandSettled(id, now: now)
            case .rewrite(let incidents): decider.rewrite(incidents)
            case .request(let request): request(&decider, now)
            }
        }
        for item in batch.positions { decider.handle(item, now: now) }
        return batch.positions.count == Self.positionsPerTurn
    }

    private func takeOutput(_ decider: inout Decider) -> Decider.Output {
        if decider.attentionChanged {
            decider.attentionChanged = false
            queue.changeAttention(decider.attentionMoves)
            decider.attentionMoves = [:]
            let open = decider.open
            counts.withLock { counts in
                counts = Counts(open: open.count, unacknowledged: open.values.count { $0 })
            }
        }
        defer { decider.output = Decider.Output() }
        return decider.output
    }

    private func emit(_ output: Decider.Output) {
        if !output.entries.isEmpty { outlets.commit(output.entries) }
        for incident in output.takenOver { outlets.takenOver(incident) }
        if !output.results.isEmpty { outlets.results(output.results) }
        if !output.track.isEmpty { outlets.track(output.track) }
        if !output.orders.isEmpty { outlets.orders(output.orders) }
    }

    private func finish() {
        let output = decider.withLock { decider in
            let now = clock.now()
            messages.close()
            while takeInput(&decider, now: now) {}
            decider.flushLastWords(limit: .max)
            decider.flushFenceStates()
            return takeOutput(&decider)
        }
        emit(output)
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
