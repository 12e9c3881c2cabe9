import IncidentCore
import IncidentStore
import TerminalModel
import Testing

@testable import AlarmPipeline

/// What must not be lost on the way although it is no position, or although two things go wrong at once.
@Suite struct AlarmPathTests {
    @Test func aPictureIsAcknowledgedWhenItIsStored() async throws {
        let site = try Site()
        let data = [UInt8](repeating: 0xD8, count: 70_000)
        func picture() -> UInt32 {
            var report = site.inbound([], 1, Site.terminal, nil, [], .media)
            report.media = InboundMedia(id: 7, type: 0, format: 0, eventCode: 2, data: data)
            let ticket = site.ticket()
            site.pipeline.ingest([.report(report, ticket)])
            return ticket.request
        }
        site.messageFault.fail(true)
        #expect(await site.answer(to: picture()) == .failed)
        #expect(site.pipeline.health.messageFailure?.code == .inputOutput)
        // An alarm has a file of its own.
        #expect(await site.answer(to: site.report(.sos)) == .stored)
        site.messageFault.fail(false)
        site.advance(5000)
        #expect(await site.answer(to: picture()) == .stored)
        let stored = try site.pipeline.store.media(from: Site.terminal)
        #expect(stored == [MediaRecord(mediaID: 7, type: 0, format: 0, eventCode: 2, data: data)])
        #expect(try site.pipeline.store.messages(from: Site.terminal).map(\.kind) == [.media])
        try await site.stop()
    }

    /// Words with an alarm wait for nothing but its incident; a picture with an alarm is there when it is answered.
    @Test func anAlarmWithWordsIsAnsweredWithItsIncident() async throws {
        let site = try Site()
        site.messageFault.fail(true)
        func report(_ sequence: Int, picture: Bool) -> UInt32 {
            var report = site.inbound(.sos, sequence, Site.terminal, nil, [], picture ? .media : .text)
            report.event.text = "help"
            if picture { report.media = InboundMedia(id: 7, type: 0, format: 0, eventCode: 2, data: [1, 2, 3]) }
            let ticket = site.ticket()
            site.pipeline.ingest([.report(report, ticket)])
            return ticket.request
        }
        #expect(await site.answer(to: report(1, picture: false)) == .stored)
        #expect(await site.answer(to: report(2, picture: false)) == .stored)
        #expect(await site.answer(to: report(3, picture: true)) == .failed)
        #expect(try site.incidents().count == 1)
        site.messageFault.fail(false)
        site.advance(5000)
        #expect(await site.answer(to: report(4, picture: true)) == .stored)
        #expect(try site.pipeline.store.media(from: Site.terminal).map(\.data) == [[1, 2, 3]])
        // What nobody sends again was kept while the file could not be written.
        #expect(try site.pipeline.store.messages(from: Site.terminal).map(\.kind) == [.media, .text, .text])
        try await site.stop()
    }

    @Test(arguments: [EventKind.text, .reply, .other])
    func wordsOfATerminalAreStored(_ kind: EventKind) async throws {
        let site = try Site()
        var report = site.inbound([], 1, Site.terminal, nil, [], kind)
        report.event.text = "yes"
        let ticket = site.ticket()
        site.pipeline.ingest([.report(report, ticket)])
        #expect(await site.answer(to: ticket.request) == .stored)
        #expect(try site.pipeline.store.messages(from: Site.terminal).map(\.event) == [report.event.json.text])
        try await site.stop()
    }

    @Test func aDiskThatFailsWhileAMistakeIsIsolatedLosesNoAlarm() async throws {
        let site = try Site()
        let record = CommandRecord(
            id: 1, terminal: Site.terminal, command: .locate, incident: nil, by: "x", createdAt: ManualClock.start,
            expiresAt: ManualClock.start)
        try site.pipeline.store.write([.command(record)])
        let base = site.fault.entered.value
        site.fault.hold()
        // Nobody's terminal: its incident asks nothing of a terminal, so the next command is the operator's.
        site.report(keys: [1], kind: .key)
        #expect(await site.fault.entered.wait { $0 == base + 1 })
        let pipeline = site.pipeline
        let mistake = Task {
            try? await pipeline.submit(.locate, to: TerminalID(nibbles: 5), by: Site.actor, lifetimeSeconds: 60)
        }
        while commits(site) < 1 { await Task.yield() }
        let request = site.report(.sos, terminal: TerminalID(nibbles: 9))
        while commits(site) < 2 { await Task.yield() }
        site.fault.fail(from: base + 2)
        site.fault.release()
        #expect(await site.answer(to: request) == .failed)
        #expect(site.pipeline.health.incidentFailure != nil)
        _ = await mistake.value
        site.fault.fail(from: nil)
        site.advance(5000)
        #expect(await site.answer(to: site.report(.sos, sequence: 2)) == .stored)
        #expect(try site.incidents().count { $0.terminal == TerminalID(nibbles: 9) } == 1)
        try await site.stop()
    }

    private func commits(_ site: Site) -> Int {
        site.pipeline.health.queues.first { $0.name == "commit" }?.depth ?? 0
    }

    @Test func aNewConnectionGetsTheCommandThatTheOldOneTookAlong() async throws {
        let site = try Site()
        let now = site.clock.now()
        let online = IngestItem.online(
            Site.terminal, .tcp, peer: "127.0.0.1:5", protocolName: .jt808, at: now)
        site.pipeline.ingest([online])
        let command = try await site.pipeline.submit(.locate, to: Site.terminal, by: Site.actor, lifetimeSeconds: 600)
        #expect(await site.plane.orders.wait { $0.count == 1 })
        // The old connection is displaced: nothing is heard of it any more.
        site.pipeline.ingest([.command(id: command.id, outcome: .sent, at: now), online])
        #expect(await site.plane.orders.wait { $0.count == 2 })
        // The connection ends before the answer.
        site.pipeline.ingest([
            .command(id: command.id, outcome: .sent, at: now),
            .command(id: command.id, outcome: .queued, at: now),
            .offline(Site.terminal, .tcp, reason: "reset", at: now), online,
        ])
        #expect(await site.plane.orders.wait { $0.count >= 3 })
        #expect(site.plane.orders.value.allSatisfy { $0.id == command.id })
        try await site.stop()
    }

    @Test func aWallClockThatWentBackDoesNotSilenceARetry() async throws {
        let first = try Site(hub: FakeChannel("hub", .retry(reason: "down", afterMilliseconds: nil)))
        first.advance(86_400_000)
        #expect(await first.answer(to: first.report(.sos)) == .stored)
        #expect(await first.hub.sent.wait { $0.count == 1 })
        let id = try #require(try first.incidents().first?.id)
        // The attempt is on the disk when the operator's note behind it is.
        while try first.pipeline.store.history(of: id)?.attempts.contains(where: { $0.target == "hub" }) != true {
            await Task.yield()
        }
        try await first.stop(keepFiles: true)
        let second = try Site(path: first.path)
        // The pause of the retry begins when the queue has taken it up.
        while second.pipeline.health.targets.allSatisfy({ $0.waiting == 0 }) { await Task.yield() }
        second.advance(60_000)
        #expect(await second.hub.sent.wait { $0.contains { $0.notice.kind == .opened && $0.attempt == 2 } })
        try await second.stop()
    }

    @Test func aBacklogOfPositionsKeepsItsOrderAndItsBound() {
        let queue = IngestQueue(
            limits: .init(positions: 10, alarms: 10, reservedForLifeSafety: 10), bell: Doorbell())
        func position(_ number: UInt32) -> IngestItem {
            let event = TerminalEvent(
                protocolName: .jt808, terminal: Site.terminal, message: .number(0x0200), sequence: nil, received: nil,
                kind: .report)
            let report = InboundReport(event: event, trust: .verified, bearer: .tcp, peer: "", frame: [])
            return .report(report, ReplyTicket(loop: 0, connection: 0, request: number))
        }
        var taken: [UInt32] = []
        var batch = IngestQueue.Batch()
        func take() {
            queue.take(into: &batch, limit: 3, positionLimit: 3)
            taken += batch.positions.turn.compactMap { batch.positions.items[$0].ticket?.request }
        }
        #expect(queue.add((1...8).map { position($0) }) == 8)
        take()
        #expect(queue.depth.positions == 5)
        #expect(queue.add((9...14).map { position($0) }) == 5)
        for _ in 0..<4 { take() }
        #expect(taken == Array(1...13))
        #expect(queue.depth.positions == 0)
    }

    /// Positions ring softly: a thread that lets them gather sleeps on, and anything else wakes it.
    @Test func positionsGatherAndAnAlarmEndsTheWait() {
        let bell = Doorbell()
        let queue = IngestQueue(limits: .init(positions: 10, alarms: 10, reservedForLifeSafety: 10), bell: bell)
        func item(_ alarms: AlarmSet) -> IngestItem {
            var event = TerminalEvent(
                protocolName: .jt808, terminal: Site.terminal, message: .number(0x0200), sequence: nil, kind: .report)
            event.alarms = alarms
            let report = InboundReport(event: event, trust: .verified, bearer: .tcp, peer: "", frame: [])
            return .report(report, ReplyTicket(loop: 0, connection: 0, request: 1))
        }
        _ = queue.add([item([])])
        let began = ContinuousClock.now
        bell.gather(milliseconds: 50)
        #expect(ContinuousClock.now - began >= .milliseconds(50), "a position does not end it")
        // What rang before is kept: each of these returns at once.
        let rung = ContinuousClock.now
        for alarms in [AlarmSet(.sos), AlarmSet(.lowBattery)] {
            _ = queue.add([item([]), item(alarms)])
            bell.gather(milliseconds: 10_000)
        }
        _ = queue.add([item([])])
        bell.wait(milliseconds: 10_000)
        #expect(ContinuousClock.now - rung < .seconds(10), "something slept its time out")
    }

    @Test func anSOSPassesTheRegistrationsOfADistrict() {
        let queue = IngestQueue(
            limits: .init(positions: 10, alarms: 5000, reservedForLifeSafety: 10), bell: Doorbell())
        func report(_ number: UInt32, _ terminal: UInt128, _ alarms: AlarmSet) -> IngestItem {
            var event = TerminalEvent(
                protocolName: .jt808, terminal: TerminalID(nibbles: terminal), message: .number(0x0200), sequence: nil,
                kind: .report)
            event.alarms = alarms
            return .report(
                InboundReport(event: event, trust: .verified, bearer: .tcp, peer: "", frame: []),
                ReplyTicket(loop: 0, connection: 0, request: number))
        }
        let registrations = (1...4000).map { number in
            IngestItem.registration(
                TerminalRegistration(
                    terminal: TerminalID(nibbles: UInt128(number)), protocolName: .jt808, maker: "", model: "",
                    serialNumber: "", codeDigest: [], at: ManualClock.start),
                ReplyTicket(loop: 0, connection: 0, request: UInt32(number)))
        }
        #expect(queue.add(registrations) == 4000)
        var batch = IngestQueue.Batch()
        queue.take(into: &batch, limit: 100, positionLimit: 100)
        // What the terminal of an open incident says stays in order behind its SOS.
        queue.changeAttention([TerminalID(nibbles: 7): true])
        #expect(queue.add([report(9001, 7, .sos), report(9002, 7, []), report(9003, 8, [])]) == 3)
        queue.take(into: &batch, limit: 100, positionLimit: 100)
        #expect(batch.urgent.turn.map { batch.urgent.items[$0].ticket?.request } == [9001, 9002])
        #expect(batch.alarms.turn.count == 100)
        #expect(batch.positions.turn.count == 1)
        #expect(queue.depth.alarms == 3800)
        #expect(batch.hasMoreAlarms)
        var left = 0
        while batch.hasMoreAlarms {
            queue.take(into: &batch, limit: 100, positionLimit: 100)
            left += batch.alarms.turn.count
        }
        #expect(left == 3800)
    }

    @Test func everyTerminalsLastWordsAreWrittenInTheirTurn() async throws {
        let site = try Site()
        let terminals = (1...1200).map { TerminalID(nibbles: UInt128(0x1000 + $0)) }
        try await site.pipeline.importRecords(
            people: [], assignments: terminals.map { TerminalAssignment(terminal: $0, person: nil) }, by: Site.actor)
        for terminal in terminals { site.report(terminal: terminal, latitude: nil, kind: .heartbeat) }
        let commits = site.messageFault.entered.value
        for step in 1...3 {
            site.advance(3000)
            #expect(await site.messageFault.entered.wait { $0 >= commits + step })
        }
        // Its answer comes when everything before it is on the disk.
        var word = site.inbound([], 1, Site.terminal, nil, [], .text)
        word.event.text = "yes"
        let ticket = site.ticket()
        site.pipeline.ingest([.report(word, ticket)])
        #expect(await site.answer(to: ticket.request) == .stored)
        for terminal in terminals { #expect(try site.pipeline.store.terminalState(terminal) != nil) }
        try await site.stop()
    }
}
