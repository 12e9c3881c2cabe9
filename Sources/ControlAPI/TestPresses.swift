public import TerminalModel

/// Whether a person's terminal, the way and the hub were proven to work, and when.
public struct TestPressView: Sendable, Equatable, Codable {
    public var person: String
    public var personName: String
    /// It is time for a test, or there never was one.
    public var due: Bool
    /// The last test that a hub accepted and a human answered.
    public var last: Last?
    /// The one that is announced now; not in lists.
    public var window: Window?

    enum CodingKeys: String, CodingKey {
        case person, due, last, window
        case personName = "person_name"
    }

    public init(person: String, personName: String, due: Bool, last: Last? = nil, window: Window? = nil) {
        self.person = person
        self.personName = personName
        self.due = due
        self.last = last
        self.window = window
    }

    public struct Last: Sendable, Equatable, Codable {
        public var terminal: String
        /// When it was pressed.
        public var at: Timestamp
        public var acknowledgedBy: String
        public var secondsToAcknowledgement: Int
        /// The targets that accepted it.
        public var accepted: [String]

        enum CodingKeys: String, CodingKey {
            case terminal, at, accepted
            case acknowledgedBy = "acknowledged_by"
            case secondsToAcknowledgement = "seconds_to_acknowledgement"
        }

        public init(
            terminal: String, at: Timestamp, acknowledgedBy: String, secondsToAcknowledgement: Int, accepted: [String]
        ) {
            self.terminal = terminal
            self.at = at
            self.acknowledgedBy = acknowledgedBy
            self.secondsToAcknowledgement = secondsToAcknowledgement
            self.accepted = accepted
        }
    }

    /// The first press of the person's terminals in it is the test.
    public struct Window: Sendable, Equatable, Codable {
        public var startedBy: String
        public var startedAt: Timestamp
        public var until: Timestamp
        /// The test was pressed: a new press that does not belong to it is real.
        public var pressed: Bool

        enum CodingKeys: String, CodingKey {
            case until, pressed
            case startedBy = "started_by"
            case startedAt = "started_at"
        }

        public init(startedBy: String, startedAt: Timestamp, until: Timestamp, pressed: Bool) {
            self.startedBy = startedBy
            self.startedAt = startedAt
            self.until = until
            self.pressed = pressed
        }
    }
}

/// People in the order of their last tests.
public struct TestPressPage: Sendable, Equatable, Codable {
    public var people: [TestPressView]
    /// Pass as `after` to get the rest; nil at the end.
    public var next: String?

    public init(people: [TestPressView], next: String?) {
        self.people = people
        self.next = next
    }
}

/// `POST /v1/people/{person}/test-press`: announces a test, in place of one that is announced, or takes it back.
public struct TestPressRequest: Sendable, Equatable, Codable {
    public var `operator`: String
    /// 0 takes back what is announced; 10 when absent.
    public var minutes: Int?

    public init(operator id: String, minutes: Int?) {
        self.operator = id
        self.minutes = minutes
    }
}

/// How many people are to be tested now.
public struct TestPressFigures: Sendable, Equatable, Codable {
    /// A test is due after so many days.
    public var days: Int
    public var due: Int
    /// Of those, never tested.
    public var never: Int

    public init(days: Int, due: Int, never: Int) {
        self.days = days
        self.due = due
        self.never = never
    }
}
