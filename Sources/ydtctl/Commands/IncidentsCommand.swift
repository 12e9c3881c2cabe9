import ArgumentParser
import ControlAPI

struct IncidentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "incidents", abstract: "Lists incidents, or shows one with its whole history.")

    @OptionGroup var options: SharedOptions

    @Argument(help: "The id of one incident.")
    var incident: String?

    @Option(help: "open, notified, acknowledged, handed_over, closed or all; those that are not closed when absent.")
    var state: String?

    @Option(help: "Only incidents of this terminal.")
    var terminal: String?

    @Option(help: "At most so many, the newest first.")
    var limit = 100

    func run() async throws {
        if let incident {
            try await options.show(
                IncidentDetail.self, "/v1/incidents/\(ControlClient.segment(incident.uppercased()))", Self.show)
            return
        }
        var query = [("limit", String(limit))]
        if let state { query.append(("state", state)) }
        if let terminal { query.append(("terminal", terminal)) }
        try await options.show(IncidentPage.self, "/v1/incidents", query: query) { page in
            var table = Table("INCIDENT", "OPENED", "STATE", "SERVICE", "CAUSES", "TERMINAL", "PERSON", "OWNER")
            for one in page.incidents {
                table.add(
                    one.id, Output.time(one.openedAt), one.state, one.service,
                    (one.mark.map { [$0] + one.causes } ?? one.causes).joined(separator: ","),
                    one.terminal, one.personName ?? one.person, one.owner ?? one.acknowledgedBy)
            }
            Output.line(table.isEmpty ? "No incidents." : table.text)
            if page.next != nil { Output.line("There are more: raise --limit.") }
        }
    }

    private static func show(_ detail: IncidentDetail) {
        let one = detail.incident
        Output.line("\(one.id)  \(one.service)  \(one.state)  \(one.causes.joined(separator: ","))")
        if let mark = one.mark { Output.line("\(mark): no emergency service hears of it (ydtctl real)") }
        Output.line("opened \(Output.time(one.openedAt)), pressed \(one.presses) times\(one.late ? ", late" : "")")
        Output.line("terminal \(one.terminal), trust \(one.trust)")
        if let place = one.position {
            let accuracy = place.accuracyMetres.map { ", within \($0) m" } ?? ""
            let validity = place.valid ? "" : " (last known)"
            Output.line(
                "place \(place.latitude), \(place.longitude) WGS-84\(accuracy)\(validity), "
                    + "fix of \(Output.time(place.fixTime))")
        }
        if let person = detail.person { PeopleCommand.show(person) }
        var table = Table("TIME", "WHAT", "WHO", "DETAIL")
        for entry in detail.timeline { table.add(Output.time(entry.at), entry.kind, entry.actor, entry.detail) }
        Output.line(table.text)
        if let disposition = one.disposition { Output.line("closed \(Output.time(one.closedAt)): \(disposition)") }
    }
}

extension IncidentView {
    /// What makes it no emergency for people who read a list; nil for a real one.
    fileprivate var mark: String? { isTest == true ? "TEST" : isDrill == true ? "DRILL" : nil }
}
