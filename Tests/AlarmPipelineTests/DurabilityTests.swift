import AlarmPipeline
import Foundation
import IncidentCore
import IncidentStore
import Synchronization
import TerminalModel
import Testing

/// Durable, then acknowledged (promise P1).
@Suite struct DurabilityTests {
    @Test func anSOSIsAcknowledgedAndDeliveredAfterItsCommit() async throws {
        let site = try Site()
        let seenAtAnswer = Watched<[Int]>([])
        let store = site.pipeline.store
        site.plane.onResults.withLock {
            $0 = { _ in
                let count = (try? store.incidents(IncidentFilter()).count) ?? -1
                seenAtAnswer.change { $0.append(count) }
            }
        }
        let request = site.report(.sos)
        #expect(await site.answer(to: request) == .stored)
        #expect(seenAtAnswer.value == [1])
        #expect(site.plane.results.value.first?.isAlarm == true)
        #expect(await site.hub.sent.wait { $0.count == 1 })
        #expect(await site.dispatch.sent.wait { $0.count == 1 })
        #expect(site.hub.sent.value[0].notice.durable)
        #expect(site.hub.sent.value[0].notice.person?.id == "p1")
        try await site.stop()
    }

    @Test func nothingLeavesWhileTheCommitIsUnderWay() async throws {
        let site = try Site()
        site.fault.hold()
        let request = site.report(.sos)
        let position = site.report(sequence: 2, terminal: TerminalID(nibbles: 5))
        // Positions have a file and a thread of their own and do not wait for the incident.
        #expect(await site.answer(to: position) == .stored)
        #expect(site.plane.outcome(of: request) == nil)
        #expect(site.hub.sent.value.isEmpty)
        site.fault.release()
        #expect(await site.answer(to: request) == .stored)
        #expect(await site.hub.sent.wait { $0.count == 1 })
        try await site.stop()
    }

    @Test func aFailingStoreStopsAnswersAndNotNotices() async throws {
        let site = try Site()
        site.fault.fail(true)
        let first = site.report(.sos, sequence: 1)
        #expect(await site.answer(to: first) == .failed)
        #expect(await site.hub.sent.wait { $0.count == 1 })
        #expect(await site.dispatch.sent.wait { $0.count == 1 })
        #expect(site.hub.sent.value[0].notice.durable == false)
        #expect(site.pipeline.health.incidentFailure?.code == .inputOutput)
        // What is shown follows what is done.
        let deadline = ContinuousClock.now + .seconds(10)
        while site.pipeline.health.incidentFailure?.pending == 0, ContinuousClock.now < deadline { await Task.yield() }
        #expect((site.pipeline.health.incidentFailure?.pending ?? 0) > 0)
        #expect(try site.incidents().isEmpty)

        // The terminal sends the same frame again: it attaches in memory and is not answered yet.
        let again = site.report(.sos, sequence: 1)
        // A registration passes the same queue behind it, so its answer shows that the retransmission was seen.
        let ticket = site.ticket()
        site.pipeline.ingest([.registration(registration([1]), ticket)])
        #expect(await site.answer(to: ticket.request) == .failed)
        #expect(site.plane.outcome(of: again) == nil)

        site.fault.fail(false)
        site.advance(5000)
        #expect(await site.answer(to: again) == .stored)
        #expect(site.pipeline.health.incidentFailure == nil)
        let incidents = try site.incidents()
        #expect(incidents.count == 1)
        let history = try #require(try site.pipeline.store.history(of: incidents[0].id))
        #expect(history.timeline.filter { $0.kind == .opened }.count == 1)
        #expect(history.timeline.contains { $0.kind == .notDurable })
        #expect(history.evidence.count >= 1)
        #expect(Set(history.outbox.map(\.target)) == ["dispatch", "hub"])
        #expect(site.hub.sent.value.count == 1)
        let outcomes = site.plane.results.value.filter { $0.ticket.request == first }.map(\.outcome)
        #expect(outcomes == [.failed])
        try await site.stop()
    }

    @Test func aCommitThatHangsSilencesNobody() async throws {
        let site = try Site()
        site.fault.hold()
        let before = site.fault.entered.value
        let request = site.report(.sos)
        #expect(await site.fault.entered.wait { $0 > before })
        #expect(site.hub.sent.value.isEmpty)
        site.advance(3000)
        #expect(await site.hub.sent.wait { $0.count >= 1 })
        #expect(site.hub.sent.value[0].notice.durable == false)
        #expect(site.plane.outcome(of: request) == nil)
        site.fault.release()
        #expect(await site.answer(to: request) == .stored)
        #expect(site.hub.sent.value.count == 1)
        #expect(site.pipeline.health.incidentFailure == nil)
        try await site.stop()
    }

    @Test func positionsAreAnsweredAfterTheirFileIsSynced() async throws {
        let site = try Site()
        #expect(await site.answer(to: site.report()) == .stored)
        let start = ManualClock.start.adding(milliseconds: -1000)
        let end = ManualClock.start.adding(milliseconds: 60_000)
        #expect(try site.pipeline.tracks.track(of: Site.terminal, from: start, to: end).count == 1)
        site.trackFault.fail(true)
        #expect(await site.answer(to: site.report(sequence: 2)) == .failed)
        #expect(site.pipeline.health.trackFailure?.code == .inputOutput)
        // An alarm does not depend on the track file, and its position follows when that works again.
        #expect(await site.answer(to: site.report(.sos, sequence: 3)) == .stored)
        site.trackFault.fail(false)
        site.advance(5000)
        #expect(await site.answer(to: site.report(sequence: 4)) == .stored)
        #expect(site.pipeline.health.trackFailure == nil)
        let sequences = try site.pipeline.tracks.track(of: Site.terminal, from: start, to: end).map(\.sequence)
        #expect(sequences.sorted { ($0 ?? 0) < ($1 ?? 0) } == [1, 3, 4])
        try await site.stop()
    }

    @Test func aFullDiskIsSurvived() async throws {
        let site = try Site()
        try site.pipeline.store.limitPages(1)
        var requests: [UInt32] = []
        for number in 1...40 {
            requests.append(site.report(.sos, sequence: number, terminal: TerminalID(nibbles: UInt128(0x100 + number))))
        }
        #expect(await site.hub.sent.wait { $0.count == 40 })
        #expect(await site.plane.results.wait { $0.contains { $0.outcome == .failed } })
        #expect(site.pipeline.health.incidentFailure?.code == .diskFull)
        try site.pipeline.store.limitPages(nil)
        site.advance(5000)
        let last = site.report(.sos, sequence: 41, terminal: TerminalID(nibbles: 0x200))
        #expect(await site.answer(to: last) == .stored)
        #expect(try site.incidents().count == 41)
        try await site.stop()
    }

    @Test func aMistakeInOneDecisionStopsNoOther() async throws {
        let site = try Site()
        // The id that the next command will get is taken behind the pipeline's back.
        let record = CommandRecord(
            id: 1, terminal: Site.terminal, command: .locate, incident: nil, by: "x", createdAt: ManualClock.start,
            expiresAt: ManualClock.start)
        try site.pipeline.store.write([.command(record)])
        await #expect(throws: PipelineError.self) {
            try await site.pipeline.submit(.locate, to: Site.terminal, by: Site.actor, lifetimeSeconds: 60)
        }
        #expect(await site.answer(to: site.report(.sos)) == .stored)
        #expect(site.pipeline.health.incidentFailure == nil)
        try await site.stop()
    }

    private func registration(_ digest: [UInt8]) -> TerminalRegistration {
        TerminalRegistration(
            terminal: Site.terminal, protocolName: .jt808, maker: "m", model: "x", serialNumber: "1",
            codeDigest: digest, at: ManualClock.start)
    }
}
