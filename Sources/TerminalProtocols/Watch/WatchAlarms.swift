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

    private var kinds: [AlarmKind?]

    /// The document's table with the given codes changed; nil makes a code mean nothing.
    ///
    /// - Parameter overrides: bit numbers 0...31, or `unspecifiedCode`; others are passed over.
    public init(overrides: [Int: AlarmKind?] = [:]) {
        kinds = Self.standardKinds
        for (code, kind) in overrides where kinds.indices.contains(code) { kinds[code] = kind }
    }

    public static let standard = WatchAlarms()

    /// What `code` means, nil for nothing.
    public subscript(code: Int) -> AlarmKind? {
        kinds.indices.contains(code) ? kinds[code] : nil
    }

    /// The kinds that an alarm frame states.
    ///
    /// - Parameter status: nil when the frame has none that can be read.
    func alarms(status: UInt32?) -> AlarmSet {
        var rest = status ?? 0
        rest &= rest & Self.alarmBits != 0 ? Self.alarmBits : ~Self.alarmBits
        // Sources disagree about this bit, so that alone it does not say what the alarm is.
        if kinds[4] == nil { rest &= ~Self.stillBit }
        var result = AlarmSet()
        if rest == 0, let kind = kinds[Self.unspecifiedCode] { result.insert(kind) }
        while rest != 0 {
            let bit = rest.trailingZeroBitCount
            rest &= rest - 1
            if let kind = kinds[bit] { result.insert(kind) }
        }
        return result
    }
}
