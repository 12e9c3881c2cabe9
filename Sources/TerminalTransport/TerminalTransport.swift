public import AlarmPipeline
import CoreMetrics
import GatewayTelemetry
public import Logging
public import Reactor
import Synchronization
public import TerminalModel
public import TerminalSession

/// Takes what reactor threads have gathered; the pipeline, or a test in its place.
public protocol ReportSink: Sendable {
    /// Takes the items over and returns how many there was room for; each refused item with a ticket gets a result.
    func ingest(_ items: [IngestItem]) -> Int
}

/// The terminal plane: listeners, serial lines and sessions on reactor threads, and the bridge to the pipeline.
///
/// Made before the pipeline, which needs it as its way back; started after it, so that nothing is read before it can be
/// stored.
public final class TerminalTransport: TerminalPlane, Sendable {
    /// What other threads send to a loop.
    enum Mail: Sendable {
        case results([IngestResult])
        case orders([DownlinkOrder])
        /// The terminal is connected on another loop by now.
        case displaced(TerminalID, Bearer, identification: UInt64)
        case environment(SessionEnvironment)
        /// Ports that this loop serves from now on, and those that it does not serve any more.
        case listeners(ListenerTable.Change)
        case line(LineOrder)
        case gatewayPosition(Position?)
        /// What raw bytes are recorded from now on, and by whom.
        case capture(CaptureSettings?, RawCapture?)
    }

    /// Batches, not single results: a full mailbox loses acknowledgements, which terminals then ask for again.
    private static let maximumMail = 65_536

    private struct State {
        var threads: [ReactorThread] = []
        var lineObserver: (@Sendable (UInt32, TerminalLineEvent) -> Void)?
        var table: ListenerTable
        /// Begun when something is recorded for the first time.
        var capture: RawCapture?
    }

    public let configuration: TransportConfiguration
    private let environment: Mutex<SessionEnvironment>
    /// One for each loop: those of plain ports first, then those of ports with filters.
    private let mailboxes: [Mailbox<Mail>]
    private let plainThreads: Int
    private let census: ConnectionCensus
    private let identifications = Atomic<UInt64>(0)
    private let state: Mutex<State>
    private let logger: Logger
    private let reactorMetrics = ReactorMetrics()
    let metrics: TransportMetrics

    /// - Throws: when the system has no descriptor left.
    public init(
        configuration: TransportConfiguration, environment: SessionEnvironment, logger: Logger
    ) throws(ReactorError) {
        self.configuration = configuration
        self.environment = Mutex(environment)
        self.logger = logger
        self.metrics = TransportMetrics()
        self.census = ConnectionCensus(configuration.limits)
        self.state = Mutex(
            State(
                table: ListenerTable(
                    inheriting: configuration.inherited, limits: configuration.limits, logger: logger)))
        plainThreads = max(1, min(configuration.threads, TransportConfiguration.maximumThreads))
        let filters = configuration.listeners.contains { $0.filterSource != nil }
        var mailboxes: [Mailbox<Mail>] = []
        for index in 0..<(filters ? 2 * plainThreads : plainThreads) {
            mailboxes.append(try Mailbox(name: "loop \(index)", capacity: Self.maximumMail))
        }
        self.mailboxes = mailboxes
    }

    /// Opens every listener and begins to read.
    ///
    /// - Parameter lineChanged: Hears of serial lines, on their loop's thread; it must not block.
    /// - Returns: the bound addresses in the order of the configuration; port 0 has become the port that was given.
    /// - Throws: when a port cannot be bound; then nothing is left running.
    @discardableResult
    public func start(
        sink: any ReportSink, lineChanged: @escaping @Sendable (UInt32, TerminalLineEvent) -> Void = { _, _ in }
    ) throws -> [SocketAddress] {
        state.withLock { $0.lineObserver = lineChanged }
        let capture = try writer(for: configuration.capture)
        let change = try prepare(configuration.listeners)
        let environment = environment.withLock { $0 }
        do {
            for index in mailboxes.indices {
                let mine = part(of: change, for: index)
                let thread = try ReactorThread.start(
                    name: threadName(index), limits: configuration.limits, census: census
                ) { [self] loop in
                    let handler = TransportLoop(
                        index: UInt16(index), transport: self, environment: environment, sink: sink, logger: logger)
                    try handler.listen(mine.opened, on: loop)
                    handler.take(configuration.capture, capture, on: loop)
                    try loop.attach(mailboxes[index]) { mail, loop in handler.receive(mail, on: loop) }
                    return handler
                }
                state.withLock { $0.threads.append(thread) }
            }
        } catch {
            let begun = state.withLock { $0.threads.count }
            for index in mailboxes.indices.dropFirst(begun + 1) { part(of: change, for: index).close() }
            stop()
            throw error
        }
        return commit(change, configuration.listeners)
    }

    /// Opens ports that are new, gives those that stay what is to hold for their new connections, and closes the others;
    /// connections that exist go on.
    ///
    /// - Returns: the bound addresses in the order of `listeners`.
    /// - Throws: when a port cannot be bound, or needs a thread that was not started; then nothing has changed.
    @discardableResult
    public func replace(listeners: [TerminalListener]) throws -> [SocketAddress] {
        guard state.withLock({ $0.threads.count == mailboxes.count }) else {
            throw TransportChangeError(description: "terminals are not served yet, or not any more")
        }
        let change = try prepare(listeners)
        for (index, mailbox) in mailboxes.enumerated() {
            let mine = part(of: change, for: index)
            guard !mailbox.post(.listeners(mine)) else { continue }
            mine.close()
            metrics.mailDropped.increment()
        }
        return commit(change, listeners)
    }

    /// `maximumConnections` and `maximumConnectionsPerPeer` hold from now on; connections above them stay.
    public func replace(limits: ReactorLimits) {
        census.change(to: limits)
    }

    /// What raw bytes are recorded from now on; nil for none. Ports say it for their next connections.
    ///
    /// - Throws: when the system has no descriptor left; then nothing has changed.
    public func replace(capture settings: CaptureSettings?) throws {
        let writer = try writer(for: settings)
        for index in mailboxes.indices { post(.capture(settings, writer), to: index) }
    }

    private func writer(for settings: CaptureSettings?) throws -> RawCapture? {
        guard let settings else { return nil }
        return try state.withLock { state in
            if let known = state.capture {
                known.change(to: settings)
                return known
            }
            let new = try RawCapture(settings, logger: logger)
            state.capture = new
            return new
        }
    }

    private func prepare(_ listeners: [TerminalListener]) throws -> ListenerTable.Change {
        for listener in listeners where loops(for: listener).isEmpty {
            throw TransportChangeError(
                description: "\(listener.address) is the first port with TLS, whose threads begin only with a restart")
        }
        return try state.withLock { state in
            try state.table.prepare(listeners) { loops(for: $0).count }
        }
    }

    private func commit(_ change: ListenerTable.Change, _ listeners: [TerminalListener]) -> [SocketAddress] {
        let (addresses, unused) = state.withLock { state in
            state.table.commit(change, order: listeners)
            return (state.table.ports.map(\.address), state.table.unused)
        }
        for address in unused {
            logger.error(
                "A port of the service manager has no [[listener]] with its address; whoever connects to it waits for nothing",
                metadata: .keyed([
                    .errorCode: "\(ErrorCode.listenerFailed.rawValue)", .listenerAddress: "\(address)",
                ]))
        }
        return addresses
    }

    /// The loops that serve a listener.
    private func loops(for listener: TerminalListener) -> Range<Int> {
        listener.filterSource == nil ? 0..<plainThreads : plainThreads..<mailboxes.count
    }

    /// What one loop has to do of a change.
    private func part(of change: ListenerTable.Change, for index: Int) -> ListenerTable.Change {
        var mine = change
        mine.opened = change.opened.compactMap { opened in
            let loops = loops(for: opened.port.listener)
            let place = index - loops.lowerBound
            guard loops.contains(index), place < opened.sockets.count else { return nil }
            return ListenerTable.Opened(port: opened.port, sockets: [opened.sockets[place]])
        }
        return mine
    }

    private func threadName(_ index: Int) -> String {
        index < plainThreads ? "ydt-loop-\(index)" : "ydt-tls-\(index - plainThreads)"
    }

    /// Stops accepting, waits a bounded time for answers that are on their way, and closes everything.
    public func stop() {
        let threads = state.withLock { $0.threads }
        for thread in threads { thread.stop(drainMilliseconds: configuration.drainMilliseconds) }
        for thread in threads {
            _ = thread.waitUntilStopped(milliseconds: Int32(clamping: configuration.drainMilliseconds + 1_000))
        }
        let capture = state.withLock { state in
            if !state.threads.isEmpty { state.table.close() }
            state.threads.removeAll()
            defer { state.capture = nil }
            return state.capture
        }
        capture?.stop()
    }

    /// New connections are served by the new rules; those that exist keep theirs.
    public func replace(environment new: SessionEnvironment) {
        environment.withLock { $0 = new }
        for mailbox in mailboxes { _ = mailbox.post(.environment(new)) }
    }

    /// What unfinished messages of all connections cost.
    public var packages: PackageBudget { environment.withLock { $0.packages } }

    // MARK: - The way back from the pipeline

    public func deliver(_ results: [IngestResult]) {
        if mailboxes.count == 1 {
            post(.results(results), to: 0)
            return
        }
        for index in mailboxes.indices {
            let mine = results.filter { $0.ticket.loop == UInt16(index) }
            if !mine.isEmpty { post(.results(mine), to: index) }
        }
    }

    public func deliver(_ orders: [DownlinkOrder]) {
        // A terminal may be on any loop; the one that has it on the bearer of the order sends. Commands are rare.
        for index in mailboxes.indices { post(.orders(orders), to: index) }
    }

    /// The place of an identification in the order of all of them, over all loops.
    func nextIdentification() -> UInt64 {
        identifications.add(1, ordering: .relaxed).newValue
    }

    func displaced(_ terminal: TerminalID, _ bearer: Bearer, _ identification: UInt64, from loop: UInt16) {
        for index in mailboxes.indices where index != Int(loop) {
            post(.displaced(terminal, bearer, identification: identification), to: index)
        }
    }

    fileprivate func post(_ mail: Mail, to index: Int) {
        if !mailboxes[index].post(mail) {
            metrics.mailDropped.increment()
        }
    }

    // MARK: - What the status socket shows

    public var counters: [ReactorCounters] { state.withLock { $0.threads.map(\.counters) } }

    /// Brings the metrics of the reactor up to date.
    public func updateMetrics() {
        reactorMetrics.update(counters)
        reactorMetrics.update(packages)
    }

    /// The names of the loops' threads, in the order of `counters`.
    public var threadNames: [String] { mailboxes.indices.map(threadName) }
}

// MARK: - Serial lines

extension TerminalTransport {
    /// Serial lines are few enough for one thread.
    private static let loopOfLines = 0

    /// Opens a serial line and keeps it open until it is closed: after a hang-up, or while it cannot be opened, it is tried again
    /// without end. `line` names it from now on and must not be in use.
    public func open(_ line: UInt32, _ settings: TerminalLine) {
        post(.line(.open(line, settings)), to: Self.loopOfLines)
    }

    public func close(_ line: UInt32) { post(.line(.close(line)), to: Self.loopOfLines) }

    /// Tries a line that waits at once, for example because its device was just plugged in.
    public func retry(_ line: UInt32) { post(.line(.retry(line)), to: Self.loopOfLines) }

    /// Where the gateway is, for pagers beside it; nil when it does not know any more.
    public func setGatewayPosition(_ position: Position?) {
        post(.gatewayPosition(position), to: Self.loopOfLines)
    }

    func tell(_ line: UInt32, _ event: TerminalLineEvent) {
        let observer = state.withLock { $0.lineObserver }
        observer?(line, event)
    }
}
