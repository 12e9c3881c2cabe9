public import TerminalModel

/// What the alarm bits of one model mean: the document's table, or that with some rows changed.
///
/// Bits 0 to 31 are the flags of key 02, bits 32 to 63 its extended flags. Source: section 7.
public struct EV07BAlarms: Sendable, Equatable {
    /// One row a bit, bit 0 first; nil for bits that are no alarm.
    private static let standardKinds: [AlarmKind?] = [
        .lowBattery,  // 0 battery low
        .overspeed,  // 1 overspeed
        .fall,  // 2 fall
        .tilt,  // 3 tilt
        .fenceCross,  // 4 geo fence 1, direction in bit 26
        .fenceCross,  // 5 geo fence 2, direction in bit 27
        .fenceCross,  // 6 geo fence 3, direction in bit 28
        .fenceCross,  // 7 geo fence 4, direction in bit 29
        .powerOff,  // 8 power off
        .powerOn,  // 9 power on
        .motion,  // 10 motion
        .noMotion,  // 11 no motion
        .sos,  // 12 SOS key
        .other,  // 13 side key 1
        .other,  // 14 side key 2
        .chargingStarted,  // 15 charging started
        .chargingStopped,  // 16 charging stopped
        .sosCleared,  // 17 SOS cancelled
        .welfare,  // 18 amber alert
        .welfare,  // 19 welfare alert
        .other,  // 20 amber ended
        .fallCleared,  // 21 fall cancelled
        .other,  // 22 welfare ended
        nil,  // 23 scheduled upload
        .homeLeave,  // 24 left home
        .homeArrive,  // 25 arrived home
        nil, nil, nil, nil,  // 26 to 29 directions of fences 1 to 4
        .beaconLost,  // 30 Bluetooth disconnected, beacon absent
        nil,  // 31 barking
        .removed,  // 32 removed, fallen off
    ]

    /// The side keys: a person pressed them, so that they are keys as well as alarms.
    private static let sideKeys = 13...14

    static let extendedBit = 32
    private static let fenceBits = 4...7
    /// Bit 26 tells the direction of bit 4, and so on: set for entering.
    private static let directionShift = 22

    /// Means SOS in every model (promise P2).
    private static let sosBit = 12

    /// Rows that differ from the document's; the dictionary is shared by all terminals of a model.
    private let overrides: [Int: AlarmKind?]

    /// The document's table with the given bits changed; nil makes a bit mean nothing. Bit 12 is the SOS key of every model and
    /// stays it.
    ///
    /// A side key whose meaning is changed is no longer reported as a key: then the site has said what it is.
    public init(overrides: [Int: AlarmKind?] = [:]) {
        self.overrides = overrides
    }

    public static let standard = EV07BAlarms()

    /// What `bit` means, nil for nothing.
    public subscript(bit: Int) -> AlarmKind? {
        if bit != Self.sosBit, let changed = overrides[bit] { return changed }
        return Self.standardKinds.indices.contains(bit) ? Self.standardKinds[bit] : nil
    }

    /// One bit that is set and means something.
    struct Stated: Equatable {
        let bit: Int
        let kind: AlarmKind
        /// 1 to 4 where the alarm is about one of the terminal's own fences.
        let fence: Int?
        /// 1 or 2 for a side key.
        let key: Int?

        /// `sos`, and `fence_exit:1` with the number of the fence.
        var name: String { fence.map { "\(kind.name):\($0)" } ?? kind.name }
    }

    /// Calls `body` for each bit that is set and means something, bit 0 first.
    func forEach(in alarm: EV07BAlarm, _ body: (Stated) -> Void) {
        var rest = UInt64(alarm.extendedFlags ?? 0) << UInt64(Self.extendedBit) | UInt64(alarm.flags)
        while rest != 0 {
            let bit = rest.trailingZeroBitCount
            rest &= rest - 1
            guard var kind = self[bit] else { continue }
            var fence: Int?
            if kind == .fenceCross, Self.fenceBits.contains(bit) {
                kind = alarm.flags & 1 << UInt32(bit + Self.directionShift) != 0 ? .fenceEnter : .fenceExit
                fence = bit - Self.fenceBits.lowerBound + 1
            }
            let isKey = Self.sideKeys.contains(bit) && overrides[bit] == nil
            let key = isKey ? bit - Self.sideKeys.lowerBound + 1 : nil
            body(Stated(bit: bit, kind: kind, fence: fence, key: key))
        }
    }
}
