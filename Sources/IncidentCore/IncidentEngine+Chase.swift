public import TerminalModel

/// After an SOS the position is chased: the terminal is asked at once, then reports fast until the incident is closed.
///
/// It is a timer of its own that is due at once, so that the SOS and its notices never wait for it.
extension IncidentEngine {
    /// Asked again so long before the terminal would return to normal.
    static let chaseOverlapMilliseconds: Int64 = 30_000
    /// What sets a terminal back to normal waits for it this long: it may have no battery or no network now.
    static let restoreLifetimeSeconds = 7 * 86_400

    /// Makes asking due now, for a life-safety incident.
    func startChase(_ draft: inout Draft, now: Moment) {
        guard rules.chase != nil, draft.incident.service.isLifeSafety else { return }
        let usesReportInterval = draft.incident.chase?.usesReportInterval ?? false
        draft.incident.chase = Chase(
            next: deadline(inMilliseconds: 0, now: now), usesReportInterval: usesReportInterval)
    }

    /// Asks for the position now and for fast reports, and sets the time for asking again.
    func chase(_ draft: inout Draft, now: Moment) {
        guard let rules = rules.chase, let chase = draft.incident.chase else {
            draft.incident.chase = nil
            draft.mustStore = true
            return
        }
        draft.order(.locate)
        draft.order(
            chase.usesReportInterval
                ? .reportInterval(seconds: rules.intervalSeconds)
                : .track(intervalSeconds: rules.intervalSeconds, durationSeconds: rules.periodSeconds))
        let wait = Int64(rules.periodSeconds) * 1000 - Self.chaseOverlapMilliseconds
        draft.incident.chase?.next = deadline(inMilliseconds: max(wait, Self.chaseOverlapMilliseconds), now: now)
        draft.mustStore = true
    }

    /// The incident is closed: the terminal returns to normal.
    func endChase(_ draft: inout Draft) {
        guard let chase = draft.incident.chase else { return }
        draft.incident.chase = nil
        let normal = rules.chase?.normalIntervalSeconds ?? ChaseRules().normalIntervalSeconds
        draft.order(
            chase.usesReportInterval
                ? .reportInterval(seconds: normal) : .track(intervalSeconds: 0, durationSeconds: 0),
            lifetimeSeconds: Self.restoreLifetimeSeconds)
    }

    /// The terminal could not do what the gateway ordered on an incident's account. One that cannot be tracked for a time
    /// is told to report fast until it is told otherwise.
    public mutating func commandFailed(_ command: TerminalCommand, of id: IncidentID, now: Moment) -> Decision {
        var decision = Decision()
        guard case .track(let interval, _) = command, interval > 0, let rules = rules.chase,
            let incident = incidents[id], let chase = incident.chase, !chase.usesReportInterval
        else { return decision }
        var draft = Draft(incident: incident, person: nil)
        draft.incident.chase?.usesReportInterval = true
        draft.write(
            .command, by: "gateway",
            "it cannot be tracked for a time: it is to report every \(rules.intervalSeconds) s until closing",
            at: now.wall)
        draft.order(.reportInterval(seconds: rules.intervalSeconds))
        commit(draft, into: &decision, now: now)
        return decision
    }

    func restoredChase(of incident: Incident, now: Moment) -> Chase? {
        guard let rules = rules.chase, incident.service.isLifeSafety else { return incident.chase }
        guard var chase = incident.chase else { return Chase(next: deadline(inMilliseconds: 0, now: now)) }
        chase.next = restored(
            chase.next, of: incident, longestMilliseconds: Int64(rules.periodSeconds) * 1000, now: now)
        return chase
    }
}
