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
/// what is near it. One owner calls it, one call at a time. Source: DESIGN section 7.
public struct FenceEngine: ~Copyable {
    private struct Entry {
        var fence: Int
        /// nil until a position was beyond doubt.
        var isInside: Bool?
        /// The latest decided positions, newest lowest: 1 where they contradict `isInside`.
        var history: UInt32 = 0
        /// When they began to.
        var contradictedSince: Int64?
        var since: Timestamp
    }

    /// What a decision needs of a fence beside its shape, as plain numbers.
    private struct Terms {
        var rule: Fence.Rule
        var window: UInt32
        var confirmations: Int
        var dwellMilliseconds: Int64
        /// Whether it is found through the grid.
        var isInGrid = false

        init(_ fence: Fence) {
            rule = fence.rule
            window = fence.confirmationWindow >= 32 ? .max : (1 << UInt32(fence.confirmationWindow)) &- 1
            confirmations = fence.confirmations
            dwellMilliseconds = Int64(fence.dwellSeconds) * 1000
        }
    }

    private var fences: [Fence] = []
    private var shapes: [PreparedFence] = []
    private var terms: [Terms] = []
    private var edges: [PreparedFence.Edge] = []
    private var indices: [String: Int] = [:]
    private var ofPerson: [String: [Int]] = [:]
    private var ofGroup: [String: [Int]] = [:]
    private var near: [Cell: [Int]] = [:]
    /// Fences for everybody that cover too many cells, or that must be looked at wherever somebody is.
    private var everywhere: [Int] = []
    private var terminals: [TerminalID: [Entry]] = [:]
    private var changed: [FenceState] = []

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

    /// Converts each fence to the terminals' datum, once; disabled ones are left out, and of two with one id the later
    /// one counts.
    public init(_ fences: [Fence] = []) {
        prepare(fences)
    }

    /// Fences that are in force.
    public var count: Int { fences.count }

    /// Takes new fences over; what is known of terminals stays for the fences that are still there and the same.
    public mutating func replace(_ newFences: [Fence]) {
        let kept = exportStates(onlyUnchangedBy: newFences)
        terminals = [:]
        prepare(newFences)
        seed(kept)
    }

    /// Where a position is, seen from one fence; `unknown` also for a fence that is not in force.
    public func answer(_ position: Position?, for fence: String) -> FenceAnswer {
        guard let index = indices[fence], let position, let place = Self.place(of: position) else { return .unknown }
        return answer(place, accuracy: Self.accuracy(of: position), index)
    }
}

// MARK: - Deciding

extension FenceEngine {
    /// Weighs one live position of a terminal against every fence that concerns it.
    ///
    /// Hand in positions in the order they were taken and none that were stored; one that is not valid decides nothing.
    /// The first position beyond doubt is a crossing only when it is on the forbidden side.
    /// - Parameters:
    ///   - person: whose terminal it is, if anybody knows.
    ///   - groups: that person's groups.
    public mutating func evaluate(
        terminal: TerminalID, position: Position?, person: String?, groups: [String], now: Moment
    ) -> [FenceCrossing] {
        guard !fences.isEmpty, let position, let place = Self.place(of: position) else { return [] }
        let accuracy = Self.accuracy(of: position)
        let wasSeen = terminals[terminal] != nil
        // Taken out and put back, so that the entries are changed in place.
        var entries = terminals.updateValue([], forKey: terminal) ?? []
        var found: [FenceCrossing] = []
        for fence in everywhere {
            weigh(fence, place, accuracy, terminal, wasSeen, now, &entries, &found)
        }
        if let person, let own = ofPerson[person] {
            for fence in own { weigh(fence, place, accuracy, terminal, wasSeen, now, &entries, &found) }
        }
        for (index, group) in groups.enumerated() {
            guard let own = ofGroup[group] else { continue }
            for fence in own where !isOf(fence, groups[..<index]) {
                weigh(fence, place, accuracy, terminal, wasSeen, now, &entries, &found)
            }
        }
        let local = near.isEmpty ? nil : near[Cell(place.latitudeDegrees, place.longitudeDegrees)]
        if let local {
            for fence in local { weigh(fence, place, accuracy, terminal, wasSeen, now, &entries, &found) }
        }
        // Whoever is inside a fence for everybody must be looked at to see him leave, however far he went.
        for entry in entries where terms[entry.fence].isInGrid && local?.contains(entry.fence) != true {
            weigh(entry.fence, place, accuracy, terminal, wasSeen, now, &entries, &found)
        }
        entries.removeAll { terms[$0.fence].isInGrid && $0.isInside == false && $0.history == 0 }
        terminals[terminal] = entries
        return found
    }

    /// The states that changed since the last call, for whoever keeps them.
    public mutating func takeChangedStates() -> [FenceState] {
        defer { changed.removeAll(keepingCapacity: true) }
        return changed
    }

    /// Everything that is known, for a copy; for a restart the changed states are enough.
    public func exportStates() -> [FenceState] { exportStates(onlyUnchangedBy: nil) }

    /// Goes on from kept states; those of fences that are not in force are ignored.
    public mutating func seed(_ states: some Sequence<FenceState>) {
        for state in states {
            guard let fence = indices[state.fence] else { continue }
            var entries = terminals[state.terminal] ?? []
            entries.removeAll { $0.fence == fence }
            entries.append(Entry(fence: fence, isInside: state.isInside, since: state.since))
            terminals[state.terminal] = entries
        }
    }

    /// The terminal left the lists.
    public mutating func forget(_ terminal: TerminalID) {
        terminals[terminal] = nil
    }
}

extension FenceEngine {
    private mutating func weigh(
        _ fence: Int, _ place: Coordinate, _ accuracy: Double, _ terminal: TerminalID, _ wasSeen: Bool, _ now: Moment,
        _ entries: inout [Entry], _ found: inout [FenceCrossing]
    ) {
        let answer = answer(place, accuracy: accuracy, fence)
        guard answer != .unknown else { return }
        let isInside = answer == .inside
        if let slot = entries.firstIndex(where: { $0.fence == fence }) {
            if let crossing = update(&entries[slot], isInside, terminal, now) { found.append(crossing) }
            return
        }
        // A terminal is outside of what it never came near, and nothing is kept of that.
        let isInGrid = terms[fence].isInGrid
        if isInGrid, !isInside { return }
        var entry = Entry(fence: fence, isInside: wasSeen && isInGrid ? false : nil, since: now.wall)
        if let crossing = update(&entry, isInside, terminal, now) { found.append(crossing) }
        entries.append(entry)
    }

    /// True when one of the groups has the fence, so that it was weighed already.
    private func isOf(_ fence: Int, _ groups: ArraySlice<String>) -> Bool {
        groups.contains { ofGroup[$0]?.contains(fence) ?? false }
    }

    private mutating func update(
        _ entry: inout Entry, _ isInside: Bool, _ terminal: TerminalID, _ now: Moment
    ) -> FenceCrossing? {
        let terms = terms[entry.fence]
        let contradicts = entry.isInside != isInside
        entry.history = (entry.history << 1 | (contradicts ? 1 : 0)) & terms.window
        guard entry.history != 0 else {
            entry.contradictedSince = nil
            return nil
        }
        if entry.contradictedSince == nil { entry.contradictedSince = now.monotonicMilliseconds }
        let stayed = now.monotonicMilliseconds &- (entry.contradictedSince ?? now.monotonicMilliseconds)
        guard contradicts, entry.history.nonzeroBitCount >= terms.confirmations,
            stayed >= terms.dwellMilliseconds
        else { return nil }

        let fence = fences[entry.fence]
        let isFirst = entry.isInside == nil
        entry.isInside = isInside
        entry.history = 0
        entry.contradictedSince = nil
        entry.since = now.wall
        changed.append(FenceState(terminal: terminal, fence: fence.id, isInside: isInside, since: now.wall))
        let isViolation =
            switch fence.rule {
            case .insideForbidden: isInside
            case .outsideForbidden: !isInside
            case .both: !isFirst
            }
        guard !isFirst || isViolation else { return nil }
        return FenceCrossing(
            fence: fence.id, name: fence.name, direction: isInside ? .entered : .left, isViolation: isViolation,
            at: now.wall)
    }

    private func answer(_ place: Coordinate, accuracy: Double, _ fence: Int) -> FenceAnswer {
        let margin = max(accuracy, shapes[fence].hysteresisMetres)
        let depth = shapes[fence].depthMetres(of: place, enough: margin, edges: edges)
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
        Double(max(0, position.accuracyMetres ?? 0))
    }
}

// MARK: - Preparing

extension FenceEngine {
    private mutating func prepare(_ newFences: [Fence]) {
        fences = []
        indices = [:]
        ofPerson = [:]
        ofGroup = [:]
        near = [:]
        everywhere = []
        shapes = []
        terms = []
        edges = []
        var last: [String: Int] = [:]
        for (index, fence) in newFences.enumerated() { last[fence.id] = index }
        for (position, fence) in newFences.enumerated() where fence.isEnabled && last[fence.id] == position {
            let index = fences.count
            let prepared = PreparedFence(fence, edges: &edges)
            fences.append(fence)
            shapes.append(prepared)
            terms.append(Terms(fence))
            indices[fence.id] = index
            switch fence.scope {
            case .persons(let persons): for person in Set(persons) { ofPerson[person, default: []].append(index) }
            case .groups(let groups): for group in Set(groups) { ofGroup[group, default: []].append(index) }
            case .everybody: enter(index, prepared)
            }
        }
    }

    /// Puts a fence for everybody into the cells that it touches.
    private mutating func enter(_ index: Int, _ prepared: PreparedFence) {
        guard terms[index].rule != .outsideForbidden else { return everywhere.append(index) }
        let low = Cell(max(prepared.south, -90), max(prepared.west, -180))
        let high = Cell(min(prepared.north, 90), min(prepared.east, 180))
        guard low.row <= high.row, low.column <= high.column else { return everywhere.append(index) }
        let count = (Int(high.row) - Int(low.row) + 1) * (Int(high.column) - Int(low.column) + 1)
        guard count <= Self.maximumCells else { return everywhere.append(index) }
        terms[index].isInGrid = true
        for row in low.row...high.row {
            for column in low.column...high.column {
                near[Cell(row: row, column: column), default: []].append(index)
            }
        }
    }

    private func exportStates(onlyUnchangedBy newFences: [Fence]?) -> [FenceState] {
        var unchanged: Set<Int>?
        if let newFences {
            unchanged = Set(
                newFences.compactMap { fence in
                    indices[fence.id].flatMap { fences[$0].shape == fence.shape ? $0 : nil }
                })
        }
        var states: [FenceState] = []
        for (terminal, entries) in terminals {
            for entry in entries where unchanged?.contains(entry.fence) ?? true {
                guard let isInside = entry.isInside else { continue }
                states.append(
                    FenceState(
                        terminal: terminal, fence: fences[entry.fence].id, isInside: isInside,
                        since: entry.since))
            }
        }
        return states
    }
}
