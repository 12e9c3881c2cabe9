import TerminalModel
import TerminalProtocols
import Testing
import WireBytes

struct JT808EventTests {
    private let header = JT808Header(
        messageID: 0x0200, phone: JT808Phone(nibbles: 0x0177_0000_0101, isLong: false), flowID: 7)

    private func event(
        _ basic: JT808BasicLocation, _ profile: JT808Profile = .standard, received: Timestamp? = nil
    ) -> TerminalEvent {
        JT808Message.location(JT808Location(basic: basic)).events(
            header: header, profile: profile, received: received)[0]
    }

    private func basic(_ alarms: UInt32 = 0, time: UInt64 = 0x2603_1409_1530) -> JT808BasicLocation {
        JT808BasicLocation(
            alarmFlags: alarms, status: 2, latitude: 28_234_567, longitude: 112_987_654,
            time: JT808Time(rawValue: time))
    }

    @Test func theOffsetOfATerminalShiftsItsTime() {
        #expect(event(basic()).deviceTime == Timestamp("2026-03-14T01:15:30Z"))
        #expect(event(basic(), JT808Profile(utcOffsetMinutes: 0)).deviceTime == Timestamp("2026-03-14T09:15:30Z"))
    }

    @Test func aTimeMoreThanADayAheadIsNone() {
        let received = Timestamp("2026-03-13T01:15:29Z")
        #expect(event(basic(1), received: received).deviceTime == nil)
        #expect(event(basic(1), received: received).alarms == AlarmSet(.sos))
        #expect(event(basic(), received: Timestamp("2026-03-13T01:15:30Z")).deviceTime != nil)
        // An old time is only a claim.
        #expect(event(basic(), received: Timestamp("2030-01-01T00:00:00Z")).deviceTime != nil)
    }

    @Test func everyBitHasItsStandardMeaning() {
        let names = [
            "sos", "overspeed", "driving", "other", "gnss_fault", "gnss_fault", "gnss_fault", "low_battery",
            "power_cut", "device_fault", "device_fault", "device_fault", "device_fault", "overspeed", "driving",
            "driving", "other", "other", "driving", "other", "fence_cross", "fence_cross", "driving", "fence_exit",
            "device_fault", "device_fault", "tamper", "tamper", "displacement", "collision", "rollover", "tamper",
        ]
        for (bit, name) in names.enumerated() {
            #expect(event(basic(1 << UInt32(bit))).alarms.kinds.map(\.name) == [name], "bit \(bit)")
        }
        #expect(event(basic(.max)).alarms.contains(AlarmKind.sos))
    }

    @Test func aModelChangesItsRowsOnly() {
        let fall = JT808Profile(alarms: JT808Alarms(overrides: [29: .fall, 16: nil]))
        #expect(event(basic(1 << 29), fall).alarms == AlarmSet(.fall))
        #expect(event(basic(1 << 16), fall).alarms.isEmpty)
        #expect(event(basic(1), fall).alarms == AlarmSet(.sos))
        let wireless = JT808Profile(alarms: .wirelessTracker)
        #expect(event(basic(1 << 17), wireless).alarms == AlarmSet(.removed))
        #expect(JT808Alarms(overrides: [99: .fall])[99] == nil)
    }

    @Test func noModelTakesTheEmergencyBitAway() {
        #expect(JT808Alarms(overrides: [0: nil])[0] == .sos)
        let quiet = ModelProfile(name: "quiet", alarmCodes: [0: .other, 7: nil])
        let profile = JT808Profile(quiet, utcOffsetMinutes: 480)
        #expect(event(basic(0x81), profile).alarms == AlarmSet(.sos))
    }

    @Test func whatTheSiteSaysOfAModelGoesBeforeWhatIsBuiltIn() {
        let model = ModelProfile(name: "wireless-tracker", edition: 2011, alarmCodes: [17: .fall])
        let profile = JT808Profile(model, utcOffsetMinutes: 0)
        #expect(profile.alarms[17] == .fall)
        #expect(profile.alarms[16] == .vibration)
        #expect(profile.edition == .v2011)
        #expect(profile.utcOffsetMinutes == 0)
    }

    @Test func vendorAlarmsCanBeSwitchedOff() {
        let location = JT808Location(basic: basic(), items: [(id: 0xE8, value: [0x0C, 0x01])])
        let quiet = JT808Profile(alarms: JT808Alarms(readsVendorItems: false))
        let message = JT808Message.location(location)
        #expect(message.events(header: header)[0].alarms == AlarmSet(.sos))
        #expect(message.events(header: header, profile: quiet)[0].alarms.isEmpty)
    }

    @Test func aBatchTellsStoredFromLive() {
        let items = [JT808Location(basic: basic(1)), JT808Location(basic: basic())]
        for type in [UInt8(0), 1] {
            let events = JT808Message.batch(JT808Batch(type: type, items: items)).events(header: header)
            #expect(events.map(\.historical) == [type == 1, type == 1])
            #expect(events[0].alarms == AlarmSet(.sos))
        }
        #expect(JT808Message.batch(JT808Batch(type: 1, items: [])).events(header: header).count == 1)
    }

    @Test func aBrokenItemDoesNotTakeTheBatchAlong() throws {
        var body = ByteWriter()
        body.uint16BE(3)
        body.uint8(1)
        body.uint16BE(2)
        body.append([0, 0])
        body.uint16BE(28)
        body.uint32BE(1)
        body.append([UInt8](repeating: 0, count: 24))
        body.uint16BE(500)
        body.append([1, 2, 3])
        var header = header
        header.messageID = 0x0704
        let assembled = try JT808Codec.decode(assembled: body.bytes, header: header)
        let events = assembled.message.events(header: header)
        #expect(events.count == 1)
        #expect(events[0].alarms == AlarmSet(.sos))
        #expect(assembled.trailing == [0x01, 0xF4, 1, 2, 3])
    }

    @Test func itemsOfOneIdKeepTheirOwnNames() {
        let items: [(id: UInt8, value: [UInt8])] = [(0x51, [1]), (0x51, [2]), (0x52, [3]), (0x51, [4])]
        let event = JT808Message.location(JT808Location(basic: basic(), items: items)).events(header: header)[0]
        #expect(event.extras.map(\.name) == ["0x51", "0x51#2", "0x52", "0x51#3"])
    }

    @Test func theFirstPackageOfAReportStatesItsAlarms() throws {
        var header = header
        header.package = .init(total: 2, index: 1)
        var body = ByteWriter()
        body.uint32BE(1)
        body.append([UInt8](repeating: 0, count: 30))
        var decoder = JT808OfflineDecoder()
        let found = decoder.decode(frame: JT808Codec.frame(header, body.bytes[...]))
        #expect(found.flatMap(\.events).map(\.alarms) == [AlarmSet(.sos)])
    }

    @Test func aLonePackageIsACompleteMessage() {
        var header = header
        header.messageID = 0x0301
        header.package = .init(total: 1, index: 1)
        var decoder = JT808OfflineDecoder()
        let found = decoder.decode(frame: JT808Codec.frame(header, [5]))
        #expect(found.flatMap(\.events).map(\.keys) == [[5]])
    }

    @Test func commandsBecomeMessages() throws {
        let cases: [(TerminalCommand, UInt16, UInt16)] = [
            (.locate, 0x8201, 0x0201), (.message(text: "好", urgent: true), 0x8300, 0x0001),
            (.callBack(number: "073100000001", listen: false), 0x8400, 0x0001),
            (.reportInterval(seconds: 30), 0x8103, 0x0001),
            (.track(intervalSeconds: 5, durationSeconds: 600), 0x8202, 0x0001),
            (.confirmAlarm(sequence: 7), 0x8203, 0x0001),
            (.setNumbers(.sos, ["073100000001"]), 0x8103, 0x0001), (.setNumbers(.monitor, []), 0x8103, 0x0001),
            (.setNumbers(.family, ["13100000001", "13100000002"]), 0x8401, 0x0001),
            (.restart, 0x8105, 0x0001), (.powerOff, 0x8105, 0x0001),
        ]
        for (command, id, answer) in cases {
            let asked = try JT808Message.asking(command, edition: .v2013)
            #expect(asked.message.id == id)
            #expect(asked.answer == answer)
        }
    }

    @Test(arguments: [
        (TerminalCommand.setNumbers(.sos, ["073100000001"]), [1, 0, 0, 0, 0x40, 12] + Array("073100000001".utf8)),
        (.setNumbers(.monitor, []), [1, 0, 0, 0, 0x48, 0]),
        (.setNumbers(.family, ["1"]), [1, 1, 3, 1, 0x31, 1, 0x31]), (.setNumbers(.family, []), [0]),
        (.powerOff, [3]), (.restart, [4]),
    ])
    func bodiesOfCommands(command: TerminalCommand, body: [UInt8]) throws {
        var flowID: UInt16 = 0
        let message = try JT808Message.asking(command, edition: .v2013).message
        let frames = JT808Codec.encode(message, phone: JT808Phone(nibbles: 1, isLong: false), flowID: &flowID)
        #expect(Array(try #require(frames.first).dropFirst(13).dropLast(2)) == body)
    }

    @Test func whatTheStandardCannotSayIsRefusedWithItsReason() {
        let two = TerminalCommand.setNumbers(.sos, ["1", "2"])
        for command in [TerminalCommand.find, .fallDetection(isOn: true), two] {
            let refusal = #expect(throws: CommandRefusal.self) {
                try JT808Message.asking(command, edition: .v2019)
            }
            #expect(refusal?.reason.hasPrefix("JT/T 808 ") == true)
        }
    }

    @Test func explainingNamesWhatIsWrong() throws {
        let sos = try #require(JT808CorpusTests.frames.first { $0.name == "location-sos-escaped" }?.bytes)
        let rows = JT808OfflineDecoder().explain(sos)
        #expect(!rows.contains { $0.isWrong })
        // Together the rows hold every unescaped byte of the frame once, in order.
        var offset = 0
        for row in rows {
            #expect(row.offset == offset)
            offset += row.bytes.count
        }
        #expect(offset == sos.count - 4)
        #expect(rows.contains { $0.field == "alarm flags" && $0.meaning == "bit 0 sos" })

        var broken = sos
        broken[30] ^= 1
        let wrong = JT808OfflineDecoder().explain(broken).filter(\.isWrong)
        #expect(wrong.map(\.field) == ["check code"])
        let cut = JT808OfflineDecoder().explain(Array(sos.dropLast(3))).filter(\.isWrong).map(\.field)
        #expect(cut.contains("flag"))
    }

    @Test func everyExplainedRowOfTheCorpusFollowsTheLast() {
        for item in JT808CorpusTests.frames {
            var offset = 0
            for row in JT808OfflineDecoder().explain(item.bytes) {
                #expect(row.offset == offset, "\(item.name) \(row.field)")
                #expect(!row.isWrong, "\(item.name) \(row.field)")
                offset += row.bytes.count
            }
        }
    }

    @Test func theRegistryFindsTheProtocol() {
        #expect(ProtocolRegistration.recognised(in: JT808CorpusTests.frames[0].bytes)?.name == .jt808)
        #expect(ProtocolRegistration.recognised(in: Array("(hello)".utf8)) == nil)
        #expect(ProtocolRegistration.all.map(\.name.rawValue) == ProtocolRegistration.all.map(\.name.rawValue).sorted())
    }
}
