import TerminalModel

/// What is handed over is followed to its end: who, by when, reminded, and raised again when it is overdue.
extension IncidentEngine {
    /// The time by which what is handed over now is due.
    func dueTime(_ asked: Timestamp?, of service: Service, now: Moment) -> Timestamp? {
        if let asked { return asked }
        return rules.services[service]?.dueSeconds.map { now.wall.adding(milliseconds: Int64($0) * 1000) }
    }

    /// Begins to follow an incident that was handed over, in place of what was followed before.
    func startSupervision(_ draft: inout Draft, now: Moment) {
        draft.incident.supervision = nil
        guard let dueAt = draft.incident.dueAt else { return }
        let left = max(0, dueAt.milliseconds &- now.wall.milliseconds)
        let lead = Int64(rules.supervision.remindSeconds) * 1000
        let isReminded = lead > 0 && left > lead
        draft.incident.supervision = Supervision(
            stage: isReminded ? .reminder : .overdue,
            next: deadline(inMilliseconds: isReminded ? left - lead : left, now: now))
    }

    /// Reminds, or raises attention since it is overdue.
    func supervise(_ draft: inout Draft, now: Moment) {
        guard let supervision = draft.incident.supervision else { return }
        let owner = draft.incident.owner ?? "nobody"
        let due = draft.incident.dueAt.map { " was due at \($0)" } ?? ""
        switch supervision.stage {
        case .reminder:
            let lead = rules.supervision.remindSeconds
            draft.write(.reminder, by: "gateway", "\(owner) has \(lead) s left", at: now.wall)
            draft.incident.supervision = Supervision(
                stage: .overdue, next: deadline(inMilliseconds: Int64(lead) * 1000, now: now))
            draft.tell(.due, to: toldTargets(of: draft.incident, ordinaryOnly: true), at: now.wall)
        case .overdue:
            draft.incident.timesOverdue = (draft.incident.timesOverdue ?? 0) + 1
            draft.write(.overdue, by: "gateway", "\(owner)\(due) and has not closed it", at: now.wall)
            let wait = Int64(rules.supervision.overdueSeconds) * 1000
            draft.incident.supervision?.next = deadline(inMilliseconds: wait, now: now)
            if !draft.incident.state.awaitsHuman { reopen(&draft, now: now) }
        }
    }

    func restoredSupervision(of incident: Incident, now: Moment) -> Supervision? {
        guard var supervision = incident.supervision else { return nil }
        supervision.next = restored(supervision.next, of: incident, longestMilliseconds: .max, now: now)
        return supervision
    }
}
