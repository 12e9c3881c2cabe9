/// A handle of a connection, a socket or a line of one event loop; the loop alone knows what is behind it.
///
/// It is a slot index and that slot's generation. The generation changes when the connection ends, so a handle that was kept
/// too long names nothing: every call with it is refused and does no harm to the slot's next owner.
public struct Connection: Hashable, Sendable, CustomStringConvertible {
    /// Generation in the upper, index in the lower 32 bits; never 0.
    public let rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    init(index: Int, generation: UInt32) {
        self.rawValue = UInt64(generation) << 32 | UInt64(UInt32(truncatingIfNeeded: index))
    }

    /// The slot, 0 ..< `EventLoop.slotCapacity`: a handler may keep its own flat array beside the loop's.
    public var index: Int {
        Int(UInt32(truncatingIfNeeded: rawValue))
    }

    public var generation: UInt32 {
        UInt32(truncatingIfNeeded: rawValue >> 32)
    }

    public var description: String {
        "\(index)#\(generation)"
    }
}

/// Where a connection comes from.
public enum ConnectionOrigin: Hashable, Sendable {
    /// Accepted on the listener that was added with `tag`.
    case accepted(tag: UInt32, peer: SocketAddress)
    /// Made by `EventLoop.connect`, with the `tag` given there.
    case connected(tag: UInt32, peer: SocketAddress)
    /// The serial line that was added with `tag` has been opened.
    case serial(tag: UInt32)
}

/// Why a connection ended.
public enum CloseReason: Hashable, Sendable {
    /// The peer has closed its side.
    case endOfInput
    /// The system reported an error (an errno value), for example a reset or a time-out of the kernel.
    case failed(code: Int32)
    /// A serial line hung up: unplugged, or the other end of a pseudo-terminal closed.
    case hangUp
    /// The peer does not read what is sent to it: its write queue would have passed `ReactorLimits.maximumQueuedBytes`.
    case slowPeer
    /// More bytes without a complete frame than `ReactorLimits.maximumPartialBytes`.
    case partialTooLong
    /// All connections together reached `ReactorLimits.maximumPartialBytesTotal` or `maximumQueuedBytesTotal`.
    case memoryLimit
    /// The connection's `StreamFilter` cannot go on.
    case filterFailed
    /// The connection's `StreamFilter` was not ready within `ReactorLimits.handshakeMilliseconds`.
    case handshakeTimeout
    /// The handler asked for it; the code is the handler's own.
    case requested(code: UInt16)
    /// The event loop stops.
    case stopping
}
