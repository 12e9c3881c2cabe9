internal import Synchronization

/// How many accepted connections are open on all loops that share it, in all and of each peer.
///
/// One lock for each accepted and each ended connection, none for a frame.
public final class ConnectionCensus: Sendable {
    enum Answer {
        case admitted, full, peerFull
    }

    private struct State {
        var maximum: Int
        var maximumPerPeer: UInt32
        var open = 0
        var perPeer: [UInt64: UInt32] = [:]
    }

    private let state: Mutex<State>

    /// Takes `maximumConnections` and `maximumConnectionsPerPeer` of the limits.
    public init(_ limits: ReactorLimits) {
        state = Mutex(
            State(
                maximum: limits.maximumConnections,
                maximumPerPeer: UInt32(clamping: limits.maximumConnectionsPerPeer)))
    }

    /// From now on these limits hold; connections above them stay. A loop never holds more than the `maximumConnections` that
    /// it was started with.
    public func change(to limits: ReactorLimits) {
        state.withLock { state in
            state.maximum = limits.maximumConnections
            state.maximumPerPeer = UInt32(clamping: limits.maximumConnectionsPerPeer)
        }
    }

    func admit(_ peer: UInt64) -> Answer {
        state.withLock { state in
            guard state.open < state.maximum else { return .full }
            let count = state.perPeer[peer, default: 0]
            guard count < state.maximumPerPeer else { return .peerFull }
            state.perPeer[peer] = count + 1
            state.open += 1
            return .admitted
        }
    }

    func remove(_ peer: UInt64) {
        state.withLock { state in
            state.open -= 1
            let count = state.perPeer[peer] ?? 1
            state.perPeer[peer] = count > 1 ? count - 1 : nil
        }
    }
}
