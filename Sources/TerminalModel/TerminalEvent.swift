/// The wire protocols by their names on every interface.
public enum ProtocolName: String, Sendable, Codable, CaseIterable {
    case dc09
    case ev07b
    case gt06
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
/// Optional members are absent when the terminal said nothing. What a plain position says stands in the value itself,
/// 144 bytes without a reference; everything rarer is in one object that copies share until one of them is changed.
/// Source: DESIGN section 4.
public struct TerminalEvent: Sendable, Equatable {
    // In the order that leaves the fewest gaps.
    public var terminal: TerminalID
    private var items: PackedItems
    public var position: Position?
    private var battery: PackedInteger<Int16>
    /// The levels that the frame states.
    public var alarms: AlarmSet
    private var receivedTime: PackedTime
    private var claimedTime: PackedTime
    private var counter: PackedInteger<Int64>
    private var name: PackedName
    private var rest: Rest?
    private var signal: PackedInteger<Int16>
    public var protocolName: ProtocolName
    public var kind: EventKind
    /// True for an item that was stored on the terminal before it was sent.
    public var historical: Bool
    public var charging: Bool?
    public var moving: Bool?

    public init(
        protocolName: ProtocolName, terminal: TerminalID, message: MessageName, sequence: Int?,
        received: Timestamp? = nil, kind: EventKind, historical: Bool = false
    ) {
        self.terminal = terminal
        self.alarms = []
        self.receivedTime = PackedTime(received)
        self.claimedTime = PackedTime()
        self.counter = PackedInteger(sequence)
        self.name = .none
        self.items = PackedItems()
        self.battery = PackedInteger()
        self.signal = PackedInteger()
        self.protocolName = protocolName
        self.kind = kind
        self.historical = historical
        self.message = message
    }

    public static func == (left: TerminalEvent, right: TerminalEvent) -> Bool {
        left.json == right.json
    }
}

extension TerminalEvent {
    /// The protocol's own name of the message, for example `0x0200`.
    public var message: MessageName {
        get { rest?.longName.map(MessageName.word) ?? name.name }
        set {
            if let short = PackedName(newValue) {
                name = short
                if rest?.longName != nil { changeRest { $0.longName = nil } }
            } else {
                changeRest { $0.longName = newValue.description }
            }
        }
    }

    /// The terminal's message counter, when its protocol has one.
    public var sequence: Int? {
        get { counter.value }
        set { counter.value = newValue }
    }

    /// When the gateway had read the last byte; nil when decoding offline.
    public var received: Timestamp? {
        get { receivedTime.value }
        set { receivedTime.value = newValue }
    }

    /// The time that the terminal claims, nil when it claims none or nonsense (promise P8).
    public var deviceTime: Timestamp? {
        get { claimedTime.value }
        set { claimedTime.value = newValue }
    }

    public var batteryPercent: Int? {
        get { battery.value }
        set { battery.value = newValue }
    }

    public var signalPercent: Int? {
        get { signal.value }
        set { signal.value = newValue }
    }

    // MARK: Wire items

    /// Wire items without a member of their own: name (`0x51`) and lower-case hex, in wire order.
    public var extras: [(name: String, hex: String)] {
        get { items.isEmpty ? rest?.extras ?? [] : items.shown }
        set {
            items = PackedItems()
            guard rest != nil || !newValue.isEmpty else { return }
            changeRest { $0.extras = newValue }
        }
    }

    public var hasExtras: Bool { !items.isEmpty || !(rest?.extras.isEmpty ?? true) }

    /// Adds an item to `extras` as it stands on the wire, which becomes text only when somebody reads it.
    ///
    /// - Returns: false when it does not fit, or its number is there already; then it has to be added to `extras`.
    public mutating func addItem(_ number: UInt8, _ value: Span<UInt8>) -> Bool {
        (rest?.extras.isEmpty ?? true) && items.append(number, value)
    }
}

// MARK: - What few events say

extension TerminalEvent {
    /// The members that a plain position does not have. Never changed while another event shares it.
    private final class Rest: @unchecked Sendable {
        var longName: String?
        var keys: [Int] = []
        var batteryVolts: Double?
        var externalVolts: Double?
        var steps: Int?
        var heartRateBeatsPerMinute: Int?
        var bloodOxygenPercent: Int?
        var bloodPressure: BloodPressure?
        var temperatureCelsius: Double?
        var imei: String?
        var iccid: String?
        var cells: [CellTower] = []
        var wifi: [WiFiAccessPoint] = []
        var text: String?
        var extras: [(name: String, hex: String)] = []

        init() {}

        init(_ other: Rest) {
            longName = other.longName
            keys = other.keys
            batteryVolts = other.batteryVolts
            externalVolts = other.externalVolts
            steps = other.steps
            heartRateBeatsPerMinute = other.heartRateBeatsPerMinute
            bloodOxygenPercent = other.bloodOxygenPercent
            bloodPressure = other.bloodPressure
            temperatureCelsius = other.temperatureCelsius
            imei = other.imei
            iccid = other.iccid
            cells = other.cells
            wifi = other.wifi
            text = other.text
            extras = other.extras
        }
    }

    private mutating func changeRest(_ body: (Rest) -> Void) {
        if !isKnownUniquelyReferenced(&rest) { rest = rest.map(Rest.init) ?? Rest() }
        if let rest { body(rest) }
    }

    /// True when the event says nothing but numbers of a fixed size, and so holds no memory of its own.
    public var isPlain: Bool { rest == nil }

    /// True when somebody pressed something or something is wrong: what must not be lost, whoever sent it.
    public var asksForHelp: Bool { !alarms.isEmpty || !keys.isEmpty }

    /// The event without everything else.
    public var plain: TerminalEvent {
        var copy = self
        copy.rest = nil
        return copy
    }

    /// Key or event numbers that a person pressed.
    public var keys: [Int] {
        get { rest?.keys ?? [] }
        set { if rest != nil || !newValue.isEmpty { changeRest { $0.keys = newValue } } }
    }

    public var batteryVolts: Double? {
        get { rest?.batteryVolts }
        set { if rest != nil || newValue != nil { changeRest { $0.batteryVolts = newValue } } }
    }

    public var externalVolts: Double? {
        get { rest?.externalVolts }
        set { if rest != nil || newValue != nil { changeRest { $0.externalVolts = newValue } } }
    }

    public var steps: Int? {
        get { rest?.steps }
        set { if rest != nil || newValue != nil { changeRest { $0.steps = newValue } } }
    }

    public var heartRateBeatsPerMinute: Int? {
        get { rest?.heartRateBeatsPerMinute }
        set { if rest != nil || newValue != nil { changeRest { $0.heartRateBeatsPerMinute = newValue } } }
    }

    public var bloodOxygenPercent: Int? {
        get { rest?.bloodOxygenPercent }
        set { if rest != nil || newValue != nil { changeRest { $0.bloodOxygenPercent = newValue } } }
    }

    public var bloodPressure: BloodPressure? {
        get { rest?.bloodPressure }
        set { if rest != nil || newValue != nil { changeRest { $0.bloodPressure = newValue } } }
    }

    public var temperatureCelsius: Double? {
        get { rest?.temperatureCelsius }
        set { if rest != nil || newValue != nil { changeRest { $0.temperatureCelsius = newValue } } }
    }

    public var imei: String? {
        get { rest?.imei }
        set { if rest != nil || newValue != nil { changeRest { $0.imei = newValue } } }
    }

    public var iccid: String? {
        get { rest?.iccid }
        set { if rest != nil || newValue != nil { changeRest { $0.iccid = newValue } } }
    }

    public var cells: [CellTower] {
        get { rest?.cells ?? [] }
        set { if rest != nil || !newValue.isEmpty { changeRest { $0.cells = newValue } } }
    }

    public var wifi: [WiFiAccessPoint] {
        get { rest?.wifi ?? [] }
        set { if rest != nil || !newValue.isEmpty { changeRest { $0.wifi = newValue } } }
    }

    public var text: String? {
        get { rest?.text }
        set { if rest != nil || newValue != nil { changeRest { $0.text = newValue } } }
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
