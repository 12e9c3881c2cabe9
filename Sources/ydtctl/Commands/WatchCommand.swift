import ArgumentParser
import ControlAPI

struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Prints frames, incidents, sessions and commands as they happen, until stopped."
    )

    @OptionGroup var options: SharedOptions

    @Option(help: "Only these events: frame, incident, session, command. May be given several times.")
    var event: [String] = []

    func run() async throws {
        try await options.perform { client in
            for try await event in client.events() where self.event.isEmpty || self.event.contains(event.name) {
                options.json ? Output.json(event.data) : Output.line("\(event.name) \(event.data)")
            }
        }
    }
}
