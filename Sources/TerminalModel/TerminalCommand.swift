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
    /// Ring or beep, so that somebody finds the terminal.
    case find
    /// Use these numbers for that purpose from now on, in this order; none takes the stored ones away.
    case setNumbers(NumberPurpose, [String])
    /// Report falls, or no longer.
    case fallDetection(isOn: Bool)
    /// Start again as after switching on.
    case restart
    /// Switch off; nobody is heard any more until a person switches the terminal on.
    case powerOff

    /// The name on every interface.
    public var name: String {
        switch self {
        case .locate: "locate"
        case .message: "message"
        case .callBack: "call-back"
        case .reportInterval: "report-interval"
        case .track: "track"
        case .confirmAlarm: "confirm-alarm"
        case .find: "find"
        case .setNumbers: "set-numbers"
        case .fallDetection: "fall-detection"
        case .restart: "restart"
        case .powerOff: "power-off"
        }
    }
}

extension TerminalCommand {
    /// True for what tells somebody in need that a human has taken over: nothing that the gateway asks for its own sake
    /// stands before it, also when that is under way.
    public var speaksToSomebodyInNeed: Bool {
        switch self {
        case .confirmAlarm, .message(_, urgent: true), .callBack: true
        case .message, .locate, .reportInterval, .track, .find, .setNumbers, .fallDetection, .restart, .powerOff: false
        }
    }
}

/// What a terminal uses numbers for that were set on it.
public enum NumberPurpose: String, Sendable, Codable, CaseIterable {
    /// Dialled when the SOS key is pressed.
    case sos
    /// The care centre's own.
    case centre
    /// May be dialled with a key, and may call in.
    case family
    /// May listen in.
    case monitor
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
