import ArgumentParser
import ControlAPI

struct AcknowledgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ack", abstract: "Takes an incident over: the ladder and the siren stop, the person is told.")

    @OptionGroup var action: IncidentActionOptions

    @Option(help: "What is done about it.")
    var reason: String

    func run() async throws {
        try await action.send("acknowledge") { $0.reason = reason }
    }
}
