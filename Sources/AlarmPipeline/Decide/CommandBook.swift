import IncidentCore
import IncidentStore
import TerminalModel

/// Commands that wait for their terminal or for its answer: one outstanding per terminal, the rest in order.
struct CommandBook {
    struct Entry {
        var record: CommandRecord
        var expiresMonotonicMilliseconds: Int64
        /// The row is on the disk, or the store fails and it must not wait for that.
        var isSettled: Bool
    }

    let limitPerTerminal: Int
    let limit: Int
    private var entries: [Int64: Entry] = [:]
    /// Ids in the order they were asked for.
    private var waiting: [TerminalID: [Int64]] = [:]
    private var outstanding: [TerminalID: Int64] = [:]
    private var expiries = TimerHeap<Int64>()

    init(limitPerTerminal: Int, limit: Int) {
        self.limitPerTerminal = limitPerTerminal
        self.limit = limit
    }

    var count: Int { entries.count }
    var nextExpiry: Int64? { expiries.earliestDue }

    func hasRoom(for terminal: TerminalID) -> Bool {
        entries.count < limit && (waiting[terminal]?.count ?? 0) < limitPerTerminal
    }

    /// Something waits for this terminal or for its answer.
    func concerns(_ terminal: TerminalID) -> Bool { waiting[terminal] != nil || outstanding[terminal] != nil }

    /// The same command waits for the terminal, or for its answer.
    func holds(_ command: TerminalCommand, for terminal: TerminalID) -> Bool {
        let ids = (waiting[terminal] ?? []) + [outstanding[terminal]].compactMap { $0 }
        return ids.contains { entries[$0]?.record.command == command }
    }

    func record(_ id: Int64) -> CommandRecord? { entries[id]?.record }

    mutating func add(_ record: CommandRecord, now: Moment, isSettled: Bool) {
        let left = record.expiresAt.milliseconds - now.wall.milliseconds
        let expires = now.monotonicMilliseconds + max(0, left)
        entries[record.id] = Entry(record: record, expiresMonotonicMilliseconds: expires, isSettled: isSettled)
        // What was sent before a restart may not have arrived, and its answer cannot be told from others any more: it is sent
        // again, as after a connection that ended (promise P9).
        wait(record)
        expiries.add(record.id, due: expires)
    }

    mutating func settle(_ id: Int64) { entries[id]?.isSettled = true }

    /// The next command for a terminal that is there to take it; it is outstanding from now on. What speaks to somebody in
    /// need does not wait for the answer to something else, which is sent again after it.
    mutating func next(for terminal: TerminalID, now: Moment) -> DownlinkOrder? {
        guard let id = waiting[terminal]?.first, let entry = entries[id], entry.isSettled,
            entry.expiresMonotonicMilliseconds > now.monotonicMilliseconds
        else { return nil }
        let underWay = outstanding[terminal]
        if let underWay {
            guard entry.record.command.speaksToSomebodyInNeed,
                entries[underWay]?.record.command.speaksToSomebodyInNeed == false
            else { return nil }
        }
        takeFirst(of: terminal)
        if let record = underWay.flatMap({ entries[$0]?.record }) { wait(record, isFirst: true) }
        outstanding[terminal] = id
        return DownlinkOrder(
            id: id, terminal: terminal, command: entry.record.command,
            expiresMonotonicMilliseconds: entry.expiresMonotonicMilliseconds)
    }

    /// What a session says of a command; nil when that is no news. A command only moves forward, except back to the
    /// queue when its session could not send it.
    mutating func apply(_ outcome: CommandOutcome, to id: Int64, at time: Timestamp) -> CommandRecord? {
        guard var entry = entries[id], entry.record.outcome != outcome else {
            if outcome == .queued { putBack(id) }
            return nil
        }
        let terminal = entry.record.terminal
        switch outcome {
        case .queued:
            // Its connection ended before the answer, or it gave way to another and waits already: it is sent again until
            // its time is over (promise P9).
            if outstanding[terminal] == id {
                putBack(id)
            } else if waiting[terminal]?.contains(id) != true {
                return nil
            }
        case .sent: break
        case .confirmed, .failed, .expired:
            entries[id] = nil
            if outstanding[terminal] == id { outstanding[terminal] = nil }
            waiting[terminal]?.removeAll { $0 == id }
            if waiting[terminal]?.isEmpty == true { waiting[terminal] = nil }
        }
        entry.record.outcome = outcome
        entry.record.updatedAt = time
        if entries[id] != nil { entries[id] = entry }
        return entry.record
    }

    /// The terminal left: what was handed over and not answered waits for it again.
    mutating func disconnected(_ terminal: TerminalID) {
        if let id = outstanding[terminal] { putBack(id) }
    }

    /// The terminal speaks on a new connection of the same kind, and the old one says nothing more of its command.
    ///
    /// - Returns: the record when it had been sent and now waits again.
    mutating func reconnected(_ terminal: TerminalID, at time: Timestamp) -> CommandRecord? {
        outstanding[terminal].flatMap { apply(.queued, to: $0, at: time) }
    }

    /// Commands whose time is over.
    mutating func expired(now: Moment) -> [CommandRecord] {
        var records: [CommandRecord] = []
        while let id = expiries.take(dueBy: now.monotonicMilliseconds) {
            guard let entry = entries[id] else { continue }
            // What was sent may still have been done: it is not known.
            let outcome: CommandOutcome =
                entry.record.outcome == .sent ? .failed(reason: "the terminal did not answer") : .expired
            if let record = apply(outcome, to: id, at: now.wall) { records.append(record) }
        }
        return records
    }

    private mutating func putBack(_ id: Int64) {
        guard let terminal = entries[id]?.record.terminal, outstanding[terminal] == id else { return }
        outstanding[terminal] = nil
        if let record = entries[id]?.record { wait(record, isFirst: true) }
    }

    /// Puts a command behind the others, or before those of its like when it `isFirst`; what speaks to somebody in need
    /// goes before all that does not.
    private mutating func wait(_ record: CommandRecord, isFirst: Bool = false) {
        let ids = waiting[record.terminal] ?? []
        let needEnd = ids.firstIndex { entries[$0]?.record.command.speaksToSomebodyInNeed != true } ?? ids.endIndex
        let speaks = record.command.speaksToSomebodyInNeed
        let index = speaks ? (isFirst ? ids.startIndex : needEnd) : (isFirst ? needEnd : ids.endIndex)
        waiting[record.terminal, default: []].insert(record.id, at: index)
    }

    private mutating func takeFirst(of terminal: TerminalID) {
        waiting[terminal]?.removeFirst()
        if waiting[terminal]?.isEmpty == true { waiting[terminal] = nil }
    }
}
