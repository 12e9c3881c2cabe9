public import Reactor
public import TerminalModel

/// A TCP port on which terminals of one protocol arrive.
public struct TerminalListener: Sendable, Equatable {
    public var address: SocketAddress
    public var protocolName: ProtocolName

    public init(address: SocketAddress, protocolName: ProtocolName) {
        self.address = address
        self.protocolName = protocolName
    }
}

/// A serial line on which terminals of one protocol speak.
public struct TerminalLine: Sendable, Equatable {
    public var options: SerialOptions
    public var protocolName: ProtocolName

    public init(options: SerialOptions, protocolName: ProtocolName) {
        self.options = options
        self.protocolName = protocolName
    }
}

/// Where terminals reach the gateway.
public struct TransportConfiguration: Sendable {
    public var listeners: [TerminalListener]
    public var lines: [TerminalLine]
    /// Reactor threads, 1...64; each has a listener of its own on every port.
    public var threads: Int
    public var limits: ReactorLimits
    /// How long `stop` waits for answers that are on their way from the disk.
    public var drainMilliseconds: Int64

    public init(
        listeners: [TerminalListener], lines: [TerminalLine] = [], threads: Int = 1,
        limits: ReactorLimits = ReactorLimits(), drainMilliseconds: Int64 = 5_000
    ) {
        self.listeners = listeners
        self.lines = lines
        self.threads = threads
        self.limits = limits
        self.drainMilliseconds = drainMilliseconds
    }
}

/// How one serial line stands, for the status socket.
public struct TerminalLineStatus: Sendable, Equatable {
    public var path: String
    public var protocolName: ProtocolName
    public var isOpen: Bool
    /// What the system said when the line is not open.
    public var error: String?

    public init(path: String, protocolName: ProtocolName, isOpen: Bool, error: String?) {
        self.path = path
        self.protocolName = protocolName
        self.isOpen = isOpen
        self.error = error
    }
}
