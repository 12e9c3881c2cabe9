public import TerminalModel

/// The ladder that fits one incident.
struct LadderPlan {
    var steps: [PolicyStep]
    var repeatMilliseconds: Int
    /// No policy fits: everybody but emergency services is told at once.
    var isFallback: Bool
    /// No step starts in these hours.
    var quietHours: [DayWindow] = []
    /// The group of people that the policy is for.
    var group: String?

    static let fallbackRepeatMilliseconds = 60_000
    /// Less than this between two rounds would only be noise.
    static let minimumRepeatMilliseconds = 1000

    /// From step `index` to the one after it, which may be the first of the next round.
    func wait(after index: Int) -> Int64 {
        if index + 1 < steps.count {
            return Int64(max(0, steps[index + 1].afterMilliseconds - steps[index].afterMilliseconds))
        }
        let left = repeatMilliseconds - steps[index].afterMilliseconds + steps[0].afterMilliseconds
        return Int64(max(left, Self.minimumRepeatMilliseconds))
    }
}

extension IncidentEngine {
    /// Does what is due: steps of ladders, asking for positions, following what was handed over; at most `maximumAdvancedAtOnce` incidents a call.
    public mutating func advance(now: Moment, people: (String) -> Person?) -> Decision {
        var decision = Decision()
        forgetClosed(now: now)
        settleDeadlines()
        var moved = 0
        while moved < Self.maximumAdvancedAtOnce, let first = deadlines.first,
            first.milliseconds <= now.monotonicMilliseconds
        {
            deadlines.removeFirst()
            guard isCurrent(first), let incident = incidents[first.id] else { continue }
            var draft = Draft(incident: incident, person: incident.person.flatMap(people))
            switch first.timer {
            case .chase: chase(&draft, now: now)
            case .supervision: supervise(&draft, now: now)
            case .ladder where incident.state.awaitsHuman: climb(&draft, now: now)
            case .ladder:
                draft.write(
                    .raisedAgain, by: "gateway", "the further press after acknowledgement raises attention again",
                    at: now.wall)
                reopen(&draft, now: now)
            }
            commit(draft, into: &decision, now: now)
            settleDeadlines()
            moved += 1
        }
        settleDeadlines()
        return decision
    }

    func ladder(step: Int, round: Int, inMilliseconds wait: Int64, now: Moment) -> LadderPosition {
        LadderPosition(
            nextStep: step, round: round, deadlineWall: now.wall.adding(milliseconds: wait),
            deadlineMonotonicMilliseconds: now.monotonicMilliseconds &+ wait, bootID: bootID)
    }

    /// Starts the ladder from its first step and takes the steps that are due now.
    func startLadder(_ draft: inout Draft, now: Moment) {
        let plan = plan(for: draft.incident.service, person: draft.person)
        draft.incident.ladder = ladder(
            step: 0, round: draft.incident.episode.round + 1,
            inMilliseconds: Int64(plan.steps[0].afterMilliseconds), now: now)
        climb(&draft, now: now)
        startChase(&draft, now: now)
    }

    /// Takes the steps that are due and sets the next deadline.
    func climb(_ draft: inout Draft, now: Moment) {
        let plan = plan(for: draft.incident.service, person: draft.person)
        if plan.isFallback, draft.incident.lastEventNumber == 0 {
            draft.write(
                .ladderStep, by: "gateway",
                "no policy for \(draft.incident.service.rawValue): everybody but emergency services is told at once",
                at: now.wall)
        }
        // One pass over the plan at the most: a ladder whose steps all start at once still waits for its next round.
        for _ in 0..<plan.steps.count {
            guard var ladder = draft.incident.ladder,
                ladder.deadlineMonotonicMilliseconds <= now.monotonicMilliseconds
            else { return }
            if ladder.nextStep >= plan.steps.count || ladder.nextStep < 0 { ladder.nextStep = 0 }
            if let wait = quietMilliseconds(plan, now: now) {
                draft.incident.ladder = self.ladder(
                    step: ladder.nextStep, round: ladder.round, inMilliseconds: wait, now: now)
                draft.write(
                    .waits, by: "gateway",
                    "quiet hours: round \(ladder.round), step \(ladder.nextStep) waits until "
                        + "\(now.wall.adding(milliseconds: wait))", at: now.wall)
                return
            }
            take(plan.steps[ladder.nextStep], at: ladder.nextStep, round: ladder.round, of: &draft, now: now)

            let late = now.monotonicMilliseconds &- ladder.deadlineMonotonicMilliseconds
            let wait = max(0, plan.wait(after: ladder.nextStep) - (late > 1000 ? 0 : late))
            let isLast = ladder.nextStep + 1 >= plan.steps.count
            draft.incident.episode.round = ladder.round
            draft.incident.ladder = self.ladder(
                step: isLast ? 0 : ladder.nextStep + 1, round: isLast ? ladder.round + 1 : ladder.round,
                inMilliseconds: wait, now: now)
            if isLast { return }
        }
    }

    /// Tells the targets of one step, those that were withheld before and may be told now, and in need all others.
    private func take(_ step: PolicyStep, at index: Int, round: Int, of draft: inout Draft, now: Moment) {
        let waiting = draft.incident.episode.withheld.keys.sorted()
        let named = step.targets.map { onDuty($0, person: draft.person, now: now) }
        var targets: [String] = []
        var isSpared = false
        for target in named + waiting where !targets.contains(target) {
            if admit(target, to: &draft, isSpared: &isSpared, now: now) { targets.append(target) }
        }
        // A call that is not made is itself an alarm: whoever can make it hears at once.
        if isSpared { targets += toldTargets(of: draft.incident, ordinaryOnly: true).filter { !targets.contains($0) } }
        if targets.isEmpty, draft.incident.episode.told.isEmpty {
            targets = ordinaryTargets.filter {
                reasonToWithhold($0, from: draft.incident, person: draft.person, now: now) == nil
            }
            if !targets.isEmpty, !step.targets.isEmpty {
                draft.write(
                    .ladderStep, by: "gateway", "every target of the step is withheld: the others are told instead",
                    at: now.wall)
            }
        }
        let names = targets.isEmpty ? "nobody can be told" : targets.joined(separator: ", ")
        draft.write(.ladderStep, by: "gateway", "round \(round), step \(index): \(names)", at: now.wall)
        countCall(of: targets, in: &draft, now: now)
        draft.tell(
            draft.incident.lastEventNumber == 0 ? .opened : .escalated, to: targets, at: now.wall, round: round,
            step: index)
    }

    /// Tells targets that were withheld and may be told now, without waiting for the next step.
    func releaseWithheld(_ draft: inout Draft, now: Moment) {
        guard draft.incident.state.awaitsHuman, !draft.incident.episode.withheld.isEmpty,
            quietMilliseconds(plan(for: draft.incident.service, person: draft.person), now: now) == nil
        else { return }
        let targets = draft.incident.episode.withheld.keys.sorted()
            .filter { reasonToWithhold($0, from: draft.incident, person: draft.person, now: now) == nil }
        guard !targets.isEmpty else { return }
        let round = draft.incident.ladder?.round ?? 0
        draft.write(
            .ladderStep, by: "gateway", "no longer withheld: \(targets.joined(separator: ", "))", at: now.wall)
        countCall(of: targets, in: &draft, now: now)
        draft.tell(.escalated, to: targets, at: now.wall, round: round)
    }

    /// A card that could not be had when an incident of its person was opened: those withheld for want of it are told.
    public mutating func cardRead(_ person: Person, now: Moment) -> Decision {
        var decision = Decision()
        for incident in incidents.values where incident.person == person.id && incident.state.awaitsHuman {
            var draft = Draft(incident: incident, person: person)
            releaseWithheld(&draft, now: now)
            commit(draft, into: &decision, now: now)
        }
        settleDeadlines()
        return decision
    }

    /// Acknowledged, but a further press was made: open again, with the ladder from its start.
    func reopen(_ draft: inout Draft, now: Moment) {
        draft.incident.state = .open
        draft.incident.acknowledgedBy = nil
        draft.incident.acknowledgedAt = nil
        draft.incident.episode.lastRaisedAt = now.wall
        draft.incident.episode.attachments = 0
        startLadder(&draft, now: now)
    }
}

// MARK: - Who may be told

extension IncidentEngine {
    /// The ladder for a service and a person; it always has a step.
    func plan(for service: Service, person: Person?) -> LadderPlan {
        let ofService = rules.policies.filter { $0.service == service && !$0.steps.isEmpty }
        let groups = person?.groups ?? []
        let policy =
            ofService.first { policy in policy.group.map(groups.contains) ?? false }
            ?? ofService.first { $0.group == nil }
        guard let policy else {
            return LadderPlan(
                steps: [PolicyStep(afterMilliseconds: 0, targets: ordinaryTargets)],
                repeatMilliseconds: LadderPlan.fallbackRepeatMilliseconds, isFallback: true)
        }
        let steps = policy.steps.map {
            PolicyStep(afterMilliseconds: max(0, $0.afterMilliseconds), targets: $0.targets)
        }.sorted { $0.afterMilliseconds < $1.afterMilliseconds }
        return LadderPlan(
            steps: steps, repeatMilliseconds: policy.repeatMilliseconds, isFallback: false,
            quietHours: service.isLifeSafety ? [] : policy.quietHours, group: policy.group)
    }

    /// How long the plan's quiet hours still last; nil outside of them.
    func quietMilliseconds(_ plan: LadderPlan, now: Moment) -> Int64? {
        plan.quietHours.compactMap {
            $0.millisecondsLeft(at: now.wall, utcOffsetMinutes: rules.utcOffsetMinutes)
        }.max()
    }

    /// The target that a name in a step stands for now.
    func onDuty(_ name: String, person: Person?, now: Moment) -> String {
        guard let roster = rules.rosters.first(where: { $0.name == name }) else { return name }
        return roster.target(district: person?.district, at: now.wall, utcOffsetMinutes: rules.utcOffsetMinutes)
    }

    /// No honest deadline of the service is further away than this.
    func longestWait(for service: Service) -> Int64 {
        var longest = LadderPlan.fallbackRepeatMilliseconds
        for policy in rules.policies where policy.service == service {
            for step in policy.steps { longest = max(longest, step.afterMilliseconds) }
            longest = max(longest, policy.repeatMilliseconds + (policy.steps.first?.afterMilliseconds ?? 0))
            if !policy.quietHours.isEmpty { longest = max(longest, Int(DayWindow.millisecondsPerDay)) }
        }
        return Int64(max(longest, rules.raiseIntervalSeconds * 1000))
    }

    /// All targets that are no emergency service: centres, and people's contacts where there is no centre.
    var ordinaryTargets: [String] {
        let ordinary = rules.targets.filter { !$0.isEmergencyService }
        let centres = ordinary.filter { $0.audience == .centre }
        return (centres.isEmpty ? ordinary : centres).map(\.name)
    }

    /// True when the target may be told; else the reason goes on the timeline, once until it changes.
    ///
    /// - Parameter isSpared: set when it is news that only the caps on calls keep the target from being told.
    private func admit(_ target: String, to draft: inout Draft, isSpared: inout Bool, now: Moment) -> Bool {
        guard let reason = reasonToWithhold(target, from: draft.incident, person: draft.person, now: now) else {
            return true
        }
        if draft.incident.episode.withheld[target] != reason {
            draft.incident.episode.withheld[target] = reason
            draft.write(.withheld, by: target, reason, at: now.wall)
            if reason == reasonToSpareCall(draft.incident, now: now) { isSpared = true }
        }
        return false
    }

    /// Why a target must not hear of an incident; nil when it may. Source: promises P6 and P7, DESIGN section 6.
    func reasonToWithhold(_ target: String, from incident: Incident, person: Person?, now: Moment) -> String? {
        guard let facts = rules.targets.first(where: { $0.name == target }) else {
            return "there is no target of this name"
        }
        if facts.audience != .centre {
            guard let person else { return "nobody knows whose terminal it is" }
            if person.recipients(facts.audience).isEmpty {
                return "the person's card names no \(facts.audience.one) whose number may be dialled"
            }
        }
        guard facts.isEmergencyService else { return nil }
        if incident.isDrill == true { return incident.isTest ? "it is a test press" : "it is a drill" }
        guard rules.isCommissioned else { return "the site is not commissioned for emergency services" }
        switch incident.trust {
        case .unknown: return "the terminal is in no list"
        case .claimed: return "the terminal's identity is claimed and not proven"
        case .verified, .byID: break
        }
        guard incident.person != nil else { return "nobody knows whose terminal it is" }
        guard let person, person.id == incident.person else { return "the person's card cannot be read" }
        guard person.consentsToAutomatic120 else { return "the person has not agreed to automatic alarms" }
        if incident.late, let age = incident.episode.lateBySeconds, age > rules.lateLimitSeconds {
            return "the press was \(age) s old when it arrived, more than \(rules.lateLimitSeconds) s"
        }
        return reasonToSpareCall(incident, now: now)
    }

    /// Those who heard of the incident and still may.
    func toldTargets(of incident: Incident, ordinaryOnly: Bool = false) -> [String] {
        incident.episode.told.filter { name in
            guard let facts = rules.targets.first(where: { $0.name == name }) else { return false }
            // A target may have become an emergency service after it was told.
            return !facts.isEmergencyService || (rules.isCommissioned && !ordinaryOnly && incident.isDrill != true)
        }
    }
}
