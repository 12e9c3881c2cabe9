import Foundation
import IncidentCore
import IncidentStore
import Logging
import Synchronization
import TerminalModel
import Testing

@testable import AlarmPipeline

/// The lanes to the disk: an alarm never waits behind the others, and a slow disk means later answers, not fewer.
@Suite struct LaneTests {
    /// True when the condition comes about within ten seconds, which only a broken build takes.
    private func soon(_ condition: () -> Bool) async -> Bool {
        let end = ContinuousClock.now + .seconds(10)
        while !condition() {
            guard ContinuousClock.now < end else { return false }
            await Task.yield()
        }
        return true
    }

    /// True when the thread has done a turn after `body`.
    private func turned(_ thread: WorkerThread, _ body: () -> Void) async -> Bool {
        let turns = thread.liveness
        body()
        return await soon { thread.liveness > turns }
    }

    private struct Item: LaneItem {
        let isKept = false
        let arrivedMilliseconds: Int64 = 0
        func answer(_ outcome: IngestResult.Outcome, into results: inout [IngestResult]) {}
    }

    @Test func positionsStandBackWhileAnAlarmIsBeingCommitted() async throws {
        let precedence = AlarmPrecedence(longestMilliseconds: 60_000)
        let isAlarmStored = Atomic(false)
        let seen = Watched<[Bool]>([])
        let lane = LaneCommitter<Item>(
            database: "tracks", precedence: precedence, clock: ManualClock(), limits: .init(),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            outlets: .init(
                write: { _ in
                    let isStored = isAlarmStored.load(ordering: .acquiring)
                    seen.change { $0.append(isStored) }
                }, results: { _ in }))
        lane.start()
        precedence.begin()
        lane.add([Item()])
        // It has taken the item; without standing back it would write it within microseconds.
        #expect(await soon { lane.depth.waiting == 0 })
        for _ in 0..<2000 { await Task.yield() }
        isAlarmStored.store(true, ordering: .releasing)
        precedence.end()
        #expect(await seen.wait { $0 == [true] })
        lane.stop()
    }

    /// Alarms that are committed without end let the positions through now and then.
    @Test func noLaneStandsBackForEver() {
        let precedence = AlarmPrecedence(longestMilliseconds: 20)
        let bell = precedence.join()
        #expect(!precedence.inTurn(bell) {})
        precedence.begin()
        #expect(precedence.inTurn(bell) {})
        precedence.end()
        #expect(!precedence.inTurn(bell) {})
    }

    /// An alarm finds the sync of one lane at the disk and not of each.
    @Test func theOtherLanesShareOneTurn() async {
        let precedence = AlarmPrecedence()
        let inside = Atomic(0)
        let most = Atomic(0)
        let ended = Watched(0)
        for _ in 0..<4 {
            let bell = precedence.join()
            Thread {
                for _ in 0..<500 {
                    precedence.inTurn(bell) {
                        let now = inside.wrappingAdd(1, ordering: .relaxed).newValue
                        most.max(now, ordering: .relaxed)
                        sched_yield()
                        inside.wrappingSubtract(1, ordering: .relaxed)
                    }
                }
                ended.change { $0 += 1 }
            }.start()
        }
        #expect(await ended.wait { $0 == 4 })
        #expect(most.load(ordering: .relaxed) == 1)
    }

    /// While a position's commit hangs an alarm is committed, and the other way round.
    @Test func anAlarmDoesNotWaitBehindPositions() async throws {
        let site = try Site()
        site.trackFault.hold()
        let before = site.trackFault.entered.value
        let position = site.report(sequence: 1, terminal: TerminalID(nibbles: 5))
        #expect(await site.trackFault.entered.wait { $0 > before })
        #expect(await site.answer(to: site.report(.sos, sequence: 2)) == .stored)
        #expect(site.plane.outcome(of: position) == nil)
        site.trackFault.release()
        #expect(await site.answer(to: position) == .stored)
        try await site.stop()
    }

    @Test func anAlarmDoesNotWaitBehindMessages() async throws {
        let site = try Site()
        site.messageFault.hold()
        let before = site.messageFault.entered.value
        var word = site.inbound([], 1, Site.terminal, nil, [], .text)
        word.event.text = "yes"
        let ticket = site.ticket()
        site.pipeline.ingest([.report(word, ticket)])
        #expect(await site.messageFault.entered.wait { $0 > before })
        #expect(await site.answer(to: site.report(.sos, sequence: 2)) == .stored)
        #expect(site.plane.outcome(of: ticket.request) == nil)
        site.messageFault.release()
        #expect(await site.answer(to: ticket.request) == .stored)
        try await site.stop()
    }

    /// Outcomes of commands and attempts wait on a slow disk for what somebody waits for, and are written with it.
    @Test func whatNobodyWaitsForKeepsNoAlarmWaiting() async throws {
        let path = FileManager.default.temporaryDirectory.path + "/lanes-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let clock = ManualClock()
        let commits = Watched(0)
        let store = try IncidentStore(
            directory: path, now: clock.now().wall,
            options: .init(willCommit: {
                usleep(40_000)
                commits.change { $0 += 1 }
            }))
        let answered = Watched(0)
        let committer = IncidentCommitter(
            store: store, precedence: AlarmPrecedence(), clock: clock, limits: .init(),
            outlets: .init(
                results: { results in answered.change { $0 += results.count } },
                deliveries: { _ in }, takenOver: { _ in },
                track: { _ in }, messages: { _ in }, events: { _ in }, rewrite: { _ in }),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        committer.start()
        var patient = CommitEntry()
        patient.writes = [.commandOutcome(id: 1, .expired, at: clock.now().wall)]
        var awaited = patient
        awaited.results = [IngestResult(ticket: ReplyTicket(loop: 0, connection: 1, request: 1), outcome: .stored)]
        #expect(patient.isPatient && !awaited.isPatient)
        committer.add([awaited])
        #expect(await answered.wait { $0 == 1 })

        // A machine that is busy with other things may let the patience run out before the second one comes.
        var shared = false
        for round in 2..<12 where !shared {
            // The thread has nothing to do before it looks at the patient one.
            for _ in 0..<2 { #expect(await turned(committer.thread) { committer.thread.bell.ring() }) }
            let before = commits.value
            #expect(await turned(committer.thread) { committer.add([patient]) })
            committer.add([awaited])
            #expect(await answered.wait { $0 == round })
            shared = commits.value == before + 1
        }
        #expect(shared)

        // Alone, they are written soon all the same.
        let before = commits.value
        committer.add([patient])
        #expect(await commits.wait { $0 > before })
        committer.stop()
        try store.close()
    }

    /// A hanging disk with far more positions than the lane takes: all are answered later and none is refused.
    @Test func aSlowDiskAnswersLaterAndRefusesNothing() async throws {
        let site = try Site { configuration in
            configuration.queueLimits.pendingPositions = 20
            configuration.positionWindowMilliseconds = 0
        }
        site.trackFault.hold()
        let requests = (1...300).map { site.report(sequence: $0, terminal: TerminalID(nibbles: UInt128($0))) }
        let queues = site.pipeline.health.queues
        #expect(queues.allSatisfy { $0.depth <= $0.limit })
        site.trackFault.release()
        let last = try #require(requests.last)
        #expect(await site.answer(to: last) == .stored)
        #expect(requests.allSatisfy { site.plane.outcome(of: $0) == .stored })
        #expect(site.pipeline.health.queues.allSatisfy { $0.dropped == 0 })
        try await site.stop()
    }

    /// More decisions than memory may hold wait for a disk that hangs: they go out all the same, their terminals hear
    /// nothing, and their incidents are on the disk in the end.
    @Test func alarmsBeyondTheRoomGoOutAndAreWrittenLater() async throws {
        let site = try Site { $0.queueLimits.pendingDecisions = 5 }
        site.fault.hold()
        let before = site.fault.entered.value
        site.report(.sos, sequence: 1, terminal: TerminalID(nibbles: 1))
        #expect(await site.fault.entered.wait { $0 > before })
        let requests = (2...12).map { site.report(.sos, sequence: $0, terminal: TerminalID(nibbles: UInt128($0))) }
        #expect(await site.answer(to: requests[10]) == .failed)
        let commit = site.pipeline.health.queues.first { $0.name == "commit" }
        #expect(commit.map { $0.depth <= $0.limit && $0.dropped > 0 } == true)
        #expect(await site.hub.sent.wait { !$0.isEmpty })
        #expect(site.hub.sent.value.allSatisfy { !$0.notice.durable })
        site.fault.release()
        #expect(await site.hub.sent.wait { Set($0.map(\.notice.incident.terminal)).count == 12 })
        let store = site.pipeline.store
        #expect(await site.fault.commits.wait { _ in (try? store.counts().openIncidents) == 12 })
        try await site.stop()
    }

    /// A district registers while the disk hangs; an alarm that comes last is committed before them.
    @Test func anAlarmPassesRegistrations() async throws {
        let site = try Site()
        site.fault.hold()
        let before = site.fault.entered.value
        site.report(.sos, sequence: 1)
        #expect(await site.fault.entered.wait { $0 > before })
        let registrations = (1...800).map { number in
            let ticket = site.ticket()
            let terminal = TerminalID(nibbles: UInt128(0x9000 + number))
            site.pipeline.ingest([
                .registration(
                    TerminalRegistration(
                        terminal: terminal, protocolName: .jt808, maker: "m", model: "x", serialNumber: "1",
                        codeDigest: [1], at: site.clock.now().wall), ticket)
            ])
            return ticket.request
        }
        let alarm = site.report(.sos, sequence: 2, terminal: TerminalID(nibbles: 7))
        let order = Watched<[UInt32]>([])
        site.plane.onResults.withLock { $0 = { results in order.change { $0 += results.map(\.ticket.request) } } }
        let pipeline = site.pipeline
        #expect(await soon { (pipeline.health.queues.first { $0.name == "commit" }?.depth ?? 0) >= 801 })
        site.fault.release()
        #expect(await site.answer(to: registrations[799]) == .stored)
        let answered = order.value
        let place = try #require(answered.firstIndex(of: alarm))
        #expect(answered.prefix(place).allSatisfy { !registrations.contains($0) })
        try await site.stop()
    }
}
