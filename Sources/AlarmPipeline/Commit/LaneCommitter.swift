import CoreMetrics
import GatewayTelemetry
import IncidentStore
import Logging
import Synchronization
import TerminalModel

/// What waits in one of the lanes beside the alarms'.
protocol LaneItem: Sendable {
    /// Nobody sends it again: it is kept and tried again while the store fails.
    var isKept: Bool { get }
    /// Monotonic time of its arrival.
    var arrivedMilliseconds: Int64 { get }
    /// Adds the answers of its reports.
    func answer(_ outcome: IngestResult.Outcome, into results: inout [IngestResult])
}

/// Writes one lane beside the alarms' in groups: positions to the track files, or what terminals say to `messages.sqlite`.
///
/// Reports are answered when they are on the disk. While the store fails they are refused, since their terminals send
/// them again; what nobody sends again is kept. The lane stands back from the disk while an alarm is being committed.
final class LaneCommitter<Item: LaneItem>: Sendable {
    struct Limits: Sendable {
        var itemsPerCommit = 5000
        /// See `CommitWindow`.
        var busyMilliseconds: Int64 = 5
        /// Items that wait for the disk.
        var waiting = 100_000
        /// Items that nobody sends again, kept while the store fails; the oldest leave first.
        var kept = 20_000
        var pauseMilliseconds: Int64 = 1000
    }

    struct Outlets: Sendable {
        /// One transaction. It may fail with a mistake in the data, then each item is tried alone.
        var write: @Sendable (ArraySlice<Item>) throws(StoreError) -> Void
        var results: @Sendable ([IngestResult]) -> Void
        /// The lane was full and has room again.
        var hasRoom: @Sendable () -> Void = {}
    }

    /// Only the writing thread uses what is in here; the mutex makes that visible to the compiler.
    private struct State {
        var kept: [Item] = []
        var isFailing = false
        var nextTryMilliseconds: Int64 = 0
        var window: CommitWindow
    }

    let thread: WorkerThread
    private let database: String
    private let inbox = Mutex<[Item]>([])
    private let state: Mutex<State>
    private let shownFailure = Mutex<StoreFailure?>(nil)
    private let dropped = Atomic<UInt64>(0)
    private let droppedTotal = GatewayMetric.queueDropped.counter("writes", "full")
    /// Rings when a group is full, so that waiting for more ends.
    private let groupIsFull = Doorbell()
    private let alarmsAreDone: Doorbell
    private let precedence: AlarmPrecedence
    private let clock: any PipelineClock
    private let limits: Limits
    private let outlets: Outlets
    private let logger: Logger
    private let metrics: CommitMetrics
    private let arrivalToCommit: Timer?

    /// - Parameters:
    ///   - database: The label of its metrics, and `ydt-` with it is the thread's name.
    ///   - arrivalToCommit: Gets the time of each item.
    init(
        database: String, precedence: AlarmPrecedence, clock: any PipelineClock, limits: Limits, logger: Logger,
        arrivalToCommit: Timer? = nil, outlets: Outlets
    ) {
        thread = WorkerThread(name: "ydt-\(database)")
        self.database = database
        self.precedence = precedence
        self.clock = clock
        self.limits = limits
        self.logger = logger
        self.arrivalToCommit = arrivalToCommit
        self.outlets = outlets
        alarmsAreDone = precedence.join()
        metrics = CommitMetrics(database: database)
        state = Mutex(State(window: CommitWindow(busyMilliseconds: limits.busyMilliseconds)))
    }

    func start() {
        thread.start { [self] in
            turn()
        } last: { [self] in
            finish()
        }
    }

    /// Writes what waits and ends the thread.
    func stop() {
        groupIsFull.ring()
        thread.stop()
    }

    /// Takes items as far as there is room; the reports of the rest are refused.
    func add(_ items: [Item]) {
        guard !items.isEmpty else { return }
        let (waiting, refused) = inbox.withLock { inbox in
            let room = max(0, limits.waiting - inbox.count)
            inbox += items.prefix(room)
            return (inbox.count, items.dropFirst(room))
        }
        if !refused.isEmpty {
            countDropped(refused.count)
            answer(refused, .failed)
        }
        if waiting >= limits.itemsPerCommit { groupIsFull.ring() }
        thread.bell.ring()
    }

    private func countDropped(_ count: Int) {
        dropped.wrappingAdd(UInt64(count), ordering: .relaxed)
        droppedTotal.increment(by: count)
    }

    /// How many more items it takes now.
    var room: Int { max(0, limits.waiting - inbox.withLock(\.count)) }

    /// nil while the store works.
    var failure: StoreFailure? { shownFailure.withLock { $0 } }

    var depth: (waiting: Int, dropped: UInt64) {
        (inbox.withLock(\.count), dropped.load(ordering: .relaxed))
    }

    // MARK: One turn

    private func turn() -> Int64 {
        state.withLock { state in
            if !state.isFailing {
                let window = state.window.milliseconds
                metrics.setWindow(milliseconds: window)
                groupIsFull.wait(milliseconds: thread.isStopping ? 0 : window)
            }
            let arrived = takeInbox()
            let now = clock.now()
            if state.isFailing, now.monotonicMilliseconds < state.nextTryMilliseconds {
                keep(arrived, &state)
                return state.nextTryMilliseconds - now.monotonicMilliseconds
            }
            let items = state.kept.isEmpty ? arrived : state.kept + arrived
            state.kept = []
            commit(items, &state)
            return inbox.withLock(\.isEmpty) ? WorkerThread.maximumSleepMilliseconds : 0
        }
    }

    private func takeInbox() -> [Item] {
        let items = inbox.withLock { inbox in
            defer { inbox = [] }
            return inbox
        }
        if items.count >= limits.waiting { outlets.hasRoom() }
        return items
    }

    private func commit(_ items: [Item], _ state: inout State) {
        var rest = items[...]
        while !rest.isEmpty {
            let group = rest.prefix(limits.itemsPerCommit)
            if let (end, error) = writeOrIsolate(group, &state) {
                fail(error, &state)
                keep(Array(items[end...]), &state)
                return
            }
            rest = rest[group.endIndex...]
        }
        guard state.isFailing else { return }
        state.isFailing = false
        metrics.setHealthy(true)
        logger.notice(
            "A database is written again", metadata: .keyed([.storeFile: "\(database)"]))
    }

    /// - Returns: nil when nothing is left to do, else where the disk's error stopped it.
    private func writeOrIsolate(_ group: ArraySlice<Item>, _ state: inout State) -> (end: Int, error: StoreError)? {
        do {
            try write(group, &state)
            return nil
        } catch {
            guard error.isInTheData else { return (group.startIndex, error) }
        }
        for index in group.indices {
            do {
                try write(group[index...index], &state)
            } catch {
                guard error.isInTheData else { return (index, error) }
                logger.critical(
                    "One item cannot be written and is left out",
                    metadata: .keyed([
                        .storeFile: "\(database)", .errorCode: "\(error.code.rawValue)",
                        .errorDetail: "\(error.message)",
                    ]))
                countDropped(1)
                answer(group[index...index], .failed)
            }
        }
        return nil
    }

    private func write(_ group: ArraySlice<Item>, _ state: inout State) throws(StoreError) {
        var duration = Duration.zero
        do {
            let stoodBack = try thread.atTheDisk { () throws(StoreError) in
                try precedence.inTurn(alarmsAreDone) { () throws(StoreError) in
                    let began = clock.instant()
                    try outlets.write(group)
                    duration = clock.instant() - began
                }
            }
            if stoodBack { metrics.stoodBack() }
        } catch {
            metrics.failed()
            throw error
        }
        state.window.committed(rows: group.count, in: duration)
        metrics.committed(rows: group.count, in: duration)
        // Whoever hears an answer must not still read of a failure.
        shownFailure.withLock { $0 = nil }
        answer(group, .stored)
        guard let arrivalToCommit else { return }
        let done = clock.now().monotonicMilliseconds
        for item in group { arrivalToCommit.recordMilliseconds(max(0, done - item.arrivedMilliseconds)) }
    }

    // MARK: A failing store

    private func fail(_ error: StoreError, _ state: inout State) {
        let now = clock.now()
        if !state.isFailing {
            logger.error(
                "A database cannot be written and its reports are not acknowledged",
                metadata: .keyed([
                    .storeFile: "\(database)", .errorCode: "\(error.code.rawValue)", .errorDetail: "\(error.message)",
                ]))
        }
        state.isFailing = true
        state.nextTryMilliseconds = now.monotonicMilliseconds + limits.pauseMilliseconds
        shownFailure.withLock { shown in
            let since = shown?.since ?? now.wall
            shown = StoreFailure(code: error.code, message: error.message, since: since, pending: state.kept.count)
        }
        metrics.setHealthy(false)
    }

    /// Refuses reports and keeps what nobody would send again.
    private func keep(_ items: [Item], _ state: inout State) {
        answer(items[...], .failed)
        state.kept += items.lazy.filter(\.isKept)
        if state.kept.count > limits.kept {
            countDropped(state.kept.count - limits.kept)
            state.kept.removeFirst(state.kept.count - limits.kept)
        }
        shownFailure.withLock { $0?.pending = state.kept.count }
    }

    private func answer(_ items: ArraySlice<Item>, _ outcome: IngestResult.Outcome) {
        var answers: [IngestResult] = []
        answers.reserveCapacity(items.count)
        for item in items { item.answer(outcome, into: &answers) }
        if !answers.isEmpty { outlets.results(answers) }
    }

    private func finish() {
        state.withLock { state in
            let items = state.kept + takeInbox()
            state.kept = []
            commit(items, &state)
        }
    }
}
