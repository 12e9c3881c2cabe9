public import AlarmPipeline
import CoreMetrics
import GatewayTelemetry
public import Logging
public import Reactor
import Synchronization
import TerminalModel
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
        case displaced(TerminalID, Bearer)
        case environment(SessionEnvironment)
    }

    /// Batches, not single results: a full mailbox loses acknowledgements, which terminals then ask for again.
    private static let maximumMail = 65_536

    private struct State {
        var threads: [ReactorThread] = []
        var lines: [String: TerminalLineStatus] = [:]
    }

    public let configuration: TransportConfiguration
    private let environment: Mutex<SessionEnvironment>
    private let mailboxes: [Mailbox<Mail>]
    private let state = Mutex(State())
    private let logger: Logger
    let metrics: TransportMetrics

    /// - Throws: when the system has no descriptor left.
    public init(
        configuration: TransportConfiguration, environment: SessionEnvironment, logger: Logger
    ) throws(ReactorError) {
        self.configuration = configuration
        self.environment = Mutex(environment)
        self.logger = logger
        self.metrics = TransportMetrics()
        var mailboxes: [Mailbox<Mail>] = []
        for index in 0..<max(1, min(configuration.threads, 64)) {
            mailboxes.append(try Mailbox(name: "loop \(index)", capacity: Self.maximumMail))
        }
        self.mailboxes = mailboxes
    }

    /// Opens every listener and line and begins to read.
    ///
    /// - Returns: the bound addresses in the order of the configuration; port 0 has become the port that was given.
    /// - Throws: when a port cannot be bound; then nothing is left running.
    @discardableResult
    public func start(sink: any ReportSink) throws -> [SocketAddress] {
        let sockets = try openSockets()
        let environment = environment.withLock { $0 }
        do {
            for index in mailboxes.indices {
                let mine = sockets.map { $0[index] }
                let thread = try ReactorThread.start(name: "ydt-loop-\(index)", limits: configuration.limits) {
                    [self] loop in
                    let handler = TransportLoop(
                        index: UInt16(index), transport: self, environment: environment, sink: sink, logger: logger)
                    for (position, socket) in mine.enumerated() {
                        try loop.listen(socket, tag: UInt32(position))
                    }
                    // All serial lines are few enough for one thread.
                    if index == 0 {
                        for (position, line) in configuration.lines.enumerated() {
                            loop.addSerialLine(line.options, tag: UInt32(position))
                        }
                    }
                    try loop.attach(mailboxes[index]) { mail, loop in handler.receive(mail, on: loop) }
                    return handler
                }
                state.withLock { $0.threads.append(thread) }
            }
        } catch {
            stop()
            throw error
        }
        return sockets.map { $0[0].address }
    }

    /// One socket for each listener and thread; threads share a port through SO_REUSEPORT.
    private func openSockets() throws(ReactorError) -> [[ListeningSocket]] {
        // Sharing a port would also let a second gateway of the same user take half of the terminals without a word.
        for listener in configuration.listeners {
            try ListeningSocket(binding: listener.address, limits: configuration.limits).close()
        }
        var all: [[ListeningSocket]] = []
        do throws(ReactorError) {
            for listener in configuration.listeners {
                var address = listener.address
                var sockets: [ListeningSocket] = []
                for _ in mailboxes {
                    let socket = try ListeningSocket(
                        binding: address, reusePort: mailboxes.count > 1, limits: configuration.limits)
                    address.port = socket.address.port
                    sockets.append(socket)
                }
                all.append(sockets)
            }
        } catch {
            for socket in all.flatMap({ $0 }) { socket.close() }
            throw error
        }
        return all
    }

    /// Stops accepting, waits a bounded time for answers that are on their way, and closes everything.
    public func stop() {
        let threads = state.withLock { $0.threads }
        for thread in threads { thread.stop(drainMilliseconds: configuration.drainMilliseconds) }
        for thread in threads {
            _ = thread.waitUntilStopped(milliseconds: Int32(clamping: configuration.drainMilliseconds + 1_000))
        }
        state.withLock { $0.threads.removeAll() }
    }

    /// New connections are served by the new rules; those that exist keep theirs.
    public func replace(environment new: SessionEnvironment) {
        environment.withLock { $0 = new }
        for mailbox in mailboxes { _ = mailbox.post(.environment(new)) }
    }

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
        // A terminal may be on any loop; the one that has it sends, commands are rare.
        for index in mailboxes.indices { post(.orders(orders), to: index) }
    }

    func displaced(_ terminal: TerminalID, _ bearer: Bearer, from loop: UInt16) {
        for index in mailboxes.indices where index != Int(loop) { post(.displaced(terminal, bearer), to: index) }
    }

    private func post(_ mail: Mail, to index: Int) {
        if !mailboxes[index].post(mail) {
            metrics.mailDropped.increment()
        }
    }

    // MARK: - What the status socket shows

    public var counters: [ReactorCounters] { state.withLock { $0.threads.map(\.counters) } }

    public var lineStates: [TerminalLineStatus] {
        state.withLock { $0.lines.values.sorted { $0.path < $1.path } }
    }

    func lineChanged(_ status: TerminalLineStatus) {
        state.withLock { $0.lines[status.path] = status }
    }
}
