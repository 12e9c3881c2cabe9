public import TerminalModel

/// What the alarm codes of one model mean: the document's table, or that with some rows changed.
///
/// Source: section 0, one row a code.
public struct TemplateAlarms: Sendable, Equatable {
    private static let standardKinds: [UInt8: AlarmKind] = [
        0x01: .sos  // section 0
    ]

    /// Rows that differ from the document's; the dictionary is shared by all terminals of a model.
    private let overrides: [Int: AlarmKind?]

    /// The document's table with the given codes changed; nil makes a code mean nothing.
    public init(overrides: [Int: AlarmKind?] = [:]) {
        self.overrides = overrides
    }

    public static let standard = TemplateAlarms()

    /// What `code` means, nil for nothing; a code that is not known is `other`, never nothing.
    public subscript(code: UInt8) -> AlarmKind? {
        if let changed = overrides[Int(code)] { return changed }
        return Self.standardKinds[code] ?? .other
    }
}
