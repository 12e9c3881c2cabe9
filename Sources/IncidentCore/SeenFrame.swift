public import TerminalModel

/// A frame that belongs to a press, with what tells it when it comes again.
public struct SeenFrame: Sendable, Equatable {
    /// The claimed time where it can be believed.
    public var device: Timestamp?
    /// The terminal's message counter, where the protocol has one.
    public var sequence: Int?
    /// When it came first.
    public var received: Timestamp
    public var bearer: Bearer
}

extension SeenFrame {
    /// A frame without a usable time is recognised by its counter for this long, since counters start again at power-on.
    static let counterOnlyMilliseconds: Int64 = 60_000
    /// The same when the session has seen the very bytes before.
    static let identicalBytesMilliseconds: Int64 = 3_600_000
    /// A frame without a counter is recognised for this long: a watch repeats an alarm up to 10 times every 30 s, and
    /// later the same bytes or a standing clock may be a press of their own. Source: watch.md section 4.
    static let unnumberedMilliseconds: Int64 = 360_000
    /// Another bearer brings the same report, under a number of its own, within this time.
    static let otherBearerMilliseconds: Int64 = 120_000
    /// Two live reports this far apart show whether a clock runs.
    static let runningMilliseconds: Int64 = 3000
    /// Seconds of a clock are whole, and a network delays.
    static let jitterMilliseconds: Int64 = 2000

    init(_ sighting: Sighting) {
        self.init(
            device: sighting.device, sequence: sighting.sequence, received: sighting.received, bearer: sighting.bearer)
    }

    /// True for the same frame again: with time and counter however late, else for as long as nothing else can be meant.
    func isRepeated(by again: Sighting) -> Bool {
        guard device == again.device, sequence == again.sequence else { return false }
        let elapsed = distance(to: again.received)
        guard sequence != nil else {
            return (device != nil || again.isRetransmission) && elapsed <= Self.unnumberedMilliseconds
        }
        if device != nil { return true }
        return elapsed
            <= (again.isRetransmission ? Self.identicalBytesMilliseconds : Self.counterOnlyMilliseconds)
    }

    /// True for the same report over another bearer.
    func isCopied(by other: Sighting) -> Bool {
        guard let device, device == other.device, sequence != nil, bearer != other.bearer else { return false }
        return distance(to: other.received) <= Self.otherBearerMilliseconds
    }

    /// True when a later live report goes on from this one's time, or still states it: the clock is set so, and this one is
    /// no late copy.
    func isFollowed(by later: Sighting) -> Bool {
        isInStep(with: later) && later.received.milliseconds &- received.milliseconds >= Self.runningMilliseconds
    }

    /// The same, but for what may have come in one burst.
    func isInStep(with later: Sighting) -> Bool {
        guard let device, let claimed = later.device, sequence == nil || sequence != later.sequence else {
            return false
        }
        if claimed == device { return bearer == later.bearer }
        let waited = later.received.milliseconds &- received.milliseconds
        return (claimed.milliseconds &- device.milliseconds &- waited).magnitude <= Self.jitterMilliseconds
    }

    private func distance(to time: Timestamp) -> UInt64 { (time.milliseconds &- received.milliseconds).magnitude }
}

/// Stored as one short text, `device/sequence/received/bearer`, since an incident keeps many.
extension SeenFrame: Codable {
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        // What cannot be read recognises nothing; the incident is worth more than its memory.
        guard parts.count == 4, let received = Int64(parts[2]), let bearer = Bearer(rawValue: String(parts[3])) else {
            self.init(device: nil, sequence: nil, received: Timestamp(milliseconds: 0), bearer: .tcp)
            return
        }
        self.init(
            device: Int64(parts[0]).map(Timestamp.init(milliseconds:)), sequence: Int(parts[1]),
            received: Timestamp(milliseconds: received), bearer: bearer)
    }

    public func encode(to encoder: any Encoder) throws {
        let device = device.map { String($0.milliseconds) } ?? ""
        let sequence = sequence.map(String.init) ?? ""
        var container = encoder.singleValueContainer()
        try container.encode("\(device)/\(sequence)/\(received.milliseconds)/\(bearer.rawValue)")
    }
}

extension Incident {
    /// True when the frame belongs to the incident already. What has no number may also be a press of its own, so it is
    /// one again as soon as nobody is being called (promises P2 and P9).
    func hasSeen(_ sighting: Sighting) -> Bool {
        (sighting.sequence != nil || state.awaitsHuman) && episode.remembers(sighting)
    }
}
