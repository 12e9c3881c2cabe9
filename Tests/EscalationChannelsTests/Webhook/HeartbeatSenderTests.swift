import AlarmFormats
import EscalationChannels
import Foundation
import GatewayTelemetry
import Logging
import Synchronization
import TerminalModel
import Testing

@Suite struct HeartbeatSenderTests {
    /// Counts what the sender waits for and ends it after some waits.
    private final class Pauses: Sendable {
        private let waited = Mutex<[Duration]>([])
        private let limit: Int

        init(limit: Int) { self.limit = limit }

        var all: [Duration] { waited.withLock { $0 } }

        @Sendable func pause(_ duration: Duration) async throws {
            let count = waited.withLock {
                $0.append(duration)
                return $0.count
            }
            if count >= limit { throw CancellationError() }
        }
    }

    private static func heartbeat(uptime: Int) -> GatewayHeartbeat {
        GatewayHeartbeat(
            gateway: "changsha-1", version: "0.1.0", at: Fixture.now.adding(milliseconds: Int64(uptime) * 1000),
            uptimeSeconds: uptime, openIncidents: 1, unacknowledgedIncidents: 0, storeHealthy: true)
    }

    @Test func eachTargetHearsAtItsInterval() async throws {
        let pauses = Pauses(limit: 3)
        let uptime = Mutex(0)
        try await HTTPPeer.with([.respond(200), .respond(500), .respond(200)]) { peer in
            let fixture = try ChannelFixture(url: "http://127.0.0.1:\(peer.port)/")
            let sender = HeartbeatSender(
                [.init(channel: fixture.channel, intervalMilliseconds: 30_000)], logger: Fixture.silent,
                metrics: fixture.metrics, pause: pauses.pause
            ) {
                Self.heartbeat(
                    uptime: uptime.withLock {
                        $0 += 30
                        return $0
                    })
            }
            await sender.run()
            await fixture.channel.shutdown()
            #expect(pauses.all == Array(repeating: .seconds(30), count: 3))
            #expect(peer.requests.map(\.body) == [30, 60, 90].map { WebhookMessage(Self.heartbeat(uptime: $0)).body })
            let ids = peer.requests.map { $0.header("webhook-id") }
            #expect(Set(ids).count == 3 && ids.allSatisfy { $0.hasPrefix("hb_changsha-1_") })
            #expect(fixture.metrics.value("yidiantong_heartbeats_total", "care-hub", "accepted") == 2)
            #expect(fixture.metrics.value("yidiantong_heartbeats_total", "care-hub", "failed") == 1)
            // A heartbeat is no escalation.
            #expect(fixture.attempts("accepted") == 0)
        }
    }

    @Test func aDeadTargetDelaysNoOtherAndCancellingEndsIt() async throws {
        try await HTTPPeer.with([.hang]) { dead in
            try await HTTPPeer.with([.respond(200)]) { alive in
                let deadFixture = try ChannelFixture(url: "http://127.0.0.1:\(dead.port)/", totalMilliseconds: 30_000)
                let aliveFixture = try ChannelFixture(url: "http://127.0.0.1:\(alive.port)/")
                let (beats, beat) = AsyncStream.makeStream(of: Void.self)
                let sender = HeartbeatSender(
                    [
                        .init(channel: deadFixture.channel, intervalMilliseconds: 1_000),
                        .init(channel: aliveFixture.channel, intervalMilliseconds: 1_000),
                    ], logger: Fixture.silent, metrics: aliveFixture.metrics,
                    pause: { _ in
                        beat.yield()
                        try Task.checkCancellation()
                    }
                ) { Self.heartbeat(uptime: 1) }
                let running = Task { await sender.run() }
                var count = 0
                for await _ in beats {
                    count += 1
                    if count == 5 { break }
                }
                running.cancel()
                await running.value
                await deadFixture.channel.shutdown()
                await aliveFixture.channel.shutdown()
                #expect(dead.requests.count == 1)
                #expect(alive.requests.count >= 5)
            }
        }
    }
}

@Suite struct WebhookLogTests {
    @Test func aDeadTargetIsLoggedOnceAMinute() async throws {
        let pipe = Pipe()
        let descriptor = pipe.fileHandleForWriting.fileDescriptor
        let logger = Logger(label: "channels") { label in
            StandardErrorLogHandler(label: label, level: .info, form: .journald, descriptor: descriptor)
        }
        try await HTTPPeer.with([.respond(500), .respond(500), .respond(500), .respond(200)]) { peer in
            _ = try await ChannelFixture(url: "http://127.0.0.1:\(peer.port)/", logger: logger).send(4)
        }
        try pipe.fileHandleForWriting.close()
        let text = String(decoding: try #require(try pipe.fileHandleForReading.readToEnd()), as: UTF8.self)
        let lines = text.split(separator: "\n")
        #expect(lines.count == 2, "\(text)")
        #expect(lines.first?.hasPrefix("<4>Delivery attempted channel.attempt=1 ") == true)
        #expect(
            lines.first?.contains(" channel.name=care-hub channel.outcome=retry error.code=channel_refused ") == true)
        #expect(lines.last?.hasPrefix("<6>Delivery attempted ") == true)
        #expect(!text.contains("17700000101") && !text.contains(Fixture.secret))
    }
}
