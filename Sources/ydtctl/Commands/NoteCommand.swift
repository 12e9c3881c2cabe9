import ArgumentParser
import ControlAPI

struct NoteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "note", abstract: "Adds a line to the history of an incident.")

    @OptionGroup var action: IncidentActionOptions

    @Argument(help: "The line.")
    var text: String

    func run() async throws {
        try await action.send("note") { $0.text = text }
    }
}
