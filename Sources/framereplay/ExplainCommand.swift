import ArgumentParser
import Glibc
import ReplayKit

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Show one frame byte by byte: offset, bytes, field, value, meaning.",
        discussion: """
            A broken frame is explained as far as it goes, and what is wrong with it is marked with ! and said at the end.
            Offsets count unescaped bytes from the start marker.
            Exit status: 0 nothing is wrong, 3 something is, 2 wrong usage.
            """)

    @Option(name: .customLong("protocol"), help: "The protocol of the frame.")
    var protocolArgument = ProtocolArgument.automatic

    @OptionGroup
    var keyOptions: KeyOptions

    @Argument(
        help: ArgumentHelp("The frame in hex, or a watch's as text; several arguments are joined.", valueName: "hex"))
    var hex: [String]

    func run() throws {
        let bytes = try Explanation.bytes(hex: hex.joined(separator: " "))
        let explanation = Explanation(bytes, protocolName: protocolArgument.name, keys: try keyOptions.decoderKeys())
        StandardStreams.write(explanation.text, to: STDOUT_FILENO)
        if !explanation.isWhole { throw ExitStatus.incomplete }
    }
}
