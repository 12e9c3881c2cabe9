/// A short rest that a human asked for: the siren is quiet until then, and nothing is acknowledged.
///
/// Source: escalation document section 5, point 3.
public struct Silence: Sendable, Equatable {
    /// The latch that was heard; a newer press ends the silence.
    public var generation: UInt64
    public var until: BootTime
    /// Who asked for it.
    public var by: String

    public static let maximumMilliseconds: Int64 = 120_000
    /// So long the siren sounds before it can be silenced again, so that nobody silences it without end and without noticing.
    public static let soundBetweenMilliseconds: Int64 = 10_000

    public init(generation: UInt64, until: BootTime, by: String) {
        self.generation = generation
        self.until = until
        self.by = by
    }

    /// True while the siren rests for `latch`. A silence of another boot, or one longer than any can be, is none.
    public func covers(_ latch: Latch, at now: BootTime) -> Bool {
        guard generation == latch.generation, let rest = until.milliseconds(since: now) else { return false }
        return rest > 0 && rest <= Self.maximumMilliseconds
    }

    var text: String {
        "generation \(generation)\nboot \(until.bootID)\nuntil \(until.milliseconds)\nby \(by)\n"
    }

    init?(text: String) {
        var values: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            if parts.count == 2 { values[parts[0]] = parts[1] }
        }
        guard let generation = values["generation"].flatMap({ UInt64($0) }),
            let until = values["until"].flatMap({ Int64($0) })
        else { return nil }
        self.init(
            generation: generation, until: BootTime(bootID: values["boot"] ?? "", milliseconds: until),
            by: values["by"] ?? "")
    }
}
