import IncidentCore
import TerminalModel
import Testing

/// Promise P7: no writing of an emergency number leaves the process before commissioning.
@Suite struct DialGuardTests {
    static let emergency: [(String, String)] = [
        ("110", "110"), ("112", "112"), ("119", "119"), ("120", "120"), ("122", "122"),
        (" 120 ", "120"), ("1 2 0", "120"), ("1-2-0", "120"), ("(120)", "120"), ("1.2.0", "120"), ("1/2/0", "120"),
        ("１２０", "120"), ("１ ２ ０", "120"), ("1２0", "120"), ("１－２－０", "120"), ("（１２０）", "120"),
        ("\u{661}\u{662}\u{660}", "120"), ("\u{6F1}\u{6F2}\u{6F0}", "120"), ("\u{967}\u{968}\u{966}", "120"),
        ("\u{1D7CF}\u{1D7D0}\u{1D7CE}", "120"), ("¹²⁰", "120"), ("①②⓪", "120"),
        ("1\u{200B}2\u{200D}0", "120"), ("\u{202D}120\u{202C}", "120"), ("1\u{A0}2\u{3000}0", "120"),
        ("1\u{2013}2\u{2014}0", "120"), ("1\u{336}2\u{336}0\u{336}", "120"),
        ("+86120", "120"), ("+86 120", "120"), ("0086120", "120"), ("0086 120", "120"), ("86120", "120"),
        ("86-120", "120"), ("＋８６１２０", "120"), ("+86-0731-120", "120"), ("+86 (0)731 120", "120"),
        ("+86731120", "120"), ("+86 731 120", "120"), ("0086-731-120", "120"), ("0086 0731 120", "120"),
        ("86731120", "120"), ("86 0731 120", "120"), ("+8610120", "120"), ("+862 1120", "120"),
        ("0731-120", "120"), ("0731120", "120"), ("07311 20", "120"), ("0731 1 2 0", "120"), ("010-120", "120"),
        ("010110", "110"), ("021 119", "119"), ("0755.122", "122"), ("(0731)120", "120"), ("０７３１－１２０", "120"),
        ("731120", "120"), ("10120", "120"), ("0 120", "120"), ("9120", "120"), ("0,120", "120"), ("00120", "120"),
        ("9 0731-120", "120"), ("90731120", "120"), ("9,010-120", "120"), ("9010120", "120"),
        ("9 0731-1201", "120"),
        ("9 0086 731 120", "120"), ("917951120", "120"), ("9 17909 0731 110", "110"), ("９０１０１２０", "120"),
        ("17909120", "120"), ("17909 0731 120", "120"), ("17951120", "120"), ("12593120", "120"), ("17911-120", "120"),
        ("17909 17951 120", "120"), ("17909 86 731 120", "120"), ("193120", "120"), ("1930731120", "120"),
        ("120,", "120"), ("120,120", "120"), ("120p1w;", "120"), ("120;", "120"), ("120w", "120"), ("p120", "120"),
        ("120#", "120"), ("*31#120", "120"), ("#31#120", "120"), ("**21*120#", "120"), ("tel:120", "120"),
        ("tel:+86-120", "120"), ("sip:120@host", "120"), ("120@host", "120"), ("120\r\n", "120"), ("120\0", "120"),
        ("ATD120;", "120"), ("120 ext 5", "120"), ("1x2x0", "120"), ("1201", "120"), ("120120", "120"),
        ("1200000", "120"), ("0731-1201234", "120"), ("110110", "110"), ("120+", "120"), ("++120", "120"),
        ("+120", "120"), ("+112", "112"), ("+0731120", "120"), ("911", "911"), ("999", "999"), ("08", "08"),
        ("0731 8888 1200,120", "120"),
    ]

    @Test("Every writing of an emergency number is refused until commissioning", arguments: emergency)
    func refusesEmergency(written: String, code: String) {
        let dialGuard = DialGuard()
        #expect(dialGuard.examine(written) == .refused(.notCommissioned(code: code)))
    }

    static let ordinary: [(String, String)] = [
        ("073188881200", "073188881200"), ("13812001120", "13812001120"), ("0731-88881200", "073188881200"),
        ("(0731) 8888 1200", "073188881200"), ("0731.8888.1120", "073188881120"),
        ("+86 138 1200 1120", "+8613812001120"),
        ("+8673188881200", "+8673188881200"), ("0086 731 8888 1200", "008673188881200"),
        ("8613812001120", "8613812001120"),
        ("１３８１２００１１２０", "13812001120"), ("\u{661}\u{663}\u{668}12001120", "13812001120"),
        ("\u{202D}138 1200 1120\u{202C}", "13812001120"), ("19312012345", "19312012345"),
        ("19011001120", "19011001120"),
        ("17012001120", "17012001120"), ("88881200", "88881200"), ("86120123", "86120123"),
        ("0731-86120123", "073186120123"),
        ("0731-86731120", "073186731120"), ("010-86120120", "01086120120"), ("02112345678", "02112345678"),
        ("0201 1", "02011"), ("10086", "10086"), ("10010", "10010"), ("12345", "12345"), ("12315", "12315"),
        ("12320", "12320"), ("114", "114"), ("118114", "118114"), ("95588", "95588"), ("96120", "96120"),
        ("4008001120", "4008001120"), ("400-112-0120", "4001120120"), ("8001200110", "8001200110"),
        ("17909 0731 88881200", "17909073188881200"), ("17951 13812001120", "1795113812001120"),
        ("013812001120", "013812001120"),
        ("90731 88881200", "9073188881200"), ("9 13812001120", "913812001120"), ("95120", "95120"),
        ("917951 13812001120", "91795113812001120"),
        ("+12015550123", "+12015550123"), ("+44 112 012 0120", "+441120120120"), ("00 1 201 555 0123", "0012015550123"),
        ("+852 1200 1120", "+85212001120"), ("6120120", "6120120"),
    ]

    @Test("Ordinary numbers pass, in ASCII", arguments: ordinary)
    func passesOrdinary(written: String, dialled: String) {
        let dialGuard = DialGuard()
        #expect(dialGuard.examine(written) == .allowed(number: dialled, isEmergency: false))
    }

    @Test(
        "What cannot be dialled is refused by everybody",
        arguments: [
            "", " ", "+", "abc", "13812001120,1", "13812001120p1", "13812001120;", "*31#13812001120", "#", "*100#",
            "138 1200 1120 ext", "tel:13812001120", "13812001120\r\nATD", "1381200+3456", "+86+13812001120",
            "一二〇", "12", "1234567890123456789012345", "13812001120\n", "13812001120\0", "½12345",
        ])
    func refusesNonsense(written: String) {
        for isCommissioned in [false, true] {
            guard case .refused(.notDialable) = DialGuard(isCommissioned: isCommissioned).examine(written) else {
                Issue.record("\(written.debugDescription) was not refused as not dialable")
                return
            }
        }
    }

    @Test("A commissioned site dials clean emergency numbers only")
    func commissioned() {
        let dialGuard = DialGuard(isCommissioned: true)
        #expect(dialGuard.examine("0731-120") == .allowed(number: "0731120", isEmergency: true))
        for written in ["120,1", "120p1w;", "**21*120#", "tel:120"] {
            guard case .refused(.notDialable) = dialGuard.examine(written) else {
                Issue.record("\(written) passed")
                continue
            }
        }
    }

    @Test("Calls are capped per incident and per hour, also across a restart")
    func caps() {
        var dialGuard = DialGuard(isCommissioned: true)
        let start = Moment(wall: Timestamp(seconds: 1_773_000_000), monotonicMilliseconds: 5)
        func later(_ seconds: Int64) -> Moment {
            Moment(wall: start.wall.adding(milliseconds: seconds * 1000), monotonicMilliseconds: 5 + seconds * 1000)
        }
        let allowed = DialGuard.Verdict.allowed(number: "120", isEmergency: true)
        let (first, second) = (IncidentID(rawValue: 1), IncidentID(rawValue: 2))
        for call in 0..<3 {
            #expect(dialGuard.authorize("120", incident: first, now: later(Int64(call))) == allowed)
        }
        #expect(dialGuard.authorize("120", incident: first, now: later(4)) == .refused(.incidentCap(calls: 3)))
        for call in 0..<3 {
            #expect(dialGuard.authorize("1 2 0", incident: second, now: later(5 + Int64(call))) == allowed)
        }
        #expect(dialGuard.authorize("120", incident: nil, now: later(60)) == .refused(.hourCap(calls: 6)))
        // Ordinary numbers are not counted.
        #expect(
            dialGuard.authorize("13812001120", incident: first, now: later(60))
                == .allowed(number: "13812001120", isEmergency: false))
        var restarted = DialGuard(isCommissioned: true, restored: dialGuard.calls)
        #expect(restarted.authorize("120", incident: nil, now: later(61)) == .refused(.hourCap(calls: 6)))
        #expect(restarted.authorize("120", incident: nil, now: later(3700)) == allowed)
        #expect(restarted.authorize("120", incident: first, now: later(3701)) == .refused(.incidentCap(calls: 3)))
        restarted.isCommissioned = false
        #expect(
            restarted.authorize("120", incident: nil, now: later(9000)) == .refused(.notCommissioned(code: "120")))
    }
}
