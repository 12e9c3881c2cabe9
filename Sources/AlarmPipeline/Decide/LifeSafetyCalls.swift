public import IncidentCore
public import TerminalModel

/// The open life-safety incidents that wait for a human: while there is one, the siren sounds (promise P3).
public struct LifeSafetyCalls: Sendable, Equatable {
    /// The longest waiting first.
    public private(set) var incidents: [IncidentID] = []
    /// Grows with every press that asks for a human, also in an incident that waits already.
    public private(set) var presses: UInt64 = 0
    /// When each of them last called: what a human took over before does not answer it.
    public private(set) var calledAt: [IncidentID: Timestamp] = [:]

    public init(incidents: [IncidentID] = [], presses: UInt64 = 0, calledAt: [IncidentID: Timestamp] = [:]) {
        self.incidents = incidents
        self.presses = presses
        self.calledAt = calledAt
    }

    /// Takes over what the last run left.
    mutating func restore(_ restored: [Incident]) {
        for incident in restored where incident.state.isOpen {
            follow(incident)
            guard incidents.last == incident.id else { continue }
            calledAt[incident.id] = max(incident.openedAt, incident.episode.lastRaisedAt ?? incident.openedAt)
        }
    }

    mutating func follow(_ change: IncidentChange) {
        guard change.incident.service.isLifeSafety else { return }
        follow(change.incident)
        let call = change.entries.last { $0.kind == .opened || $0.kind == .raisedAgain }
        guard let call, change.incident.state.awaitsHuman else { return }
        presses += 1
        calledAt[change.incident.id] = call.at
    }

    private mutating func follow(_ incident: Incident) {
        guard incident.service.isLifeSafety else { return }
        let place = incidents.firstIndex(of: incident.id)
        switch (incident.state.awaitsHuman, place) {
        case (true, nil): incidents.append(incident.id)
        case (false, let place?):
            incidents.remove(at: place)
            calledAt[incident.id] = nil
        default: break
        }
    }
}
