import TerminalModel
import TerminalProtocols
import Testing

@testable import TerminalSession

@Suite("JT/T 808 commands and time")
struct JT808DownlinkTests {
    private func connected(limits: SessionLimits = SessionLimits()) -> SessionHarness {
        let harness = SessionHarness(limits: limits)
        harness.send(.heartbeat(JT808Bytes()))
        return harness
    }

    @Test("A command is sent, repeated with growing waits and confirmed by 0x0001")
    func confirmed() throws {
        let harness = connected()
        let sent = harness.command(.message(text: "已接警", urgent: true), id: 41)
        guard case .text(let text) = try #require(sent.first) else {
            Issue.record("not a text: \(sent)")
            return
        }
        #expect(text.text == "已接警")
        #expect(harness.outcomes == [.sent])
        #expect(harness.wait(milliseconds: 4_999).isEmpty)
        #expect(harness.wait(milliseconds: 1) == sent)
        #expect(harness.wait(milliseconds: 9_999).isEmpty)
        #expect(harness.wait(milliseconds: 1) == sent)
        // The first frame of the session was the answer to the heartbeat: this command has flow id 1.
        harness.send(.terminalResponse(.init(flowID: 1, messageID: 0x8300, result: .ok)))
        #expect(harness.outcomes == [.confirmed])
    }

    @Test("Without an answer the command fails after its repetitions")
    func unanswered() {
        let harness = connected()
        _ = harness.command(.callBack(number: "073100000002", listen: false), id: 42)
        _ = harness.wait(milliseconds: 5_000)
        _ = harness.wait(milliseconds: 10_000)
        _ = harness.wait(milliseconds: 30_000)
        #expect(harness.outcomes == [.failed(reason: "no answer")])
    }

    @Test("One command is outstanding, the next follows its answer; an expired one is not sent")
    func queue() {
        let harness = connected()
        _ = harness.command(.locate, id: 1)
        #expect(harness.command(.track(intervalSeconds: 10, durationSeconds: 600), id: 2, expiresIn: 100).isEmpty)
        #expect(harness.command(.reportInterval(seconds: 30), id: 3).isEmpty)
        harness.now.monotonicMilliseconds += 200
        guard case .location(let location) = JT808Message.position() else { return }
        let next = harness.send(.locationReply(JT808LocationReply(flowID: 1, location: location)))
        #expect(harness.outcomes == [.confirmed, .expired, .sent])
        #expect(next.count == 1)
    }

    @Test("The human acknowledgement becomes 0x8203 with the alarm's flow id")
    func confirmAlarm() throws {
        let harness = connected()
        guard case .confirmAlarm(let body) = try #require(harness.command(.confirmAlarm(sequence: 32_381), id: 5).first)
        else {
            Issue.record("not 0x8203")
            return
        }
        #expect(body.alarmFlowID == 32_381)
        #expect(body.alarmTypes & 1 == 1)
    }

    @Test("A refusal of the terminal is a failure with its reason")
    func refused() {
        let harness = connected()
        _ = harness.command(.locate, id: 1)
        harness.send(.terminalResponse(.init(flowID: 1, messageID: 0x8201, result: .notSupported)))
        #expect(harness.outcomes == [.failed(reason: "terminal does not support it")])
    }

    @Test("What the protocol cannot say fails with its reason, and the next command goes out")
    func impossible() {
        let harness = connected()
        #expect(harness.command(.find, id: 1).isEmpty)
        #expect(harness.outcomes == [.failed(reason: "JT/T 808 has no message for find")])
        #expect(harness.command(.restart, id: 2) == [.control(JT808Control(command: 4))])
    }

    @Test("When the connection ends, unanswered commands go back to the queue")
    func end() {
        let harness = connected()
        _ = harness.command(.locate, id: 1)
        _ = harness.command(.message(text: "hello", urgent: false), id: 2)
        harness.actions.clear()
        harness.session.end(into: &harness.actions)
        #expect(harness.outcomes == [.queued, .queued])
    }

    @Test("A silent peer, a slow one and an idle one are closed, each for its own reason")
    func limits() {
        let silent = SessionHarness()
        _ = silent.wait(milliseconds: 29_999)
        #expect(silent.actions.close == nil)
        _ = silent.wait(milliseconds: 1)
        #expect(silent.actions.close == .noFirstFrame)

        let slow = connected()
        slow.receive([0x7E, 0x00])
        _ = slow.wait(milliseconds: 20_000)
        slow.receive([0x02])
        _ = slow.wait(milliseconds: 10_000)
        #expect(slow.actions.close == .slowFrame, "a byte now and then does not win time")

        let idle = connected()
        #expect(idle.session.nextDeadline == idle.now.monotonicMilliseconds + 900_000)
        _ = idle.wait(milliseconds: 900_000)
        #expect(idle.actions.close == .idle)
    }

    @Test("A recording in packages is put together, missing ones are asked for, and acknowledged when stored")
    func packages() throws {
        let harness = connected()
        let about = JT808MediaEvent(mediaID: 81, type: 1, format: 3, event: 2, channel: 0)
        let media = JT808Message.media(
            JT808Media(about: about, location: nil, data: [UInt8](repeating: 7, count: 2_500)))
        var flow: UInt16 = 20
        let frames = JT808Codec.encode(media, phone: harness.phone, edition: .v2011, flowID: &flow)
        #expect(frames.count == 3)
        harness.receive(frames[0])
        harness.receive(frames[2])
        #expect(harness.reports.isEmpty)
        let asked = harness.wait(milliseconds: 5_000)
        #expect(asked == [.platformResendRequest(JT808ResendRequest(firstFlowID: 20, indexes: [2]))])
        harness.receive(frames[1])
        let request = try #require(harness.reports.first?.request)
        #expect(
            harness.resolve(request) == [.mediaAcknowledgement(JT808MediaAcknowledgement(mediaID: 81))])
    }

    @Test("A relay box speaks for several terminals; displacing the last one ends the connection")
    func relay() {
        let harness = connected()
        let first = harness.terminal
        harness.phone = JT808Phone(TerminalID(nibbles: 0x1770_0000_0102))
        harness.send(.heartbeat(JT808Bytes()))
        #expect(harness.session.terminals == [first, harness.terminal])
        #expect(harness.session.displace(first) == false)
        #expect(harness.session.displace(harness.terminal))
    }
}
