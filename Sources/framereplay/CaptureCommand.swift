import ArgumentParser
import Glibc
import ReplayKit

struct CaptureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture",
        abstract: "Turn a capture of the gateway, or a pcap or pcapng file, into replayable frames.",
        discussion: """
            Prints a capture with one frame a line, which decode and send read. TCP streams are put in order; what was sent again \
            is taken once, and where bytes lack the next line says so. What is no frame stays as a line of its own. What was \
            found, and what lacks, is said on the standard error.

              tcpdump -i any -w site.pcap port 6808
              framereplay capture --port 6808 site.pcap > site.jsonl
              framereplay send --tcp 127.0.0.1:6808 site.jsonl

            Exit status: 0 every byte is in a frame, 3 not every byte, 2 wrong usage or a file that is something else.
            """)

    @Option(
        name: .customLong("port"),
        help: ArgumentHelp(
            "A port of the gateway in a packet capture; may stand several times. Without one, whatever looks like a terminal "
                + "is taken.", valueName: "number"))
    var ports: [UInt16] = []

    @Option(name: .customLong("protocol"), help: "The protocol of all sessions.")
    var protocolArgument = ProtocolArgument.automatic

    @Flag(
        help: """
            Replace ids, numbers, names, texts and radio addresses, and move places and times, for sharing. What is not \
            understood is dropped and counted.
            """)
    var anonymise = false

    @Argument(
        help: ArgumentHelp("Captures, pcap and pcapng files; - is a capture on the standard input.", valueName: "file"))
    var files: [String]

    func run() throws {
        let options = CaptureOptions(protocolName: protocolArgument.name, ports: Set(ports), anonymises: anonymise)
        let summary = try CaptureRun.run(paths: files, options: options, output: STDOUT_FILENO)
        StandardStreams.write(summary.text, to: STDERR_FILENO)
        if !summary.isComplete { throw ExitStatus.incomplete }
    }
}
