public import TerminalModel

/// What counts as an answer to a reminder.
public enum CareConfirmation: String, Sendable, Codable, CaseIterable {
    /// A key that the person presses.
    case key
    /// Any frame of one of the person's terminals that was not stored earlier, but for the machine's answer to the message.
    case signOfLife = "sign_of_life"
}

/// Reminders that come back: who is asked when, with which words, and what is an answer.
public struct CareSchedule: Sendable, Equatable {
    public var name: String
    public var groups: [String]
    public var people: [String]
    /// Minutes after midnight on the site's own clock, ascending.
    public var minutes: [Int]
    public var days: DayRule
    /// With `{name}` and `{time}`.
    public var text: String
    public var answerWithinSeconds: Int
    public var confirmation: CareConfirmation
    /// How often the reminder is sent, 1 or 2; each time there is as long to answer.
    public var attempts: Int

    public init(
        name: String, groups: [String] = [], people: [String] = [], minutes: [Int], days: DayRule = DayRule(),
        text: String, answerWithinSeconds: Int = 1800, confirmation: CareConfirmation = .key, attempts: Int = 2
    ) {
        self.name = name
        self.groups = groups
        self.people = people
        self.minutes = minutes
        self.days = days
        self.text = text
        self.answerWithinSeconds = answerWithinSeconds
        self.confirmation = confirmation
        self.attempts = attempts
    }

    public static let placeholders = ["name", "time"]

    /// The times at which it is due after `from` and up to `to`, ascending.
    public func occurrences(
        after from: Timestamp, through to: Timestamp, calendar: SiteCalendar, utcOffsetMinutes: Int
    ) -> [Timestamp] {
        guard from < to else { return [] }
        let first = SiteDay(from, utcOffsetMinutes: utcOffsetMinutes).number
        let last = SiteDay(to, utcOffsetMinutes: utcOffsetMinutes).number
        return (first...last).map(SiteDay.init(number:)).filter { days.includes($0, calendar) }.flatMap { day in
            minutes.map { day.time(ofMinute: $0, utcOffsetMinutes: utcOffsetMinutes) }.filter { from < $0 && $0 <= to }
        }
    }

    /// The words for one person.
    public func text(for name: String, dueAt: Timestamp, utcOffsetMinutes: Int) -> String {
        let day = SiteDay(dueAt, utcOffsetMinutes: utcOffsetMinutes)
        let midnight = day.time(ofMinute: 0, utcOffsetMinutes: utcOffsetMinutes)
        let minute = Int((dueAt.milliseconds - midnight.milliseconds) / 60_000)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        var text = ""
        var rest = self.text[...]
        while let brace = rest.firstIndex(of: "{") {
            text += rest[..<brace]
            rest = rest[brace...]
            if rest.hasPrefix("{name}") {
                text += name
                rest = rest.dropFirst("{name}".count)
            } else if rest.hasPrefix("{time}") {
                text += "\(two(minute / 60)):\(two(minute % 60))"
                rest = rest.dropFirst("{time}".count)
            } else {
                text += rest.prefix(1)
                rest = rest.dropFirst()
            }
        }
        return text + rest
    }
}

/// One reminder to one person: a schedule, a time and a person are asked once.
public struct CareKey: Hashable, Sendable {
    public var schedule: String
    public var dueAt: Timestamp
    public var person: String

    public init(schedule: String, dueAt: Timestamp, person: String) {
        self.schedule = schedule
        self.dueAt = dueAt
        self.person = person
    }
}

/// How one reminder to one person stands, as it is stored.
public struct CareRecord: Sendable, Equatable {
    public enum State: String, Sendable, CaseIterable {
        /// The message waits for the terminal.
        case queued
        /// The message left.
        case sent
        case confirmed
        /// No answer in time: an incident.
        case missed
        /// Nobody was asked, and `detail` says why.
        case notSent = "not_sent"

        public var isOpen: Bool { self == .queued || self == .sent }
    }

    public var key: CareKey
    /// nil when the person has none.
    public var terminal: TerminalID?
    public var state: State
    public var text: String
    public var confirmation: CareConfirmation
    public var answerWithinSeconds: Int
    public var attempts: Int
    public var maximumAttempts: Int
    /// The message that was sent last.
    public var command: Int64?
    public var answerBy: Timestamp
    public var sentAt: Timestamp?
    public var settledAt: Timestamp?
    public var detail: String

    public init(
        key: CareKey, terminal: TerminalID?, state: State, text: String, confirmation: CareConfirmation,
        answerWithinSeconds: Int, attempts: Int, maximumAttempts: Int, command: Int64? = nil, answerBy: Timestamp,
        sentAt: Timestamp? = nil, settledAt: Timestamp? = nil, detail: String = ""
    ) {
        self.key = key
        self.terminal = terminal
        self.state = state
        self.text = text
        self.confirmation = confirmation
        self.answerWithinSeconds = answerWithinSeconds
        self.attempts = attempts
        self.maximumAttempts = maximumAttempts
        self.command = command
        self.answerBy = answerBy
        self.sentAt = sentAt
        self.settledAt = settledAt
        self.detail = detail
    }
}
