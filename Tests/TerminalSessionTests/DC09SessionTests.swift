import TerminalModel
import TerminalProtocols
import Testing

@testable import TerminalSession

@Suite("DC-09 session")
struct DC09SessionTests {
    private static let acknowledgement = "\"ACK\"0001L0#100001[]"

    @Test("An SOS is answered only after it is stored, with its own sequence and account")
    func acknowledgesAfterStoring() throws {
        let harness = DC09SessionHarness()
        #expect(harness.receive(harness.sos()) == "")
        let report = try #require(harness.reports.first?.report)
        #expect(report.event.alarms == AlarmSet(.sos))
        #expect(report.event.sequence == 1 && report.trust == .byID)
        #expect(report.frame.first == 0x0A && report.frame.last == 0x0D)
        #expect(harness.resolve() == harness.text(Self.acknowledgement))
    }

    @Test("A store error means silence, and the repetition is answered")
    func storeErrorIsSilent() {
        let harness = DC09SessionHarness()
        let sos = harness.sos()
        harness.receive(sos)
        #expect(harness.resolve(stored: false) == "")
        harness.receive(sos)
        #expect(harness.reports.first?.report.retransmission == true)
        #expect(harness.resolve() == harness.text(Self.acknowledgement))
    }

    @Test("Receiver and prefix come back as they were")
    func echoes() {
        let harness = DC09SessionHarness()
        harness.receive(DC09Codec.framed(Array("\"ADM-CID\"0042R579BDFL789ABC#100001[1101 00 001]".utf8)))
        #expect(harness.resolve() == harness.text("\"ACK\"0042R579BDFL789ABC#100001[]"))
    }

    // MARK: Time

    @Test(
        "Outside the window the answer is our time, and the SOS is kept all the same", arguments: [-41, 21] as [Int64])
    func wrongClock(seconds: Int64) throws {
        let harness = DC09SessionHarness()
        harness.receive(harness.sos(seconds: seconds))
        #expect(harness.reports.first?.report.event.alarms == AlarmSet(.sos))
        #expect(harness.resolve() == harness.text("\"NAK\"0000R0L0A0[]_02:30:45,03-01-2026"))
        let claimed = harness.now.wall.adding(milliseconds: seconds * 1000)

        // The same frame under a better time is the same press.
        harness.receive(harness.sos())
        let again = try #require(harness.reports.first?.report.event)
        #expect(again.deviceTime == claimed && again.sequence == 1)
        #expect(harness.resolve() == harness.text(Self.acknowledgement))

        // Another one is another.
        harness.receive(harness.sos(sequence: 2))
        #expect(harness.reports.first?.report.event.deviceTime == harness.now.wall)
    }

    @Test("Inside the window the time is right", arguments: [-40, 20] as [Int64])
    func goodClock(seconds: Int64) {
        let harness = DC09SessionHarness()
        harness.receive(harness.sos(seconds: seconds))
        #expect(harness.resolve() == harness.text(Self.acknowledgement))
    }

    @Test("A frame without a time is the same press only for a while")
    func framesWithoutATime() {
        let harness = DC09SessionHarness()
        let line = Array("1001181101000015\r".utf8)
        harness.receive(line)
        #expect(harness.resolve() == "\u{6}")
        harness.wait(milliseconds: 5_000)
        harness.receive(line)
        #expect(harness.reports.first?.report.retransmission == true)
        harness.wait(milliseconds: 30_000)
        harness.receive(line)
        #expect(harness.reports.first?.report.retransmission == false)
    }

    // MARK: Signs of life, and what is of no use

    @Test("A sign of life is answered at once and told")
    func signsOfLife() {
        let harness = DC09SessionHarness()
        let null = harness.frame("", name: "NULL", sequence: 0, seconds: nil)
        #expect(harness.receive(null) == harness.text("\"ACK\"0000L0#100001[]"))
        #expect(harness.reports.first?.report.event.kind == .heartbeat)
        #expect(harness.reports.first?.request == nil)
        #expect(
            harness.receive(harness.frame("", name: "NULL", sequence: 0, seconds: 60)).contains("\"NAK\"0000"))
    }

    @Test("What is of no use is answered with DUH and told to be unreadable")
    func unable() {
        let harness = DC09SessionHarness()
        #expect(harness.receive(harness.frame("x", name: "XYZ")) == harness.text("\"DUH\"0001L0#100001[]"))
        #expect(harness.unreadable == 1 && harness.reports.isEmpty)
        #expect(harness.receive(harness.frame("NFA1", name: "ADM-CID")) == harness.text("\"DUH\"0001L0#100001[]"))
        #expect(harness.unreadable == 1)
        // Cipher text without a key.
        #expect(harness.receive(harness.sealed("NQA1")) == harness.text("\"DUH\"0001L0#100001[]"))
        #expect(harness.unreadable == 1)
    }

    @Test("Nobody answers an answer, and nobody a broken frame")
    func silence() {
        let harness = DC09SessionHarness()
        for name in ["ACK", "NAK", "DUH", "RSP"] {
            #expect(harness.receive(harness.frame("", name: name)) == "")
            #expect(harness.actions.requests.allSatisfy { if case .identified = $0 { true } else { false } })
        }
        var broken = harness.sos()
        broken[20] ^= 1
        #expect(harness.receive(broken) == "")
        #expect(harness.actions.refusals.count == 1 && harness.actions.frameCount == 0)
        #expect(harness.receive(Array("1001181101000016\r".utf8)) == "")
        harness.receive(harness.sos())
        #expect(harness.reports.count == 1)
    }

    // MARK: Trust

    @Test("Cipher text of now under the account's key proves who sent it, and the answer is cipher text")
    func encrypted() throws {
        let harness = DC09SessionHarness(key: DC09SessionHarness.key)
        harness.receive(harness.sealed("NQA1"))
        let report = try #require(harness.reports.first?.report)
        #expect(report.trust == .verified && report.event.alarms == AlarmSet(.sos))
        _ = harness.resolve()
        let answer = harness.actions.output
        let frame = try DC09Frame(checking: answer.span)
        #expect(frame.header.identifier == .acknowledgement && frame.header.isEncrypted)
        let packet = try DC09Codec.decode(frame, cipher: DC09SessionHarness.key)
        #expect(packet.time?.timestamp == harness.now.wall && packet.message == .empty)
    }

    @Test("Clear text does not prove a panel that has a key, whatever came before and its model allows")
    func clearTextBesideAKey() {
        let harness = DC09SessionHarness(key: DC09SessionHarness.key)
        harness.receive(harness.sealed("NQA1"))
        #expect(harness.reports.first?.report.trust == .verified)
        harness.receive(harness.sos(sequence: 2))
        #expect(harness.reports.first?.report.trust == .claimed)
        harness.receive(harness.sealed("NQA1", sequence: 3))
        #expect(harness.reports.first?.report.trust == .verified)
    }

    @Test("A recording of old cipher text proves nothing")
    func replay() {
        let harness = DC09SessionHarness(key: DC09SessionHarness.key)
        let recording = harness.sealed("NQA1")
        harness.wait(milliseconds: 60_000)
        harness.receive(recording)
        #expect(harness.reports.first?.report.trust == .claimed)
        #expect(harness.resolve().contains("\"NAK\""))
    }

    @Test("Under a wrong key nothing is said, and the frame is told to be unreadable")
    func wrongKey() {
        let harness = DC09SessionHarness(key: DC09SessionHarness.key)
        #expect(harness.receive(harness.sealed("NQA1", key: DC09SessionHarness.otherKey)) == "")
        #expect(harness.unreadable == 1 && harness.reports.isEmpty)
    }

    @Test("An unknown panel's SOS is kept and answered under every policy", arguments: UnknownTerminalPolicy.allCases)
    func unknownSOS(policy: UnknownTerminalPolicy) {
        let harness = DC09SessionHarness(known: nil, policy: policy)
        harness.receive(harness.sos())
        #expect(harness.reports.first?.report.trust == .unknown)
        #expect(harness.actions.close == nil)
        #expect(harness.resolve() == harness.text(Self.acknowledgement))
        let null = harness.receive(harness.frame("", name: "NULL", sequence: 0, seconds: nil))
        #expect(null.contains(policy == .refuse ? "\"DUH\"" : "\"ACK\""))
    }

    // MARK: Connections

    @Test("A relay speaks for several panels, up to the limit")
    func severalPanels() {
        var limits = SessionLimits()
        limits.maximumTerminalsPerConnection = 2
        let harness = DC09SessionHarness(policy: .accept, limits: limits)
        for account in ["1001", "1002", "1003"] {
            harness.receive(harness.frame("", name: "NULL", sequence: 0, seconds: nil, account: account))
        }
        #expect(harness.session.terminals.map(\.description) == ["1002", "1003"])
    }

    @Test("A datagram needs no CR, and what it leaves unfinished is gone")
    func datagrams() {
        let harness = DC09SessionHarness(bearer: .udp)
        harness.receive(Array(harness.sos().dropLast()))
        #expect(harness.reports.count == 1)
    }

    @Test("Commands are refused with a reason")
    func commands() {
        let harness = DC09SessionHarness()
        harness.receive(harness.sos())
        harness.actions.clear()
        harness.session.send(
            .locate, id: 7, to: harness.terminal, expires: .max, now: harness.now, into: &harness.actions)
        guard case .command(7, .failed(let reason))? = harness.actions.requests.first else {
            Issue.record("not refused")
            return
        }
        #expect(reason.contains("only reports"))
    }

    @Test("A frame that is not completed ends the connection, an idle one later")
    func limits() {
        let harness = DC09SessionHarness()
        harness.receive(Array("\n60A1".utf8))
        #expect(harness.session.nextDeadline == harness.now.monotonicMilliseconds + 30_000)
        harness.wait(milliseconds: 30_000)
        harness.session.timer(now: harness.now, into: &harness.actions)
        #expect(harness.actions.close != nil)
    }
}
