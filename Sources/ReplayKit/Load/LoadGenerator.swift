internal import Histogram
internal import Reactor

/// What the generator's thread tells the one that paces it.
enum LoadReportStep: Sendable {
    /// Every terminal is connected or has failed.
    case ready
    /// Every report was answered, or waiting is over.
    case finished
}

/// Simulated terminals on one event loop.
///
/// The parts: the schedule here, connections and logins in `+Terminals`, what comes back in `+Answers`.
final class LoadGenerator: ConnectionHandler {
    enum Phase {
        case opening, waiting, running, draining, finished
    }

    /// Timers of the generator itself.
    private enum Token {
        static let drained: UInt64 = 1
        static let patience: UInt64 = 2
    }

    /// How often terminals are looked through for those whose login is not answered, milliseconds.
    private static let patienceMilliseconds: Int64 = 100

    let options: LoadOptions
    let collected: LoadCollector
    let firstTerminal: UInt64
    let dialect: any LoadDialect
    private let schedule: LoadSchedule
    private let steps: Mailbox<LoadReportStep>
    var terminals: LoadTerminals
    var backlog = LoadBacklog()
    var result = LoadResult()

    var phase = Phase.opening
    var startNanoseconds: Int64 = 0
    /// The terminal behind a connection, by `Connection.index`.
    var terminalOfSlot: [Int32] = []
    /// Sockets that terminals share, when they do.
    var sockets: [Connection] = []
    /// The next terminal to connect, how many are under way, and how many may be.
    var nextToOpen = 0
    var opening = 0
    var isOpeningMore = false
    /// Terminals whose connection has ended in the storm and that connect again at the end of the wake-up.
    var reopening: [Int] = []
    /// When the storm began, in nanoseconds from the start, and the terminals that are not served again yet.
    var stormStart: Int64?
    var unserved = 0
    /// When SOS reports left during the storm, by terminal and serial number.
    var stormSOS: [Int: Int64] = [:]

    private var nextOrdinary = 0
    private var nextSOS = 0
    private var cpuAtStart: Int64 = 0

    init(options: LoadOptions, dialect: any LoadDialect, steps: Mailbox<LoadReportStep>, collected: LoadCollector) {
        self.options = options
        self.steps = steps
        self.collected = collected
        self.dialect = dialect
        schedule = LoadSchedule(options)
        firstTerminal = options.firstTerminal + UInt64(options.ownTerminals.lowerBound)
        terminals = LoadTerminals(options, serials: dialect.serials)
        startNanoseconds = MonotonicClock.nanoseconds
    }

    /// Nanoseconds from the start.
    var now: Int64 { MonotonicClock.nanoseconds - startNanoseconds }

    /// Begins to connect; to be called once the loop has its handler.
    func open(on loop: EventLoop) {
        _ = loop.schedule(afterMilliseconds: Self.patienceMilliseconds, token: Token.patience)
        openMore(on: loop)
    }

    /// Takes the start time for granted and sends what is due from now on.
    func start(atNanoseconds start: Int64, on loop: EventLoop) {
        startNanoseconds = start
        cpuAtStart = MonotonicClock.threadCPUNanoseconds
        phase = .running
        guard options.saturates else { return }
        dialect.setTime(wallMilliseconds: MonotonicClock.wallMilliseconds)
        let now = now
        for terminal in 0..<terminals.count {
            for _ in 0..<options.inFlight { send(terminal, due: now, isSOS: false, on: loop) }
        }
    }

    /// Sends everything whose time has come.
    func sendDue(on loop: EventLoop) {
        guard phase == .running else { return }
        let now = now
        dialect.setTime(wallMilliseconds: MonotonicClock.wallMilliseconds)
        if let storm = options.stormSeconds, stormStart == nil, Double(now) >= storm * 1e9 { dropAll(on: loop) }
        // SOS first: where both are due at once, an ordinary report must not make it late.
        while let due = schedule.sos(nextSOS), due <= now {
            // A stride that shares no factor with the count reaches every terminal in turn, apart from the ordinary order.
            send(nextSOS &* 7919 % terminals.count, due: due, isSOS: true, on: loop)
            nextSOS += 1
        }
        while let due = schedule.ordinary(nextOrdinary), due <= now {
            for _ in 0..<options.inFlight { send(nextOrdinary % terminals.count, due: due, isSOS: false, on: loop) }
            nextOrdinary += 1
        }
        guard nextSOS == schedule.sosCount, nextOrdinary == schedule.ordinaryCount,
            now >= schedule.lastNanoseconds
        else { return }
        phase = .draining
        _ = loop.schedule(afterMilliseconds: Int64(options.timeoutSeconds * 1000), token: Token.drained)
        finishIfDrained()
    }

    /// Sends a report, or keeps it for a terminal that is on its way back.
    ///
    /// - Parameter waited: the report could not leave before, which says nothing about this program's pace.
    func send(_ terminal: Int, due: Int64, isSOS: Bool, waited: Bool = false, on loop: EventLoop) {
        guard terminals.state[terminal] == .ready else {
            if stormStart == nil || terminals.state[terminal] == .closed {
                result[isSOS: isSOS].notSent += 1
            } else {
                backlog.add(terminal, due: due, isSOS: isSOS)
            }
            return
        }
        let serial = terminals.takeSerial(terminal)
        dialect.makeReport(terminal: firstTerminal + UInt64(terminal), serial: serial, isSOS: isSOS)
        guard write(terminal, on: loop) else {
            result[isSOS: isSOS].notSent += 1
            return
        }
        result[isSOS: isSOS].sent += 1
        let left = now
        if !waited { result.slip.record(UInt64(max(0, (left - due) / 1000))) }
        if isSOS, unserved > 0 { stormSOS[terminal << 16 | Int(serial)] = left }
        terminals.remember(terminal, due: due, serial: serial, isSOS: isSOS)
    }

    /// Hands the dialect's frame to the terminal's connection or socket.
    func write(_ terminal: Int, on loop: EventLoop) -> Bool {
        options.isDatagram
            ? loop.send(dialect.wire.span, to: collected.target, from: terminals.connection[terminal])
            : loop.write(terminals.connection[terminal], dialect.wire.span)
    }

    func post(_ step: LoadReportStep) {
        collected.result = result
        _ = steps.post(step)
    }

    func finishIfDrained() {
        guard phase == .draining, terminals.inFlightCount == 0, backlog.isEmpty else { return }
        finish()
    }

    private func finish() {
        guard phase != .finished else { return }
        phase = .finished
        let cpu = MonotonicClock.threadCPUNanoseconds - cpuAtStart
        let passed = max(1, now)
        result.runMicroseconds = UInt64(passed / 1000)
        result.cpuMicroseconds = UInt64(max(0, cpu / 1000))
        result.busiestPerMille = UInt64(max(0, cpu * 1000 / passed))
        for terminal in 0..<terminals.count where !backlog.isEmpty {
            for report in backlog.take(terminal) { result[isSOS: report.isSOS].notSent += 1 }
        }
        post(.finished)
    }

    func timer(token: UInt64, on loop: EventLoop) {
        switch token {
        case Token.drained: finish()
        case Token.patience where phase != .finished:
            if opening > 0 || unserved > 0 { hurryLogins(on: loop) }
            _ = loop.schedule(afterMilliseconds: Self.patienceMilliseconds, token: Token.patience)
        default: break
        }
    }

    func endOfWakeUp(on loop: EventLoop) {
        if !reopening.isEmpty { reopen(on: loop) }
    }
}
