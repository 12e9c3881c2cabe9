import CoreMetrics
import GatewayTelemetry
import IncidentCore
import IncidentStore
import Logging
import Synchronization
import TerminalModel

/// Writes decisions to `incidents.sqlite`, all that wait in one transaction, and lets their consequences out afterwards.
///
/// The order is the promise: commit, then acknowledgement and delivery (promise P1). While the store fails, decisions
/// wait in memory in their order, their terminals hear nothing, and their notices go out at once, marked not durable.
/// One thread owns `pending`; everything else comes in through `inbox`.
final class IncidentCommitter: Sendable {
    struct Limits: Sendable {
        /// Writes in one transaction.
        var writesPerCommit = 2000
        /// Registrations in one transaction; an alarm waits for one such transaction at most.
        var registrationsPerCommit = 500
        /// Decisions that wait for a slow disk, and as many that are kept in memory while the store fails.
        var pendingEntries = 50_000
        /// Pauses between tries of a failing store.
        var firstPauseMilliseconds: Int64 = 200
        var longestPauseMilliseconds: Int64 = 2000
        /// A commit that lasts longer holds no notice back any more.
        var stalledMilliseconds: Int64 = 2000
    }

    struct Outlets: Sendable {
        var results: @Sendable ([IngestResult]) -> Void
        var deliveries: @Sendable ([PendingDelivery]) -> Void
        /// Incidents for which nobody is called any more; behind the deliveries that were decided before.
        var takenOver: @Sendable ([TakenOver]) -> Void
        var track: @Sendable ([TrackItem]) -> Void
        var messages: @Sendable ([MessageEntry]) -> Void
        var events: @Sendable ([PipelineEvent]) -> Void
        /// Incidents whose changes found no room in memory: their present state has to be written when the store works.
        var rewrite: @Sendable (Set<IncidentID>) -> Void
    }

    /// Only the committing thread uses what is in here; the mutex makes that visible to the compiler.
    private struct State {
        var pending: [CommitEntry] = []
        var failure: StoreFailure?
        var nextTryMilliseconds: Int64 = 0
        var pauseMilliseconds: Int64 = 0
        var lostRoomFor: Set<IncidentID> = []
        /// Entries in `pending` by incident.
        var notDurable: [IncidentID: Int] = [:]
        /// What a commit takes on this disk.
        var window = CommitWindow(busyMilliseconds: 0)
        /// Since when nothing waits but what nobody waits for.
        var patientSince: ContinuousClock.Instant?
    }

    /// What has come in and is not being committed yet.
    private struct Inbox {
        var decisions: [CommitEntry] = []
        /// When a district connects again, alarms pass them.
        var registrations: [CommitEntry] = []
        private var areDecisionsPatient = true

        var count: Int { decisions.count + registrations.count }

        /// Nobody waits for anything in here.
        var isPatient: Bool { registrations.isEmpty && areDecisionsPatient }

        mutating func append(_ entry: CommitEntry) {
            if entry.isRegistration {
                registrations.append(entry)
            } else {
                decisions.append(entry)
                if !entry.isPatient { areDecisionsPatient = false }
            }
        }

        /// All decisions, and registrations as far as the limit goes.
        mutating func take(registrations limit: Int) -> (decisions: [CommitEntry], registrations: [CommitEntry]) {
            let taken = Array(registrations.prefix(limit))
            registrations.removeFirst(taken.count)
            defer {
                decisions = []
                areDecisionsPatient = true
            }
            return (decisions, taken)
        }
    }

    private struct Underway {
        /// Monotonic; nil between commits.
        var since: Int64?
        var deliveries: [PendingDelivery] = []
    }

    let thread = WorkerThread(name: "ydt-commit")
    private let inbox = Mutex(Inbox())
    /// Incidents whose changes found no room in `inbox`.
    private let overflowed = Mutex<Set<IncidentID>>([])
    private let precedence: AlarmPrecedence
    private let state = Mutex(State())
    private let shownFailure = Mutex<StoreFailure?>(nil)
    private let dropped = Atomic<UInt64>(0)
    private let droppedTotal = GatewayMetric.queueDropped.counter("writes", "full")
    /// Notices of the group that is being committed; taken by whoever sends them out first.
    private let underway = Mutex(Underway())
    private let store: IncidentStore
    private let clock: any PipelineClock
    private let limits: Limits
    private let outlets: Outlets
    private let logger: Logger
    private let metrics = CommitMetrics(database: "incidents")
    private let alarmToCommit = GatewayMetric.alarmToCommit.timer()

    init(
        store: IncidentStore, precedence: AlarmPrecedence, clock: any PipelineClock, limits: Limits, outlets: Outlets,
        logger: Logger
    ) {
        self.store = store
        self.precedence = precedence
        self.clock = clock
        self.limits = limits
        self.outlets = outlets
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

    func add(_ entries: [CommitEntry]) {
        guard !entries.isEmpty else { return }
        let surplus = inbox.withLock { inbox in
            let room = max(0, limits.pendingEntries - inbox.count)
            for entry in entries.prefix(room) { inbox.append(entry) }
            if !inbox.isPatient { precedence.begin() }
            return entries.dropFirst(room)
        }
        for entry in surplus { overflow(entry) }
        thread.bell.ring()
    }

    /// More alarms wait for a slow disk than memory may hold: this one goes out at once, its terminal sends it again, and
    /// its incident's present state is written when there is room.
    private func overflow(_ entry: CommitEntry) {
        countDropped()
        overflowed.withLock { $0.formUnion(entry.incidents.map(\.id)) }
        outlets.deliveries(entry.deliveries.map(\.notDurable))
        outlets.takenOver(entry.takenOver)
        outlets.events(entry.events)
        entry.onSettled?(entry.lossWithoutRoom)
        refuseAll(of: entry)
    }

    private func countDropped() {
        dropped.wrappingAdd(1, ordering: .relaxed)
        droppedTotal.increment()
    }

    /// nil while the store works.
    var failure: StoreFailure? { shownFailure.withLock { $0 } }

    var depth: (waiting: Int, dropped: UInt64) {
        (
            inbox.withLock(\.count) + (failure?.pending ?? 0),
            dropped.load(ordering: .relaxed)
        )
    }

    // MARK: One turn

    private func turn() -> Int64 {
        // Whoever adds holds the same lock, so that no alarm waits unnoticed.
        defer { inbox.withLock { if $0.isPatient { precedence.end() } } }
        return state.withLock { state in
            if let rest = patience(&state) { return rest }
            let (decisions, registrations) = inbox.withLock { $0.take(registrations: limits.registrationsPerCommit) }
            let now = clock.now()
            if state.failure != nil {
                commitOrKeep(decisions, &state)
                commitOrKeep(registrations, &state)
                guard now.monotonicMilliseconds >= state.nextTryMilliseconds else {
                    return state.nextTryMilliseconds - now.monotonicMilliseconds
                }
                retryPending(now, &state)
                return state.failure == nil ? 0 : state.nextTryMilliseconds - now.monotonicMilliseconds
            }
            commitOrKeep(decisions, &state)
            commitOrKeep(registrations, &state)
            if state.failure == nil { rewriteOverflowed() }
            return inbox.withLock { $0.count == 0 } ? WorkerThread.maximumSleepMilliseconds : 0
        }
    }

    /// How many milliseconds the inbox may wait for company, nil when it is to be written now.
    ///
    /// Outcomes of attempts and commands follow each alarm for a while. On a slow disk each of them would keep the next alarm
    /// waiting for a commit of its own.
    private func patience(_ state: inout State) -> Int64? {
        let isPatient = inbox.withLock { $0.count > 0 && $0.isPatient }
        let now = clock.instant()
        let since = state.patientSince ?? now
        let rest = state.window.restMilliseconds - Int64((now - since) / .milliseconds(1))
        guard isPatient, state.failure == nil, rest > 0 else {
            state.patientSince = nil
            return nil
        }
        state.patientSince = since
        return rest
    }

    private func rewriteOverflowed() {
        let lost = overflowed.withLock { overflowed in
            defer { overflowed = [] }
            return overflowed
        }
        if !lost.isEmpty { outlets.rewrite(lost) }
    }

    private func commitOrKeep(_ entries: [CommitEntry], _ state: inout State) {
        guard let failure = state.failure else { return commit(entries[...], &state) }
        let now = clock.now()
        for entry in entries { receiveWhileFailing(entry, failure, now, &state) }
    }

    /// Commits entries in groups; from the first failing group on everything is kept.
    private func commit(_ entries: ArraySlice<CommitEntry>, _ state: inout State) {
        var rest = entries
        while !rest.isEmpty {
            let group = nextGroup(rest)
            let (end, error) = writeOrIsolate(group, &state)
            guard let error else {
                rest = rest[end...]
                continue
            }
            let now = clock.now()
            fail(error, now, &state)
            for entry in group[end...] { keepAfterFailure(entry, error, now, &state) }
            if let failure = state.failure {
                for entry in rest[group.endIndex...] { receiveWhileFailing(entry, failure, now, &state) }
            }
            publishFailure(state)
            return
        }
    }

    private func nextGroup(_ entries: ArraySlice<CommitEntry>) -> ArraySlice<CommitEntry> {
        var writes = 0
        let end = entries.firstIndex { entry in
            writes += entry.writes.count
            return writes > limits.writesPerCommit
        }
        // A single entry above the limit is still one transaction.
        return entries[..<max(end ?? entries.endIndex, entries.startIndex + 1)]
    }

    /// Commits and settles a group. When the fault lies in what is written and not in the disk, each entry is written
    /// alone, so that a mistake of ours in one of them cannot stop all the others for ever.
    ///
    /// - Returns: the index up to which nothing is left to do, and the disk's error when that is not the end.
    private func writeOrIsolate(
        _ group: ArraySlice<CommitEntry>, _ state: inout State
    ) -> (end: Int, error: StoreError?) {
        do {
            try write(group, &state)
            settle(group)
            return (group.endIndex, nil)
        } catch {
            guard error.isInTheData else { return (group.startIndex, error) }
        }
        for index in group.indices {
            do {
                try write(group[index...index], &state)
                settle(group[index...index])
            } catch {
                // The disk may fail in the midst of it: what has not been tried is kept, not left out.
                guard error.isInTheData else { return (index, error) }
                leaveOut(group[index], error)
            }
        }
        return (group.endIndex, nil)
    }

    /// A decision of which some write cannot be carried out: the others are stored one by one, nothing is acknowledged.
    private func leaveOut(_ entry: CommitEntry, _ error: StoreError) {
        logger.critical(
            "One decision cannot be written and is left out",
            metadata: .keyed([
                .errorCode: "\(error.code.rawValue)", .errorDetail: "\(error.message)",
                .incidentID: "\(entry.incidents.map(\.id.description).joined(separator: " "))",
            ]))
        countDropped()
        if entry.writes.count > 1, !entry.isDiscardable {
            thread.atTheDisk { for write in entry.writes { try? store.write([write]) } }
        }
        refuseAll(of: entry)
        outlets.deliveries(entry.deliveries.map(\.notDurable))
        outlets.takenOver(entry.takenOver)
        entry.onSettled?(error)
    }

    private func write(_ group: ArraySlice<CommitEntry>, _ state: inout State) throws(StoreError) {
        let writes = group.flatMap(\.writes)
        guard !writes.isEmpty else { return }
        let start = clock.instant()
        underway.withLock { underway in
            underway = Underway(
                since: clock.now().monotonicMilliseconds, deliveries: group.flatMap(\.deliveries))
        }
        defer { underway.withLock { $0.since = nil } }
        do {
            try thread.atTheDisk { () throws(StoreError) in try store.write(writes) }
            let duration = clock.instant() - start
            state.window.committed(rows: writes.count, in: duration)
            metrics.committed(rows: writes.count, in: duration)
            // Whoever hears an answer must not still read of a failure.
            shownFailure.withLock { $0 = nil }
        } catch {
            metrics.failed()
            throw error
        }
    }

    /// Called now and then by another thread. A commit that hangs, or everything behind it, must not silence an alarm:
    /// its notices go out marked not durable (promise P2). The health then shows the disk as busy.
    func releaseStalled(now: Moment) {
        let deliveries: [PendingDelivery]? = underway.withLock { underway in
            guard let since = underway.since,
                SystemClock.kernelMilliseconds(now.monotonicMilliseconds - since) >= limits.stalledMilliseconds
            else { return nil }
            defer { underway.deliveries = [] }
            return underway.deliveries
        }
        guard var deliveries else { return }
        var takenOver: [TakenOver] = []
        inbox.withLock { inbox in
            for index in inbox.decisions.indices {
                deliveries += inbox.decisions[index].deliveries
                inbox.decisions[index].deliveries = []
                takenOver += inbox.decisions[index].takenOver
            }
        }
        shownFailure.withLock { shown in
            shown = shown ?? StoreFailure(code: .busy, message: "a commit hangs", since: now.wall, pending: 0)
        }
        outlets.deliveries(deliveries.map(\.notDurable))
        outlets.takenOver(takenOver)
    }

    /// The notices of a committed group that have not gone out because of a hanging disk.
    private func takeUnderway(orAll group: ArraySlice<CommitEntry>) -> [PendingDelivery] {
        // Without writes nothing was under way.
        if group.allSatisfy(\.writes.isEmpty) { return group.flatMap(\.deliveries) }
        return underway.withLock { underway in
            defer { underway.deliveries = [] }
            return underway.deliveries
        }
    }

    /// What waited for the commit happens now, the answers to the terminals first.
    private func settle(_ group: ArraySlice<CommitEntry>) {
        for entry in group { entry.onCommit?() }
        let results = group.flatMap(\.results)
        if !results.isEmpty { outlets.results(results) }
        outlets.deliveries(takeUnderway(orAll: group))
        outlets.takenOver(group.flatMap(\.takenOver))
        outlets.track(group.flatMap(\.track))
        outlets.messages(group.flatMap(\.messages))
        outlets.events(group.flatMap(\.events))
        let now = clock.now().monotonicMilliseconds
        for entry in group {
            entry.onSettled?(nil)
            if let received = entry.alarmReceivedMilliseconds {
                alarmToCommit.recordMilliseconds(max(0, now - received))
            }
        }
    }

    // MARK: A failing store

    private func fail(_ error: StoreError, _ now: Moment, _ state: inout State) {
        if state.failure == nil {
            state.failure = StoreFailure(code: error.code, message: error.message, since: now.wall, pending: 0)
            state.pauseMilliseconds = limits.firstPauseMilliseconds
            logger.critical(
                "Incidents cannot be written: nothing is acknowledged, alarms go out marked as not durable",
                metadata: .keyed([.errorCode: "\(error.code.rawValue)", .errorDetail: "\(error.message)"]))
        } else {
            state.failure?.code = error.code
            state.failure?.message = error.message
            state.pauseMilliseconds = min(state.pauseMilliseconds * 2, limits.longestPauseMilliseconds)
        }
        state.nextTryMilliseconds = now.monotonicMilliseconds + state.pauseMilliseconds
        // Whoever hears of the failure must be able to read of it.
        publishFailure(state)
    }

    /// An entry whose commit failed: its terminals are not acknowledged, they will send again.
    private func keepAfterFailure(_ entry: CommitEntry, _ error: StoreError, _ now: Moment, _ state: inout State) {
        refuseResults(of: entry)
        var entry = entry
        entry.results = []
        keep(entry, error, now, &state)
    }

    /// An entry that arrives while the store fails. An alarm's answer waits, so that a retransmission is acknowledged
    /// as soon as everything before it is on the disk; the rest is refused.
    private func receiveWhileFailing(
        _ entry: CommitEntry, _ failure: StoreFailure, _ now: Moment, _ state: inout State
    ) {
        var entry = entry
        if !entry.results.contains(where: \.isAlarm) {
            refuseResults(of: entry)
            entry.results = []
        }
        keep(entry, StoreError(failure.code, failure.message), now, &state)
    }

    /// Of an entry that is given up its position has no incident to follow either: its report is refused as well.
    private func refuseAll(of entry: CommitEntry) {
        refuseResults(of: entry)
        var later: [IngestResult] = []
        for item in entry.track { item.answer(.failed, into: &later) }
        for message in entry.messages { message.answer(.failed, into: &later) }
        if !later.isEmpty { outlets.results(later) }
    }

    private func refuseResults(of entry: CommitEntry) {
        guard !entry.results.isEmpty else { return }
        outlets.results(entry.results.map { IngestResult(ticket: $0.ticket, outcome: .failed, isAlarm: $0.isAlarm) })
    }

    private func keep(_ entry: CommitEntry, _ error: StoreError, _ now: Moment, _ state: inout State) {
        var entry = entry
        // The pump knows notices by their names, so one that a hanging commit let out already is not sent twice.
        outlets.deliveries(entry.deliveries.map(\.notDurable))
        entry.deliveries = []
        outlets.takenOver(entry.takenOver)
        entry.takenOver = []
        outlets.events(entry.events)
        entry.events = []
        // Attempts go on while the store fails: half of the room is for alarms and what humans do.
        let room = entry.isRoutine ? limits.pendingEntries / 2 : limits.pendingEntries
        let hasRoom = state.pending.count < room
        entry.onSettled?(hasRoom ? error : entry.lossWithoutRoom)
        entry.onSettled = nil
        guard !entry.isDiscardable else { return }
        entry.markNotDurable(error, at: now.wall)
        guard hasRoom else {
            countDropped()
            state.lostRoomFor.formUnion(entry.incidents.map(\.id))
            refuseAll(of: entry)
            return
        }
        state.pending.append(entry)
        for incident in entry.incidents { state.notDurable[incident.id, default: 0] += 1 }
        publishFailure(state)
    }

    private func retryPending(_ now: Moment, _ state: inout State) {
        var start = 0
        while start < state.pending.count {
            let (end, error) = writeOrIsolate(nextGroup(state.pending[start...]), &state)
            for incident in state.pending[start..<end].flatMap(\.incidents) {
                let rest = (state.notDurable[incident.id] ?? 0) - 1
                state.notDurable[incident.id] = rest > 0 ? rest : nil
            }
            start = end
            guard let error else { continue }
            state.pending.removeSubrange(..<start)
            fail(error, now, &state)
            publishFailure(state)
            return
        }
        state.pending = []
        let lost = state.lostRoomFor
        state.lostRoomFor = []
        state.failure = nil
        publishFailure(state)
        logger.notice("Incidents are written again and everything that waited is on the disk")
        if !lost.isEmpty { outlets.rewrite(lost) }
    }

    private func publishFailure(_ state: State) {
        shownFailure.withLock { shown in
            shown = state.failure
            shown?.pending = state.pending.count
            shown?.incidents = state.notDurable.count
        }
        metrics.setHealthy(state.failure == nil)
    }

    /// The last turn of the thread: one more try for everything.
    private func finish() {
        defer { precedence.end() }
        state.withLock { state in
            let (decisions, registrations) = inbox.withLock { $0.take(registrations: .max) }
            commitOrKeep(decisions, &state)
            commitOrKeep(registrations, &state)
            if state.failure != nil { retryPending(clock.now(), &state) }
        }
    }
}

extension StoreError {
    /// The same writes would fail again on a sound disk.
    var isInTheData: Bool { code == .constraint || code == .unreadable }
}

extension CommitEntry {
    /// What is said of an entry for which memory has no room. Incidents are written later as they are then; a card, a fence
    /// or a command is lost with the next start, so whoever asked for it must ask again.
    fileprivate var lossWithoutRoom: StoreError {
        StoreError(
            isOnlyOfIncidents ? .busy : .refused, "too many decisions wait for the disk; ask again when it works")
    }
}

extension PendingDelivery {
    var notDurable: PendingDelivery {
        var copy = self
        copy.notice.durable = false
        return copy
    }
}
