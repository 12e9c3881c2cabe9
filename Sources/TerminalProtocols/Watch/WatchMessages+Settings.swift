public import TerminalModel
import WireBytes

/// A keyword with one number. Samples: `upload-interval`. Source: section 8.
public struct WatchSetting: WatchBody {
    public var keyword: String
    public var value: Int

    public init(_ keyword: String, _ value: Int) {
        self.keyword = keyword
        self.value = value
    }

    /// What the number is, by the keyword in upper case; nil for keywords that are no setting.
    static func member(of keyword: String) -> String? {
        switch keyword {
        case "UPLOAD": "interval"
        case "SOSSMS", "LOWBAT", "REMOVE", "REMOVESMS", "DEVREFUSEPHONESWITCH", "GPS": "enabled"
        case "FLOWER": "hearts"
        case "PROFILE": "profile"
        case "LSSET": "level"
        case "HRTSTART": "mode"
        default: nil
        }
    }

    init?(parsing input: inout WatchFieldReader) {
        keyword = input.keyword
        guard let value = input.int(Self.member(of: keyword.uppercased()) ?? "value"), input.isAtEnd else {
            return nil
        }
        self.value = value
    }

    func write(to output: inout WatchContentWriter) {
        output.field(value)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set(Self.member(of: keyword.uppercased()) ?? "value", value)
        return object
    }
}

/// Telephone numbers: SOS (three), SOS1, SOS2, SOS3, CENTER, CALL, MONITOR (one), WHITELIST1, WHITELIST2, ACALL (any).
///
/// An empty number clears. Samples: `sos-numbers`, `call`, `monitor`. Source: section 8.
public struct WatchNumbers: WatchBody {
    public var keyword: String
    public var numbers: [String]

    public init(_ keyword: String, _ numbers: [String]) {
        self.keyword = keyword
        self.numbers = numbers
    }

    private static let single: Set<String> = ["SOS1", "SOS2", "SOS3", "CENTER", "CALL", "MONITOR"]

    init?(parsing input: inout WatchFieldReader) {
        guard !input.isAtEnd else { return nil }
        keyword = input.keyword
        numbers = input.texts("number")
    }

    func write(to output: inout WatchContentWriter) {
        output.fields(numbers)
    }

    var fields: JSONObject {
        var object = JSONObject()
        if numbers.count == 1, Self.single.contains(keyword.uppercased()) {
            object.set("phone", numbers[0])
        } else {
            object.set("numbers", .array(numbers.map { .string($0) }))
        }
        return object
    }
}

/// FALLDOWN: detection on, call the centre on a fall. Sample: `fall-switch`. Source: section 8.
public struct WatchFallDetection: WatchBody {
    public var keyword: String
    /// 0 off, 1 on.
    public var enabled: Int
    /// 1 calls the centre number.
    public var call: Int

    public init(keyword: String = "FALLDOWN", enabled: Bool, call: Bool) {
        self.keyword = keyword
        self.enabled = enabled ? 1 : 0
        self.call = call ? 1 : 0
    }

    init?(parsing input: inout WatchFieldReader) {
        keyword = input.keyword
        guard let enabled = input.int("enabled"), let call = input.int("call"), input.isAtEnd else { return nil }
        self.enabled = enabled
        self.call = call
    }

    func write(to output: inout WatchContentWriter) {
        output.field(enabled)
        output.field(call)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("enabled", enabled)
        object.set("call", call)
        return object
    }
}

/// MESSAGE: text to show, UTF-16BE in hexadecimal digits. Sample: `message-utf16`. Source: section 8.
public struct WatchShownText: WatchBody {
    public var keyword: String
    public var text: String

    public init(keyword: String = "MESSAGE", text: String) {
        self.keyword = keyword
        self.text = text
    }

    init?(parsing input: inout WatchFieldReader) {
        guard !input.isAtEnd else { return nil }
        keyword = input.keyword
        guard let text = WatchText.text(utf16Hex: input.next("text")), input.isAtEnd else { return nil }
        self.text = text
    }

    func write(to output: inout WatchContentWriter) {
        output.field(WatchText.utf16Hex(text))
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("text", text)
        return object
    }
}

/// PHB, PHB2, PHBX, PHBX2, PHL, DPHBX: number and name, the name as UTF-16BE in hexadecimal digits. Source: section 8.
public struct WatchPhoneBook: WatchBody {
    public struct Entry: Sendable, Equatable {
        public var number: String
        public var name: String

        public init(number: String, name: String) {
            self.number = number
            self.name = name
        }
    }

    public var keyword: String
    public var entries: [Entry]

    public init(keyword: String = "PHB", entries: [Entry]) {
        self.keyword = keyword
        self.entries = entries
    }

    init?(parsing input: inout WatchFieldReader) {
        guard !input.isAtEnd else { return nil }
        keyword = input.keyword
        entries = []
        while !input.isAtEnd {
            let number = input.text("number")
            guard !input.isAtEnd, let name = WatchText.text(utf16Hex: input.next("name")) else { return nil }
            entries.append(Entry(number: number, name: name))
        }
    }

    func write(to output: inout WatchContentWriter) {
        for entry in entries {
            output.field(entry.number)
            output.field(WatchText.utf16Hex(entry.name))
        }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set(
            "entries",
            .array(
                entries.map { entry in
                    var member = JSONObject()
                    member.set("number", entry.number)
                    member.set("name", entry.name)
                    return member.value
                }))
        return object
    }
}

/// REMIND: alarm clocks, each `hh:mm-on-type[-weekdays]`. Source: section 8.
public struct WatchReminders: WatchBody {
    public struct Entry: Sendable, Equatable {
        /// `hh:mm`
        public var time: String
        /// 0 off, 1 on.
        public var enabled: Int
        /// 1 once, 2 daily, 3 on weekdays, as the models use it.
        public var type: Int
        /// One digit a day.
        public var weekdays: String?

        public init(time: String, enabled: Bool, type: Int, weekdays: String? = nil) {
            self.time = time
            self.enabled = enabled ? 1 : 0
            self.type = type
            self.weekdays = weekdays
        }

        init?(_ text: String) {
            let parts = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
            guard (3...4).contains(parts.count), let enabled = Int(parts[1]), let type = Int(parts[2]) else {
                return nil
            }
            time = parts[0]
            self.enabled = enabled
            self.type = type
            weekdays = parts.count == 4 ? parts[3] : nil
        }

        fileprivate var text: String {
            "\(time)-\(enabled)-\(type)" + (weekdays.map { "-" + $0 } ?? "")
        }
    }

    public var keyword: String
    public var entries: [Entry]

    public init(keyword: String = "REMIND", entries: [Entry]) {
        self.keyword = keyword
        self.entries = entries
    }

    init?(parsing input: inout WatchFieldReader) {
        guard !input.isAtEnd else { return nil }
        keyword = input.keyword
        entries = []
        while !input.isAtEnd {
            guard let entry = Entry(input.text("alarm clock")) else { return nil }
            entries.append(entry)
        }
    }

    func write(to output: inout WatchContentWriter) {
        output.fields(entries.map(\.text))
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set(
            "entries",
            .array(
                entries.map { entry in
                    var member = JSONObject()
                    member.set("time", entry.time)
                    member.set("enabled", entry.enabled)
                    member.set("type", entry.type)
                    member.set("weekdays", entry.weekdays)
                    return member.value
                }))
        return object
    }
}

/// LZ: language, zone in hours, quarter hours as `5.75`. Source: section 8.
public struct WatchLocale: WatchBody {
    public var keyword: String
    /// 0 English, 1 Chinese, 3 Portuguese, 4 Spanish, 5 German, 7 Turkish, 8 Vietnamese, 9 Russian, 10 French.
    public var language: Int
    public var zone: WatchDecimal

    public init(keyword: String = "LZ", language: Int, zone: WatchDecimal) {
        self.keyword = keyword
        self.language = language
        self.zone = zone
    }

    init?(parsing input: inout WatchFieldReader) {
        keyword = input.keyword
        guard let language = input.int("language"), let zone = input.decimal("zone"), input.isAtEnd else { return nil }
        self.language = language
        self.zone = zone
    }

    func write(to output: inout WatchContentWriter) {
        output.field(language)
        output.field(zone)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("language", language)
        object.set("zone", zone.value)
        return object
    }
}

/// IP: the server to connect to from now on. Source: section 8.
public struct WatchServer: WatchBody {
    public var keyword: String
    public var host: String
    public var port: Int

    public init(keyword: String = "IP", host: String, port: Int) {
        self.keyword = keyword
        self.host = host
        self.port = port
    }

    init?(parsing input: inout WatchFieldReader) {
        keyword = input.keyword
        host = input.text("host")
        guard let port = input.int("port"), input.isAtEnd else { return nil }
        self.port = port
    }

    func write(to output: inout WatchContentWriter) {
        output.field(host)
        output.field(port)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("host", host)
        object.set("port", port)
        return object
    }
}

/// APN: name, user, password, MCC and MNC as one number. Source: section 8.
public struct WatchAccessPointName: WatchBody {
    public var keyword: String
    public var name: String
    public var user: String
    public var password: String
    public var network: String

    public init(keyword: String = "APN", name: String, user: String, password: String, network: String) {
        self.keyword = keyword
        self.name = name
        self.user = user
        self.password = password
        self.network = network
    }

    init?(parsing input: inout WatchFieldReader) {
        guard input.fieldCount(upTo: 5) == 4 else { return nil }
        keyword = input.keyword
        name = input.text("name")
        user = input.text("user")
        password = input.text("password")
        network = input.text("network")
    }

    func write(to output: inout WatchContentWriter) {
        output.fields([name, user, password, network])
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("name", name)
        object.set("user", user)
        object.set("password", password)
        object.set("mccmnc", network)
        return object
    }
}

/// TIME: seconds since 1970 in UTC, the answer to a watch that asks for the time. Source: section 4.
public struct WatchClock: WatchBody {
    public var keyword: String
    public var seconds: Int

    public init(keyword: String = "TIME", _ time: Timestamp) {
        self.keyword = keyword
        seconds = Int(time.milliseconds / 1000)
    }

    init?(parsing input: inout WatchFieldReader) {
        keyword = input.keyword
        guard let seconds = input.int("seconds"), input.isAtEnd else { return nil }
        self.seconds = seconds
    }

    func write(to output: inout WatchContentWriter) {
        output.field(seconds)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("epoch", seconds)
        return object
    }
}
