public import TerminalModel
import WireBytes

/// The content of one kind of message: read, written and shown by the same type.
protocol WatchBody: Sendable, Equatable {
    /// As it stands on the wire; keywords are compared without regard to case.
    var keyword: String { get }
    /// Nil when the fields are not those of this kind; the content is then kept as plain fields.
    init?(parsing input: inout WatchFieldReader)
    /// Everything behind the keyword.
    func write(to output: inout WatchContentWriter)
    /// The members beside the header and the keyword, in the shape of the corpus.
    var fields: JSONObject { get }
}

/// Every message of sections 7 and 8, grouped by what stands behind the keyword, and whatever else arrives.
///
/// The wire does not tell the direction: a command, and a watch's answer with the same fields, are the same message.
public enum WatchMessage: Sendable, Equatable {
    // Terminal to platform.
    /// LK, also the platform's answer with date and time.
    case linkKeep(WatchLinkKeep)
    /// UD, UD2, UD_LTE, AL, WT, WG, WAD and the like.
    case report(WatchReport)
    /// TK and TK2 with sound, both directions.
    case voice(WatchVoice)
    /// JXTK
    case voiceChunk(WatchVoiceChunk)
    /// img
    case picture(WatchPicture)
    /// CONFIG
    case capabilities(WatchCapabilities)
    /// bphrt, BLOOD
    case bloodPressure(WatchBloodPressure)
    /// PULSE, HEART
    case heartRate(WatchHeartRate)
    /// oxygen
    case oxygen(WatchOxygen)
    /// btemp2, TEMP
    case temperature(WatchTemperature)
    /// ICCID, RYIMEI, VERNO, TS
    case identity(WatchIdentity)
    // Platform to terminal.
    /// INIT, TK, JXTKR, CONFIG, oxygen with 0 or 1.
    case result(WatchResult)
    /// UPLOAD, switches, FLOWER, profile, hrtstart and others with one number.
    case setting(WatchSetting)
    /// SOS, CENTER, CALL, MONITOR, WHITELIST, ACALL
    case numbers(WatchNumbers)
    /// FALLDOWN
    case fallDetection(WatchFallDetection)
    /// MESSAGE
    case shownText(WatchShownText)
    /// PHB and its relatives
    case phoneBook(WatchPhoneBook)
    /// REMIND
    case reminders(WatchReminders)
    /// LZ
    case locale(WatchLocale)
    /// IP
    case server(WatchServer)
    /// APN
    case accessPointName(WatchAccessPointName)
    /// TIME
    case time(WatchClock)
    // Anything else.
    /// A keyword alone, or with fields that have no layout of their own: CR, FIND, POWEROFF, TKQ, SILENCETIME, unknown ones.
    case plain(WatchValues)
}

/// One frame, decoded.
public struct WatchPacket: Sendable, Equatable {
    public var header: WatchHeader
    /// Bytes of content as they are there.
    public var contentLength: Int
    public var message: WatchMessage

    public init(header: WatchHeader, contentLength: Int, message: WatchMessage) {
        self.header = header
        self.contentLength = contentLength
        self.message = message
    }

    /// How many bytes more than declared the content has; seen on real devices, which still want their answer.
    public var lengthMismatch: Int { contentLength - Int(header.declaredLength) }
}

/// A keyword with its fields as text, none for a keyword alone. Samples: `locate-now`, `alarm-reply`.
public struct WatchValues: WatchBody {
    public var keyword: String
    public var values: [String]

    public init(_ keyword: String, _ values: [String] = []) {
        self.keyword = keyword
        self.values = values
    }

    init(parsing input: inout WatchFieldReader) {
        keyword = input.keyword
        values = input.texts("value")
    }

    func write(to output: inout WatchContentWriter) {
        output.fields(values)
    }

    var fields: JSONObject {
        var object = JSONObject()
        if !values.isEmpty { object.set("values", .array(values.map { .string($0) })) }
        return object
    }
}

/// LK: nothing, or steps, tumbles and battery; downwards nothing, or date and time. Samples: `link-keep`, `zj-link-keep-reply`.
public struct WatchLinkKeep: WatchBody {
    public enum Content: Sendable, Equatable {
        case none
        /// Percent of battery; further fields are kept.
        case state(steps: Int?, tumbles: Int?, battery: Int?, more: [String])
        /// One firmware sends two fields, of which only the battery is understood.
        case battery(unknown: String, battery: Int?)
        /// `yyyy-MM-dd` and `HH:mm:ss`, the local time of the watch: sets its clock.
        case clock(date: String, time: String)
    }

    public var keyword: String
    public var content: Content

    public init(keyword: String = "LK", _ content: Content = .none) {
        self.keyword = keyword
        self.content = content
    }

    /// The answer that sets the clock.
    public init(settingClock now: Timestamp, utcOffsetMinutes: Int) {
        let local = Timestamp(milliseconds: now.milliseconds / 1000 * 1000)
            .adding(milliseconds: Int64(utcOffsetMinutes) * 60_000).description.utf8
        keyword = "LK"
        content = .clock(
            date: String(decoding: local.prefix(10), as: UTF8.self),
            time: String(decoding: local.dropFirst(11).prefix(8), as: UTF8.self))
    }

    init?(parsing input: inout WatchFieldReader) {
        keyword = input.keyword
        switch input.fieldCount(upTo: 3) {
        case 0: content = .none
        case 1: return nil
        case 2:
            var ahead = input
            let date = ahead.next("")
            if date.count == 10, date[4] == 0x2D, date[7] == 0x2D {
                content = .clock(date: input.text("date"), time: input.text("time"))
            } else {
                content = .battery(unknown: input.text("unknown"), battery: input.int("battery"))
            }
        default:
            content = .state(
                steps: input.int("steps"), tumbles: input.int("tumbles"), battery: input.int("battery"),
                more: input.texts("more"))
        }
    }

    func write(to output: inout WatchContentWriter) {
        switch content {
        case .none: break
        case .state(let steps, let tumbles, let battery, let more):
            for number in [steps, tumbles, battery] { output.field(number) }
            output.fields(more)
        case .battery(let unknown, let battery):
            output.field(unknown)
            output.field(battery)
        case .clock(let date, let time): output.fields([date, time])
        }
    }

    var fields: JSONObject {
        var object = JSONObject()
        switch content {
        case .none: break
        case .state(let steps, let tumbles, let battery, let more):
            object.set("steps", steps)
            object.set("tumbles", tumbles)
            object.set("battery", battery)
            if !more.isEmpty { object.set("more", .array(more.map { .string($0) })) }
        case .battery(let unknown, let battery):
            object.set("unknown", unknown)
            object.set("battery", battery)
        case .clock(let date, let time):
            object.set("date", date)
            object.set("time", time)
        }
        return object
    }
}

/// `ICCID`, `RYIMEI`, `VERNO`, `TS`: one text to the end of the content, commas included. Source: section 7.
public struct WatchIdentity: WatchBody {
    public var keyword: String
    public var text: String

    public init(keyword: String, text: String) {
        self.keyword = keyword
        self.text = text
    }

    init?(parsing input: inout WatchFieldReader) {
        guard !input.isAtEnd else { return nil }
        keyword = input.keyword
        text = WatchText.string(input.rest("text", isText: true))
    }

    func write(to output: inout WatchContentWriter) {
        output.field(raw: text.utf8.filter { $0 != Watch.open && $0 != Watch.close })
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("text", text)
        return object
    }
}

/// CONFIG: `key:value` pairs that say what a watch can do. Source: section 7.
public struct WatchCapabilities: WatchBody {
    public struct Item: Sendable, Equatable {
        public var key: String
        /// Nil where no colon stands.
        public var value: String?

        public init(key: String, value: String?) {
            self.key = key
            self.value = value
        }
    }

    public var keyword: String
    public var items: [Item]

    public init(keyword: String = "CONFIG", items: [Item]) {
        self.keyword = keyword
        self.items = items
    }

    init?(parsing input: inout WatchFieldReader) {
        guard !input.isAtEnd else { return nil }
        keyword = input.keyword
        items = input.texts("capability").map { text in
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return Item(key: String(parts[0]), value: parts.count > 1 ? String(parts[1]) : nil)
        }
    }

    func write(to output: inout WatchContentWriter) {
        for item in items { output.field(item.key + (item.value.map { ":" + $0 } ?? "")) }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set(
            "capabilities", .object(items.map { .init($0.key, $0.value.map { .string($0) } ?? .null) }))
        return object
    }
}
