public import TerminalModel

/// A time in which what the people of a site press is an exercise: it goes the whole way, siren and hubs included, but never to
/// an emergency service (promise P7).
///
/// It ends by itself. A terminal whose person nobody knows takes no part: whoever presses it did not hear of the drill.
public struct Drill: Sendable, Equatable, Codable {
    public static let maximumMinutes = 480

    public var startedAt: Timestamp
    public var startedBy: String
    public var until: Timestamp
    /// Only people of this group take part; nil: everybody with a card.
    public var group: String?

    public init(startedAt: Timestamp, startedBy: String, until: Timestamp, group: String? = nil) {
        self.startedAt = startedAt
        self.startedBy = startedBy
        self.until = until
        self.group = group
    }

    /// False before its start too, so that a clock that was set back begins no second drill.
    public func isOn(at now: Timestamp) -> Bool { startedAt <= now && now < until }

    func includes(_ person: Person?, at now: Timestamp) -> Bool {
        guard isOn(at: now), let person else { return false }
        return group.map(person.groups.contains) ?? true
    }
}
