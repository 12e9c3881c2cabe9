import TerminalModel
import WireBytes

/// English names of keywords, fields and bits, for people who read a frame.
enum WatchNames {
    /// Sections 7 and 8.
    static func keyword(_ keyword: String) -> String {
        let upper = keyword.uppercased()
        if let name = keywords[upper] { return name }
        switch WatchKeyword.family(upper.utf8) {
        case .alarm: return "alarm"
        case .position:
            return upper.dropFirst(2).first?.isNumber ?? false ? "position, stored while offline" : "position"
        case .other: return "keyword that is not known"
        }
    }

    private static let keywords: [String: String] = [
        "LK": "link keep", "INIT": "first message of a watch", "TKQ": "asks for voice messages",
        "TKQ2": "asks for voice messages", "TK": "voice", "TK2": "voice", "JXTK": "piece of a voice message",
        "JXTKR": "a piece of a voice message is stored", "IMG": "picture", "CONFIG": "what the watch can do",
        "BPHRT": "blood pressure and heart rate", "PULSE": "heart rate", "HEART": "heart rate",
        "BLOOD": "blood pressure", "OXYGEN": "blood oxygen", "TEMP": "temperature", "BTEMP2": "body temperature",
        "WAD": "asks for an address", "WG": "asks for a position", "WT": "asks for the weather",
        "WT_FUTR": "asks for the weather to come", "TIME": "the time", "LGZONE": "asks for language and zone",
        "PP": "makes friends", "PPQ": "asks for the friends", "PHLQ": "asks for the phone book",
        "SOSQ": "asks for the SOS numbers", "REMINDQ": "asks for the alarm clocks",
        "SCHEDULEQ": "asks for the timetable", "ICCID": "number of the card", "RYIMEI": "IMEI",
        "VERNO": "firmware version", "TS": "settings and state", "CR": "locate now", "UPLOAD": "report interval",
        "SOS": "SOS numbers", "SOS1": "first SOS number", "SOS2": "second SOS number", "SOS3": "third SOS number",
        "CENTER": "number of the centre", "CALL": "dial a number", "MONITOR": "dial a number to be listened to",
        "SOSSMS": "SMS on SOS", "LOWBAT": "SMS on low battery", "REMOVE": "alarm when taken off",
        "REMOVESMS": "SMS when taken off", "FALLDOWN": "fall detection", "LSSET": "sensitivity to falls",
        "FIND": "ring for a minute", "MESSAGE": "show a text", "FLOWER": "reward hearts", "REMIND": "alarm clocks",
        "TAKEPILLS": "medicine reminders", "SILENCETIME": "periods not to disturb",
        "SILENCETIME2": "periods not to disturb", "WALKTIME": "periods of counting steps",
        "SLEEPTIME": "period of sleep", "PEDO": "step counter", "PHB": "phone book", "PHB2": "phone book",
        "PHBX": "phone book", "PHBX2": "phone book", "PHL": "phone book", "DPHBX": "phone book, delete",
        "WHITELIST1": "allowed callers", "WHITELIST2": "allowed callers",
        "DEVREFUSEPHONESWITCH": "refuse unknown callers", "ACALL": "numbers that are answered by themselves",
        "PROFILE": "ring profile", "HRTSTART": "measure the heart rate", "HEALTHAUTOSET": "measure by itself",
        "BODYTEMP": "measure the temperature", "BODYTEMP2": "measure the temperature", "RCAPTURE": "take a picture",
        "LZ": "language and zone", "IP": "change the server", "APN": "mobile network access",
        "WIFICUR": "Wi-Fi in use", "WIFISEARCH": "search Wi-Fi", "WIFISET": "set Wi-Fi", "WIFIDEL": "delete Wi-Fi",
        "PW": "control password", "RESET": "restart", "POWEROFF": "switch off", "FACTORY": "factory settings",
        "BOOTOFF": "power-on lock", "GPS": "positioning", "APPLOCK": "lock applications", "UPGRADE": "upgrade",
    ]

    /// Section 6.
    private static let statusBits: [Int: String] = [
        0: "state battery low", 1: "state outside fence", 2: "state inside fence", 3: "state not worn",
        4: "state still", 14: "state power cut", 16: "SOS", 17: "battery low", 18: "left fence", 19: "entered fence",
        20: "taken off", 21: "fall", 22: "abnormal heart rate",
    ]

    private static func status(_ word: UInt32, _ table: WatchAlarms) -> String {
        guard word != 0 else { return "nothing set" }
        return (0..<32).filter { word & 1 << UInt32($0) != 0 }.map { bit in
            let kind = table[bit].map { " (\($0.name) in an alarm)" } ?? ""
            return "bit \(bit) \(statusBits[bit] ?? "reserved")\(kind)"
        }.joined(separator: ", ")
    }

    private static let units: [String: String] = [
        "latitude": "degrees", "longitude": "degrees", "speed": "km/h", "course": "degrees", "altitude": "m",
        "signal": "of 100", "battery": "percent", "tumbles": "rolls in sleep", "Wi-Fi signal": "dBm",
        "accuracy": "m", "systolic": "mmHg", "diastolic": "mmHg", "heart rate": "beats per minute",
        "saturation": "percent", "temperature": "degrees Celsius", "interval": "s", "seconds": "since 1970, UTC",
        "zone": "hours east of UTC", "satellites": "", "steps": "", "cell count": "", "timing advance": "",
        "network": "MNC", "country": "MCC", "area": "LAC", "cell": "cell id", "Wi-Fi count": "",
    ]

    /// What a field says, and whether it is not what it should be.
    static func meaning(of value: [UInt8], as field: String, _ table: WatchAlarms) -> (text: String, isWrong: Bool) {
        if value.isEmpty { return ("empty", false) }
        switch field {
        case "date": return date(value, isDate: true)
        case "time" where value.count == 6: return date(value, isDate: false)
        case "validity":
            switch value {
            case [0x41]: return ("fix", false)
            case [0x56]: return ("no fix: old, zero or helped by a server", false)
            default: return ("neither A nor V", true)
            }
        case "north or south": return ("", !"NSns".utf8.contains(value[0]) || value.count > 1)
        case "east or west": return ("", !"EWew".utf8.contains(value[0]) || value.count > 1)
        case "status":
            guard let word = WatchText.hex(value.span) else { return ("not hexadecimal", true) }
            return (status(word, table), false)
        case "address":
            let isRight = WatchText.hardwareAddress(value.span) != nil
            return (isRight ? "" : "not an address", !isRight)
        case "text": return (WatchText.text(utf16Hex: value.span) ?? "", false)
        case "name": return (WatchText.text(utf16Hex: value.span) ?? "", false)
        case "unexplained": return ("no rule explains this field", false)
        default: break
        }
        guard let unit = units[field] else { return ("", false) }
        // SG firmware writes areas and cells in hexadecimal, and FFFF for a network that is not known.
        let isNumber = WatchDecimal(value.span) != nil || WatchText.hex(value.span) != nil
        return (isNumber ? unit : "not a number", !isNumber)
    }

    private static func date(_ value: [UInt8], isDate: Bool) -> (String, Bool) {
        let noon = Array("120000".utf8)
        let day = Array("010120".utf8)
        let time = isDate ? WatchTime(date: value.span, time: noon.span) : WatchTime(date: day.span, time: value.span)
        guard let time, time.timestamp != nil else { return ("no such \(isDate ? "date" : "time")", true) }
        guard isDate else { return ("hours, minutes, seconds, UTC", false) }
        let isUnset = 2000 + Int(time.year) < Watch.firstYear
        return (isUnset ? "the clock was never set" : "day, month, year, UTC", isUnset)
    }
}
