public import IncidentCore

/// One configured way to reach one target. Implementations own connections and formats; retries are the outbox pump's.
public protocol EscalationChannel: Sendable {
    /// The target's name in the configuration.
    var target: String { get }

    /// Tries once to hand the notice over, within the channel's own time limits; never throws, never blocks a thread.
    func send(_ notice: Notice, attempt: Int) async -> DeliveryResult
}

/// How one attempt ended. Source: STYLE section 5 and escalation document section 0, rule 3.
public enum DeliveryResult: Sendable, Equatable {
    /// The peer's protocol confirmed the receipt (HTTP 2xx and the like); evidence for the timeline.
    case accepted(evidence: String)
    /// Try again; sooner is not wanted when the peer named a time.
    case retry(reason: String, afterMilliseconds: Int?)
    /// Never try this notice again here.
    case giveUp(reason: String)
}
