import TerminalModel
import WireBytes

@testable import TerminalProtocols

/// Random messages of every kind, within what the wire can carry.
enum WatchRandomMessage {
    static let keywords = [
        "LK", "UD", "UD2", "UD3", "UD_LTE", "UD_WCDMA", "UD_CDMA", "AL", "AL_LTE", "AL_WCDMA", "ALCUSTOMER1", "WT",
        "WT_FUTR", "WG", "WAD", "TKQ", "TKQ2", "TK", "TK2", "JXTK", "JXTKR", "img", "CONFIG", "bphrt", "BLOOD", "PULSE",
        "HEART", "heart", "oxygen", "TEMP", "btemp2", "ICCID", "RYIMEI", "VERNO", "TS", "TIME", "LGZONE", "PHLQ",
        "SOSQ",
        "REMINDQ", "SCHEDULEQ", "PPQ", "INIT", "PP", "CR", "UPLOAD", "SOS", "SOS1", "SOS2", "SOS3", "CENTER", "CALL",
        "MONITOR", "SOSSMS", "LOWBAT", "REMOVE", "REMOVESMS", "FALLDOWN", "LSSET", "FIND", "MESSAGE", "FLOWER",
        "REMIND",
        "TAKEPILLS", "SILENCETIME", "SILENCETIME2", "WALKTIME", "SLEEPTIME", "PEDO", "PHB", "PHB2", "PHBX", "PHBX2",
        "PHL", "DPHBX", "WHITELIST1", "WHITELIST2", "DEVREFUSEPHONESWITCH", "ACALL", "profile", "hrtstart",
        "HEALTHAUTOSET", "bodytemp", "bodytemp2", "rcapture", "LZ", "IP", "APN", "WIFICUR", "WIFISEARCH", "WIFISET",
        "WIFIDEL", "PW", "RESET", "POWEROFF", "FACTORY", "BOOTOFF", "GPS", "APPLOCK", "UPGRADE", "UNKNOWN",
    ]

    static func header(_ random: inout SplitMix) -> WatchHeader {
        let makers = ["3G", "SG", "CS", "ZJ", "YX", "HW"]
        let digits = 8 + random.below(13)
        var id: UInt128 = 0
        for _ in 0..<digits { id = id << 4 | UInt128(random.below(10)) }
        return WatchHeader(
            maker: makers[random.below(makers.count)], id: WatchID(TerminalID(nibbles: id), digitCount: digits),
            index: random.below(2) == 0 ? random.word() : nil)
    }

    private static func list<Value>(
        _ range: ClosedRange<Int>, _ random: inout SplitMix, _ make: (inout SplitMix) -> Value
    ) -> [Value] {
        (0..<range.lowerBound + random.below(range.count)).map { _ in make(&random) }
    }

    private static func maybe<Value>(_ random: inout SplitMix, _ make: (inout SplitMix) -> Value) -> Value? {
        random.below(4) == 0 ? nil : make(&random)
    }

    /// Letters that no field ends at; names of networks may have commas and brackets too.
    private static func text(_ random: inout SplitMix, letters: String = "0123456789PAXYZ-好请回电~}*;:. 😀") -> String {
        let letters = Array(letters)
        return String((0..<random.below(20)).map { _ in letters[random.below(letters.count)] })
    }

    private static func number(_ random: inout SplitMix) -> String {
        String((0..<random.below(16)).map { _ in Character(String(random.below(10))) })
    }

    private static func decimal(_ random: inout SplitMix, _ bound: Int) -> WatchDecimal {
        WatchDecimal(digits: Int64(random.below(bound)) - Int64(bound / 3), fractionDigits: random.below(8))
    }

    static func fix(_ random: inout SplitMix) -> WatchFix {
        WatchFix(
            time: maybe(&random) { WatchTime(Timestamp(seconds: 1_000_000_000 + Int64($0.below(2_000_000_000)))) },
            hasFix: random.below(2) == 0, latitude: maybe(&random) { decimal(&$0, 90_000_000) },
            latitudeHemisphere: maybe(&random) { [.north, .south][$0.below(2)] },
            longitude: maybe(&random) { decimal(&$0, 180_000_000) },
            longitudeHemisphere: maybe(&random) { [.east, .west][$0.below(2)] },
            speed: maybe(&random) { decimal(&$0, 30_000) }, course: maybe(&random) { decimal(&$0, 36_000) },
            altitude: maybe(&random) { decimal(&$0, 90_000) }, satellites: maybe(&random) { $0.below(40) },
            signal: maybe(&random) { $0.below(101) }, battery: maybe(&random) { $0.below(101) },
            steps: maybe(&random) { $0.below(100_000) }, tumbles: maybe(&random) { $0.below(1000) },
            status: maybe(&random) { $0.dword() })
    }

    static func surroundings(_ random: inout SplitMix) -> WatchSurroundings {
        var result = WatchSurroundings()
        result.cells = list(0...7, &random) {
            .init(area: $0.below(65_536), identity: $0.below(1 << 28), signal: maybe(&$0) { $0.below(200) - 120 })
        }
        let isSG = random.below(4) == 0
        if !result.cells.isEmpty || isSG {
            result.timingAdvance = maybe(&random) { $0.below(256) }
            result.mobileCountryCode = 200 + random.below(600)
            result.mobileNetworkCode = random.below(100)
        }
        if isSG {
            result.pair = UInt8(random.below(100))
            return result
        }
        result.wifi = list(0...6, &random) {
            .init(
                name: text(&$0, letters: "abc,[] é好*}"), address: $0.next() & 0xFFFF_FFFF_FFFF,
                signal: maybe(&$0) { -$0.below(100) })
        }
        result.accuracy = maybe(&random) { decimal(&$0, 9000).magnitude }
        return result
    }

    static func make(_ keyword: String, _ random: inout SplitMix) -> WatchMessage {
        switch keyword {
        case "LK": .linkKeep(linkKeep(&random))
        case "UD", "UD2", "UD3", "UD_LTE", "UD_WCDMA", "UD_CDMA", "AL", "AL_LTE", "AL_WCDMA", "ALCUSTOMER1", "WT",
            "WT_FUTR", "WG", "WAD":
            .report(
                WatchReport(
                    keyword: keyword, language: keyword == "WAD" ? number(&random) : nil, fix: fix(&random),
                    surroundings: surroundings(&random)))
        case "TK", "TK2":
            random.below(4) == 0
                ? .result(WatchResult(keyword: keyword, result: random.below(2)))
                : .voice(WatchVoice(keyword: keyword, audio: Array("#!AMR\n".utf8) + random.bytes(random.below(300))))
        case "JXTK":
            .voiceChunk(
                WatchVoiceChunk(
                    flag: number(&random), name: text(&random), index: random.below(30), count: random.below(30),
                    audio: random.bytes(random.below(1025))))
        case "img":
            .picture(
                WatchPicture(source: number(&random), time: number(&random), image: random.bytes(random.below(900))))
        case "JXTKR", "INIT": .result(WatchResult(keyword: keyword, result: random.below(2)))
        default: health(keyword, &random)
        }
    }

    private static func linkKeep(_ random: inout SplitMix) -> WatchLinkKeep {
        switch random.below(4) {
        case 0: WatchLinkKeep()
        case 1:
            WatchLinkKeep(
                settingClock: Timestamp(seconds: Int64(random.below(4_000_000_000))),
                utcOffsetMinutes: random.below(1440) - 720)
        case 2:
            WatchLinkKeep(.battery(unknown: number(&random), battery: maybe(&random) { $0.below(101) }))
        default:
            WatchLinkKeep(
                .state(
                    steps: maybe(&random) { $0.below(100_000) }, tumbles: maybe(&random) { $0.below(100) },
                    battery: maybe(&random) { $0.below(101) }, more: list(0...2, &random) { text(&$0) }))
        }
    }

    private static func health(_ keyword: String, _ random: inout SplitMix) -> WatchMessage {
        switch keyword {
        case "CONFIG":
            .capabilities(
                WatchCapabilities(
                    items: list(2...9, &random) {
                        .init(key: text(&$0, letters: "ABCxyz0"), value: maybe(&$0) { text(&$0) })
                    }))
        case "bphrt", "BLOOD":
            .bloodPressure(
                WatchBloodPressure(
                    keyword: keyword, systolic: maybe(&random) { $0.below(250) },
                    diastolic: maybe(&random) { $0.below(150) }, heartRate: maybe(&random) { $0.below(220) },
                    wearer: list(0...4, &random) { number(&$0) }))
        case "PULSE", "HEART", "heart": .heartRate(WatchHeartRate(keyword: keyword, heartRate: random.below(220)))
        case "oxygen":
            .oxygen(WatchOxygen(type: maybe(&random) { $0.below(3) }, saturation: random.below(101)))
        case "TEMP", "btemp2":
            .temperature(
                WatchTemperature(
                    keyword: keyword, type: keyword == "TEMP" ? nil : maybe(&random) { $0.below(2) },
                    temperature: WatchDecimal(digits: Int64(random.below(500)), fractionDigits: 1)))
        case "ICCID", "RYIMEI", "VERNO", "TS":
            .identity(WatchIdentity(keyword: keyword, text: text(&random, letters: "ABC,;:0189 好")))
        default: setting(keyword, &random)
        }
    }

    private static func setting(_ keyword: String, _ random: inout SplitMix) -> WatchMessage {
        switch keyword {
        case "SOS", "SOS1", "SOS2", "SOS3", "CENTER", "CALL", "MONITOR", "WHITELIST1", "WHITELIST2", "ACALL":
            .numbers(WatchNumbers(keyword, list(1...10, &random) { number(&$0) }))
        case "FALLDOWN":
            .fallDetection(WatchFallDetection(enabled: random.below(2) == 0, call: random.below(2) == 0))
        case "MESSAGE": .shownText(WatchShownText(text: text(&random, letters: "请回电abc,[]*😀")))
        case "PHB", "PHB2", "PHBX", "PHBX2", "PHL", "DPHBX":
            .phoneBook(
                WatchPhoneBook(
                    keyword: keyword,
                    entries: list(1...10, &random) { .init(number: number(&$0), name: text(&$0, letters: "张三,[]A😀")) }))
        case "REMIND":
            .reminders(
                WatchReminders(
                    entries: list(1...3, &random) {
                        .init(
                            time: "\(10 + $0.below(14)):\(10 + $0.below(50))", enabled: $0.below(2) == 0,
                            type: $0.below(4), weekdays: maybe(&$0) { number(&$0) })
                    }))
        case "LZ":
            .locale(
                WatchLocale(
                    language: random.below(11),
                    zone: WatchDecimal(digits: Int64(random.below(2600)) - 1200, fractionDigits: 2)))
        case "IP": .server(WatchServer(host: text(&random, letters: "abc.-0"), port: random.below(65_536)))
        case "APN":
            .accessPointName(
                WatchAccessPointName(
                    name: text(&random), user: text(&random), password: text(&random), network: number(&random)))
        case "TIME": .time(WatchClock(Timestamp(seconds: Int64(random.below(4_000_000_000)))))
        default: other(keyword, &random)
        }
    }

    private static func other(_ keyword: String, _ random: inout SplitMix) -> WatchMessage {
        if WatchSetting.member(of: keyword.uppercased()) != nil {
            return .setting(WatchSetting(keyword, random.below(70_000)))
        }
        return .plain(WatchValues(keyword, list(0...6, &random) { text(&$0) }))
    }
}
