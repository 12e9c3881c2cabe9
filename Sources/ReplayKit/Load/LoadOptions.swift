internal import Glibc
internal import Reactor
public import TerminalModel

/// What a load run does.
public struct LoadOptions: Sendable, Equatable {
    /// A part of a run that is spread over several processes.
    public struct Share: Sendable, Equatable {
        public var index: Int
        public var count: Int

        public init(index: Int, count: Int) {
            self.index = index
            self.count = count
        }
    }

    /// The kernel runs short of ports for one source address and target above this.
    public static let maximumTerminalsPerSource = 8000
    /// Descriptors of the process beside those of its terminals.
    static let otherDescriptors = 64
    /// More reports at once than a terminal stores would be no terminal.
    static let maximumInFlight = 1024

    /// How terminals reach the gateway.
    public enum Bearer: String, Sendable {
        /// A connection for each terminal.
        case tcp
        /// A few sockets, each of which many terminals share.
        case udp
    }

    /// Nil is the trivial acknowledger in this process, which shows what the generator itself can do.
    public var target: NetworkTarget?
    public var bearer = Bearer.tcp
    public var protocolName = ProtocolName.jt808
    public var terminals: Int
    /// Ordinary reports a second of all terminals together.
    public var reportsPerSecond: Double
    /// Reports with the SOS bit a second of all terminals together.
    public var sosPerSecond: Double
    public var durationSeconds: Double
    /// Reports of one terminal that leave together.
    public var inFlight = 1
    /// A terminal sends its next report when the one before it was answered; `reportsPerSecond` has no meaning then.
    public var saturates = false
    /// When every terminal loses its connection at once and comes back, in seconds from the start; nil for never.
    public var stormSeconds: Double?
    /// Each terminal registers and authenticates before it reports.
    public var registers = true
    /// The process whose processor time and memory are measured.
    public var processID: Int32?
    /// UDP sockets of each process.
    public var sockets = 16
    /// Source addresses on loopback; nil takes one for every 1,000 terminals.
    public var sources: Int?
    /// How long answers are waited for after the last report.
    public var timeoutSeconds: Double = 10
    /// Connections and registrations under way at once.
    public var opening = 512
    /// The 12 digits of the first terminal; the others count up.
    public var firstTerminal: UInt64 = 990_000_000_001
    public var processes = 1
    public var share = Share(index: 0, count: 1)
    /// A target that is not this machine is refused without it.
    public var allowsRemote = false

    public init(
        target: NetworkTarget?, terminals: Int, reportsPerSecond: Double, sosPerSecond: Double, durationSeconds: Double
    ) {
        self.target = target
        self.terminals = terminals
        self.reportsPerSecond = reportsPerSecond
        self.sosPerSecond = sosPerSecond
        self.durationSeconds = durationSeconds
    }

    /// The terminals of this process.
    var ownTerminals: Range<Int> {
        terminals * share.index / share.count..<terminals * (share.index + 1) / share.count
    }

    var isDatagram: Bool { bearer == .udp }

    var sourceCount: Int {
        sources ?? (terminals + 999) / 1000
    }

    /// The source address of terminal `index`; nil leaves it to the kernel.
    func source(of index: Int) -> SocketAddress? {
        guard let target else { return SocketAddress(ipv4: 0x7F01_0001 + UInt32(index % sourceCount), port: 0) }
        guard target.isLoopback, target.address.isIPv4 else { return nil }
        return SocketAddress(ipv4: 0x7F01_0001 + UInt32(index % sourceCount), port: 0)
    }

    /// Says what is wrong with the request, before anything is opened.
    public func check() throws(ReplayFailure) {
        func require(_ condition: Bool, _ message: @autoclosure () -> String) throws(ReplayFailure) {
            if !condition { throw ReplayFailure(.usage, message()) }
        }
        try require((1...10_000_000).contains(terminals), "--terminals is 1 to 10000000")
        try require((0...10_000_000).contains(reportsPerSecond), "--rate is 0 to 10000000 a second")
        try require((0...1_000_000).contains(sosPerSecond), "--sos is 0 to 1000000 a second")
        try require(
            saturates || reportsPerSecond + sosPerSecond > 0, "--rate and --sos are both 0: there is nothing to send")
        try require(durationSeconds > 0 && durationSeconds <= 604_800, "--duration is above 0 and at most 7 days")
        try require(timeoutSeconds > 0 && timeoutSeconds <= 3600, "--timeout is above 0 and at most 3600 seconds")
        try require((1...65_536).contains(sourceCount), "--sources is 1 to 65536")
        try require((1...Self.maximumInFlight).contains(inFlight), "--in-flight is 1 to \(Self.maximumInFlight)")
        try require((1...1024).contains(sockets), "--sockets is 1 to 1024")
        if let stormSeconds {
            try require((0..<durationSeconds).contains(stormSeconds), "--storm is a time within --duration, in seconds")
            try require(!saturates, "--storm and --saturate exclude each other: a storm needs reports with a time")
        }
        let dialect = try LoadDialects.make(protocolName)
        try require(
            !isDatagram || dialect.namesTerminals,
            "--udp needs a protocol whose answers name their terminal, because terminals share sockets: "
                + "\(protocolName.rawValue) is spoken over --tcp")
        try require((1...256).contains(processes) && processes <= terminals, "--processes is 1 to 256")
        try require(firstTerminal + UInt64(terminals) <= 1_000_000_000_000, "--first-terminal leaves 12 digits")
        try require((1...65_536).contains(opening), "--opening is 1 to 65536")
        if let target, !target.isLoopback, !allowsRemote {
            throw ReplayFailure(
                .usage,
                "\(target.address) is not this machine: load is for one's own test gateway; --allow-remote "
                    + "says that this one is")
        }
        let perSource = (terminals + sourceCount - 1) / sourceCount
        try require(
            isDatagram || perSource <= Self.maximumTerminalsPerSource || source(of: 0) == nil,
            "\(terminals) terminals need at least "
                + "\((terminals + Self.maximumTerminalsPerSource - 1) / Self.maximumTerminalsPerSource) sources: "
                + "at most \(Self.maximumTerminalsPerSource) connections can come from one address")
    }

    /// Raises the limit of open files as far as it goes.
    ///
    /// - Throws: `ReplayFailure` that says how many processes would do when the limit is too low for one process's share.
    func reserveDescriptors() throws(ReplayFailure) {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        if limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = limit.rlim_max
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        guard !isDatagram else { return }
        // The trivial acknowledger holds the other end of each connection.
        let each = target == nil ? 2 : 1
        let share = (terminals + max(processes, self.share.count) - 1) / max(processes, self.share.count)
        let room = (Int(clamping: limit.rlim_cur) - Self.otherDescriptors) / each
        guard share > room else { return }
        let advice =
            target == nil || room < 1
            ? "fewer terminals" : "--processes \((terminals + room - 1) / room)"
        throw ReplayFailure(
            .limit,
            "\(share) terminals in one process need \(share * each + Self.otherDescriptors) open files, the limit "
                + "is \(limit.rlim_cur): use \(advice)")
    }
}
