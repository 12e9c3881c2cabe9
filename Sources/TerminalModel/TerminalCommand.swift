/// Something that the gateway asks of a terminal, in words that every protocol can try to express.
///
/// A number that a terminal is to dial has passed the dial guard before it stands here (promise P7).
public enum TerminalCommand: Sendable, Equatable {
    /// Report the position now.
    case locate
    /// Show the text and, where the terminal can, speak it.
    case message(text: String, urgent: Bool)
    /// Call this number; with `listen` the terminal only listens in.
    case callBack(number: String, listen: Bool)
    /// Report the position at this interval, 1...86,400 s, until told otherwise.
    case reportInterval(seconds: Int)
    /// Report the position at this interval for a period, then return to normal; an interval of 0 ends tracking.
    case track(intervalSeconds: Int, durationSeconds: Int)
    /// A human has taken over the alarm of the frame with this sequence number (0: all open alarms).
    case confirmAlarm(sequence: Int)

    /// The name on every interface.
    public var name: String {
        switch self {
        case .locate: "locate"
        case .message: "message"
        case .callBack: "call-back"
        case .reportInterval: "report-interval"
        case .track: "track"
        case .confirmAlarm: "confirm-alarm"
        }
    }
}

/// How a command stands: it only moves down this list.
public enum CommandOutcome: Sendable, Equatable {
    case queued
    /// The bytes left.
    case sent
    /// The terminal answered that it did it.
    case confirmed
    case failed(reason: String)
    case expired

    public var name: String {
        switch self {
        case .queued: "queued"
        case .sent: "sent"
        case .confirmed: "confirmed"
        case .failed: "failed"
        case .expired: "expired"
        }
    }
}
