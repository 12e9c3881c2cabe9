import TerminalModel
import TerminalProtocols
import Testing

@testable import TerminalSession

@Suite("Watch session")
struct WatchSessionTests {
    private func frame(_ content: String, index: UInt16? = nil) -> String {
        WatchSessionHarness.frame(content, index: index)
    }

    @Test("An SOS is answered only after it is stored")
    func acknowledgesAfterStoring() throws {
        let harness = WatchSessionHarness()
        #expect(harness.sos() == "")
        let report = try #require(harness.reports.first)
        #expect(report.report.event.alarms == AlarmSet(.sos))
        #expect(report.report.frame.first == 0x5B && report.report.frame.last == 0x5D)
        #expect(harness.resolve(report.request, isAlarm: true) == frame("AL"))
    }

    @Test("A store error means silence, and the retransmission is answered")
    func storeErrorIsSilent() {
        let harness = WatchSessionHarness()
        harness.sos()
        #expect(harness.resolve(harness.reports.first?.request, stored: false) == "")
        harness.sos()
        #expect(harness.reports.first?.report.retransmission == true)
        #expect(harness.resolve(harness.reports.first?.request) == frame("AL"))
    }

    @Test("The same alarm under another index is a retransmission, another second is a press")
    func retransmissions() {
        let harness = WatchSessionHarness()
        let alarm = WatchSessionHarness.position("AL", status: "00010000")
        harness.send(alarm, index: 1)
        harness.send(alarm, index: 2)
        #expect(harness.reports.map(\.report.retransmission) == [true])
        #expect(harness.reports.first?.report.event.sequence == nil)
        harness.sos(second: 9)
        #expect(harness.reports.map(\.report.retransmission) == [false])
    }

    @Test("Keyword and index of the answer are those of the document")
    func answers() {
        let harness = WatchSessionHarness()
        #expect(harness.send("LK,1,2,83") == frame("LK"))
        #expect(harness.reports.first?.report.event.kind == .heartbeat)
        #expect(harness.reports.first?.request == nil)
        #expect(harness.send("LK", index: 0x34) == frame("LK", index: 0x34))
        #expect(
            harness.send("LK,0,0,19", maker: "ZJ", index: 0x34)
                == WatchSessionHarness.frame("LK,2026-03-14,09:16:02", maker: "ZJ", index: 0x34))
        #expect(harness.send("INIT,a") == frame("INIT,1"))
        #expect(harness.send("TKQ") == frame("TKQ"))
        for content in ["UD", "UD2", "UD_LTE"] {
            #expect(harness.send(WatchSessionHarness.position(content)) == "")
            #expect(harness.resolve(harness.reports.first?.request) == "", "\(content)")
        }
        harness.send("bphrt,121,79,71")
        #expect(harness.resolve(harness.reports.first?.request) == frame("bphrt"))
        harness.send(WatchSessionHarness.position("AL_LTE", status: "00200000"))
        #expect(harness.resolve(harness.reports.first?.request) == frame("AL"))
    }

    @Test("What a watch says in answer is never answered")
    func doesNotPlayPingPong() {
        let harness = WatchSessionHarness()
        for content in ["CR", "UPLOAD", "MESSAGE", "AL", "TK,1", "LK,2026-03-14,09:15:31", "FIND", "XYZ,1"] {
            #expect(harness.send(content) == "", "\(content)")
        }
    }

    @Test("A watch has no secret: by id where the site allows it, else claimed")
    func trust() {
        let byID = WatchSessionHarness()
        byID.sos()
        #expect(byID.reports.first?.report.trust == .byID)
        let claimed = WatchSessionHarness(known: KnownTerminal())
        claimed.sos()
        #expect(claimed.reports.first?.report.trust == .claimed)
    }

    @Test("An unknown watch's SOS is kept and answered under every policy", arguments: UnknownTerminalPolicy.allCases)
    func unknownSOS(policy: UnknownTerminalPolicy) {
        let harness = WatchSessionHarness(known: nil, policy: policy)
        harness.sos()
        #expect(harness.reports.first?.report.trust == .unknown)
        #expect(harness.actions.close == nil)
        #expect(harness.resolve(harness.reports.first?.request, isAlarm: true) == frame("AL"))
    }

    @Test("An unknown watch is kept quiet, or sent away")
    func unknownReports() {
        let quiet = WatchSessionHarness(known: nil, policy: .quarantine)
        #expect(quiet.send("LK") == frame("LK"))
        #expect(quiet.reports.isEmpty)
        #expect(quiet.send(WatchSessionHarness.position("UD")) == "")
        #expect(quiet.reports.isEmpty)
        let refused = WatchSessionHarness(known: nil, policy: .refuse)
        refused.send(WatchSessionHarness.position("UD"))
        #expect(refused.actions.close == .unknownTerminal)
        let refusedKeep = WatchSessionHarness(known: nil, policy: .refuse)
        #expect(refusedKeep.send("LK") == "")
        #expect(refusedKeep.actions.close == nil, "the next frame may be an SOS")
    }

    @Test("The model says what an alarm without a name is")
    func models() {
        let pendant = ModelProfile(name: "pendant", alarmCodes: [WatchAlarms.unspecifiedCode: .sos])
        let harness = WatchSessionHarness(model: pendant)
        harness.send(WatchSessionHarness.position("AL"))
        #expect(harness.reports.first?.report.event.alarms == AlarmSet(.sos))
    }

    // MARK: Bytes

    @Test("An SOS whose length is declared too long is read after a second of silence")
    func settles() {
        let harness = WatchSessionHarness()
        let text = frame(WatchSessionHarness.position("AL", status: "00010000")).replacing("3*00", with: "3*0F")
        #expect(harness.receive(text) == "")
        #expect(harness.reports.isEmpty)
        #expect(harness.session.isAwaitingResult)
        #expect(harness.session.nextDeadline == harness.now.monotonicMilliseconds + WatchSession.silenceMilliseconds)
        _ = harness.wait(milliseconds: WatchSession.silenceMilliseconds)
        #expect(harness.reports.first?.report.event.alarms == AlarmSet(.sos))
        #expect(harness.resolve(harness.reports.first?.request) == frame("AL"))
        #expect(!harness.session.isAwaitingResult)
    }

    @Test("An SOS that waits for silence is handed on when the connection ends")
    func settlesAtTheEnd() {
        let harness = WatchSessionHarness()
        harness.receive(
            frame(WatchSessionHarness.position("AL", status: "00010000")).replacing("3*00", with: "3*0F"))
        harness.actions.clear()
        harness.session.end(into: &harness.actions)
        #expect(harness.reports.first?.report.event.alarms == AlarmSet(.sos))
    }

    @Test("A datagram is whole")
    func datagrams() {
        let harness = WatchSessionHarness(bearer: .udp)
        harness.receive(
            frame(WatchSessionHarness.position("AL", status: "00010000")).replacing("3*00", with: "3*0F"))
        #expect(harness.reports.first?.report.event.alarms == AlarmSet(.sos))
        // What is left of one datagram does not belong to the next.
        harness.receive("[3G*1000000003*0010*UD,1")
        #expect(harness.actions.refusals.count == 1)
        #expect(harness.receive(frame("LK")) == frame("LK"))
        harness.receive(String(frame(WatchSessionHarness.position("AL", status: "00010000")).dropLast(2)))
        #expect(harness.reports.first?.report.event.alarms == AlarmSet(.sos))
    }

    @Test("A name with a bracket at the end of what has come so far, in pieces of every size")
    func splitsAnywhere() {
        let text = frame(
            WatchSessionHarness.position("AL", status: "00010000").replacing(
                ",0,0", with: ",0,2,[cafe],0a:1b:2c:3d:4e:5f,-60,x] y,0a:1b:2c:3d:4e:60,-61"))
        let bytes = Array((text + frame("LK")).utf8)
        for size in 1...bytes.count {
            let harness = WatchSessionHarness()
            var answers = ""
            var alarms = 0
            for start in stride(from: 0, to: bytes.count, by: size) {
                answers += harness.receive(Array(bytes[start..<min(bytes.count, start + size)]))
                alarms += harness.reports.filter { $0.report.event.alarms == AlarmSet(.sos) }.count
                #expect(harness.actions.refusals.isEmpty)
            }
            #expect(alarms == 1 && answers == frame("LK"), "pieces of \(size)")
        }
    }

    @Test("A cut alarm is handed on without an answer")
    func cutAlarm() {
        let harness = WatchSessionHarness()
        let cut = String(frame(WatchSessionHarness.position("AL", status: "00010000")).dropLast(3))
        #expect(harness.receive(cut + frame("LK")) == frame("LK"))
        #expect(harness.reports.first?.report.event.alarms == AlarmSet(.sos))
        #expect(harness.actions.refusals.count == 1)
        #expect(harness.resolve(harness.reports.first?.request, isAlarm: true) == "")
    }

    @Test("Bytes that could go on being a frame do not pile up")
    func heldBytesAreBounded() {
        let harness = WatchSessionHarness()
        harness.receive("[3G*1000000003*FFFF*UD,]")
        for _ in 0..<5_000 { harness.receive("x]") }
        #expect(!harness.session.isAwaitingResult || harness.session.nextDeadline < .max)
        harness.receive("[3G")
        #expect(harness.receive(String(frame("LK").dropFirst(3))) == frame("LK"))
    }

    @Test("Silence and unfinished frames end the connection")
    func limits() {
        let silent = WatchSessionHarness()
        _ = silent.wait(milliseconds: 30_000)
        #expect(silent.actions.close == .noFirstFrame)
        let slow = WatchSessionHarness()
        slow.receive("[3G*1000000003*00FF*UD,1")
        _ = slow.wait(milliseconds: 30_000)
        #expect(slow.actions.close == .slowFrame)
        let idle = WatchSessionHarness()
        idle.send("LK")
        _ = idle.wait(milliseconds: 899_999)
        #expect(idle.actions.close == nil)
        _ = idle.wait(milliseconds: 1)
        #expect(idle.actions.close == .idle)
    }

    @Test("What a session keeps of an idle watch is small")
    func idleStateIsSmall() {
        #expect(MemoryLayout<WatchTerminalState>.stride <= 128)
    }

    // MARK: Media

    @Test("Voice is stored with its sound, then acknowledged")
    func voice() {
        let harness = WatchSessionHarness()
        harness.receive(Array("[3G*1000000003*000D*TK,#!AMR\n}\u{1}}\u{2}]".utf8))
        let report = harness.reports.first
        #expect(report?.report.media?.data == Array("#!AMR\n}[".utf8))
        #expect(report?.report.media?.type == 1 && report?.report.media?.format == InboundMedia.amr)
        #expect(harness.resolve(report?.request) == frame("TK,1"))
    }

    @Test("Pieces of a voice message are put together in any order")
    func voicePieces() {
        let harness = WatchSessionHarness()
        #expect(harness.send("JXTK,0,v,2,3,bb") == frame("JXTKR,1"))
        #expect(harness.send("JXTK,0,v,1,3,aa") == frame("JXTKR,1"))
        #expect(harness.send("JXTK,0,v,1,3,aa") == frame("JXTKR,1"))
        #expect(harness.send("JXTK,0,v,3,3,cc") == "")
        #expect(harness.reports.first?.report.media?.data == Array("aabbcc".utf8))
        #expect(harness.resolve(harness.reports.first?.request) == frame("JXTKR,1"))
        // Another message begins anew; numbers that make no sense are acknowledged and kept nowhere.
        #expect(harness.send("JXTK,0,w,1,2,aa") == frame("JXTKR,1"))
        #expect(harness.send("JXTK,0,w,9,2,aa") == frame("JXTKR,1"))
        #expect(harness.send("JXTK,0,w,1,0,aa") == frame("JXTKR,1"))
        #expect(harness.send("JXTK,0,w,1,65,aa") == frame("JXTKR,1"))
        // A message whose rest does not come is forgotten.
        harness.send("JXTK,0,x,1,2,aa")
        #expect(harness.session.nextDeadline == harness.now.monotonicMilliseconds + 60_000)
        _ = harness.wait(milliseconds: 60_000)
        harness.send("JXTK,0,x,2,2,bb")
        #expect(harness.reports.first?.report.media == nil)
    }

    // MARK: Commands

    @Test("A command is confirmed by its keyword, in any case, and the next one follows")
    func confirms() {
        let harness = WatchSessionHarness()
        harness.send("LK")
        #expect(harness.command(.message(text: "好", urgent: false), id: 1) == frame("MESSAGE,597D"))
        #expect(harness.outcomes == [.sent])
        #expect(harness.command(.reportInterval(seconds: 300), id: 2) == "")
        #expect(harness.send("UPLOAD") == "")
        #expect(harness.outcomes.isEmpty)
        #expect(harness.send("message") == frame("UPLOAD,300"))
        #expect(harness.outcomes == [.confirmed, .sent])
        #expect(harness.send("UPLOAD,300") == "")
        #expect(harness.outcomes == [.confirmed])
    }

    @Test("Locating is done by an answer or by a position, but not by a stored one")
    func locates() {
        let harness = WatchSessionHarness()
        harness.send("LK")
        #expect(harness.command(.locate, id: 1) == frame("CR"))
        harness.send(WatchSessionHarness.position("UD2"))
        #expect(harness.outcomes.isEmpty)
        harness.send(WatchSessionHarness.position("UD"))
        #expect(harness.outcomes == [.confirmed])
    }

    @Test("Frames that the platform starts have an index of their own where the watch writes one")
    func countsItsOwnIndex() {
        let harness = WatchSessionHarness()
        harness.send("LK", index: 0x34)
        #expect(harness.command(.locate, id: 1) == frame("CR", index: 1))
        harness.send("CR", index: 1)
        #expect(harness.command(.locate, id: 2) == frame("CR", index: 2))
    }

    @Test("An unanswered command is repeated, a call is not")
    func repeats() {
        let harness = WatchSessionHarness()
        harness.send("LK")
        _ = harness.command(.message(text: "A", urgent: false), id: 1)
        #expect(harness.wait(milliseconds: 5_000) == frame("MESSAGE,0041"))
        _ = harness.wait(milliseconds: 10_000)
        _ = harness.wait(milliseconds: 30_000)
        #expect(harness.outcomes == [.failed(reason: "no answer")])
        #expect(harness.command(.callBack(number: "073100000001", listen: false), id: 2) == frame("CALL,073100000001"))
        #expect(harness.wait(milliseconds: 59_999) == "")
        #expect(harness.outcomes.isEmpty)
        #expect(harness.wait(milliseconds: 1) == "")
        #expect(harness.outcomes == [.failed(reason: "no answer")])
        #expect(
            harness.command(.callBack(number: "073100000002", listen: true), id: 3) == frame("MONITOR,073100000002"))
    }

    @Test("Tracking asks for fast reports again until its time is over")
    func tracks() {
        let harness = WatchSessionHarness()
        harness.send("LK")
        #expect(harness.command(.track(intervalSeconds: 20, durationSeconds: 400), id: 1) == frame("CR"))
        harness.send("CR")
        #expect(harness.outcomes == [.confirmed])
        #expect(harness.session.nextDeadline == harness.now.monotonicMilliseconds + 180_000)
        #expect(harness.wait(milliseconds: 180_000) == frame("CR"))
        #expect(harness.wait(milliseconds: 180_000) == frame("CR"))
        #expect(harness.wait(milliseconds: 180_000) == "")
        _ = harness.command(.track(intervalSeconds: 20, durationSeconds: 400), id: 2)
        harness.send("CR")
        #expect(harness.command(.track(intervalSeconds: 0, durationSeconds: 0), id: 3) == "")
        #expect(harness.outcomes == [.confirmed])
        #expect(harness.wait(milliseconds: 180_000) == "")
    }

    @Test("Nothing confirms an alarm to a watch, and the command says so")
    func cannotConfirm() {
        let harness = WatchSessionHarness()
        harness.send("LK")
        #expect(harness.command(.confirmAlarm(sequence: 0), id: 1) == "")
        guard case .failed = harness.outcomes.first else {
            Issue.record("\(harness.outcomes)")
            return
        }
    }

    @Test("Commands that were not answered go back to the queue")
    func abandons() {
        let harness = WatchSessionHarness()
        harness.send("LK")
        _ = harness.command(.locate, id: 1)
        harness.actions.clear()
        harness.session.end(into: &harness.actions)
        #expect(harness.outcomes == [.queued])
    }

    @Test("Two watches on one line are told apart")
    func severalWatches() {
        let harness = WatchSessionHarness()
        harness.send("LK")
        let other = WatchSessionHarness.frame("LK", maker: "SG", id: "1000000004")
        #expect(harness.receive(other) == other)
        #expect(harness.session.terminals.map(\.description) == ["1000000003", "1000000004"])
        #expect(harness.command(.locate, id: 1) == frame("CR"))
        #expect(!harness.session.displace(harness.terminal))
        #expect(harness.session.terminals.map(\.description) == ["1000000004"])
    }
}
