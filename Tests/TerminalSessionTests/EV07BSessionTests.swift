import TerminalModel
import TerminalProtocols
import Testing

@testable import TerminalSession

@Suite("EV07B session")
struct EV07BSessionTests {
    @Test("An SOS is answered only after it is stored, with its own counter")
    func acknowledgesAfterStoring() throws {
        let harness = EV07BHarness()
        #expect(harness.send(.report(alarms: EV07BMessage.sos), sequence: 7).isEmpty)
        #expect(harness.identified == [EV07BHarness.terminal])
        let report = try #require(harness.reports.first)
        #expect(report.report.event.alarms == AlarmSet(.sos))
        #expect(report.report.event.position?.valid == true)
        #expect(report.report.event.deviceTime == Timestamp("2026-03-14T01:15:30Z"))
        #expect(report.report.frame.first == EV07B.marker)
        #expect(harness.resolve(try #require(report.request), isAlarm: true) == [.answer(.response(.ok), 7)])
    }

    @Test("A store error means silence, and the retransmission is answered")
    func storeErrorIsSilent() throws {
        let harness = EV07BHarness()
        harness.send(.report(alarms: EV07BMessage.sos), sequence: 7)
        #expect(harness.resolve(try #require(harness.reports.first?.request), stored: false).isEmpty)
        harness.send(.report(alarms: EV07BMessage.sos), sequence: 7)
        #expect(harness.reports.first?.report.retransmission == true)
        #expect(harness.resolve(try #require(harness.reports.first?.request)).count == 1)
    }

    @Test("Two presses with the same counter and another time are not a retransmission")
    func constantCounterIsNotMuted() {
        let harness = EV07BHarness()
        harness.send(.report(alarms: EV07BMessage.sos), sequence: 0)
        harness.send(.report(alarms: EV07BMessage.sos, second: 9), sequence: 0)
        #expect(harness.reports.map(\.report.retransmission) == [false])
    }

    @Test("A frame of many records is answered once, when all of them are stored, and not when one is not")
    func manyRecords() throws {
        for lost in [false, true] {
            let harness = EV07BHarness()
            let first = EV07BMessage.report()
            var message = first
            for second in [60, 120] as [UInt32] {
                message.blocks += EV07BMessage.report(alarms: EV07BMessage.sos, second: second).blocks.dropFirst()
            }
            #expect(harness.send(message, sequence: 9).isEmpty)
            #expect(harness.reports.map { $0.report.event.alarms.contains(AlarmKind.sos) } == [false, true, true])
            #expect(Set(harness.reports.map(\.request)).count == 1)
            let request = try #require(harness.reports.first?.request)
            #expect(harness.resolve(request, stored: !lost).isEmpty)
            #expect(harness.resolve(request).isEmpty)
            #expect(harness.resolve(request) == (lost ? [] : [.answer(.response(.ok), 9)]))
        }
    }

    @Test("A frame that wants no answer gets none")
    func notWanted() throws {
        let harness = EV07BHarness()
        harness.send(.report(), properties: 0)
        #expect(harness.resolve(try #require(harness.reports.first?.request)).isEmpty)
    }

    @Test("What names nobody is of the terminal that spoke last")
    func remembersTheTerminal() {
        let harness = EV07BHarness()
        harness.send(.services(EV07BKey.heartbeat))
        harness.send(.report(alarms: EV07BMessage.sos, imei: nil))
        #expect(harness.reports.first?.report.event.terminal == EV07BHarness.terminal)
        #expect(harness.reports.first?.report.trust == .claimed)
        #expect(harness.identified.isEmpty)
    }

    @Test("Another pendant's report ends what was one pendant's: no command and no answer of that one is said any more")
    func anotherPendant() throws {
        let harness = EV07BHarness()
        harness.send(.report(alarms: EV07BMessage.sos), sequence: 3)
        let request = try #require(harness.reports.first?.request)
        #expect(!harness.command(.powerOff, id: 5).isEmpty)
        harness.send(.report(imei: "999910000000037"), sequence: 3)
        let other = try #require(TerminalID("999910000000037"))
        #expect(harness.session.terminals == [other])
        #expect(harness.identified == [other])
        #expect(harness.left == [EV07BHarness.terminal])
        #expect(harness.outcomes == [.queued])
        #expect(harness.resolve(request, isAlarm: true).isEmpty, "the counter is the other pendant's now")
        #expect(harness.command(.powerOff, id: 6).isEmpty)
        #expect(harness.outcomes == [.queued])
        harness.respond(.ok, sequence: 0)
        #expect(harness.outcomes.isEmpty)
        // Back again, it is met as for the first time.
        harness.send(.report(), sequence: 4)
        #expect(harness.identified == [EV07BHarness.terminal])
        #expect(harness.session.displace(EV07BHarness.terminal))
    }

    @Test("An SOS of somebody who never said who it is is kept; an ordinary report of nobody is not")
    func nobody() throws {
        let harness = EV07BHarness()
        #expect(harness.send(.report(imei: nil), sequence: 3) == [.answer(.response(.ok), 3)])
        #expect(harness.reports.isEmpty)
        #expect(harness.identified.isEmpty)
        harness.send(.report(alarms: EV07BMessage.sos, imei: "not a number!!!"), sequence: 4)
        let report = try #require(harness.reports.first)
        #expect(report.report.trust == .unknown)
        #expect(report.report.event.terminal == .nameless(at: "127.0.0.1:9"))
        #expect(harness.resolve(try #require(report.request)) == [.answer(.response(.ok), 4)])
        // Nobody is in no registry: two pendants that do not say who they are do not displace each other.
        #expect(harness.identified.isEmpty)
        #expect(harness.session.terminals.isEmpty)
    }

    @Test("A known terminal is claimed, one trusted by id is by id")
    func trust() {
        let claimed = EV07BHarness()
        claimed.send(.report(alarms: EV07BMessage.sos))
        #expect(claimed.reports.first?.report.trust == .claimed)
        let byID = EV07BHarness(known: KnownTerminal(trustedByID: true))
        byID.send(.report(alarms: EV07BMessage.sos))
        #expect(byID.reports.first?.report.trust == .byID)
    }

    @Test(
        "An unknown terminal's SOS, fall and key are kept under every policy", arguments: UnknownTerminalPolicy.allCases
    )
    func unknownSOSIsKept(policy: UnknownTerminalPolicy) throws {
        let harness = EV07BHarness(known: nil, policy: policy)
        for (index, bit) in [12, 2, 13].enumerated() {
            harness.send(.report(alarms: 1 << UInt32(bit), second: UInt32(index)), sequence: UInt16(index))
            let report = try #require(harness.reports.first)
            #expect(report.report.trust == .unknown)
            #expect(harness.resolve(try #require(report.request)).count == 1)
        }
    }

    @Test("An unknown terminal's ordinary report is acknowledged in quarantine and refused with a refusing policy")
    func unknownPositions() {
        let quarantine = EV07BHarness(known: nil, policy: .quarantine)
        #expect(quarantine.send(.report(), sequence: 5) == [.answer(.response(.ok), 5)])
        #expect(quarantine.reports.isEmpty)
        #expect(quarantine.actions.close == nil)
        let refuse = EV07BHarness(known: nil, policy: .refuse)
        #expect(refuse.send(.report(), sequence: 5) == [.answer(.response(.outOfService), 5)])
        #expect(refuse.actions.close == .unknownTerminal)
    }

    @Test("The table of the model decides what a bit means")
    func modelTable() {
        let harness = EV07BHarness(model: ModelProfile(name: "PA-7", alarmCodes: [13: .help, 12: .other]))
        harness.send(.report(alarms: 1 << 13))
        #expect(harness.reports.first?.report.event.alarms == AlarmSet(.help))
        harness.send(.report(alarms: EV07BMessage.sos))
        #expect(harness.reports.first?.report.event.alarms == AlarmSet(.sos))
    }

    @Test("Requests are answered at once: the time, what is not offered, a heartbeat")
    func services() {
        let harness = EV07BHarness()
        #expect(harness.send(.services(EV07BKey.time), sequence: 1) == [.answer(.time(harness.now.wall), 1)])
        #expect(harness.send(.services(EV07BKey.weather), sequence: 2) == [.answer(.response(.unsupported), 2)])
        #expect(harness.send(.services(EV07BKey.wifi), sequence: 3) == [.answer(.response(.positionNotReady), 3)])
        #expect(harness.send(.services(EV07BKey.heartbeat), sequence: 4) == [.answer(.response(.ok), 4)])
        #expect(harness.reports.map(\.report.event.kind) == [.heartbeat])
        #expect(harness.reports.first?.request == nil)
    }

    @Test("An alarm in a frame of requests is one all the same")
    func alarmAmongRequests() throws {
        let harness = EV07BHarness()
        var message = EV07BMessage.services(EV07BKey.heartbeat)
        message.blocks.append(EV07BBlock(key: EV07BKey.alarm, EV07BAlarm(flags: EV07BMessage.sos)))
        #expect(harness.send(message, sequence: 5).isEmpty)
        #expect(harness.reports.first?.report.event.alarms == AlarmSet(.sos))
        #expect(harness.resolve(try #require(harness.reports.first?.request)) == [.answer(.response(.ok), 5)])
    }

    @Test("The revised edition is not read: the pipeline hears of it and the terminal too")
    func revisedEdition() {
        let harness = EV07BHarness()
        let answers = harness.send(.report(alarms: EV07BMessage.sos), sequence: 6, properties: 0x11)
        #expect(answers == [.answer(.response(.version), 6)])
        #expect(harness.unreadable.map(\.field) == ["version"])
        // Its check was right: a port of several protocols must not look for another one.
        #expect(harness.actions.frameCount == 1)
        #expect(harness.reports.isEmpty)
    }

    @Test("An encrypted frame is told to the pipeline")
    func encrypted() {
        let harness = EV07BHarness()
        harness.send(.services(EV07BKey.heartbeat))
        #expect(harness.send(.report(alarms: EV07BMessage.sos), properties: 0x50).isEmpty)
        #expect(harness.unreadable.map(\.field) == ["encryption"])
    }

    @Test("A terminal that sends nothing but encrypted envelopes is told apart from noise")
    func envelopes() {
        let harness = EV07BHarness()
        harness.receive([0xA5, 0x10, 0x03, 0x00, 1, 2, 3, 4])
        #expect(harness.actions.refusals.map(\.code) == [.unsupported])
        harness.receive([0x00, 0xA5, 0x10])
        #expect(harness.actions.refusals.isEmpty)
    }

    @Test("A broken frame costs only itself")
    func brokenFrames() {
        let harness = EV07BHarness()
        let header = EV07BHeader(properties: 0x10, sequence: 8)
        var broken = EV07BCodec.encode(.report(), header: header)
        broken[20] ^= 1
        let good = EV07BCodec.encode(.report(alarms: EV07BMessage.sos), header: header)
        harness.receive(broken + good)
        #expect(harness.actions.refusals.map(\.code) == [.badIntegrity])
        #expect(harness.reports.count == 1)
        #expect(harness.actions.frameCount == 1)
    }

    @Test("A text of the terminal is kept before it is answered")
    func text() throws {
        let harness = EV07BHarness()
        harness.send(.services(EV07BKey.heartbeat))
        let text = EV07BMessage(.control, [EV07BBlock(key: 0x1F, EV07BSpeech(kind: 0, text: "rice"))])
        #expect(harness.send(text, sequence: 2).isEmpty)
        #expect(harness.reports.first?.report.event.text == "rice")
        #expect(harness.resolve(try #require(harness.reports.first?.request)) == [.answer(.response(.ok), 2)])
    }
}
