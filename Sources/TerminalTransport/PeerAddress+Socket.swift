import Reactor
import TerminalModel

extension PeerAddress {
    init(_ address: SocketAddress) {
        self =
            address.isIPv4
            ? .ipv4(UInt32(truncatingIfNeeded: address.low), port: address.port)
            : .ipv6(high: address.high, low: address.low, scope: address.scope, port: address.port)
    }

    /// Where datagrams to this peer go; nil for a path.
    var socketAddress: SocketAddress? {
        switch self {
        case .ipv4(let address, let port): SocketAddress(ipv4: address, port: port)
        case .ipv6(let high, let low, let scope, let port):
            SocketAddress(ipv6High: high, low: low, scope: scope, port: port)
        case .path: nil
        }
    }
}
