import TerminalModel
import TerminalProtocols
import Testing

@testable import TerminalSession

@Suite("GT06 session")
struct GT06SessionTests {
    /// The other end of a GT06 session.
    final class Terminal {
        let session: any TerminalSession
        let directory: TerminalDirectory
        var scratch = SessionScratch()
        var actions = SessionActions()
        var now = Moment(
            wall: Timestamp("2026-03-14T01:15:40Z") ?? Timestamp(milliseconds: 0), monotonicMilliseconds: 1_000)
        private var kept: [UInt8] = []

        static let imei: UInt64 = 0x0999_9100_0000_0011
        static let id = TerminalID(nibbles: UInt128(imei))

        init(
            known: KnownTerminal? = KnownTerminal(trustedByID: true), policy: UnknownTerminalPolicy = .quarantine,
            bearer: Bearer = .tcp, peer: PeerAddress = "127.0.0.1:9", profile: ModelProfile = .standard
        ) {
            directory = TerminalDirectory(known.map { [Self.id: $0] } ?? [:])
            let environment = SessionEnvironment(
                directory: directory, unknownTerminals: policy, makeAuthCode: { "" }, digest: { _ in [] },
                modelProfile: { _ in profile })
            session = TerminalSessions.make(
                .gt06, environment: environment, bearer: bearer, peer: peer, now: now)
        }

        /// What the session says to these bytes at once.
        @discardableResult
        func hear(_ bytes: [UInt8]) -> [UInt8] {
            actions.clear()
            kept += bytes
            kept.removeFirst(session.receive(kept.span, now: now, scratch: &scratch, into: &actions))
            return actions.output
        }

        @discardableResult
        func hear(_ message: GT06Message, serial: UInt16) -> [UInt8] {
            hear(GT06Codec.encode(message, serial: serial))
        }

        @discardableResult
        func logIn(imei: UInt64 = Terminal.imei, serial: UInt16 = 1) -> [UInt8] {
            hear(.login(GT06Login(imeiNibbles: imei, typeCode: 0x2203, zone: 0x3201)), serial: serial)
        }

        func resolve(_ request: UInt32?, stored: Bool = true) -> [UInt8] {
            actions.clear()
            session.resolve(request: request ?? 0, stored: stored, isAlarm: true, now: now, into: &actions)
            return actions.output
        }

        @discardableResult
        func ask(_ command: TerminalCommand, id: Int64) -> [UInt8] {
            actions.clear()
            session.send(
                command, id: id, to: Self.id, expires: now.monotonicMilliseconds + 600_000, now: now, into: &actions)
            return actions.output
        }

        func wait(_ milliseconds: Int64) {
            now.monotonicMilliseconds += milliseconds
            actions.clear()
            session.timer(now: now, into: &actions)
        }

        var reports: [(report: InboundReport, request: UInt32?)] {
            actions.requests.compactMap {
                if case .report(let report, let number) = $0 { (report, number) } else { nil }
            }
        }

        var unreadable: [TerminalID] {
            actions.requests.compactMap { if case .unreadable(let terminal, _) = $0 { terminal } else { nil } }
        }

        var outcomes: [CommandOutcome] {
            actions.requests.compactMap { if case .command(_, let outcome) = $0 { outcome } else { nil } }
        }
    }

    private func sos(_ code: UInt8 = 1, second: Int64 = 30) -> GT06Message {
        let time = GT06Time(Timestamp(seconds: 1_773_450_900 + second))
        let gps = GT06Position(time: time, latitudeDegrees: 28.234567, longitudeDegrees: 112.987654)
        let cell = GT06Cell(countryCode: 460, networkCode: 0, areaCode: 0x1A2B, identity: 0xC2D3)
        let status = GT06Status(information: 0x44, power: .level(5), signal: 3, alarm: code)
        return .alarm(0x26, GT06Alarm(0x26, gps: gps, cell: cell, status: status))
    }

    private var location: GT06Message {
        let gps = GT06Position(
            time: GT06Time(Timestamp(seconds: 1_773_450_930)), latitudeDegrees: 28, longitudeDegrees: 112)
        let cell = GT06Cell(countryCode: 460, networkCode: 0, areaCode: 1, identity: 2)
        return .location(0x22, GT06Location(gps: gps, cell: cell, trailer: .init()))
    }

    private func acknowledgement(_ number: UInt8, _ serial: UInt16) -> [UInt8] {
        GT06Codec.acknowledgement(number, serial: serial)
    }

    // MARK: - Login

    @Test("A login is answered at once and names the terminal of what follows")
    func login() throws {
        let terminal = Terminal()
        #expect(terminal.logIn() == acknowledgement(0x01, 1))
        #expect(terminal.session.terminals == [Terminal.id])
        #expect(terminal.hear(.heartbeat(GT06Heartbeat(information: 0x40)), serial: 2) == acknowledgement(0x13, 2))
        #expect(terminal.reports.first?.report.event.terminal == Terminal.id)
        #expect(terminal.logIn(serial: 3) == acknowledgement(0x01, 3), "the same login again")
        #expect(terminal.actions.close == nil)
    }

    @Test("Before a login nothing is answered, and an alarm is that of an unknown terminal")
    func beforeLogin() throws {
        let terminal = Terminal()
        #expect(terminal.hear(.heartbeat(GT06Heartbeat(information: 0x40)), serial: 1).isEmpty)
        #expect(terminal.reports.isEmpty)
        #expect(terminal.actions.refusals.first?.field == "login")
        #expect(terminal.hear(sos(), serial: 2).isEmpty)
        let report = try #require(terminal.reports.first)
        #expect(report.report.trust == .unknown)
        #expect(report.report.event.alarms.contains(.sos))
        #expect(terminal.resolve(report.request).isEmpty)
    }

    @Test("Two terminals that never logged in are two, also behind one address")
    func namelessTerminals() throws {
        let ids = try ([4711, 4712] as [UInt16]).map { (port: UInt16) -> TerminalID in
            let terminal = Terminal(peer: .ipv4(0x7F00_0001, port: port))
            terminal.hear(sos(), serial: 2)
            return try #require(terminal.reports.first).report.event.terminal
        }
        #expect(ids.map(\.description) == ["ffff127000000001f04711", "ffff127000000001f04712"])
    }

    @Test("Another terminal ends a TCP connection and takes over an address")
    func anotherTerminal() {
        let tcp = Terminal()
        tcp.logIn()
        #expect(tcp.logIn(imei: 0x0999_9100_0000_0012).isEmpty)
        #expect(tcp.actions.close != nil)
        let udp = Terminal(bearer: .udp)
        udp.logIn()
        udp.ask(.locate, id: 4)
        #expect(udp.logIn(imei: 0x0999_9100_0000_0012) == acknowledgement(0x01, 1))
        #expect(udp.session.terminals == [TerminalID("999910000000012")])
        #expect(udp.outcomes == [.queued])
    }

    @Test("Trust is by id where the site allows it, else claimed, else unknown")
    func trust() {
        for (known, trust) in [
            (KnownTerminal(trustedByID: true), Trust.byID), (KnownTerminal(), .claimed), (nil, .unknown),
        ] {
            let terminal = Terminal(known: known)
            terminal.logIn()
            terminal.hear(sos(), serial: 2)
            #expect(terminal.reports.first?.report.trust == trust)
        }
    }

    // MARK: - Alarms

    @Test("An SOS is acknowledged after it is stored, with its own number and serial")
    func acknowledgesAfterStoring() throws {
        let terminal = Terminal()
        terminal.logIn()
        #expect(terminal.hear(sos(), serial: 6).isEmpty)
        let report = try #require(terminal.reports.first)
        #expect(report.report.event.alarms == AlarmSet(.sos))
        #expect(report.report.frame == GT06Codec.encode(sos(), serial: 6))
        #expect(terminal.resolve(report.request) == acknowledgement(0x26, 6))
    }

    @Test("A store error means silence, and the repetition is known as one")
    func storeErrorIsSilent() throws {
        let terminal = Terminal()
        terminal.logIn()
        terminal.hear(sos(), serial: 6)
        #expect(terminal.reports.first?.report.retransmission == false)
        #expect(terminal.resolve(terminal.reports.first?.request, stored: false) == [])
        terminal.hear(sos(), serial: 6)
        #expect(terminal.reports.first?.report.retransmission == true)
        #expect(terminal.resolve(terminal.reports.first?.request) == acknowledgement(0x26, 6))
        terminal.hear(sos(second: 31), serial: 7)
        #expect(terminal.reports.first?.report.retransmission == false)
    }

    @Test("An SOS in the state bits of a heartbeat waits for the disk too")
    func heartbeatAlarm() {
        let terminal = Terminal()
        terminal.logIn()
        #expect(terminal.hear(.heartbeat(GT06Heartbeat(information: 0x60)), serial: 2).isEmpty)
        #expect(terminal.reports.first?.report.event.alarms == AlarmSet(.sos))
        #expect(terminal.resolve(terminal.reports.first?.request) == acknowledgement(0x13, 2))
        #expect(terminal.hear(.heartbeat(GT06Heartbeat(information: 0x60)), serial: 3) == acknowledgement(0x13, 3))
    }

    @Test("An SOS in the state bits that was not kept is said again with the next heartbeat")
    func heartbeatAlarmNotKept() {
        let terminal = Terminal()
        terminal.logIn()
        for serial in 2...3 as ClosedRange<UInt16> {
            #expect(terminal.hear(.heartbeat(GT06Heartbeat(information: 0x60)), serial: serial).isEmpty)
            #expect(terminal.reports.first?.report.event.alarms == AlarmSet(.sos), "heartbeat \(serial)")
            #expect(terminal.resolve(terminal.reports.first?.request, stored: false) == [])
        }
        terminal.hear(.heartbeat(GT06Heartbeat(information: 0x60)), serial: 4)
        #expect(terminal.resolve(terminal.reports.first?.request) == acknowledgement(0x13, 4))
        terminal.hear(location, serial: 5)
        #expect(terminal.resolve(terminal.reports.first?.request, stored: false) == [])
        #expect(terminal.hear(.heartbeat(GT06Heartbeat(information: 0x60)), serial: 6) == acknowledgement(0x13, 6))
    }

    @Test(
        "An alarm whose layout is not known is an SOS, and somebody learns of it",
        arguments: [0x16, 0x19, 0x26, 0x27, 0x95, 0xA3, 0xA4, 0xA5] as [UInt8])
    func unreadableAlarm(number: UInt8) {
        // A status of five bytes behind the position, without a cell block: no manual has this.
        let place = [UInt8](GT06Codec.encode(location, serial: 1)[4..<22])
        let long = place + (number == 0xA5 ? [1] : [0x44, 6, 4, 1, 1])
        for content in [[], [1, 2, 3], long] {
            let terminal = Terminal()
            terminal.logIn()
            #expect(terminal.hear(GT06Codec.frame(number, content, serial: 9)).isEmpty)
            #expect(terminal.reports.first?.report.event.alarms == AlarmSet(.sos))
            #expect(terminal.unreadable == [Terminal.id])
            #expect(terminal.actions.refusals.first?.found == "\(content.count) bytes")
            let hasPlace = content.count > 18 && ![0x19, 0x95, 0xA5].contains(number)
            #expect((terminal.reports.first?.report.event.position != nil) == hasPlace)
            #expect(terminal.resolve(terminal.reports.first?.request) == acknowledgement(number, 9))
        }
    }

    @Test("Nothing mutes the SOS of a terminal in no list", arguments: UnknownTerminalPolicy.allCases)
    func unknownTerminal(policy: UnknownTerminalPolicy) throws {
        let terminal = Terminal(known: nil, policy: policy)
        #expect(terminal.logIn() == acknowledgement(0x01, 1))
        #expect(terminal.actions.close == nil)
        terminal.hear(sos(), serial: 2)
        let report = try #require(terminal.reports.first)
        #expect(terminal.actions.close == nil)
        #expect(terminal.resolve(report.request) == acknowledgement(0x26, 2))
        terminal.hear(location, serial: 3)
        #expect(terminal.reports.isEmpty == (policy != .accept))
        #expect((terminal.actions.close == .unknownTerminal) == (policy == .refuse))
    }

    @Test("What a code means is the model's table")
    func modelTable() {
        let terminal = Terminal(profile: ModelProfile(name: "x", alarmCodes: [0x77: .sos, 0x3E: nil]))
        terminal.logIn()
        terminal.hear(sos(0x77), serial: 2)
        #expect(terminal.reports.first?.report.event.alarms == AlarmSet(.sos))
        terminal.hear(sos(0x3E), serial: 3)
        #expect(terminal.reports.first?.report.event.alarms == [])
    }

    // MARK: - The rest

    @Test("Positions are handed on and not answered, the time is told, what is not known is acknowledged")
    func others() throws {
        let terminal = Terminal()
        terminal.logIn()
        #expect(terminal.hear(location, serial: 2).isEmpty)
        let request = try #require(terminal.reports.first?.request)
        #expect(terminal.reports.first?.report.event.deviceTime == Timestamp(seconds: 1_773_450_930))
        #expect(terminal.resolve(request).isEmpty)
        let time = GT06Codec.encode(.time(GT06ServerTime(time: GT06Time(terminal.now.wall))), serial: 3)
        #expect(terminal.hear(.timeRequest, serial: 3) == time)
        #expect(terminal.hear(GT06Codec.frame(0xB2, [1], serial: 4)) == acknowledgement(0xB2, 4))
        #expect(terminal.hear(GT06Codec.frame(0x80, [4, 0, 0, 0, 1], serial: 5)).isEmpty)
        #expect(terminal.actions.refusals.count == 1)
    }

    @Test("Frames arrive in any pieces")
    func pieces() {
        let bytes =
            GT06Codec.encode(.login(GT06Login(imeiNibbles: Terminal.imei)), serial: 1)
            + GT06Codec.encode(.heartbeat(GT06Heartbeat(information: 0x40)), serial: 2)
        let terminal = Terminal()
        var output: [UInt8] = []
        for byte in bytes { output += terminal.hear([byte]) }
        #expect(output == acknowledgement(0x01, 1) + acknowledgement(0x13, 2))
    }

    @Test("A start that is not completed ends the connection, and gives way after a silence")
    func falseStart() {
        let slow = Terminal()
        slow.logIn()
        slow.hear([0x78, 0x78, 0xF0])
        slow.wait(31_000)
        #expect(slow.actions.close == .slowFrame)
        let stale = Terminal()
        stale.logIn()
        stale.hear([0x78, 0x78, 0xF0])
        stale.now.monotonicMilliseconds += 11_000
        stale.hear([0x78])
        stale.wait(25_000)
        #expect(stale.actions.close == nil)
        #expect(
            stale.hear(Array(GT06Codec.encode(.heartbeat(GT06Heartbeat(information: 0x40)), serial: 2).dropFirst()))
                == acknowledgement(0x13, 2))
    }

    // MARK: - Commands

    @Test("A command is matched with the reply that repeats its flag")
    func commands() throws {
        let terminal = Terminal()
        terminal.logIn()
        let bytes = terminal.ask(.locate, id: 7)
        #expect(bytes == GT06Codec.encode(.command(GT06Command(serverFlag: 7, text: "WHERE#")), serial: 1))
        #expect(terminal.outcomes == [.sent])
        terminal.ask(.reportInterval(seconds: 60), id: 8)
        #expect(terminal.outcomes == [])
        terminal.hear(.reply(0x21, GT06Reply(serverFlag: 99, encoding: 1, text: "no")), serial: 9)
        #expect(terminal.outcomes == [])
        terminal.hear(
            .reply(0x21, GT06Reply(serverFlag: 7, encoding: 1, text: "Lat:N28.234567,Lon:E112.987654")), serial: 10)
        #expect(terminal.outcomes == [.confirmed, .sent])
        #expect(terminal.reports.first?.report.event.position?.latitudeDegrees == 28.234567)
        #expect(
            terminal.actions.output
                == GT06Codec.encode(.command(GT06Command(serverFlag: 8, text: "TIMER,60#")), serial: 2))
        terminal.hear(.reply(0x15, GT06Reply(serverFlag: 8, text: "Error!", language: 2)), serial: 11)
        #expect(terminal.outcomes == [.failed(reason: "terminal answered Error!")])
    }

    @Test("What the model has no text for fails with its reason; a model may have one")
    func modelCommands() {
        let plain = Terminal()
        plain.logIn()
        #expect(plain.ask(.confirmAlarm(sequence: 6), id: 1).isEmpty)
        #expect(plain.outcomes == [.failed(reason: "this model has no command text for confirm-alarm")])
        let ringing = Terminal(profile: ModelProfile(name: "x", commandTexts: ["confirm-alarm": "FIND#"]))
        ringing.logIn()
        #expect(
            ringing.ask(.confirmAlarm(sequence: 6), id: 1)
                == GT06Codec.encode(.command(GT06Command(serverFlag: 1, text: "FIND#")), serial: 1))
    }

    @Test("An unanswered command is repeated, then fails; an ending connection gives it back")
    func unanswered() {
        let terminal = Terminal()
        terminal.logIn()
        let bytes = terminal.ask(.locate, id: 7)
        terminal.wait(5_000)
        #expect(terminal.actions.output == bytes)
        terminal.actions.clear()
        terminal.session.end(into: &terminal.actions)
        #expect(terminal.outcomes == [.queued])
        #expect(terminal.session.terminals.isEmpty)
    }

    // MARK: - The look-alike family

    private func say(_ message: GT06LookAlike) -> [UInt8] { GT06Codec.encode(.lookAlike(message), serial: 0) }

    @Test("The look-alike family is answered in its own form")
    func lookAlike() throws {
        let terminal = Terminal()
        let greeting = terminal.hear(say(.login(imeiNibbles: Terminal.imei, version: 1)))
        #expect(greeting == say(.loginReply(accepted: true)) + say(.time(terminal.now.wall)))
        #expect(terminal.hear(say(.heartbeat(nil))).isEmpty)
        #expect(terminal.hear(say(.status(GT06Bytes([83, 1, 8])))) == say(.echo(0x13, [83, 1, 8])))
        #expect(terminal.hear(say(.timeRequest)) == say(.time(terminal.now.wall)))
        let gps = GT06Position(
            time: GT06Time(rawValue: 0x1A03_0E01_0F1E), latitudeDegrees: 28, longitudeDegrees: 112)
        #expect(terminal.hear(say(.position(.init(isStored: false, gps: gps)))).isEmpty)
        #expect(
            terminal.resolve(terminal.reports.first?.request) == say(.echo(0x10, [0x1A, 0x03, 0x0E, 0x01, 0x0F, 0x1E])))
    }

    /// Their frames have neither serial nor time, so two presses have the same bytes; neither may be muted.
    @Test("Each SOS of the look-alike family is a press of its own")
    func lookAlikePresses() {
        let terminal = Terminal()
        terminal.hear(say(.login(imeiNibbles: Terminal.imei, version: 1)))
        for _ in 0..<3 {
            terminal.hear(say(.alarm(0x99, GT06Bytes())))
            #expect(terminal.reports.map(\.report.retransmission) == [false])
            #expect(terminal.reports.first?.report.event.alarms == AlarmSet(.sos))
        }
    }
}
