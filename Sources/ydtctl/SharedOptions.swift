import ArgumentParser
import ControlAPI
import Foundation

/// What every subcommand takes.
struct SharedOptions: ParsableArguments {
    @Option(help: "The status socket of the gateway.")
    var socket = ControlClient.defaultSocketPath

    @Flag(help: "Print JSON for scripts.")
    var json = false

    var client: ControlClient { ControlClient(socketPath: socket) }

    /// Runs the body and turns its errors into words and exit codes.
    func perform(_ body: (ControlClient) async throws -> Void) async throws {
        do {
            try await body(client)
        } catch let error as ControlClientError {
            Output.complain("\(error)")
            if case .refused(let problem) = error {
                for fault in problem.faults ?? [] { Output.complain(fault.text) }
                throw ExitCode(1)
            }
            throw ExitCode(2)
        }
    }

    /// Asks, and prints the answer as JSON or as the table that `show` makes of it.
    func show<Answer: Codable>(
        _ type: Answer.Type, _ path: String, query: [(String, String)] = [], _ show: (Answer) -> Void
    ) async throws {
        try await perform { client in
            let answer = try await client.get(type, path, query: query)
            try print(answer, show)
        }
    }

    func print<Answer: Encodable>(_ answer: Answer, _ show: (Answer) -> Void) throws {
        if json {
            Output.json(String(decoding: try ControlJSON.encode(answer), as: UTF8.self))
        } else {
            show(answer)
        }
    }
}

/// Who acts. The gateway also records the Unix user that the kernel names.
struct OperatorOption: ParsableArguments {
    @Option(
        name: .customLong("operator"), help: "Who decides; $YDT_OPERATOR or the Unix user when absent.")
    var name: String?

    var id: String {
        name ?? ProcessInfo.processInfo.environment["YDT_OPERATOR"].flatMap { $0.isEmpty ? nil : $0 } ?? NSUserName()
    }
}

extension ImportReport.Row {
    var text: String {
        "line \(line)\(column.isEmpty ? "" : ", \(column)"): found \(found); allowed: \(allowed)"
    }
}
