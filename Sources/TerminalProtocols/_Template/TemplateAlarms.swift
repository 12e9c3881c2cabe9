public import TerminalModel

/// What the alarm codes of one model mean: the document's table, or that with some rows changed.
///
/// Source: section 0, one row a code.
public struct TemplateAlarms: Sendable, Equatable {
    private static let standardKinds: [UInt8: AlarmKind] = [
        0x01: .sos  // section 0
    ]

    public static let standard = TemplateAlarms()

    /// What `code` means; a code that is not known is `other`, never nothing.
    public subscript(code: UInt8) -> AlarmKind {
        Self.standardKinds[code] ?? .other
    }
}
