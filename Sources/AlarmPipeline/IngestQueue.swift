import GatewayTelemetry
import Synchronization
import TerminalModel

/// What reactor threads have handed over and the decision thread has not taken yet: two lanes, so that an alarm never
/// waits behind positions.
final class IngestQueue: Sendable {
    struct Limits: Sendable {
        /// Positions and heartbeats: about two seconds of a full district.
        var positions = 40_000
        /// Everything that is not a plain position: keys, registrations, battery alarms.
        var alarms = 20_000
        /// Room above `alarms` that only life-safety reports may use.
        var reservedForLifeSafety = 100_000
    }

    struct Batch {
        var alarms: [IngestItem] = []
        var positions: [IngestItem] = []
        /// Tickets of items for which there was no room.
        var refused: [ReplyTicket] = []
        var isEmpty: Bool { alarms.isEmpty && positions.isEmpty && refused.isEmpty }
    }

    private struct State {
        var batch = Batch()
        var isClosed = false
        /// Terminals with an open incident: all they say goes through the alarm lane, in order.
        var attention: Set<TerminalID> = []
        var refusedCount: UInt64 = 0
    }

    /// Positions that were taken out of the lock's hands and not decided yet; a backlog is never copied.
    private struct Waiting {
        private var items: [IngestItem] = []
        private var head = 0

        /// Adds at the end and takes at most `limit` from the front.
        mutating func exchange(_ new: [IngestItem], for limit: Int) -> [IngestItem] {
            if head == items.count {
                items = new
                head = 0
            } else {
                if head * 2 > items.count {
                    items.removeSubrange(..<head)
                    head = 0
                }
                items += new
            }
            let end = head + min(limit, items.count - head)
            if head == 0, end == items.count {
                defer { items = [] }
                return items
            }
            defer { head = end }
            return Array(items[head..<end])
        }
    }

    /// Refusals that wait to be told; the sessions beyond them only miss a word that they would not pass on.
    static let maximumRefused = 100_000

    let limits: Limits
    private let state: Mutex<State>
    /// Only the thread that takes batches uses it.
    private let waiting = Mutex(Waiting())
    private let waitingCount = Atomic<Int>(0)
    private let bell: Doorbell

    init(limits: Limits, bell: Doorbell) {
        self.limits = limits
        self.bell = bell
        state = Mutex(State())
    }

    /// Takes what there is room for and returns how many items that were; the rest gets the result `failed`.
    func add(_ items: [IngestItem]) -> Int {
        let accepted = state.withLock { state in
            var accepted = 0
            for item in items where take(item, &state) { accepted += 1 }
            return accepted
        }
        bell.ring()
        return accepted
    }

    private func take(_ item: IngestItem, _ state: inout State) -> Bool {
        let room: Int
        var isAlarm = true
        switch item {
        case .report(let report, _):
            let event = report.event
            if !event.alarms.isDisjoint(with: .lifeSafety) {
                room = limits.alarms + limits.reservedForLifeSafety
            } else if !event.alarms.isEmpty || !event.keys.isEmpty || state.attention.contains(event.terminal) {
                room = limits.alarms
            } else {
                room = limits.positions
                isAlarm = false
            }
        default: room = limits.alarms
        }
        let count =
            isAlarm
            ? state.batch.alarms.count : state.batch.positions.count + waitingCount.load(ordering: .relaxed)
        guard !state.isClosed, count < room else {
            state.refusedCount += 1
            if let ticket = item.ticket, state.batch.refused.count < Self.maximumRefused {
                state.batch.refused.append(ticket)
            }
            return false
        }
        if isAlarm { state.batch.alarms.append(item) } else { state.batch.positions.append(item) }
        return true
    }

    /// Everything that waits; at most `positionLimit` positions so that alarms that come meanwhile wait briefly.
    func takeBatch(positionLimit: Int) -> Batch {
        var batch = Batch()
        state.withLock { state in
            swap(&batch, &state.batch)
            waitingCount.wrappingAdd(batch.positions.count, ordering: .relaxed)
        }
        batch.positions = waiting.withLock { $0.exchange(batch.positions, for: positionLimit) }
        waitingCount.wrappingSubtract(batch.positions.count, ordering: .relaxed)
        return batch
    }

    /// Terminals that from now on have an open incident, or have none any more.
    func changeAttention(_ moves: [TerminalID: Bool]) {
        state.withLock { state in
            for (terminal, hasOpenIncident) in moves {
                if hasOpenIncident { state.attention.insert(terminal) } else { state.attention.remove(terminal) }
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
                state.batch.alarms.count,
                state.batch.positions.count + waitingCount.load(ordering: .relaxed), state.refusedCount
            )
        }
    }
}

extension IngestItem {
    var ticket: ReplyTicket? {
        switch self {
        case .report(_, let ticket), .registration(_, let ticket): ticket
        case .authenticated, .online, .offline, .command: nil
        }
    }
}
