public import TerminalModel

/// `GET /v1/devices`
public struct DeviceList: Sendable, Equatable, Codable {
    /// Every serial port that was seen, ours or not, in the order of their identities.
    public var devices: [DeviceView]
    /// Rules of `[[serial]]` for which nothing is plugged in.
    public var missing: [String]
    /// Absent when the gateway does not ask for its own position.
    public var position: GatewayPositionView?

    public init(devices: [DeviceView], missing: [String], position: GatewayPositionView? = nil) {
        self.devices = devices
        self.missing = missing
        self.position = position
    }
}

/// One serial port, and why it is used or not.
public struct DeviceView: Sendable, Equatable, Codable {
    /// The same over all plugs and names.
    public var identity: String
    public var state: String
    public var reason: String
    public var since: Timestamp
    /// The name of the `[[serial]]` that took it.
    public var rule: String?
    public var node: String?
    public var links: [String] = []
    public var vendor: String?
    public var product: String?
    public var serial: String?
    public var interface: Int?
    public var driver: String?
    /// The socket it is plugged into.
    public var port: String?
    public var tags: [String] = []
    public var description: String?
    /// How often each state was entered.
    public var counts: [String: Int] = [:]
    public var lastFrameAt: Timestamp?
    /// From the last plug to the first good frame.
    public var firstFrameMilliseconds: Int?

    enum CodingKeys: String, CodingKey {
        case identity, state, reason, since, rule, node, links, vendor, product, serial, interface, driver, port, tags
        case description, counts
        case lastFrameAt = "last_frame_at"
        case firstFrameMilliseconds = "first_frame_milliseconds"
    }

    public init(identity: String, state: String, reason: String, since: Timestamp) {
        self.identity = identity
        self.state = state
        self.reason = reason
        self.since = since
    }
}

/// Where the gateway itself is, as its own receivers say, and how far its clock is off.
public struct GatewayPositionView: Sendable, Equatable, Codable {
    /// `disconnected`, `no_fix`, `stale` or `fix`.
    public var state: String
    public var reason: String
    public var since: Timestamp
    public var position: PositionView?
    /// gpsd's name of the receiver that the position is from.
    public var receiver: String?
    /// All receivers that gpsd has reported.
    public var receivers: [String] = []
    /// `unknown`, `ok` or `warning`.
    public var clock: String
    /// System clock less satellite time.
    public var clockOffsetMilliseconds: Int?

    enum CodingKeys: String, CodingKey {
        case state, reason, since, position, receiver, receivers, clock
        case clockOffsetMilliseconds = "clock_offset_milliseconds"
    }

    public init(state: String, reason: String, since: Timestamp, clock: String) {
        self.state = state
        self.reason = reason
        self.since = since
        self.clock = clock
    }
}
