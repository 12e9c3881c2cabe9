import TerminalModel
import TerminalProtocols
import Testing
import WireBytes

struct EV07BEventTests {
    private let t0: UInt32 = 1_773_450_930
    private let at = "2026-03-14T01:15:30Z"

    private func events(
        _ blocks: [EV07BBlock], _ profile: EV07BProfile = .standard, received: Timestamp? = nil
    ) throws -> [TerminalEvent] {
        let wire = EV07BCodec.encode(
            EV07BMessage(.data, blocks), header: EV07BHeader(properties: 0x10, sequence: 3))
        return try EV07BFrame(checking: wire.span).events(
            terminal: TerminalID(nibbles: 0x42), profile: profile, received: received)
    }

    private func alarm(_ bit: Int, _ profile: EV07BProfile = .standard) throws -> TerminalEvent {
        let value =
            bit < 32
            ? EV07BAlarm(flags: 1 << UInt32(bit), time: t0)
            : EV07BAlarm(flags: 0, time: t0, extendedFlags: 1 << UInt32(bit - 32))
        let all = try events([EV07BBlock(key: EV07BKey.alarm, value)], profile)
        #expect(all.count == 1)
        return all[0]
    }

    @Test func everyBitHasTheMeaningOfTheDocument() throws {
        let names: [String?] = [
            "low_battery", "overspeed", "fall", "tilt", "fence_exit", "fence_exit", "fence_exit", "fence_exit",
            "power_off", "power_on", "motion", "no_motion", "sos", "other", "other", "charging_started",
            "charging_stopped", "sos_cleared", "welfare", "welfare", "other", "fall_cleared", "other", nil,
            "home_leave", "home_arrive", nil, nil, nil, nil, "beacon_lost", nil, "removed",
        ]
        for (bit, name) in names.enumerated() {
            #expect(try alarm(bit).alarms.kinds.map(\.name) == (name.map { [$0] } ?? []), "bit \(bit)")
        }
        #expect(try alarm(33).alarms.isEmpty)
        #expect(try alarm(13).keys == [1])
        #expect(try alarm(14).keys == [2])
    }

    @Test func aModelChangesItsRowsOnly() throws {
        let welfare = EV07BProfile(alarms: EV07BAlarms(overrides: [13: .welfare, 14: .help, 10: .fall, 11: nil]))
        #expect(try alarm(13, welfare).alarms == AlarmSet(.welfare))
        // What the site calls something is no longer a key without a name.
        #expect(try alarm(13, welfare).keys.isEmpty)
        #expect(try alarm(14, welfare).alarms == AlarmSet(.help))
        #expect(try alarm(10, welfare).alarms == AlarmSet(.fall))
        #expect(try alarm(11, welfare).alarms.isEmpty)
        #expect(try alarm(12, welfare).alarms == AlarmSet(.sos))
        // The SOS key is one whatever the site says (promise P2).
        for meaning in [AlarmKind.other, nil] {
            let muted = EV07BProfile(alarms: EV07BAlarms(overrides: [12: meaning]))
            #expect(try alarm(12, muted).alarms == AlarmSet(.sos))
        }
        #expect(EV07BAlarms.standard[12] == .sos)
        #expect(EV07BAlarms.standard[64] == nil)
    }

    @Test func anSOSIsStatedWithEveryOtherBit() throws {
        let all = try events([EV07BBlock(key: EV07BKey.alarm, EV07BAlarm(flags: .max, time: t0, extendedFlags: .max))])
        #expect(all[0].alarms.contains(AlarmKind.sos))
        #expect(all[0].alarms.contains(AlarmKind.fall))
        #expect(all[0].alarms.contains(AlarmKind.fenceEnter))
        #expect(!all[0].alarms.contains(AlarmKind.fenceExit))
    }

    @Test func wrongClocksStateNoTimeAndKeepTheRawValue() throws {
        let status = EV07BBlock(key: EV07BKey.status, EV07BStatus(time: t0, bits: 0))
        func time(received: String) throws -> Timestamp? {
            try events([status], received: Timestamp(received))[0].deviceTime
        }
        #expect(try time(received: at) == Timestamp(at))
        #expect(try time(received: "2026-03-13T01:15:30Z") == Timestamp(at))
        #expect(try time(received: "2026-03-13T01:15:29Z") == nil)
        #expect(try time(received: "2027-03-15T01:15:30Z") == Timestamp(at))
        #expect(try time(received: "2027-03-15T01:15:31Z") == nil)
        let late = try events([status], received: Timestamp("2028-01-01T00:00:00Z"))[0]
        #expect(late.extras.map(\.name) == ["time"])
        #expect(late.extras[0].hex == "b2b6b469")
        for unset in [0, 1, 1_262_304_000, 1_293_839_999] as [UInt32] {
            let status = EV07BBlock(key: EV07BKey.status, EV07BStatus(time: unset, bits: 0))
            #expect(try events([status])[0].deviceTime == nil)
        }
    }

    /// About ninety records fit one frame (section 12); the alarm of each stays with it.
    @Test func manyStoredRecordsKeepTheirAlarms() throws {
        var blocks = [EV07BBlock(key: EV07BKey.identity, EV07BIdentity(imei: "999910000000029"))]
        for index in 0..<90 as Range<UInt32> {
            blocks.append(EV07BBlock(key: EV07BKey.status, EV07BStatus(time: t0 + index * 60, bits: 0x81)))
            if index % 30 == 10 {
                blocks.append(EV07BBlock(key: EV07BKey.alarm, EV07BAlarm(flags: 1 << 12, time: t0 + index * 60)))
            }
            blocks.append(
                EV07BBlock(
                    key: EV07BKey.gps, EV07BGPS(latitude: Int32(index), longitude: 1, hdop: 10, satellites: 5)))
        }
        let all = try events(blocks)
        #expect(all.count == 90)
        #expect(all.indices.filter { all[$0].alarms.contains(AlarmKind.sos) } == [10, 40, 70])
        #expect(all.allSatisfy { $0.historical })
        #expect(all[89].deviceTime == Timestamp(seconds: Int64(t0) + 89 * 60))
    }

    @Test func identitiesThatAreNoNumbersAreNone() throws {
        func terminal(_ value: [UInt8]) throws -> String? {
            let wire = EV07BCodec.encode(
                EV07BMessage(.data, [EV07BBlock(key: EV07BKey.identity, bytes: value)]),
                header: EV07BHeader(properties: 0, sequence: 0))
            return try EV07BFrame(checking: wire.span).terminal?.description
        }
        #expect(try terminal(Array("999910000000029".utf8)) == "999910000000029")
        #expect(try terminal(Array("999910000000029PA-7".utf8)) == "999910000000029")
        #expect(try terminal(Array("9999100000000297".utf8)) == "999910000000029")
        #expect(try terminal(Array("12345".utf8)) == "12345")
        #expect(try terminal(Array("12345".utf8) + [UInt8](repeating: 0, count: 10)) == "12345")
        #expect(try terminal(Array("99991000000002a".utf8)) == nil)
        #expect(try terminal([]) == nil)
        #expect(try terminal(Array("000000000000000".utf8)) == nil)
    }

    /// A configuration frame has other keys of the same numbers.
    @Test func onlyReportsNameATerminal() throws {
        let wire = EV07BCodec.encode(
            EV07BMessage(.configuration, [EV07BBlock(key: 0x01, EV07BIdentity(imei: "999910000000029"))]),
            header: EV07BHeader(properties: 0, sequence: 0))
        #expect(try EV07BFrame(checking: wire.span).terminal == nil)
    }
}
