import Synchronization

@testable import GatewayApp

/// Hands events to everybody who watches. Publishing never waits: who reads too slowly loses the oldest.
final class EventHub: Sendable {
    /// More watchers than any site has screens; beyond it the oldest one is ended.
    static let maximumWatchers = 64
    /// Events kept for one slow watcher.
    static let maximumWaiting = 1024

    private struct State {
        var watchers: [(id: Int, continuation: AsyncStream<ServerEvent>.Continuation)] = []
        var nextID = 0
    }

    private let state = Mutex(State())

    init() {}

    /// True when somebody watches, so that nobody else renders events.
    var isWatched: Bool { state.withLock { !$0.watchers.isEmpty } }

    func publish(_ event: ServerEvent) {
        let watchers = state.withLock { $0.watchers.map(\.continuation) }
        for watcher in watchers { watcher.yield(event) }
    }

    /// Starts with a sign of life, so that a watcher knows at once that it is connected.
    func watch() -> AsyncStream<ServerEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ServerEvent.self, bufferingPolicy: .bufferingNewest(Self.maximumWaiting))
        let (id, oldest) = state.withLock { state in
            state.nextID += 1
            state.watchers.append((state.nextID, continuation))
            let isFull = state.watchers.count > Self.maximumWatchers
            return (state.nextID, isFull ? state.watchers.removeFirst().continuation : nil)
        }
        oldest?.finish()
        continuation.onTermination = { [weak self] _ in self?.remove(id) }
        continuation.yield(.signOfLife)
        return stream
    }

    /// Ends all streams, at the end of the process.
    func finish() {
        let watchers = state.withLock { $0.watchers.map(\.continuation) }
        for watcher in watchers { watcher.finish() }
    }

    private func remove(_ id: Int) {
        state.withLock { $0.watchers.removeAll { $0.id == id } }
    }
}
