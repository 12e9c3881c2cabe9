public import TerminalModel

/// Something a rule found out about a terminal that nobody pressed a key for.
public enum Condition: Sendable, Equatable {
    /// A fence was crossed. With `isViolation` false the terminal is back where it should be.
    case fenceCrossed(fence: String, name: String, entered: Bool, isViolation: Bool, at: Timestamp)
    case lowBattery(percent: Int?)
    case batteryRecovered(percent: Int?)
    /// No frame since that time.
    case silence(since: Timestamp)
    case heardAgain
    /// A panel says that a device it supervises, such as the person's pendant, is not heard any more.
    case supervisionLost
    case supervisionRestored
    /// A person did not answer a reminder; what it was.
    case reminderMissed(String)

    /// The cause that an incident carries: `fence_enter`, `fence_exit`, `low_battery`, `silence`, `supervision_lost`,
    /// `reminder_missed`.
    public var cause: String {
        switch self {
        case .fenceCrossed(_, _, let entered, _, _): entered ? "fence_enter" : "fence_exit"
        case .lowBattery, .batteryRecovered: "low_battery"
        case .silence, .heardAgain: "silence"
        case .supervisionLost, .supervisionRestored: "supervision_lost"
        case .reminderMissed: "reminder_missed"
        }
    }

    /// False for news that a condition is over, which opens nothing.
    public var isViolation: Bool {
        switch self {
        case .fenceCrossed(_, _, _, let isViolation, _): isViolation
        case .lowBattery, .silence, .supervisionLost, .reminderMissed: true
        case .batteryRecovered, .heardAgain, .supervisionRestored: false
        }
    }

    var detail: String {
        switch self {
        case .fenceCrossed(let fence, let name, let entered, _, let at):
            "\(entered ? "entered" : "left") fence \(name.isEmpty ? fence : name) at \(at)"
        case .lowBattery(let percent): "battery low\(percent.map { ": \($0) %" } ?? "")"
        case .batteryRecovered(let percent): "battery recovered\(percent.map { ": \($0) %" } ?? "")"
        case .silence(let since): "no frame since \(since)"
        case .heardAgain: "the terminal is heard again"
        case .supervisionLost: "the panel does not hear a supervised device, such as the pendant"
        case .supervisionRestored: "the panel hears the supervised device again"
        case .reminderMissed(let what): what
        }
    }
}

/// How one attempt to hand a notice to one target ended, as the timeline records it.
public enum AttemptOutcome: Sendable, Equatable {
    /// The peer's protocol confirmed the receipt; what it said.
    case accepted(evidence: String)
    case failed(reason: String, retryInMilliseconds: Int?)
    /// This notice is not tried again at this target; the ladder's next round is a new one.
    case gaveUp(reason: String)
}

/// Why something an operator asked for was not done; nothing has changed.
public enum OperatorError: Error, Sendable, Equatable {
    /// No incident of this id is open or was closed lately.
    case unknownIncident(IncidentID)
    case operatorMissing
    case alreadyAcknowledged(by: String)
    case alreadyClosed(disposition: String)
    case dispositionMissing
    /// The service has a list of words, and this is none of them.
    case unknownDisposition(String, allowed: [String])
    case recipientMissing
    case noteMissing
    case unknownPerson(String)
    case alreadyAssigned(person: String)
    case notADrill

    /// The stable name on every interface.
    public var code: String {
        switch self {
        case .unknownIncident: "unknown_incident"
        case .operatorMissing: "operator_missing"
        case .alreadyAcknowledged: "already_acknowledged"
        case .alreadyClosed: "already_closed"
        case .dispositionMissing: "disposition_missing"
        case .unknownDisposition: "unknown_disposition"
        case .recipientMissing: "recipient_missing"
        case .noteMissing: "note_missing"
        case .unknownPerson: "unknown_person"
        case .alreadyAssigned: "already_assigned"
        case .notADrill: "not_a_drill"
        }
    }
}

extension OperatorError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unknownIncident(let id): "no incident \(id) is open or was closed within the last day"
        case .operatorMissing: "the operator's id is missing"
        case .alreadyAcknowledged(let by): "the incident is already acknowledged by \(by)"
        case .alreadyClosed(let disposition): "the incident is already closed: \(disposition)"
        case .dispositionMissing: "closing needs a disposition"
        case .unknownDisposition(let found, let allowed):
            "\"\(found)\" is no disposition of this service; it is one of \(allowed.joined(separator: ", "))"
        case .recipientMissing: "a handover needs somebody to hand over to"
        case .noteMissing: "the note is empty"
        case .unknownPerson(let person): "there is no person \(person)"
        case .alreadyAssigned(let person): "the incident already belongs to person \(person)"
        case .notADrill: "the incident is real already: it did not begin in a drill"
        }
    }
}
