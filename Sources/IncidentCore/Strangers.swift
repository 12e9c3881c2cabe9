import TerminalModel

/// Keeps the incidents of terminals in no list from growing without bound: beyond a limit they share one incident a
/// matter, which counts them (promise P6). Nothing is muted: each press is stored with its frame and raises attention
/// (promise P2).
struct Strangers {
    /// Terminals whose presses are told apart; what comes from further ones counts as a press each time.
    static let maximumRemembered = 100_000

    /// What is remembered of a terminal that shares an incident.
    private struct Guest {
        var incident: IncidentID
        var matter: Matter
        /// A level alarm is still set: its reports are no further press.
        var isHeld: Bool
        /// The last press, so that its retransmission is recognised.
        var frame: SeenFrame
    }

    /// Open incidents of one stranger each, with the peer's address where it is known.
    private var alone: [IncidentID: String] = [:]
    private var ofPeer: [String: Int] = [:]
    /// The open incident that gathers further ones.
    private var gathering: [Matter: IncidentID] = [:]
    /// A terminal rarely shares more than one.
    private var guests: [TerminalID: [Guest]] = [:]

    func concerns(_ terminal: TerminalID) -> Bool { !guests.isEmpty && guests[terminal] != nil }

    func incident(for matter: Matter) -> IncidentID? { gathering[matter] }

    /// True when one more stranger has to share.
    func isFull(for peer: String, _ rules: IncidentRules) -> Bool {
        alone.count >= rules.unidentifiedLimit
            || ofPeer[Self.host(peer)] ?? 0 >= rules.unidentifiedLimitPerPeer
    }

    /// Follows an incident as it is after a change.
    mutating func follow(_ incident: Incident, peer: String?) {
        let isStranger = incident.trust == .unknown && incident.person == nil && incident.state.isOpen
        if incident.gathered != nil {
            let matter = Matter(incident)
            if isStranger {
                gathering[matter] = incident.id
            } else if gathering[matter] == incident.id {
                gathering[matter] = nil
                dropGuests(of: incident.id)
            }
        } else if isStranger {
            guard alone[incident.id] == nil else { return }
            let host = peer.map(Self.host) ?? ""
            alone[incident.id] = host
            ofPeer[host, default: 0] += 1
        } else if let host = alone.removeValue(forKey: incident.id) {
            let left = (ofPeer[host] ?? 1) - 1
            ofPeer[host] = left > 0 ? left : nil
        }
    }

    /// A press of a terminal that shares: nil when it is part of one that was counted already.
    ///
    /// - Returns: whether the terminal itself is new in the incident.
    mutating func admit(
        _ terminal: TerminalID, _ matter: Matter, to incident: Incident, isLevel: Bool, _ sighting: Sighting
    ) -> Bool? {
        let guest = Guest(incident: incident.id, matter: matter, isHeld: isLevel, frame: SeenFrame(sighting))
        guard let index = guests[terminal]?.firstIndex(where: { $0.matter == matter }),
            let known = guests[terminal]?[index]
        else {
            if guests.count < Self.maximumRemembered || guests[terminal] != nil {
                guests[terminal, default: []].append(guest)
            }
            return true
        }
        // As `Incident.hasSeen`.
        let mayRepeat = sighting.sequence != nil || incident.state.awaitsHuman
        if known.isHeld || mayRepeat && known.frame.isRepeated(by: sighting) { return nil }
        guests[terminal]?[index] = guest
        return false
    }

    /// A report without the alarms of a matter ends the press, so that the next one counts.
    mutating func endLevels(of terminal: TerminalID, except matters: [Matter]) {
        guard concerns(terminal), let known = guests[terminal] else { return }
        for (index, guest) in known.enumerated() where !matters.contains(guest.matter) {
            guests[terminal]?[index].isHeld = false
        }
    }

    private mutating func dropGuests(of incident: IncidentID) {
        guests = guests.compactMapValues { guests in
            let left = guests.filter { $0.incident != incident }
            return left.isEmpty ? nil : left
        }
    }

    /// The address without its port, which is another at every connection.
    private static func host(_ peer: String) -> String {
        guard let colon = peer.lastIndex(of: ":") else { return peer }
        return String(peer[..<colon])
    }
}

extension IncidentEngine {
    /// A press of a terminal in no list that gets no incident of its own: counted in the one that gathers them.
    mutating func gather(
        _ matter: Matter, _ causes: [String], levels: [String], _ context: ReportContext, into decision: inout Decision
    ) {
        guard let id = strangers.incident(for: matter), let incident = incidents[id] else {
            open(matter, causes, levels: levels, over: nil, gathered: 0, context, into: &decision)
            return
        }
        let terminal = context.event.terminal
        guard
            let isNew = strangers.admit(
                terminal, matter, to: incident, isLevel: !levels.isEmpty, context.sighting)
        else { return }
        var draft = Draft(incident: incident, person: nil)
        draft.evidence = context.evidence
        if isNew { draft.incident.gathered = (incident.gathered ?? 0) + 1 }
        for cause in causes where !draft.incident.causes.contains(cause) { draft.incident.causes.append(cause) }
        let count = (draft.incident.gathered ?? 0) + 1
        pressAgain(
            &draft,
            "\(causes.joined(separator: ", ")) of terminal \(terminal) over \(context.report.bearer.rawValue) "
                + "\(context.report.peer), unidentified: \(count) terminals in no list",
            by: context.actor, isLimited: true, now: context.now)
        commit(draft, into: &decision, now: context.now)
    }
}
