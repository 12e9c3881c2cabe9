import ArgumentParser
import ControlAPI

/// What all commands to one terminal take.
struct TerminalCommandOptions: ParsableArguments {
    @Argument(help: "The id of the terminal.")
    var terminal: String

    @Option(help: "For how many seconds the command is worth sending.")
    var expires: Int?

    @OptionGroup var actor: OperatorOption
    @OptionGroup var options: SharedOptions

    func send(_ command: String, _ fill: (inout CommandRequest) -> Void = { _ in }) async throws {
        var request = CommandRequest(operator: actor.id, command: command)
        request.expiresSeconds = expires
        fill(&request)
        try await options.perform { client in
            let path = "/v1/terminals/\(ControlClient.segment(terminal))/commands"
            let view = try await client.send("POST", path, request, as: CommandView.self)
            try options.print(view) {
                Output.line("command \($0.id): \($0.outcome), until \(Output.time($0.expiresAt))")
                Output.line("What becomes of it: ydtctl commands \(terminal)")
            }
        }
    }
}
