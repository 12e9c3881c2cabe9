import AlarmPipeline
import Geofencing
import IncidentCore
import IncidentStore
import TerminalModel
import Testing

/// What a terminal's clock is believed, and strangers' commands.
@Suite struct ClockTests {
    /// A report whose terminal claims that it is so old.
    private func report(_ site: Site, _ alarms: AlarmSet = [], age: Int64, latitude: Double? = 28.2) async
        -> IngestResult.Outcome?
    {
        let ticket = site.ticket()
        var report = site.inbound(alarms, Int(ticket.request), Site.terminal, latitude, [], .report)
        report.event.deviceTime = site.clock.now().wall.adding(milliseconds: -age)
        site.pipeline.ingest([.report(report, ticket)])
        return await site.answer(to: ticket.request)
    }

    private func connect(_ site: Site) {
        site.pipeline.ingest([
            .online(Site.terminal, .tcp, peer: "127.0.0.1:5", protocolName: .jt808, at: site.clock.now())
        ])
    }

    @Test(arguments: [true, false])
    func anOldPressIsLateOnlyWhereTheClockWasRight(wasRight: Bool) async throws {
        let site = try Site()
        connect(site)
        #expect(await report(site, age: wasRight ? 1000 : 7_200_000) == .stored)
        site.advance(10_000)
        #expect(await report(site, .sos, age: 7_200_000) == .stored)
        #expect(try site.incidents().first?.late == wasRight)
        #expect(await site.hub.sent.wait { $0.count == 1 })
        if wasRight {
            #expect(site.dispatch.sent.value.isEmpty)
        } else {
            #expect(await site.dispatch.sent.wait { $0.count == 1 })
        }
        try await site.stop()
    }

    /// What restarted may have woken up in another year.
    @Test func aNewConnectionProvesNothing() async throws {
        let site = try Site()
        connect(site)
        #expect(await report(site, age: 1000) == .stored)
        site.advance(10_000)
        connect(site)
        #expect(await site.answer(to: site.report(sequence: 900, terminal: TerminalID(nibbles: 0x77))) == .stored)
        #expect(await report(site, .sos, age: 7_200_000) == .stored)
        #expect(try site.incidents().first { $0.terminal == Site.terminal }?.late == false)
        try await site.stop()
    }

    @Test func anOldFixSaysNothingAboutFences() async throws {
        let site = try Site()
        let fence = try Fence(
            id: "home",
            shape: .circle(centre: Coordinate(latitudeDegrees: 28.2, longitudeDegrees: 112.9), radiusMetres: 200),
            rule: .outsideForbidden, confirmations: 1, confirmationWindow: 1)
        try await site.pipeline.put(fence, by: Site.actor)
        #expect(await report(site, age: 1000) == .stored)
        site.advance(30_000)
        #expect(await report(site, age: 7_200_000, latitude: 28.3) == .stored)
        #expect(try site.incidents().isEmpty)
        #expect(await report(site, age: 1000, latitude: 28.3) == .stored)
        #expect(try site.incidents().map(\.causes) == [["fence_exit"]])
        try await site.stop()
    }

    /// A clock that was never right is as good as none: the fence goes by the arrival (promise P8).
    @Test func aWrongClockDoesNotSilenceFences() async throws {
        let site = try Site()
        let fence = try Fence(
            id: "home",
            shape: .circle(centre: Coordinate(latitudeDegrees: 28.2, longitudeDegrees: 112.9), radiusMetres: 200),
            rule: .outsideForbidden, confirmations: 1, confirmationWindow: 1)
        try await site.pipeline.put(fence, by: Site.actor)
        #expect(await report(site, age: 7_200_000) == .stored)
        #expect(await report(site, age: 7_200_000, latitude: 28.3) == .stored)
        #expect(try site.incidents().map(\.causes) == [["fence_exit"]])
        try await site.stop()
    }

    @Test func onlyWhoCanAnswerIsAskedForItsPlaceAndOnceAtATime() async throws {
        let site = try Site(configure: { $0.rules.chase = ChaseRules() })
        func waiting() -> Int? { site.pipeline.health.queues.first { $0.name == "commands" }?.depth }
        // Not connected, in no list, without a fix: as many as anybody cares to invent.
        let stranger = TerminalID(nibbles: 0x9001)
        #expect(await site.answer(to: site.report(.sos, terminal: stranger, latitude: nil)) == .stored)
        for round in 1...3 {
            site.advance(60_000)
            #expect(await site.hub.sent.wait { $0.count { $0.notice.kind == .escalated } == round })
        }
        #expect(waiting() == 0)
        // Listed and away: it is told to report fast at every round, and asked once however many there are.
        #expect(await site.answer(to: site.report(.sos, sequence: 2)) == .stored)
        for commands in [2, 3] {
            site.advance(285_000)
            #expect(await site.answer(to: site.report(.sos, sequence: 2)) == .stored)
            #expect(waiting() == commands)
        }
        try await site.stop()
    }
}
