public import TerminalModel

/// What the engine remembers of one press, enough to tell a retransmission or a held bit from a new press.
public struct PressEpisode: Sendable, Equatable, Codable {
    /// A level alarm (JT/T 808 bit) that is still set.
    public var levelHeld: Bool
    /// Identities of the frames seen, newest last: device time and message counter. Bounded by the engine.
    public var seen: [String]
    public var lastRaisedAt: Timestamp?
    /// Level alarms by cause; empty for presses that are single events.
    public var levels: [String: PressLevel]
    /// Names of the targets that were handed a notice, in the order of their first one.
    public var told: [String]
    /// Targets left out so far, with the reason on the timeline; they are tried again at every step.
    public var withheld: [String: String]
    /// The age of the freshest press when it arrived; only stored presses have one.
    public var lateBySeconds: Int?
    /// Rounds of the ladder that were started, so that a further press goes on counting.
    public var round: Int
    /// Frames that were attached since attention was last raised; only the first ones get a timeline row each.
    public var attachments: Int
    public var lastUpdateAt: Timestamp?

    public init(levelHeld: Bool = false, seen: [String] = [], lastRaisedAt: Timestamp? = nil) {
        self.levelHeld = levelHeld
        self.seen = seen
        self.lastRaisedAt = lastRaisedAt
        self.levels = [:]
        self.told = []
        self.withheld = [:]
        self.round = 0
        self.attachments = 0
    }
}

/// What is known of one level alarm: when it was seen set and when not, on the terminal's clock.
public struct PressLevel: Sendable, Equatable, Codable {
    /// The newest report that says anything says that the bit is set.
    public var held: Bool
    /// Only stored reports have carried the present press so far: a live one is news.
    public var storedOnly: Bool
    /// The presses of this incident; while the bit is held the last one is the present one.
    public var spans: [PressSpan]
    /// The newest report without the bit.
    public var lastClear: Timestamp?

    public init(held: Bool = false, storedOnly: Bool = true, spans: [PressSpan] = [], lastClear: Timestamp? = nil) {
        self.held = held
        self.storedOnly = storedOnly
        self.spans = spans
        self.lastClear = lastClear
    }
}

/// One press; times are absent where the terminal stated none worth believing.
public struct PressSpan: Sendable, Equatable, Codable {
    public var first: Timestamp?
    public var lastSet: Timestamp?
    /// The oldest report without the bit that is newer than `lastSet`.
    public var clearedAt: Timestamp?
    /// It was over before it was heard of, so that the next report without the bit does not tell where it ended.
    public var isPast: Bool

    public init(at device: Timestamp?, isPast: Bool) {
        self.first = device
        self.lastSet = device
        self.isPast = isPast
    }
}

extension PressEpisode {
    /// Enough for the retransmissions of a handful of presses.
    static let maximumSeen = 24
    /// A frame without a usable time is recognised by its counter for this long, since counters start again at power-on.
    static let counterOnlyMilliseconds: Int64 = 60_000
    /// The same when the session has seen the very bytes before.
    static let identicalBytesMilliseconds: Int64 = 3_600_000

    mutating func remember(_ sighting: Sighting) {
        guard let identity = sighting.identity, !seen.contains(identity) else { return }
        seen.append(identity)
        if seen.count > Self.maximumSeen { seen.removeFirst(seen.count - Self.maximumSeen) }
    }

    /// True when the frame was seen before, however late it comes again.
    func remembers(_ sighting: Sighting) -> Bool {
        guard let identity = sighting.identity else { return false }
        if sighting.device != nil { return seen.contains(identity) }
        guard let prefix = sighting.counterPrefix else { return false }
        let window = sighting.isRetransmission ? Self.identicalBytesMilliseconds : Self.counterOnlyMilliseconds
        return seen.contains { known in
            guard known.hasPrefix(prefix), let received = Int64(known.dropFirst(prefix.count)) else { return false }
            return abs(sighting.received.milliseconds &- received) <= window
        }
    }

    mutating func setLevel(_ level: PressLevel, of cause: String) {
        levels[cause] = level
        levelHeld = levels.values.contains(where: \.held)
    }
}

/// One report as the press rules see it.
struct Sighting {
    var received: Timestamp
    /// The claimed time where it can be believed; else reports are ordered by their arrival (promise P8).
    var device: Timestamp?
    var sequence: Int?
    var isStored: Bool
    var isRetransmission: Bool

    /// A claim further ahead than this is a wrong clock.
    static let maximumAheadMilliseconds: Int64 = 300_000
    /// A claim older than a year is an unset clock.
    static let maximumAgeMilliseconds: Int64 = 366 * 86_400_000

    init(_ report: InboundReport, now: Moment) {
        let event = report.event
        self.received = event.received ?? now.wall
        self.sequence = event.sequence
        self.isStored = event.historical
        self.isRetransmission = report.retransmission
        if let claimed = event.deviceTime {
            let age = received.milliseconds.subtractingReportingOverflow(claimed.milliseconds)
            if !age.overflow, age.partialValue <= Self.maximumAgeMilliseconds,
                age.partialValue >= -Self.maximumAheadMilliseconds
            {
                self.device = claimed
            }
        }
    }

    var counterPrefix: String? {
        sequence.map { "s\($0)@" }
    }

    var identity: String? {
        if let device {
            return "d\(device.milliseconds)/\(sequence.map(String.init) ?? "-")"
        }
        return counterPrefix.map { $0 + String(received.milliseconds) }
    }

    /// True when it was made after `other`; what cannot be compared is newer, since it arrived later.
    func isNewer(than other: Timestamp?) -> Bool {
        guard let device, let other else { return true }
        return device >= other
    }
}
