import TerminalModel
import Testing
import WireBytes

@testable import TerminalProtocols

struct WatchEventTests {
    private let header = WatchHeader(maker: "3G", id: WatchID(TerminalID(nibbles: 0x1000000003)))

    private func fix(_ status: UInt32? = 0, at time: String = "2026-03-14T01:16:00Z") -> WatchFix {
        WatchFix(
            time: Timestamp(time).map { WatchTime($0) }, hasFix: true,
            latitude: WatchDecimal(digits: 28_234_567, fractionDigits: 6),
            longitude: WatchDecimal(digits: 112_987_654, fractionDigits: 6), status: status)
    }

    private func event(
        _ fix: WatchFix, keyword: String = "AL", _ profile: WatchProfile = .standard, received: Timestamp? = nil
    ) -> TerminalEvent {
        WatchPacket(header: header, contentLength: 0, message: .report(WatchReport(keyword: keyword, fix: fix)))
            .event(profile: profile, received: received)
    }

    @Test func everyBitHasItsMeaning() {
        let state = [
            "low_battery", "fence_exit", "fence_enter", "removed", "other", "other", "other", "other", "other", "other",
            "other", "other", "other", "other", "power_cut", "other",
        ]
        let alarms = [
            "sos", "low_battery", "fence_exit", "fence_enter", "removed", "fall", "heart_rate", "other", "other",
            "other",
            "other", "other", "other", "other", "other", "other",
        ]
        for bit in 0..<32 {
            #expect(event(fix(1 << UInt32(bit))).alarms.kinds.map(\.name) == [(state + alarms)[bit]], "bit \(bit)")
            #expect(event(fix(1 << UInt32(bit)), keyword: "UD").alarms.isEmpty, "bit \(bit)")
        }
    }

    @Test func aModelSaysWhatACodeMeans() {
        let pendant = WatchProfile(
            alarms: WatchAlarms(overrides: [WatchAlarms.unspecifiedCode: .sos, 22: .fall, 20: nil]))
        #expect(event(fix(0), pendant).alarms == AlarmSet(.sos))
        #expect(event(fix(nil), pendant).alarms == AlarmSet(.sos))
        #expect(event(fix(1 << 22), pendant).alarms == AlarmSet(.fall))
        #expect(event(fix(1 << 20), pendant).alarms.isEmpty)
        #expect(event(fix(1 << 16), pendant).alarms == AlarmSet(.sos))
        // A bit that says nothing by itself does so where the site gives it a meaning.
        let moving = WatchProfile(alarms: WatchAlarms(overrides: [4: .motion, 99: .sos, -1: .sos]))
        #expect(event(fix(1 << 4), moving).alarms == AlarmSet(.motion))
    }

    @Test func aTimeMoreThanADayAheadIsNone() {
        let fix = fix(1 << 16)
        #expect(event(fix, received: Timestamp("2026-03-13T01:15:59Z")).deviceTime == nil)
        #expect(event(fix, received: Timestamp("2026-03-13T01:15:59Z")).alarms == AlarmSet(.sos))
        #expect(event(fix, received: Timestamp("2026-03-13T01:16:00Z")).deviceTime == Timestamp("2026-03-14T01:16:00Z"))
        #expect(event(fix, received: Timestamp("2030-01-01T00:00:00Z")).deviceTime != nil)
        #expect(event(self.fix(at: "2014-12-31T23:59:59Z")).deviceTime == nil)
        #expect(event(self.fix(at: "2015-01-01T00:00:00Z")).deviceTime != nil)
    }

    @Test func coordinatesFollowLetterAndSign() {
        func latitude(_ digits: Int64, _ letter: WatchHemisphere?) -> Double? {
            var fix = fix()
            fix.latitude = WatchDecimal(digits: digits, fractionDigits: 2)
            fix.latitudeHemisphere = letter
            return fix.latitudeDegrees
        }
        #expect(latitude(3348, .north) == 33.48)
        #expect(latitude(3348, .south) == -33.48)
        #expect(latitude(-3348, .south) == -33.48)
        #expect(latitude(-3348, .north) == -33.48)
        #expect(latitude(-3348, nil) == -33.48)
        #expect(latitude(9001, .north) == nil)
    }

    @Test func decimalsAreReadAsWritten() {
        func decimal(_ text: String) -> WatchDecimal? { WatchDecimal(Array(text.utf8).span) }
        #expect(decimal("28.234567")?.value == 28.234567)
        #expect(decimal(" -70.1234560 ")?.value == -70.123456)
        #expect(decimal("000")?.value == 0)
        #expect(decimal("+5.")?.value == 5)
        #expect(decimal(".5")?.value == 0.5)
        #expect(decimal("1.123456789123")?.value == 1.123456789)
        #expect(decimal("999999999999999999")?.digits == 999_999_999_999_999_999)
        for wrong in ["", " ", ".", "-", "1e5", "1.2.3", "1 2", "0x1", "9999999999999999999", "--1"] {
            #expect(decimal(wrong) == nil, "\(wrong)")
        }
        for text in ["28.234567", "-0.05", "7", "-12", "0.00"] { #expect(decimal(text)?.text == text) }
    }

    @Test func everyCommandHasItsKeyword() {
        func text(_ command: TerminalCommand) -> String? {
            WatchMessage.asking(command).map { String(decoding: WatchCodec.encode($0, header: header), as: UTF8.self) }
        }
        #expect(text(.locate) == "[3G*1000000003*0002*CR]")
        #expect(text(.track(intervalSeconds: 5, durationSeconds: 600)) == "[3G*1000000003*0002*CR]")
        #expect(text(.message(text: "请回电", urgent: true)) == "[3G*1000000003*0014*MESSAGE,8BF756DE7535]")
        #expect(text(.callBack(number: "073100000001", listen: false)) == "[3G*1000000003*0011*CALL,073100000001]")
        #expect(text(.callBack(number: "073100000002", listen: true)) == "[3G*1000000003*0014*MONITOR,073100000002]")
        #expect(text(.reportInterval(seconds: 300)) == "[3G*1000000003*000A*UPLOAD,300]")
        #expect(text(.reportInterval(seconds: 1)) == "[3G*1000000003*0009*UPLOAD,60]")
        #expect(text(.reportInterval(seconds: 86_400)) == "[3G*1000000003*000C*UPLOAD,65535]")
        #expect(text(.confirmAlarm(sequence: 1)) == nil)
    }

    @Test func whatIsAnsweredIsAnsweredInItsOwnWay() throws {
        let now = try #require(Timestamp("2026-03-14T01:15:31.250Z"))
        func answer(_ text: String) throws -> String? {
            let bytes = Array(text.utf8)
            let frame = try WatchFrame(checking: bytes.span)
            let packet = try WatchCodec.decode(frame)
            return packet.message.platformReply(header: packet.header, profile: .standard, now: now)
                .map { String(decoding: WatchCodec.encode($0, header: packet.header), as: UTF8.self) }
        }
        func frame(_ content: String, maker: String = "3G") -> String {
            String(
                decoding: WatchCodec.encode(
                    content: Array(content.utf8), header: WatchHeader(maker: maker, id: header.id)), as: UTF8.self)
        }
        let answers = [
            "LK": "LK", "LK,1,2,3": "LK", "LK,1,2": "LK", "INIT": "INIT,1", "INIT,1": "INIT,1", "INIT,a,b": "INIT,1",
            "TKQ": "TKQ", "TKQ2": "TKQ2", "TK,#!AMR": "TK,1", "TK2,#!AMR": "TK2,1", "JXTK,0,a,1,2,xyz": "JXTKR,1",
            "CONFIG,A:1": "CONFIG,1", "bphrt,1,2,3": "bphrt", "oxygen,0,97": "oxygen,1", "btemp2,1,36.5": "btemp2",
            "TIME": "TIME,1773450931", "AL,1": "AL",
        ]
        for (question, expected) in answers { #expect(try answer(frame(question)) == frame(expected), "\(question)") }
        let position = "140326,011600,A,28.234567,N,112.987654,E,0.00,0.0,57.0,9,95,82,1521,3,00010000,0,0"
        for keyword in ["AL", "AL_LTE", "ALCUSTOMER1"] {
            #expect(try answer(frame("\(keyword),\(position)")) == frame("AL"), "\(keyword)")
        }
        for keyword in ["UD", "UD2", "UD_LTE", "WT", "WG"] {
            #expect(try answer(frame("\(keyword),\(position)")) == nil, "\(keyword)")
        }
        // Answers of the watch to commands, and what another platform says: an answer would go on for ever.
        for keyword in [
            "CR", "UPLOAD", "MESSAGE", "TK,1", "AL", "LK,2026-03-14,09:15:31", "TEMP,36", "img,5,1,x", "VERNO,1",
        ] {
            #expect(try answer(frame(keyword)) == nil, "\(keyword)")
        }
        // The index is that of the question, and ZJ sets the clock of the watch.
        #expect(
            try answer("[ZJ*999910000000037*0034*0009*LK,0,0,19]")
                == "[ZJ*999910000000037*0034*0016*LK,2026-03-14,09:15:31]")
    }
}
