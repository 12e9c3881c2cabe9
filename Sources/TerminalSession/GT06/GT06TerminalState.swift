import TerminalModel
import TerminalProtocols

/// What a session remembers of the terminal that has logged in.
struct GT06TerminalState {
    var identity: TerminalIdentity
    var profile: GT06Profile
    var commands = CommandQueue<GT06ExpectedAnswer>()
    /// Our own message counter towards this terminal.
    var serial: UInt16 = 0

    init(_ terminal: TerminalID, environment: SessionEnvironment, now: Int64) {
        identity = TerminalIdentity(terminal, now: now)
        profile = GT06Profile(identity.lookUp(in: environment, now: now))
    }

    /// At the start of every frame: the site may have listed, assigned or removed the terminal meanwhile.
    mutating func refreshIfChanged(in environment: SessionEnvironment, now: Int64) {
        if let facts = identity.lookUpIfChanged(in: environment, now: now) { profile = GT06Profile(facts) }
    }

    mutating func nextSerial() -> UInt16 {
        serial &+= 1
        return serial
    }
}

extension GT06Profile {
    fileprivate init(_ facts: TerminalFacts) {
        self.init(facts.model, utcOffsetMinutes: facts.utcOffsetMinutes)
    }
}

/// How the answer to a command is recognised: it repeats this number.
struct GT06ExpectedAnswer {
    let serverFlag: UInt32
}
