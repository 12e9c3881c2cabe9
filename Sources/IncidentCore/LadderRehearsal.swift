public import TerminalModel

/// Who would be told when, for one person and service: the first round of the ladder, climbed by the engine itself on a
/// clock that is turned, without an incident.
public struct LadderRehearsal: Sendable, Equatable {
    /// One thing that would happen.
    public struct Row: Sendable, Equatable {
        public enum Outcome: String, Sendable, CaseIterable {
            case told
            /// The target would be left out; the detail says why.
            case withheld
            /// The ladder would wait for the end of quiet hours.
            case waits
        }

        /// From the press on.
        public var afterMilliseconds: Int64
        public var at: Timestamp
        public var outcome: Outcome
        public var target: String?
        /// The step of the policy, from 0; nil for what belongs to none.
        public var step: Int?
        public var recipients: [Contact]
        public var detail: String
    }

    public var rows: [Row] = []
    /// From the start of one round to the start of the next.
    public var repeatMilliseconds: Int
    /// The group of the policy in force; nil for the one of everybody.
    public var group: String?
    /// There is no policy: everybody but emergency services is told at once.
    public var isFallback: Bool

    /// A ladder that has not come through its first round by then is shown no further: quiet hours of several days.
    static let maximumMilliseconds: Int64 = 8 * DayWindow.millisecondsPerDay

    /// Climbs the ladder for a press at that time by a terminal whose identity is proven.
    public init(_ rules: IncidentRules, service: Service, person: Person, at time: Timestamp) {
        var now = Moment(wall: time, monotonicMilliseconds: 0)
        var engine = IncidentEngine(rules: rules, restored: [], bootID: "rehearsal", now: now) {
            IncidentID(rawValue: 0)
        }
        let plan = engine.plan(for: service, person: person)
        repeatMilliseconds = plan.repeatMilliseconds
        group = plan.group
        isFallback = plan.isFallback
        let incident = Incident(
            id: IncidentID(rawValue: 0), service: service, terminal: TerminalID(nibbles: 0), person: person.id,
            trust: .verified, causes: [], openedAt: time)
        var draft = Draft(incident: incident, person: person)
        engine.startLadder(&draft, now: now)
        var decision = Decision()
        engine.commit(draft, into: &decision, now: now)
        while add(decision, rules, person, now: now), let due = engine.nextDeadlineMonotonicMilliseconds,
            due <= Self.maximumMilliseconds
        {
            now = Moment(wall: time.adding(milliseconds: due), monotonicMilliseconds: due)
            decision = engine.advance(now: now) { _ in person }
        }
    }

    /// False when the second round has begun.
    private mutating func add(_ decision: Decision, _ rules: IncidentRules, _ person: Person, now: Moment) -> Bool {
        func row(_ outcome: Row.Outcome, target: String? = nil, step: Int? = nil, _ detail: String = "") -> Row {
            let audience = rules.targets.first { $0.name == target }?.audience ?? .centre
            return Row(
                afterMilliseconds: now.monotonicMilliseconds, at: now.wall, outcome: outcome, target: target,
                step: step,
                recipients: outcome == .told ? person.recipients(audience) : [], detail: detail)
        }
        for change in decision.changes {
            if change.deliveries.contains(where: { $0.notice.round > 1 }) { return false }
            for entry in change.entries {
                switch entry.kind {
                case .withheld: rows.append(row(.withheld, target: entry.actor, entry.detail))
                case .waits: rows.append(row(.waits, entry.detail))
                default: break
                }
            }
            for delivery in change.deliveries {
                rows += delivery.targets.map { row(.told, target: $0, step: delivery.notice.step) }
            }
        }
        return true
    }
}
