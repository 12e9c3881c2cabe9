public import TerminalModel

/// `GET /v1/care`: reminders, the latest due first.
public struct CarePage: Sendable, Equatable, Codable {
    public var reminders: [CareView]
    /// To be asked for with `after`; absent on the last page.
    public var next: String?

    public init(reminders: [CareView], next: String? = nil) {
        self.reminders = reminders
        self.next = next
    }
}

/// One reminder to one person.
public struct CareView: Sendable, Equatable, Codable {
    public var schedule: String
    public var dueAt: Timestamp
    public var person: String
    public var terminal: String?
    /// `queued`, `sent`, `confirmed`, `missed` or `not_sent`.
    public var state: String
    public var text: String
    /// How often it was sent.
    public var attempts: Int
    public var answerBy: Timestamp
    public var sentAt: Timestamp?
    /// When it was confirmed or missed.
    public var settledAt: Timestamp?
    public var detail: String

    enum CodingKeys: String, CodingKey {
        case schedule, person, terminal, state, text, attempts, detail
        case dueAt = "due_at"
        case answerBy = "answer_by"
        case sentAt = "sent_at"
        case settledAt = "settled_at"
    }

    public init(
        schedule: String, dueAt: Timestamp, person: String, terminal: String?, state: String, text: String,
        attempts: Int, answerBy: Timestamp, sentAt: Timestamp?, settledAt: Timestamp?, detail: String
    ) {
        self.schedule = schedule
        self.dueAt = dueAt
        self.person = person
        self.terminal = terminal
        self.state = state
        self.text = text
        self.attempts = attempts
        self.answerBy = answerBy
        self.sentAt = sentAt
        self.settledAt = settledAt
        self.detail = detail
    }
}
