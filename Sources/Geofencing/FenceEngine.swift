public import TerminalModel

/// Where a position is, seen from one fence.
public enum FenceAnswer: Sendable, Equatable {
    case inside
    case outside
    /// No fix, too close to the line, or the accuracy circle lies across it.
    case unknown
}

/// A line that was crossed, beyond doubt.
public struct FenceCrossing: Sendable, Equatable {
    public enum Direction: String, Sendable, Codable {
        case entered
        case left
    }

    public var fence: String
    public var name: String
    public var direction: Direction
    /// True when the fence forbids the side that was reached; false when things are in order again.
    public var isViolation: Bool
    public var at: Timestamp
}

/// What is known of one terminal and one fence; kept across restarts.
public struct FenceState: Sendable, Equatable, Codable {
    public var terminal: TerminalID
    public var fence: String
    public var isInside: Bool
    public var since: Timestamp

    public init(terminal: TerminalID, fence: String, isInside: Bool, since: Timestamp) {
        self.terminal = terminal
        self.fence = fence
        self.isInside = isInside
        self.since = since
    }
}

/// Decides from positions which fences were crossed.
///
/// Fences of a person or a group are looked up by name; those for everybody through a grid, so that a position costs
/// what is near it. Terminals are known by the caller's small numbers: a terminal costs 8 bytes, and 32 for each fence
/// that it stands to. One owner calls it, one call at a time. Source: DESIGN section 7.
public struct FenceEngine: ~Copyable {
    /// How a terminal stands to a fence; those of one terminal form a list.
    fileprivate struct Entry {
        var fence: Int32
        /// The next entry of the terminal or of the free ones, plus one; 0 at the end.
        var next: UInt32
        /// The latest decided positions, newest lowest: 1 where they contradict `side`.
        var history: UInt32 = 0
        /// The outline that the entry is about; an entry of an older one is worth nothing.
        var edition: UInt16
        var side: Side
        /// When the positions began to contradict; `.min` while they do not.
        var contradictedSince = Int64.min
        var since: Timestamp
    }

    fileprivate enum Side: UInt8 {
        /// Until a position was beyond doubt.
        case unknown
        case outside
        case inside
    }

    private struct Known {
        /// The first entry plus one; 0 when there is none.
        var first: UInt32 = 0
        /// The number of the change of fences up to which the terminal was seen; 0 when it never was.
        var seenThrough: UInt32 = 0
    }

    /// One fence in force.
    fileprivate struct Slot {
        let id: String
        let name: String
        let scope: Fence.Scope
        let rule: Fence.Rule
        let window: UInt32
        let confirmations: Int
        let dwellMilliseconds: Int64
        /// Tells whether a new fence lies where the old one did.
        let fingerprint: UInt64
        var shape: PreparedFence
        /// Whether it is found through the grid.
        var isInGrid = false
        var edition: UInt16 = 0
        /// The number of the change with which its outline came into force.
        var since: UInt32

        init(_ plan: FencePlan, _ shape: PreparedFence, since: UInt32) {
            id = plan.id
            name = plan.name
            scope = plan.scope
            rule = plan.rule
            window = plan.confirmationWindow >= 32 ? .max : (1 << UInt32(plan.confirmationWindow)) &- 1
            confirmations = plan.confirmations
            dwellMilliseconds = Int64(plan.dwellSeconds) * 1000
            fingerprint = plan.outline.fingerprint
            self.shape = shape
            self.since = since
        }
    }

    private struct Cell: Hashable {
        var row: Int32
        var column: Int32

        /// About 1 km.
        static let degrees = 0.01

        init(_ latitude: Double, _ longitude: Double) {
            row = Int32((latitude / Self.degrees).rounded(.down))
            column = Int32((longitude / Self.degrees).rounded(.down))
        }

        init(row: Int32, column: Int32) {
            self.row = row
            self.column = column
        }
    }

    private static let maximumCells = 4096

    private var slots: [Slot?] = []
    /// Of each slot: counts the outlines that were in it, so that what is known of an old one is not taken for the new.
    private var editions: [UInt16] = []
    private var freeSlots: [Int] = []
    private var edges: [PreparedFence.Edge] = []
    private var unusedEdges = 0
    private var indices: [String: Int] = [:]
    private var ofPerson = FenceLists<String>()
    private var ofGroup = FenceLists<String>()
    private var near = FenceLists<Cell>()
    /// Fences for everybody that cover too many cells, or that must be looked at wherever somebody is.
    private var everywhere: [Int] = []
    /// Changes of fences so far; the first ones in force are change 1.
    private var change: UInt32 = 1
    private var terminals = PagedArray<Known>()
    private var entries = PagedArray<Entry>()
    private var freeEntry: UInt32 = 0
    private var changed: [FenceState] = []

    /// Fences in force; disabled ones are left out, and of two with one id the later one counts.
    public init(_ plans: some Sequence<FencePlan>) {
        for plan in plans { put(plan) }
    }

    public init() {}

    public init(_ fences: [Fence]) {
        self.init(fences.lazy.map(FencePlan.init))
    }

    /// Fences that are in force.
    public var count: Int { indices.count }

    /// Some fence asks for a person's groups.
    public var usesGroups: Bool { !ofGroup.isEmpty }

    /// Puts a fence into force, or out of force when it is disabled. What is known of terminals stays when it lies where
    /// it did.
    public mutating func set(_ plan: FencePlan) {
        change += 1
        put(plan)
    }

    /// Where a position is, seen from one fence; `unknown` also for a fence that is not in force.
    public func answer(_ position: Position?, for fence: String) -> FenceAnswer {
        guard let index = indices[fence], let slot = slots[index], let position, let place = Self.place(of: position)
        else { return .unknown }
        return answer(place, accuracy: Self.accuracy(of: position), slot.shape)
    }
}

// MARK: - Deciding

extension FenceEngine {
    /// One live position of a terminal on its way through the fences.
    fileprivate struct Visit {
        var place: Coordinate
        var accuracy: Double
        var terminal: TerminalID
        var number: Int
        var seenThrough: UInt32
        var now: Moment
        var found: [FenceCrossing] = []
        var changed: [FenceState] = []
    }

    /// Weighs one live position of a terminal against every fence that concerns it.
    ///
    /// Hand in positions in the order they were taken and none that were stored; one that is not valid decides nothing.
    /// The first position beyond doubt is a crossing only when it is on the forbidden side.
    /// - Parameters:
    ///   - number: the caller's small number of the terminal.
    ///   - person: whose terminal it is, if anybody knows.
    ///   - groups: that person's groups.
    public mutating func evaluate(
        terminal: TerminalID, number: UInt32, position: Position?, person: String?, groups: [String], now: Moment
    ) -> [FenceCrossing] {
        guard !indices.isEmpty, let position, let place = Self.place(of: position) else { return [] }
        makeRoom(for: number)
        var visit = Visit(
            place: place, accuracy: Self.accuracy(of: position), terminal: terminal, number: Int(number),
            seenThrough: terminals[Int(number)].seenThrough, now: now)
        terminals[Int(number)].seenThrough = change
        for fence in everywhere { weigh(fence, &visit) }
        if let person {
            var link = ofPerson.first(person)
            while let at = link {
                weigh(ofPerson.fence(at), &visit)
                link = ofPerson.next(at)
            }
        }
        for (index, group) in groups.enumerated() {
            var link = ofGroup.first(group)
            while let at = link {
                let fence = ofGroup.fence(at)
                let isDone = groups[..<index].contains { ofGroup.contains(fence, $0) }
                if !isDone { weigh(fence, &visit) }
                link = ofGroup.next(at)
            }
        }
        let cell = Cell(place.latitudeDegrees, place.longitudeDegrees)
        var link = near.first(cell)
        while let at = link {
            weigh(near.fence(at), &visit)
            link = near.next(at)
        }
        if terminals[Int(number)].first != 0 { reviewKept(cell, &visit) }
        if !visit.changed.isEmpty { changed += visit.changed }
        return visit.found
    }

    /// Whoever is inside a fence for everybody must be looked at to see him leave, however far he went. Entries that say
    /// nothing any more go.
    private mutating func reviewKept(_ cell: Cell, _ visit: inout Visit) {
        var before: UInt32 = 0
        var at = terminals[visit.number].first
        while at != 0 {
            let entry = entries[Int(at - 1)]
            let next = entry.next
            let slot = slots[Int(entry.fence)]
            let isCurrent = slot?.edition == entry.edition
            let isInGrid = slot?.isInGrid ?? false
            if isCurrent, isInGrid, !near.contains(Int(entry.fence), cell) { weigh(Int(entry.fence), &visit) }
            let weighed = entries[Int(at - 1)]
            if !isCurrent || (isInGrid && weighed.side == .outside && weighed.history == 0) {
                if before == 0 { terminals[visit.number].first = next } else { entries[Int(before - 1)].next = next }
                release(at)
            } else {
                before = at
            }
            at = next
        }
    }

    /// The states that changed since the last call, for whoever keeps them.
    public mutating func takeChangedStates() -> [FenceState] {
        guard !changed.isEmpty else { return [] }
        defer { changed.removeAll(keepingCapacity: true) }
        return changed
    }

    /// Goes on from a kept state; one of a fence that is not in force is ignored.
    public mutating func seed(fence: String, number: UInt32, isInside: Bool, since: Timestamp) {
        guard let index = indices[fence], let slot = slots[index] else { return }
        makeRoom(for: number)
        terminals[Int(number)].seenThrough = change
        let side: Side = isInside ? .inside : .outside
        if let at = entry(of: Int(number), index, slot.edition) {
            entries[at].side = side
            entries[at].since = since
        } else {
            add(Entry(fence: Int32(index), next: 0, edition: slot.edition, side: side, since: since), to: Int(number))
        }
    }

    /// The terminal left the lists, and its number may be given to another.
    public mutating func forget(_ number: UInt32) {
        guard number < terminals.count else { return }
        var at = terminals[Int(number)].first
        while at != 0 {
            let next = entries[Int(at - 1)].next
            release(at)
            at = next
        }
        terminals[Int(number)] = Known()
    }
}

extension FenceEngine {
    private mutating func weigh(_ fence: Int, _ visit: inout Visit) {
        guard let slot = slots[fence] else { return }
        let answer = answer(visit.place, accuracy: visit.accuracy, slot.shape)
        guard answer != .unknown else { return }
        let isInside = answer == .inside
        if let at = entry(of: visit.number, fence, slot.edition) {
            visit.update(&entries[at], slot, isInside)
            return
        }
        // A terminal is outside of what it never came near, and nothing is kept of that.
        if slot.isInGrid, !isInside { return }
        let wasOutside = slot.isInGrid && visit.seenThrough >= slot.since
        var entry = Entry(
            fence: Int32(fence), next: 0, edition: slot.edition, side: wasOutside ? .outside : .unknown,
            since: visit.now.wall)
        visit.update(&entry, slot, isInside)
        add(entry, to: visit.number)
    }

    private func answer(_ place: Coordinate, accuracy: Double, _ shape: PreparedFence) -> FenceAnswer {
        let margin = max(accuracy, shape.hysteresisMetres)
        let depth = shape.depthMetres(of: place, enough: margin, edges: edges)
        if depth > margin || (depth >= 0 && margin == 0) { return .inside }
        return depth < -margin || (depth < 0 && margin == 0) ? .outside : .unknown
    }

    private static func place(of position: Position) -> Coordinate? {
        guard position.valid, let latitude = position.latitudeDegrees, let longitude = position.longitudeDegrees
        else { return nil }
        let place = Coordinate(latitudeDegrees: latitude, longitudeDegrees: longitude)
        return place.isPlausible ? place : nil
    }

    private static func accuracy(of position: Position) -> Double {
        Double(max(0, position.accuracyMetres ?? typicalAccuracyMetres(position.source)))
    }

    /// How far off a place may be that states no accuracy; a satellite fix is within the hysteresis.
    private static func typicalAccuracyMetres(_ source: Position.Source) -> Int {
        switch source {
        case .gnss, .gateway: 0
        case .beacon, .wifi: 50
        case .cells: 1000
        }
    }

    // MARK: Entries

    private mutating func makeRoom(for number: UInt32) {
        while terminals.count <= number { terminals.append(Known()) }
    }

    private func entry(of number: Int, _ fence: Int, _ edition: UInt16) -> Int? {
        var at = terminals[number].first
        while at != 0 {
            let entry = entries[Int(at - 1)]
            if entry.fence == fence, entry.edition == edition { return Int(at - 1) }
            at = entry.next
        }
        return nil
    }

    private mutating func add(_ new: Entry, to number: Int) {
        var entry = new
        entry.next = terminals[number].first
        if freeEntry != 0 {
            terminals[number].first = freeEntry
            let at = Int(freeEntry - 1)
            freeEntry = entries[at].next
            entries[at] = entry
        } else {
            entries.append(entry)
            terminals[number].first = UInt32(entries.count)
        }
    }

    private mutating func release(_ at: UInt32) {
        entries[Int(at - 1)].next = freeEntry
        freeEntry = at
    }
}

extension FenceEngine.Visit {
    /// Counts one decided position for a fence, and notes a crossing when that was enough.
    mutating func update(_ entry: inout FenceEngine.Entry, _ slot: borrowing FenceEngine.Slot, _ isInside: Bool) {
        let side: FenceEngine.Side = isInside ? .inside : .outside
        let contradicts = entry.side != side
        entry.history = (entry.history << 1 | (contradicts ? 1 : 0)) & slot.window
        guard entry.history != 0 else {
            entry.contradictedSince = .min
            return
        }
        if entry.contradictedSince == .min { entry.contradictedSince = now.monotonicMilliseconds }
        let stayed = now.monotonicMilliseconds &- entry.contradictedSince
        guard contradicts, entry.history.nonzeroBitCount >= slot.confirmations, stayed >= slot.dwellMilliseconds
        else { return }

        let isFirst = entry.side == .unknown
        entry.side = side
        entry.history = 0
        entry.contradictedSince = .min
        entry.since = now.wall
        changed.append(FenceState(terminal: terminal, fence: slot.id, isInside: isInside, since: now.wall))
        let isViolation =
            switch slot.rule {
            case .insideForbidden: isInside
            case .outsideForbidden: !isInside
            case .both: !isFirst
            }
        guard !isFirst || isViolation else { return }
        found.append(
            FenceCrossing(
                fence: slot.id, name: slot.name, direction: isInside ? .entered : .left, isViolation: isViolation,
                at: now.wall))
    }
}

// MARK: - Fences

extension FenceEngine {
    /// Takes a fence out of force; false when there was none of that id.
    @discardableResult
    public mutating func remove(_ id: String) -> Bool {
        guard let index = indices.removeValue(forKey: id) else { return false }
        vacate(index)
        slots[index] = nil
        freeSlots.append(index)
        return true
    }

    private mutating func put(_ plan: FencePlan) {
        guard plan.isEnabled else {
            remove(plan.id)
            return
        }
        let index = indices[plan.id] ?? freeSlots.popLast() ?? slots.count
        if index == slots.count {
            slots.append(nil)
            editions.append(0)
        }
        let before = slots[index]
        if before != nil { vacate(index) }
        let shape = PreparedFence(plan.outline, hysteresisMetres: plan.hysteresisMetres, edges: &edges)
        var slot = Slot(plan, shape, since: change)
        if let before, before.fingerprint == slot.fingerprint {
            slot.since = before.since
        } else {
            editions[index] &+= 1
        }
        slot.edition = editions[index]
        indices[plan.id] = index
        enter(index, &slot)
        slots[index] = slot
    }

    /// Puts a fence into the lists through which it is found.
    private mutating func enter(_ index: Int, _ slot: inout Slot) {
        switch slot.scope {
        case .persons(let persons): for person in Set(persons) { ofPerson.insert(index, person) }
        case .groups(let groups): for group in Set(groups) { ofGroup.insert(index, group) }
        case .everybody:
            slot.isInGrid = slot.rule != .outsideForbidden && cells(of: slot.shape) != nil
            guard slot.isInGrid, let (rows, columns) = cells(of: slot.shape) else { return everywhere.append(index) }
            for row in rows { for column in columns { near.insert(index, Cell(row: row, column: column)) } }
        }
    }

    /// Takes a fence out of the lists and gives its edges up.
    private mutating func vacate(_ index: Int) {
        guard let slot = slots[index] else { return }
        switch slot.scope {
        case .persons(let persons): for person in Set(persons) { ofPerson.remove(index, person) }
        case .groups(let groups): for group in Set(groups) { ofGroup.remove(index, group) }
        case .everybody:
            if slot.isInGrid, let (rows, columns) = cells(of: slot.shape) {
                for row in rows { for column in columns { near.remove(index, Cell(row: row, column: column)) } }
            } else {
                everywhere.removeAll { $0 == index }
            }
        }
        unusedEdges += slot.shape.edgeRange.count
        slots[index] = nil
        guard unusedEdges > 4096, unusedEdges * 2 > edges.count else { return }
        var kept: [PreparedFence.Edge] = []
        kept.reserveCapacity(edges.count - unusedEdges)
        for index in slots.indices {
            guard let range = slots[index]?.shape.edgeRange else { continue }
            slots[index]?.shape.moveEdges(to: kept.count)
            kept += edges[range]
        }
        edges = kept
        unusedEdges = 0
    }

    /// The cells that a shape touches; nil when they are too many for the grid.
    private func cells(of shape: PreparedFence) -> (rows: ClosedRange<Int32>, columns: ClosedRange<Int32>)? {
        let low = Cell(max(shape.south, -90), max(shape.west, -180))
        let high = Cell(min(shape.north, 90), min(shape.east, 180))
        guard low.row <= high.row, low.column <= high.column else { return nil }
        let count = (Int(high.row) - Int(low.row) + 1) * (Int(high.column) - Int(low.column) + 1)
        return count <= Self.maximumCells ? (low.row...high.row, low.column...high.column) : nil
    }
}
