import TerminalModel
import TerminalProtocols

/// What a session remembers of one terminal that speaks on its connection.
struct EV07BTerminalState {
    var identity: TerminalIdentity
    var profile: EV07BProfile
    var commands = CommandQueue<EV07BExpectedAnswer>()
    /// Our own frame counter towards this terminal.
    var sequence: UInt16 = 0

    init(_ terminal: TerminalID, environment: SessionEnvironment, now: Int64) {
        identity = TerminalIdentity(terminal, now: now)
        profile = EV07BProfile(identity.lookUp(in: environment, now: now).model)
    }

    var terminal: TerminalID { identity.terminal }

    /// The counter of the first of `count` frames.
    mutating func takeSequences(_ count: Int) -> UInt16 {
        defer { sequence &+= UInt16(truncatingIfNeeded: count) }
        return sequence
    }

    mutating func refreshIfChanged(in environment: SessionEnvironment, now: Int64) {
        if let facts = identity.lookUpIfChanged(in: environment, now: now) { profile = EV07BProfile(facts.model) }
    }
}

/// How the answer to a command is recognised: it repeats the counter of one of the command's frames.
struct EV07BExpectedAnswer {
    let firstSequence: UInt16
    let frameCount: Int

    func matches(_ sequence: UInt16) -> Bool { Int(sequence &- firstSequence) < frameCount }

    /// True for the frame that completes the command.
    func isLast(_ sequence: UInt16) -> Bool { Int(sequence &- firstSequence) == frameCount - 1 }
}

/// What is answered once a message is on the disk.
struct EV07BAnswer {
    let sequence: UInt16
    let reply: EV07BReply
}
