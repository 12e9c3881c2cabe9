import IncidentCore
import IncidentStore
import TerminalModel

/// A human has taken an incident over: its notices up to this one call for nobody any more. Later ones are of a further
/// press, which calls again.
struct TakenOver: Sendable {
    var incident: IncidentID
    /// The number of the last fact before.
    var through: Int
}

/// One decision on its way to the disk, and what may happen only when it is there.
struct CommitEntry: Sendable {
    /// In the order in which they were decided.
    var writes: [StoreWrite] = []
    /// Tickets that are answered `stored` after the commit.
    var results: [IngestResult] = []
    /// Notices for the pump: after the commit, or at once and marked not durable when the commit fails.
    var deliveries: [PendingDelivery] = []
    /// Incidents that a human has taken over: once more behind the deliveries that were decided before.
    var takenOver: [TakenOver] = []
    /// Positions that go to the track files afterwards.
    var track: [TrackItem] = []
    /// What else the terminal said; it goes to its file afterwards.
    var messages: [MessageEntry] = []
    /// For subscribers, when it is decided for good.
    var events: [PipelineEvent] = []
    /// Worth nothing later: left out when the commit fails (registrations, whose terminal then asks again).
    var isDiscardable = false
    /// A terminal's code: it may wait behind alarms.
    var isRegistration = false
    /// When the report came, for the time from alarm to commit; nil for what is no alarm.
    var alarmReceivedMilliseconds: Int64?
    /// Runs on the committing thread directly after the commit, before the results leave.
    var onCommit: (@Sendable () -> Void)?
    /// Runs when the entry is committed, or with the error as soon as a commit of it has failed.
    var onSettled: (@Sendable (StoreError?) -> Void)?

    /// Incidents that this entry changes.
    var incidents: [Incident] {
        writes.compactMap { if case .change(let change) = $0 { change.incident } else { nil } }
    }

    /// True for what may leave first when memory is short: a lost attempt is made again, a lost alarm is not.
    var isRoutine: Bool {
        writes.allSatisfy { write in
            switch write {
            case .attempt, .commandOutcome, .fenceState, .authenticated: true
            case .change(let change): change.evidence == nil && change.deliveries.isEmpty
            default: false
            }
        }
    }

    /// True when an incident's present state, written later, is all that the entry wants stored: it may be dropped where
    /// memory is short.
    var isOnlyOfIncidents: Bool {
        writes.allSatisfy { write in
            switch write {
            case .change, .stopRaising, .attempt, .commandOutcome: true
            default: false
            }
        }
    }

    /// True when nothing waits for it: no terminal, no target, no operator. It is written with the next that is awaited, or soon.
    var isPatient: Bool {
        isRoutine && results.isEmpty && deliveries.isEmpty && track.isEmpty && messages.isEmpty && onSettled == nil
    }

    /// Puts on the incidents' timelines that they could not be written when they happened.
    mutating func markNotDurable(_ error: StoreError, at time: Timestamp) {
        for index in writes.indices {
            guard case .change(var change) = writes[index] else { continue }
            change.entries.append(
                TimelineEntry(at: time, kind: .notDurable, actor: "store", detail: error.code.rawValue))
            writes[index] = .change(change)
        }
    }
}
