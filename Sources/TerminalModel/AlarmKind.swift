/// What a terminal reports as wrong, in the common names of all protocols.
///
/// Source: `jt808` document section 12, plus `help` for a non-SOS key that a person pressed to ask for help, and what
/// alarm panels report of a house. New kinds stand at the end: the numbers are in databases.
public enum AlarmKind: UInt8, CaseIterable, Sendable, Hashable {
    case sos
    case sosCleared
    case fall
    case fallCleared
    case help
    case lowBattery
    case powerCut
    case powerOff
    case powerOn
    case chargingStarted
    case chargingStopped
    case fenceEnter
    case fenceExit
    case fenceCross
    case homeLeave
    case homeArrive
    case overspeed
    case motion
    case noMotion
    case tilt
    case removed
    case tamper
    case vibration
    case displacement
    case collision
    case rollover
    case heartRate
    case temperature
    case welfare
    case beaconLost
    case gnssLost
    case gnssRestored
    case deviceFault
    case gnssFault
    case simChanged
    case driving
    case other
    case fire
    case gas
    case intrusion
    case duress
    /// A device that is supervised over radio, such as a pendant, is not heard any more.
    case supervisionLost
    case supervisionRestored

    /// The name on every interface, for example `low_battery`.
    public var name: String {
        Self.names[Int(rawValue)]
    }

    public init?(name: String) {
        guard let index = Self.names.firstIndex(of: name), let kind = AlarmKind(rawValue: UInt8(index)) else {
            return nil
        }
        self = kind
    }

    private static let names = [
        "sos", "sos_cleared", "fall", "fall_cleared", "help", "low_battery", "power_cut", "power_off", "power_on",
        "charging_started", "charging_stopped", "fence_enter", "fence_exit", "fence_cross", "home_leave",
        "home_arrive", "overspeed", "motion", "no_motion", "tilt", "removed", "tamper", "vibration", "displacement",
        "collision", "rollover", "heart_rate", "temperature", "welfare", "beacon_lost", "gnss_lost", "gnss_restored",
        "device_fault", "gnss_fault", "sim_changed", "driving", "other", "fire", "gas", "intrusion", "duress",
        "supervision_lost", "supervision_restored",
    ]
}

/// A set of alarm kinds in one word; iterates in the order of `AlarmKind`.
public struct AlarmSet: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    public init(_ kind: AlarmKind) {
        self.rawValue = 1 << UInt64(kind.rawValue)
    }

    public init(_ kinds: some Sequence<AlarmKind>) {
        self.rawValue = kinds.reduce(0) { $0 | 1 << UInt64($1.rawValue) }
    }

    public func contains(_ kind: AlarmKind) -> Bool {
        rawValue & 1 << UInt64(kind.rawValue) != 0
    }

    public mutating func insert(_ kind: AlarmKind) {
        self = AlarmSet(rawValue: rawValue | 1 << UInt64(kind.rawValue))
    }

    public var kinds: [AlarmKind] {
        AlarmKind.allCases.filter(contains)
    }

    /// Kinds that threaten a life and may never be muted (promise P2).
    public static let lifeSafety = AlarmSet([.sos, .fall, .fire, .gas])
}
