public import AlarmFormats
import AlarmPipeline
public import CoreMetrics
import GatewayTelemetry
public import Logging

/// Tells each target at its interval that this gateway lives, so that a hub notices a dead one.
///
/// A heartbeat that fails is not repeated: the next one is the repetition.
public struct HeartbeatSender: Sendable {
    /// One target and how often it hears from us.
    public struct Beat: Sendable {
        public var channel: WebhookChannel
        /// 1,000 or more.
        public var intervalMilliseconds: Int

        public init(channel: WebhookChannel, intervalMilliseconds: Int) {
            self.channel = channel
            self.intervalMilliseconds = max(1_000, intervalMilliseconds)
        }
    }

    private let beats: [Beat]
    private let report: @Sendable () async -> GatewayHeartbeat
    private let pause: @Sendable (Duration) async throws -> Void
    private let logger: Logger
    private let metrics: any MetricsFactory

    /// - Parameters:
    ///   - report: makes the present facts, with the present time.
    ///   - pause: waits that long, or throws when the task is cancelled.
    public init(
        _ beats: [Beat], logger: Logger, metrics: any MetricsFactory = MetricsSystem.factory,
        pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        report: @escaping @Sendable () async -> GatewayHeartbeat
    ) {
        self.beats = beats
        self.logger = logger
        self.metrics = metrics
        self.pause = pause
        self.report = report
    }

    /// Sends at once and then at each interval until the task is cancelled; a slow target delays no other.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for beat in beats {
                group.addTask { await run(beat) }
            }
        }
    }

    private func run(_ beat: Beat) async {
        let name = beat.channel.target
        let accepted = GatewayMetric.heartbeats.counter(name, "accepted", factory: metrics)
        let failed = GatewayMetric.heartbeats.counter(name, "failed", factory: metrics)
        var worked = true
        while !Task.isCancelled {
            let result = await beat.channel.send(WebhookMessage(await report()))
            switch result {
            case .accepted:
                accepted.increment()
                if !worked { logger.notice("Heartbeat works again", metadata: .keyed([.channelName: "\(name)"])) }
                worked = true
            case .retry(let reason, _), .giveUp(let reason):
                failed.increment()
                // Only the change is worth a line; the counter has the rest.
                if worked {
                    logger.warning(
                        "Heartbeat failed",
                        metadata: .keyed([
                            .channelName: "\(name)", .errorCode: "\(ErrorCode.heartbeatFailed.rawValue)",
                            .errorDetail: "\(reason)",
                        ]))
                }
                worked = false
            }
            do {
                try await pause(.milliseconds(beat.intervalMilliseconds))
            } catch {
                return
            }
        }
    }
}
