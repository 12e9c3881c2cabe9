internal import CReactor
internal import Glibc

/// A listening TCP socket, opened before it is given to an event loop so that its port is known and errors show at start.
///
/// The descriptor belongs to whoever holds the value: `EventLoop.listen` takes it over, otherwise call `close`.
public struct ListeningSocket: Sendable {
    public let descriptor: Int32
    /// The address with the port that the system chose when 0 was asked for.
    public let address: SocketAddress
    /// Other threads or a service manager hold the same socket: what is not accepted here waits for them.
    public let isShared: Bool

    /// Opens, binds and listens. `reusePort` lets each thread have a listener of its own on one port, among which the kernel
    /// spreads the connections. An IPv6 socket serves IPv4 as well unless `onlyIPv6`.
    public init(
        binding address: SocketAddress, reusePort: Bool = false, onlyIPv6: Bool = false, limits: ReactorLimits
    ) throws(ReactorError) {
        var bound = reactor_address()
        let type = Int32(SOCK_STREAM.rawValue)
        let descriptor = try checked(
            reactor_bind(address.system, type, reusePort ? 1 : 0, onlyIPv6 ? 1 : 0, &bound), "bind tcp \(address)")
        do throws(ReactorError) {
            try checked(setStreamOptions(descriptor, limits), "set options of tcp \(address)")
            try checked(reactor_listen(descriptor, limits.listenBacklog), "listen on tcp \(address)")
        } catch {
            _ = reactor_close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        self.address = SocketAddress(bound)
        self.isShared = false
    }

    /// Takes over a socket that somebody else has opened and listens on, as socket activation hands it in.
    public init(adopting descriptor: Int32, limits: ReactorLimits) throws(ReactorError) {
        var bound = reactor_address()
        let type = Int32(SOCK_STREAM.rawValue)
        try checked(reactor_adopt(descriptor, type, &bound), "adopt descriptor \(descriptor) as listening socket")
        try checked(setStreamOptions(descriptor, limits), "set options of descriptor \(descriptor)")
        self.descriptor = descriptor
        self.address = SocketAddress(bound)
        self.isShared = true
    }

    /// The same socket under a further descriptor, for one more thread that accepts from it.
    public init(duplicating other: ListeningSocket) throws(ReactorError) {
        self.descriptor = try checked(reactor_duplicate(other.descriptor), "duplicate tcp \(other.address)")
        self.address = other.address
        self.isShared = true
    }

    public func close() {
        _ = reactor_close(descriptor)
    }
}

func setStreamOptions(_ descriptor: Int32, _ limits: ReactorLimits) -> Int32 {
    reactor_set_stream_options(
        descriptor, limits.keepaliveIdleSeconds, limits.keepaliveIntervalSeconds, limits.keepaliveProbes,
        limits.unconfirmedMilliseconds)
}

/// A bound UDP socket; ownership as with `ListeningSocket`.
public struct DatagramSocket: Sendable {
    public let descriptor: Int32
    /// The address with the port that the system chose when 0 was asked for.
    public let address: SocketAddress

    /// Opens and binds. With `reusePort` the kernel spreads the peers over the sockets of one port, each peer always to the same.
    /// `receiveBufferBytes` is what may arrive while the loop is busy; the system may grant less.
    public init(
        binding address: SocketAddress, reusePort: Bool = false, onlyIPv6: Bool = false,
        receiveBufferBytes: Int32 = 4 << 20
    ) throws(ReactorError) {
        var bound = reactor_address()
        let type = Int32(SOCK_DGRAM.rawValue)
        self.descriptor = try checked(
            reactor_bind(address.system, type, reusePort ? 1 : 0, onlyIPv6 ? 1 : 0, &bound), "bind udp \(address)")
        _ = reactor_set_receive_buffer(descriptor, receiveBufferBytes)
        self.address = SocketAddress(bound)
    }

    /// Takes over a socket that somebody else has opened and bound.
    public init(adopting descriptor: Int32, receiveBufferBytes: Int32 = 4 << 20) throws(ReactorError) {
        var bound = reactor_address()
        let type = Int32(SOCK_DGRAM.rawValue)
        try checked(reactor_adopt(descriptor, type, &bound), "adopt descriptor \(descriptor) as datagram socket")
        _ = reactor_set_receive_buffer(descriptor, receiveBufferBytes)
        self.descriptor = descriptor
        self.address = SocketAddress(bound)
    }

    /// The same socket under a further descriptor. Only one loop at a time may receive on it, or the datagrams of one peer
    /// come to different loops.
    public init(duplicating other: DatagramSocket) throws(ReactorError) {
        self.descriptor = try checked(reactor_duplicate(other.descriptor), "duplicate udp \(other.address)")
        self.address = other.address
    }

    public func close() {
        _ = reactor_close(descriptor)
    }
}
