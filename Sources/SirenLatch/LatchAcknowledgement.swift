public import TerminalModel

/// An acknowledgement that was given at the siren, for the gateway to apply to the incidents it names.
///
/// One line of the file `acknowledgements`: fields apart by tabs.
public struct LatchAcknowledgement: Sendable, Equatable {
    public var at: Timestamp
    /// Who says to have taken over.
    public var by: String
    /// The Unix user that ran the command.
    public var unixUser: String
    public var reason: String
    public var incidents: [String]

    public init(at: Timestamp, by: String, unixUser: String, reason: String, incidents: [String]) {
        self.at = at
        self.by = by
        self.unixUser = unixUser
        self.reason = reason
        self.incidents = incidents
    }

    var line: String {
        let fields = [at.description, by, unixUser, reason, incidents.joined(separator: ",")]
        return fields.map(Self.plain).joined(separator: "\t") + "\n"
    }

    init?(line: Substring) {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 5, let at = Timestamp(fields[0]) else { return nil }
        self.init(
            at: at, by: fields[1], unixUser: fields[2], reason: fields[3],
            incidents: fields[4].split(separator: ",").map(String.init))
    }

    /// Without the characters that part fields and lines.
    private static func plain(_ field: String) -> String {
        String(field.map { $0 == "\t" || $0.isNewline ? " " : $0 })
    }
}
