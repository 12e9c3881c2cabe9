import ArgumentParser

struct FindCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "find", abstract: "Lets a terminal ring, so that somebody finds it.")

    @OptionGroup var command: TerminalCommandOptions

    func run() async throws {
        try await command.send("find")
    }
}
