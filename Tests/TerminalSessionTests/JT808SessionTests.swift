import TerminalModel
import TerminalProtocols
import Testing

@testable import TerminalSession

@Suite("JT/T 808 session")
struct JT808SessionTests {
    @Test("An SOS is answered only after it is stored, and then as an alarm")
    func acknowledgesAfterStoring() throws {
        let harness = SessionHarness()
        #expect(harness.send(.position(alarms: 1), flowID: 7).isEmpty)
        let report = try #require(harness.reports.first)
        #expect(report.report.event.alarms == AlarmSet(.sos))
        #expect(report.report.frame.first == 0x7E && report.report.frame.last == 0x7E)
        let answers = harness.resolve(try #require(report.request), isAlarm: true)
        #expect(answers == [.platformResponse(.init(flowID: 7, messageID: 0x0200, result: .alarmConfirmed))])
    }

    @Test("A store error means silence, and the retransmission is answered")
    func storeErrorIsSilent() throws {
        let harness = SessionHarness()
        harness.send(.position(alarms: 1), flowID: 7)
        #expect(harness.resolve(try #require(harness.reports.first?.request), stored: false).isEmpty)
        harness.send(.position(alarms: 1), flowID: 7)
        #expect(harness.reports.first?.report.retransmission == true)
        #expect(harness.resolve(try #require(harness.reports.first?.request)).count == 1)
    }

    @Test("Two presses with the same counter and another time are not a retransmission")
    func constantCounterIsNotMuted() {
        let harness = SessionHarness()
        harness.send(.position(alarms: 1, second: 0), flowID: 0)
        harness.send(.position(alarms: 1, second: 9), flowID: 0)
        #expect(harness.reports.map(\.report.retransmission) == [false])
    }

    @Test("Registration hands out a code after its digest is stored; the code verifies")
    func registers() throws {
        let harness = SessionHarness()
        let registration = JT808Registration(
            province: 43, city: 100, maker: "PATST", model: "PA-100", terminalID: "PA00101", edition: .v2013)
        #expect(harness.send(.registration(registration), flowID: 1).isEmpty)
        let request = try #require(harness.registrationRequest)
        #expect(harness.send(.registration(registration), flowID: 1).isEmpty)
        #expect(harness.registrationRequest == nil, "the same registration again gets no second code")
        let reply = JT808RegistrationReply(flowID: 1, result: 0, authCode: "CODE-1")
        #expect(harness.resolve(request) == [.registrationReply(reply)])

        harness.directory[harness.terminal] = KnownTerminal(authCodeDigests: [Array("digest:CODE-1".utf8)])
        let wrong = harness.send(.authentication(JT808Authentication(authCode: "CODE-9")), flowID: 2)
        #expect(wrong == [.platformResponse(.init(flowID: 2, messageID: 0x0102, result: .failed))])
        let right = harness.send(.authentication(JT808Authentication(authCode: "CODE-1")), flowID: 3)
        #expect(right == [.platformResponse(.init(flowID: 3, messageID: 0x0102, result: .ok))])
        harness.send(.position(alarms: 1))
        #expect(harness.reports.first?.report.trust == .verified)
    }

    @Test("A registration whose code could not be stored is not answered")
    func unstoredRegistrationIsSilent() throws {
        let harness = SessionHarness()
        let registration = JT808Registration(
            province: 43, city: 100, maker: "PATST", model: "PA-100", terminalID: "PA00101", edition: .v2013)
        harness.send(.registration(registration), flowID: 1)
        #expect(harness.resolve(try #require(harness.registrationRequest), stored: false).isEmpty)
        harness.send(.registration(registration), flowID: 1)
        #expect(harness.registrationRequest != nil)
    }

    @Test("A known terminal without its secret is claimed, one trusted by id is by id")
    func trust() {
        let claimed = SessionHarness()
        claimed.send(.position(alarms: 1))
        #expect(claimed.reports.first?.report.trust == .claimed)
        let byID = SessionHarness(known: KnownTerminal(trustedByID: true))
        byID.send(.position(alarms: 1))
        #expect(byID.reports.first?.report.trust == .byID)
    }

    @Test("An unknown terminal's SOS is kept under every policy", arguments: UnknownTerminalPolicy.allCases)
    func unknownSOSIsKept(policy: UnknownTerminalPolicy) throws {
        let harness = SessionHarness(known: nil, policy: policy)
        harness.send(.position(alarms: 1), flowID: 5)
        let report = try #require(harness.reports.first)
        #expect(report.report.trust == .unknown)
        #expect(harness.resolve(try #require(report.request)).count == 1)
        harness.send(.event(JT808EventReport(eventID: 2)), flowID: 6)
        #expect(harness.reports.first?.report.event.keys == [2])
    }

    @Test("A terminal that only registered itself stays in quarantine until the site lists it")
    func selfRegistration() {
        let code = Array("digest:CODE-1".utf8)
        let harness = SessionHarness(known: KnownTerminal(authCodeDigests: [code], isListed: false))
        let right = harness.send(.authentication(JT808Authentication(authCode: "CODE-1")), flowID: 1)
        #expect(right == [.platformResponse(.init(flowID: 1, messageID: 0x0102, result: .ok))])
        #expect(harness.send(.position(), flowID: 2).count == 1)
        #expect(harness.reports.isEmpty, "an ordinary report of a stranger is not kept")
        harness.send(.position(alarms: 1), flowID: 3)
        #expect(harness.reports.first?.report.trust == .unknown)
        // Listed while it is connected, it is what it has proved to be.
        harness.directory[harness.terminal] = KnownTerminal(authCodeDigests: [code])
        _ = harness.wait(milliseconds: 5_000)
        harness.send(.position(alarms: 1, second: 9), flowID: 4)
        #expect(harness.reports.first?.report.trust == .verified)
    }

    @Test("An unknown terminal's ordinary report is acknowledged in quarantine and refused with a refusing policy")
    func unknownPositions() {
        let quarantine = SessionHarness(known: nil, policy: .quarantine)
        #expect(
            quarantine.send(.position(), flowID: 5)
                == [.platformResponse(.init(flowID: 5, messageID: 0x0200, result: .ok))])
        #expect(quarantine.reports.isEmpty)
        let refuse = SessionHarness(known: nil, policy: .refuse)
        #expect(
            refuse.send(.position(), flowID: 5)
                == [.platformResponse(.init(flowID: 5, messageID: 0x0200, result: .failed))])
        #expect(refuse.actions.close == .unknownTerminal)
        let accept = SessionHarness(known: nil, policy: .accept)
        accept.send(.position(), flowID: 5)
        #expect(accept.reports.count == 1)
    }

    @Test("A batch is answered once, when all of its items are stored")
    func batch() throws {
        let harness = SessionHarness()
        guard case .location(let first) = JT808Message.position(alarms: 1),
            case .location(let second) = JT808Message.position(second: 60)
        else { return }
        harness.send(.batch(JT808Batch(type: 1, items: [first, second])), flowID: 9)
        #expect(harness.reports.map(\.report.event.historical) == [true, true])
        let request = try #require(harness.reports.first?.request)
        #expect(harness.resolve(request).isEmpty)
        #expect(
            harness.resolve(request)
                == [.platformResponse(.init(flowID: 9, messageID: 0x0704, result: .ok))])
    }

    @Test("A batch with one item that could not be stored is not answered")
    func batchPartlyFailed() throws {
        let harness = SessionHarness()
        guard case .location(let item) = JT808Message.position() else { return }
        harness.send(.batch(JT808Batch(type: 1, items: [item, item])), flowID: 9)
        let request = try #require(harness.reports.first?.request)
        #expect(harness.resolve(request, stored: false).isEmpty)
        #expect(harness.resolve(request).isEmpty)
    }

    @Test("A heartbeat is answered at once, garbage costs only itself")
    func garbageBetweenFrames() {
        let harness = SessionHarness()
        var flow: UInt16 = 3
        let heartbeat = JT808Codec.encode(.heartbeat(JT808Bytes()), phone: harness.phone, flowID: &flow).flatMap { $0 }
        var broken = heartbeat
        broken[5] ^= 0x10
        let answers = harness.receive([1, 2, 3] + broken + [9, 9, 9, 9, 9] + heartbeat)
        #expect(answers == [.platformResponse(.init(flowID: 3, messageID: 0x0002, result: .ok))])
        #expect(harness.actions.refusals.count == 2)
    }

    @Test("Frames are read whole from any split of the bytes")
    func splits() {
        let harness = SessionHarness()
        var flow: UInt16 = 0x7D7E
        let frame = JT808Codec.encode(.heartbeat(JT808Bytes()), phone: harness.phone, flowID: &flow).flatMap { $0 }
        var answers: [JT808Message] = []
        for byte in frame + frame { answers += harness.receive([byte]) }
        #expect(answers.count == 2)
    }

    @Test("A location report that is cut short still says SOS")
    func truncatedSOS() throws {
        let harness = SessionHarness()
        var flow: UInt16 = 4
        let bytes = JT808Codec.encode(
            body: [0, 0, 0, 1, 0, 0], messageID: 0x0200, phone: harness.phone, flowID: &flow
        ).flatMap { $0 }
        harness.receive(bytes)
        let report = try #require(harness.reports.first)
        #expect(report.report.event.alarms == AlarmSet(.sos))
        #expect(report.report.event.kind == .alarm)
    }

    @Test("An encrypted body is answered with not supported and reported as unreadable")
    func encrypted() {
        let harness = SessionHarness()
        let header = JT808Header(messageID: 0x0200, attributes: 0x0400, phone: harness.phone, flowID: 8)
        let answers = harness.receive(JT808Codec.frame(header, [1, 2, 3, 4]))
        #expect(answers == [.platformResponse(.init(flowID: 8, messageID: 0x0200, result: .notSupported))])
        guard case .unreadable = harness.actions.requests.last else {
            Issue.record("no unreadable request")
            return
        }
    }

    @Test func aPictureIsHandedOverWhole() throws {
        let harness = SessionHarness()
        let data = (0..<2500).map { UInt8(truncatingIfNeeded: $0) }
        let media = JT808Message.media(
            JT808Media(
                about: JT808MediaEvent(mediaID: 77, type: 0, format: 0, event: 2, channel: 1), location: nil, data: data
            ))
        var flowID: UInt16 = 10
        let frames = JT808Codec.encode(media, phone: harness.phone, edition: .v2011, flowID: &flowID)
        #expect(frames.count > 2)
        for frame in frames { harness.receive(frame) }
        let handed = try #require(harness.reports.last)
        let whole = try #require(handed.report.media)
        #expect(whole.id == 77)
        #expect(whole.eventCode == 2)
        #expect(whole.data.suffix(data.count) == data[...])
        let answers = harness.resolve(try #require(handed.request))
        #expect(answers == [.mediaAcknowledgement(JT808MediaAcknowledgement(mediaID: 77))])
    }

    @Test func anSOSInTheFirstOfSeveralPackagesIsKeptBeforeItIsAcknowledged() throws {
        let harness = SessionHarness()
        var flowID: UInt16 = 10
        let location: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 2] + [UInt8](repeating: 1, count: 20) + [0x01, 4, 0, 0, 0, 9]
        let frames = JT808Codec.encode(
            body: location, messageID: 0x0200, phone: harness.phone, flowID: &flowID, maximumBodyBytes: 28)
        #expect(frames.count == 2)
        // The second package is lost on its way.
        #expect(harness.receive(frames[0]).isEmpty)
        let handed = try #require(harness.reports.first)
        #expect(handed.report.event.alarms.contains(.sos))
        #expect(harness.resolve(try #require(handed.request), isAlarm: true).count == 1)
    }

    @Test("The answer to a control command is kept when it states an SOS, whoever sends it", arguments: [true, false])
    func anSOSInAControlReply(isKnown: Bool) throws {
        let harness = SessionHarness(known: isKnown ? KnownTerminal() : nil)
        let basic = JT808BasicLocation(
            alarmFlags: 1, status: JT808Status.fixed, latitude: 28_234_567, longitude: 112_987_654, altitude: 57,
            speed: 0, direction: 0, time: JT808Time(Timestamp(seconds: 1_773_454_200), utcOffsetMinutes: 480))
        harness.send(.vehicleControlReply(.init(flowID: 9, location: JT808Location(basic: basic))))
        let handed = try #require(harness.reports.first)
        #expect(handed.report.event.alarms.contains(.sos))
        #expect(!handed.report.frame.isEmpty)
        #expect(harness.resolve(try #require(handed.request), isAlarm: true).isEmpty, "the table has no answer to it")
    }
}
