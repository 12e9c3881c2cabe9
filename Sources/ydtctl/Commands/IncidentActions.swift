import ArgumentParser
import ControlAPI

/// What all acts on one incident take.
struct IncidentActionOptions: ParsableArguments {
    @Argument(help: "The id of the incident.")
    var incident: String

    @OptionGroup var actor: OperatorOption
    @OptionGroup var options: SharedOptions

    func send(_ verb: String, _ fill: (inout IncidentActionRequest) -> Void) async throws {
        var request = IncidentActionRequest(operator: actor.id)
        fill(&request)
        try await options.perform { client in
            let path = "/v1/incidents/\(ControlClient.segment(incident.uppercased()))/\(verb)"
            let view = try await client.send("POST", path, request, as: IncidentView.self)
            try options.print(view) { Output.line("\($0.id): \($0.state)") }
        }
    }
}
