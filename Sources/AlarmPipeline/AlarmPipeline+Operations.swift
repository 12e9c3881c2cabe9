import Foundation
public import Geofencing
public import IncidentCore
public import IncidentStore
public import TerminalModel

/// What operators and administrators do. Each call returns when it is on the disk.
///
/// All of them throw `PipelineError`: `incident_not_durable` when it is in force but waits for the disk,
/// `store_commit_failed` when it is not in force, `stopped` after `stop`.
extension AlarmPipeline {
    /// Acknowledges, notes, hands over, closes or assigns an incident.
    ///
    /// - Returns: the incident afterwards.
    /// - Throws: `OperatorError` when the incident's state does not allow it.
    public func operate(_ action: OperatorAction, on id: IncidentID, by actor: Operator) async throws -> Incident {
        try await perform { decider, now, done in
            let people = decider.people
            let decision = try decider.engine.operate(action, on: id, by: actor, people: people.person, now: now)
            guard let incident = decider.engine.incident(id) else { throw OperatorError.unknownIncident(id) }
            decider.add(decision, now: now) { done.attach(to: &$0, incident, isInForce: true) }
        }
    }

    /// Queues a command for a terminal until it is there to take it, or the time is over.
    ///
    /// - Throws: `number_refused` for a number that must not be dialled (promise P7), `queue_full`, `request_invalid`.
    public func submit(
        _ command: TerminalCommand, to terminal: TerminalID, by actor: Operator, lifetimeSeconds: Int
    ) async throws -> CommandRecord {
        guard (1...7 * 86_400).contains(lifetimeSeconds) else {
            throw PipelineError(.invalid, "a command lives 1 s to 7 days")
        }
        return try await perform { decider, now, done in
            var entry = CommitEntry()
            let record = try decider.enqueue(
                command, for: terminal, incident: nil, by: actor.id,
                expiresAt: now.wall.adding(milliseconds: Int64(lifetimeSeconds) * 1000), into: &entry, now: now)
            done.attach(to: &entry, record, isInForce: true)
            decider.output.entries.append(entry)
        }
    }

    /// Lists a terminal and says whose it is and how it is read.
    ///
    /// - Throws: `not_found` when there is no such person.
    public func assign(_ assignment: TerminalAssignment, by actor: Operator) async throws {
        try await perform { decider, now, done in
            if let person = assignment.person, decider.people.person(person) == nil {
                throw PipelineError(.notFound, "there is no person \(person)")
            }
            decider.assign(assignment, terminal: assignment.terminal, now: now) { entry in
                let owner = assignment.person ?? "nobody"
                entry.audit("assign_terminal", "\(assignment.terminal) to \(owner)", by: actor, at: now.wall)
                done.attach(to: &entry, (), isInForce: true)
            }
        }
    }

    /// Takes a terminal off the lists.
    public func removeTerminal(_ terminal: TerminalID, by actor: Operator) async throws {
        try await perform { decider, now, done in
            guard decider.terminals.row(terminal) != nil else {
                throw PipelineError(.notFound, "there is no terminal \(terminal)")
            }
            decider.assign(nil, terminal: terminal, now: now) { entry in
                entry.audit("remove_terminal", terminal.description, by: actor, at: now.wall)
                done.attach(to: &entry, (), isInForce: true)
            }
        }
    }

    /// Writes many cards and assignments in one transaction: all of them or none.
    public func importRecords(
        people: [Person], assignments: [TerminalAssignment], fences: [Fence] = [], by actor: Operator
    ) async throws {
        let records = try fences.map { FenceRecord(plan: FencePlan($0), json: try Self.json($0)) }
        try await perform { decider, now, done in
            var entry = CommitEntry()
            for person in people {
                entry.writes.append(.person(person))
                decider.people.keep(person)
            }
            for record in records { entry.writes.append(.fence(record)) }
            entry.audit(
                "import", "\(people.count) people, \(assignments.count) terminals, \(records.count) fences",
                by: actor, at: now.wall)
            if !people.isEmpty { decider.terminals.forgetGroups(of: Set(people.map(\.id))) }
            decider.fences.set(records.map(\.plan))
            for assignment in assignments {
                decider.assign(assignment, terminal: assignment.terminal, now: now) { part in
                    entry.join(part)
                    part = CommitEntry()
                }
            }
            done.attach(to: &entry, (), isInForce: true)
            decider.output.entries.append(entry)
        }
    }

    public func put(_ person: Person, by actor: Operator) async throws {
        try await importRecords(people: [person], assignments: [], by: actor)
    }

    public func put(_ fence: Fence, by actor: Operator) async throws {
        try await importRecords(people: [], assignments: [], fences: [fence], by: actor)
    }

    /// - Throws: `not_found` when there is no such fence.
    public func removeFence(_ id: String, by actor: Operator) async throws {
        try await perform { decider, now, done in
            guard decider.fences.remove(id) else { throw PipelineError(.notFound, "there is no fence \(id)") }
            var entry = CommitEntry()
            entry.writes = [.removeFence(id)]
            entry.audit("remove_fence", id, by: actor, at: now.wall)
            done.attach(to: &entry, (), isInForce: true)
            decider.output.entries.append(entry)
        }
    }

    /// Forgets everything that says who a person is or where the person was.
    ///
    /// - Throws: `StoreError` `refused` while an incident of the person is open; SQLite's codes.
    public func erase(person: String, by actor: Operator) async throws {
        let terminals = try store.terminals(of: person)
        let fences = try fences(without: person)
        let holdings = try await onThread { [store, clock] in
            try store.erase(person: person, now: clock.now().wall)
        }
        try await perform { decider, now, done in
            decider.people.forget(person)
            decider.terminals.forgetGroups(of: [person])
            decider.engine.forget(person: person)
            decider.care.forget(person: person)
            var entry = CommitEntry()
            for terminal in terminals {
                guard let number = decider.terminals.number(of: terminal) else { continue }
                decider.terminals[number].person = nil
                decider.forgetLastWords(number)
            }
            // Through their lane, so that last words that are on their way there leave as well.
            entry.messages = [MessageEntry(writes: terminals.map(MessageWrite.forget))]
            for fence in fences {
                if let record = fence.remaining {
                    entry.writes.append(.fence(record))
                    decider.fences.set([record.plan])
                } else {
                    entry.writes.append(.removeFence(fence.id))
                    _ = decider.fences.remove(fence.id)
                }
            }
            entry.audit("erase_person", person, by: actor, at: now.wall)
            done.attach(to: &entry, (), isInForce: true)
            decider.output.entries.append(entry)
        }
        pump.forget(person: person)
        try await onThread { [store, tracks, clock] in
            try tracks.erase(holdings)
            try store.messages.erase(holdings)
            // What was decided before the engine had forgotten may have written the person back meanwhile.
            _ = try store.erase(person: person, now: clock.now().wall)
            try store.forgetHoldings(of: person)
        }
    }

    /// The fences of a person as they are without the person; one of nobody else leaves, since it says where the person
    /// lives.
    private func fences(without person: String) throws -> [(id: String, remaining: FenceRecord?)] {
        try store.fences(containing: person).compactMap { text in
            let fence = try JSONDecoder().decode(Fence.self, from: Data(text.utf8))
            guard case .persons(let people) = fence.scope, people.contains(person) else { return nil }
            let others = people.filter { $0 != person }
            guard !others.isEmpty else { return (fence.id, nil) }
            let remaining = fence.scoped(to: .persons(others))
            return (fence.id, FenceRecord(plan: FencePlan(remaining), json: try Self.json(remaining)))
        }
    }

    /// The explicit, logged act that lets the site reach emergency services, or takes that back (promise P7).
    public func setCommissioned(_ isCommissioned: Bool, reason: String, by actor: Operator) async throws {
        guard !actor.id.isEmpty, !reason.isEmpty else {
            throw PipelineError(.invalid, "commissioning needs an operator and a reason")
        }
        try await perform { decider, now, done in
            var entry = CommitEntry()
            let key = Decider.commissionedSetting
            entry.writes = [.setting(key: key, value: isCommissioned ? now.wall.description : nil)]
            entry.audit(isCommissioned ? "commission" : "decommission", reason, by: actor, at: now.wall)
            // Reaching an ambulance service waits for the disk; no longer reaching it does not.
            if !isCommissioned { decider.setCommissioned(false) }
            let post = decider.post
            entry.onCommit = {
                post(.request { decider, _ in decider.setCommissioned(isCommissioned) })
            }
            done.attach(to: &entry, (), isInForce: false)
            decider.output.entries.append(entry)
        }
    }

    /// Begins a drill, in place of one that is on, or ends it (nil). It is on when it is on the disk, and over at once.
    public func setDrill(_ drill: Drill?, by actor: Operator) async throws {
        guard !actor.id.isEmpty else { throw PipelineError(.invalid, "a drill needs an operator") }
        // With a wrong word every press of the exercise would be real.
        if let group = drill?.group, try !store.hasPeople(inGroup: group) {
            throw PipelineError(.notFound, "nobody is in group \"\(group)\": every press would be real")
        }
        let value = try drill.map { try Self.json($0) }
        try await perform { decider, now, done in
            var entry = CommitEntry()
            entry.writes = [.setting(key: Decider.drillSetting, value: value)]
            let detail = drill.map { "until \($0.until)\($0.group.map { ", group \($0)" } ?? "")" } ?? ""
            entry.audit(drill == nil ? "drill_stop" : "drill_start", detail, by: actor, at: now.wall)
            if drill == nil { decider.engine.drill = nil }
            let post = decider.post
            entry.onCommit = { post(.request { decider, _ in decider.engine.drill = drill }) }
            done.attach(to: &entry, (), isInForce: false)
            decider.output.entries.append(entry)
        }
    }

    /// The drill that was begun last and not ended; it may be over.
    public func drill() async throws -> Drill? {
        try await ask { $0.engine.drill }
    }

    /// The rules in force, with whether the site is commissioned.
    public func rules() async throws -> IncidentRules {
        try await ask { $0.engine.rules }
    }

    /// Whether the site may reach emergency services now.
    public func isCommissioned() async throws -> Bool {
        try await ask { $0.engine.rules.isCommissioned }
    }

    /// How terminals are connected now; those that are not are left out.
    public func sessions(of terminals: [TerminalID]) async throws -> [SessionInfo] {
        try await ask { decider in
            terminals.compactMap { terminal in
                guard let number = decider.terminals.number(of: terminal), decider.isConnected(terminal),
                    let life = decider.terminals.life(number)
                else { return nil }
                return SessionInfo(
                    terminal: terminal, bearer: life.bearer, peer: life.peer.description,
                    protocolName: life.protocolName,
                    since: life.since)
            }
        }
    }

    /// Connected terminals that are in no list, whose ids come after `after`, in the order of their ids as text.
    public func strangers(after: TerminalID?, limit: Int) async throws -> [TerminalID] {
        try await ask { $0.terminals.strangers(after: after, limit: limit) }
    }

    /// When a terminal was last heard and its last event, also what is not written yet.
    public func lastWords(of terminal: TerminalID) async throws -> TerminalStateRecord? {
        let unwritten: TerminalStateRecord? = try await ask { decider in
            guard let number = decider.terminals.number(of: terminal),
                decider.terminals[number].flags.contains(.hasUnwrittenWords)
            else { return nil }
            return TerminalStateRecord(
                terminal: terminal, lastSeen: decider.terminals[number].lastSeen,
                event: decider.terminals.lastWords(number)?.json.text)
        }
        guard var unwritten else { return try store.terminalState(terminal) }
        if unwritten.event == nil { unwritten.event = try store.terminalState(terminal)?.event }
        return unwritten
    }

    private static func json(_ value: some Encodable) throws -> String {
        String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
    }
}

/// A terminal's live connection.
public struct SessionInfo: Sendable, Equatable {
    public var terminal: TerminalID
    public var bearer: Bearer
    public var peer: String
    public var protocolName: ProtocolName
    public var since: Timestamp
}

// MARK: - Asking the decision thread

/// Hands the outcome of one request back, when its entry is on the disk or its commit has failed.
struct Completion<Value: Sendable>: Sendable {
    let continuation: CheckedContinuation<Value, any Error>

    /// - Parameter isInForce: it works although it could not be stored, and is stored later.
    func attach(to entry: inout CommitEntry, _ value: Value, isInForce: Bool) {
        let previous = entry.onSettled
        let continuation = continuation
        entry.isDiscardable = !isInForce
        entry.onSettled = { error in
            previous?(error)
            guard let error else { return continuation.resume(returning: value) }
            let isStoredLater = isInForce && !error.isInTheData && error.code != .refused
            let code: PipelineError.Code = isStoredLater ? .notDurable : .notStored
            continuation.resume(throwing: PipelineError(code, error.description))
        }
    }
}

extension AlarmPipeline {
    func perform<Value: Sendable>(
        _ body: @escaping @Sendable (inout Decider, Moment, Completion<Value>) throws -> Void
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let isPosted = mailbox.post(
                .request { decider, now in
                    do {
                        try body(&decider, now, Completion(continuation: continuation))
                    } catch {
                        continuation.resume(throwing: error)
                    }
                })
            if !isPosted { continuation.resume(throwing: PipelineError(.stopped, "the gateway is stopping")) }
        }
    }

    func ask<Value: Sendable>(
        _ body: @escaping @Sendable (borrowing Decider) -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
            let isPosted = mailbox.post(.request { decider, _ in continuation.resume(returning: body(decider)) })
            if !isPosted { continuation.resume(throwing: PipelineError(.stopped, "the gateway is stopping")) }
        }
    }

    /// Runs slow work of an administrator on a thread of its own, not on the pool that carries notices.
    private func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread { continuation.resume(with: Result { try body() }) }.start()
        }
    }
}

extension CommitEntry {
    mutating func audit(_ action: String, _ detail: String, by actor: Operator, at time: Timestamp) {
        writes.append(.audit(AuditEntry(at: time, actor: actor, action: action, detail: detail)))
    }

    /// Puts another entry's writes into this one, so that both are one transaction.
    mutating func join(_ other: CommitEntry) {
        writes += other.writes
        guard let other = other.onCommit else { return }
        let own = onCommit
        onCommit = {
            own?()
            other()
        }
    }
}

extension Decider {
    mutating func setCommissioned(_ isCommissioned: Bool) {
        isCommissionedByAct = isCommissioned
        engine.rules.isCommissioned = isCommissioned || isCommissionedByRules
    }
}
