import CoreMetrics
import GatewayTelemetry
import Synchronization
import TerminalModel

/// What reactor threads have handed over and the decision thread has not taken yet: three lanes, so that no alarm waits
/// behind positions, and what may save a life not behind the registrations of a district that reconnects either.
final class IngestQueue: Sendable {
    struct Limits: Sendable {
        /// Positions and heartbeats: about two seconds of a full district.
        var positions = 40_000
        /// Everything that is not a plain position: keys, registrations, battery alarms.
        var alarms = 20_000
        /// Terminals that came or went and outcomes of commands, which nobody says again, beside `alarms`: one for each
        /// terminal and bearer, however often it comes and goes.
        var news = 1_000_000
        /// Room above `alarms` that only life-safety reports may use.
        var reservedForLifeSafety = 100_000
    }

    /// Items that were taken out of the queue and are decided over several turns; those of this turn are `turn`. It is
    /// used again and again, so that taking costs no memory.
    struct Lane {
        /// Room that is kept after a burst.
        private static let keptItems = 8192

        private(set) var items: [IngestItem] = []
        private(set) var turn = 0..<0

        /// How many wait for a later turn.
        var waiting: Int { items.count - turn.upperBound }

        /// Counts the last turn as done; when all are done, what has come in meanwhile is next.
        fileprivate mutating func begin(_ arrived: inout [IngestItem], limit: Int) {
            if waiting == 0 {
                if items.capacity > Self.keptItems { items = [] } else { items.removeAll(keepingCapacity: true) }
                turn = 0..<0
                swap(&items, &arrived)
            }
            turn = turn.upperBound..<turn.upperBound + min(limit, waiting)
        }
    }

    /// What the decision thread has taken for one turn.
    struct Batch {
        fileprivate(set) var urgent = Lane()
        fileprivate(set) var alarms = Lane()
        fileprivate(set) var positions = Lane()
        /// Tickets of items for which there was no room.
        fileprivate(set) var refused: [ReplyTicket] = []
        /// Alarms or news came in while the lane was busy.
        fileprivate var hasNewAlarms = false

        /// Something waits for a later turn.
        var hasMoreAlarms: Bool { alarms.waiting > 0 || hasNewAlarms }
        var hasMorePositions: Bool { positions.waiting > 0 }
    }

    private struct State {
        /// Life-safety reports, and all that terminals with an open incident say, in order.
        var urgent: [IngestItem] = []
        /// Whatever else is not a plain position.
        var alarms: [IngestItem] = []
        var positions: [IngestItem] = []
        /// News that found no room among the alarms; newer news of the same thing takes the place of older.
        var news: [NewsKey: IngestItem] = [:]
        var refused: [ReplyTicket] = []
        var isClosed = false
        /// Terminals with an open incident.
        var attention = TerminalNumbers()
        var refusedCount: UInt64 = 0
    }

    /// What a piece of news is about.
    fileprivate enum NewsKey: Hashable {
        case presence(TerminalID, Bearer)
        case command(Int64)
    }

    /// Refusals that wait to be told; the sessions beyond them only miss a word that they would not pass on.
    static let maximumRefused = 100_000

    let limits: Limits
    private let state: Mutex<State>
    /// Items that were taken for a later turn.
    private let waitingAlarms = Atomic<Int>(0)
    private let waitingPositions = Atomic<Int>(0)
    private let bell: Doorbell
    private let refusedTotal = GatewayMetric.queueDropped.counter("ingest", "full")

    init(limits: Limits, bell: Doorbell) {
        self.limits = limits
        self.bell = bell
        state = Mutex(State())
    }

    /// Takes what there is room for and returns how many items that were; the rest gets the result `failed`.
    func add(_ items: [IngestItem]) -> Int {
        let (accepted, isUrgent) = state.withLock { state in
            let before = state.positions.count
            var accepted = 0
            for item in items where take(item, &state) { accepted += 1 }
            return (accepted, state.positions.count - before < items.count)
        }
        bell.ring(isUrgent: isUrgent)
        return accepted
    }

    private func take(_ item: IngestItem, _ state: inout State) -> Bool {
        guard !state.isClosed else { return refuse(item, &state) }
        guard case .report(let report, _) = item else {
            return item.newsKey.map { takeNews($0, item, &state) } ?? takeAlarm(item, &state)
        }
        let event = report.event
        let isLifeSafety = !event.alarms.isDisjoint(with: .lifeSafety)
        if isLifeSafety || state.attention[event.terminal] != nil {
            let room = limits.alarms + (isLifeSafety ? limits.reservedForLifeSafety : 0)
            guard state.urgent.count < room else { return refuse(item, &state) }
            state.urgent.append(item)
            return true
        }
        if !event.alarms.isEmpty || !event.keys.isEmpty { return takeAlarm(item, &state) }
        guard state.positions.count + waitingPositions.load(ordering: .relaxed) < limits.positions else {
            return refuse(item, &state)
        }
        state.positions.append(item)
        return true
    }

    private func takeAlarm(_ item: IngestItem, _ state: inout State) -> Bool {
        guard hasRoomForAlarms(state) else { return refuse(item, &state) }
        state.alarms.append(item)
        return true
    }

    /// In the order of the alarms while there is room; else it waits apart, and what follows it does too.
    private func takeNews(_ key: NewsKey, _ item: IngestItem, _ state: inout State) -> Bool {
        if state.news.isEmpty, hasRoomForAlarms(state) {
            state.alarms.append(item)
            return true
        }
        guard state.news.count < limits.news || state.news[key] != nil else { return refuse(item, &state) }
        state.news[key] = item
        return true
    }

    private func hasRoomForAlarms(_ state: State) -> Bool {
        state.alarms.count + waitingAlarms.load(ordering: .relaxed) < limits.alarms
    }

    /// News that waits apart goes in line as soon as there is room: outcomes of commands first, since they came before the end
    /// of the connection.
    private func putNewsInLine(_ state: inout State) {
        guard !state.news.isEmpty, hasRoomForAlarms(state) else { return }
        for (key, item) in state.news { if case .command = key { state.alarms.append(item) } }
        for (key, item) in state.news { if case .presence = key { state.alarms.append(item) } }
        state.news = [:]
    }

    private func refuse(_ item: IngestItem, _ state: inout State) -> Bool {
        state.refusedCount += 1
        refusedTotal.increment()
        if let ticket = item.ticket, state.refused.count < Self.maximumRefused { state.refused.append(ticket) }
        return false
    }

    /// Takes everything urgent, and of the other lanes at most their limits, so that what comes meanwhile waits briefly. What the batch held for the last turn counts as done.
    func take(into batch: inout Batch, limit: Int, positionLimit: Int) {
        batch.refused.removeAll()
        state.withLock { state in
            putNewsInLine(&state)
            batch.urgent.begin(&state.urgent, limit: .max)
            batch.alarms.begin(&state.alarms, limit: limit)
            batch.positions.begin(&state.positions, limit: positionLimit)
            batch.hasNewAlarms = !state.alarms.isEmpty || !state.news.isEmpty
            swap(&batch.refused, &state.refused)
            waitingAlarms.store(batch.alarms.waiting, ordering: .relaxed)
            waitingPositions.store(batch.positions.waiting, ordering: .relaxed)
        }
    }

    /// Terminals that from now on have an open incident, or have none any more.
    func changeAttention(_ moves: [TerminalID: Bool]) {
        state.withLock { state in
            for (terminal, hasOpenIncident) in moves {
                if hasOpenIncident { _ = state.attention.insert(terminal) } else { state.attention.remove(terminal) }
            }
        }
    }

    /// From now on everything is refused.
    func close() {
        state.withLock { $0.isClosed = true }
    }

    var depth: (alarms: Int, positions: Int, refused: UInt64) {
        state.withLock { state in
            (
                state.urgent.count + state.alarms.count + state.news.count + waitingAlarms.load(ordering: .relaxed),
                state.positions.count + waitingPositions.load(ordering: .relaxed), state.refusedCount
            )
        }
    }
}

extension IngestItem {
    /// What it is news of, for what has no ticket and is said once.
    fileprivate var newsKey: IngestQueue.NewsKey? {
        switch self {
        case .online(let terminal, let bearer, _, _, _), .offline(let terminal, let bearer, _, _):
            .presence(terminal, bearer)
        case .command(let id, _, _): .command(id)
        case .report, .registration, .authenticated: nil
        }
    }

    var ticket: ReplyTicket? {
        switch self {
        case .report(_, let ticket), .registration(_, let ticket): ticket
        case .authenticated, .online, .offline, .command: nil
        }
    }
}
