import TerminalModel
import TerminalProtocols

/// What a session remembers of one terminal that speaks on its connection.
struct JT808TerminalState {
    var identity: TerminalIdentity
    var profile: JT808Profile
    var reassembly = JT808Reassembly()
    var commands = CommandQueue<JT808ExpectedAnswer>()
    /// Our own message counter towards this terminal.
    var flowID: UInt16 = 0
    /// The form of the phone and the version byte as the terminal writes them; every answer repeats them.
    var hasLongPhone: Bool
    var protocolVersion: UInt8

    init(_ header: JT808Header, environment: SessionEnvironment, now: Int64) {
        identity = TerminalIdentity(header.phone.terminal, now: now)
        profile = JT808Profile(identity.lookUp(in: environment, now: now))
        hasLongPhone = header.phone.isLong
        protocolVersion = header.protocolVersion
    }

    var terminal: TerminalID { identity.terminal }
    var phone: JT808Phone { JT808Phone(terminal, isLong: hasLongPhone) }

    mutating func refreshIfChanged(in environment: SessionEnvironment, now: Int64) {
        if let facts = identity.lookUpIfChanged(in: environment, now: now) { use(facts) }
    }

    mutating func refresh(in environment: SessionEnvironment, now: Int64) {
        use(identity.lookUp(in: environment, now: now))
    }

    /// What a registration on this connection told of the edition stays, unless the site says otherwise.
    private mutating func use(_ facts: TerminalFacts) {
        let edition = profile.edition
        profile = JT808Profile(facts)
        if profile.edition == nil { profile.edition = edition }
    }
}

extension JT808Profile {
    fileprivate init(_ facts: TerminalFacts) {
        self.init(facts.model, utcOffsetMinutes: facts.utcOffsetMinutes)
    }
}

/// How the answer to a command is recognised: it repeats id and counter of one of the command's frames.
struct JT808ExpectedAnswer {
    let messageID: UInt16
    let firstFlowID: UInt16
    let frameCount: Int

    func matches(messageID: UInt16, flowID: UInt16) -> Bool {
        messageID == self.messageID && Int(flowID &- firstFlowID) < frameCount
    }
}

/// What is answered once a message is on the disk.
struct JT808Answer {
    enum Kind {
        /// 0x8001 to the message with this id.
        case general(messageID: UInt16)
        /// 0x8800 to a complete 0x0801.
        case media(id: UInt32)
        /// 0x8100 with this code.
        case registration(code: String)
    }

    let terminal: TerminalID
    let flowID: UInt16
    let kind: Kind

    /// True for the answer to a registration of this terminal.
    func isRegistration(of terminal: TerminalID) -> Bool {
        if case .registration = kind { self.terminal == terminal } else { false }
    }
}
