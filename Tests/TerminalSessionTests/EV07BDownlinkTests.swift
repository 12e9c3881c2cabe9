import TerminalModel
import TerminalProtocols
import Testing

@testable import TerminalSession

@Suite("EV07B commands and time")
struct EV07BDownlinkTests {
    private func connected(limits: SessionLimits = SessionLimits()) -> EV07BHarness {
        let harness = EV07BHarness(limits: limits)
        harness.send(.services(EV07BKey.heartbeat))
        return harness
    }

    @Test("A command is sent with its own counter, repeated with growing waits and confirmed by a result")
    func confirmed() throws {
        let harness = connected()
        let sent = harness.command(.message(text: "已接警", urgent: true), id: 41)
        #expect(sent.map(\.message) == [.speech("已接警")])
        #expect(sent.map(\.header) == [EV07BHeader(properties: 0x10, sequence: 0)])
        #expect(harness.outcomes == [.sent])
        #expect(harness.wait(milliseconds: 4_999).isEmpty)
        #expect(harness.wait(milliseconds: 1) == sent)
        #expect(harness.wait(milliseconds: 10_000) == sent)
        // An answer to something else changes nothing.
        harness.respond(.ok, sequence: 1)
        #expect(harness.outcomes.isEmpty)
        harness.respond(.ok, sequence: 0)
        #expect(harness.outcomes == [.confirmed])
    }

    @Test("A result that is not ok is a failure with its name")
    func refused() {
        let harness = connected()
        _ = harness.command(.locate, id: 1)
        harness.respond(.unsupported, sequence: 0)
        #expect(harness.outcomes == [.failed(reason: "terminal answered function unsupported")])
    }

    @Test("Tracking is a setting and an order: done with the second answer, failed with any")
    func track() {
        let harness = connected()
        let sent = harness.command(.track(intervalSeconds: 10, durationSeconds: 600), id: 1)
        #expect(sent.map(\.message.command) == [.configuration, .data])
        #expect(sent.map(\.header.sequence) == [0, 1])
        harness.respond(.ok, sequence: 0)
        #expect(harness.outcomes.isEmpty)
        harness.respond(.ok, sequence: 1)
        #expect(harness.outcomes == [.confirmed])
        _ = harness.command(.track(intervalSeconds: 10, durationSeconds: 600), id: 2)
        harness.respond(EV07BResult(rawValue: 0x24), sequence: 2)
        #expect(harness.outcomes == [.failed(reason: "terminal answered invalid parameter")])
    }

    @Test("What the protocol cannot say fails with the reason and lets the next command through")
    func impossible() {
        let harness = connected()
        #expect(harness.command(.confirmAlarm(sequence: 7), id: 1).isEmpty)
        guard case .failed(let reason)? = harness.outcomes.first else {
            Issue.record("\(harness.outcomes)")
            return
        }
        #expect(reason.contains("no confirmation"))
        #expect(harness.command(.callBack(number: "073100000001", listen: false), id: 2).isEmpty)
        #expect(harness.outcomes.count == 1)
        #expect(harness.command(.locate, id: 3).map(\.message) == [.locate])
    }

    @Test("One command is outstanding, the next follows its answer; an expired one is not sent")
    func queue() {
        let harness = connected()
        _ = harness.command(.locate, id: 1)
        #expect(harness.command(.locate, id: 2, expiresIn: 100).isEmpty)
        #expect(harness.command(.reportInterval(seconds: 30), id: 3).isEmpty)
        harness.now.monotonicMilliseconds += 200
        let next = harness.respond(.ok, sequence: 0)
        #expect(harness.outcomes == [.confirmed, .expired, .sent])
        #expect(next.map(\.message.command) == [.configuration])
    }

    @Test("Values that were asked for answer too")
    func values() {
        let harness = connected()
        _ = harness.command(.reportInterval(seconds: 30), id: 1)
        harness.send(.set(EV07BBlock(key: 0x44, bytes: [UInt8](repeating: 0, count: 12))), sequence: 0, properties: 0)
        #expect(harness.outcomes == [.confirmed])
        #expect(harness.reports.map(\.report.event.kind) == [.reply])
    }

    @Test("A result before anybody has spoken is ignored")
    func earlyResult() {
        let harness = EV07BHarness()
        #expect(harness.respond(.ok, sequence: 5).isEmpty)
        #expect(harness.actions.requests.isEmpty)
        #expect(harness.actions.frameCount == 1)
    }

    @Test("When the connection ends, unanswered commands go back to the queue")
    func end() {
        let harness = connected()
        _ = harness.command(.locate, id: 1)
        harness.actions.clear()
        harness.session.end(into: &harness.actions)
        #expect(harness.outcomes == [.queued])
        #expect(harness.session.terminals.isEmpty)
    }

    @Test("A command for another terminal goes back to the queue")
    func notHere() {
        let harness = EV07BHarness()
        _ = harness.command(.locate, id: 1)
        #expect(harness.outcomes == [.queued])
    }

    // MARK: Time

    @Test("A connection without a frame, with half a frame that trickles, or without news ends")
    func limits() {
        let harness = EV07BHarness()
        #expect(harness.session.nextDeadline == 31_000)
        _ = harness.wait(milliseconds: 30_000)
        #expect(harness.actions.close == .noFirstFrame)

        let idle = connected()
        _ = idle.wait(milliseconds: 899_999)
        #expect(idle.actions.close == nil)
        _ = idle.wait(milliseconds: 1)
        #expect(idle.actions.close == .idle)

        let slow = connected()
        let frame = EV07BCodec.encode(.report(), header: EV07BHeader(properties: 0x10, sequence: 1))
        for byte in frame.prefix(31) {
            slow.receive([byte])
            #expect(slow.wait(milliseconds: 1_000).isEmpty)
        }
        #expect(slow.actions.close == .slowFrame)
    }

    @Test("Silence after a stray marker costs nothing: the next frame is read and nobody is disconnected")
    func silence() {
        let harness = connected()
        harness.receive([0xAB, 0x10, 0xFF, 0x0F])
        #expect(harness.session.nextDeadline == harness.now.monotonicMilliseconds + 2_000)
        _ = harness.wait(milliseconds: 2_000)
        _ = harness.wait(milliseconds: 60_000)
        #expect(harness.actions.close == nil)
        harness.send(.report(alarms: EV07BMessage.sos))
        #expect(harness.reports.count == 1)
        #expect(harness.actions.refusals.map(\.code) == [.badLength])
        // What goes on after the silence without becoming a frame is given up at once.
        harness.receive([0xAB, 0x10, 0xFF, 0x0F])
        _ = harness.wait(milliseconds: 2_000)
        harness.receive([0x00])
        #expect(harness.actions.refusals.map(\.code) == [.badLength])
    }

    @Test("An SOS whose second half comes late is read all the same")
    func lateHalf() {
        let harness = connected()
        let frame = EV07BCodec.encode(
            .report(alarms: EV07BMessage.sos), header: EV07BHeader(properties: 0x10, sequence: 1))
        harness.receive(Array(frame.prefix(20)))
        _ = harness.wait(milliseconds: 8_000)
        harness.receive(Array(frame.dropFirst(20)))
        #expect(harness.reports.count == 1)
        #expect(harness.actions.refusals.isEmpty)
    }

    @Test("A displaced terminal ends the connection, unless another one has it by then")
    func displaced() {
        let harness = connected()
        harness.send(.report(imei: "999910000000037"))
        #expect(!harness.session.displace(EV07BHarness.terminal))
        #expect(harness.session.displace(TerminalID("999910000000037")!))
    }
}
