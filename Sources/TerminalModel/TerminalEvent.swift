/// The wire protocols by their names on every interface.
public enum ProtocolName: String, Sendable, Codable, CaseIterable {
    case jt808
    case watch
}

/// What kind of message an event was made from.
public enum EventKind: String, Sendable, Codable, CaseIterable {
    case login
    case heartbeat
    /// A position, with or without alarms.
    case report
    /// An alarm without a position.
    case alarm
    case key
    case text
    case media
    /// The answer to a command.
    case reply
    case logout
    case other
}

/// What every protocol decodes to and every rule, store and tool reads.
///
/// Optional members are absent when the terminal said nothing. Source: DESIGN section 4.
public struct TerminalEvent: Sendable, Equatable {
    public var protocolName: ProtocolName
    public var terminal: TerminalID
    /// The protocol's own name of the message, for example `0x0200`.
    public var message: MessageName
    /// The terminal's message counter, when its protocol has one.
    public var sequence: Int?
    /// When the gateway had read the last byte; nil when decoding offline.
    public var received: Timestamp?
    public var kind: EventKind
    /// True for an item that was stored on the terminal before it was sent.
    public var historical: Bool
    /// The time that the terminal claims, nil when it claims none or nonsense (promise P8).
    public var deviceTime: Timestamp?
    public var position: Position?
    /// The levels that the frame states.
    public var alarms: AlarmSet
    /// Key or event numbers that a person pressed.
    public var keys: [Int]
    public var batteryPercent: Int?
    public var batteryVolts: Double?
    public var externalVolts: Double?
    public var charging: Bool?
    public var signalPercent: Int?
    public var moving: Bool?
    public var steps: Int?
    public var heartRateBeatsPerMinute: Int?
    public var bloodOxygenPercent: Int?
    public var bloodPressure: BloodPressure?
    public var temperatureCelsius: Double?
    public var imei: String?
    public var iccid: String?
    public var cells: [CellTower]
    public var wifi: [WiFiAccessPoint]
    public var text: String?
    /// Wire items without a member of their own: name (`0x51`) and lower-case hex, in wire order.
    public var extras: [(name: String, hex: String)]

    public init(
        protocolName: ProtocolName, terminal: TerminalID, message: MessageName, sequence: Int?,
        received: Timestamp? = nil, kind: EventKind, historical: Bool = false
    ) {
        self.protocolName = protocolName
        self.terminal = terminal
        self.message = message
        self.sequence = sequence
        self.received = received
        self.kind = kind
        self.historical = historical
        self.alarms = []
        self.keys = []
        self.cells = []
        self.wifi = []
        self.extras = []
    }

    public static func == (left: TerminalEvent, right: TerminalEvent) -> Bool {
        left.json == right.json
    }
}

/// Systolic over diastolic pressure in millimetres of mercury.
public struct BloodPressure: Sendable, Equatable {
    public var systolicMillimetres: Int
    public var diastolicMillimetres: Int

    public init(systolicMillimetres: Int, diastolicMillimetres: Int) {
        self.systolicMillimetres = systolicMillimetres
        self.diastolicMillimetres = diastolicMillimetres
    }
}

/// A protocol's name for one of its messages: a 16-bit number shown as `0x0200`, or a short word such as `UD2`.
///
/// Kept as a number where the protocol has numbers, so that naming a message costs no string.
public enum MessageName: Sendable, Hashable, CustomStringConvertible {
    case number(UInt16)
    case word(String)

    public var description: String {
        switch self {
        case .number(let value):
            let digits = String(value, radix: 16)
            return "0x" + String(repeating: "0", count: 4 - digits.count) + digits
        case .word(let word): return word
        }
    }
}
