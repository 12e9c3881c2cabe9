import CoreMetrics
import GatewayTelemetry
import IncidentCore
import IncidentStore
import TerminalModel

/// Reminders: sending them, what answers them, and what follows when nothing does.
extension Decider {
    /// Missed reminders looked at in one turn, so that no alarm waits for a district that slept in.
    static let missedPerTurn = 100

    /// Asks people, each once; one that is asked already counts as taken.
    ///
    /// - Returns: how many were taken; the rest found no room in the queue and is to be asked again.
    mutating func remind(
        _ addressees: [CareAddressee], _ schedule: CareSchedule, dueAt: Timestamp, refusal: String?,
        into entry: inout CommitEntry, now: Moment
    ) -> Int {
        var taken = 0
        for addressee in addressees {
            let key = CareKey(schedule: schedule.name, dueAt: dueAt, person: addressee.person.id)
            guard !care.holds(key) else {
                taken += 1
                continue
            }
            let text = schedule.text(
                for: addressee.person.name, dueAt: dueAt, utcOffsetMinutes: engine.rules.utcOffsetMinutes)
            var record = CareRecord(
                key: key, terminal: reachable(of: addressee.terminals),
                state: .queued, text: String(text.unicodeScalars.prefix(Self.maximumMessageCharacters)),
                confirmation: schedule.confirmation, answerWithinSeconds: schedule.answerWithinSeconds, attempts: 0,
                maximumAttempts: schedule.attempts, answerBy: now.wall)
            if let refusal = refusal ?? (record.terminal == nil ? "the person has no terminal" : nil) {
                settle(&record, .notSent, refusal, into: &entry, now: now)
            } else {
                do {
                    try ask(&record, into: &entry, now: now)
                } catch let error where error.code == .queueFull {
                    continue
                } catch {
                    settle(&record, .notSent, error.message, into: &entry, now: now)
                }
            }
            taken += 1
        }
        return taken
    }

    /// The one that is there, or else the first.
    private func reachable(of terminals: [TerminalID]) -> TerminalID? {
        for terminal in terminals where isConnected(terminal) { return terminal }
        return terminals.first
    }

    private mutating func ask(
        _ record: inout CareRecord, into entry: inout CommitEntry, now: Moment
    ) throws(PipelineError) {
        guard let terminal = record.terminal else { return }
        let answerBy = now.wall.adding(milliseconds: Int64(record.answerWithinSeconds) * 1000)
        let command = try enqueue(
            .message(text: record.text, urgent: false), for: terminal, incident: nil, by: Self.gatewayActor,
            expiresAt: answerBy, into: &entry, now: now)
        record.state = .queued
        record.attempts += 1
        record.command = command.id
        record.answerBy = answerBy
        keep(record, into: &entry, now: now)
        GatewayMetric.careContacts.counter("queued").increment()
    }

    private mutating func settle(
        _ record: inout CareRecord, _ state: CareRecord.State, _ detail: String, into entry: inout CommitEntry,
        now: Moment
    ) {
        record.state = state
        record.settledAt = now.wall
        record.detail = detail
        keep(record, into: &entry, now: now)
        GatewayMetric.careContacts.counter(state.rawValue).increment()
    }

    private mutating func keep(_ record: CareRecord, into entry: inout CommitEntry, now: Moment) {
        care.keep(record, now: now)
        entry.writes.append(.care(record))
    }

    /// The message of a reminder left: from now on there can be an answer.
    mutating func careCommand(_ id: Int64, _ outcome: CommandOutcome, at time: Timestamp, now: Moment) {
        guard var record = care.record(of: id) else { return }
        switch outcome {
        case .sent, .confirmed:
            guard record.state == .queued else { return }
            record.state = .sent
            record.sentAt = record.sentAt ?? time
            GatewayMetric.careContacts.counter("sent").increment()
        case .failed(let reason): record.detail = reason
        case .queued, .expired: return
        }
        var entry = CommitEntry()
        keep(record, into: &entry, now: now)
        output.entries.append(entry)
    }

    /// Takes a report as the answer to the reminders of its person.
    ///
    /// Only a proven terminal answers: else somebody far away could keep a missing person quiet.
    /// - Returns: the report as the incident engine sees it: a key that answers a question is no call for help, unless
    ///   something is open about the terminal. An SOS stays what it is.
    mutating func answer(_ report: InboundReport, _ number: UInt32, now: Moment) -> InboundReport {
        guard !care.isEmpty, report.trust == .verified || report.trust == .byID, !report.event.historical else {
            return report
        }
        let event = report.event
        let isPress = !event.keys.isEmpty || event.alarms.contains(.help)
        let isSOS = !event.alarms.isDisjoint(with: .lifeSafety)
        if isPress, care.isAnswerAgain(event, now: now) { return Self.withoutKeys(report) }
        guard let person = terminals[number].person else { return report }
        var entry = CommitEntry()
        for var record in care.records(of: person) where record.sentAt != nil {
            let isAnswer =
                isPress || isSOS || record.confirmation == .signOfLife && event.kind != .reply
            guard isAnswer else { continue }
            let what = isSOS ? "an SOS" : isPress ? "key" : event.kind.rawValue
            settle(&record, .confirmed, "\(what) of terminal \(event.terminal)", into: &entry, now: now)
        }
        guard !entry.writes.isEmpty else { return report }
        output.entries.append(entry)
        guard isPress, !isSOS, attention[event.terminal] == nil else { return report }
        care.remember(event, now: now)
        return Self.withoutKeys(report)
    }

    private static func withoutKeys(_ report: InboundReport) -> InboundReport {
        var report = report
        report.event.keys = []
        report.event.alarms.subtract(AlarmSet(.help))
        return report
    }

    /// Asks once more, or opens the incident, where the time is over.
    mutating func advanceCare(now: Moment) {
        for _ in 0..<Self.missedPerTurn {
            guard var record = care.takeDue(now: now) else { return }
            var entry = CommitEntry()
            if record.attempts < record.maximumAttempts, (try? ask(&record, into: &entry, now: now)) != nil {
                output.entries.append(entry)
                continue
            }
            miss(&record, into: &entry, now: now)
            output.entries.append(entry)
        }
    }

    private mutating func miss(_ record: inout CareRecord, into entry: inout CommitEntry, now: Moment) {
        let times = record.attempts > 1 ? ", asked \(record.attempts) times" : ""
        let why =
            record.sentAt != nil
            ? "no answer" : record.detail.isEmpty ? "the terminal was not there to take it" : record.detail
        settle(&record, .missed, why, into: &entry, now: now)
        guard let terminal = record.terminal, let number = terminals.number(of: terminal) else { return }
        let trust: Trust = terminals[number].flags.contains(.isListed) ? .byID : .unknown
        let decision = engine.condition(
            .reminderMissed("reminder \(record.key.schedule) of \(record.key.dueAt) is missed: \(why)\(times)"),
            terminal: terminal, trust: trust, person: people.person(record.key.person), now: now)
        absorb(decision, into: &entry, now: now)
    }
}
