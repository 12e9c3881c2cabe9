import TerminalModel
import Testing
import WireBytes

@testable import TerminalProtocols

struct EV07BCodecTests {
    private func wire(_ name: String) throws -> [UInt8] {
        try #require(EV07BCorpusTests.frames.first { $0.name == name }?.bytes)
    }

    /// Every down-frame of the corpus from plain values.
    @Test func commandsEncodeToTheDocumentsBytes() throws {
        let centre = EV07BPoint(latitude: 282_345_678, longitude: 1_129_876_543)
        let now = try #require(Timestamp("2026-03-14T01:15:30Z"))
        let cases: [(String, UInt8, UInt16, EV07BMessage)] = [
            ("ack-ok", 0x00, 101, .response(.ok)),
            ("ack-crc-error", 0x00, 102, .response(.checksum)),
            ("service-time-reply", 0x00, 107, .time(now)),
            ("locate-now", 0x10, 1, .locate),
            ("set-number-0", 0x10, 2, .set(EV07BBlock(key: 0x30, EV07BNumberSlot(slot: 0, number: "073100000001")))),
            (
                "set-intervals", 0x10, 3,
                .set(
                    EV07BBlock(
                        key: 0x44,
                        EV07BIntervals(heartbeatSeconds: 270, uploadSeconds: 300, idleUploadSeconds: 3600)))
            ),
            (
                "set-fence-1", 0x10, 4,
                .set(
                    EV07BBlock(
                        key: 0x51,
                        EV07BFence(
                            index: 0, isEnabled: true, alertsOnEntering: false, radiusMetres: 500, points: [centre])))
            ),
            ("read-config", 0x10, 5, .readSettings([0x02, 0x30, 0x43])),
            ("find-me", 0x10, 6, EV07BControl.findMe.message),
        ]
        for (name, properties, sequence, message) in cases {
            let header = EV07BHeader(properties: properties, sequence: sequence)
            #expect(try EV07BCodec.encode(message, header: header) == wire(name), "\(name)")
        }
        let down = EV07BCorpusTests.frames.filter { $0.direction == "down" }.map(\.name)
        #expect(Set(down) == Set(cases.map(\.0)))
    }

    @Test func everyFrameEncodesBackToItsBytes() throws {
        for item in EV07BCorpusTests.frames {
            let packet = try EV07BCodec.decode(EV07BFrame(checking: item.bytes.span))
            #expect(packet.trailing == [])
            #expect(EV07BCodec.encode(packet.message, header: packet.header) == item.bytes, "\(item.name)")
        }
    }

    /// Every value of every key of every command, alone and many in one frame.
    @Test func everyMessageSurvivesTheWire() throws {
        var random = SplitMix(seed: 7)
        for (command, rows) in EV07BRow.tables {
            for _ in 0..<40 {
                var message = EV07BMessage(command)
                for row in rows.values.shuffled(using: &random) {
                    let value = EV07BRandomMessage.value(row, &random)
                    let block = Self.block(row.key, value)
                    let isSame = Self.reads(value, from: block)
                    #expect(isSame, "\(command) key \(row.key): \(value)")
                    #expect(block.value.count >= row.minimumByteCount || Self.mayBeEmpty(row), "key \(row.key)")
                    message.blocks.append(block)
                }
                let header = EV07BHeader(properties: random.byte() & 0x3E, sequence: random.word())
                let packet = try Self.decode(EV07BCodec.encode(message, header: header))
                #expect(packet == EV07BPacket(header: header, message: message))
            }
        }
        for result in UInt8.min...UInt8.max {
            let message = EV07BMessage.response(EV07BResult(rawValue: result))
            let packet = try Self.decode(EV07BCodec.encode(message, header: EV07BHeader(properties: 0, sequence: 1)))
            #expect(packet.message.result?.rawValue == result)
        }
    }

    private static func block(_ key: UInt8, _ value: some EV07BValue) -> EV07BBlock { EV07BBlock(key: key, value) }

    private static func reads<Value: EV07BValue>(_ value: Value, from block: EV07BBlock) -> Bool {
        block.read(Value.self) == value
    }

    private static func mayBeEmpty(_ row: EV07BRow) -> Bool {
        row.type is EV07BCounts.Type || row.type is EV07BReadings.Type || row.type is EV07BPlace.Type
            || row.type is EV07BBytes.Type
    }

    private static func decode(_ wire: [UInt8]) throws -> EV07BPacket {
        try EV07BCodec.decode(EV07BFrame(checking: wire.span))
    }

    @Test func aFirmwareUploadIsSentWithLengthZero() throws {
        let upload = EV07BMessage(.firmware, [EV07BBlock(key: 0x11, bytes: [UInt8](repeating: 9, count: 1000))])
        let wire = EV07BCodec.encode(upload, header: EV07BHeader(properties: 0x10, sequence: 1))
        #expect(Array(wire[8..<12]) == [0x7E, 0x00, 0x11, 9])
        #expect(try Self.decode(wire).message == upload)
        // Anywhere else a length of 0 ends the body.
        let broken = EV07BCodec.frame(
            body: [0x01, 2, 0x10, 50, 0, 0x11, 9], header: EV07BHeader(properties: 0, sequence: 1))
        let packet = try Self.decode(broken)
        #expect(packet.message.blocks == [EV07BBlock(key: 0x10, bytes: [50])])
        #expect(packet.trailing == [0, 0x11, 9])
    }

    @Test func aPositiveReplyOfTheRevisedEditionIsTheCommandAlone() throws {
        let wire = EV07BCodec.frame(body: [0x7F], header: EV07BHeader(properties: 0x01, sequence: 3))
        #expect(try Self.decode(wire).message.result == .ok)
    }

    @Test func aLongSpeechIsCutBetweenTwoLetters() throws {
        let message = EV07BMessage.speech(String(repeating: "好", count: 200))
        let block = try #require(message.blocks.first)
        #expect(block.value.count <= EV07BBlock.maximumValueBytes)
        #expect(block.read(EV07BSpeech.self).text == String(repeating: "好", count: 84))
    }

    @Test func everyCommandOfTheGatewayHasMessagesOrAReason() {
        typealias Asking = EV07BMessage.Asking
        #expect(EV07BMessage.asking(.locate) == .messages([.locate]))
        #expect(EV07BMessage.asking(.find) == .messages([EV07BControl.findMe.message]))
        #expect(EV07BMessage.asking(.restart) == .messages([EV07BControl.reboot.message]))
        #expect(EV07BMessage.asking(.powerOff) == .messages([EV07BControl.powerOff.message]))
        #expect(EV07BMessage.asking(.message(text: "已接警", urgent: true)) == .messages([.speech("已接警")]))
        let intervals = EV07BIntervals(heartbeatSeconds: 270, uploadSeconds: 60, idleUploadSeconds: 60)
        #expect(
            EV07BMessage.asking(.reportInterval(seconds: 60)) == .messages([.set(EV07BBlock(key: 0x44, intervals))]))
        let track = EV07BContinuousLocating(intervalSeconds: 10, durationSeconds: 600)
        #expect(
            EV07BMessage.asking(.track(intervalSeconds: 10, durationSeconds: 600))
                == .messages([.set(EV07BBlock(key: 0x45, track)), .locateContinuously]))
        let end = EV07BContinuousLocating(intervalSeconds: 1, durationSeconds: 1)
        #expect(
            EV07BMessage.asking(.track(intervalSeconds: 0, durationSeconds: 600))
                == .messages([.set(EV07BBlock(key: 0x45, end)), .locateContinuously]))
        let fall = EV07BFall(level: 5, isAlwaysOn: false, dials: false, isEnabled: true)
        #expect(EV07BMessage.asking(.fallDetection(isOn: true)) == .messages([.set(EV07BBlock(key: 0x56, fall))]))
        for command in [
            TerminalCommand.callBack(number: "073100000001", listen: false), .confirmAlarm(sequence: 5),
            .setNumbers(.family, ["073100000001"]), .setNumbers(.sos, Array(repeating: "073100000001", count: 11)),
        ] {
            guard case .impossible(let reason) = EV07BMessage.asking(command) else {
                Issue.record("\(command)")
                continue
            }
            #expect(!reason.isEmpty)
        }
    }

    @Test func numbersFillTheListAndEmptyTheRest() {
        guard case .messages(let messages) = EV07BMessage.asking(.setNumbers(.sos, ["073100000001", "073100000002"]))
        else {
            Issue.record("no message")
            return
        }
        #expect(messages.count == 1)
        let slots = messages[0].blocks.map { $0.read(EV07BNumberSlot.self) }
        #expect(slots.map(\.slot) == Array(0..<10))
        #expect(slots.map(\.number) == ["073100000001", "073100000002"] + Array(repeating: "", count: 8))
        #expect(slots.map(\.isEnabled) == [true, true] + Array(repeating: false, count: 8))
    }

    // MARK: Replies

    private func reply(_ command: EV07BCommand, _ keys: [UInt8], wanted: Bool = true) throws -> EV07BReply {
        let message = EV07BMessage(command, keys.map { EV07BBlock(key: $0) })
        let wire = EV07BCodec.encode(message, header: EV07BHeader(properties: wanted ? 0x10 : 0, sequence: 1))
        return EV07BReply(to: try EV07BFrame(checking: wire.span))
    }

    @Test func everyFrameHasTheReplyOfTheDocument() throws {
        #expect(try reply(.data, [0x01, 0x24]) == .result(.ok))
        #expect(try reply(.data, [0x01, 0x24], wanted: false) == .nothing)
        #expect(try reply(.services, [0x01, 0x10]) == .result(.ok))
        #expect(try reply(.services, [0x01, 0x10], wanted: false) == .nothing)
        #expect(try reply(.services, [0x01, 0x24]) == .result(.ok))
        #expect(try reply(.services, [0x01, 0x12]) == .time)
        #expect(try reply(.services, [0x01, 0x10, 0x13, 0x12], wanted: false) == .time)
        #expect(try reply(.services, [0x01, 0x21]) == .result(.positionNotReady))
        #expect(try reply(.services, [0x01, 0x22, 0x11]) == .result(.positionNotReady))
        for key in [0x11, 0x13, 0x14] as [UInt8] {
            #expect(try reply(.services, [0x01, key]) == .result(.unsupported))
        }
        #expect(try reply(.services, [0x01, 0x77]) == .result(.noSuchService))
        #expect(try reply(.configuration, [0x02]) == .result(.ok))
        #expect(try reply(.response, [0x00]) == .nothing)
        let now = Timestamp(seconds: 1_773_450_930)
        #expect(EV07BReply.nothing.message(now: now) == nil)
        #expect(EV07BReply.result(.unsupported).message(now: now) == .response(.unsupported))
        #expect(EV07BReply.time.message(now: now) == .time(now))
    }
}
