public import TerminalModel

/// `GET /v1/report`: how incidents of a period were answered and followed to their end.
public struct SupervisionReport: Sendable, Equatable, Codable {
    /// Incidents opened at this time or later.
    public var from: Timestamp
    /// And before this.
    public var to: Timestamp
    /// Services without an incident are left out.
    public var services: [Figures]
    /// Who is to be tested now, whatever the period; absent where nobody is ever due.
    public var testPresses: TestPressFigures?

    enum CodingKeys: String, CodingKey {
        case from, to, services
        case testPresses = "test_presses"
    }

    public struct Figures: Sendable, Equatable, Codable {
        public var service: String
        public var opened: Int
        /// A human took over.
        public var answered: Int
        public var answeredWithin60Seconds: Int
        public var answeredWithin180Seconds: Int
        public var closed: Int
        /// Handed over with a due time.
        public var supervised: Int
        /// Of those, closed by the due time without ever having been overdue.
        public var closedOnTime: Int
        /// Of those, found overdue at least once.
        public var overdue: Int

        enum CodingKeys: String, CodingKey {
            case service, opened, answered, closed, supervised, overdue
            case answeredWithin60Seconds = "answered_within_60_s"
            case answeredWithin180Seconds = "answered_within_180_s"
            case closedOnTime = "closed_on_time"
        }

        public init(
            service: String, opened: Int, answered: Int, answeredWithin60Seconds: Int, answeredWithin180Seconds: Int,
            closed: Int, supervised: Int, closedOnTime: Int, overdue: Int
        ) {
            self.service = service
            self.opened = opened
            self.answered = answered
            self.answeredWithin60Seconds = answeredWithin60Seconds
            self.answeredWithin180Seconds = answeredWithin180Seconds
            self.closed = closed
            self.supervised = supervised
            self.closedOnTime = closedOnTime
            self.overdue = overdue
        }
    }

    public init(from: Timestamp, to: Timestamp, services: [Figures]) {
        self.from = from
        self.to = to
        self.services = services
    }
}
