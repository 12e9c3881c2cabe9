internal import Synchronization

/// What one event loop has done since its start. Each number is exact by itself; two of them may be one wake-up apart.
///
/// Only `UInt64` members: the loop publishes the structure word by word.
public struct ReactorCounters: Sendable, Hashable {
    /// Returns of the wait for events.
    public var wakeUps: UInt64 = 0
    public var timersFired: UInt64 = 0
    /// Events that named a connection which no longer exists.
    public var staleEvents: UInt64 = 0

    /// Streams open now, TCP and serial.
    public var connectionsOpen: UInt64 = 0
    public var connectionsAccepted: UInt64 = 0
    public var connectionsClosed: UInt64 = 0
    /// Refused: `maximumConnections` reached.
    public var connectionsRefusedFull: UInt64 = 0
    /// Refused: `maximumConnectionsPerPeer` reached.
    public var connectionsRefusedPeer: UInt64 = 0
    /// Refused: the process or the system had no descriptor left.
    public var connectionsRefusedDescriptors: UInt64 = 0
    /// Listeners sent to rest after the system had no descriptor or memory left.
    public var acceptPauses: UInt64 = 0
    /// Other failures of accept, among them peers that had gone already.
    public var acceptFailures: UInt64 = 0
    /// Filtered connections through which bytes may pass.
    public var handshakesCompleted: UInt64 = 0
    /// Filtered connections that ended before: refused by the filter or given up by the peer.
    public var handshakesFailed: UInt64 = 0
    /// Filtered connections that were not ready within `handshakeMilliseconds`.
    public var handshakesTimedOut: UInt64 = 0

    public var bytesReceived: UInt64 = 0
    public var bytesSent: UInt64 = 0
    public var reads: UInt64 = 0
    public var writes: UInt64 = 0
    /// Bytes of incomplete frames held now.
    public var partialBytes: UInt64 = 0
    /// Bytes queued for peers now.
    public var queuedBytes: UInt64 = 0
    /// Queued bytes given up because their connection ended.
    public var bytesDropped: UInt64 = 0
    public var closedSlowPeer: UInt64 = 0
    public var closedPartialTooLong: UInt64 = 0
    public var closedMemoryLimit: UInt64 = 0
    /// Closed because their filter could not go on, for TLS a record that was tampered with.
    public var closedFilterFailed: UInt64 = 0
    /// Closed by an error of the system: reset, time-out, unreachable.
    public var closedFailed: UInt64 = 0

    public var datagramsReceived: UInt64 = 0
    public var datagramsSent: UInt64 = 0
    /// Received datagrams that were longer than `maximumDatagramBytes`.
    public var datagramsTooLong: UInt64 = 0
    /// Datagrams not sent: the queue was full or the system refused them.
    public var datagramsDropped: UInt64 = 0

    public var serialOpened: UInt64 = 0
    public var serialOpenFailures: UInt64 = 0
    public var messagesReceived: UInt64 = 0

    public init() {}
}

/// The copy of the counters that other threads read.
final class PublishedCounters: Sendable {
    private static let wordCount = MemoryLayout<ReactorCounters>.size / MemoryLayout<UInt64>.size

    private struct Words: @unchecked Sendable {
        /// Never changes after `init`; what it points to is atomic.
        let start: UnsafeMutablePointer<Atomic<UInt64>>
    }

    private let words: Words

    init() {
        words = Words(start: .allocate(capacity: Self.wordCount))
        for index in 0..<Self.wordCount {
            (words.start + index).initialize(to: Atomic(0))
        }
    }

    deinit {
        words.start.deinitialize(count: Self.wordCount)
        words.start.deallocate()
    }

    func publish(_ counters: ReactorCounters) {
        withUnsafeBytes(of: counters) { bytes in
            for index in 0..<Self.wordCount {
                words.start[index].store(bytes.load(fromByteOffset: index * 8, as: UInt64.self), ordering: .relaxed)
            }
        }
    }

    func snapshot() -> ReactorCounters {
        var counters = ReactorCounters()
        withUnsafeMutableBytes(of: &counters) { bytes in
            for index in 0..<Self.wordCount {
                bytes.storeBytes(
                    of: words.start[index].load(ordering: .relaxed), toByteOffset: index * 8, as: UInt64.self)
            }
        }
        return counters
    }
}
