public import TerminalModel

/// One report with everything the rules ask of it.
struct ReportContext {
    var report: InboundReport
    var sighting: Sighting
    var person: Person?
    var now: Moment

    var event: TerminalEvent { report.event }
    var actor: String { report.event.terminal.description }

    var evidence: Evidence {
        Evidence(
            at: sighting.received, protocolName: event.protocolName, peer: report.peer.description,
            bearer: report.bearer,
            frame: report.frame, event: event.json.text)
    }
}

/// What a report with an alarm or a key means for one matter. The later cases outweigh the earlier.
///
/// `over` is set for a press that was released before it was heard of: the time of a later report without it.
enum Judgement {
    case attach(IncidentID, String)
    case raise(IncidentID, over: Timestamp?)
    case open(over: Timestamp?)

    var weight: Int {
        switch self {
        case .attach: 0
        case .raise: 1
        case .open: 2
        }
    }
}

extension IncidentEngine {
    /// Weighs one decoded event.
    ///
    /// All events of a terminal come through here, since a report without an alarm ends a press and a better position
    /// belongs to the open incident. One that concerns nothing costs a look-up.
    ///
    /// - Parameter clockIsRight: the terminal's clock was seen right within `TerminalClock.recentMilliseconds` on this
    ///   connection, so that a press which it says is older than the late limit was kept on the terminal, whether its frame
    ///   says so or not. Anything else is taken as made now: a wrong clock must not keep 120 from a press (promise P8).
    public mutating func report(
        _ report: InboundReport, person: Person?, clockIsRight: Bool = false, now: Moment
    ) -> Decision {
        let event = report.event
        let alarms = event.alarms.intersection(Matter.openingAlarms)
        if alarms.isEmpty, event.keys.isEmpty, !concerns(event.terminal) { return Decision() }

        forgetClosed(now: now)
        var decision = Decision()
        let sighting = Sighting(
            report, clockIsRight: clockIsRight, lateLimitSeconds: rules.lateLimitSeconds, now: now)
        let context = ReportContext(report: report, sighting: sighting, person: person, now: now)
        let areLevels = levelProtocols.contains(event.protocolName) && event.kind != .key

        var presses: [(matter: Matter, causes: [String], areLevels: Bool)] = []
        for kind in alarms.kinds {
            guard let matter = Matter(kind), kind != .help || event.keys.isEmpty else { continue }
            let isLevel = areLevels && kind != .help
            if let index = presses.firstIndex(where: { $0.matter == matter && $0.areLevels == isLevel }) {
                presses[index].causes.append(kind.name)
            } else {
                presses.append((matter, [kind.name], isLevel))
            }
        }
        if !event.keys.isEmpty { presses.append((.assistance, ["key"], false)) }
        for press in presses {
            apply(press.causes, areLevels: press.areLevels, on: press.matter, context, into: &decision)
        }
        if areLevels, event.kind == .report || event.kind == .alarm {
            endLevels(context, into: &decision)
            if !sighting.isStored { strangers.endLevels(of: event.terminal, except: presses.map(\.matter)) }
        }
        if event.alarms.contains(.sosCleared) || event.alarms.contains(.fallCleared) {
            noteCancel(
                of: .emergency, terminal: event.terminal, person: person, by: context.actor,
                "the terminal says that it is over", now: now, into: &decision)
        }
        improvePosition(context, into: &decision)
        settleDeadlines()
        return decision
    }

    /// The incidents of a terminal about one matter: the open one first, then the closed ones, newest first.
    func known(_ terminal: TerminalID, about matter: Matter) -> [Incident] {
        let all = (byTerminal[terminal] ?? []).reversed().compactMap { incidents[$0] }
            .filter { Matter($0) == matter }
        return all.filter(\.state.isOpen) + all.filter { !$0.state.isOpen }
    }
}

// MARK: - Judging

extension IncidentEngine {
    private mutating func apply(
        _ causes: [String], areLevels: Bool, on matter: Matter, _ context: ReportContext,
        into decision: inout Decision
    ) {
        let known = known(context.event.terminal, about: matter)
        var judgement: Judgement?
        for cause in causes {
            let next =
                areLevels
                ? judge(level: cause, known, context.sighting, now: context.now)
                : judge(eventIn: known, context.sighting)
            if next.weight > judgement?.weight ?? -1 { judgement = next }
        }
        let levels = areLevels ? causes : []
        switch judgement {
        case .open where isOneStrangerTooMany(context):
            gather(matter, causes, levels: levels, context, into: &decision)
        case .open(let over):
            open(matter, causes, levels: levels, over: over, context, into: &decision)
        case .raise(let id, let over):
            raise(id, causes, levels: levels, over: over, context, into: &decision)
        case .attach(let id, let why):
            attach(to: id, causes, levels: levels, why, context, into: &decision)
        case nil: break
        }
    }

    private func isOneStrangerTooMany(_ context: ReportContext) -> Bool {
        context.report.trust == .unknown && context.person == nil
            && strangers.isFull(for: context.report.peer.description, rules)
    }

    /// Alarms that are events: the same frame again is a retransmission, anything else a further press.
    private func judge(eventIn known: [Incident], _ sighting: Sighting) -> Judgement {
        if let same = known.first(where: { $0.hasSeen(sighting) }) { return .attach(same.id, "retransmission") }
        guard let newest = known.first, newest.state.isOpen else { return .open(over: nil) }
        return .raise(newest.id, over: nil)
    }

    /// Alarms that are levels: one press from the first report with the bit to the first without.
    ///
    /// Stored reports are ordered by the terminal's clock, live ones by their arrival: a clock that was set back must not
    /// make a press part of an older one that nobody is called for any more (promise P8).
    private func judge(level cause: String, _ known: [Incident], _ sighting: Sighting, now: Moment) -> Judgement {
        if let same = known.first(where: { $0.hasSeen(sighting) }) { return .attach(same.id, "retransmission") }
        if let device = sighting.device {
            let orderable = known.filter { incident in
                guard let level = incident.episode.levels[cause] else { return false }
                if sighting.isStored { return true }
                return (incident.state.awaitsHuman || level.hasJustEnded(at: sighting.received))
                    && !level.endedWhileTheClockStood(at: device)
            }
            let same =
                orderable.first { $0.episode.levels[cause]?.covers(device) ?? false }
                ?? orderable.first { $0.episode.levels[cause]?.nearlyCovers(device) ?? false }
            if let same { return .attach(same.id, "a report from within the press") }
        }
        let holder = known.first { $0.episode.levels[cause]?.held ?? false }
        guard let latest = holder ?? known.first else { return .open(over: nil) }
        func another(over: Timestamp? = nil) -> Judgement {
            known.first { $0.state.isOpen }.map { .raise($0.id, over: over) } ?? .open(over: over)
        }
        guard let level = latest.episode.levels[cause] else { return another() }
        guard level.held else {
            // Stored, and older than a report without the bit: a press of its own that is over already.
            return another(over: sighting.isStored && !sighting.isNewer(than: level.lastClear) ? level.lastClear : nil)
        }
        if level.storedOnly && !sighting.isStored || level.hasEnded(before: sighting) { return another() }
        if sighting.isStored, !sighting.isNewer(than: level.present?.first) {
            return another(over: level.present?.first)
        }
        if latest.state.isOpen { return .attach(latest.id, "the alarm is still set") }
        let waited = millisecondsSinceClosing(latest, sighting, now: now)
        return waited >= Int64(rules.heldAfterCloseSeconds) * 1000
            ? another() : .attach(latest.id, "the alarm is still set after closing")
    }

    /// How long after closing a report was made; a live one is judged by the gateway's own clocks alone.
    private func millisecondsSinceClosing(_ incident: Incident, _ sighting: Sighting, now: Moment) -> Int64 {
        guard let closedAt = incident.closedAt else { return .max }
        if sighting.isStored, let device = sighting.device {
            return device.milliseconds &- closedAt.milliseconds
        }
        let monotonic = closed.last { $0.id == incident.id }?.milliseconds ?? now.monotonicMilliseconds
        return max(
            now.wall.milliseconds &- closedAt.milliseconds, now.monotonicMilliseconds &- monotonic)
    }
}
