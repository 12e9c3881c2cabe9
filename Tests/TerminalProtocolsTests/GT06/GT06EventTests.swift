import TerminalModel
import Testing

@testable import TerminalProtocols

struct GT06EventTests {
    private let received = Timestamp("2026-03-14T01:15:40Z")!

    private func login(_ link: inout GT06Link, offset: Int?) {
        let zone = offset.map { GT06Login.zone(utcOffsetMinutes: $0, language: 1) }
        link.logIn(GT06Login(imeiNibbles: 0x0999_9100_0000_0011, typeCode: 0x2203, zone: zone))
    }

    private func location(_ number: UInt8, _ time: String, stored: Bool = false) -> GT06Packet {
        let gps = GT06Position(
            time: GT06Time(Timestamp(time)!), latitudeDegrees: 28.234567, longitudeDegrees: 112.987654)
        let cell = GT06Cell(countryCode: 460, networkCode: 0, areaCode: 1, identity: 2)
        return GT06Packet(
            number: number, serial: 7,
            message: .location(number, GT06Location(gps: gps, cell: cell, trailer: .init(reupload: stored ? 1 : 0))))
    }

    private func time(_ link: inout GT06Link, _ packet: GT06Packet, _ profile: GT06Profile = .standard) -> String? {
        link.events(packet, profile: profile, received: received)[0].deviceTime?.description
    }

    // MARK: Time zones

    @Test func theFirstLiveReportShowsTheZone() {
        for number in [0x12, 0x22, 0xA0] as [UInt8] {
            var utc = GT06Link()
            login(&utc, offset: 480)
            #expect(time(&utc, location(number, "2026-03-14T01:15:30Z")) == "2026-03-14T01:15:30Z")
            #expect(utc.zone == .utc)
            var local = GT06Link()
            login(&local, offset: 480)
            #expect(time(&local, location(number, "2026-03-14T09:15:30Z")) == "2026-03-14T01:15:30Z")
            #expect(local.zone == .local)
            // What is known stays for reports that are older, and for the same terminal's next login.
            #expect(time(&local, location(number, "2026-03-13T09:00:00Z")) == "2026-03-13T01:00:00Z")
            login(&local, offset: 480)
            #expect(local.zone == .local)
            login(&local, offset: nil)
            #expect(local.zone == .local)
            login(&local, offset: 420)
            #expect(local.zone == .undecided)
        }
    }

    @Test func storedReportsDecideNothing() {
        var link = GT06Link()
        login(&link, offset: 480)
        _ = time(&link, location(0x22, "2026-03-14T09:15:30Z", stored: true))
        #expect(link.zone == .undecided)
    }

    @Test func whatFitsNeitherIsUTCAndFlaggedUntilSomethingFits() {
        var link = GT06Link()
        login(&link, offset: 480)
        let events = link.events(location(0x12, "2026-03-14T04:00:00Z"), received: received)
        #expect(link.zone == .doubtful)
        #expect(events[0].extras.contains { $0.name == "clock_doubtful" })
        #expect(events[0].deviceTime?.description == "2026-03-14T04:00:00Z")
        #expect(time(&link, location(0x12, "2026-03-14T09:15:30Z")) == "2026-03-14T01:15:30Z")
        #expect(link.zone == .local)
    }

    @Test func theSiteKnowsTheZoneWhereTheLoginDoesNotTell() {
        var link = GT06Link()
        login(&link, offset: nil)
        let profile = GT06Profile(utcOffsetMinutes: 480)
        #expect(time(&link, location(0x12, "2026-03-14T09:15:30Z"), profile) == "2026-03-14T01:15:30Z")
        #expect(link.zone == .local)
        var utc = GT06Link()
        login(&utc, offset: nil)
        #expect(time(&utc, location(0x12, "2026-03-14T01:15:30Z"), profile) == "2026-03-14T01:15:30Z")
        #expect(utc.zone == .utc)
    }

    @Test func aTimeFarAheadIsNone() {
        var link = GT06Link()
        #expect(time(&link, location(0x22, "2026-03-16T01:15:30Z")) == nil)
    }

    // MARK: Alarms

    private func alarm(_ code: UInt8, information: UInt8 = 0x40) -> GT06Packet {
        let gps = GT06Position(time: GT06Time(received), latitudeDegrees: 28, longitudeDegrees: 112)
        let cell = GT06Cell(countryCode: 460, networkCode: 0, areaCode: 1, identity: 2)
        let status = GT06Status(information: information, power: .level(6), signal: 4, alarm: code)
        return GT06Packet(
            number: 0x26, serial: 1, message: .alarm(0x26, GT06Alarm(0x26, gps: gps, cell: cell, status: status)))
    }

    private func heartbeat(_ information: UInt8) -> GT06Packet {
        GT06Packet(number: 0x13, serial: 2, message: .heartbeat(GT06Heartbeat(information: information)))
    }

    /// The document's table (section 10), row by row.
    @Test func everyAlarmCodeHasItsName() {
        let rows: [(ClosedRange<Int>, String)] = [
            (0x01...0x01, "sos"), (0x02...0x02, "power_cut"), (0x03...0x03, "vibration"), (0x04...0x04, "fence_enter"),
            (0x05...0x05, "fence_exit"), (0x06...0x06, "overspeed"), (0x07...0x08, "other"),
            (0x09...0x09, "displacement"),
            (0x0A...0x0A, "gnss_lost"), (0x0B...0x0B, "gnss_restored"), (0x0C...0x0C, "power_on"),
            (0x0D...0x0D, "other"),
            (0x0E...0x0F, "low_battery"), (0x10...0x10, "sim_changed"), (0x11...0x12, "power_off"),
            (0x13...0x14, "tamper"),
            (0x15...0x15, "power_off"), (0x16...0x17, "other"), (0x18...0x18, "tamper"), (0x19...0x19, "low_battery"),
            (0x1A...0x22, "other"), (0x23...0x23, "fall"), (0x24...0x24, "charging_started"), (0x25...0x25, "removed"),
            (0x26...0x27, "driving"), (0x28...0x28, "other"), (0x29...0x2B, "driving"), (0x2C...0x2C, "collision"),
            (0x2D...0x2D, "rollover"), (0x2E...0x2E, "driving"), (0x2F...0x2F, "other"), (0x30...0x30, "driving"),
            (0x31...0x31, "other"), (0x32...0x32, "removed"), (0x33...0x3B, "other"), (0x3C...0x3D, "tamper"),
            (0x3E...0x3E, "sos"), (0x3F...0x4A, "other"), (0x4B...0x4B, "tilt"), (0x4C...0x5A, "other"),
            (0x5B...0x5C, "temperature"), (0x5D...0xEF, "other"), (0xF0...0xF1, "driving"), (0xF2...0xF2, "collision"),
            (0xF3...0xFF, "other"),
        ]
        for (codes, name) in rows {
            for code in codes { #expect(GT06Alarms.standard[UInt8(code)]?.name == name, "\(code)") }
        }
        #expect(rows.map(\.0.count).reduce(0, +) == 255)
        #expect(GT06Alarms.standard[0] == nil)
    }

    @Test func aModelMayMeanSomethingElse() {
        let alarms = GT06Alarms(overrides: [
            0x01: .help, 0x3E: nil, 0x77: .sos, 0x19: .help, 0: .sos, 256: .sos, -1: .sos,
        ])
        #expect(alarms[0x3E] == nil)
        #expect(alarms[0x77] == .sos)
        #expect(alarms[0] == nil)
        // The SOS key stays the SOS key; the state bits follow the code of their alarm.
        #expect(alarms[0x01] == .sos)
        #expect(alarms.kind(information: 0x20) == .sos)
        #expect(alarms.kind(information: 0x18) == .help)
        #expect(GT06Alarms.standard.kind(information: 0x18) == .lowBattery)
    }

    @Test func stateBitsAreRaisedWhenTheyCome() {
        var link = GT06Link()
        func alarms(_ packet: GT06Packet) -> [AlarmKind] { link.events(packet, received: received)[0].alarms.kinds }
        #expect(alarms(heartbeat(0x60)) == [.sos])
        #expect(alarms(heartbeat(0x60)) == [])
        #expect(alarms(heartbeat(0x58)) == [.lowBattery])
        #expect(alarms(heartbeat(0x60)) == [.sos])
        #expect(alarms(heartbeat(0x40)) == [])
        #expect(alarms(heartbeat(0x60)) == [.sos])
        // The alarm message has said it already; after another message without it the bits are news again.
        #expect(alarms(heartbeat(0x40)) == [])
        #expect(alarms(alarm(0x01, information: 0x60)) == [.sos])
        #expect(alarms(heartbeat(0x60)) == [])
        // An alarm message is never left out.
        #expect(alarms(alarm(0x01, information: 0x60)) == [.sos])
        #expect(alarms(alarm(0x00, information: 0x60)) == [.sos])
    }

    @Test func anotherTerminalOnTheConnectionStartsAfresh() {
        var link = GT06Link()
        login(&link, offset: 480)
        _ = time(&link, location(0x22, "2026-03-14T01:15:30Z"))
        _ = link.events(heartbeat(0x60))
        link.logIn(GT06Login(imeiNibbles: 0x0999_9100_0000_0012))
        #expect(link.terminal == TerminalID("999910000000012"))
        #expect(link.zone == .undecided)
        #expect(link.events(heartbeat(0x60))[0].alarms.contains(.sos))
    }

    @Test func levelsAndPercentages() {
        #expect((0...6).map { GT06Power.batteryPercent(UInt8($0)) } == [0, 17, 33, 50, 67, 83, 100])
        #expect(GT06Power.batteryPercent(100) == 100)
        #expect(GT06Power.batteryPercent(101) == nil)
        #expect((0...5).map { GT06Power.signalPercent(UInt8($0)) } == [0, 25, 50, 75, 100, 5])
        #expect(GT06Power.batteryPercent(pair: 55, 0) == 55)
        #expect(GT06Power.decibelMilliwatts(0xFF) == nil)
    }
}
