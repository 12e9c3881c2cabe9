public import Reactor
public import TerminalModel

/// A port on which terminals arrive.
public struct TerminalListener: Sendable {
    public enum Transport: Sendable, Equatable {
        case tcp, udp
    }

    public var address: SocketAddress
    public var transport: Transport
    /// Not empty; with more than one, the terminals' first good frame tells which they speak.
    public var protocols: [ProtocolName]
    /// What stands between socket and session, TLS for one; nil for bytes as they are.
    public var filterSource: (any StreamFilterSource)?
    /// The raw bytes of this port are recorded, where `TransportConfiguration.capture` says.
    public var isCaptured: Bool

    public init(
        address: SocketAddress, transport: Transport = .tcp, protocols: [ProtocolName],
        filterSource: (any StreamFilterSource)? = nil, isCaptured: Bool = false
    ) {
        self.address = address
        self.transport = transport
        self.protocols = protocols
        self.filterSource = filterSource
        self.isCaptured = isCaptured
    }

    /// The same port: what else differs can change while it is open.
    func isSamePort(as other: TerminalListener) -> Bool {
        address == other.address && transport == other.transport && (filterSource == nil) == (other.filterSource == nil)
    }
}

/// Where terminals reach the gateway.
public struct TransportConfiguration: Sendable {
    /// More threads than this serve nobody sooner.
    public static let maximumThreads = 64

    public var listeners: [TerminalListener]
    /// Reactor threads, 1...`maximumThreads`; each has a listener of its own on every port. As many more serve the ports
    /// with filters, if there are any at the start, so that no handshake holds up a frame.
    public var threads: Int
    /// `maximumConnections` and `maximumConnectionsPerPeer` count over all threads.
    public var limits: ReactorLimits
    /// Descriptors of listening sockets of TCP and sockets of UDP that a service manager opened. A listener with the address of
    /// one of them takes it instead of opening its own. One of UDP is served by the first thread alone.
    public var inherited: [Int32]
    /// UDP peers that one thread serves at once; above it the one that was silent longest gives way.
    public var maximumDatagramPeers = 524_288
    /// Nil while no raw bytes are recorded.
    public var capture: CaptureSettings?
    /// How long `stop` waits for answers that are on their way from the disk.
    public var drainMilliseconds: Int64

    public init(
        listeners: [TerminalListener], threads: Int = 1, limits: ReactorLimits = ReactorLimits(),
        inherited: [Int32] = [], drainMilliseconds: Int64 = 5_000
    ) {
        self.listeners = listeners
        self.threads = threads
        self.limits = limits
        self.inherited = inherited
        self.drainMilliseconds = drainMilliseconds
    }
}

/// Why a running transport cannot take up a configuration.
public struct TransportChangeError: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String
}
