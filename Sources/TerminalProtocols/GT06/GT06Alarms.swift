public import TerminalModel

/// What the alarm codes of one model mean: the document's table, or that with some rows changed.
///
/// Source: section 10.
public struct GT06Alarms: Sendable, Equatable {
    /// One row a code; a code without a row is `other`.
    private static let standardKinds: [UInt8: AlarmKind] = [
        0x01: .sos,
        0x02: .powerCut,
        0x03: .vibration,
        0x04: .fenceEnter,
        0x05: .fenceExit,
        0x06: .overspeed,
        0x09: .displacement,
        0x0A: .gnssLost,
        0x0B: .gnssRestored,
        0x0C: .powerOn,
        0x0E: .lowBattery,  // external supply low
        0x0F: .lowBattery,  // external supply low, protection
        0x10: .simChanged,
        0x11: .powerOff,
        0x12: .powerOff,  // flight mode after low supply
        0x13: .tamper,
        0x14: .tamper,  // door
        0x15: .powerOff,  // switched off on low power
        0x18: .tamper,  // cover opened
        0x19: .lowBattery,  // internal battery
        0x23: .fall,
        0x24: .chargingStarted,
        0x25: .removed,
        0x26: .driving,  // rapid acceleration
        0x27: .driving,  // hard braking
        0x29: .driving,
        0x2A: .driving,  // sharp turn
        0x2B: .driving,
        0x2C: .collision,
        0x2D: .rollover,
        0x2E: .driving,
        0x30: .driving,  // hard braking
        0x32: .removed,  // pulled off
        0x3C: .tamper,  // theft
        0x3D: .tamper,  // illegal start
        0x3E: .sos,  // key-press alarm: the alarm key of some personal terminals
        0x4B: .tilt,
        0x5B: .temperature,
        0x5C: .temperature,
        0xF0: .driving,
        0xF1: .driving,
        0xF2: .collision,
    ]

    private static let document: [AlarmKind?] = (0...255).map { code in
        code == 0 ? nil : standardKinds[UInt8(code)] ?? .other
    }

    /// The SOS key of every model.
    private static let sosCode: UInt8 = 0x01

    /// Rows that differ from the document's; the dictionary is shared by all terminals of a model.
    private let overrides: [Int: AlarmKind?]

    /// The document's table with the given codes changed; nil makes a code mean nothing. Code 1 is the SOS of every model
    /// and stays it (promise P2), and 0 says nothing.
    public init(overrides: [Int: AlarmKind?] = [:]) {
        self.overrides = overrides
    }

    public static let standard = GT06Alarms()

    /// What the alarm byte means, nil for nothing; a code that is not known is `other`.
    public subscript(code: UInt8) -> AlarmKind? {
        if code != 0, code != Self.sosCode, let changed = overrides[Int(code)] { return changed }
        return Self.document[Int(code)]
    }

    /// What the alarm bits 5-3 of the terminal information mean (section 5.3): the first four are the alarms of a code and
    /// follow its row.
    public func kind(information: UInt8) -> AlarmKind? {
        switch information >> 3 & 7 {
        case 0: nil
        case 1: self[0x03]
        case 2: self[0x02]
        case 3: self[0x19]
        case 4: self[0x01]
        case 6: .fenceCross
        case 7: .removed
        default: .other
        }
    }

    /// What a status block says: its alarm byte, or its information bits where the byte says nothing.
    func kind(code: UInt8, information: UInt8) -> AlarmKind? {
        code == 0 ? kind(information: information) : self[code]
    }
}
