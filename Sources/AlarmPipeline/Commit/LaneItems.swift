import IncidentStore
import TerminalModel

/// A position for the track files.
struct TrackItem: LaneItem {
    var point: TrackPoint
    /// nil when the report is answered elsewhere: an alarm's position follows its incident.
    var ticket: ReplyTicket?
    var arrivedMilliseconds: Int64

    var isKept: Bool { ticket == nil }

    func answer(_ outcome: IngestResult.Outcome, into results: inout [IngestResult]) {
        if let ticket { results.append(IngestResult(ticket: ticket, outcome: outcome)) }
    }
}

/// What terminals said beside positions and alarms; one transaction has all of it or nothing.
struct MessageEntry: LaneItem {
    var writes: [MessageWrite]
    /// Answered `stored` after the commit.
    var results: [IngestResult] = []
    /// Worth nothing later: left out when the commit fails.
    var isDiscardable = false
    var arrivedMilliseconds: Int64 = 0

    var isKept: Bool { results.isEmpty && !isDiscardable }

    func answer(_ outcome: IngestResult.Outcome, into results: inout [IngestResult]) {
        for result in self.results {
            results.append(IngestResult(ticket: result.ticket, outcome: outcome, isAlarm: result.isAlarm))
        }
    }
}
