public import TerminalModel

/// `GET /v1/policy/test`: the first round of a ladder as it would be climbed.
public struct PolicyTest: Sendable, Equatable, Codable {
    public var person: String
    public var service: String
    /// The time of the press.
    public var at: Timestamp
    /// The group of the policy in force; nil for the policy of everybody.
    public var group: String?
    /// There is no policy: everybody but emergency services is told at once.
    public var fallback: Bool
    /// From the start of one round to the start of the next; it repeats until a human takes over.
    public var repeatMilliseconds: Int
    public var rows: [Row]

    public struct Row: Sendable, Equatable, Codable {
        /// From the press on.
        public var afterMilliseconds: Int64
        public var at: Timestamp
        /// `told`; `withheld`, the detail says why; or `waits` for the end of quiet hours.
        public var outcome: String
        public var target: String?
        /// Of the policy, from 0.
        public var step: Int?
        /// Whom the target is to reach, where that are people of the card.
        public var recipients: [ContactCard]?
        public var detail: String?

        enum CodingKeys: String, CodingKey {
            case at, outcome, target, step, recipients, detail
            case afterMilliseconds = "after_milliseconds"
        }

        public init(
            afterMilliseconds: Int64, at: Timestamp, outcome: String, target: String? = nil, step: Int? = nil,
            recipients: [ContactCard]? = nil, detail: String? = nil
        ) {
            self.afterMilliseconds = afterMilliseconds
            self.at = at
            self.outcome = outcome
            self.target = target
            self.step = step
            self.recipients = recipients
            self.detail = detail
        }
    }

    enum CodingKeys: String, CodingKey {
        case person, service, at, group, fallback, rows
        case repeatMilliseconds = "repeat_milliseconds"
    }

    public init(person: String, service: String, at: Timestamp) {
        self.person = person
        self.service = service
        self.at = at
        self.fallback = false
        self.repeatMilliseconds = 0
        self.rows = []
    }
}
