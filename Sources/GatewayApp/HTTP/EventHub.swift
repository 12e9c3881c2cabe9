import Synchronization

/// One line of `GET /v1/events`.
public struct ServerEvent: Sendable, Equatable {
    /// `frame`, `incident`, `session`, `command`; empty for a sign of life.
    public var name: String
    /// JSON on one line.
    public var data: String

    public init(name: String, data: String) {
        self.name = name
        self.data = data
    }

    static let signOfLife = ServerEvent(name: "", data: "")

    /// The bytes on the wire. Source: HTML standard, section 9.2.6.
    var wireText: String {
        name.isEmpty ? ": alive\n\n" : "event: \(name)\ndata: \(data)\n\n"
    }
}

/// Hands events to everybody who watches. Publishing never waits: who reads too slowly loses the oldest.
public final class EventHub: Sendable {
    /// More watchers than any site has screens; beyond it the oldest one is ended.
    public static let maximumWatchers = 64
    /// Events kept for one slow watcher.
    public static let maximumWaiting = 1024

    private struct State {
        var watchers: [(id: Int, continuation: AsyncStream<ServerEvent>.Continuation)] = []
        var nextID = 0
    }

    private let state = Mutex(State())

    public init() {}

    /// True when somebody watches, so that nobody else renders events.
    public var isWatched: Bool { state.withLock { !$0.watchers.isEmpty } }

    public func publish(_ event: ServerEvent) {
        let watchers = state.withLock { $0.watchers.map(\.continuation) }
        for watcher in watchers { watcher.yield(event) }
    }

    /// Starts with a sign of life, so that a watcher knows at once that it is connected.
    public func watch() -> AsyncStream<ServerEvent> {
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
    public func finish() {
        let watchers = state.withLock { $0.watchers.map(\.continuation) }
        for watcher in watchers { watcher.finish() }
    }

    private func remove(_ id: Int) {
        state.withLock { $0.watchers.removeAll { $0.id == id } }
    }
}
