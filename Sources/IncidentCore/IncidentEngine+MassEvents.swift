public import TerminalModel

extension TerminalID {
    /// Stands for the site as a whole where an incident is of no single terminal: `fffd` and 18 zeros. As long as an identity that
    /// `nameless(at:)` made up, so that no protocol's own is taken for it.
    public static let site = TerminalID(nibbles: 0xFFFD << 72)
}

extension IncidentEngine {
    static let massCausePrefix = "mass_"

    /// Many terminals at once: opens the one incident that stands for all of them, or adds to it while it is open.
    ///
    /// - Parameters:
    ///   - affected: how many it is now; the incident keeps the most.
    ///   - isEnd: nobody is told, and nothing is opened.
    public mutating func massEvent(
        _ kind: MassEventWatch.Kind, _ detail: String, affected: Int, isEnd: Bool, now: Moment
    ) -> Decision {
        var decision = Decision()
        forgetClosed(now: now)
        let open = known(.site, about: .infrastructure).first { $0.state.isOpen }
        if let open {
            var draft = Draft(incident: open, person: nil)
            if !open.causes.contains(kind.rawValue) { draft.incident.causes.append(kind.rawValue) }
            if !isEnd { draft.incident.affected = max(affected, open.affected ?? 0) }
            draft.write(.note, by: "gateway", detail, at: now.wall)
            if !isEnd { draft.tell(.updated, to: toldTargets(of: draft.incident), at: now.wall) }
            commit(draft, into: &decision, now: now)
        } else if !isEnd {
            // The gateway says so itself: there is nobody whose identity could be in doubt.
            var incident = Incident(
                id: freshID(), service: .securityAlarm, terminal: .site, person: nil, trust: .verified,
                causes: [kind.rawValue], openedAt: now.wall)
            incident.affected = affected
            var draft = Draft(incident: incident, person: nil)
            draft.write(.opened, by: "gateway", detail, at: now.wall)
            startLadder(&draft, now: now)
            commit(draft, into: &decision, now: now)
        }
        settleDeadlines()
        return decision
    }
}
