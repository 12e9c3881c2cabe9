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
