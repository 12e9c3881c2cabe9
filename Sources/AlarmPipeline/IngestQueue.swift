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

    let limits: Limits
    private let state: Mutex<State>
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
        guard !state.isClosed, (isAlarm ? state.batch.alarms.count : state.batch.positions.count) < room else {
            state.refusedCount += 1
            if let ticket = item.ticket { state.batch.refused.append(ticket) }
            return false
        }
        if isAlarm { state.batch.alarms.append(item) } else { state.batch.positions.append(item) }
        return true
    }

    /// Everything that waits; at most `positionLimit` positions so that alarms that come meanwhile wait briefly.
    func takeBatch(positionLimit: Int) -> Batch {
        state.withLock { state in
            var batch = Batch()
            swap(&batch, &state.batch)
            if batch.positions.count > positionLimit {
                state.batch.positions = Array(batch.positions[positionLimit...])
                batch.positions.removeSubrange(positionLimit...)
            }
            return batch
        }
    }

    func setAttention(_ terminals: Set<TerminalID>) {
        state.withLock { $0.attention = terminals }
    }

    /// From now on everything is refused.
    func close() {
        state.withLock { $0.isClosed = true }
    }

    var depth: (alarms: Int, positions: Int, refused: UInt64) {
        state.withLock { ($0.batch.alarms.count, $0.batch.positions.count, $0.refusedCount) }
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
