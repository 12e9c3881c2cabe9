import IncidentCore
import IncidentStore
import TerminalModel
import Testing

@testable import AlarmPipeline

/// A terminal on several bearers at once, and news of terminals while the queue is full.
@Suite struct BearerTests {
    private func online(_ site: Site, _ bearer: Bearer) -> IngestItem {
        .online(Site.terminal, bearer, peer: "127.0.0.1:5", protocolName: .jt808, at: site.clock.now())
    }

    private func offline(_ site: Site, _ bearer: Bearer) -> IngestItem {
        .offline(Site.terminal, bearer, reason: "test", at: site.clock.now())
    }

    private func heard(_ site: Site, over bearer: Bearer, _ sequence: Int) -> IngestItem {
        var report = site.inbound([], sequence, Site.terminal, nil, [], .heartbeat)
        report.bearer = bearer
        return .report(report, site.ticket())
    }

    private func locate(_ site: Site) async throws -> Int64 {
        try await site.pipeline.submit(.locate, to: Site.terminal, by: Site.actor, lifetimeSeconds: 600).id
    }

    private func confirm(_ site: Site, _ id: Int64) {
        site.pipeline.ingest([.command(id: id, outcome: .confirmed, at: site.clock.now())])
    }

    @Test func aCommandGoesWhereTheTerminalWasHeardLast() async throws {
        let site = try Site()
        site.pipeline.ingest([online(site, .tcp), online(site, .udp)])
        for (number, bearer) in [Bearer.udp, .tcp, .udp].enumerated() {
            site.pipeline.ingest([heard(site, over: bearer, number)])
            let id = try await locate(site)
            #expect(await site.plane.orders.wait { $0.count == number + 1 })
            #expect(site.plane.orders.value.last?.bearer == bearer)
            let session = try await site.pipeline.sessions(of: [Site.terminal]).first
            #expect(session?.bearer == bearer)
            confirm(site, id)
        }
        // Where it is not connected it is not spoken to.
        site.pipeline.ingest([heard(site, over: .serial, 9)])
        _ = try await locate(site)
        #expect(await site.plane.orders.wait { $0.count == 4 })
        #expect(site.plane.orders.value.last?.bearer == .udp)
        try await site.stop()
    }

    @Test func aTerminalIsGoneWhenItHasLeftItsLastBearer() async throws {
        let site = try Site()
        site.pipeline.ingest([online(site, .tcp), online(site, .udp), heard(site, over: .udp, 1)])
        let first = try await locate(site)
        #expect(await site.plane.orders.wait { $0.map(\.bearer) == [.udp] })
        // The other bearer's end takes nothing back; its own end sends it over what is left.
        site.pipeline.ingest([offline(site, .serial), offline(site, .udp)])
        #expect(await site.plane.orders.wait { $0.map(\.bearer) == [.udp, .tcp] })
        #expect(site.plane.orders.value.map(\.id) == [first, first])
        #expect(try await site.pipeline.sessions(of: [Site.terminal]).map(\.bearer) == [.tcp])
        confirm(site, first)
        site.pipeline.ingest([online(site, .udp)])
        let second = try await locate(site)
        #expect(await site.plane.orders.wait { $0.count == 3 })
        site.pipeline.ingest([.command(id: second, outcome: .sent, at: site.clock.now()), offline(site, .tcp)])
        let third = try await locate(site)
        #expect(try await site.pipeline.sessions(of: [Site.terminal]).count == 1)
        #expect(site.plane.orders.value.count == 3, "the end of another bearer sent the command a second time")
        confirm(site, second)
        #expect(await site.plane.orders.wait { $0.last?.id == third && $0.last?.bearer == .udp })
        site.pipeline.ingest([offline(site, .udp)])
        // A question may be asked in the turn before the news.
        let deadline = ContinuousClock.now + .seconds(10)
        while try await !site.pipeline.sessions(of: [Site.terminal]).isEmpty, ContinuousClock.now < deadline {}
        #expect(try await site.pipeline.sessions(of: [Site.terminal]).isEmpty)
        try await site.stop()
    }

    @Test func newsOfTerminalsIsNeverRefusedAndTakesOnePlaceEach() {
        let queue = IngestQueue(
            limits: .init(positions: 1, alarms: 2, news: 4, reservedForLifeSafety: 1), bell: Doorbell())
        let now = Moment(wall: ManualClock.start, monotonicMilliseconds: 0)
        func terminal(_ number: Int) -> TerminalID { TerminalID(nibbles: UInt128(number)) }
        func online(_ number: Int) -> IngestItem {
            .online(terminal(number), .tcp, peer: "", protocolName: .jt808, at: now)
        }
        func offline(_ number: Int) -> IngestItem { .offline(terminal(number), .tcp, reason: "test", at: now) }
        #expect(queue.add([online(1), online(2)]) == 2)
        // The lane is full; from here on everything waits apart.
        let crowd = [
            online(3), offline(3), .command(id: 7, outcome: .sent, at: now), offline(1), online(3),
            .command(id: 7, outcome: .confirmed, at: now), online(4),
        ]
        #expect(queue.add(crowd) == crowd.count)
        #expect(queue.depth.alarms == 6)
        #expect(queue.add([online(5)]) == 0)
        #expect(queue.depth.refused == 1)
        var batch = IngestQueue.Batch()
        var taken: [IngestItem] = []
        repeat {
            queue.take(into: &batch, limit: 100, positionLimit: 1)
            taken += batch.alarms.turn.map { batch.alarms.items[$0] }
        } while batch.hasMoreAlarms
        var isOnline: [TerminalID: Bool] = [:]
        var outcomes: [CommandOutcome] = []
        for item in taken {
            switch item {
            case .online(let terminal, _, _, _, _): isOnline[terminal] = true
            case .offline(let terminal, _, _, _): isOnline[terminal] = false
            case .command(7, let outcome, _): outcomes.append(outcome)
            default: Issue.record("\(item)")
            }
        }
        #expect(isOnline == [terminal(1): false, terminal(2): true, terminal(3): true, terminal(4): true])
        #expect(outcomes == [.confirmed])
        #expect(queue.depth.alarms == 0)
    }
}
