import TerminalModel
import TerminalProtocols

/// What a session remembers of one panel that speaks on its connection.
struct DC09TerminalState {
    var identity: TerminalIdentity
    var profile: DC09Profile
    var commands = CommandQueue<DC09ExpectedAnswer>()
    /// A frame whose time was refused: when it comes again under a better time it is the same frame.
    var refused: DC09RefusedFrame?
    /// When a frame without a time of its own came last.
    private var timelessAt = Int64.min / 2

    /// A frame that states no time is the same as one of the same bytes for this long: panels repeat what is not answered within
    /// seconds, and a person who presses again later means it.
    static let repetitionMilliseconds: Int64 = 30_000

    init(_ terminal: TerminalID, environment: SessionEnvironment, now: Int64) {
        identity = TerminalIdentity(terminal, now: now)
        profile = DC09Profile(identity.lookUp(in: environment, now: now))
    }

    var terminal: TerminalID { identity.terminal }

    /// At the start of every frame: the site may have listed, assigned or removed the panel meanwhile, and each frame proves who
    /// sent it or does not. Where a panel has a key, its id alone is not enough.
    mutating func heard(isProved: Bool, hasKey: Bool, in environment: SessionEnvironment, now: Int64) {
        if identity.hasProvedItself != isProved || identity.needsProof != hasKey {
            identity.needsProof = hasKey
            identity.showedSecret(isRight: isProved)
            profile = DC09Profile(identity.lookUp(in: environment, now: now))
        } else if let facts = identity.lookUpIfChanged(in: environment, now: now) {
            profile = DC09Profile(facts)
        }
    }

    /// A frame without a time came: frames like it of some while ago were other presses.
    mutating func heardWithoutTime(now: Int64) {
        if now - timelessAt >= Self.repetitionMilliseconds { identity.recentAlarmFrames = RecentFrames() }
        timelessAt = now
    }
}

extension DC09Profile {
    fileprivate init(_ facts: TerminalFacts) {
        self.init(facts.model)
    }
}

/// A frame that was told that its time is wrong, so that it will be stamped anew (section 1.7).
struct DC09RefusedFrame: Equatable {
    let sequence: UInt16?
    let message: DC09Message
    let extended: [DC09ExtendedData]
    /// The time under which its event went on.
    let deviceTime: Timestamp?

    init(_ packet: DC09Packet, deviceTime: Timestamp?) {
        sequence = packet.header.sequence
        message = packet.message
        extended = packet.extended
        self.deviceTime = deviceTime
    }

    /// True for the same frame under whatever time.
    func isSame(as packet: DC09Packet) -> Bool {
        self == DC09RefusedFrame(packet, deviceTime: deviceTime)
    }
}

/// Panels answer no command.
struct DC09ExpectedAnswer {}

/// What is said once a frame is on the disk.
enum DC09Answer {
    case acknowledgement(DC09Header)
    /// The frame's time is wrong; its event is kept all the same.
    case time
    /// The byte that confirms a line of 16 digits.
    case line
}
