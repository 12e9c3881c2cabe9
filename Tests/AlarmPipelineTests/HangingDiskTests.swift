import AlarmPipeline
import IncidentCore
import IncidentStore
import TerminalModel
import Testing

/// A disk that does not fail and does not answer either (promises P1 and P2, DESIGN section 3).
@Suite struct HangingDiskTests {
    @Test func aThreadAtTheDiskIsToldFromOneThatHangs() async throws {
        let site = try Site()
        let before = site.fault.entered.value
        site.fault.hold()
        site.report(.sos)
        #expect(await site.fault.entered.wait { $0 > before })
        let atTheDisk = site.pipeline.health.liveness.filter(\.isAtTheDisk).map(\.thread)
        #expect(atTheDisk.contains("ydt-commit"))
        #expect(!atTheDisk.contains("ydt-decide"))
        #expect(!atTheDisk.contains("ydt-outbox"))
        site.fault.release()
        #expect(await site.fault.commits.wait { $0 >= 1 })
        try await site.stop()
    }

    @Test func aCardThatDoesNotComeDelaysNoAlarm() async throws {
        let before = try Site()
        try await before.pipeline.importRecords(
            people: (1...50).map { Person(id: "q\($0)", name: "Sample") },
            assignments: (1...50).map {
                TerminalAssignment(terminal: TerminalID(nibbles: UInt128(0x500 + $0)), person: "q\($0)")
            }, by: Site.actor)
        try await before.stop(keepFiles: true)
        // After a start no card has been read.
        let site = try Site(path: before.path)
        site.cardFault.hold()
        let start = ContinuousClock.now
        let request = site.report(.sos)
        // None of the others waits for the disk again.
        for number in 1...50 {
            site.report(.sos, sequence: number, terminal: TerminalID(nibbles: UInt128(0x500 + number)))
        }
        #expect(await site.answer(to: request) == .stored)
        #expect(await site.hub.sent.wait { $0.count == 51 })
        #expect(ContinuousClock.now - start < .seconds(5))
        let first = try #require(site.hub.sent.value.first { $0.notice.incident.terminal == Site.terminal })
        #expect(first.notice.incident.person == "p1")
        #expect(first.notice.person?.name == "")
        #expect(site.dispatch.sent.value.isEmpty)
        // With the card comes what it allows, without a further report.
        site.cardFault.release()
        #expect(await site.dispatch.sent.wait { $0.count == 1 })
        #expect(site.dispatch.sent.value.first?.notice.person?.name == "Sample")
        try await site.stop()
    }

    @Test func whatMemoryHasNoRoomForIsNotSaidToBeStoredLater() async throws {
        let site = try Site(configure: { $0.queueLimits.pendingDecisions = 1 })
        site.fault.fail(true)
        site.report(.sos)
        #expect(await site.hub.sent.wait { $0.count == 1 })
        await #expect(throws: PipelineError.self) {
            try await site.pipeline.put(Person(id: "p2", name: "Sample"), by: Site.actor)
        }
        do {
            try await site.pipeline.put(Person(id: "p3", name: "Sample"), by: Site.actor)
        } catch let error as PipelineError {
            #expect(error.code == .notStored)
        }
        site.fault.fail(false)
        try await site.stop()
    }

    @Test func noticesOfDecisionsBeforeATakeoverDoNotOutliveIt() async throws {
        let site = try Site(hub: FakeChannel("hub", .retry(reason: "refused", afterMilliseconds: nil)))
        let pipeline = site.pipeline
        let before = site.fault.entered.value
        site.fault.hold()
        async let other: Void = pipeline.put(Person(id: "p2", name: "Sample"), by: Site.actor)
        #expect(await site.fault.entered.wait { $0 > before })
        // The press and its takeover wait behind that commit.
        site.report(.sos)
        var waited = 0
        while site.pipeline.lifeSafetyCalls.incidents.isEmpty, waited < 1000 {
            try await Task.sleep(for: .milliseconds(5))
            waited += 1
        }
        let id = try #require(site.pipeline.lifeSafetyCalls.incidents.first)
        async let incident = pipeline.operate(.acknowledge(reason: "seen"), on: id, by: Site.actor)
        while !site.pipeline.lifeSafetyCalls.incidents.isEmpty, waited < 2000 {
            try await Task.sleep(for: .milliseconds(5))
            waited += 1
        }
        site.fault.release()
        _ = try await (other, incident)
        #expect(await site.hub.sent.wait { $0.contains { $0.notice.kind == .acknowledged } })
        for _ in 0..<5 {
            site.advance(60_000)
            site.report(.sos, sequence: 9, terminal: TerminalID(nibbles: 7))
            #expect(await site.hub.sent.wait { $0.contains { $0.notice.incident.terminal.nibbles == 7 } })
        }
        #expect(site.hub.sent.value.count { $0.notice.kind == .opened && $0.notice.incident.id == id } <= 1)
        try await site.stop()
    }

    @Test func anEmergencyThatNobodyAcceptsIsAFault() async throws {
        let refusing = DeliveryResult.retry(reason: "refused", afterMilliseconds: nil)
        let site = try Site(hub: FakeChannel("hub", refusing), dispatch: FakeChannel("dispatch", refusing))
        site.report(.sos)
        for (index, pause) in [1000, 2000, 4000].enumerated() {
            #expect(await site.hub.sent.wait { $0.count == index + 1 })
            #expect(await site.dispatch.sent.wait { $0.count == index + 1 })
            try await settled(site, attempts: index + 1)
            #expect(site.pipeline.health.unheardEmergencies == 0)
            site.advance(Int64(pause))
        }
        #expect(await site.hub.sent.wait { $0.count == 4 })
        try await settled(site, attempts: 4)
        #expect(site.pipeline.health.unheardEmergencies == 1)
        site.hub.answers(.accepted(evidence: "200"))
        site.advance(8000)
        #expect(await site.hub.sent.wait { $0.count == 5 })
        let store = site.pipeline.store
        #expect(
            await site.fault.commits.wait { _ in
                ((try? store.incidents(IncidentFilter())) ?? []).first?.state == .notified
            })
        #expect(site.pipeline.health.unheardEmergencies == 0)
        try await site.stop()
    }

    /// Waits until so many attempts on both targets are on the disk.
    private func settled(_ site: Site, attempts: Int) async throws {
        let store = site.pipeline.store
        #expect(
            await site.fault.commits.wait { _ in
                guard let id = try? store.incidents(IncidentFilter()).first?.id else { return false }
                let rows = (try? store.history(of: id))??.outbox ?? []
                return rows.count { $0.attempts >= attempts } == 2
            })
    }
}
