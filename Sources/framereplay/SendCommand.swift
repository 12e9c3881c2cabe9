import ArgumentParser
import Glibc
import Reactor
import ReplayKit

struct SendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "Play recorded frames against a gateway and say which were acknowledged.",
        discussion: """
            A replay file has one frame a line, [TIME] HEX, or for watches [TIME] TEXT. TIME is @ and milliseconds since the \
            start of the recording, or an ISO 8601 time with zone; a frame without one follows the frame before it at once. \
            Blank lines and lines that begin with # are skipped. Frames of the platform in a recording of both directions \
            are not sent.

              # two frames, 1.5 s apart
              @0     7e000200000177000001010003777e
              @1500  7e0102000a017700000101000250412d415554482d3031657e

            Over TCP each terminal in the recording has a connection of its own, over UDP a socket of its own. GT06 names its \
            terminal in the login alone: the frames behind a login are those of its terminal.
            Exit status: 0 all acknowledged, 3 not all, 2 wrong usage.
            """)

    @Option(help: ArgumentHelp("Send over TCP.", valueName: "host:port"))
    var tcp: String?

    @Option(help: ArgumentHelp("Send over UDP.", valueName: "host:port"))
    var udp: String?

    @Option(help: ArgumentHelp("Send over a serial line or pseudo-terminal.", valueName: "path"))
    var serial: String?

    @Option(name: .customLong("protocol"), help: "The protocol of the frames.")
    var protocolArgument = ProtocolArgument.automatic

    @Option(help: "Bits per second of the serial line.")
    var baud = 115_200

    @Option(help: "1 for the recorded timing, 2 for twice as fast and so on, max for as fast as acknowledged.")
    var speed = "1"

    @Option(help: "Milliseconds that a frame waits for its answer.")
    var timeout: Int64 = 5000

    @Flag(help: "Register and authenticate each JT/T 808 terminal first, with the code that the platform hands out.")
    var register = false

    @Argument(help: ArgumentHelp("Replay files; - is the standard input.", valueName: "file"))
    var files: [String]

    func validate() throws {
        guard [tcp, udp, serial].count(where: { $0 != nil }) == 1 else {
            throw ValidationError("Exactly one of --tcp, --udp and --serial is needed.")
        }
        guard SerialOptions.bauds.contains(baud) else {
            throw ValidationError("--baud is one of \(SerialOptions.bauds.map(String.init).joined(separator: ", ")).")
        }
        guard speedValue != nil else { throw ValidationError("--speed is a number above 0, or max.") }
        guard (1...3_600_000).contains(timeout) else { throw ValidationError("--timeout is 1 to 3600000.") }
    }

    private var speedValue: SendOptions.Speed? {
        if speed == "max" { return .acknowledged }
        return Double(speed).flatMap { $0 > 0 && $0.isFinite ? .recorded($0) : nil }
    }

    func run() throws {
        let target: SendOptions.Target =
            if let tcp {
                .tcp(try NetworkTarget(tcp))
            } else if let udp {
                .udp(try NetworkTarget(udp))
            } else {
                .serial(SerialOptions(path: serial ?? "", baud: baud))
            }
        let options = SendOptions(
            target: target, speed: speedValue ?? .acknowledged, timeoutMilliseconds: timeout, registers: register,
            protocolName: protocolArgument.name)
        let summary = try Sending.run(paths: files, options: options, output: STDOUT_FILENO)
        if !summary.isComplete { throw ExitStatus.incomplete }
    }
}
