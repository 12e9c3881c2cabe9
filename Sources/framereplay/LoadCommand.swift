import ArgumentParser
import Glibc
import ReplayKit
import TerminalModel

struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Put the load of many simulated terminals on a test gateway.",
        discussion: """
            Simulated terminals connect from many loopback addresses, register, and report at times that are fixed before the \
            first report (an open loop), so an answer that comes late counts from when its report was due. SOS reports are \
            measured apart. The terminals' ids count up from --first-terminal.

              framereplay load --tcp 127.0.0.1:7611 --terminals 19000 --rate 17000 --sos 5 --duration 60 --pid 4711
              framereplay load --udp 127.0.0.1:7611 --terminals 500000 --rate 17000 --sos 5 --duration 60
              framereplay load --tcp 127.0.0.1:7611 --terminals 19000 --rate 2000 --sos 50 --storm 5 --duration 20

            Exit status: 0 everything was acknowledged, 3 not everything, 2 wrong usage.
            """)

    @Option(help: ArgumentHelp("The gateway. Only this machine, unless --allow-remote.", valueName: "host:port"))
    var tcp: String?

    @Option(help: ArgumentHelp("The same over UDP: terminals share a few sockets.", valueName: "host:port"))
    var udp: String?

    @Option(
        name: .customLong("protocol"),
        help: "What the terminals speak: \(ProtocolName.allCases.map(\.rawValue).joined(separator: ", ")).")
    var protocolName = ProtocolName.jt808

    @Flag(help: "Measure the generator alone against a trivial acknowledger in its own process.")
    var selfTest = false

    @Option(help: "Simulated terminals.")
    var terminals: Int

    @Option(help: "Ordinary reports a second of all terminals together.")
    var rate: Double?

    @Option(help: "Seconds between two reports of one terminal, instead of --rate.")
    var interval: Double?

    @Option(help: "SOS reports a second of all terminals together.")
    var sos = 0.0

    @Option(help: "Reports of one terminal that leave together.")
    var inFlight = 1

    @Flag(help: "Each terminal sends its next report when one was answered, instead of --rate.")
    var saturate = false

    @Option(
        help: ArgumentHelp(
            "When all terminals lose their connections at once and come back.", valueName: "seconds from the start"))
    var storm: Double?

    @Option(help: ArgumentHelp("How long; a number of seconds, or with s, m or h behind it.", valueName: "time"))
    var duration: String

    @Flag(inversion: .prefixedNo, help: "Register and authenticate each terminal before its first report.")
    var register = true

    @Option(help: "Loopback addresses to connect from; one for every 1,000 terminals when absent.")
    var sources: Int?

    @Option(help: "Processes to spread the terminals over.")
    var processes = 1

    @Option(help: "UDP sockets of each process.")
    var sockets = 16

    @Option(help: "Measure the processor time and memory of this process, the gateway.")
    var pid: Int32?

    @Option(help: "Seconds to wait for answers after the last report, and for each terminal's set-up.")
    var timeout = 10.0

    @Option(help: "Connections and registrations under way at once during the set-up.")
    var opening = 512

    @Option(help: "The 12 digits of the first terminal.")
    var firstTerminal: UInt64 = 990_000_000_001

    @Flag(help: "Print one JSON object instead of the table.")
    var json = false

    @Flag(help: "Allow a target that is not this machine. Only for a test gateway of your own.")
    var allowRemote = false

    @Option(help: .hidden)
    var worker: String?

    private var seconds: Double? {
        let scale: Double =
            switch duration.last {
            case "s": 1
            case "m": 60
            case "h": 3600
            default: 0
            }
        return scale == 0 ? Double(duration) : Double(duration.dropLast()).map { $0 * scale }
    }

    private var share: LoadOptions.Share? {
        guard let worker else { return LoadOptions.Share(index: 0, count: 1) }
        let parts = worker.split(separator: "/").compactMap { Int($0) }
        guard parts.count == 2, (0..<parts[1]).contains(parts[0]) else { return nil }
        return LoadOptions.Share(index: parts[0], count: parts[1])
    }

    func validate() throws {
        guard [tcp != nil, udp != nil, selfTest].count(where: { $0 }) == 1 else {
            throw ValidationError("Exactly one of --tcp, --udp and --self-test is needed.")
        }
        guard [rate != nil, interval != nil, saturate].count(where: { $0 }) <= 1 else {
            throw ValidationError("Only one of --rate, --interval and --saturate.")
        }
        guard interval ?? 1 > 0 else { throw ValidationError("--interval is above 0 seconds.") }
        guard seconds != nil else { throw ValidationError("--duration is a number of seconds, or like 90s, 10m, 1h.") }
        guard share != nil else { throw ValidationError("--worker is INDEX/COUNT.") }
        guard !selfTest || processes == 1 else { throw ValidationError("--self-test runs in one process.") }
    }

    func run() throws {
        var options = LoadOptions(
            target: try (tcp ?? udp).map { try NetworkTarget($0) }, terminals: terminals,
            reportsPerSecond: rate ?? Double(terminals) / (interval ?? 30), sosPerSecond: sos,
            durationSeconds: seconds ?? 0)
        options.bearer = udp == nil ? .tcp : .udp
        options.protocolName = protocolName
        options.inFlight = inFlight
        options.saturates = saturate
        options.stormSeconds = storm
        options.sockets = sockets
        options.processID = worker == nil ? pid : nil
        options.registers = register
        options.sources = sources
        options.processes = worker == nil ? processes : 1
        options.share = share ?? options.share
        options.timeoutSeconds = timeout
        options.opening = opening
        options.firstTerminal = firstTerminal
        options.allowsRemote = allowRemote
        if worker != nil { return try LoadRun.work(options) }
        let report = try LoadRun.run(options, tool: ["/proc/self/exe"] + CommandLine.arguments.dropFirst())
        StandardStreams.write(json ? report.json.text + "\n" : report.text, to: STDOUT_FILENO)
        if !report.isComplete { throw ExitStatus.incomplete }
    }
}
