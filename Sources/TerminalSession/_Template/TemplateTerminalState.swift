import TerminalModel
import TerminalProtocols

/// What a session remembers of one terminal.
struct TemplateTerminalState {
    var identity: TerminalIdentity
    var profile: TemplateProfile
    var commands = CommandQueue<TemplateExpectedAnswer>()
    /// Our own counter towards this terminal.
    var counter: UInt8 = 0

    init(_ terminal: TerminalID, environment: SessionEnvironment, now: Int64) {
        identity = TerminalIdentity(terminal, now: now)
        profile = TemplateProfile(identity.lookUp(in: environment, now: now).model)
    }

    /// At the start of every frame: the site may have listed, assigned or removed the terminal meanwhile.
    mutating func refreshIfChanged(in environment: SessionEnvironment, now: Int64) {
        if let facts = identity.lookUpIfChanged(in: environment, now: now) { profile = TemplateProfile(facts.model) }
    }
}

/// How the terminal's answer to a command is recognised.
struct TemplateExpectedAnswer {
    let counter: UInt8
}

/// What is answered once a message is on the disk.
struct TemplateAnswer {
    let message: UInt8
}
