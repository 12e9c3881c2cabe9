import ArgumentParser
import ControlAPI

struct CloseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "close", abstract: "Ends an incident. Only a human does that.")

    @OptionGroup var action: IncidentActionOptions

    @Option(help: "How it ended, for example helped, false_alarm, test.")
    var disposition: String

    @Option(help: "Why it may be closed.")
    var reason: String

    func run() async throws {
        try await action.send("close") {
            $0.disposition = disposition
            $0.reason = reason
        }
    }
}
