import CoreMetrics
import GatewayTelemetry
import IncidentCore
import IncidentStore
import Logging
import TerminalModel

/// Everything that is decided, in one place and on one thread: rules, incidents, commands, what is known of terminals.
///
/// It does no I/O; what has to be done is put into `output` and done after each turn.
struct Decider: ~Copyable {
    /// What one turn wants done.
    struct Output {
        var entries: [CommitEntry] = []
        /// Answers that wait for nothing.
        var results: [IngestResult] = []
        var track: [TrackItem] = []
        var messages: [MessageEntry] = []
        var orders: [DownlinkOrder] = []
        /// Incidents that a human has taken over.
        var takenOver: [TakenOver] = []

        /// Forgets what was handed over; the lists keep their room for the next turn.
        mutating func clear() {
            entries.removeAll(keepingCapacity: true)
            results.removeAll(keepingCapacity: true)
            track.removeAll(keepingCapacity: true)
            messages.removeAll(keepingCapacity: true)
            orders.removeAll(keepingCapacity: true)
            takenOver.removeAll(keepingCapacity: true)
        }
    }

    /// Last words held that say more than numbers of a fixed size; beyond these only the numbers are kept.
    static let maximumHeldEvents = 50_000
    /// Last words put together in one turn and written in one transaction, and how many of these fit into one interval.
    static let lastWordsPerCommit = 500
    static let flushesPerInterval = 8
    /// Attempts that failed beyond these are put on the timeline only now and then; each is in the attempts table.
    static let attemptsOnTimeline = 5
    static let laterAttemptsOnTimeline = 20
    /// An emergency that no target has accepted by then, after some seven seconds, is told of.
    static let attemptsUntilUnheard = 4

    var engine: IncidentEngine
    var watch: ConditionWatch
    var mass: MassEventWatch
    /// Terminals that are connected, listed or not.
    var connectedCount = 0
    var shownSilentTogether = 0
    /// A human has closed the incident of many terminals.
    var isMassEventClosed = false
    var fences: FenceRules
    var commands: CommandBook
    var care = CareBook()
    let people: PeopleCache
    let configuration: PipelineConfiguration
    let directory: TerminalDirectory
    let logger: Logger
    let hub: EventHub

    var terminals: TerminalTable
    var groupSets = GroupSets()
    /// Open incidents with what was last known of their need for a human.
    var open: [IncidentID: Bool] = [:]
    /// The same by service, kept with every change.
    var counts: [Service: IncidentCounts] = [:]
    /// Open incidents by terminal; their terminals use the alarm lane.
    var attention: [TerminalID: Int] = [:]
    var attentionChanged = false
    /// Emergencies that no target has accepted, with the time when that was found.
    var unheard: [IncidentID: Timestamp] = [:]
    /// The events by kind, in the order of the kinds.
    private let eventCounters = EventKind.allCases.map { GatewayMetric.eventsReceived.counter($0.rawValue) }
    /// What the siren sounds for.
    var calls = LifeSafetyCalls()
    /// Terminals that came to or left `attention` in this turn.
    var attentionMoves: [TerminalID: Bool] = [:]
    var lastCommandID: Int64
    /// The site was commissioned by the logged act, which outlives restarts and configurations.
    var isCommissionedByAct: Bool
    var isCommissionedByRules: Bool
    /// Terminals with unwritten last words, the longest waiting first from `flushHead` on, so that each gets its turn.
    var flushOrder: [UInt32] = []
    var flushHead = 0
    var heldEvents = 0
    var nextFlushMilliseconds: Int64
    var output = Output()
    /// Reads when terminals were last heard, in the background, and hands it to `heard`: set by the pipeline.
    let readLastSeen: @Sendable () -> Void
    var hasReadLastSeen = false
    /// Rings the thread after a commit: set by the pipeline.
    let post: @Sendable (DecisionMessage) -> Void

    /// Whose terminal it is, as far as anybody knows.
    func person(of terminal: TerminalID) -> Person? {
        terminals.row(terminal)?.person.flatMap(people.person)
    }

    // MARK: Input

    mutating func handle(_ item: IngestItem, now: Moment) {
        switch item {
        case .report(let report, let ticket): handle(report, ticket, now: now)
        case .registration(let registration, let ticket): register(registration, ticket)
        case .authenticated(let terminal, let digest, _): authenticated(terminal, digest)
        case .online(let terminal, let bearer, let peer, let protocolName, let at):
            connected(terminal, bearer, peer: peer, protocolName: protocolName, at: at.wall, now: now)
        case .offline(let terminal, let bearer, let reason, let at):
            disconnected(terminal, bearer, isOurs: OfflineReason.ours.contains(reason), now: now)
            publish(.offline(terminal, bearer, reason: reason, at: at.wall))
        case .command(let id, let outcome, let at): commandOutcome(id, outcome, at: at.wall, now: now)
        }
    }

    private mutating func handle(_ report: InboundReport, _ ticket: ReplyTicket, now: Moment) {
        // The one look-up of the id: everything else about the terminal stands under its number.
        let number = terminals.number(of: report.event.terminal)
        if let number {
            note(report.event, number, now: now)
            heard(report, number)
        }
        count(report.event.kind)
        publish(.event(report.event, report.trust))
        var decision = decide(number.map { answer(report, $0, now: now) } ?? report, number, now: now)
        let conditions = conditions(of: report.event, number, now: now)
        let hasCrossed = conditions.contains { if case .fenceCrossed = $0 { true } else { false } }
        for condition in conditions {
            if case .fenceCrossed(_, _, let entered, _, _) = condition {
                GatewayMetric.fenceTransitions.counter(entered ? "enter" : "exit").increment()
            }
            let terminal = report.event.terminal
            let found = engine.condition(
                condition, terminal: terminal, trust: report.trust, person: person(of: terminal), now: now)
            decision.changes += found.changes
            decision.commands += found.commands
        }
        // A report sent again must not be answered before what its first copy ended is on the disk.
        let follows =
            number.map { terminals[$0].flags.contains(.mayHaveIncidents) } ?? engine.concerns(report.event.terminal)
        put(report, ticket, decision, hasCrossed: hasCrossed, followsIncidents: follows, now: now)
        if let number, terminals[number].flags.isSuperset(of: [.isConnected, .mayHaveCommands]) {
            sendNext(to: report.event.terminal, now: now)
        }
    }

    /// What the incident engine makes of a report; most concern nothing and do not get there.
    private mutating func decide(_ report: InboundReport, _ number: UInt32?, now: Moment) -> Decision {
        let event = report.event
        let saysSomething = !event.alarms.isEmpty || !event.keys.isEmpty
        if !saysSomething, let number, !terminals[number].flags.contains(.mayHaveIncidents) { return Decision() }
        let concernsPerson = saysSomething || attention[event.terminal] != nil
        let received = event.received ?? now.wall
        let clockIsRight = if let number { isClockRight(number, at: received) } else { false }
        let decision = engine.report(
            report, person: concernsPerson ? person(of: event.terminal) : nil, clockIsRight: clockIsRight, now: now)
        if let number { mark(number, .mayHaveIncidents, engine.concerns(event.terminal)) }
        return decision
    }

    /// What fences, battery and silence have to say of a report.
    private mutating func conditions(of event: TerminalEvent, _ number: UInt32?, now: Moment) -> [Condition] {
        guard let number else { return [] }
        var found = watch.observe(event, of: number, now: now)
        if found.contains(.heardAgain) { mass.heardAgain(number) }
        guard !fences.isEmpty, !isOldFix(event, number, now: now) else { return found }
        // Without the groups of its person a position says nothing about the fences of groups: the next one may.
        guard let groups = fences.usesGroups ? groups(of: number) : [] else { return found }
        let crossings = fences.observe(
            event, of: number, person: terminals[number].person, groups: groups, now: now)
        if !crossings.isEmpty { found += crossings }
        return found
    }

    /// Sends a decided report on its way to the disk.
    private mutating func put(
        _ report: InboundReport, _ ticket: ReplyTicket, _ decision: Decision, hasCrossed: Bool, followsIncidents: Bool,
        now: Moment
    ) {
        let event = report.event
        let point = TrackPoint(event, received: event.received ?? now.wall)
        let isLifeSafety = !event.alarms.isDisjoint(with: .lifeSafety)
        if decision.isEmpty, !isLifeSafety, followsIncidents, event.keys.isEmpty,
            event.kind == .report || event.kind == .alarm
        {
            output.entries.append(following(report, ticket, point, now: now))
            return
        }
        if decision.isEmpty, !isLifeSafety, let point, event.kind == .report, event.keys.isEmpty {
            let waits = configuration.positionPolicy == .stored
            output.track.append(
                TrackItem(point: point, ticket: waits ? ticket : nil, arrivedMilliseconds: now.monotonicMilliseconds))
            if !waits { output.results.append(IngestResult(ticket: ticket, outcome: .stored)) }
            return
        }
        let message = message(report, ticket, hasPoint: point != nil, now: now)
        let touchesLife = isLifeSafety || decision.changes.contains { $0.incident.service.isLifeSafety }
        if touchesLife || !decision.isEmpty || !event.keys.isEmpty {
            var entry = CommitEntry()
            // An alarm or a key is answered when its incident is stored; a mere position that moved an incident on is
            // answered when the track has it, which is written after the incident.
            let isPosition = event.alarms.isEmpty && event.keys.isEmpty && configuration.positionPolicy == .stored
            let answeredByTrack = isPosition && point != nil
            if !answeredByTrack {
                entry.results = [IngestResult(ticket: ticket, outcome: .stored, isAlarm: touchesLife)]
            }
            if let point {
                entry.track = [
                    TrackItem(
                        point: point, ticket: answeredByTrack ? ticket : nil,
                        arrivedMilliseconds: now.monotonicMilliseconds)
                ]
            }
            if touchesLife { entry.alarmReceivedMilliseconds = received(event, now: now) }
            absorb(decision, into: &entry, speaker: event.terminal, now: now)
            if let message {
                attach(message, isKept: touchesLife || decision.changes.contains { $0.evidence != nil }, &entry)
            }
            if hasCrossed { entry.writes += fences.takeChangedStates().map(StoreWrite.fenceState) }
            output.entries.append(entry)
        } else if let message {
            // What is not acknowledged is sent again; what nobody waits for would be lost.
            output.messages.append(
                MessageEntry(
                    writes: [message],
                    results: ticket.request == 0 ? [] : [IngestResult(ticket: ticket, outcome: .stored)]))
            if let point {
                output.track.append(
                    TrackItem(point: point, ticket: nil, arrivedMilliseconds: now.monotonicMilliseconds))
            }
        } else if let point {
            let waits = configuration.positionPolicy == .stored
            output.track.append(
                TrackItem(point: point, ticket: waits ? ticket : nil, arrivedMilliseconds: now.monotonicMilliseconds))
            if !waits { output.results.append(IngestResult(ticket: ticket, outcome: .stored)) }
        } else {
            output.results.append(IngestResult(ticket: ticket, outcome: .stored))
        }
    }

    /// A report that changes nothing, behind the incidents of its terminal on their way to the disk.
    private func following(
        _ report: InboundReport, _ ticket: ReplyTicket, _ point: TrackPoint?, now: Moment
    ) -> CommitEntry {
        var entry = CommitEntry()
        if let point {
            entry.track = [TrackItem(point: point, ticket: ticket, arrivedMilliseconds: now.monotonicMilliseconds)]
            return entry
        }
        entry.results = [IngestResult(ticket: ticket, outcome: .stored)]
        if let message = message(report, ticket, hasPoint: false, now: now) { attach(message, isKept: false, &entry) }
        return entry
    }

    /// When the report was received, on the monotonic clock.
    private func received(_ event: TerminalEvent, now: Moment) -> Int64 {
        let ago = event.received.map { now.wall.milliseconds - $0.milliseconds } ?? 0
        return now.monotonicMilliseconds - max(0, ago)
    }

    /// What has to be stored of a report beside incidents and positions: what was acknowledged must be found again.
    private func message(
        _ report: InboundReport, _ ticket: ReplyTicket, hasPoint: Bool, now: Moment
    ) -> MessageWrite? {
        let event = report.event
        let saysSomething = event.text != nil || event.hasExtras
        switch event.kind {
        case .text, .media: break
        case .other: guard saysSomething else { return nil }
        case .reply: guard saysSomething, !hasPoint else { return nil }
        case .report, .alarm: guard !hasPoint, ticket.request != 0 else { return nil }
        case .key, .heartbeat, .login, .logout: return nil
        }
        return .message(
            MessageRecord(
                terminal: event.terminal, received: event.received ?? now.wall, kind: event.kind,
                event: event.json.text,
                media: report.media.map {
                    MediaRecord(
                        mediaID: $0.id, type: $0.type, format: $0.format, eventCode: $0.eventCode, data: $0.data)
                }))
    }

    /// Lets a message be written after the incident that it belongs to. What the incident keeps is answered with it; else,
    /// and for pictures, the answer waits for the message as well.
    private func attach(_ message: MessageWrite, isKept: Bool, _ entry: inout CommitEntry) {
        var isPicture = false
        if case .message(let record) = message { isPicture = record.media != nil }
        var following = MessageEntry(writes: [message])
        if isPicture || !isKept { swap(&following.results, &entry.results) }
        entry.messages = [following]
    }

    private func count(_ kind: EventKind) {
        if let index = EventKind.allCases.firstIndex(of: kind) { eventCounters[index].increment() }
    }

    func publish(_ event: @autoclosure () -> PipelineEvent) {
        if hub.hasSubscribers { hub.publish([event()]) }
    }

    // MARK: Decisions

    /// Turns what the engine decided into writes, deliveries and commands.
    ///
    /// - Parameter speaker: the terminal whose report was decided, which is there to be asked for its place.
    mutating func absorb(
        _ decision: Decision, into entry: inout CommitEntry, speaker: TerminalID? = nil, now: Moment
    ) {
        for change in decision.changes {
            entry.writes.append(.change(change))
            for delivery in change.deliveries {
                for target in delivery.targets {
                    entry.deliveries.append(
                        PendingDelivery(
                            notice: delivery.notice, target: target, attempts: 0, nextAttemptAt: delivery.notice.at))
                }
            }
            follow(change.incident, into: &entry)
            calls.follow(change)
            entry.events.append(.incident(change.incident))
            log(change)
            measure(change)
        }
        for order in decision.commands { give(order, speaker, into: &entry, now: now) }
    }

    /// Queues what the engine wants said to a terminal.
    private mutating func give(
        _ order: Decision.Order, _ speaker: TerminalID?, into entry: inout CommitEntry, now: Moment
    ) {
        switch order.command {
        case .locate, .track, .reportInterval:
            // Asked for again and again: one question is enough, and a stranger that is not there would only fill the queue.
            let isListed = terminals.number(of: order.terminal).map { terminals[$0].flags.contains(.isListed) } ?? false
            let isThere = order.terminal == speaker || isConnected(order.terminal)
            guard isListed || isThere, order.command != .locate || !commands.holds(.locate, for: order.terminal) else {
                return
            }
        default: break
        }
        do {
            let lifetime = Int64(order.lifetimeSeconds ?? configuration.orderLifetimeSeconds) * 1000
            _ = try enqueue(
                order.command, for: order.terminal, incident: order.incident, by: Self.gatewayActor,
                expiresAt: now.wall.adding(milliseconds: lifetime), into: &entry, now: now)
        } catch {
            logger.error(
                "A command to a terminal is dropped",
                metadata: .keyed([
                    .terminalID: "\(order.terminal)", .incidentID: "\(order.incident?.description ?? "")",
                    .errorCode: "\(error.code.rawValue)", .errorDetail: "\(order.command.name): \(error.message)",
                ]))
        }
    }

    /// Keeps count of what is open, and ends the calls for a human when one has taken over.
    mutating func follow(_ incident: Incident, into entry: inout CommitEntry) {
        if incident.state != .open { unheard[incident.id] = nil }
        if incident.terminal == .site, !incident.state.isOpen { isMassEventClosed = true }
        let awaited = open[incident.id]
        let awaits = incident.state.awaitsHuman
        if awaited == true, !awaits {
            entry.writes.append(.stopRaising(incident.id))
            // At once, and once more behind the notices of decisions that are on their way to the disk before this one.
            let takenOver = TakenOver(incident: incident.id, through: incident.lastEventNumber)
            entry.takenOver.append(takenOver)
            output.takenOver.append(takenOver)
        }
        count(incident, was: awaited, isNow: incident.state.isOpen ? awaits : nil)
    }

    /// - Parameters:
    ///   - was: whether it waited for a human; nil when it was not open.
    ///   - isNow: the same of now.
    mutating func count(_ incident: Incident, was: Bool?, isNow: Bool?) {
        if let number = terminals.number(of: incident.terminal) { mark(number, .mayHaveIncidents, true) }
        guard was != isNow else { return }
        open[incident.id] = isNow
        let change = (isNow == nil ? 0 : 1) - (was == nil ? 0 : 1)
        counts[incident.service, default: IncidentCounts()].open += change
        counts[incident.service, default: IncidentCounts()].unacknowledged +=
            (isNow == true ? 1 : 0) - (was == true ? 1 : 0)
        guard change != 0 else { return }
        let before = attention[incident.terminal] ?? 0
        let count = before + change
        attention[incident.terminal] = count > 0 ? count : nil
        if (before > 0) != (count > 0) { attentionMoves[incident.terminal] = count > 0 }
        attentionChanged = true
    }

    /// How soon humans answered, and whether what they handed over was done in time.
    private func measure(_ change: IncidentChange) {
        let incident = change.incident
        let service = incident.service.rawValue
        for entry in change.entries {
            if entry.kind == .acknowledged, entry.at == incident.answeredAt {
                let waited = entry.at.milliseconds - incident.openedAt.milliseconds
                let within = waited <= 60_000 ? "60s" : waited <= 180_000 ? "180s" : "later"
                GatewayMetric.incidentsAnswered.counter(service, within).increment()
            } else if entry.kind == .closed, let due = incident.dueAt {
                let isOnTime = incident.timesOverdue == nil && entry.at <= due
                GatewayMetric.incidentsDue.counter(service, isOnTime ? "on_time" : "late").increment()
            }
        }
    }

    private func log(_ change: IncidentChange) {
        for entry in change.entries {
            switch entry.kind {
            case .ladderStep: GatewayMetric.ladderSteps.counter(change.incident.service.rawValue).increment()
            case .withheld: GatewayMetric.targetsWithheld.counter().increment()
            default: break
            }
        }
        guard let first = change.entries.first(where: { $0.kind == .opened || $0.kind == .closed }) else { return }
        let service = change.incident.service.rawValue
        (first.kind == .opened ? GatewayMetric.incidentsOpened : GatewayMetric.incidentsClosed).counter(service)
            .increment()
        logger.notice(
            first.kind == .opened ? "Incident opened" : "Incident closed",
            metadata: .keyed([
                .incidentID: "\(change.incident.id)", .incidentService: "\(change.incident.service.rawValue)",
                .terminalID: "\(change.incident.terminal)",
            ]))
    }

    /// An entry without a report: operators, time, attempts.
    mutating func add(_ decision: Decision, now: Moment, _ finish: (inout CommitEntry) -> Void = { _ in }) {
        var entry = CommitEntry()
        absorb(decision, into: &entry, now: now)
        finish(&entry)
        output.entries.append(entry)
    }

    mutating func attempted(_ report: OutboxPump.Report, now: Moment) {
        let attempt = report.attempt
        var decision = Decision()
        if let outcome = report.outcome { noteUnheard(attempt, outcome, now: now) }
        if let outcome = report.outcome, isForTimeline(outcome, attempt.attempt) {
            decision = engine.attempted(
                attempt.incident, target: attempt.target, outcome: outcome, attempt: attempt.attempt, now: now)
        }
        add(decision, now: now) { $0.writes.append(.attempt(attempt)) }
    }

    /// Nobody has accepted an emergency after some attempts: people on duty must hear of it by other means.
    private mutating func noteUnheard(_ attempt: DeliveryAttempt, _ outcome: AttemptOutcome, now: Moment) {
        if case .accepted = outcome { return }
        guard attempt.attempt >= Self.attemptsUntilUnheard, let incident = engine.incident(attempt.incident),
            incident.service.isLifeSafety, incident.state == .open, unheard[incident.id] == nil
        else { return }
        unheard[incident.id] = now.wall
        logger.critical(
            "No target has accepted an emergency",
            metadata: .keyed([
                .incidentID: "\(incident.id)", .channelName: "\(attempt.target)",
                .errorCode: "\(ErrorCode.noChannelWorks.rawValue)",
            ]))
    }

    private func isForTimeline(_ outcome: AttemptOutcome, _ attempt: Int) -> Bool {
        guard case .failed = outcome else { return true }
        return attempt <= Self.attemptsOnTimeline || attempt % Self.laterAttemptsOnTimeline == 0
    }

    /// A card has come from the disk after it was needed: whoever was withheld for want of it is told now.
    mutating func cardRead(_ person: Person, now: Moment) {
        let decision = engine.cardRead(person, now: now)
        if !decision.isEmpty { add(decision, now: now) }
    }

    /// Incidents whose changes were lost in memory while the store failed: their present state is written.
    mutating func rewrite(_ ids: Set<IncidentID>) {
        let changes = ids.compactMap { engine.incident($0) }.map { IncidentChange(incident: $0) }
        guard !changes.isEmpty else { return }
        var entry = CommitEntry()
        entry.writes = changes.map(StoreWrite.change)
        output.entries.append(entry)
    }

    /// Puts new rules into force for everything that is open and watched.
    mutating func take(_ rules: IncidentRules, now: Moment) {
        engine.rules = rules
        isCommissionedByRules = rules.isCommissioned
        setCommissioned(isCommissionedByAct)
        mass.rules = rules.massEvents
        mass.silenceSeconds = rules.silence.shortest
        if rules.silence.isOff { mass.forgetSilence() }
        guard rules.lowBatteryPercent != watch.lowBatteryPercent || rules.silence != watch.silence else { return }
        let knewSilence = !watch.silence.isOff
        watch.change(lowBatteryPercent: rules.lowBatteryPercent, silence: rules.silence, now: now)
        tellModels()
        guard !knewSilence, !rules.silence.isOff else { return }
        terminals.forEachHeard { number, lastSeen in watch.seed(number, lastSeen: lastSeen, now: now) }
        readLastSeenOnce()
    }

    /// Tells the watch the model of every terminal.
    mutating func tellModels() {
        guard watch.distinguishesModels else { return }
        terminals.forEachModel { number, model in watch.setModel(model, of: number) }
    }

    /// Silence that begins before the start is known when the store has been read for it, in the background.
    mutating func readLastSeenOnce() {
        guard !hasReadLastSeen else { return }
        hasReadLastSeen = true
        readLastSeen()
    }

    // MARK: Time

    /// Does what is due and says when there is next something to do, on the monotonic clock.
    mutating func advance(now: Moment) -> Int64 {
        let people = people
        while let due = engine.nextDeadlineMonotonicMilliseconds, due <= now.monotonicMilliseconds {
            let decision = engine.advance(now: now, people: people.person)
            guard !decision.isEmpty else { break }
            add(decision, now: now)
        }
        if let due = watch.nextDeadlineMonotonicMilliseconds, due <= now.monotonicMilliseconds {
            for (number, condition) in watch.advance(now: now) where terminals[number].flags.contains(.hasRow) {
                if case .silence(let since) = condition { mass.fellSilent(number, since: since, now: now) }
            }
        }
        if isMassEventClosed {
            isMassEventClosed = false
            mass.incidentClosed(now: now)
        }
        decideMassEvents(now: now)
        for record in commands.expired(now: now) { write(record) }
        advanceCare(now: now)
        if now.monotonicMilliseconds >= nextFlushMilliseconds {
            flushLastWords(limit: Self.lastWordsPerCommit)
            flushFenceStates()
            let hasMore = flushHead < flushOrder.count
            let pause = configuration.stateFlushMilliseconds / (hasMore ? Self.flushesPerInterval : 1)
            nextFlushMilliseconds = now.monotonicMilliseconds + Int64(max(1, pause))
        }
        var next = nextFlushMilliseconds
        if let due = engine.nextDeadlineMonotonicMilliseconds { next = min(next, due) }
        if let due = watch.nextDeadlineMonotonicMilliseconds { next = min(next, due) }
        if let due = mass.nextDeadlineMonotonicMilliseconds { next = min(next, due) }
        if let due = commands.nextExpiry { next = min(next, due) }
        if let due = care.nextDue { next = min(next, due) }
        return next
    }
}
