import Reactor
import TerminalModel

extension PeerAddress {
    init(_ address: SocketAddress) {
        self =
            address.isIPv4
            ? .ipv4(UInt32(truncatingIfNeeded: address.low), port: address.port)
            : .ipv6(high: address.high, low: address.low, scope: address.scope, port: address.port)
    }
}
