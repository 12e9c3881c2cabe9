import ArgumentParser
import Glibc
import ReplayKit

struct DecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode", abstract: "Print one line of JSON for each event in recorded frames.",
        discussion: """
            Each input line is one frame in hex, of either case, spaces allowed, or the text of a watch's frame, which begins \
            with [; blank lines and lines that begin with # \
            are skipped, and so is a time column in front (see send). What a protocol keeps from frame to frame, such as the \
            packages of a long message, carries from line to line of one file.
            Exit status: 0 all decoded, 3 some not, 2 wrong usage.
            """)

    @Option(name: .customLong("protocol"), help: "The protocol of the frames.")
    var protocolArgument = ProtocolArgument.automatic

    @Flag(help: "Join all lines of a file into one byte stream and find the frames in it.")
    var stream = false

    @Flag(help: "Add the protocol's own decoded structure to each line.")
    var fields = false

    @OptionGroup
    var keyOptions: KeyOptions

    @Argument(help: ArgumentHelp("Files with frames; - or none is the standard input.", valueName: "file"))
    var files: [String] = []

    func run() throws {
        let options = DecodeOptions(
            protocolName: protocolArgument.name, isStream: stream, showsFields: fields,
            keys: try keyOptions.decoderKeys())
        let summary = try Decoding.run(
            paths: files.isEmpty ? ["-"] : files, options: options, output: STDOUT_FILENO)
        if summary.failed > 0 { throw ExitStatus.incomplete }
    }
}
