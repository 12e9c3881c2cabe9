import ArgumentParser
import ControlAPI

struct HandoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "handover", abstract: "Gives an incident to somebody else.")

    @OptionGroup var action: IncidentActionOptions

    @Option(help: "Who takes it.")
    var to: String

    @Option(help: "Why.")
    var reason: String

    @Option(help: "By when it must be done, for example 2026-03-14T18:00:00+08:00.")
    var due: String?

    func run() async throws {
        try await action.send("handover") {
            $0.to = to
            $0.reason = reason
            $0.dueAt = due
        }
    }
}
