import TerminalModel
import Testing
import WireBytes

@testable import TerminalProtocols

struct JT808CodecTests {
    private let phone = JT808Phone(nibbles: 0x0177_0000_0101, isLong: false)
    private let longPhone = JT808Phone(nibbles: 0x0177_0000_0102, isLong: true)

    private func wire(_ name: String) throws -> [UInt8] {
        try #require(JT808CorpusTests.frames.first { $0.name == name }?.bytes)
    }

    /// Every down-frame of the corpus from plain values.
    @Test func commandsEncodeToTheDocumentsBytes() throws {
        let centre = JT808Point(latitude: 28_234_567, longitude: 112_987_654)
        let cases: [(String, UInt16, JT808Message)] = [
            (
                "register-reply", 1,
                .registrationReply(JT808RegistrationReply(flowID: 1, result: 0, authCode: "PA-AUTH-01"))
            ),
            ("auth-ack", 2, .platformResponse(JT808Response(flowID: 2, messageID: 0x0102, result: .ok))),
            (
                "location-ack-alarm", 3,
                .platformResponse(JT808Response(flowID: 0x7E7D, messageID: 0x0200, result: .alarmConfirmed))
            ),
            (
                "alarm-manual-confirm", 4,
                .confirmAlarm(JT808AlarmConfirmation(alarmFlowID: 0x7E7D, alarmTypes: 1))
            ),
            (
                "set-parameters", 5,
                .setParameters(
                    JT808ParameterList([
                        JT808Parameter(id: 0x0001, dword: 60), JT808Parameter(id: 0x0013, text: "203.0.113.10"),
                        JT808Parameter(id: 0x0018, dword: 6808), JT808Parameter(id: 0x0028, dword: 10),
                        JT808Parameter(id: 0x0029, dword: 300), JT808Parameter(id: 0x0040, text: "073100000001"),
                        JT808Parameter(id: 0x0048, text: "073100000002"),
                    ]))
            ),
            ("text-tts-2013", 6, .text(JT808Text("请回电", urgent: true, edition: .v2013))),
            ("call-back-listen", 7, .callBack(JT808CallBack(listen: true, phone: "073100000002"))),
            (
                "phonebook-replace", 8,
                .phoneBook(
                    JT808PhoneBook(setting: 1, contacts: [.init(flag: 3, phone: "073100000001", name: "中心")]))
            ),
            (
                "fence-circle-2013", 9,
                .circles(
                    JT808Circles(
                        setting: 1, areas: [.init(id: 7, attributes: 0x28, centre: centre, radiusMetres: 500)]))
            ),
            ("temporary-tracking", 10, .track(JT808Tracking(intervalSeconds: 10, validitySeconds: 600))),
            ("locate-now", 11, .queryLocation(JT808Bytes())),
            ("resend-request", 12, .platformResendRequest(JT808ResendRequest(firstFlowID: 20, indexes: [2]))),
            ("multimedia-ack", 13, .mediaAcknowledgement(JT808MediaAcknowledgement(mediaID: 0x51))),
        ]
        for (name, flow, message) in cases {
            var flowID = flow
            let frames = JT808Codec.encode(message, phone: phone, flowID: &flowID)
            #expect(frames == [try wire(name)], "\(name)")
            #expect(flowID == flow + 1)
        }
        var flowID: UInt16 = 6
        let spoken = JT808Message.text(JT808Text(flags: 0x0E, type: 1, text: "请回电"))
        #expect(JT808Codec.encode(spoken, phone: longPhone, flowID: &flowID) == [try wire("text-tts-2019")])
        #expect(JT808Text("请回电", urgent: true, edition: .v2019) == JT808Text(flags: 0x0E, type: 1, text: "请回电"))
        let down = JT808CorpusTests.frames.filter { $0.direction == "down" }.map(\.name)
        #expect(Set(down) == Set(cases.map(\.0) + ["text-tts-2019"]))
    }

    /// Decoding and encoding again gives the very bytes, for both directions.
    @Test func everyFrameEncodesBackToItsBytes() throws {
        for item in JT808CorpusTests.frames {
            let packet = try decode(item.bytes)
            var flowID = packet.header.flowID
            var frames = JT808Codec.encode(
                packet.message, phone: packet.header.phone, protocolVersion: packet.header.protocolVersion,
                flowID: &flowID)
            if case .part(_, let part) = packet.message {
                frames = [JT808Codec.frame(packet.header, part.bytes[...])]
            }
            #expect(frames == [item.bytes], "\(item.name)")
        }
    }

    @Test(arguments: JT808Edition.allCases) func everyMessageSurvivesTheWire(edition: JT808Edition) throws {
        var random = SplitMix(seed: UInt64(edition.rawValue))
        let profile = JT808Profile(edition: edition)
        for id in JT808RandomMessage.ids {
            for round in 0..<12 {
                let message = JT808RandomMessage.make(id, edition, &random)
                #expect(message.id == id)
                let flow = random.word()
                var flowID = flow
                let frames = JT808Codec.encode(
                    message, phone: edition == .v2019 ? longPhone : phone, edition: edition, flowID: &flowID)
                #expect(flowID == flow &+ UInt16(frames.count))
                let decoded = try assemble(frames, profile)
                #expect(decoded.message == message, "\(message.id) round \(round)")
                #expect(decoded.trailing == [], "\(message.id) round \(round)")
            }
        }
    }

    @Test func randomMessagesCoverEveryId() throws {
        let known = (UInt16.min...UInt16.max).filter { id in
            var input = FieldReader(
                [UInt8](repeating: 0x01, count: 200).span, protocolName: .jt808, message: .number(id), base: 0)
            guard case .unknown? = try? JT808Message(id: id, parsing: &input, edition: .v2013) else { return true }
            return false
        }
        #expect(Set(known) == Set(JT808RandomMessage.ids))
    }

    @Test func longBodiesAreCutIntoPackagesWithConsecutiveFlowIDs() throws {
        var flowID: UInt16 = 65_535
        let text = String(repeating: "好", count: 1000)
        let frames = JT808Codec.encode(
            .text(JT808Text(flags: 8, text: text)), phone: phone, flowID: &flowID)
        #expect(frames.count == 2)
        #expect(flowID == 1)
        let headers = try frames.map { try decode($0).header }
        #expect(headers.map(\.flowID) == [65_535, 0])
        #expect(headers.map(\.package) == [.init(total: 2, index: 1), .init(total: 2, index: 2)])
        #expect(headers.map(\.declaredBodyLength) == [1023, 978])
        let assembled = try assemble(frames, .standard)
        #expect(assembled.message == .text(JT808Text(flags: 8, text: text)))
        #expect(assembled.firstFlowID == 65_535)
    }

    @Test func phonesAreEchoedByteForByte() throws {
        // Nibbles above 9 are shown as they are and echoed as they came (section 4).
        let odd = JT808Phone(nibbles: 0x0F1A_0000_7E7D, isLong: false)
        #expect(odd.text == "0f1a00007e7d")
        var flowID: UInt16 = 1
        let frame = JT808Codec.encode(.linkCheck(JT808Bytes()), phone: odd, flowID: &flowID)[0]
        #expect(try decode(frame).header.phone == odd)
        #expect(JT808Phone(nibbles: 0x101, isLong: false).terminal == JT808Phone(nibbles: 0x101, isLong: true).terminal)
    }

    @Test func paddingBehindTheDeclaredBodyIsLeftOut() throws {
        let plain = JT808Codec.frame(JT808Header(messageID: 0x0301, phone: phone, flowID: 1), [5, 0, 0, 0])
        var bytes = plain
        bytes[4] = 1
        bytes[bytes.count - 2] ^= 4 ^ 1
        let packet = try decode(bytes)
        #expect(packet.message == .event(JT808EventReport(eventID: 5)))
        #expect(packet.trailing == [])
        #expect(packet.lengthMismatch)
    }

    @Test func bytesBehindTheFieldsAreKept() throws {
        let bytes = JT808Codec.frame(JT808Header(messageID: 0x0301, phone: phone, flowID: 1), [5, 9, 8])
        let packet = try decode(bytes)
        #expect(packet.trailing == [9, 8])
        #expect(packet.fields.text.contains("\"trailing\":\"0908\""))
    }

    @Test func registrationsOfBothOldEditionsAreToldByLength() throws {
        for edition in [JT808Edition.v2011, .v2013] {
            let sent = JT808Registration(
                province: 43, city: 100, maker: "PATST", model: "PA-100", terminalID: "PA00101", edition: edition)
            var flowID: UInt16 = 0
            let frame = JT808Codec.encode(.registration(sent), phone: phone, edition: edition, flowID: &flowID)[0]
            #expect(try decode(frame).message == .registration(sent))
        }
    }

    @Test func aShortRegistrationUnderALongHeaderIsReadAsWhatFits() throws {
        let sent = JT808Registration(
            province: 43, city: 100, maker: "PATST", model: "PA-100", terminalID: "PA00101", edition: .v2013)
        var body = ByteWriter()
        sent.write(to: &body, edition: .v2013)
        var flowID: UInt16 = 0
        let frame = JT808Codec.encode(body: body.bytes, messageID: 0x0100, phone: longPhone, flowID: &flowID)[0]
        #expect(try decode(frame).message == .registration(sent))
    }

    // MARK: Helpers

    private func decode(_ wire: [UInt8], _ profile: JT808Profile = .standard) throws -> JT808Packet {
        var framer = JT808Framer()
        var cursor = JT808Framer.Cursor()
        guard case .frame(let run) = framer.next(in: wire.span, at: &cursor) else {
            throw DecodeError(
                .badLength, protocolName: .jt808, field: "frame", offset: 0, expected: "a frame", found: "none")
        }
        return try JT808Codec.decode(
            JT808Frame(checking: framer.contents(of: run, in: wire.span)), profile: profile)
    }

    private func assemble(_ frames: [[UInt8]], _ profile: JT808Profile) throws -> JT808Assembled {
        var reassembly = JT808Reassembly()
        for wire in frames {
            let packet = try decode(wire, profile)
            guard case .part(_, let part) = packet.message else {
                return JT808Assembled(
                    firstFlowID: packet.header.flowID, message: packet.message, trailing: packet.trailing)
            }
            if case .complete(let body) = reassembly.insert(part.bytes, header: packet.header, now: 0) {
                return try JT808Codec.decode(assembled: body, header: packet.header, profile: profile)
            }
        }
        throw DecodeError(
            .badLength, protocolName: .jt808, field: "package", offset: 0, expected: "all packages", found: "fewer")
    }
}
