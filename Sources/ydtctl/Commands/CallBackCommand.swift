import ArgumentParser
import ControlAPI

struct CallBackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call-back", abstract: "Asks a terminal to dial a number. Emergency numbers are refused.")

    @OptionGroup var command: TerminalCommandOptions

    @Argument(help: "The number.")
    var number: String

    @Flag(help: "Only listen in.")
    var listen = false

    func run() async throws {
        try await command.send("call-back") {
            $0.number = number
            $0.listen = listen
        }
    }
}
