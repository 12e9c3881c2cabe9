public import IncidentCore

/// The open life-safety incidents that wait for a human: while there is one, the siren sounds (promise P3).
public struct LifeSafetyCalls: Sendable, Equatable {
    /// The longest waiting first.
    public private(set) var incidents: [IncidentID] = []
    /// Grows with every press that asks for a human, also in an incident that waits already.
    public private(set) var presses: UInt64 = 0

    /// Takes over what the last run left.
    mutating func restore(_ restored: [Incident]) {
        for incident in restored where incident.state.isOpen { follow(incident) }
    }

    mutating func follow(_ change: IncidentChange) {
        guard change.incident.service.isLifeSafety else { return }
        follow(change.incident)
        let calls = change.entries.contains { $0.kind == .opened || $0.kind == .raisedAgain }
        if calls, change.incident.state.awaitsHuman { presses += 1 }
    }

    private mutating func follow(_ incident: Incident) {
        guard incident.service.isLifeSafety else { return }
        let place = incidents.firstIndex(of: incident.id)
        switch (incident.state.awaitsHuman, place) {
        case (true, nil): incidents.append(incident.id)
        case (false, let place?): incidents.remove(at: place)
        default: break
        }
    }
}
