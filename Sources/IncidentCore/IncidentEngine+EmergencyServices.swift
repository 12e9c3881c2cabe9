import TerminalModel

// What stands between an incident and an emergency service, beside commissioning, trust, consent and age.

extension IncidentEngine {
    private static let hourMilliseconds: Int64 = 3_600_000

    /// Marks an incident that begins in a drill.
    ///
    /// - Parameter pressedAt: when that was by a terminal that kept it; one that cannot say, or says before the drill, is real.
    func markDrill(_ draft: inout Draft, pressedAt: Timestamp?, now: Moment) {
        guard draft.incident.isDrill != true, let drill, drill.includes(draft.person, at: now.wall), let pressedAt,
            drill.startedAt <= pressedAt
        else { return }
        draft.incident.isDrill = true
        draft.write(
            .note, by: "gateway",
            "drill of \(drill.startedBy) until \(drill.until): no emergency service hears of it", at: now.wall)
    }

    /// A further press when the drill is over is no exercise, whatever the incident began as.
    func endDrill(_ draft: inout Draft, now: Moment) {
        guard draft.incident.isDrill == true, drill?.includes(draft.person, at: now.wall) != true,
            !isStillTest(draft.incident, now: now)
        else { return }
        let what = draft.incident.testPress == nil ? "no drill is on any more" : "it is no test press any more"
        draft.incident.isDrill = nil
        draft.write(.note, by: "gateway", "\(what): this press is real", at: now.wall)
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
        now.wall.milliseconds &- call.milliseconds < hourMilliseconds
    }
}
