import ArgumentParser
import ControlAPI

struct SirenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "siren", abstract: "Tests the siren.", subcommands: [SirenTestCommand.self])
}

struct SirenTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Plays the tone of the self-test for a second on every output of the siren.",
        discussion: "The siren program does the same by itself once a day. Exit code 1: an output could not be heard.")

    @OptionGroup var actor: OperatorOption
    @OptionGroup var options: SharedOptions

    func run() async throws {
        try await options.perform { client in
            let request = SirenTestRequest(operator: actor.id)
            let report = try await client.send("POST", "/v1/siren/test", request, as: SirenTestReport.self)
            try options.print(report) { report in
                for failure in report.failures { Output.line("failed: \(failure)") }
                if report.failures.isEmpty { Output.line("played on: \(report.outputs.joined(separator: ", "))") }
            }
            if !report.failures.isEmpty { throw ExitCode(1) }
        }
    }
}
