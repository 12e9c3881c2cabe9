/// Every bound of one event loop. The defaults fit one thread of a district gateway.
public struct ReactorLimits: Sendable, Hashable {
    /// Connections accepted and open at once on all loops of one `ConnectionCensus`, and streams (TCP and serial) of one loop.
    /// A further one is accepted and reset, so that the terminal knows.
    public var maximumConnections = 524_288

    /// Listeners, datagram sockets, serial lines and mailboxes of this loop together.
    public var maximumSources = 1024

    /// Connections of one IPv4 address or one IPv6 /64 network on all loops of one census. A carrier puts many terminals
    /// behind one address, so this only stops one peer from taking the whole table.
    public var maximumConnectionsPerPeer = 65_536

    /// Accepts of one listener in one wake-up, so that a reconnecting district does not keep frames waiting.
    public var acceptsPerWakeUp = 64

    /// Connections read in one wake-up of which the handler does not know yet who speaks.
    public var newcomersPerWakeUp: Int32 = 32

    /// A busy loop is woken no more often than once in this time, in microseconds; 0 for as often as something comes. What comes
    /// meanwhile is served in one go, as network cards gather packets: one wake-up of a thread costs as much as a frame.
    public var gatherMicroseconds: Int64 = 1_000

    /// How long a listener rests, in milliseconds, after the system had no descriptor or memory left for a connection.
    public var acceptPauseMilliseconds: Int64 = 100

    /// Pending connections that the kernel keeps for a listener (it also applies its own `net.core.somaxconn`).
    public var listenBacklog: Int32 = 4096

    /// How long a peer may take until its `StreamFilter` lets bytes pass, in milliseconds.
    public var handshakeMilliseconds: Int64 = 10_000

    /// One read takes at most this much; the buffer is shared by all connections of the loop.
    public var readBytes = 65_536

    /// Bytes kept of a frame that has not arrived completely. JT/T 808 needs 2.2 KiB with every byte escaped, a
    /// watch sends a voice message of 15 s in one frame of at most 64 KiB and its header.
    public var maximumPartialBytes = 65_600

    /// All partial frames of the loop together.
    public var maximumPartialBytesTotal = 256 << 20

    /// Bytes that wait for one slow peer before it is closed. Downlinks are small, a queue this long is not being read.
    public var maximumQueuedBytes = 65_536

    /// All write queues of the loop together.
    public var maximumQueuedBytesTotal = 256 << 20

    /// Datagrams taken from one socket in one wake-up.
    public var datagramsPerWakeUp = 256

    /// Datagrams that wait on one socket for the system to take them; more are dropped and counted.
    public var maximumQueuedDatagrams = 4096

    /// The longest datagram that is handed over or sent; a longer one is dropped and counted. Also the memory per socket: 64 times.
    public var maximumDatagramBytes = 8192

    /// Timers of the handler itself (`EventLoop.schedule`); every connection has one of its own beside these.
    public var maximumScheduledTimers = 65_536

    /// The step of the timer wheel in milliseconds, 10 to 100. A timer fires up to one step late, never early.
    public var timerTickMilliseconds: Int64 = 10

    /// Messages taken from one mailbox in one wake-up.
    public var messagesPerWakeUp = 1024

    /// Closures waiting in `ReactorThread.execute`.
    public var maximumCommands = 1024

    /// First pause before a lost serial line is opened again; it doubles up to the next value.
    public var serialRetryFirstMilliseconds: Int64 = 500

    /// Longest pause before a serial line is opened again.
    public var serialRetryMaximumMilliseconds: Int64 = 30_000

    /// Keepalive: first probe after this many idle seconds, 0 for none. Finds peers that vanished without a word.
    public var keepaliveIdleSeconds: Int32 = 120

    /// Seconds between keepalive probes.
    public var keepaliveIntervalSeconds: Int32 = 30

    /// Unanswered keepalive probes before the kernel gives the connection up.
    public var keepaliveProbes: Int32 = 4

    /// How long sent bytes may stay unconfirmed, in milliseconds (TCP_USER_TIMEOUT).
    public var unconfirmedMilliseconds: Int32 = 120_000

    public init() {}
}
