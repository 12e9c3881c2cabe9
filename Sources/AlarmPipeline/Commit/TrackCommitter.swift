import CoreMetrics
import GatewayTelemetry
import IncidentStore
import Logging
import Synchronization
import TerminalModel

/// Writes positions to the track files in groups and answers their reports when they are on the disk.
///
/// An alarm's position comes here without a ticket, after its incident; it is kept and tried again while the store
/// fails. An ordinary position is refused then: its terminal sends it again.
final class TrackCommitter: Sendable {
    struct Limits: Sendable {
        var pointsPerCommit = 5000
        /// With several points waiting last time, wait this long for more before committing.
        var windowMilliseconds: Int64 = 5
        /// Points that wait for the disk.
        var waiting = 100_000
        /// Points without a ticket kept while the store fails; the oldest leave first.
        var kept = 20_000
        var pauseMilliseconds: Int64 = 1000
    }

    /// Only the writing thread uses what is in here; the mutex makes that visible to the compiler.
    private struct State {
        var kept: [TrackItem] = []
        var isFailing = false
        var nextTryMilliseconds: Int64 = 0
        var lastBatchPoints = 0
    }

    let thread = WorkerThread(name: "ydt-tracks")
    private let inbox = Mutex<[TrackItem]>([])
    private let state = Mutex(State())
    private let shownFailure = Mutex<StoreFailure?>(nil)
    private let dropped = Atomic<UInt64>(0)
    private let store: TrackStore
    private let clock: any PipelineClock
    private let limits: Limits
    private let results: @Sendable ([IngestResult]) -> Void
    private let logger: Logger
    private let metrics = CommitMetrics(database: "tracks")
    private let positionToCommit = GatewayMetric.positionToCommit.timer()

    init(
        store: TrackStore, clock: any PipelineClock, limits: Limits, logger: Logger,
        results: @escaping @Sendable ([IngestResult]) -> Void
    ) {
        self.store = store
        self.clock = clock
        self.limits = limits
        self.results = results
        self.logger = logger
    }

    func start() {
        thread.start { [self] in
            turn()
        } last: { [self] in
            finish()
        }
    }

    /// Writes what waits and ends the thread.
    func stop() { thread.stop() }

    /// Takes points as far as there is room; the reports of the rest are refused.
    func add(_ items: [TrackItem]) {
        guard !items.isEmpty else { return }
        let refused = inbox.withLock { inbox in
            let room = max(0, limits.waiting - inbox.count)
            inbox += items.prefix(room)
            return items.dropFirst(room)
        }
        if !refused.isEmpty {
            dropped.wrappingAdd(UInt64(refused.count), ordering: .relaxed)
            refuse(Array(refused))
        }
        thread.bell.ring()
    }

    var failure: StoreFailure? { shownFailure.withLock { $0 } }

    var depth: (waiting: Int, dropped: UInt64) {
        (inbox.withLock(\.count), dropped.load(ordering: .relaxed))
    }

    // MARK: One turn

    private func turn() -> Int64 {
        state.withLock { state in
            if limits.windowMilliseconds > 0, state.lastBatchPoints > 2, !state.isFailing {
                thread.bell.wait(milliseconds: limits.windowMilliseconds)
            }
            let arrived = takeInbox()
            let now = clock.now()
            if state.isFailing, now.monotonicMilliseconds < state.nextTryMilliseconds {
                keep(arrived, &state)
                return state.nextTryMilliseconds - now.monotonicMilliseconds
            }
            let items = state.kept + arrived
            state.kept = []
            state.lastBatchPoints = arrived.count
            commit(items, now, &state)
            return inbox.withLock(\.isEmpty) ? WorkerThread.maximumSleepMilliseconds : 0
        }
    }

    private func takeInbox() -> [TrackItem] {
        inbox.withLock { inbox in
            defer { inbox = [] }
            return inbox
        }
    }

    private func commit(_ items: [TrackItem], _ now: Moment, _ state: inout State) {
        var start = 0
        while start < items.count {
            let end = min(start + limits.pointsPerCommit, items.count)
            let group = items[start..<end]
            let began = ContinuousClock.now
            do {
                try store.write(group.map(\.point))
            } catch {
                metrics.failed()
                fail(error, now, &state)
                keep(Array(items[start...]), &state)
                return
            }
            metrics.committed(rows: group.count, in: ContinuousClock.now - began)
            // Whoever hears an answer must not still read of a failure.
            shownFailure.withLock { $0 = nil }
            answer(group, .stored)
            let done = clock.now().monotonicMilliseconds
            for item in group { positionToCommit.recordMilliseconds(max(0, done - item.arrivedMilliseconds)) }
            start = end
        }
        guard state.isFailing else { return }
        state.isFailing = false
        metrics.setHealthy(true)
        logger.notice("Positions are written again")
    }

    private func fail(_ error: StoreError, _ now: Moment, _ state: inout State) {
        if !state.isFailing {
            logger.error(
                "Positions cannot be written and are not acknowledged",
                metadata: .keyed([.errorCode: "\(error.code.rawValue)", .errorDetail: "\(error.message)"]))
        }
        state.isFailing = true
        state.nextTryMilliseconds = now.monotonicMilliseconds + limits.pauseMilliseconds
        shownFailure.withLock { shown in
            let since = shown?.since ?? now.wall
            shown = StoreFailure(code: error.code, message: error.message, since: since, pending: state.kept.count)
        }
        metrics.setHealthy(false)
    }

    /// Refuses reports and keeps the positions that nobody would send again.
    private func keep(_ items: [TrackItem], _ state: inout State) {
        refuse(items)
        state.kept += items.filter { $0.ticket == nil }
        if state.kept.count > limits.kept {
            dropped.wrappingAdd(UInt64(state.kept.count - limits.kept), ordering: .relaxed)
            state.kept.removeFirst(state.kept.count - limits.kept)
        }
        shownFailure.withLock { $0?.pending = state.kept.count }
    }

    private func refuse(_ items: [TrackItem]) {
        answer(items[...], .failed)
    }

    private func answer(_ items: ArraySlice<TrackItem>, _ outcome: IngestResult.Outcome) {
        let answers = items.compactMap { item in item.ticket.map { IngestResult(ticket: $0, outcome: outcome) } }
        if !answers.isEmpty { results(answers) }
    }

    private func finish() {
        state.withLock { state in
            let items = state.kept + takeInbox()
            state.kept = []
            commit(items, clock.now(), &state)
        }
    }
}
