import ArgumentParser

struct LocateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "locate", abstract: "Asks a terminal where it is.")

    @OptionGroup var command: TerminalCommandOptions

    func run() async throws {
        try await command.send("locate")
    }
}
