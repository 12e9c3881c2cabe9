import CoreMetrics
import GatewayTelemetry
import IncidentCore
import IncidentStore
import TerminalModel

/// What is known of terminals: who they are, when they were heard, what they are told.
extension Decider {
    /// Terminals that only registered themselves are kept up to this many; listed ones always.
    static let maximumTerminals = 1_000_000
    /// An older fix says nothing about fences. Source: DESIGN section 7.
    static let oldFixMilliseconds: Int64 = 600_000
    static let clockMemoryMilliseconds: Int64 = 86_400_000
    /// Numbers in one command: more than any terminal holds for one purpose.
    static let maximumNumbers = 10
    /// Who orders what the engine decides.
    static let gatewayActor = "gateway"
    /// Characters in one message, as the document of the status socket says; each protocol has limits of its own below it.
    static let maximumMessageCharacters = 500

    // MARK: Connections

    mutating func connected(
        _ terminal: TerminalID, _ bearer: Bearer, peer: PeerAddress, protocolName: ProtocolName, at time: Timestamp,
        now: Moment
    ) {
        let number = terminals.insert(terminal)
        // What was sent over another bearer may still be answered there.
        let isConnected = terminals[number].flags.contains(.isConnected)
        if !isConnected || terminals.life(number)?.orderBearer == bearer { reconnected(terminal, at: time) }
        terminals.live(number) { life in
            life.bearer = bearer
            life.peer = peer
            life.protocolName = protocolName
            life.since = time
        }
        terminals[number].flags.formUnion([.isConnected, .mayHaveCommands, .isOn(bearer)])
        terminals[number].flags.hear(bearer)
        noteComing(number, wasConnected: isConnected)
        mark(number, .mayHaveIncidents, engine.concerns(terminal))
        publish(.online(terminal, bearer, peer: peer, at: time))
        sendNext(to: terminal, now: now)
    }

    /// A terminal is gone when it has left its last bearer.
    ///
    /// - Parameter isOurs: the gateway ended its connection.
    mutating func disconnected(_ terminal: TerminalID, _ bearer: Bearer, isOurs: Bool = false, now: Moment) {
        guard let number = terminals.number(of: terminal), terminals[number].flags.contains(.isConnected) else {
            commands.disconnected(terminal)
            return
        }
        guard terminals[number].flags.contains(.isOn(bearer)) else { return }
        terminals[number].flags.leave(bearer)
        if let other = terminals[number].flags.bearer {
            terminals.live(number) { $0.bearer = other }
            guard terminals.life(number)?.orderBearer == bearer else { return }
            // What that bearer had not sent goes over the other one.
            commands.disconnected(terminal)
            sendNext(to: terminal, now: now)
            return
        }
        terminals[number].flags.remove(.isConnected)
        noteLeaving(number, isOurs: isOurs)
        terminals.endLifeIfUnneeded(number)
        forgetIfUnneeded(number)
        commands.disconnected(terminal)
    }

    /// The terminal speaks over a bearer: from now on it is spoken to over it. Only a change costs anything.
    mutating func heard(_ report: InboundReport, _ number: UInt32) {
        let flags = terminals[number].flags
        guard !flags.contains(.heardLast(report.bearer)), flags.contains(.isOn(report.bearer)) else { return }
        terminals[number].flags.hear(report.bearer)
        terminals.live(number) { life in
            life.bearer = report.bearer
            life.peer = report.peer
            life.protocolName = report.event.protocolName
        }
    }

    func isConnected(_ terminal: TerminalID) -> Bool {
        terminals.number(of: terminal).map { terminals[$0].flags.contains(.isConnected) } ?? false
    }

    /// Takes the number of a terminal back that is neither listed nor connected any more.
    private mutating func forgetIfUnneeded(_ number: UInt32) {
        guard terminals.dropIfUnneeded(number) else { return }
        watch.forget(number)
        mass.forget(number)
        fences.forget(number)
    }

    mutating func mark(_ number: UInt32, _ flag: TerminalTable.Flags, _ isSet: Bool) {
        if isSet { terminals[number].flags.insert(flag) } else { terminals[number].flags.remove(flag) }
    }

    // MARK: Registration

    mutating func register(_ registration: TerminalRegistration, _ ticket: ReplyTicket) {
        let terminal = registration.terminal
        guard terminals.row(terminal) != nil || terminals.rowCount < Self.maximumTerminals else {
            output.results.append(IngestResult(ticket: ticket, outcome: .failed))
            return
        }
        let number = insertRow(terminal)
        terminals[number].registeredModel = registration.model
        let model = terminals[number].effectiveModel
        watch.setModel(model, of: number)
        var entry = CommitEntry()
        entry.writes = [.registration(registration)]
        entry.results = [IngestResult(ticket: ticket, outcome: .stored)]
        entry.isDiscardable = true
        entry.isRegistration = true
        let directory = directory
        entry.onCommit = {
            // The directory is only ever changed on the committing thread, so reading and writing cannot interleave.
            var known = directory[terminal] ?? KnownTerminal(isListed: false)
            known.model = model
            known.authCodeDigests = known.authCodeDigests.prefix(1) + [registration.codeDigest]
            directory[terminal] = known
        }
        output.entries.append(entry)
    }

    mutating func authenticated(_ terminal: TerminalID, _ digest: [UInt8]) {
        // The only good code is used again: when a district reconnects, that must not be a row for each terminal.
        if directory[terminal]?.authCodeDigests == [digest] { return }
        var entry = CommitEntry()
        entry.writes = [.authenticated(terminal, digest: digest)]
        entry.isRegistration = true
        let directory = directory
        entry.onCommit = {
            guard var known = directory[terminal], known.authCodeDigests.contains(digest) else { return }
            known.authCodeDigests = [digest]
            directory[terminal] = known
        }
        output.entries.append(entry)
    }

    /// Lists a terminal and says whose it is; `nil` takes it off the lists.
    mutating func assign(
        _ assignment: TerminalAssignment?, terminal: TerminalID, now: Moment, _ finish: (inout CommitEntry) -> Void
    ) {
        var entry = CommitEntry()
        let directory = directory
        if let assignment {
            let number = insertRow(terminal)
            terminals[number].person = assignment.person
            if terminals.life(number) != nil { terminals.live(number) { $0.groups = GroupSets.Number() } }
            terminals[number].model = assignment.model
            terminals[number].utcOffsetMinutes = Int16(clamping: assignment.utcOffsetMinutes)
            mark(number, .isTrustedByID, assignment.trustedByID)
            mark(number, .isListed, true)
            let model = terminals[number].effectiveModel
            watch.setModel(model, of: number)
            entry.writes = [.assignment(assignment, at: now.wall)]
            entry.onCommit = {
                var known = directory[terminal] ?? KnownTerminal()
                known.model = model
                known.utcOffsetMinutes = assignment.utcOffsetMinutes
                known.trustedByID = assignment.trustedByID
                known.isListed = true
                directory[terminal] = known
            }
        } else {
            if let number = terminals.number(of: terminal) { removeRow(number) }
            entry.writes = [.removeTerminal(terminal, at: now.wall)]
            entry.messages = [MessageEntry(writes: [.forget(terminal)])]
            entry.onCommit = { directory[terminal] = nil }
        }
        finish(&entry)
        if !entry.writes.isEmpty { output.entries.append(entry) }
    }

    private mutating func insertRow(_ terminal: TerminalID) -> UInt32 {
        let number = terminals.insert(terminal)
        terminals.setRow(number, true)
        mark(number, .mayHaveIncidents, engine.concerns(terminal))
        return number
    }

    private mutating func removeRow(_ number: UInt32) {
        forgetLastWords(number)
        terminals.setRow(number, false)
        terminals[number].person = nil
        terminals[number].model = ""
        terminals[number].registeredModel = ""
        terminals[number].flags.subtract([.isListed, .isTrustedByID])
        watch.forget(number)
        mass.forget(number)
        fences.forget(number)
        terminals.endLifeIfUnneeded(number)
        forgetIfUnneeded(number)
    }

    /// The groups of the person whose terminal it is; nil when the card has not been read yet.
    mutating func groups(of number: UInt32) -> [String]? {
        guard let person = terminals[number].person else { return [] }
        if let life = terminals.life(number), let known = groupSets.groups(life.groups) { return known }
        let groups: [String]
        switch people.card(person) {
        case .known(let card): groups = card.groups
        case .missing: groups = []
        case .unread: return nil
        }
        let number = (terminal: number, groups: groupSets.number(of: groups))
        terminals.live(number.terminal) { $0.groups = number.groups }
        return groups
    }

    // MARK: Last words

    /// Remembers that a terminal was heard, and what it said when that is more than a sign of life.
    mutating func note(_ event: TerminalEvent, _ number: UInt32, now: Moment) {
        // A terminal that the site does not know leaves no row of its own, so that nobody can fill the disk with ids.
        let flags = terminals[number].flags
        guard flags.contains(.hasRow) else { return }
        if !flags.contains(.hasUnwrittenWords) {
            mark(number, .hasUnwrittenWords, true)
            flushOrder.append(number)
        }
        let received = event.received ?? now.wall
        terminals[number].lastSeen = received
        if !event.historical, let claimed = event.deviceTime, TerminalClock.isRight(claimed, received: received) {
            terminals[number].clockRightAt = received
        }
        let saysMore = event.kind != .heartbeat && event.kind != .reply && !event.historical
        guard saysMore else { return }
        let mayHold = event.isPlain || heldEvents < Self.maximumHeldEvents
        if terminals.lastWords(number)?.isPlain == false { heldEvents -= 1 }
        if !event.isPlain, mayHold { heldEvents += 1 }
        terminals.setLastWords(number, mayHold ? event : event.plain)
    }

    // MARK: Clocks

    /// True when live reports have shown a right clock a moment ago, on this connection: what restarts may wake up in
    /// another year.
    func isClockRight(_ number: UInt32, at received: Timestamp) -> Bool {
        let rightAt = terminals[number].clockRightAt
        guard rightAt != TerminalTable.never, let life = terminals.life(number), rightAt >= life.since else {
            return false
        }
        return received.milliseconds - rightAt.milliseconds <= TerminalClock.recentMilliseconds
    }

    /// True for a fix that is old, by a clock that was right within a day: it does not say where the terminal is.
    ///
    /// A clock that was set wrong later is believed for that day at most; then fences go by the arrival again (promise P8).
    func isOldFix(_ event: TerminalEvent, _ number: UInt32, now: Moment) -> Bool {
        let rightAt = terminals[number].clockRightAt
        guard let claimed = event.deviceTime, rightAt != TerminalTable.never else { return false }
        let received = event.received ?? now.wall
        let (age, hasOverflown) = received.milliseconds.subtractingReportingOverflow(claimed.milliseconds)
        return !hasOverflown && age > Self.oldFixMilliseconds
            && received.milliseconds - rightAt.milliseconds <= Self.clockMemoryMilliseconds
    }

    mutating func forgetLastWords(_ number: UInt32) {
        _ = takeLastWords(number)
        terminals.endLifeIfUnneeded(number)
    }

    /// The last words that are not written, which count as written from here on.
    private mutating func takeLastWords(_ number: UInt32) -> TerminalStateRecord? {
        guard terminals[number].flags.contains(.hasUnwrittenWords) else { return nil }
        mark(number, .hasUnwrittenWords, false)
        let event = terminals.lastWords(number)
        terminals.forgetLastWords(number)
        if event?.isPlain == false { heldEvents -= 1 }
        return TerminalStateRecord(
            terminal: terminals.id(number), lastSeen: terminals[number].lastSeen, event: event?.json.text)
    }

    /// Puts last words that are not written yet on their way, the longest waiting first, in small groups that do not
    /// delay an alarm.
    mutating func flushLastWords(limit: Int) {
        let end = flushHead + min(limit, flushOrder.count - flushHead)
        var writes: [MessageWrite] = []
        for number in flushOrder[flushHead..<end] {
            // A number that was given to another terminal meanwhile stands here twice.
            guard let words = takeLastWords(number) else { continue }
            writes.append(.terminalState(words))
            terminals.endLifeIfUnneeded(number)
        }
        flushHead = end
        if flushHead * 2 >= flushOrder.count {
            flushOrder.removeSubrange(..<flushHead)
            flushHead = 0
        }
        guard !writes.isEmpty else { return }
        output.messages.append(MessageEntry(writes: writes, isDiscardable: true))
    }

    /// Takes up when terminals were last heard before the start.
    mutating func heard(_ seen: [(TerminalID, Timestamp)], now: Moment) {
        for (terminal, time) in seen {
            guard let number = terminals.number(of: terminal), terminals[number].flags.contains(.hasRow) else {
                continue
            }
            guard terminals[number].lastSeen < time else { continue }
            terminals[number].lastSeen = time
            watch.seed(number, lastSeen: time, now: now)
        }
    }

    /// Writes on which side of a fence terminals were found, where that raised nothing.
    mutating func flushFenceStates() {
        // In the alarms' lane: a newer state in a decision must not be overtaken by an older one.
        let writes = fences.takeChangedStates().map(StoreWrite.fenceState)
        for start in stride(from: 0, to: writes.count, by: Self.lastWordsPerCommit) {
            var entry = CommitEntry()
            entry.writes = Array(writes[start..<min(start + Self.lastWordsPerCommit, writes.count)])
            output.entries.append(entry)
        }
    }

    // MARK: Commands

    /// Puts a command into its terminal's queue.
    ///
    /// - Throws: `number_refused` for a number that must not be dialled (promise P7), `queue_full`, `request_invalid`.
    mutating func enqueue(
        _ command: TerminalCommand, for terminal: TerminalID, incident: IncidentID?, by: String, expiresAt: Timestamp,
        into entry: inout CommitEntry, now: Moment
    ) throws(PipelineError) -> CommandRecord {
        let command = try admitted(command)
        guard commands.hasRoom(for: terminal) else {
            GatewayMetric.queueDropped.counter("commands", "full").increment()
            throw PipelineError(.queueFull, "terminal \(terminal) has too many commands waiting")
        }
        lastCommandID += 1
        let record = CommandRecord(
            id: lastCommandID, terminal: terminal, command: command, incident: incident, by: by, createdAt: now.wall,
            expiresAt: expiresAt)
        commands.add(record, now: now, isSettled: false)
        if let number = terminals.number(of: terminal) { mark(number, .mayHaveCommands, true) }
        GatewayMetric.commands.counter("queued").increment()
        entry.writes.append(.command(record))
        entry.events.append(.command(record))
        let previous = entry.onSettled
        let post = post
        let id = record.id
        entry.onSettled = { error in
            previous?(error)
            post(.commandSettled(id))
        }
        return record
    }

    /// The one guard of numbers that leave the process to be dialled by a terminal, and the ranges of the rest.
    private func admitted(_ command: TerminalCommand) throws(PipelineError) -> TerminalCommand {
        switch command {
        case .callBack(let number, let listen): return .callBack(number: try admitted(number: number), listen: listen)
        case .setNumbers(let purpose, let numbers):
            guard numbers.count <= Self.maximumNumbers else {
                throw PipelineError(.invalid, "at most \(Self.maximumNumbers) numbers, found \(numbers.count)")
            }
            var admitted: [String] = []
            for number in numbers { admitted.append(try self.admitted(number: number)) }
            return .setNumbers(purpose, admitted)
        case .message(let text, _):
            guard (1...Self.maximumMessageCharacters).contains(text.unicodeScalars.count) else {
                throw PipelineError(.invalid, "a message has 1 to \(Self.maximumMessageCharacters) characters")
            }
        case .reportInterval(let seconds):
            guard (1...86_400).contains(seconds) else {
                throw PipelineError(.invalid, "a report interval is 1 to 86400 s")
            }
        case .track(let interval, let duration):
            guard (0...86_400).contains(interval), (0...7 * 86_400).contains(duration) else {
                throw PipelineError(.invalid, "tracking is 0 to 86400 s apart for at most 7 days")
            }
        case .locate, .confirmAlarm, .find, .fallDetection, .restart, .powerOff: break
        }
        return command
    }

    /// The digits of a number that a terminal may be told to dial.
    private func admitted(number: String) throws(PipelineError) -> String {
        switch DialGuard(isCommissioned: engine.rules.isCommissioned).examine(number) {
        case .allowed(let digits, isEmergency: false): return digits
        case .allowed(_, isEmergency: true):
            GatewayMetric.numbersRefused.counter().increment()
            throw PipelineError(.numberRefused, "a terminal is never told to dial an emergency number")
        case .refused(let refusal):
            GatewayMetric.numbersRefused.counter().increment()
            throw PipelineError(.numberRefused, refusal.code)
        }
    }

    mutating func commandSettled(_ id: Int64, now: Moment) {
        commands.settle(id)
        guard let record = commands.record(id), isConnected(record.terminal) else { return }
        sendNext(to: record.terminal, now: now)
    }

    /// The terminal speaks on a new connection: what the old one had not finished is sent again on the new one.
    mutating func reconnected(_ terminal: TerminalID, at time: Timestamp) {
        if let record = commands.reconnected(terminal, at: time) { write(record) }
    }

    mutating func sendNext(to terminal: TerminalID, now: Moment) {
        guard let number = terminals.number(of: terminal), let bearer = terminals[number].flags.bearer else { return }
        if var order = commands.next(for: terminal, now: now) {
            order.bearer = bearer
            terminals.live(number) { $0.orderBearer = bearer }
            output.orders.append(order)
        }
        mark(number, .mayHaveCommands, commands.concerns(terminal))
    }

    mutating func commandOutcome(_ id: Int64, _ outcome: CommandOutcome, at time: Timestamp, now: Moment) {
        guard let record = commands.apply(outcome, to: id, at: time) else { return }
        write(record)
        careCommand(id, outcome, at: time, now: now)
        if case .sent = outcome { return }
        if case .failed = outcome, record.by == Self.gatewayActor, let incident = record.incident {
            let decision = engine.commandFailed(record.command, of: incident, now: now)
            if !decision.isEmpty { add(decision, now: now) }
        }
        if isConnected(record.terminal) { sendNext(to: record.terminal, now: now) }
    }

    mutating func write(_ record: CommandRecord) {
        var entry = CommitEntry()
        entry.writes = [.commandOutcome(id: record.id, record.outcome, at: record.updatedAt)]
        if record.outcome != .queued { GatewayMetric.commands.counter(record.outcome.name).increment() }
        entry.events = [.command(record)]
        if let incident = record.incident, let known = engine.incident(incident) {
            let reason = if case .failed(let reason) = record.outcome { ": \(reason)" } else { "" }
            let line = TimelineEntry(
                at: record.updatedAt, kind: .command, actor: record.terminal.description,
                detail: "\(record.command.name) \(record.outcome.name)\(reason)")
            entry.writes.append(.change(IncidentChange(incident: known, entries: [line])))
        }
        output.entries.append(entry)
    }
}
