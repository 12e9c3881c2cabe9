import AlarmPipeline
import IncidentCore
import IncidentStore
import TerminalModel
import Testing

/// Retries, and what survives a restart (promise P3).
@Suite struct OutboxTests {
    @Test func aDeadTargetDelaysNoOther() async throws {
        let site = try Site(dispatch: FakeChannel("dispatch", nil))
        for number in 1...20 {
            site.report(.sos, sequence: number, terminal: TerminalID(nibbles: UInt128(0x100 + number)))
        }
        #expect(await site.hub.sent.wait { $0.count == 20 })
        site.report(.sos, sequence: 50)
        #expect(await site.dispatch.sent.wait { $0.count == 1 })
        #expect(await site.hub.sent.wait { $0.count == 21 })
        site.dispatch.answers(.accepted(evidence: "late"))
        try await site.stop()
    }

    @Test func anSOSIsRepeatedOnItsScheduleUntilAccepted() async throws {
        let site = try Site(hub: FakeChannel("hub", .retry(reason: "refused", afterMilliseconds: nil)))
        site.report(.sos)
        #expect(await site.hub.sent.wait { $0.count == 1 })
        for (index, pause) in [1000, 2000, 4000, 8000, 15_000, 15_000].enumerated() {
            // The pump has to know how the last attempt ended before time goes on.
            #expect(await waitForAttempts(site, target: "hub", index + 1))
            site.advance(Int64(pause) - 1)
            #expect(site.hub.sent.value.count { $0.notice.kind == .opened } == index + 1)
            site.advance(1)
            #expect(await site.hub.sent.wait { $0.count { $0.notice.kind == .opened } == index + 2 })
        }
        #expect(site.hub.sent.value.filter { $0.notice.kind == .opened }.map(\.attempt) == [1, 2, 3, 4, 5, 6, 7])
        try await site.stop()
    }

    @Test func repeatingEndsWhenAHumanTakesOver() async throws {
        let site = try Site(hub: FakeChannel("hub", .retry(reason: "refused", afterMilliseconds: nil)))
        let request = site.report(.sos)
        #expect(await site.answer(to: request) == .stored)
        #expect(await waitForAttempts(site, target: "hub", 1))
        let id = try #require(try site.incidents().first?.id)
        let incident = try await site.pipeline.operate(.acknowledge(reason: "seen"), on: id, by: Site.actor)
        #expect(incident.state == .acknowledged)
        #expect(await site.hub.sent.wait { $0.contains { $0.notice.kind == .acknowledged } })
        site.advance(3_600_000)
        // A second incident passes the same pump afterwards, so nothing of the first can still be to come.
        site.report(.sos, sequence: 9, terminal: TerminalID(nibbles: 7))
        #expect(await site.hub.sent.wait { $0.contains { $0.notice.incident.terminal.nibbles == 7 } })
        #expect(site.hub.sent.value.count { $0.notice.kind == .opened && $0.notice.incident.id == id } == 1)
        let history = try #require(try site.pipeline.store.history(of: id))
        #expect(history.outbox.first { $0.target == "hub" && $0.event.hasSuffix("_1") }?.state == .stopped)
        try await site.stop()
    }

    @Test func theLadderGoesOnUntilAHumanActs() async throws {
        let site = try Site()
        #expect(await site.answer(to: site.report(.sos)) == .stored)
        for round in 2...4 {
            // An attempt that is under way while a minute passes would count as unanswered.
            #expect(await waitForAcceptances(site, round - 1))
            site.advance(60_000)
            #expect(await site.hub.sent.wait { $0.count { $0.notice.kind == .escalated } == round - 1 })
        }
        #expect(Set(site.hub.sent.value.map(\.notice.identifier)).count == site.hub.sent.value.count)
        try await site.stop()
    }

    @Test func aRestartGoesOnWithIncidentLadderAndOutbox() async throws {
        let first = try Site(hub: FakeChannel("hub", .retry(reason: "refused", afterMilliseconds: nil)))
        #expect(await first.answer(to: first.report(.sos)) == .stored)
        #expect(await waitForAttempts(first, target: "hub", 1))
        let id = try #require(try first.incidents().first?.id)
        try await first.stop(keepFiles: true)

        let second = try Site(path: first.path)
        second.advance(2000)
        #expect(await second.hub.sent.wait { $0.contains { $0.notice.kind == .opened && $0.attempt > 1 } })
        #expect(second.hub.sent.value.allSatisfy { $0.notice.incident.id == id })
        second.advance(60_000)
        #expect(await second.hub.sent.wait { $0.contains { $0.notice.kind == .escalated } })
        #expect(second.directory[Site.terminal] != nil)
        // The same frame again belongs to the same press.
        #expect(await second.answer(to: second.report(.sos)) == .stored)
        #expect(try second.incidents().count == 1)
        try await second.stop()
    }

    @Test func newChannelsTakeOverWhatWaits() async throws {
        let site = try Site(hub: FakeChannel("hub", .retry(reason: "refused", afterMilliseconds: nil)))
        site.report(.sos)
        #expect(await waitForAttempts(site, target: "hub", 1))
        let other = FakeChannel("hub")
        site.pipeline.reload(rules: Site.rules, channels: [other])
        site.advance(1000)
        #expect(await other.sent.wait { $0.first?.notice.kind == .opened && $0.first?.attempt == 2 })
        try await site.stop()
    }

    @Test func aTargetThatGivesUpIsOnTheTimeline() async throws {
        let site = try Site(hub: FakeChannel("hub", .giveUp(reason: "410 gone")))
        let stream = site.pipeline.subscribe()
        #expect(await site.answer(to: site.report(.sos)) == .stored)
        #expect(await site.hub.sent.wait { $0.count == 1 })
        #expect(await waitForAttempts(site, target: "hub", 1))
        let id = try #require(try site.incidents().first?.id)
        let history = try #require(try site.pipeline.store.history(of: id))
        #expect(history.timeline.contains { $0.kind == .gaveUp && $0.actor == "hub" })
        #expect(history.outbox.first { $0.target == "hub" }?.state == .gaveUp)
        _ = stream
        try await site.stop()
    }

    /// Waits until it is on the disk that the hub and the ambulance service have accepted so many notices.
    private func waitForAcceptances(_ site: Site, _ count: Int) async -> Bool {
        let store = site.pipeline.store
        return await site.fault.commits.wait { _ in
            guard let id = try? store.incidents(IncidentFilter()).first?.id else { return false }
            let rows = (try? store.history(of: id))??.outbox ?? []
            return rows.count { $0.state == .accepted } >= 2 * count
        }
    }

    /// Waits until so many attempts on a target are on the disk.
    private func waitForAttempts(_ site: Site, target: String, _ count: Int) async -> Bool {
        let store = site.pipeline.store
        return await site.fault.commits.wait { _ in
            let incidents = (try? store.incidents(IncidentFilter())) ?? []
            return incidents.contains { incident in
                let rows = (try? store.history(of: incident.id))??.outbox ?? []
                return rows.contains { $0.target == target && $0.attempts >= count }
            }
        }
    }
}
