import Foundation
import GatewayTelemetry
import Geofencing
import IncidentCore
import IncidentStore
import Logging
import TerminalModel

/// The fences in force and how each terminal stands to them.
struct FenceRules: ~Copyable {
    private var engine: FenceEngine
    private(set) var fences: [String: Fence]
    /// Some fence asks for a person's groups, so a position costs the look-up of a card.
    private(set) var usesGroups = false
    private(set) var isEmpty = true

    /// Takes over what was stored; a row that does not read back is left out and named in the log.
    init(_ records: [FenceRecord], states: [FenceStateRecord], logger: Logger) {
        var fences: [String: Fence] = [:]
        for record in records {
            do {
                fences[record.id] = try JSONDecoder().decode(Fence.self, from: Data(record.json.utf8))
            } catch {
                logger.error(
                    "A stored fence cannot be read and is not in force",
                    metadata: .keyed([.fenceID: "\(record.id)", .errorDetail: "\(error)"]))
            }
        }
        self.fences = fences
        engine = FenceEngine(fences.values.sorted { $0.id < $1.id })
        engine.seed(
            states.compactMap { try? JSONDecoder().decode(FenceState.self, from: Data($0.json.utf8)) })
        summarise()
    }

    mutating func set(_ new: [Fence]) {
        guard !new.isEmpty else { return }
        for fence in new { fences[fence.id] = fence }
        engine.replace(fences.values.sorted { $0.id < $1.id })
        summarise()
    }

    mutating func remove(_ id: String) -> Bool {
        guard fences.removeValue(forKey: id) != nil else { return false }
        engine.replace(fences.values.sorted { $0.id < $1.id })
        summarise()
        return true
    }

    /// The lines that a live position crossed.
    mutating func observe(
        _ event: TerminalEvent, person: String?, groups: () -> [String], now: Moment
    ) -> [Condition] {
        guard !isEmpty, !event.historical, let position = event.position else { return [] }
        return engine.evaluate(
            terminal: event.terminal, position: position, person: person, groups: usesGroups ? groups() : [], now: now
        ).map { crossing in
            .fenceCrossed(
                fence: crossing.fence, name: crossing.name, entered: crossing.direction == .entered,
                isViolation: crossing.isViolation, at: crossing.at)
        }
    }

    /// What has to be written since the last time.
    mutating func takeChangedStates() -> [FenceStateRecord] {
        guard !isEmpty else { return [] }
        return engine.takeChangedStates().compactMap { state in
            guard let json = try? JSONEncoder().encode(state) else { return nil }
            return FenceStateRecord(
                terminal: state.terminal, fence: state.fence, json: String(decoding: json, as: UTF8.self))
        }
    }

    mutating func forget(_ terminal: TerminalID) { engine.forget(terminal) }

    private mutating func summarise() {
        isEmpty = fences.isEmpty
        usesGroups = fences.values.contains { if case .groups = $0.scope { true } else { false } }
    }
}
