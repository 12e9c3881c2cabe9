import ArgumentParser
import ControlAPI

struct DrillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drill",
        abstract: "Exercises: what is pressed goes the whole way, but never to an emergency service.",
        subcommands: [DrillStartCommand.self, DrillStopCommand.self])
}

struct DrillStartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Begins a drill, which ends by itself.",
        discussion: """
            What people with a card press meanwhile is marked as a drill everywhere. Terminals of nobody that is known take no \
            part. Should an emergency happen in it: ydtctl real INCIDENT.
            """)

    @Option(help: "How long, 1 to 480 minutes.")
    var minutes = 60

    @Option(help: "Only people of this group take part.")
    var group: String?

    @OptionGroup var actor: OperatorOption
    @OptionGroup var options: SharedOptions

    func run() async throws {
        try await DrillRequest(operator: actor.id, minutes: minutes, group: group).send(options)
    }
}

struct DrillStopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "stop", abstract: "Ends the drill at once.")

    @OptionGroup var actor: OperatorOption
    @OptionGroup var options: SharedOptions

    func run() async throws {
        try await DrillRequest(operator: actor.id, minutes: 0).send(options)
    }
}

struct RealCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "real",
        abstract: "Says that an incident of a drill is an emergency: its ladder starts anew, with emergency services.")

    @OptionGroup var action: IncidentActionOptions

    @Option(help: "What shows that it is real.")
    var reason: String

    func run() async throws {
        try await action.send("real") { $0.reason = reason }
    }
}

extension DrillRequest {
    fileprivate func send(_ options: SharedOptions) async throws {
        try await options.perform { client in
            let report = try await client.send("POST", "/v1/drill", self, as: DrillReport.self)
            try options.print(report) { Output.line($0.drill.map(\.text) ?? "No drill is on: every press is real.") }
        }
    }
}

extension DrillView {
    /// One line for people.
    var text: String {
        let people = group.map { "people of group \($0)" } ?? "everybody with a card"
        return "drill of \(startedBy) for \(people) until \(Output.time(until))"
    }
}
