import Geofencing
import IncidentCore
import IncidentStore
import TerminalModel

/// The fences in force and how each terminal stands to them.
struct FenceRules: ~Copyable {
    private var engine: FenceEngine
    /// Fences that exist and are not in force.
    private var disabled: Set<String> = []
    private(set) var isEmpty = true

    /// Some fence asks for a person's groups.
    var usesGroups: Bool { engine.usesGroups }

    init(_ plans: [FencePlan]) {
        engine = FenceEngine(plans)
        disabled = Set(plans.lazy.filter { !$0.isEnabled }.map(\.id))
        isEmpty = engine.count == 0
    }

    /// Goes on from what was stored of a terminal.
    mutating func seed(_ state: FenceStateRecord, number: UInt32) {
        engine.seed(fence: state.fence, number: number, isInside: state.isInside, since: state.since)
    }

    mutating func set(_ plans: [FencePlan]) {
        for plan in plans {
            if plan.isEnabled { disabled.remove(plan.id) } else { disabled.insert(plan.id) }
            engine.set(plan)
        }
        isEmpty = engine.count == 0
    }

    /// False when there is no such fence.
    mutating func remove(_ id: String) -> Bool {
        let wasDisabled = disabled.remove(id) != nil
        let wasThere = engine.remove(id)
        isEmpty = engine.count == 0
        return wasThere || wasDisabled
    }

    /// The lines that a live position crossed.
    mutating func observe(
        _ event: TerminalEvent, of number: UInt32, person: String?, groups: [String], now: Moment
    ) -> [Condition] {
        guard !isEmpty, !event.historical, let position = event.position else { return [] }
        let crossings = engine.evaluate(
            terminal: event.terminal, number: number, position: position, person: person,
            groups: groups, now: now)
        guard !crossings.isEmpty else { return [] }
        return crossings.map { crossing in
            .fenceCrossed(
                fence: crossing.fence, name: crossing.name, entered: crossing.direction == .entered,
                isViolation: crossing.isViolation, at: crossing.at)
        }
    }

    /// What has to be written since the last time.
    mutating func takeChangedStates() -> [FenceStateRecord] {
        guard !isEmpty else { return [] }
        return engine.takeChangedStates().map {
            FenceStateRecord(terminal: $0.terminal, fence: $0.fence, isInside: $0.isInside, since: $0.since)
        }
    }

    mutating func forget(_ number: UInt32) { engine.forget(number) }
}
