public import TerminalModel

/// What the alarm bits of one model mean: the standard's table, or the standard with some rows changed.
///
/// Source: section 12.1.
public struct JT808Alarms: Sendable, Equatable {
    /// One row a bit, bit 0 first.
    private static let standardKinds: [AlarmKind] = [
        .sos,  // 0 emergency
        .overspeed,  // 1 overspeed
        .driving,  // 2 fatigue driving
        .other,  // 3 danger warning
        .gnssFault,  // 4 GNSS module fault
        .gnssFault,  // 5 GNSS antenna cut
        .gnssFault,  // 6 GNSS antenna short
        .lowBattery,  // 7 main supply under-voltage
        .powerCut,  // 8 main supply lost
        .deviceFault,  // 9 display fault
        .deviceFault,  // 10 TTS fault
        .deviceFault,  // 11 camera fault
        .deviceFault,  // 12 card module fault
        .overspeed,  // 13 overspeed pre-warning
        .driving,  // 14 fatigue pre-warning
        .driving,  // 15 2019: forbidden-hours driving
        .other,  // 16 2019: tyre pressure
        .other,  // 17 2019: right-turn blind spot
        .driving,  // 18 day driving time exceeded
        .other,  // 19 parked too long
        .fenceCross,  // 20 area entered or left, see item 0x12
        .fenceCross,  // 21 route entered or left, see item 0x12
        .driving,  // 22 segment time
        .fenceExit,  // 23 route deviation
        .deviceFault,  // 24 speed sensor fault
        .deviceFault,  // 25 fuel abnormal
        .tamper,  // 26 stolen
        .tamper,  // 27 illegal ignition
        .displacement,  // 28 illegal displacement
        .collision,  // 29 collision
        .rollover,  // 30 rollover
        .tamper,  // 31 illegal door opening
    ]

    /// Bits 20 and 21, whose direction stands in item 0x12.
    static let crossingBits: UInt32 = 1 << 20 | 1 << 21

    /// Rows that differ from the standard's; the dictionary is shared by all terminals of a model.
    private let overrides: [Int: AlarmKind?]
    /// False for models whose vendor items mean something else than section 8.4 says: then only bits raise alarms.
    public let readsVendorItems: Bool

    /// The standard's table with the given bits changed; nil makes a bit mean nothing. Bit 0 is the emergency bit of every
    /// model and stays it (promise P2).
    public init(overrides: [Int: AlarmKind?] = [:], readsVendorItems: Bool = true) {
        self.overrides = overrides
        self.readsVendorItems = readsVendorItems
    }

    /// The table of a model: what the site says of a bit, else what is built in for the model's name, else the standard's.
    public init(_ model: ModelProfile) {
        let builtIn = Self.builtIn(model: model.name).overrides
        overrides = builtIn.isEmpty ? model.alarmCodes : builtIn.merging(model.alarmCodes) { $1 }
        readsVendorItems = model.readsVendorAlarms
    }

    public static let standard = JT808Alarms()

    /// Bits as wireless and personal trackers are known to use them (section 12.1, overrides).
    public static let wirelessTracker = JT808Alarms(overrides: [
        7: .lowBattery, 8: .powerOff, 15: .lowBattery, 16: .vibration, 17: .removed, 18: .lowBattery,
    ])

    /// The table of a model that needs no configuration, chosen by its exact name; the standard's for all others.
    public static func builtIn(model: String) -> JT808Alarms {
        model == "wireless-tracker" ? .wirelessTracker : .standard
    }

    /// What `bit` means, nil for nothing.
    public subscript(bit: Int) -> AlarmKind? {
        guard Self.standardKinds.indices.contains(bit) else { return nil }
        if bit > 0, let changed = overrides[bit] { return changed }
        return Self.standardKinds[bit]
    }

    /// The kinds of all bits that are set.
    ///
    /// - Parameter crossing: what item 0x12 says of bits 20 and 21, nil when it is absent.
    func alarms(flags: UInt32, crossing: AlarmKind?) -> AlarmSet {
        var rest = flags
        var result = AlarmSet()
        while rest != 0 {
            let bit = rest.trailingZeroBitCount
            rest &= rest - 1
            guard var kind = self[bit] else { continue }
            if kind == .fenceCross, 1 << UInt32(bit) & Self.crossingBits != 0, let crossing { kind = crossing }
            result.insert(kind)
        }
        return result
    }
}
