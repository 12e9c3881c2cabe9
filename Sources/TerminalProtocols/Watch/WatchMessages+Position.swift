public import TerminalModel
import WireBytes

/// Date and time of day as `ddmmyy,hhmmss`, UTC (section 5).
public struct WatchTime: Sendable, Equatable {
    public var day: UInt8
    public var month: UInt8
    /// Of the century 2000.
    public var year: UInt8
    public var hour: UInt8
    public var minute: UInt8
    public var second: UInt8

    /// Whole seconds of a time from 2000 to 2099.
    public init(_ time: Timestamp) {
        let calendar = time.calendar
        day = UInt8(calendar.day)
        month = UInt8(calendar.month)
        year = UInt8(clamping: max(0, calendar.year - 2000) % 100)
        hour = UInt8(calendar.hour)
        minute = UInt8(calendar.minute)
        second = UInt8(calendar.second)
    }

    /// Nil when either field is not six digits.
    init?(date: Span<UInt8>, time: Span<UInt8>) {
        guard let date = Self.pairs(date), let time = Self.pairs(time) else { return nil }
        (day, month, year) = date
        (hour, minute, second) = time
    }

    private static func pairs(_ bytes: Span<UInt8>) -> (UInt8, UInt8, UInt8)? {
        guard bytes.count == 6 else { return nil }
        for index in 0..<6 {
            guard case 0x30...0x39 = bytes[index] else { return nil }
        }
        func pair(_ start: Int) -> UInt8 { (bytes[start] & 15) * 10 + (bytes[start + 1] & 15) }
        return (pair(0), pair(2), pair(4))
    }

    /// Nil when it is no date of the calendar, such as `000000`.
    public var timestamp: Timestamp? {
        Timestamp(
            year: 2000 + Int(year), month: Int(month), day: Int(day), hour: Int(hour), minute: Int(minute),
            second: Int(second))
    }

    fileprivate func write(to output: inout WatchContentWriter) {
        for part in [[day, month, year], [hour, minute, second]] {
            output.field(raw: part.flatMap { [0x30 + $0 / 10 % 10, 0x30 + $0 % 10] })
        }
    }
}

/// The letter behind a coordinate.
public enum WatchHemisphere: UInt8, Sendable, CaseIterable {
    case north = 0x4E
    case south = 0x53
    case east = 0x45
    case west = 0x57

    fileprivate init?(_ bytes: Span<UInt8>) {
        guard bytes.count == 1 else { return nil }
        self.init(rawValue: bytes[0] & 0xDF)
    }

    fileprivate var text: String { String(Unicode.Scalar(rawValue)) }
}

/// The sixteen fixed fields of a position. Sample: `position-ud`. Source: section 5.
///
///     date, time, A|V, latitude, N|S, longitude, E|W, speed, course, altitude, satellites, signal, battery, steps,
///     tumbles, status
///
/// A field that is empty or no number is nil and costs only itself.
public struct WatchFix: Sendable, Equatable {
    public static let fieldCount = 16

    public var time: WatchTime?
    /// `A`; with `V` the coordinates are old, zero or helped by a server.
    public var hasFix: Bool
    /// As printed, sign included.
    public var latitude: WatchDecimal?
    public var latitudeHemisphere: WatchHemisphere?
    /// As printed, sign included.
    public var longitude: WatchDecimal?
    public var longitudeHemisphere: WatchHemisphere?
    /// km/h
    public var speed: WatchDecimal?
    /// Degrees clockwise from north, 0 to 360.
    public var course: WatchDecimal?
    /// Metres, -1 on some models for none.
    public var altitude: WatchDecimal?
    public var satellites: Int?
    /// 0 to 100.
    public var signal: Int?
    /// Percent.
    public var battery: Int?
    public var steps: Int?
    /// Rolls in sleep.
    public var tumbles: Int?
    /// The status word (section 6).
    public var status: UInt32?

    public init(
        time: WatchTime?, hasFix: Bool, latitude: WatchDecimal?, latitudeHemisphere: WatchHemisphere? = .north,
        longitude: WatchDecimal?, longitudeHemisphere: WatchHemisphere? = .east, speed: WatchDecimal? = nil,
        course: WatchDecimal? = nil, altitude: WatchDecimal? = nil, satellites: Int? = nil, signal: Int? = nil,
        battery: Int? = nil, steps: Int? = nil, tumbles: Int? = nil, status: UInt32? = 0
    ) {
        self.time = time
        self.hasFix = hasFix
        self.latitude = latitude
        self.latitudeHemisphere = latitudeHemisphere
        self.longitude = longitude
        self.longitudeHemisphere = longitudeHemisphere
        self.speed = speed
        self.course = course
        self.altitude = altitude
        self.satellites = satellites
        self.signal = signal
        self.battery = battery
        self.steps = steps
        self.tumbles = tumbles
        self.status = status
    }

    /// Nil, with nothing read, when fewer fields than these are left.
    init?(parsing input: inout WatchFieldReader) {
        guard input.fieldCount(upTo: Self.fieldCount) == Self.fieldCount else { return nil }
        let date = input.next("date")
        time = WatchTime(date: date, time: input.next("time"))
        let validity = input.next("validity")
        hasFix = validity.count == 1 && validity[0] & 0xDF == 0x41
        latitude = input.decimal("latitude")
        latitudeHemisphere = WatchHemisphere(input.next("north or south"))
        longitude = input.decimal("longitude")
        longitudeHemisphere = WatchHemisphere(input.next("east or west"))
        speed = input.decimal("speed")
        course = input.decimal("course")
        altitude = input.decimal("altitude")
        satellites = input.int("satellites")
        signal = input.int("signal")
        battery = input.int("battery")
        steps = input.int("steps")
        tumbles = input.int("tumbles")
        status = WatchText.hex(input.next("status"))
    }

    func write(to output: inout WatchContentWriter) {
        if let time {
            time.write(to: &output)
        } else {
            output.fields(["", ""])
        }
        output.field(hasFix ? "A" : "V")
        output.field(latitude)
        output.field(latitudeHemisphere?.text ?? "")
        output.field(longitude)
        output.field(longitudeHemisphere?.text ?? "")
        for number in [speed, course, altitude] { output.field(number) }
        for number in [satellites, signal, battery, steps, tumbles] { output.field(number) }
        output.field(status.map { Hex.number($0, digits: 8).dropFirst(2).uppercased() } ?? "")
    }

    /// North positive; nil when none was sent or it is outside -90...90.
    public var latitudeDegrees: Double? {
        Self.degrees(latitude, latitudeHemisphere, negative: .south, limit: 90)
    }

    /// East positive; nil when none was sent or it is outside -180...180.
    public var longitudeDegrees: Double? {
        Self.degrees(longitude, longitudeHemisphere, negative: .west, limit: 180)
    }

    /// With S or W the number counts as negative whatever its sign; with other letters the printed sign holds, because
    /// some firmware prints a sign and always the same letter (section 5).
    private static func degrees(
        _ number: WatchDecimal?, _ letter: WatchHemisphere?, negative: WatchHemisphere, limit: Double
    ) -> Double? {
        guard let number else { return nil }
        let value = letter == negative ? 0 - number.magnitude.value : number.value
        return abs(value) <= limit ? value : nil
    }

    func set(in object: inout JSONObject) {
        object.set("time", time?.timestamp)
        object.set("valid", hasFix)
        object.set("latitude", latitudeDegrees)
        object.set("longitude", longitudeDegrees)
        object.set("speedKmh", speed?.value)
        object.set("course", course?.value)
        object.set("altitude", altitude?.value)
        object.set("satellites", satellites)
        object.set("gsm", signal)
        object.set("battery", battery)
        object.set("steps", steps)
        object.set("tumbles", tumbles)
        object.set("status", status.map { Int($0) })
    }
}

/// What a watch hears around it: mobile cells, then Wi-Fi access points, then how exact the position is.
///
///     n [, timing advance, MCC, MNC, n x (LAC, cell, signal)] [, w, w x (name, address, signal)] [, accuracy]
///
/// Whatever is missing or left over here harms nothing before it. Source: section 5, tail rules.
public struct WatchSurroundings: Sendable, Equatable {
    public struct Cell: Sendable, Equatable {
        public var area: Int
        public var identity: Int
        /// Its unit differs by firmware.
        public var signal: Int?

        public init(area: Int, identity: Int, signal: Int?) {
            self.area = area
            self.identity = identity
            self.signal = signal
        }
    }

    public struct AccessPoint: Sendable, Equatable {
        /// Without a rule: it may be empty and may contain commas and brackets.
        public var name: String
        /// The 48-bit address in the low bits.
        public var address: UInt64
        /// dBm
        public var signal: Int?

        public init(name: String, address: UInt64, signal: Int?) {
            self.name = name
            self.address = address
            self.signal = signal
        }
    }

    public var timingAdvance: Int?
    /// Nil when there is none or it is `FFFF`: then there are no cells either.
    public var mobileCountryCode: Int?
    public var mobileNetworkCode: Int?
    public var cells: [Cell] = []
    public var wifi: [AccessPoint] = []
    /// Metres.
    public var accuracy: WatchDecimal?
    /// Two digits without a known meaning, of SG firmware, instead of Wi-Fi: 0...99.
    public var pair: UInt8?
    /// Fields that the rules do not explain.
    public var unexplained: [String] = []

    public init() {}

    init(parsing input: inout WatchFieldReader) {
        guard !input.isAtEnd else { return }
        let count = input.int("cell count") ?? 0
        if count > 0 {
            network(&input)
            readCells(count, &input)
        } else if Self.hasNetworkWithoutCells(input) {
            network(&input)
        }
        if !readPair(&input) { readWiFi(&input) }
        if input.fieldCount(upTo: 2) == 1 {
            var ahead = input
            if let number = ahead.decimal("accuracy") {
                accuracy = number
                input = ahead
            }
        }
        unexplained = input.texts("unexplained")
    }

    @_lifetime(input: copy input)
    private mutating func network(_ input: inout WatchFieldReader) {
        timingAdvance = input.int("timing advance")
        mobileCountryCode = input.int("country")
        mobileNetworkCode = input.int("network")
    }

    /// SG firmware that hears no cell still prints the network: `0,TA,MCC,MNC,,DD` and nothing else.
    private static func hasNetworkWithoutCells(_ input: WatchFieldReader) -> Bool {
        guard input.fieldCount(upTo: 6) == 5 else { return false }
        var ahead = input
        for _ in 0..<3 { _ = ahead.next("") }
        return isPair(ahead)
    }

    /// Exactly an empty field and two digits are left.
    private static func isPair(_ input: WatchFieldReader) -> Bool {
        guard input.fieldCount(upTo: 3) == 2 else { return false }
        var ahead = input
        guard ahead.next("").isEmpty else { return false }
        let digits = ahead.next("")
        return digits.count == 2 && (WatchText.int(digits) ?? -1) >= 0 && digits[0] != 0x20 && digits[0] != 0x2B
    }

    @_lifetime(input: copy input)
    private mutating func readPair(_ input: inout WatchFieldReader) -> Bool {
        guard Self.isPair(input) else { return false }
        _ = input.next("no Wi-Fi")
        pair = input.int("pair").map { UInt8(clamping: $0) }
        return true
    }

    @_lifetime(input: copy input)
    private mutating func readCells(_ count: Int, _ input: inout WatchFieldReader) {
        let radix = Self.cellRadix(count, input)
        let isKnown = mobileCountryCode != nil && mobileNetworkCode != nil
        var rest = count
        while rest > 0, input.fieldCount(upTo: 2) == 2 {
            rest -= 1
            let area = Self.number(input.next("area"), radix)
            let identity = Self.number(input.next("cell"), radix)
            let signal = input.int("signal")
            guard isKnown, let area, let identity else { continue }
            cells.append(Cell(area: area, identity: identity, signal: signal))
        }
    }

    /// Areas and cells are decimal, but all of them hexadecimal as soon as one contains a letter (SG firmware).
    private static func cellRadix(_ count: Int, _ input: WatchFieldReader) -> Int {
        var ahead = input
        var rest = count
        while rest > 0, !ahead.isAtEnd {
            rest -= 1
            for _ in 0..<2 {
                let field = ahead.next("")
                if WatchText.int(field) == nil, WatchText.hex(field) != nil { return 16 }
            }
            _ = ahead.next("")
        }
        return 10
    }

    private static func number(_ field: Span<UInt8>, _ radix: Int) -> Int? {
        let value = radix == 16 ? WatchText.hex(field).map { Int($0) } : WatchText.int(field)
        return value.flatMap { $0 >= 0 ? $0 : nil }
    }

    @_lifetime(input: copy input)
    private mutating func readWiFi(_ input: inout WatchFieldReader) {
        var ahead = input
        let count = ahead.next("Wi-Fi count")
        guard count.isEmpty || WatchText.int(count) != nil else { return }
        // A number with nothing behind it is no count but the accuracy, unless it is zero.
        let number = WatchText.int(count) ?? 0
        guard number >= 0, number == 0 || input.fieldCount(upTo: 4) == 4 else { return }
        input = ahead
        let fits = Self.fits(number, input)
        for _ in 0..<number {
            guard let names = fits ? 1 : Self.fieldsBeforeAddress(input) else { return }
            let name = WatchText.string(input.joined(names, "network name"))
            guard let address = WatchText.hardwareAddress(input.next("address")) else { return }
            wifi.append(AccessPoint(name: name, address: address, signal: input.int("Wi-Fi signal")))
        }
    }

    /// True when `count` entries of three fields and at most an accuracy are left.
    private static func fits(_ count: Int, _ input: WatchFieldReader) -> Bool {
        var ahead = input
        for _ in 0..<count {
            guard !ahead.isAtEnd else { return false }
            _ = ahead.next("")
            guard WatchText.hardwareAddress(ahead.next("")) != nil, !ahead.isAtEnd else { return false }
            _ = ahead.next("")
        }
        return ahead.fieldCount(upTo: 2) <= 1
    }

    /// How many fields the name has that stands before the next address; nil when no address follows.
    private static func fieldsBeforeAddress(_ input: WatchFieldReader) -> Int? {
        var ahead = input
        var count = 0
        while !ahead.isAtEnd {
            if WatchText.hardwareAddress(ahead.next("")) != nil, count > 0 { return count }
            count += 1
        }
        return nil
    }

    func write(to output: inout WatchContentWriter) {
        output.field(cells.count)
        if !cells.isEmpty || (pair != nil && mobileCountryCode != nil) {
            output.field(timingAdvance)
            output.field(mobileCountryCode)
            output.field(mobileNetworkCode)
        }
        for cell in cells {
            output.field(cell.area)
            output.field(cell.identity)
            output.field(cell.signal)
        }
        if let pair {
            output.fields(["", "\(pair / 10 % 10)\(pair % 10)"])
        } else {
            output.field(wifi.count)
            for point in wifi {
                output.field(raw: point.name.utf8)
                output.field(WatchText.hardwareAddress(point.address))
                output.field(point.signal)
            }
        }
        if let accuracy { output.field(accuracy) }
        output.fields(unexplained)
    }

    func set(in object: inout JSONObject) {
        object.set(
            "cells",
            .array(
                cells.map { cell in
                    var entry = JSONObject()
                    entry.set("mcc", mobileCountryCode)
                    entry.set("mnc", mobileNetworkCode)
                    entry.set("lac", cell.area)
                    entry.set("cid", cell.identity)
                    entry.set("rssi", cell.signal)
                    return entry.value
                }))
        object.set(
            "wifi",
            .array(
                wifi.map { point in
                    var entry = JSONObject()
                    entry.set("ssid", point.name)
                    entry.set("mac", WatchText.hardwareAddress(point.address))
                    entry.set("rssi", point.signal)
                    return entry.value
                }))
        object.set("accuracy", accuracy?.value)
        object.set("tail", pair.map { "\($0 / 10 % 10)\($0 % 10)" })
        if !unexplained.isEmpty { object.set("unexplained", .array(unexplained.map { .string($0) })) }
    }
}

/// A position, live, stored, with an alarm or with a question. Samples: `position-ud`, `position-ud2-buffered`, `alarm-sos`.
///
/// Keywords `UD...`, `AL...`, `WT...`, `WG` and, with a language before the position, `WAD`. Source: sections 5 and 7.
public struct WatchReport: WatchBody {
    public var keyword: String
    /// Only of `WAD`.
    public var language: String?
    public var fix: WatchFix
    public var surroundings: WatchSurroundings

    public init(keyword: String, language: String? = nil, fix: WatchFix, surroundings: WatchSurroundings = .init()) {
        self.keyword = keyword
        self.language = language
        self.fix = fix
        self.surroundings = surroundings
    }

    /// Nil when fewer than the fixed fields are there.
    init?(parsing input: inout WatchFieldReader) {
        keyword = input.keyword
        language = keyword.uppercased() == "WAD" ? input.text("language") : nil
        guard let fix = WatchFix(parsing: &input) else { return nil }
        self.fix = fix
        surroundings = WatchSurroundings(parsing: &input)
    }

    func write(to output: inout WatchContentWriter) {
        if let language { output.field(language) }
        fix.write(to: &output)
        surroundings.write(to: &output)
    }

    /// True for a position that was stored while there was no network: `UD2` and other digits.
    public var isStored: Bool {
        let letters = keyword.utf8
        guard WatchKeyword.family(letters) == .position, letters.count > 2 else { return false }
        return (0x30...0x39).contains(letters[letters.index(letters.startIndex, offsetBy: 2)])
    }

    /// Only these raise alarms; the bits of other positions may still be set from an alarm before.
    public var isAlarm: Bool { WatchKeyword.family(keyword.utf8) == .alarm }

    var fields: JSONObject {
        var object = JSONObject()
        if isStored { object.set("buffered", true) }
        object.set("language", language)
        var position = JSONObject()
        fix.set(in: &position)
        surroundings.set(in: &position)
        object.set("position", position.value)
        return object
    }
}

/// What a keyword says of its message before the message is read.
enum WatchKeyword {
    enum Family {
        /// `UD...`
        case position
        /// `AL...`
        case alarm
        case other
    }

    /// Without regard to case (section 2).
    static func family(_ letters: some Sequence<UInt8>) -> Family {
        var iterator = letters.makeIterator()
        guard let first = iterator.next(), let second = iterator.next() else { return .other }
        return family(first, second)
    }

    static func family(_ first: UInt8, _ second: UInt8) -> Family {
        switch (first & 0xDF, second & 0xDF) {
        case (0x55, 0x44): .position
        case (0x41, 0x4C): .alarm
        default: .other
        }
    }
}
