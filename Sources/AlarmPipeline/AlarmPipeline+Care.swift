public import IncidentCore
public import IncidentStore
public import TerminalModel

/// Somebody to be reminded, with the terminals that the person has.
public struct CareAddressee: Sendable {
    public var person: Person
    public var terminals: [TerminalID]

    public init(person: Person, terminals: [TerminalID]) {
        self.person = person
        self.terminals = terminals
    }
}

extension AlarmPipeline {
    /// Sends one reminder to each of these people, or with a `refusal` puts on record that nobody was asked.
    ///
    /// The record and the message are one transaction, so that a restart neither forgets nor repeats.
    /// - Returns: how many were taken; for the rest there was no room in the queue.
    public func remind(
        _ addressees: [CareAddressee], _ schedule: CareSchedule, dueAt: Timestamp, refusal: String?
    ) async throws -> Int {
        try await perform { decider, now, done in
            var entry = CommitEntry()
            let taken = decider.remind(
                addressees, schedule, dueAt: dueAt, refusal: refusal, into: &entry, now: now)
            done.attach(to: &entry, taken, isInForce: true)
            decider.output.entries.append(entry)
        }
    }

    /// Writes what belongs to no incident, such as how far the reminders have come.
    public func write(_ writes: [StoreWrite]) async throws {
        try await perform { decider, _, done in
            var entry = CommitEntry()
            entry.writes = writes
            done.attach(to: &entry, (), isInForce: false)
            decider.output.entries.append(entry)
        }
    }
}
