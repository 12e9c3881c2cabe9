public import TerminalModel

extension IncidentEngine {
    /// Weighs a condition that a rule found: a crossed fence, a low battery, silence, or the end of one of them.
    public mutating func condition(
        _ condition: Condition, terminal: TerminalID, trust: Trust, person: Person?, now: Moment
    ) -> Decision {
        var decision = Decision()
        forgetClosed(now: now)
        let matter = Matter(condition)
        guard condition.isViolation else {
            noteCancel(
                of: matter, terminal: terminal, person: person, by: "gateway", condition.detail, now: now,
                into: &decision)
            return decision
        }
        if let known = known(terminal, about: matter).first, known.state.isOpen {
            // A battery that is still low or a terminal still silent is no news; crossing a line again is.
            guard case .fenceCrossed = condition else { return decision }
            var draft = Draft(incident: known, person: self.person(of: known, person))
            if !known.causes.contains(condition.cause) { draft.incident.causes.append(condition.cause) }
            pressAgain(&draft, condition.detail, by: "gateway", isLimited: true, now: now)
            commit(draft, into: &decision, now: now)
        } else if trust != .unknown || person != nil || !strangers.isFull(for: "", rules) {
            var incident = Incident(
                id: freshID(), service: matter.service, terminal: terminal, person: person?.id, trust: trust,
                causes: [condition.cause], openedAt: now.wall)
            if case .fenceCrossed(let fence, _, _, _, let at) = condition {
                incident.fence = fence
                incident.deviceTime = at
            }
            var draft = Draft(incident: incident, person: person)
            draft.write(.opened, by: "gateway", condition.detail, at: now.wall)
            markDrill(&draft, pressedAt: now.wall, now: now)
            startLadder(&draft, now: now)
            commit(draft, into: &decision, now: now)
        }
        settleDeadlines()
        return decision
    }

    /// Records how an attempt to reach a target ended; the first acceptance makes an open incident `notified`.
    public mutating func attempted(
        _ id: IncidentID, target: String, outcome: AttemptOutcome, attempt: Int, now: Moment
    ) -> Decision {
        var decision = Decision()
        guard let incident = incidents[id] else { return decision }
        var draft = Draft(incident: incident, person: nil)
        switch outcome {
        case .accepted(let evidence):
            draft.write(.accepted, by: target, "attempt \(attempt): \(evidence)", at: now.wall)
            noteAcceptance(by: target, of: &draft, now: now)
            if incident.state == .open {
                draft.incident.state = .notified
                draft.write(.notified, by: target, "first acceptance", at: now.wall)
            }
        case .failed(let reason, let wait):
            let next = wait.map { ", next in \($0) ms" } ?? ""
            draft.write(.attempt, by: target, "attempt \(attempt): \(reason)\(next)", at: now.wall)
        case .gaveUp(let reason):
            draft.write(.gaveUp, by: target, "attempt \(attempt): \(reason)", at: now.wall)
        }
        commit(draft, into: &decision, now: now)
        return decision
    }

    /// Does what an operator decided, or throws and changes nothing.
    ///
    /// Acknowledging stops the ladder. Handing over and closing by an operator acknowledge as well when nobody had.
    /// A closed incident takes notes and an assignment only.
    public mutating func operate(
        _ action: OperatorAction, on id: IncidentID, by actor: Operator, people: (String) -> Person?, now: Moment
    ) throws(OperatorError) -> Decision {
        guard let incident = incidents[id] else { throw .unknownIncident(id) }
        guard !actor.id.isEmpty else { throw .operatorMissing }
        var draft = Draft(incident: incident, person: incident.person.flatMap(people) ?? cards[id])
        switch action {
        case .note(let text):
            guard !text.isEmpty else { throw .noteMissing }
            draft.write(.note, by: actor.id, actor.signed(text), at: now.wall)
        case .assign(let person):
            guard let card = people(person) else { throw .unknownPerson(person) }
            try assign(card, &draft, by: actor, now: now)
        case .acknowledge(let reason):
            if !incident.state.isOpen { throw .alreadyClosed(disposition: incident.disposition ?? "") }
            // A further press that still waits to be raised may be acknowledged in advance.
            guard incident.state.awaitsHuman || incident.ladder != nil else {
                throw .alreadyAcknowledged(by: incident.acknowledgedBy ?? "")
            }
            acknowledge(&draft, by: actor, reason, now: now)
            draft.incident.state = .acknowledged
            draft.tell(.acknowledged, to: toldTargets(of: draft.incident), at: now.wall)
        case .handOver(let recipient, let dueAt, let reason):
            if !incident.state.isOpen { throw .alreadyClosed(disposition: incident.disposition ?? "") }
            guard !recipient.isEmpty else { throw .recipientMissing }
            if incident.state.awaitsHuman { acknowledge(&draft, by: actor, reason, now: now) }
            draft.incident.ladder = nil
            draft.incident.state = .handedOver
            draft.incident.owner = recipient
            draft.incident.dueAt = dueTime(dueAt, of: draft.incident.service, now: now)
            startSupervision(&draft, now: now)
            let due = draft.incident.dueAt.map { ", due \($0)" } ?? ""
            draft.write(.handedOver, by: actor.id, actor.signed("to \(recipient)\(due): \(reason)"), at: now.wall)
            draft.tell(.handedOver, to: toldTargets(of: draft.incident), at: now.wall)
        case .makeReal(let reason):
            if !incident.state.isOpen { throw .alreadyClosed(disposition: incident.disposition ?? "") }
            guard incident.isDrill == true else { throw .notADrill }
            draft.incident.isDrill = nil
            draft.write(.raisedAgain, by: actor.id, actor.signed("no drill, this is real: \(reason)"), at: now.wall)
            reopen(&draft, now: now)
        case .close(let disposition, let reason):
            if !incident.state.isOpen { throw .alreadyClosed(disposition: incident.disposition ?? "") }
            guard !disposition.isEmpty else { throw .dispositionMissing }
            let allowed = rules.services[incident.service]?.dispositions ?? []
            guard allowed.isEmpty || allowed.contains(disposition) else {
                throw .unknownDisposition(disposition, allowed: allowed)
            }
            if incident.state.awaitsHuman { acknowledge(&draft, by: actor, reason, isSpoken: false, now: now) }
            draft.incident.ladder = nil
            draft.incident.state = .closed
            draft.incident.closedAt = now.wall
            draft.incident.disposition = disposition
            draft.incident.supervision = nil
            endChase(&draft)
            draft.write(.closed, by: actor.id, actor.signed("\(disposition): \(reason)"), at: now.wall)
            draft.tell(.closed, to: toldTargets(of: draft.incident), at: now.wall)
        }
        if draft.incident.answeredAt != incident.answeredAt { proveTest(&draft, now: now) }
        var decision = Decision()
        commit(draft, into: &decision, now: now)
        settleDeadlines()
        return decision
    }

    /// A human takes over: the ladder stops and the terminal hears it.
    private func acknowledge(
        _ draft: inout Draft, by actor: Operator, _ reason: String, isSpoken: Bool = true, now: Moment
    ) {
        draft.incident.ladder = nil
        draft.incident.acknowledgedBy = actor.id
        draft.incident.acknowledgedAt = now.wall
        if draft.incident.answeredAt == nil { draft.incident.answeredAt = now.wall }
        draft.write(.acknowledged, by: actor.id, actor.signed(reason), at: now.wall)
        switch Matter(draft.incident) {
        case .emergency:
            draft.order(.confirmAlarm(sequence: draft.incident.sequence ?? 0))
            if isSpoken { draft.order(.message(text: SpokenText.emergency, urgent: true)) }
        case .assistance:
            if isSpoken { draft.order(.message(text: SpokenText.assistance, urgent: false)) }
        case .security:
            // Nothing is spoken: whoever opened or took the terminal may be listening.
            draft.order(.confirmAlarm(sequence: draft.incident.sequence ?? 0))
        case .lowBattery, .silence, .supervision, .infrastructure, .fence, .other: break
        }
    }

    private func assign(
        _ person: Person, _ draft: inout Draft, by actor: Operator, now: Moment
    ) throws(OperatorError) {
        if let known = draft.incident.person, known != person.id { throw .alreadyAssigned(person: known) }
        draft.incident.person = person.id
        draft.person = person
        // A human vouches for a terminal in no list; what was wrongly claimed stays so (promise P6).
        if draft.incident.trust == .unknown { draft.incident.trust = .byID }
        draft.write(.assigned, by: actor.id, actor.signed("to person \(person.id)"), at: now.wall)
        guard draft.incident.state.isOpen else { return }
        draft.tell(.updated, to: toldTargets(of: draft.incident), at: now.wall)
    }
}

/// What a terminal says when a human has taken over. Source: DESIGN section 6.
public enum SpokenText {
    public static let emergency = "已接警，请保持冷静，救援人员正在赶来"
    public static let assistance = "已收到您的求助，工作人员马上为您安排"
}

extension Operator {
    /// The words with the Unix user behind the claimed id.
    func signed(_ text: String) -> String {
        unixUser.isEmpty ? text : "\(text) [unix user \(unixUser)]"
    }
}
