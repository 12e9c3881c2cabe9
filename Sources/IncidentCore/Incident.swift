public import TerminalModel

/// The one name of an incident on every channel: 64 random bits, shown as 16 upper-case hexadecimal digits.
///
/// Source: escalation document section 0, rule 2.
public struct IncidentID: Hashable, Sendable, Comparable, CustomStringConvertible, Codable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Reads exactly 16 hexadecimal digits.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count == 16, let value = UInt64(text, radix: 16) else { return nil }
        self.rawValue = value
    }

    public var description: String {
        let digits = String(rawValue, radix: 16, uppercase: true)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    public static func < (left: IncidentID, right: IncidentID) -> Bool {
        left.rawValue < right.rawValue
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let id = IncidentID(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "an incident id is 16 hexadecimal digits, found \"\(text)\"")
        }
        self = id
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// The services that people subscribe to. Source: DESIGN section 1.
public enum Service: String, Sendable, Codable, CaseIterable {
    case emergency
    case lifeAssistance = "life_assistance"
    case careContact = "care_contact"
    case securityAlarm = "security_alarm"
    case fenceWatch = "fence_watch"
    case elderLocation = "elder_location"
    case childLocation = "child_location"

    /// True when an open incident of this service keeps the siren on until a human takes over.
    public var isLifeSafety: Bool { self == .emergency }
}

/// How far an incident has come; it only moves down this list. Source: DESIGN section 6.
public enum IncidentState: String, Sendable, Codable, CaseIterable {
    case open
    /// At least one target has accepted the news.
    case notified
    case acknowledged
    case handedOver = "handed_over"
    case closed

    public var isOpen: Bool { self != .closed }
    /// True until a human has taken over: the ladder goes on.
    public var awaitsHuman: Bool { self == .open || self == .notified }
}

/// The best position known for an incident, with the datum stated and the age left to the reader's clock.
public struct IncidentPosition: Sendable, Equatable, Codable {
    /// WGS-84, degrees.
    public var latitudeDegrees: Double
    public var longitudeDegrees: Double
    public var accuracyMetres: Int?
    /// False for coordinates that the terminal sent without a valid fix (last known).
    public var valid: Bool
    public var source: Position.Source
    /// When the fix was taken, as far as the gateway believes the terminal; else the receive time.
    public var fixTime: Timestamp

    public init(
        latitudeDegrees: Double, longitudeDegrees: Double, accuracyMetres: Int?, valid: Bool,
        source: Position.Source, fixTime: Timestamp
    ) {
        self.latitudeDegrees = latitudeDegrees
        self.longitudeDegrees = longitudeDegrees
        self.accuracyMetres = accuracyMetres
        self.valid = valid
        self.source = source
        self.fixTime = fixTime
    }
}

/// A moment on both clocks, that survives restarts and reboots; in doubt it is over.
public struct Deadline: Sendable, Equatable, Codable {
    public var wall: Timestamp
    public var monotonicMilliseconds: Int64
    /// The boot during which the monotonic time means anything.
    public var bootID: String

    public init(wall: Timestamp, monotonicMilliseconds: Int64, bootID: String) {
        self.wall = wall
        self.monotonicMilliseconds = monotonicMilliseconds
        self.bootID = bootID
    }
}

/// How the position of an open incident is chased.
public struct Chase: Sendable, Equatable, Codable {
    /// When the terminal is asked again.
    public var next: Deadline
    /// The terminal cannot be tracked for a time: its report interval was changed, and has to be changed back.
    public var usesReportInterval: Bool

    public init(next: Deadline, usesReportInterval: Bool = false) {
        self.next = next
        self.usesReportInterval = usesReportInterval
    }
}

/// How what was handed over is followed to its end.
public struct Supervision: Sendable, Equatable, Codable {
    public enum Stage: String, Sendable, Codable {
        /// Next the receivers are reminded that it is due soon.
        case reminder
        /// Next it is overdue and raises attention; again and again until it is closed or handed over anew.
        case overdue
    }

    public var stage: Stage
    public var next: Deadline

    public init(stage: Stage, next: Deadline) {
        self.stage = stage
        self.next = next
    }
}

/// Where the ladder of an incident stands. Deadlines are kept on both clocks; in doubt after a reboot they fire.
public struct LadderPosition: Sendable, Equatable, Codable {
    /// Index of the next step to start.
    public var nextStep: Int
    /// 1 for the first time through the ladder.
    public var round: Int
    public var deadlineWall: Timestamp
    public var deadlineMonotonicMilliseconds: Int64
    /// The boot during which the monotonic deadline means anything.
    public var bootID: String

    public init(
        nextStep: Int, round: Int, deadlineWall: Timestamp, deadlineMonotonicMilliseconds: Int64, bootID: String
    ) {
        self.nextStep = nextStep
        self.round = round
        self.deadlineWall = deadlineWall
        self.deadlineMonotonicMilliseconds = deadlineMonotonicMilliseconds
        self.bootID = bootID
    }
}

/// One press episode of one terminal, or one broken rule, from opening to closing.
public struct Incident: Sendable, Equatable, Codable, Identifiable {
    public var id: IncidentID
    public var service: Service
    public var state: IncidentState
    public var terminal: TerminalID
    /// nil while nobody knows whose terminal it is (an *unidentified* incident).
    public var person: String?
    public var trust: Trust
    /// What opened it, in the common names: alarm kinds, `key`, or a rule such as `fence_exit`, `low_battery`, `silence`.
    public var causes: [String]
    public var keys: [Int]
    /// The fence whose line was crossed, for `fence_watch`.
    public var fence: String?
    /// Receive time of the frame that opened it (promise P8).
    public var openedAt: Timestamp
    /// What the terminal's clock claimed then.
    public var deviceTime: Timestamp?
    /// It was stored on the terminal and arrived late.
    public var late: Bool
    /// It began in a drill: no emergency service hears of it. Nil: it is real.
    public var isDrill: Bool?
    /// It began as an announced test press of one person, which is a drill of its own; nil for everything else.
    public var testPress: TestPress?
    public var position: IncidentPosition?
    /// The message counter of the frame that opened it, named when the terminal is told that a human took over.
    public var sequence: Int?
    /// How often attention was raised: 1 for the opening, one more for each further press.
    public var presses: Int
    /// How many terminals in no list this incident stands for, beside the one that it names; nil for an incident of one
    /// terminal. After a restart a terminal may be counted again.
    public var gathered: Int?
    /// The most terminals that an incident of the infrastructure stood for; nil for one of a single terminal.
    public var affected: Int?
    public var acknowledgedBy: String?
    public var acknowledgedAt: Timestamp?
    /// When a human first took over, also when attention was raised again later.
    public var answeredAt: Timestamp?
    public var owner: String?
    public var dueAt: Timestamp?
    /// How often it was found overdue; nil: never.
    public var timesOverdue: Int?
    public var closedAt: Timestamp?
    public var disposition: String?
    /// The number of the last fact told to the outside; the next fact is one more.
    public var lastEventNumber: Int
    /// nil when no step is waiting.
    public var ladder: LadderPosition?
    /// nil when nobody asks the terminal for positions on its account.
    public var chase: Chase?
    /// nil while nothing is due.
    public var supervision: Supervision?
    /// The engine's memory of the press episode: what is a retransmission, what is a further press.
    public var episode: PressEpisode

    public init(
        id: IncidentID, service: Service, terminal: TerminalID, person: String?, trust: Trust, causes: [String],
        openedAt: Timestamp, episode: PressEpisode = PressEpisode()
    ) {
        self.id = id
        self.service = service
        self.state = .open
        self.terminal = terminal
        self.person = person
        self.trust = trust
        self.causes = causes
        self.keys = []
        self.openedAt = openedAt
        self.late = false
        self.presses = 1
        self.lastEventNumber = 0
        self.episode = episode
    }
}
