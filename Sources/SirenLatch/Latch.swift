public import TerminalModel

/// Why the siren sounds: the whole content of the latch file.
///
/// The file is text, one `key value` a line, so that it can be read, and in an emergency written, by hand:
///
///     generation 7
///     at 2026-03-14T02:10:12.031Z
///     boot 6e1f…
///     since 81234567
///     incident D0E9F735F9B8459A
///
/// `since` is in milliseconds of `BootTime`. Only `generation` is needed. Source: DESIGN section 2 (P3), escalation
/// document section 5.
public struct Latch: Sendable, Equatable {
    /// Grows with every new press, so that a silence or an acknowledgement counts only for what its giver knew of.
    public var generation: UInt64
    public var at: Timestamp
    public var since: BootTime
    /// Incidents that wait for a human, at most `maximumIncidents` of them.
    public var incidents: [String]

    /// The siren is as loud for a hundred as for a thousand.
    public static let maximumIncidents = 100

    public init(generation: UInt64, at: Timestamp, since: BootTime, incidents: [String]) {
        self.generation = generation
        self.at = at
        self.since = since
        self.incidents = Array(incidents.prefix(Self.maximumIncidents))
    }

    public var text: String {
        let facts = [
            "generation \(generation)", "at \(at)", "boot \(since.bootID)", "since \(since.milliseconds)",
        ]
        return (facts + incidents.map { "incident \($0)" }).map { $0 + "\n" }.joined()
    }

    /// nil for text that names no generation; lines that are not understood are passed over.
    public init?(text: String) {
        var generation: UInt64?
        var at = Timestamp(milliseconds: 0)
        var since = BootTime(bootID: "", milliseconds: 0)
        var incidents: [String] = []
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "generation": generation = UInt64(parts[1])
            case "at": at = Timestamp(parts[1]) ?? at
            case "boot": since.bootID = parts[1]
            case "since": since.milliseconds = Int64(parts[1]) ?? 0
            case "incident": incidents.append(parts[1])
            default: continue
            }
        }
        guard let generation else { return nil }
        self.init(generation: generation, at: at, since: since, incidents: incidents)
    }
}

/// What the latch file says.
public enum LatchState: Sendable, Equatable {
    case clear
    case set(Latch)
    /// The file is there and cannot be read or understood: the siren sounds.
    case damaged(String)
}
