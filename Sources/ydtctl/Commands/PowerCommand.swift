import ArgumentParser
import ControlAPI

struct PowerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "power",
        abstract: "Restarts a terminal, or switches it off: then nobody is heard until a person switches it on.")

    enum Act: String, ExpressibleByArgument, CaseIterable {
        case restart, off
    }

    @OptionGroup var command: TerminalCommandOptions

    @Argument(help: "restart or off.")
    var act: Act

    func run() async throws {
        try await command.send(act == .off ? "power-off" : "restart")
    }
}
