import CoreMetrics
import GatewayTelemetry
import Reactor
import Synchronization
import TerminalSession

/// The counters of all loops as metrics, brought up to date when somebody asks for them: a loop itself counts without
/// touching memory that other threads write.
final class ReactorMetrics: Sendable {
    private typealias Word = any WritableKeyPath<ReactorCounters, UInt64> & Sendable

    private let totals: [(word: Word, counter: Counter)] = [
        (\.wakeUps, GatewayMetric.loopWakeUps.counter()),
        (\.timersFired, GatewayMetric.loopTimersFired.counter()),
        (\.staleEvents, GatewayMetric.loopStaleEvents.counter()),
        (\.connectionsRefusedFull, GatewayMetric.connectionsRefused.counter("limit")),
        (\.connectionsRefusedPeer, GatewayMetric.connectionsRefused.counter("peer_limit")),
        (\.connectionsRefusedDescriptors, GatewayMetric.connectionsRefused.counter("descriptors")),
        (\.handshakesFailed, GatewayMetric.connectionsRefused.counter("handshake")),
        (\.handshakesTimedOut, GatewayMetric.connectionsRefused.counter("handshake_timeout")),
        (\.handshakesCompleted, GatewayMetric.handshakesCompleted.counter()),
        (\.acceptPauses, GatewayMetric.acceptPauses.counter()),
        (\.acceptFailures, GatewayMetric.acceptFailures.counter()),
        (\.bytesSent, GatewayMetric.bytesSent.counter()),
        (\.bytesDropped, GatewayMetric.bytesSentDropped.counter()),
        (\.datagramsReceived, GatewayMetric.datagramsReceived.counter()),
        (\.datagramsSent, GatewayMetric.datagramsSent.counter()),
        (\.datagramsTooLong, GatewayMetric.datagramsDropped.counter("too_long")),
        (\.datagramsDropped, GatewayMetric.datagramsDropped.counter("not_sent")),
        (\.serialOpened, GatewayMetric.serialOpens.counter("opened")),
        (\.serialOpenFailures, GatewayMetric.serialOpens.counter("failed")),
    ]
    private let levels: [(word: Word, gauge: Meter)] = [
        (\.partialBytes, GatewayMetric.partialFrameBytes.gauge()),
        (\.queuedBytes, GatewayMetric.writeQueueBytes.gauge()),
    ]
    private let last = Mutex(ReactorCounters())
    private let unfinishedMessages = GatewayMetric.unfinishedMessageBytes.gauge()
    private let packagesDropped = GatewayMetric.queueDropped.counter("packages", "full")
    private let lastRefusedPackages = Mutex<UInt64>(0)

    func update(_ loops: [ReactorCounters]) {
        last.withLock { last in
            for (word, counter) in totals {
                let total = loops.reduce(0) { $0 + $1[keyPath: word] }
                // Less than before: the loops have ended.
                guard total > last[keyPath: word] else { continue }
                counter.increment(by: Int64(clamping: total - last[keyPath: word]))
                last[keyPath: word] = total
            }
        }
        for (word, gauge) in levels { gauge.set(loops.reduce(0) { $0 + Double($1[keyPath: word]) }) }
    }

    func update(_ packages: PackageBudget) {
        unfinishedMessages.set(Double(packages.heldBytes))
        lastRefusedPackages.withLock { last in
            let total = packages.refusedPackages
            if total > last { packagesDropped.increment(by: Int64(clamping: total - last)) }
            last = total
        }
    }
}
