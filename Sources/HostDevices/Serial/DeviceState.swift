public import TerminalModel

/// How one serial port stands with the gateway.
public enum DeviceState: String, Sendable, CaseIterable {
    /// Seen and ours, not asked to be opened yet.
    case found
    /// Somebody else's: no rule names it. It is never opened.
    case notOurs = "not_ours"
    case opening
    /// The gateway's user may not open it.
    case noPermission = "no_permission"
    /// Another program holds it.
    case busy
    /// Opened, then the line hung up.
    case hungUp = "hung_up"
    case readError = "read_error"
    /// Refused for another reason, such as settings that its driver cannot.
    case failed
    /// Open, and for the configured time no good frame has come.
    case silent
    case open
    /// A path or an adapter of ours that is not there now.
    case unplugged
}

/// What became of the attempt to open a line, and what is heard on it.
public enum DeviceLineEvent: Sendable, Equatable {
    case opening
    case opened
    /// The system's errno.
    case refused(code: Int32, detail: String)
    case hungUp
    case readFailed(detail: String)
    /// A good frame came.
    case heard
}

/// Which ports a `[[serial]]` of the configuration takes.
public struct DeviceRule: Sendable, Hashable {
    public enum Source: Sendable, Hashable {
        /// One device file or a link to it, opened whether or not udev knows it.
        case path(String)
        case match(DeviceMatch)
    }

    /// Unique among the rules; shown to people.
    public var name: String
    public var source: Source
    /// Seconds without a good frame after which an open line is called silent; 0: never.
    public var silentSeconds: Int

    public init(name: String, source: Source, silentSeconds: Int = 0) {
        self.name = name
        self.source = source
        self.silentSeconds = silentSeconds
    }
}

/// One port as the table knows it.
public struct Device: Sendable, Equatable {
    /// The adapter's identity, or the path of a rule with a path.
    public let identity: String
    /// What udev says of it; nil for a path behind which udev sees nothing.
    public internal(set) var adapter: SerialAdapter?
    /// The rule that took it, nil for a stranger's.
    public internal(set) var rule: DeviceRule?
    public internal(set) var state: DeviceState
    /// Why it stands so, in one sentence.
    public internal(set) var reason: String
    public internal(set) var since: Timestamp
    /// How often each state was entered.
    public internal(set) var counts: [DeviceState: Int] = [:]
    public internal(set) var lastFrameAt: Timestamp?
    /// From the last plug to the first good frame after it, in milliseconds.
    public internal(set) var firstFrameMilliseconds: Int?

    /// The line that was asked for, while one is.
    var line: DeviceLine?
    var pluggedAt: Moment
    var openedMilliseconds: Int64?
    var heardMilliseconds: Int64?
}

/// Names one line of the table, once and never again.
public struct DeviceLine: Sendable, Hashable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }
}

/// What the table asks for.
public enum DeviceAction: Sendable, Equatable {
    case open(DeviceLine, path: String, rule: String)
    case close(DeviceLine)
    /// The device was just reported: do not wait for the end of the pause.
    case retry(DeviceLine)
}
