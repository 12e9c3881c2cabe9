import ArgumentParser
import ControlAPI

struct CommandsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "commands", abstract: "Shows what a terminal was asked to do and what became of it.")

    @OptionGroup var options: SharedOptions

    @Argument(help: "The id of the terminal.")
    var terminal: String

    func run() async throws {
        let path = "/v1/terminals/\(ControlClient.segment(terminal))/commands"
        try await options.show(CommandList.self, path) { list in
            var table = Table("ID", "ASKED", "COMMAND", "BY", "OUTCOME", "SINCE", "REASON")
            for one in list.commands {
                table.add(
                    String(one.id), Output.time(one.createdAt), one.command, one.by, one.outcome,
                    Output.time(one.updatedAt), one.reason)
            }
            Output.line(table.isEmpty ? "No commands." : table.text)
        }
    }
}
