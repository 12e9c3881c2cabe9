import TerminalModel
import Testing
import WireBytes

@testable import TerminalProtocols

struct GT06CodecTests {
    private func wire(_ name: String) throws -> [UInt8] {
        try #require(GT06CorpusTests.frames.first { $0.name == name }?.bytes)
    }

    /// Every down-frame of the corpus from plain values.
    @Test func commandsEncodeToTheDocumentsBytes() throws {
        let time = try #require(Timestamp("2026-03-14T01:15:30Z"))
        let cases: [(String, [UInt8])] = [
            ("login-ack", GT06Codec.acknowledgement(0x01, serial: 1)),
            ("heartbeat-13-ack", GT06Codec.acknowledgement(0x13, serial: 2)),
            ("alarm-26-ack", GT06Codec.acknowledgement(0x26, serial: 6)),
            (
                "command-80",
                GT06Codec.encode(.command(GT06Command(serverFlag: 0x00C0_FFEE, text: "WHERE#")), serial: 1)
            ),
            ("time-reply", GT06Codec.encode(.time(GT06ServerTime(time: GT06Time(time))), serial: 18)),
        ]
        for (name, bytes) in cases { #expect(bytes == (try wire(name)), "\(name)") }
        let down = GT06CorpusTests.frames.filter { $0.direction == "down" }.map(\.name)
        #expect(Set(down) == Set(cases.map(\.0)))
    }

    /// Decoding and encoding again gives the very bytes, for both directions.
    @Test func everyFrameEncodesBackToItsBytes() throws {
        for item in GT06CorpusTests.frames {
            let packet = try decode(item.bytes)
            #expect(packet.trailing == [], "\(item.name)")
            let bytes = GT06Codec.encode(packet.message, serial: packet.serial ?? 0, form: packet.form)
            #expect(bytes == item.bytes, "\(item.name)")
            #expect(packet.message.form == packet.form, "\(item.name)")
        }
    }

    @Test(arguments: GT06RandomMessage.numbers) func everyMessageSurvivesTheWire(number: UInt8) throws {
        var random = SplitMix(seed: UInt64(number))
        for round in 0..<200 {
            let message = GT06RandomMessage.make(number, &random)
            #expect(message.number == number)
            let serial = random.word()
            let form: GT06Form? = round % 3 == 0 ? .long : nil
            let packet = try decode(GT06Codec.encode(message, serial: serial, form: form))
            #expect(packet.message == message, "\(message)")
            #expect(packet.serial == serial)
            #expect(packet.trailing == [], "\(message)")
            #expect(!packet.lengthMismatch)
        }
    }

    @Test func everyLookAlikeMessageSurvivesTheWire() {
        var random = SplitMix(seed: 365)
        let login = GT06Codec.encode(.lookAlike(.login(imeiNibbles: 0x0999_9100_0000_0011, version: 1)), serial: 0)
        let framer = GT06Framer()
        for _ in 0..<2000 {
            let message = GT06RandomMessage.lookAlike(&random)
            let bytes = login + GT06Codec.encode(.lookAlike(message), serial: 0)
            var cursor = GT06Framer.Cursor()
            guard case .frame = framer.next(in: bytes.span, at: &cursor),
                case .frame(let run) = framer.next(in: bytes.span, at: &cursor)
            else {
                Issue.record("no frame: \(message)")
                continue
            }
            #expect(run.range == 15..<bytes.count)
            let packet = try? GT06Codec.decode(framer.frame(run, in: bytes.span))
            #expect(packet?.message == .lookAlike(message), "\(message)")
            #expect(packet?.serial == nil)
        }
    }

    /// What the gateway says to the look-alike family, by hand from section 7.14.
    @Test func lookAlikeAnswersHaveTheDocumentsForm() throws {
        func bytes(_ message: GT06LookAlike) -> String { Hex.text(GT06Codec.encode(.lookAlike(message), serial: 9)) }
        #expect(bytes(.loginReply(accepted: true)) == "78780101010d0a")
        #expect(bytes(.loginReply(accepted: false)) == "78780101440d0a")
        let time = try #require(Timestamp("2026-03-14T01:15:30Z"))
        #expect(bytes(.time(time)) == "7878073007ea030e010f1e0d0a")
        #expect(bytes(.echo(0x10, [0x1A, 3, 14, 1, 15, 30])) == "787806101a030e010f1e0d0a")
    }

    @Test func anAlarmInTheUsualLayoutIsMadeOfFewValues() throws {
        let gps = GT06Position(
            time: GT06Time(try #require(Timestamp("2026-03-14T01:15:30Z"))), latitudeDegrees: 28.234567,
            longitudeDegrees: 112.987654, speedKilometresPerHour: 4, courseDegrees: 271)
        let cell = GT06Cell(countryCode: 460, networkCode: 0, areaCode: 0x1A2B, identity: 0xC2D3)
        let status = GT06Status(information: 0x64, power: .level(5), signal: 3, alarm: 1, language: 2)
        let frame = GT06Codec.encode(.alarm(0x26, GT06Alarm(0x26, gps: gps, cell: cell, status: status)), serial: 6)
        #expect(frame == (try wire("alarm-26-sos")))
        let login = GT06Login(
            imeiNibbles: 0x0999_9100_0000_0011, typeCode: 0x2203,
            zone: GT06Login.zone(utcOffsetMinutes: 480, language: 1))
        #expect(GT06Codec.encode(.login(login), serial: 1) == (try wire("login-tz8")))
        #expect(GT06Login.zone(utcOffsetMinutes: -765, language: 0) == 0x4DD8)
        #expect(GT06Login(imeiNibbles: 0, typeCode: 0, zone: 0x4DD8).utcOffsetMinutes == -765)
    }

    @Test func contentTooLongForTheShortFormTakesTheLongOne() throws {
        let content = [UInt8](repeating: 0x33, count: 251)
        let packet = try decode(GT06Codec.frame(0xB2, content, serial: 1))
        #expect(packet.form == .long)
        #expect(packet.message == .unknown(0xB2, GT06Bytes(content)))
    }

    @Test func bytesBehindTheFieldsAreKept() throws {
        let packet = try decode(GT06Codec.frame(0x8A, [26, 3, 14, 1, 15, 30, 9, 8], serial: 1))
        #expect(packet.trailing == [9, 8])
        #expect(packet.fields.text.contains("\"trailing\":\"0908\""))
    }

    /// Every size of content an alarm number can have: nothing traps, and an alarm byte where the layout has one is read.
    @Test func alarmsOfEverySizeAreReadOrKept() throws {
        for number in [0x16, 0x26, 0x27, 0xA3, 0xA4, 0x19, 0xA5, 0x36] as [UInt8] {
            for size in 1...70 {
                let content = [UInt8](repeating: 0, count: size)
                let packet = try decode(GT06Codec.frame(number, content, serial: 1))
                var link = GT06Link()
                #expect(link.events(packet).count == 1, "\(number) \(size)")
            }
        }
    }

    @Test func commandTexts() {
        let texts = GT06CommandTexts(overrides: [
            "call-back": "CALL,{number}#", "message": "TEXT,{text}#", "confirm-alarm": "FIND#",
        ])
        #expect(texts.text(for: .locate) == "WHERE#")
        #expect(texts.text(for: .reportInterval(seconds: 60)) == "TIMER,60#")
        #expect(texts.text(for: .callBack(number: "0731", listen: false)) == "CALL,0731#")
        #expect(texts.text(for: .callBack(number: "0731", listen: true)) == nil)
        #expect(texts.text(for: .message(text: "{number}", urgent: false)) == "TEXT,{number}#")
        #expect(texts.text(for: .message(text: "a#FACTORY#\r\n", urgent: false)) == "TEXT,aFACTORY#")
        #expect(texts.text(for: .confirmAlarm(sequence: 1)) == "FIND#")
        #expect(GT06CommandTexts.standard.text(for: .confirmAlarm(sequence: 1)) == nil)
        #expect(GT06CommandTexts.standard.text(for: .track(intervalSeconds: 1, durationSeconds: 2)) == nil)
        #expect(texts.text(for: .message(text: String(repeating: "x", count: 240), urgent: false)) == nil)
        #expect(texts.text(for: .find) == "FIND#")
        #expect(texts.text(for: .restart) == "RESET#")
        #expect(texts.text(for: .powerOff) == nil)
        #expect(texts.text(for: .fallDetection(isOn: true)) == nil)
        #expect(texts.text(for: .setNumbers(.sos, ["1", "2", "3"])) == "SOS,A,1,2,3#")
        #expect(texts.text(for: .setNumbers(.sos, ["1", "2", "3", "4"])) == nil)
        #expect(texts.text(for: .setNumbers(.centre, ["9"])) == "CENTER,A,9#")
        #expect(texts.text(for: .setNumbers(.centre, [])) == "CENTER,D#")
        #expect(texts.text(for: .setNumbers(.family, ["9"])) == nil)
        #expect(GT06CommandTexts.names == GT06CommandTexts.names.sorted())
    }

    private func decode(_ wire: [UInt8]) throws -> GT06Packet {
        try GT06Codec.decode(GT06Frame(checking: wire.span))
    }
}
