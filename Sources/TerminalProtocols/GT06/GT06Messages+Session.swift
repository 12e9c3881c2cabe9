public import TerminalModel
import WireBytes

/// A time as six binary bytes year - 2000, month, day, hour, minute, second, kept as sent.
///
/// Source: sections 5.1 and 11.
public struct GT06Time: RawRepresentable, Sendable, Equatable, Hashable {
    /// The six bytes in the low 48 bits.
    public var rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) {
        self.rawValue = rawValue & 0xFFFF_FFFF_FFFF
    }

    /// `time` on a clock that runs `utcOffsetMinutes` east of UTC; milliseconds are cut.
    public init(_ time: Timestamp, utcOffsetMinutes: Int = 0) {
        let calendar = time.adding(milliseconds: Int64(utcOffsetMinutes) * 60_000).calendar
        let parts = [
            calendar.year - 2000, calendar.month, calendar.day, calendar.hour, calendar.minute, calendar.second,
        ]
        rawValue = parts.reduce(0) { $0 << 8 | UInt64(UInt8(clamping: $1)) }
    }

    @inlinable @inline(__always)
    func part(_ index: Int) -> Int {
        Int(UInt8(truncatingIfNeeded: rawValue >> UInt64(truncatingIfNeeded: 40 &- index &* 8)))
    }

    /// The instant meant, or nil for nonsense: a zero or impossible date, and the years 2000 and 2070 up, which clocks show
    /// that were never set.
    public func timestamp(utcOffsetMinutes: Int) -> Timestamp? {
        guard part(0) >= 1, part(0) < 70 else { return nil }
        return Timestamp(
            year: 2000 + part(0), month: part(1), day: part(2), hour: part(3), minute: part(4), second: part(5))?
            .adding(milliseconds: Int64(utcOffsetMinutes) * -60_000)
    }

    /// True for what a receiver shows that never had a time: month or day zero.
    var isUnset: Bool { part(1) == 0 || part(2) == 0 }

    /// True when every field is in its range.
    var isPlausible: Bool {
        (1...12).contains(part(1)) && (1...31).contains(part(2)) && part(3) < 24 && part(4) < 60 && part(5) < 60
    }

    /// The digits as they are, also those that are no time: `2000-00-00T00:00:00`.
    var text: String {
        func two(_ index: Int) -> String { part(index) < 10 ? "0\(part(index))" : "\(part(index))" }
        return "\(2000 + part(0))-\(two(1))-\(two(2))T\(two(3)):\(two(4)):\(two(5))"
    }
}

/// 01: IMEI BCD 8 | type 2 | zone and language 2; shorter logins leave the last fields out.
/// Samples: `login-tz8`, `login-short`, `login-west-half-hour`. Source: section 7.1.
public struct GT06Login: GT06Body {
    /// The 16 digits as they came.
    public var imeiNibbles: UInt64
    /// The vendor's model code.
    public var typeCode: UInt16?
    /// Bits 15-4 hours x 100 + minutes, bit 3 west, bits 1-0 language.
    public var zone: UInt16?

    public init(imeiNibbles: UInt64, typeCode: UInt16? = nil, zone: UInt16? = nil) {
        self.imeiNibbles = imeiNibbles
        self.typeCode = typeCode
        self.zone = typeCode == nil ? nil : zone
    }

    /// The zone field for an offset, minutes east of UTC, below 15 hours.
    public static func zone(utcOffsetMinutes: Int, language: UInt8) -> UInt16 {
        let minutes = min(utcOffsetMinutes.magnitude, 14 * 60 + 59)
        return UInt16(minutes / 60 * 100 + minutes % 60) << 4 | (utcOffsetMinutes < 0 ? 8 : 0)
            | UInt16(language & 3)
    }

    init(parsing input: inout FieldReader, number: UInt8) throws(DecodeError) {
        imeiNibbles = try input.uint64("imei")
        typeCode = input.remaining >= 2 ? try input.uint16("typeCode") : nil
        zone = input.remaining >= 2 ? try input.uint16("zone") : nil
    }

    func write(to output: inout ByteWriter, number: UInt8) {
        output.uint64BE(imeiNibbles)
        if let typeCode { output.uint16BE(typeCode) }
        if let zone { output.uint16BE(zone) }
    }

    /// The digits without the leading zero that fills a 15-digit number up.
    public var imei: String {
        let digits = Hex.number(imeiNibbles, digits: 16).dropFirst(2)
        return String(digits.first == "0" ? digits.dropFirst() : digits)
    }

    public var terminal: TerminalID { TerminalID(nibbles: UInt128(imeiNibbles)) }

    /// Minutes east of UTC; nil without the field and for more than 14 hours or 59 minutes.
    public var utcOffsetMinutes: Int? {
        guard let zone else { return nil }
        let hours = Int(zone >> 4) / 100
        let minutes = Int(zone >> 4) % 100
        guard hours <= 14, minutes <= 59 else { return nil }
        return (hours * 60 + minutes) * (zone & 8 != 0 ? -1 : 1)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("imei", imei)
        object.set("typeCode", typeCode.map(Int.init))
        object.set("utcOffsetMinutes", utcOffsetMinutes)
        object.set("language", zone.map { Int($0 & 3) })
        return object
    }
}

/// 13: information 1 | battery 1 | GSM 1 | two bytes that differ by model, or more, or none.
/// Sample: `heartbeat-13`. Source: section 7.2.
public struct GT06Heartbeat: GT06Body {
    /// Section 5.3.
    public var information: UInt8
    /// 0 to 6, or percent.
    public var battery: UInt8?
    /// 0 to 4, or percent.
    public var signal: UInt8?
    /// Alarm and language, the state of the extended port, or whatever else the model adds.
    public var extra: [UInt8]

    public init(information: UInt8, battery: UInt8? = nil, signal: UInt8? = nil, extra: [UInt8] = []) {
        self.information = information
        self.battery = battery
        self.signal = battery == nil ? nil : signal
        self.extra = self.signal == nil ? [] : extra
    }

    init(parsing input: inout FieldReader, number: UInt8) throws(DecodeError) {
        information = try input.uint8("terminalInfo")
        battery = input.isAtEnd ? nil : try input.uint8("batteryLevel")
        signal = input.isAtEnd ? nil : try input.uint8("gsm")
        extra = input.rest("extension")
    }

    func write(to output: inout ByteWriter, number: UInt8) {
        output.uint8(information)
        if let battery { output.uint8(battery) }
        if let signal { output.uint8(signal) }
        output.append(extra)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("terminalInfo", Int(information))
        object.set("batteryLevel", battery.map(Int.init))
        object.set("gsm", signal.map(Int.init))
        if extra.count == 2 {
            object.set("extension", Int(extra[0]) << 8 | Int(extra[1]))
        } else if !extra.isEmpty {
            object.set("extensionHex", Hex.text(extra))
        }
        return object
    }
}

/// 23: information 1 | voltage 2 | GSM 1 | language 2. Sample: `heartbeat-23`. Source: section 7.3.
public struct GT06VoltageHeartbeat: GT06Body {
    static let byteCount = 6

    public var information: UInt8
    /// Hundredths of a volt.
    public var voltage: UInt16
    public var signal: UInt8
    public var language: UInt16

    public init(information: UInt8, voltage: UInt16, signal: UInt8, language: UInt16) {
        self.information = information
        self.voltage = voltage
        self.signal = signal
        self.language = language
    }

    init(parsing input: inout FieldReader, number: UInt8) throws(DecodeError) {
        information = try input.uint8("terminalInfo")
        voltage = try input.uint16("voltage")
        signal = try input.uint8("gsm")
        language = try input.uint16("extension")
    }

    func write(to output: inout ByteWriter, number: UInt8) {
        output.uint8(information)
        output.uint16BE(voltage)
        output.uint8(signal)
        output.uint16BE(language)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("terminalInfo", Int(information))
        object.set("voltage", Double(voltage) / 100)
        object.set("gsm", Int(signal))
        object.set("extension", Int(language))
        return object
    }
}

/// 36: information 1, then modules: id 2 | length 2 | value. Source: section 7.4.
public struct GT06ModuleHeartbeat: GT06Body {
    public struct Module: Sendable, Equatable {
        public var id: UInt16
        public var value: [UInt8]

        public init(id: UInt16, value: [UInt8]) {
            self.id = id
            self.value = value
        }
    }

    public var information: UInt8
    public var modules: [Module]

    public init(information: UInt8, modules: [Module] = []) {
        self.information = information
        self.modules = modules
    }

    /// True when the modules end exactly where the content ends: the number has another meaning elsewhere.
    static func fits(_ content: Span<UInt8>) -> Bool {
        var at = 1
        while content.count - at >= 4, Int(content.uint16BE(at: at + 2)) <= content.count - at - 4 {
            at += 4 + Int(content.uint16BE(at: at + 2))
        }
        return at == content.count
    }

    init(parsing input: inout FieldReader, number: UInt8) throws(DecodeError) {
        information = try input.uint8("terminalInfo")
        modules = []
        while !input.isAtEnd {
            let id = try input.uint16("moduleId")
            let length = Int(try input.uint16("moduleLength"))
            modules.append(Module(id: id, value: try input.bytes(length, "module")))
        }
    }

    func write(to output: inout ByteWriter, number: UInt8) {
        output.uint8(information)
        for module in modules {
            output.uint16BE(module.id)
            output.uint16BE(UInt16(clamping: module.value.count))
            output.append(module.value.prefix(Int(UInt16.max)))
        }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("terminalInfo", Int(information))
        object.set(
            "modules",
            .array(
                modules.map { module in
                    .object([.init("id", .int(Int(module.id))), .init("hex", .string(Hex.text(module.value)))])
                }))
        return object
    }
}

/// 8A from the platform: the six bytes of a time in UTC. Sample: `time-reply`. Source: section 7.13.
public struct GT06ServerTime: GT06Body {
    public var time: GT06Time

    public init(time: GT06Time) { self.time = time }

    init(parsing input: inout FieldReader, number: UInt8) throws(DecodeError) {
        time = GT06Time(rawValue: try input.uint48("time"))
    }

    func write(to output: inout ByteWriter, number: UInt8) {
        output.uint48BE(time.rawValue)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("time", time.text)
        return object
    }
}
