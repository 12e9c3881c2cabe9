import IncidentCore
import IncidentStore
import TerminalModel

/// Reminders that wait for an answer, by person, and when their time is over.
struct CareBook {
    /// Time for what a terminal kept back while the gateway was not there to hear it.
    static let restartGraceMilliseconds: Int64 = 60_000
    /// The same frame within this time is a retransmission of an answer.
    static let answerMemoryMilliseconds: Int64 = 600_000

    private struct Entry {
        var record: CareRecord
        var dueMonotonicMilliseconds: Int64
    }

    private struct Answer {
        var sequence: Int?
        var deviceTime: Timestamp?
        var keys: [Int]
    }

    private var entries: [CareKey: Entry] = [:]
    private var byPerson: [String: [CareKey]] = [:]
    private var byCommand: [Int64: CareKey] = [:]
    private var deadlines = TimerHeap<CareKey>()
    private var answers: [TerminalID: Answer] = [:]
    private var answersToForget = TimerHeap<TerminalID>()

    /// True when no frame of any terminal needs a look.
    var isEmpty: Bool { byPerson.isEmpty && answers.isEmpty }
    var nextDue: Int64? { deadlines.earliestDue }

    func holds(_ key: CareKey) -> Bool { entries[key] != nil }

    func records(of person: String) -> [CareRecord] { (byPerson[person] ?? []).compactMap { entries[$0]?.record } }

    func record(of command: Int64) -> CareRecord? { byCommand[command].flatMap { entries[$0]?.record } }

    /// Keeps a record that waits, in its newest form, and lets go of one that does not.
    mutating func keep(_ record: CareRecord, graceMilliseconds: Int64 = 0, now: Moment) {
        let key = record.key
        if let command = entries[key]?.record.command { byCommand[command] = nil }
        guard record.state.isOpen else {
            entries[key] = nil
            byPerson[key.person]?.removeAll { $0 == key }
            if byPerson[key.person]?.isEmpty == true { byPerson[key.person] = nil }
            return
        }
        if entries[key] == nil { byPerson[key.person, default: []].append(key) }
        let left = max(record.answerBy.milliseconds - now.wall.milliseconds, graceMilliseconds)
        let due = now.monotonicMilliseconds + max(0, left)
        let isNew = entries[key]?.record.answerBy != record.answerBy
        let kept = isNew ? due : entries[key]?.dueMonotonicMilliseconds ?? due
        entries[key] = Entry(record: record, dueMonotonicMilliseconds: kept)
        if let command = record.command { byCommand[command] = key }
        if isNew { deadlines.add(key, due: kept) }
    }

    mutating func restore(_ record: CareRecord, now: Moment) {
        let grace = min(Int64(record.answerWithinSeconds) * 1000, Self.restartGraceMilliseconds)
        keep(record, graceMilliseconds: grace, now: now)
    }

    /// One whose time is over.
    mutating func takeDue(now: Moment) -> CareRecord? {
        while let key = deadlines.take(dueBy: now.monotonicMilliseconds) {
            // A later deadline stands in the heap too.
            guard let entry = entries[key], entry.dueMonotonicMilliseconds <= now.monotonicMilliseconds else {
                continue
            }
            return entry.record
        }
        return nil
    }

    mutating func forget(person: String) {
        for record in records(of: person) {
            entries[record.key] = nil
            if let command = record.command { byCommand[command] = nil }
        }
        byPerson[person] = nil
    }

    // MARK: Answers

    mutating func remember(_ event: TerminalEvent, now: Moment) {
        answers[event.terminal] = Answer(
            sequence: event.sequence, deviceTime: event.deviceTime, keys: event.keys)
        answersToForget.add(event.terminal, due: now.monotonicMilliseconds + Self.answerMemoryMilliseconds)
    }

    /// The frame that was an answer, sent once more since its acknowledgement did not arrive.
    mutating func isAnswerAgain(_ event: TerminalEvent, now: Moment) -> Bool {
        while let terminal = answersToForget.take(dueBy: now.monotonicMilliseconds) { answers[terminal] = nil }
        guard let answer = answers[event.terminal], answer.sequence != nil || answer.deviceTime != nil else {
            return false
        }
        return answer.sequence == event.sequence && answer.deviceTime == event.deviceTime && answer.keys == event.keys
    }
}
