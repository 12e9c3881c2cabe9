public import TerminalModel

/// What the engine remembers of one press, enough to tell a retransmission or a held bit from a new press.
public struct PressEpisode: Sendable, Equatable, Codable {
    /// A level alarm (JT/T 808 bit) that is still set.
    public var levelHeld: Bool
    /// The frames seen, newest last. Bounded by the engine.
    public var seen: [SeenFrame]
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
    /// When emergency services were called; nil: never.
    public var emergencyCalls: [Timestamp]?

    public init(levelHeld: Bool = false, seen: [SeenFrame] = [], lastRaisedAt: Timestamp? = nil) {
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
    /// When the live report that ended the last press arrived.
    public var endedOnArrival: Timestamp?
    /// A live report without the bit that claims to be older than one with it: a late copy, or the first one since the
    /// terminal's clock was set back, which the next live report tells.
    public var doubt: SeenFrame?

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
    static let maximumSeen = 32

    mutating func remember(_ sighting: Sighting) {
        guard !seen.contains(where: { $0.isRepeated(by: sighting) }) else { return }
        seen.append(SeenFrame(sighting))
        if seen.count > Self.maximumSeen { seen.removeFirst(seen.count - Self.maximumSeen) }
    }

    /// True when the frame was seen before, or the same report over another bearer.
    func remembers(_ sighting: Sighting) -> Bool {
        seen.contains { $0.isRepeated(by: sighting) || $0.isCopied(by: sighting) }
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
    var bearer: Bearer
    /// It was kept on the terminal: by its own words, or since it is old by a clock that was right just before.
    var isStored: Bool
    var isRetransmission: Bool

    /// A claim further ahead than this is a wrong clock.
    static let maximumAheadMilliseconds: Int64 = 300_000
    /// A claim older than a year is an unset clock.
    static let maximumAgeMilliseconds: Int64 = 366 * 86_400_000

    /// - Parameters:
    ///   - clockIsRight: see `IncidentEngine.report`.
    ///   - lateLimitSeconds: beyond this age a press is late.
    init(_ report: InboundReport, clockIsRight: Bool, lateLimitSeconds: Int, now: Moment) {
        let event = report.event
        self.received = event.received ?? now.wall
        self.sequence = event.sequence
        self.bearer = report.bearer
        self.isStored = event.historical
        self.isRetransmission = report.retransmission
        guard let claimed = event.deviceTime else { return }
        let (age, hasOverflown) = received.milliseconds.subtractingReportingOverflow(claimed.milliseconds)
        let believable = -Self.maximumAheadMilliseconds...Self.maximumAgeMilliseconds
        guard !hasOverflown, believable.contains(age) else { return }
        self.device = claimed
        let limit = max(Int64(lateLimitSeconds) * 1000, TerminalClock.standingMilliseconds)
        if clockIsRight, age > limit { self.isStored = true }
    }

    /// True when it was made after `other`; what cannot be compared is newer, since it arrived later.
    func isNewer(than other: Timestamp?) -> Bool {
        guard let device, let other else { return true }
        return device >= other
    }
}
