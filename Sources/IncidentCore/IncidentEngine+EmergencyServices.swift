import TerminalModel

// What stands between an incident and an emergency service, beside commissioning, trust, consent and age.

extension IncidentEngine {
    /// Marks an incident that begins in a drill.
    func markDrill(_ draft: inout Draft, now: Moment) {
        guard let drill, drill.includes(draft.person, at: now.wall) else { return }
        draft.incident.isDrill = true
        draft.write(
            .note, by: "gateway",
            "drill of \(drill.startedBy) until \(drill.until): no emergency service hears of it", at: now.wall)
    }

    /// Why no emergency service is called once more: more calls than that ask a human (promise P7).
    func reasonToSpareCall(_ incident: Incident, now: Moment) -> String? {
        let made = incident.episode.emergencyCalls?.count ?? 0
        if made >= rules.emergencyCallsPerIncident {
            return "called \(made) times for this incident, the most allowed: a human must call"
        }
        let lately = emergencyCalls.count { Self.isWithinHour($0, now: now) }
        if lately >= rules.emergencyCallsPerHour {
            return "\(rules.emergencyCallsPerHour) calls within an hour, the most allowed: a human must call"
        }
        return nil
    }

    /// Counts one call when an emergency service is among the targets that are about to be told.
    func countCall(of targets: [String], in draft: inout Draft, now: Moment) {
        let calls = targets.contains { name in rules.targets.contains { $0.name == name && $0.isEmergencyService } }
        if calls { draft.incident.episode.emergencyCalls = (draft.incident.episode.emergencyCalls ?? []) + [now.wall] }
    }

    /// Takes over the calls that a stored change has made.
    mutating func followCalls(_ incident: Incident, before: Incident?, now: Moment) {
        let known = before?.episode.emergencyCalls?.count ?? 0
        guard let calls = incident.episode.emergencyCalls, calls.count > known else { return }
        emergencyCalls.removeAll { !Self.isWithinHour($0, now: now) }
        emergencyCalls += calls[known...]
    }

    /// A call dated in the future was made before the clock was set back: it counts.
    private static func isWithinHour(_ call: Timestamp, now: Moment) -> Bool {
        now.wall.milliseconds &- call.milliseconds < DialGuard.hourMilliseconds
    }
}
