import ArgumentParser
import ControlAPI

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Makes a consistent copy of the databases while the gateway works.")

    @OptionGroup var actor: OperatorOption
    @OptionGroup var options: SharedOptions

    func run() async throws {
        try await options.perform { client in
            let request = BackupRequest(operator: actor.id)
            let report = try await client.send("POST", "/v1/backup", request, as: BackupReport.self)
            try options.print(report) { Output.line($0.directory) }
        }
    }
}
