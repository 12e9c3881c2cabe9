import ArgumentParser
import ControlAPI

struct MessageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "message", abstract: "Shows a text on a terminal, which speaks it where it can.")

    @OptionGroup var command: TerminalCommandOptions

    @Argument(help: "The text.")
    var text: String

    @Flag(help: "Mark it as urgent.")
    var urgent = false

    func run() async throws {
        try await command.send("message") {
            $0.text = text
            $0.urgent = urgent
        }
    }
}
