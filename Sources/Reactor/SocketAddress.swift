internal import CReactor

/// A numeric IPv4 or IPv6 address with its port. Names are never looked up: a reactor thread must not wait for a resolver.
public struct SocketAddress: Hashable, Sendable {
    /// The address in host order; an IPv4 address is the lower 32 bits of `low`.
    public let high: UInt64
    public let low: UInt64
    /// The interface of an IPv6 link-local address, otherwise 0.
    public let scope: UInt32
    public var port: UInt16
    /// False for IPv6. An IPv4 peer of a socket that serves both families is IPv4.
    public let isIPv4: Bool

    /// Reads `127.0.0.1` or `::1`; nil for anything else, also for names.
    public init?(_ host: String, port: UInt16) {
        var address = reactor_address()
        guard reactor_parse_address(host, &address) == 0 else { return nil }
        address.port = port
        self.init(address)
    }

    /// An IPv4 address from its 32 bits, `0x7F000001` for 127.0.0.1.
    public init(ipv4: UInt32, port: UInt16) {
        self.high = 0
        self.low = UInt64(ipv4)
        self.scope = 0
        self.port = port
        self.isIPv4 = true
    }

    /// An IPv6 address from its halves.
    public init(ipv6High high: UInt64, low: UInt64, scope: UInt32, port: UInt16) {
        self.high = high
        self.low = low
        self.scope = scope
        self.port = port
        self.isIPv4 = false
    }

    init(_ address: reactor_address) {
        self.high = address.high
        self.low = address.low
        self.scope = address.scope
        self.port = address.port
        self.isIPv4 = address.family == 4
    }

    var system: reactor_address {
        reactor_address(high: high, low: low, scope: scope, port: port, family: isIPv4 ? 4 : 6)
    }

    /// The address without port: `127.0.0.1`, `::1`.
    public var host: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { room in
            guard let start = room.baseAddress, reactor_format_address(system, start, 64) == 0 else { return "?" }
            return String(cString: start)
        }
    }

    /// What connections of one peer are counted under: the IPv4 address, or the /64 network that one IPv6 subscriber has.
    var countingKey: UInt64 {
        isIPv4 ? low : high | 1 << 63
    }
}

extension SocketAddress: CustomStringConvertible {
    /// `127.0.0.1:7611` or `[::1]:7611`.
    public var description: String {
        isIPv4 ? "\(host):\(port)" : "[\(host)]:\(port)"
    }
}
