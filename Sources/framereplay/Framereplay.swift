import ArgumentParser
import Glibc
import ReplayKit

/// What the tool leaves behind for scripts (DESIGN section 5).
enum ExitStatus {
    /// Something could not be decoded or was not acknowledged.
    static let incomplete = ExitCode(3)
    static let usage = ExitCode(2)
}

@main
struct Framereplay: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "framereplay", abstract: "Decode, explain and replay frames of emergency-call terminals.",
        discussion: """
            Works without a daemon, without configuration and, for decode and explain, without a network.
            Exit status: 0 all decoded or acknowledged, 3 some not, 2 wrong usage.
            """,
        subcommands: [
            DecodeCommand.self, ExplainCommand.self, SendCommand.self, LoadCommand.self, CaptureCommand.self,
        ])

    static func main() {
        // A closed pipe is reported by write, not by a signal.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let failure as ReplayFailure {
            leave("framereplay: \(failure)\n", code: failure.code == .usage ? ExitStatus.usage : ExitStatus.incomplete)
        } catch {
            let code = exitCode(for: error)
            guard code == .validationFailure else { exit(withError: error) }
            leave(fullMessage(for: error) + "\n", code: ExitStatus.usage)
        }
    }

    private static func leave(_ message: String, code: ExitCode) -> Never {
        StandardStreams.write(message, to: STDERR_FILENO)
        Glibc.exit(code.rawValue)
    }
}
