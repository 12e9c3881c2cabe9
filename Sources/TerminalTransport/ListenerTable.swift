import GatewayTelemetry
import Logging
import Reactor

/// The ports of the terminal plane, and what has to be opened and closed to make them those of another configuration.
struct ListenerTable: Sendable {
    /// One open port. The tag comes back with each of its connections and is never used again.
    struct Port: Sendable {
        let tag: UInt32
        var listener: TerminalListener
        let address: SocketAddress
    }

    /// A port that threads do not serve yet, with a socket for each of them, or for the first of them alone.
    struct Opened: Sendable {
        let port: Port
        var sockets: [BoundSocket]
    }

    /// What one step from one configuration to the next does.
    struct Change: Sendable {
        var opened: [Opened] = []
        /// Ports that stay, with what is to hold for new connections.
        var kept: [Port] = []
        var removed: [Port] = []

        func close() {
            for socket in opened.flatMap(\.sockets) { socket.close() }
        }
    }

    private(set) var ports: [Port] = []
    private let inherited: [BoundSocket]
    private let limits: ReactorLimits
    private var nextTag: UInt32 = 0

    /// Takes over the inherited descriptors; one that is no socket for terminals is told of and left alone.
    init(inheriting descriptors: [Int32], limits: ReactorLimits, logger: Logger) {
        self.limits = limits
        inherited = descriptors.compactMap { descriptor in
            do {
                return try BoundSocket(adopting: descriptor, limits: limits)
            } catch {
                logger.error(
                    "A socket of the service manager cannot be used",
                    metadata: .keyed([
                        .errorCode: "\(ErrorCode.listenerFailed.rawValue)", .errorDetail: "\(error)",
                    ]))
                return nil
            }
        }
    }

    /// Opens what `listeners` have and this table has not; `threads` says how many serve a listener.
    ///
    /// - Throws: when a port cannot be bound; then nothing is left open.
    mutating func prepare(
        _ listeners: [TerminalListener], threads: (TerminalListener) -> Int
    ) throws(ReactorError) -> Change {
        var change = Change()
        change.removed = ports.filter { port in !listeners.contains { $0.isSamePort(as: port.listener) } }
        do throws(ReactorError) {
            for listener in listeners {
                if var port = ports.first(where: { $0.listener.isSamePort(as: listener) }) {
                    port.listener = listener
                    change.kept.append(port)
                } else {
                    let sockets = try open(listener, count: threads(listener))
                    let port = Port(tag: nextTag, listener: listener, address: sockets[0].address)
                    nextTag += 1
                    change.opened.append(Opened(port: port, sockets: sockets))
                }
            }
        } catch {
            change.close()
            throw error
        }
        return change
    }

    /// The change is in force; ports stand in the order of `listeners`.
    mutating func commit(_ change: Change, order listeners: [TerminalListener]) {
        let all = change.kept + change.opened.map(\.port)
        ports = listeners.compactMap { listener in all.first { $0.listener.isSamePort(as: listener) } }
    }

    /// Sockets of the service manager that no listener asks for: terminals that connect to them wait for nothing.
    var unused: [SocketAddress] {
        inherited.filter { socket in !ports.contains { socket.serves($0.listener) } }.map(\.address)
    }

    func close() {
        for socket in inherited { socket.close() }
    }

    /// A socket for each thread: of an inherited one further descriptors, else sockets that share the port.
    private func open(_ listener: TerminalListener, count: Int) throws(ReactorError) -> [BoundSocket] {
        if let given = inherited.first(where: { $0.serves(listener) }) { return try given.duplicates(count) }
        var address = listener.address
        var sockets: [BoundSocket] = []
        do throws(ReactorError) {
            // Sharing a port would also let a second gateway of the same user take half of the terminals without a word.
            try BoundSocket(listener.transport, binding: address, limits: limits).close()
            for _ in 0..<count {
                sockets.append(
                    try BoundSocket(listener.transport, binding: address, reusePort: count > 1, limits: limits))
                address.port = sockets[0].address.port
            }
            return sockets
        } catch {
            for socket in sockets { socket.close() }
            throw error
        }
    }
}
