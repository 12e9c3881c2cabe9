public import TerminalModel

/// What the bits of the status word of an alarm frame mean for one model: the document's table, or that with some rows changed.
///
/// Only frames whose keyword begins with `AL` raise alarms. The upper half of the word holds alarms; when all of it is zero
/// the lower half, the state, is read instead. Source: section 6.
public struct WatchAlarms: Sendable, Equatable {
    /// The code, beside the bits 0...31, of an alarm frame that does not say what its alarm is: some makers send every alarm
    /// with a status of zero. Single-button pendants of these makers are configured with this code as `sos`.
    public static let unspecifiedCode = 32

    /// One row a code, bit 0 first.
    private static let standardKinds: [AlarmKind?] = [
        .lowBattery,  // 0 state: battery low
        .fenceExit,  // 1 state: outside the fence
        .fenceEnter,  // 2 state: inside the fence
        .removed,  // 3 state: not worn
        nil,  // 4 state: still, or moving: sources disagree
        .other, .other, .other, .other, .other, .other, .other, .other, .other,  // 5 to 13 reserved
        .powerCut,  // 14 state: power cut
        .other,  // 15 reserved
        .sos,  // 16 SOS
        .lowBattery,  // 17 battery low
        .fenceExit,  // 18 left the fence
        .fenceEnter,  // 19 entered the fence
        .removed,  // 20 taken off, strap removed
        .fall,  // 21 fall
        .heartRate,  // 22 abnormal heart rate
        .other, .other, .other, .other, .other, .other, .other, .other, .other,  // 23 to 31 reserved
        .other,  // 32 none of them
    ]

    private static let alarmBits: UInt32 = 0xFFFF_0000
    private static let stillBit: UInt32 = 1 << 4

    private static let sosBit = 16

    /// Rows that differ from the document's; the dictionary is shared by all terminals of a model.
    private let overrides: [Int: AlarmKind?]

    /// The document's table with the given codes changed; nil makes a code mean nothing. Bit 16 is the SOS of every model and
    /// stays it (promise P2).
    ///
    /// - Parameter overrides: bit numbers 0...31, or `unspecifiedCode`; others are passed over.
    public init(overrides: [Int: AlarmKind?] = [:]) {
        self.overrides = overrides
    }

    public static let standard = WatchAlarms()

    /// What `code` means, nil for nothing.
    public subscript(code: Int) -> AlarmKind? {
        guard Self.standardKinds.indices.contains(code) else { return nil }
        if code != Self.sosBit, let changed = overrides[code] { return changed }
        return Self.standardKinds[code]
    }

    /// The kinds that an alarm frame states.
    ///
    /// - Parameter status: nil when the frame has none that can be read.
    func alarms(status: UInt32?) -> AlarmSet {
        var rest = status ?? 0
        rest &= rest & Self.alarmBits != 0 ? Self.alarmBits : ~Self.alarmBits
        // Sources disagree about this bit, so that alone it does not say what the alarm is.
        if self[4] == nil { rest &= ~Self.stillBit }
        var result = AlarmSet()
        if rest == 0, let kind = self[Self.unspecifiedCode] { result.insert(kind) }
        while rest != 0 {
            let bit = rest.trailingZeroBitCount
            rest &= rest - 1
            if let kind = self[bit] { result.insert(kind) }
        }
        return result
    }
}
