public import TerminalModel

/// Turns reports, conditions, operators' acts and the passing of time into incidents and the notices they owe.
///
/// A pure state machine: it asks for no clock and does no I/O. What a decision holds has already happened in here; the
/// caller stores it, then acts on it. One owner calls it, one call at a time. Source: DESIGN section 6, promises P2-P4,
/// P7 and P8.
public struct IncidentEngine: ~Copyable {
    /// Closed incidents are remembered this long, so that what belongs to them still finds them.
    public static let closedMemorySeconds = 86_400
    /// The most closed incidents that are remembered; the oldest go first.
    public static let maximumClosedRemembered = 50_000
    /// The most incidents whose ladder one call of `advance` moves; the rest stays due.
    public static let maximumAdvancedAtOnce = 512

    /// Replaced on reload; open incidents go on with the new ladder at their next step.
    public var rules: IncidentRules

    let bootID: String
    let makeID: @Sendable () -> IncidentID
    /// Open ones and those closed within `closedMemorySeconds`.
    var incidents: [IncidentID: Incident] = [:]
    /// The incidents of each terminal that has any, oldest first.
    var byTerminal: [TerminalID: [IncidentID]] = [:]
    /// The latest card seen of the person of each open incident.
    var cards: [IncidentID: Person] = [:]
    /// Incidents of terminals in no list.
    var strangers = Strangers()
    var openCount = 0
    var deadlines = DeadlineHeap()
    /// Closed incidents in the order of closing, with the moment each was closed on the monotonic clock.
    var closed: [(milliseconds: Int64, id: IncidentID)] = []
    var closedHead = 0
    /// Calls to emergency services within the last hour, of all incidents.
    var emergencyCalls: [Timestamp] = []
    /// What is pressed in it is an exercise; nil or over: everything is real.
    public var drill: Drill?
    /// Announced test presses by person, and whether each was pressed.
    var testWindows: [String: (window: TestWindow, isUsed: Bool)] = [:]
    /// Protocols whose alarms are bits that stay set.
    var levelProtocols = Set(ProtocolName.allCases.filter(\.alarmsAreLevels))

    /// - Parameters:
    ///   - restored: every incident that is not closed, and those closed within the last `closedMemorySeconds`, so that
    ///     a late retransmission is recognised; others are harmless but remembered for nothing. In the order in which they
    ///     were opened, which a wall clock that jumps does not tell.
    ///   - bootID: the boot that `now.monotonicMilliseconds` belongs to. Deadlines of another boot count by the wall
    ///     clock; those in doubt are due at once.
    ///   - makeID: the source of random ids.
    public init(
        rules: IncidentRules, restored: [Incident], bootID: String, now: Moment,
        makeID: @escaping @Sendable () -> IncidentID
    ) {
        self.rules = rules
        self.bootID = bootID
        self.makeID = makeID
        restore(restored, now: now)
    }

    /// When `advance` has work; nil when no ladder waits.
    public var nextDeadlineMonotonicMilliseconds: Int64? { deadlines.first?.milliseconds }

    /// An incident that is open or was closed within `closedMemorySeconds`.
    public func incident(_ id: IncidentID) -> Incident? { incidents[id] }

    /// All open incidents, oldest first; costs a walk over them.
    public var openIncidents: [Incident] {
        incidents.values.filter(\.state.isOpen).sorted { ($0.openedAt, $0.id) < ($1.openedAt, $1.id) }
    }

    public var openIncidentCount: Int { openCount }

    /// False when a report of this terminal without alarms and keys means nothing here.
    public func concerns(_ terminal: TerminalID) -> Bool {
        byTerminal[terminal] != nil || strangers.concerns(terminal)
    }

    /// Takes an erased person and the place out of the closed incidents that are remembered, so that what still finds
    /// them does not write the person back.
    public mutating func forget(person: String) {
        for (id, incident) in incidents where incident.person == person && !incident.state.isOpen {
            incidents[id]?.person = nil
            incidents[id]?.position = nil
        }
        testWindows[person] = nil
    }
}

extension ProtocolName {
    /// True where an alarm is a bit that stays set while the press lasts; false where each alarm is an event of its own.
    ///
    /// Source: DESIGN section 6.
    public var alarmsAreLevels: Bool {
        switch self {
        case .jt808: true
        case .dc09, .ev07b, .gt06, .watch: false
        }
    }
}

// MARK: - Keeping

extension IncidentEngine {
    mutating func restore(_ restored: [Incident], now: Moment) {
        for var incident in restored where incidents[incident.id] == nil {
            giveUpLevels(to: incident)
            byTerminal[incident.terminal, default: []].append(incident.id)
            strangers.follow(incident, peer: nil)
            followCalls(incident, before: nil, now: now)
            if incident.state.isOpen {
                openCount += 1
                incident.ladder = restoredLadder(of: incident, now: now)
                incident.chase = restoredChase(of: incident, now: now)
                incident.supervision = restoredSupervision(of: incident, now: now)
                setTimers(of: incident, before: nil)
            }
            incidents[incident.id] = incident
        }
        closed = incidents.values.filter { !$0.state.isOpen }.map { incident in
            let elapsed = now.wall.milliseconds &- (incident.closedAt ?? now.wall).milliseconds
            return (now.monotonicMilliseconds &- max(0, elapsed), incident.id)
        }.sorted { $0.milliseconds < $1.milliseconds }
        forgetClosed(now: now)
    }

    /// A bit that is set belongs to the newest press. One who did not know of the older incident, because its clock was a day
    /// off, could not say so; left to the older one, the next press would be taken for the old one, still held (promise P2).
    private mutating func giveUpLevels(to newer: Incident) {
        let taken = newer.episode.levels.filter { $0.value.present.map { !$0.isPast } ?? false }.keys
        guard !taken.isEmpty else { return }
        for older in known(newer.terminal, about: Matter(newer)) where older.episode.levelHeld {
            var episode = older.episode
            for cause in taken {
                guard var level = episode.levels[cause], level.held else { continue }
                level.held = false
                episode.setLevel(level, of: cause)
            }
            incidents[older.id]?.episode = episode
        }
    }

    /// Puts the deadline on the clock of this boot. Whatever cannot be trusted is due at once (promise P3).
    private func restoredLadder(of incident: Incident, now: Moment) -> LadderPosition? {
        guard var ladder = incident.ladder else {
            guard incident.state.awaitsHuman else { return nil }
            return ladder(step: 0, round: incident.episode.round + 1, inMilliseconds: 0, now: now)
        }
        ladder.deadline = restored(
            ladder.deadline, of: incident, longestMilliseconds: longestWait(for: incident.service), now: now)
        return ladder
    }

    /// A deadline on the clock of this boot.
    func restored(
        _ deadline: Deadline, of incident: Incident, longestMilliseconds: Int64, now: Moment
    ) -> Deadline {
        var remaining =
            deadline.bootID == bootID
            ? deadline.monotonicMilliseconds &- now.monotonicMilliseconds
            : deadline.wall.milliseconds &- now.wall.milliseconds
        let clockWentBack = deadline.bootID != bootID && now.wall < incident.openedAt
        if clockWentBack || remaining < 0 || remaining > longestMilliseconds { remaining = 0 }
        return self.deadline(inMilliseconds: remaining, now: now)
    }

    func deadline(inMilliseconds wait: Int64, now: Moment) -> Deadline {
        Deadline(
            wall: now.wall.adding(milliseconds: wait), monotonicMilliseconds: now.monotonicMilliseconds &+ wait,
            bootID: bootID)
    }

    private mutating func setTimers(of incident: Incident, before: Incident?) {
        for timer in IncidentTimer.allCases {
            guard let due = incident.due(timer), due != before?.due(timer) else { continue }
            deadlines.insert(.init(milliseconds: due, id: incident.id, timer: timer))
        }
    }

    /// Stores what a draft holds and adds it to the decision when anything changed that must be kept.
    mutating func commit(_ draft: consuming Draft, into decision: inout Decision, now: Moment) {
        let incident = draft.incident
        let before = incidents.updateValue(incident, forKey: incident.id)
        strangers.follow(incident, peer: draft.evidence?.peer)
        followCalls(incident, before: before, now: now)
        if before == nil {
            byTerminal[incident.terminal, default: []].append(incident.id)
            openCount += 1
        }
        if before?.state.isOpen ?? true, !incident.state.isOpen {
            openCount -= 1
            closed.append((now.monotonicMilliseconds, incident.id))
            cards[incident.id] = nil
        } else if incident.state.isOpen, let person = draft.person, cards[incident.id] != person {
            cards[incident.id] = person
        }
        setTimers(of: incident, before: before)
        if draft.isChanged {
            decision.changes.append(
                IncidentChange(
                    incident: incident, entries: draft.entries, evidence: draft.evidence,
                    deliveries: draft.deliveries))
        }
        decision.commands += draft.commands
    }

    /// Drops deadlines whose incident has moved on, so that the first one is real.
    mutating func settleDeadlines() {
        while let first = deadlines.first, !isCurrent(first) { deadlines.removeFirst() }
        if deadlines.entries.count > 2 * IncidentTimer.allCases.count * openCount + 64 {
            deadlines.rebuild(
                incidents.values.flatMap { incident in
                    IncidentTimer.allCases.compactMap { timer in
                        incident.due(timer).map { .init(milliseconds: $0, id: incident.id, timer: timer) }
                    }
                })
        }
    }

    func isCurrent(_ entry: DeadlineHeap.Entry) -> Bool {
        incidents[entry.id]?.due(entry.timer) == entry.milliseconds
    }

    mutating func forgetClosed(now: Moment) {
        let oldest = now.monotonicMilliseconds &- Int64(Self.closedMemorySeconds) * 1000
        while closedHead < closed.count,
            closed[closedHead].milliseconds < oldest || closed.count - closedHead > Self.maximumClosedRemembered
        {
            let id = closed[closedHead].id
            closedHead += 1
            guard let incident = incidents.removeValue(forKey: id) else { continue }
            byTerminal[incident.terminal]?.removeAll { $0 == id }
            if byTerminal[incident.terminal]?.isEmpty == true { byTerminal[incident.terminal] = nil }
        }
        if closedHead > 1024, closedHead * 2 > closed.count {
            closed.removeFirst(closedHead)
            closedHead = 0
        }
    }

    mutating func freshID() -> IncidentID {
        var id = makeID()
        while incidents[id] != nil { id = IncidentID(rawValue: id.rawValue &+ 1) }
        return id
    }
}

extension Incident {
    /// When a timer is due on the monotonic clock; nil while it does not run.
    func due(_ timer: IncidentTimer) -> Int64? {
        switch timer {
        case .ladder: ladder?.deadlineMonotonicMilliseconds
        case .chase: chase?.next.monotonicMilliseconds
        case .supervision: supervision?.next.monotonicMilliseconds
        }
    }
}

extension LadderPosition {
    var deadline: Deadline {
        get { Deadline(wall: deadlineWall, monotonicMilliseconds: deadlineMonotonicMilliseconds, bootID: bootID) }
        set {
            deadlineWall = newValue.wall
            deadlineMonotonicMilliseconds = newValue.monotonicMilliseconds
            bootID = newValue.bootID
        }
    }
}
