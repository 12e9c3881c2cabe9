import CoreMetrics
import GatewayTelemetry
public import IncidentCore
public import IncidentStore
import Synchronization
public import TerminalModel

/// What subscribers of the pipeline hear, as it happens.
public enum PipelineEvent: Sendable {
    /// A terminal said something, with what is known of who says it.
    case event(TerminalEvent, Trust)
    /// An incident after a change.
    case incident(Incident)
    case online(TerminalID, Bearer, peer: PeerAddress, at: Timestamp)
    case offline(TerminalID, Bearer, reason: String, at: Timestamp)
    case command(CommandRecord)
}

/// Hands events to any number of subscribers, each with a bounded buffer of its own; a slow one loses the newest events,
/// which are counted, and delays nobody.
final class EventHub: Sendable {
    static let bufferedEvents = 1024

    private struct State {
        var subscribers: [UInt64: AsyncStream<PipelineEvent>.Continuation] = [:]
        var nextID: UInt64 = 0
    }

    private let state = Mutex(State())
    private let subscriberCount = Atomic<Int>(0)
    private let droppedCount = Atomic<UInt64>(0)
    private let droppedTotal = GatewayMetric.queueDropped.counter("events", "full")

    var dropped: UInt64 { droppedCount.load(ordering: .relaxed) }

    /// False while nobody listens, so that events need not be put together.
    var hasSubscribers: Bool { subscriberCount.load(ordering: .relaxed) > 0 }

    func subscribe() -> AsyncStream<PipelineEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: PipelineEvent.self, bufferingPolicy: .bufferingOldest(Self.bufferedEvents))
        let id = state.withLock { state in
            state.nextID += 1
            state.subscribers[state.nextID] = continuation
            return state.nextID
        }
        subscriberCount.wrappingAdd(1, ordering: .relaxed)
        continuation.onTermination = { [weak self] _ in self?.remove(id) }
        return stream
    }

    func publish(_ events: [PipelineEvent]) {
        guard !events.isEmpty, hasSubscribers else { return }
        let subscribers = state.withLock { Array($0.subscribers.values) }
        for subscriber in subscribers {
            for event in events {
                guard case .dropped = subscriber.yield(event) else { continue }
                droppedCount.wrappingAdd(1, ordering: .relaxed)
                droppedTotal.increment()
            }
        }
    }

    func finish() {
        let subscribers = state.withLock { Array($0.subscribers.values) }
        for subscriber in subscribers { subscriber.finish() }
    }

    private func remove(_ id: UInt64) {
        if state.withLock({ $0.subscribers.removeValue(forKey: id) }) != nil {
            subscriberCount.wrappingSubtract(1, ordering: .relaxed)
        }
    }
}
