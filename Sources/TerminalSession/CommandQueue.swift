import TerminalModel

/// The commands of one terminal: one outstanding, the others in order behind it. Empty, it takes no heap.
///
/// The session encodes, since only it knows its protocol:
///
///     while let next = commands.next(now:into:) {
///         commands.sent(next, frames:expecting:...)   or   commands.refuse(next, reason:into:)
///     }
///
/// `Expected` is what the protocol recognises the terminal's answer by: a counter, a keyword.
struct CommandQueue<Expected: Sendable>: Sendable {
    struct Waiting: Sendable {
        let id: Int64
        let command: TerminalCommand
        let expires: Int64
    }

    /// The command whose answer is awaited, with its frames for repetition.
    struct Outstanding: Sendable {
        let id: Int64
        let command: TerminalCommand
        let expires: Int64
        let expected: Expected
        let frames: [[UInt8]]
        fileprivate var repetitions = 0
        fileprivate var waitMilliseconds: Int64
        fileprivate(set) var deadline: Int64
    }

    private enum Entry: Sendable {
        case outstanding(Outstanding)
        case waiting(Waiting)

        var id: Int64 {
            switch self {
            case .outstanding(let command): command.id
            case .waiting(let command): command.id
            }
        }
    }

    /// The outstanding one stands first.
    private var entries: [Entry] = []

    init() {}

    var outstanding: Outstanding? {
        if case .outstanding(let command) = entries.first { command } else { nil }
    }

    /// When `repeatIfDue` has something to do, in monotonic milliseconds; nil while nothing is outstanding.
    var deadline: Int64? { outstanding?.deadline }

    var isEmpty: Bool { entries.isEmpty }

    /// Puts a command behind the others. One that is here already is the same order coming twice. What speaks to somebody
    /// in need does not wait for the answer to something else: that goes back to the pipeline, which orders it again.
    mutating func add(
        _ command: TerminalCommand, id: Int64, expires: Int64, limits: SessionLimits, into actions: inout SessionActions
    ) {
        guard !entries.contains(where: { $0.id == id }) else { return }
        guard entries.count <= limits.maximumWaitingCommands else {
            actions.requests.append(.command(id: id, outcome: .failed(reason: "too many commands wait")))
            return
        }
        if command.speaksToSomebodyInNeed, outstanding?.command.speaksToSomebodyInNeed == false {
            finish(.queued, into: &actions)
        }
        entries.append(.waiting(Waiting(id: id, command: command, expires: expires)))
    }

    /// Takes out the command that is to be sent now, nil while one is outstanding or none waits. What has expired meanwhile
    /// is reported.
    mutating func next(now: Int64, into actions: inout SessionActions) -> Waiting? {
        while case .waiting(let next) = entries.first {
            removeFirst()
            if now < next.expires { return next }
            actions.requests.append(.command(id: next.id, outcome: .expired))
        }
        return nil
    }

    /// Sends the frames of a command that `next` gave; it is outstanding until `finish`.
    mutating func sent(
        _ command: Waiting, frames: [[UInt8]], expecting expected: Expected, limits: SessionLimits, now: Int64,
        into actions: inout SessionActions
    ) {
        let wait = limits.commandTimeoutMilliseconds
        let outstanding = Outstanding(
            id: command.id, command: command.command, expires: command.expires, expected: expected, frames: frames,
            waitMilliseconds: wait, deadline: now + wait)
        entries.insert(.outstanding(outstanding), at: 0)
        for frame in frames { actions.output += frame }
        actions.requests.append(.command(id: command.id, outcome: .sent))
    }

    /// Reports that the protocol cannot express a command that `next` gave.
    mutating func refuse(_ command: Waiting, reason: String, into actions: inout SessionActions) {
        actions.requests.append(.command(id: command.id, outcome: .failed(reason: reason)))
    }

    /// The outstanding command has come to its end; the session goes on with `next`.
    mutating func finish(_ outcome: CommandOutcome, into actions: inout SessionActions) {
        guard let command = outstanding else { return }
        removeFirst()
        actions.requests.append(.command(id: command.id, outcome: outcome))
    }

    /// Repeats the outstanding command when its answer is late: the n-th wait is n times the one before (JT/T 808 section 10).
    ///
    /// - Returns: true when it has come to its end instead; the session goes on with `next`.
    mutating func repeatIfDue(limits: SessionLimits, now: Int64, into actions: inout SessionActions) -> Bool {
        guard var command = outstanding, now >= command.deadline else { return false }
        guard now < command.expires else {
            finish(.expired, into: &actions)
            return true
        }
        guard command.repetitions < limits.commandRetries else {
            finish(.failed(reason: "no answer"), into: &actions)
            return true
        }
        command.repetitions += 1
        command.waitMilliseconds *= Int64(command.repetitions + 1)
        command.deadline = now + command.waitMilliseconds
        entries[0] = .outstanding(command)
        for frame in command.frames { actions.output += frame }
        return false
    }

    /// The connection is gone: unanswered commands go back to the pipeline's queue until they expire.
    func abandon(into actions: inout SessionActions) {
        for entry in entries { actions.requests.append(.command(id: entry.id, outcome: .queued)) }
    }

    private mutating func removeFirst() {
        entries.removeFirst()
        if entries.isEmpty { entries = [] }
    }
}
