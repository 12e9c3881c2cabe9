internal import Glibc
public import Reactor

/// Where a tool sends to.
public struct NetworkTarget: Sendable, Equatable {
    public let address: SocketAddress

    /// Reads `HOST:PORT`; the host is a name, an IPv4 address or an IPv6 address in brackets. Names are looked up here.
    ///
    /// - Throws: `ReplayFailure` for another form and for a name that nobody knows.
    public init(_ text: String) throws(ReplayFailure) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            throw ReplayFailure(.usage, "\(text): expected HOST:PORT, for example 127.0.0.1:7611 or [::1]:7611")
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard let address = SocketAddress(host, port: port) ?? Self.lookUp(host, port: port) else {
            throw ReplayFailure(.usage, "\(text): no address found for \"\(host)\"")
        }
        self.address = address
    }

    public init(_ address: SocketAddress) {
        self.address = address
    }

    /// True for 127.0.0.0/8 and ::1, also in the form of IPv4 within IPv6.
    public var isLoopback: Bool {
        if address.isIPv4 { return address.low >> 24 == 127 }
        return address.high == 0 && (address.low == 1 || address.low >> 24 == 0xFFFF_7F)
    }

    private static func lookUp(_ host: String, port: UInt16) -> SocketAddress? {
        guard !host.isEmpty else { return nil }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &first) == 0, let first else { return nil }
        defer { freeaddrinfo(first) }
        var room = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        // A gateway may serve IPv4 alone while `localhost` is ::1 first, and only IPv4 has many loopback addresses.
        let found = sequence(first: first) { $0.pointee.ai_next }
        let chosen = found.first { $0.pointee.ai_family == AF_INET } ?? first
        let result = getnameinfo(
            chosen.pointee.ai_addr, chosen.pointee.ai_addrlen, &room, socklen_t(room.count), nil, 0, NI_NUMERICHOST)
        guard result == 0 else { return nil }
        let numeric = room.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return SocketAddress(String(decoding: numeric, as: UTF8.self), port: port)
    }
}

extension SocketAddress {
    /// Any address of this machine in the same family, the port left to the kernel.
    var anyLocal: SocketAddress {
        SocketAddress(isIPv4 ? "0.0.0.0" : "::", port: 0) ?? SocketAddress(ipv4: 0, port: 0)
    }
}
