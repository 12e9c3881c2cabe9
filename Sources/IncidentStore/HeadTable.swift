import TerminalModel

/// The newest row of each terminal in one day's file, in flat memory: 24 bytes a place, at most three of four taken.
///
/// Rows that are not committed yet are noted so that they can be taken back, and so that readers see what is on the
/// disk only. Ids come from outside, so places are chosen with numbers that nobody can guess.
struct HeadTable {
    private struct Change {
        var place: Int
        /// 0: the terminal had no row.
        var before: Int64
    }

    private static let smallestCapacity = 1024

    private var keys: ContiguousArray<UInt128>
    /// 0: the place is free; a row's id is never 0.
    private var rows: ContiguousArray<Int64>
    private var changes: ContiguousArray<Change> = []
    private let low = UInt64.random(in: .min ... .max) | 1
    private let high = UInt64.random(in: .min ... .max) | 1
    /// Terminals that have a row.
    private(set) var count = 0
    /// The newest row that is on the disk.
    private(set) var lastCommitted: Int64 = 0
    /// The newest row of all.
    private(set) var last: Int64 = 0

    init() {
        keys = ContiguousArray(repeating: 0, count: Self.smallestCapacity)
        rows = ContiguousArray(repeating: 0, count: Self.smallestCapacity)
    }

    /// The newest row on the disk; nil when the terminal has none.
    func committedRow(of terminal: TerminalID) -> Int64? {
        let place = place(of: terminal.nibbles)
        guard rows[place] > lastCommitted else { return rows[place] == 0 ? nil : rows[place] }
        let before = changes.first { $0.place == place }?.before ?? 0
        return before == 0 ? nil : before
    }

    /// Makes room, so that the rows of a transaction that is beginning find their places where they are.
    mutating func reserve(_ additional: Int) {
        guard (count + additional) * 4 > keys.count * 3 else { return }
        var capacity = keys.count
        while (count + additional) * 4 > capacity * 3 { capacity *= 2 }
        let old = (keys, rows)
        keys = ContiguousArray(repeating: 0, count: capacity)
        rows = ContiguousArray(repeating: 0, count: capacity)
        for index in old.0.indices where old.1[index] != 0 {
            let place = place(of: old.0[index])
            keys[place] = old.0[index]
            rows[place] = old.1[index]
        }
    }

    /// Notes a terminal's new row, which is not committed yet.
    ///
    /// - Precondition: `reserve` made room, and ids rise.
    /// - Returns: its row before; nil when it had none.
    mutating func append(_ row: Int64, of terminal: TerminalID) -> Int64? {
        let place = place(of: terminal.nibbles)
        let before = rows[place]
        keys[place] = terminal.nibbles
        rows[place] = row
        last = row
        if before == 0 { count += 1 }
        changes.append(Change(place: place, before: before))
        return before == 0 ? nil : before
    }

    mutating func commit() {
        lastCommitted = last
        changes.removeAll(keepingCapacity: true)
    }

    mutating func rollBack() {
        // A place that was new may lie in the way of one that was new after it, so the last leaves first.
        for change in changes.reversed() {
            rows[change.place] = change.before
            if change.before == 0 { count -= 1 }
        }
        last = lastCommitted
        changes.removeAll(keepingCapacity: true)
    }

    /// A row that was read from the file; of several of a terminal the newest counts.
    mutating func restore(_ row: Int64, of terminal: TerminalID) {
        reserve(1)
        let place = place(of: terminal.nibbles)
        if rows[place] == 0 { count += 1 }
        keys[place] = terminal.nibbles
        rows[place] = max(rows[place], row)
        noteLast(row)
    }

    /// A row whose terminal does not matter: ids go on behind it.
    mutating func noteLast(_ row: Int64) {
        last = max(last, row)
        lastCommitted = last
    }

    /// The terminals whose newest row came after the one given, in the order of their ids.
    func changed(since row: Int64) -> [(terminal: TerminalID, row: Int64)] {
        rows.indices.lazy.filter { rows[$0] > row }
            .map { (terminal: TerminalID(nibbles: keys[$0]), row: rows[$0]) }
            .sorted { $0.terminal < $1.terminal }
    }

    private func place(of key: UInt128) -> Int {
        let mixed =
            (UInt64(truncatingIfNeeded: key) &* low) ^ (UInt64(truncatingIfNeeded: key >> 64) &* high)
        let mask = keys.count - 1
        var place = Int(truncatingIfNeeded: (mixed ^ mixed >> 32)) & mask
        while rows[place] != 0, keys[place] != key { place = (place + 1) & mask }
        return place
    }
}
