import Glibc
import Reactor

/// A bound socket of either transport, before a loop has it.
enum BoundSocket: Sendable {
    case stream(ListeningSocket)
    case datagram(DatagramSocket)

    init(
        _ transport: TerminalListener.Transport, binding address: SocketAddress, reusePort: Bool = false,
        limits: ReactorLimits
    ) throws(ReactorError) {
        switch transport {
        case .tcp: self = .stream(try ListeningSocket(binding: address, reusePort: reusePort, limits: limits))
        case .udp: self = .datagram(try DatagramSocket(binding: address, reusePort: reusePort))
        }
    }

    /// Takes over a socket that a service manager has opened: of TCP and listening, or of UDP.
    init(adopting descriptor: Int32, limits: ReactorLimits) throws(ReactorError) {
        do throws(ReactorError) {
            self = .stream(try ListeningSocket(adopting: descriptor, limits: limits))
        } catch {
            guard error.code == EPROTOTYPE else { throw error }
            self = .datagram(try DatagramSocket(adopting: descriptor))
        }
    }

    /// The same socket for `count` threads. Of a datagram socket there is one alone: the datagrams of one terminal must meet
    /// one session.
    func duplicates(_ count: Int) throws(ReactorError) -> [BoundSocket] {
        var copies: [BoundSocket] = []
        do throws(ReactorError) {
            switch self {
            case .stream(let socket):
                for _ in 0..<count { copies.append(.stream(try ListeningSocket(duplicating: socket))) }
            case .datagram(let socket): copies.append(.datagram(try DatagramSocket(duplicating: socket)))
            }
        } catch {
            for copy in copies { copy.close() }
            throw error
        }
        return copies
    }

    /// True for the socket on which a listener's terminals arrive.
    func serves(_ listener: TerminalListener) -> Bool {
        switch self {
        case .stream: listener.transport == .tcp && listener.address == address
        case .datagram: listener.transport == .udp && listener.address == address
        }
    }

    var address: SocketAddress {
        switch self {
        case .stream(let socket): socket.address
        case .datagram(let socket): socket.address
        }
    }

    func close() {
        switch self {
        case .stream(let socket): socket.close()
        case .datagram(let socket): socket.close()
        }
    }
}
