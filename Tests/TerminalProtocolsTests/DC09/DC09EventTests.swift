import TerminalModel
import Testing

@testable import TerminalProtocols

struct DC09EventTests {
    private func alarms(_ data: String, name: String = "ADM-CID", _ profile: DC09Profile = .standard) throws -> AlarmSet
    {
        let bytes = DC09Codec.framed(Array("\"\(name)\"0001L0#100001[#100001|\(data)]".utf8))
        let frame = try DC09Frame(checking: bytes.span)
        return try DC09Codec.decode(frame).event(profile: profile).alarms
    }

    @Test(arguments: [
        ("1100", AlarmKind.sos), ("1101", .sos), ("6101", .sos), ("3101", .sosCleared), ("1102", .welfare),
        ("1110", .fire),
        ("1111", .fire), ("1120", .sos), ("1121", .duress), ("1122", .duress), ("1123", .sos), ("1130", .intrusion),
        ("1137", .tamper), ("1151", .gas), ("1162", .gas), ("1158", .temperature), ("1301", .powerCut),
        ("1302", .lowBattery),
        ("1350", .deviceFault), ("1381", .supervisionLost), ("3381", .supervisionRestored), ("1355", .supervisionLost),
        ("1383", .tamper), ("1384", .lowBattery), ("1305", .powerOn),
        ("1406", .sosCleared), ("3406", .sosCleared), ("1888", .other), ("1150", .other),
    ])
    func contactID(code: String, kind: AlarmKind) throws {
        #expect(try alarms("\(code) 00 001") == AlarmSet(kind))
    }

    @Test(arguments: ["1401", "3401", "1570", "1602", "3130", "3301", "1607"]) func noAlarms(code: String) throws {
        #expect(try alarms("\(code) 00 001").isEmpty)
    }

    @Test(arguments: [
        ("QA", AlarmKind.sos), ("MA", .sos), ("PA", .sos), ("QH", .sosCleared), ("HA", .duress), ("FA", .fire),
        ("GA", .gas),
        ("BA", .intrusion), ("TA", .tamper), ("AT", .powerCut), ("XT", .lowBattery), ("YC", .supervisionLost),
        ("YK", .supervisionRestored),
        ("NA", .welfare),
        ("ZZ", .other),
    ])
    func siaCodes(code: String, kind: AlarmKind) throws {
        #expect(try alarms("Nri0/\(code)001", name: "SIA-DCS") == AlarmSet(kind))
    }

    @Test func modelsChangeTheTable() throws {
        let profile = DC09Profile(
            ModelProfile(alarmCodes: [150: .help, 120: nil, 101: .other, 0x5041: .help, 0x5141: .other]))
        #expect(try alarms("1150 00 001", profile) == AlarmSet(.help))
        #expect(try alarms("1120 00 001", profile).isEmpty)
        #expect(try alarms("NPA1", name: "SIA-DCS", profile) == AlarmSet(.help))
        // The SOS of every model stays it (promise P2).
        #expect(try alarms("1101 00 001", profile) == AlarmSet(.sos))
        #expect(try alarms("NQA1", name: "SIA-DCS", profile) == AlarmSet(.sos))
    }

    @Test func aTimeFarAheadIsNoClaim() throws {
        let bytes = DC09Codec.framed(Array("\"NULL\"0000L0#1[]_02:30:45,03-01-2036".utf8))
        let frame = try DC09Frame(checking: bytes.span)
        let received = try #require(Timestamp("2026-03-01T02:30:45Z"))
        let event = try DC09Codec.decode(frame).event(received: received)
        #expect(event.deviceTime == nil)
    }

    @Test func panelsAreAskedForNothing() {
        #expect(throws: CommandRefusal.self) { try DC09Message.asking(.locate) }
    }
}
