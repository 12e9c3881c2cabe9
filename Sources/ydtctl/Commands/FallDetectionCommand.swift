import ArgumentParser
import ControlAPI

struct FallDetectionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fall-detection", abstract: "Lets a terminal report falls, or no longer.")

    enum State: String, ExpressibleByArgument, CaseIterable {
        case on, off
    }

    @OptionGroup var command: TerminalCommandOptions

    @Argument(help: "on or off.")
    var state: State

    func run() async throws {
        try await command.send("fall-detection") { $0.enabled = state == .on }
    }
}
