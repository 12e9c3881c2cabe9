import TerminalModel

extension IncidentEngine {
    /// Frames beyond these are attached without a row of their own until attention is raised again.
    static let maximumAttachedRows = 10

    /// A new press: a new incident, with the first step of its ladder in the same decision.
    ///
    /// - Parameter gathered: 0 for one that further terminals in no list will share.
    mutating func open(
        _ matter: Matter, _ causes: [String], levels: [String], over: Timestamp?, gathered: Int? = nil,
        _ context: ReportContext, into decision: inout Decision
    ) {
        for older in known(context.event.terminal, about: matter) where over == nil && older.episode.levelHeld {
            // From here on the bit belongs to the new incident.
            var draft = Draft(incident: older, person: nil)
            for cause in levels {
                guard var level = older.episode.levels[cause] else { continue }
                level.held = false
                draft.incident.episode.setLevel(level, of: cause)
            }
            draft.mustStore = true
            commit(draft, into: &decision, now: context.now)
        }
        var incident = Incident(
            id: freshID(), service: matter.service, terminal: context.event.terminal, person: context.person?.id,
            trust: context.report.trust, causes: causes, openedAt: context.sighting.received)
        incident.keys = context.event.keys
        incident.gathered = gathered
        if case .fence(let fence) = matter { incident.fence = fence.isEmpty ? nil : fence }
        incident.deviceTime = context.event.deviceTime
        incident.sequence = context.event.sequence
        incident.late = context.sighting.isStored
        incident.position = Self.position(of: context)
        var draft = Draft(incident: incident, person: context.person)
        draft.evidence = context.evidence
        note(levels, over: over, context.sighting, in: &draft.incident.episode)
        draft.incident.episode.remember(context.sighting)
        draft.incident.episode.lateBySeconds = context.sighting.ageSeconds
        var detail = "\(causes.joined(separator: ", ")) over \(context.report.bearer.rawValue) \(context.report.peer)"
        if incident.late { detail += ", stored on the terminal\(context.sighting.ageText)" }
        if context.person == nil { detail += ", unidentified" }
        if context.event.terminal.isNameless { detail += ": the terminal did not say who it is" }
        if gathered != nil { detail += "; further terminals in no list are counted here" }
        draft.write(.opened, by: context.actor, detail, at: context.now.wall)
        let pressedAt = context.sighting.isStored ? context.sighting.device : context.now.wall
        markTest(&draft, pressedAt: pressedAt, now: context.now)
        markDrill(&draft, pressedAt: pressedAt, now: context.now)
        startLadder(&draft, now: context.now)
        commit(draft, into: &decision, now: context.now)
    }

    /// A further press while the incident is open: attention again (promise P2).
    mutating func raise(
        _ id: IncidentID, _ causes: [String], levels: [String], over: Timestamp?, _ context: ReportContext,
        into decision: inout Decision
    ) {
        guard let incident = incidents[id] else { return }
        var draft = Draft(incident: incident, person: person(of: incident, context.person))
        draft.evidence = context.evidence
        draft.incident.sequence = context.event.sequence ?? incident.sequence
        if context.sighting.isStored {
            if let age = context.sighting.ageSeconds {
                draft.incident.episode.lateBySeconds = min(age, incident.episode.lateBySeconds ?? age)
            }
        } else {
            draft.incident.late = false
        }
        absorb(causes, context, in: &draft)
        note(levels, over: over, context.sighting, in: &draft.incident.episode)
        draft.incident.episode.remember(context.sighting)
        pressAgain(
            &draft, "\(causes.joined(separator: ", ")) again over \(context.report.bearer.rawValue)",
            by: context.actor, isLimited: levels.isEmpty, now: context.now)
        commit(draft, into: &decision, now: context.now)
    }

    /// Counts a further press and raises attention; single events at most once in the interval after acknowledgement,
    /// and then as soon as the interval is over.
    func pressAgain(_ draft: inout Draft, _ detail: String, by actor: String, isLimited: Bool, now: Moment) {
        draft.incident.presses += 1
        draft.write(.raisedAgain, by: actor, detail, at: now.wall)
        endDrill(&draft, now: now)
        let interval = Int64(rules.raiseIntervalSeconds) * 1000
        guard !draft.incident.state.awaitsHuman else {
            releaseWithheld(&draft, now: now)
            if elapsed(since: draft.incident.episode.lastUpdateAt, now: now) >= interval {
                draft.incident.episode.lastUpdateAt = now.wall
                draft.tell(.updated, to: toldTargets(of: draft.incident), at: now.wall)
            }
            return
        }
        let passed = elapsed(since: draft.incident.episode.lastRaisedAt, now: now)
        if isLimited, passed < interval {
            if draft.incident.ladder == nil {
                draft.incident.ladder = ladder(
                    step: 0, round: draft.incident.episode.round + 1, inMilliseconds: interval - passed, now: now)
            }
            return
        }
        reopen(&draft, now: now)
    }

    /// A retransmission, a held bit, the same press over another bearer: belongs to what is known already.
    mutating func attach(
        to id: IncidentID, _ causes: [String], levels: [String], _ why: String, _ context: ReportContext,
        into decision: inout Decision
    ) {
        guard let incident = incidents[id] else { return }
        var draft = Draft(incident: incident, person: person(of: incident, context.person))
        for cause in levels {
            guard var level = incident.episode.levels[cause] else { continue }
            level.extend(by: context.sighting)
            draft.incident.episode.setLevel(level, of: cause)
        }
        draft.incident.episode.remember(context.sighting)
        if incident.state.isOpen {
            absorb(causes, context, in: &draft)
            releaseWithheld(&draft, now: context.now)
        }
        if incident.episode.attachments < Self.maximumAttachedRows {
            draft.incident.episode.attachments += 1
            draft.evidence = context.evidence
            draft.write(
                .attached, by: context.actor, "\(why), over \(context.report.bearer.rawValue) \(context.report.peer)",
                at: context.now.wall)
        }
        commit(draft, into: &decision, now: context.now)
    }

    /// Reports without a bit that was set end the press, unless they are older than the last report with it.
    mutating func endLevels(_ context: ReportContext, into decision: inout Decision) {
        let sighting = context.sighting
        if sighting.isStored, sighting.device == nil { return }
        for id in byTerminal[context.event.terminal] ?? [] {
            guard var incident = incidents[id] else { continue }
            var ended: [String] = []
            for (cause, var level) in incident.episode.levels {
                guard let kind = AlarmKind(name: cause), !context.event.alarms.contains(kind) else { continue }
                let wasHeld = level.held
                level.clear(by: sighting)
                if wasHeld, !level.held { ended.append(cause) }
                incident.episode.setLevel(level, of: cause)
            }
            guard !ended.isEmpty else {
                incidents[id] = incident
                continue
            }
            var draft = Draft(incident: incident, person: person(of: incident, context.person))
            draft.write(
                .attached, by: context.actor, "\(ended.sorted().joined(separator: ", ")) no longer set",
                at: context.now.wall)
            commit(draft, into: &decision, now: context.now)
        }
    }

    /// The terminal says that it is over: a note, since only a human closes (promise P4).
    mutating func noteCancel(
        of matter: Matter, terminal: TerminalID, person: Person?, by actor: String, _ detail: String, now: Moment,
        into decision: inout Decision
    ) {
        guard let incident = known(terminal, about: matter).first, incident.state.isOpen else { return }
        var draft = Draft(incident: incident, person: self.person(of: incident, person))
        draft.write(.cancelClaimed, by: actor, detail, at: now.wall)
        // An ambulance is not called back by a machine: the hub hears it and decides.
        draft.tell(.cancelled, to: toldTargets(of: draft.incident, ordinaryOnly: true), at: now.wall)
        commit(draft, into: &decision, now: now)
    }

    // MARK: Helpers

    func elapsed(since time: Timestamp?, now: Moment) -> Int64 {
        guard let time, time <= now.wall else { return .max }
        return now.wall.milliseconds &- time.milliseconds
    }

    /// The card to send with an incident: the reporter's when the incident is hers.
    func person(of incident: Incident, _ reported: Person?) -> Person? {
        guard let id = incident.person else { return reported }
        if let reported, reported.id == id { return reported }
        return cards[incident.id]
    }

    /// Takes over what a further frame proves: better trust, the person, further causes and keys.
    private func absorb(_ causes: [String], _ context: ReportContext, in draft: inout Draft) {
        let trust = context.report.trust
        if trust.rank > draft.incident.trust.rank { draft.incident.trust = trust }
        if draft.incident.person == nil, let person = context.person, trust.rank >= Trust.byID.rank {
            draft.incident.person = person.id
            draft.write(
                .assigned, by: context.actor, "the terminal now belongs to person \(person.id)", at: context.now.wall)
        }
        if draft.incident.person != draft.person?.id { draft.person = nil }
        for cause in causes where !draft.incident.causes.contains(cause) { draft.incident.causes.append(cause) }
        for key in context.event.keys where !draft.incident.keys.contains(key) { draft.incident.keys.append(key) }
    }

    private func note(_ levels: [String], over: Timestamp?, _ sighting: Sighting, in episode: inout PressEpisode) {
        for cause in levels {
            var level = episode.levels[cause] ?? PressLevel()
            level.begin(sighting, over: over)
            episode.setLevel(level, of: cause)
        }
    }
}

extension Sighting {
    /// How old a stored report was when it arrived; nil for live ones, whose clock may be wrong (promise P8).
    var ageSeconds: Int? {
        guard isStored, let device else { return nil }
        return Int(max(0, received.milliseconds &- device.milliseconds) / 1000)
    }

    var ageText: String { ageSeconds.map { " \($0) s ago" } ?? "" }
}
