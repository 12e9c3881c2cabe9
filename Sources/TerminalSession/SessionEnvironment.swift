public import TerminalModel
public import TerminalProtocols

/// What the site does with terminals that are in no list. An SOS is kept whatever stands here (promise P2).
public enum UnknownTerminalPolicy: String, Sendable, Codable, CaseIterable {
    /// Served like a listed one, but belonging to nobody.
    case accept
    /// Registered and acknowledged so that it keeps working, but only its alarms and keys are kept.
    case quarantine
    /// Refused at registration and disconnected; only its alarms and keys are kept.
    case refuse
}

/// Limits of one session. Each has a reason; all are configurable.
public struct SessionLimits: Sendable, Equatable {
    /// Scanners and half-open peers must not hold a slot.
    public var firstFrameMilliseconds: Int64 = 30_000
    /// A peer that sends a byte a second must not hold a buffer.
    public var frameCompletionMilliseconds: Int64 = 30_000
    /// About three heartbeat intervals of the slowest terminals.
    public var idleMilliseconds: Int64 = 900_000
    /// First wait for the answer to a command; the n-th further wait is n times the one before (JT/T 808 section 10).
    public var commandTimeoutMilliseconds: Int64 = 5_000
    /// Repetitions of an unanswered command.
    public var commandRetries = 2
    /// Reports that wait for the disk; beyond it a report is still handed on, but its acknowledgement is left to the
    /// terminal's retransmission.
    public var maximumPendingReports = 512
    /// Commands that wait behind the one outstanding.
    public var maximumWaitingCommands = 16
    /// A relay box speaks for several terminals; the one heard longest ago makes room.
    public var maximumTerminalsPerConnection = 32

    public init() {}
}

/// Everything a session needs from outside: lists, rules, random numbers, digests. One object, shared by all sessions.
public final class SessionEnvironment: Sendable {
    public let directory: TerminalDirectory
    public let unknownTerminals: UnknownTerminalPolicy
    public let limits: SessionLimits
    /// For the unfinished messages of all sessions together.
    public let packages: PackageBudget
    /// A fresh random authentication code of printable ASCII.
    public let makeAuthCode: @Sendable () -> String
    /// The digest under which a code is stored.
    public let digest: @Sendable (String) -> [UInt8]
    /// What the site says of a model; each protocol makes its own profile of it.
    public let modelProfile: @Sendable (_ model: String) -> ModelProfile
    /// The key of an alarm panel's account (DC-09); nil for one that speaks in clear text.
    public let panelCipher: @Sendable (_ account: TerminalID) -> DC09Cipher?

    public init(
        directory: TerminalDirectory, unknownTerminals: UnknownTerminalPolicy = .quarantine,
        limits: SessionLimits = SessionLimits(), packages: PackageBudget = PackageBudget(),
        makeAuthCode: @escaping @Sendable () -> String,
        digest: @escaping @Sendable (String) -> [UInt8],
        modelProfile: @escaping @Sendable (_ model: String) -> ModelProfile = { ModelProfile(name: $0) },
        panelCipher: @escaping @Sendable (_ account: TerminalID) -> DC09Cipher? = { _ in nil }
    ) {
        self.directory = directory
        self.unknownTerminals = unknownTerminals
        self.limits = limits
        self.packages = packages
        self.makeAuthCode = makeAuthCode
        self.digest = digest
        self.modelProfile = modelProfile
        self.panelCipher = panelCipher
    }
}

/// The framers of one thread with their scratch buffers; lent to a session for each call.
public struct SessionScratch: ~Copyable {
    public var jt808 = JT808Framer()

    public init() {}

    /// The protocol whose good frame comes first and where that begins; without one, the offset before which no byte can
    /// belong to a frame.
    public mutating func recognise(
        _ bytes: Span<UInt8>, among protocols: [ProtocolName]
    ) -> (found: (name: ProtocolName, start: Int)?, keepFrom: Int) {
        var found: (name: ProtocolName, start: Int)?
        var keepFrom = bytes.count
        for name in protocols {
            switch search(bytes, for: name) {
            case .found(let start): if start < found?.start ?? bytes.count { found = (name, start) }
            case .none(let start): keepFrom = min(keepFrom, start)
            }
        }
        return (found, keepFrom)
    }

    /// The terminal that the good frame at the start of `bytes` names; nil for protocols whose frames need not name any: there
    /// the connection, or over UDP the peer's address, tells who speaks.
    public mutating func speaker(in bytes: Span<UInt8>, of protocolName: ProtocolName) -> TerminalID? {
        switch protocolName {
        // EV07B names its terminal in some frames only, GT06 in its login alone: there the address tells.
        case .ev07b, .gt06: nil
        case .dc09: DC09Framer.speaker(in: bytes)
        case .jt808: jt808.speaker(in: bytes)
        case .watch: WatchFrame.speaker(in: bytes)
        }
    }

    /// Whether bytes that are no good frame may say something, to the session that their sender's address tells. A JT/T 808 frame
    /// without its right check code says nothing.
    public static func readsDamage(_ protocolName: ProtocolName) -> Bool {
        protocolName != .jt808
    }

    /// Looks for the first good frame of one protocol: one line for each.
    private mutating func search(_ bytes: Span<UInt8>, for protocolName: ProtocolName) -> FrameSearch {
        switch protocolName {
        case .dc09: DC09Framer().search(bytes)
        case .ev07b: EV07BFramer().search(bytes)
        case .gt06: GT06Framer().search(bytes)
        case .jt808: jt808.search(bytes)
        case .watch: WatchFramer().search(bytes)
        }
    }
}
