import ArgumentParser
import ControlAPI

struct NumbersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "numbers",
        abstract: "Sets the numbers that a terminal uses for a purpose. Emergency numbers are refused.")

    @OptionGroup var command: TerminalCommandOptions

    /// The words of `NumberPurpose`.
    enum Purpose: String, ExpressibleByArgument, CaseIterable {
        case sos, centre, family, monitor
    }

    @Argument(help: "sos, centre, family or monitor.")
    var purpose: Purpose

    @Argument(help: "The numbers in their order; none takes the stored ones away.")
    var numbers: [String] = []

    func run() async throws {
        try await command.send("set-numbers") {
            $0.purpose = purpose.rawValue
            $0.numbers = numbers
        }
    }
}
