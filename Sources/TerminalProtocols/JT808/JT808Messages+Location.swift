public import TerminalModel
public import WireBytes

/// A time as six BCD bytes `YYMMDDhhmmss`, kept as sent.
///
/// Source: sections 5 and 12.3.
public struct JT808Time: RawRepresentable, Sendable, Equatable, Hashable {
    /// The six bytes in the low 48 bits.
    public var rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) {
        self.rawValue = rawValue & 0xFFFF_FFFF_FFFF
    }

    /// The BCD form of `time` on a clock that runs `utcOffsetMinutes` east of UTC; milliseconds are cut.
    public init(_ time: Timestamp, utcOffsetMinutes: Int) {
        let calendar = time.adding(milliseconds: Int64(utcOffsetMinutes) * 60_000).calendar
        var raw: UInt64 = 0
        for value in [
            calendar.year, calendar.month, calendar.day, calendar.hour, calendar.minute, calendar.second,
        ] {
            raw = raw << 8 | UInt64(BCD.byte(value))
        }
        rawValue = raw
    }

    @inlinable @inline(__always)
    func part(_ index: Int) -> Int {
        BCD.value(UInt8(truncatingIfNeeded: rawValue >> UInt64(truncatingIfNeeded: 40 &- index &* 8)))
    }

    /// The instant meant, or nil for nonsense: nibbles above 9, impossible dates, and the years 2000 and 2070 up, which
    /// clocks show that were never set.
    @inlinable @inline(__always)
    public func timestamp(utcOffsetMinutes: Int) -> Timestamp? {
        let year = part(0)
        let month = part(1)
        let day = part(2)
        let hour = part(3)
        let minute = part(4)
        let second = part(5)
        guard BCD.isDecimal(rawValue), year >= 1, year < 70, month >= 1, month <= 12, day >= 1,
            hour < 24, minute < 60, second < 60
        else { return nil }
        // Every fourth year of 2001...2069 is a leap year, so no calendar is needed.
        let leap = year & 3 == 0 ? 1 : 0
        guard day <= Self.monthLength(month) &+ (month == 2 ? leap : 0) else { return nil }
        let before = Self.daysBefore(month) &+ (month > 2 ? leap : 0)
        let days = Self.daysTo2000 &+ year &* 365 &+ (year &+ 3) >> 2 &+ before &+ day &- 1
        let seconds = ((days &* 24 &+ hour) &* 60 &+ minute &- utcOffsetMinutes) &* 60 &+ second
        return Timestamp(milliseconds: Int64(seconds &* 1000))
    }

    /// From 1970-01-01 to 2000-01-01.
    @inlinable static var daysTo2000: Int { 10_957 }

    /// 28, 30 or 31 for a month 1...12, two bits each above 28.
    @inlinable @inline(__always)
    static func monthLength(_ month: Int) -> Int {
        28 &+ (0x3BBEECC >> (month &* 2)) & 3
    }

    /// Days of a common year before the first of a month 1...12.
    @inlinable @inline(__always)
    static func daysBefore(_ month: Int) -> Int {
        (367 &* month &- 362) / 12 &- (month > 2 ? 2 : 0)
    }

    /// `2026-03-14T09:15:30` and the given zone, nil unless every field is in its range.
    func text(zone: String) -> String? {
        guard BCD.isDecimal(rawValue),
            let local = Timestamp(
                year: 2000 + part(0), month: part(1), day: part(2), hour: part(3), minute: part(4), second: part(5))
        else { return nil }
        return local.description.dropLast() + zone
    }
}

/// The 28 bytes that every location report begins with.
///
///     alarm 4 | status 4 | latitude 4 | longitude 4 | altitude 2 | speed 2 | direction 2 | time BCD 6
///
/// Source: section 8.1.
public struct JT808BasicLocation: Sendable, Equatable {
    @inlinable public static var byteCount: Int { 28 }

    @usableFromInline
    enum Field {
        @inlinable static var alarmFlags: Int { 0 }
        @inlinable static var status: Int { 4 }
        @inlinable static var latitude: Int { 8 }
        @inlinable static var longitude: Int { 12 }
        @inlinable static var altitude: Int { 16 }
        @inlinable static var speed: Int { 18 }
        @inlinable static var direction: Int { 20 }
        @inlinable static var time: Int { 22 }
    }

    /// Section 12.1.
    public var alarmFlags: UInt32
    /// Section 8.2.
    public var status: UInt32
    /// Millionths of a degree; the hemisphere is in the status.
    public var latitude: UInt32
    public var longitude: UInt32
    /// Metres; unsigned by the standard, signed on devices.
    public var altitude: Int16
    /// Tenths of a kilometre per hour; FFFF unknown.
    public var speed: UInt16
    /// Degrees clockwise from north, as sent.
    public var direction: UInt16
    public var time: JT808Time

    public init(
        alarmFlags: UInt32 = 0, status: UInt32 = 0, latitude: UInt32 = 0, longitude: UInt32 = 0, altitude: Int16 = 0,
        speed: UInt16 = 0, direction: UInt16 = 0, time: JT808Time
    ) {
        self.alarmFlags = alarmFlags
        self.status = status
        self.latitude = latitude
        self.longitude = longitude
        self.altitude = altitude
        self.speed = speed
        self.direction = direction
        self.time = time
    }

    /// Reads the first 28 bytes; nil when there are fewer.
    @inlinable @inline(__always)
    public init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= Self.byteCount else { return nil }
        alarmFlags = bytes.uint32BE(at: Field.alarmFlags)
        status = bytes.uint32BE(at: Field.status)
        latitude = bytes.uint32BE(at: Field.latitude)
        longitude = bytes.uint32BE(at: Field.longitude)
        altitude = Int16(bitPattern: bytes.uint16BE(at: Field.altitude))
        speed = bytes.uint16BE(at: Field.speed)
        direction = bytes.uint16BE(at: Field.direction)
        time = JT808Time(rawValue: bytes.uint48BE(at: Field.time))
    }

    func write(to output: inout ByteWriter) {
        output.uint32BE(alarmFlags)
        output.uint32BE(status)
        output.uint32BE(latitude)
        output.uint32BE(longitude)
        output.uint16BE(UInt16(bitPattern: altitude))
        output.uint16BE(speed)
        output.uint16BE(direction)
        output.uint48BE(time.rawValue)
    }
}

/// Bits of the status word (section 8.2).
public enum JT808Status {
    public static let accessoryOn: UInt32 = 1 << 0
    public static let fixed: UInt32 = 1 << 1
    public static let south: UInt32 = 1 << 2
    public static let west: UInt32 = 1 << 3
    /// Coordinates went through an obfuscating plug-in and are not WGS-84.
    public static let obfuscated: UInt32 = 1 << 5
    public static let gpsUsed: UInt32 = 1 << 18
    public static let beiDouUsed: UInt32 = 1 << 19
    /// 2019.
    public static let moving: UInt32 = 1 << 22
}

extension JT808BasicLocation {
    /// Degrees, north positive; nil outside -90...90.
    public var latitudeDegrees: Double? {
        Self.degrees(latitude, limit: 90_000_000, negative: status & JT808Status.south != 0)
    }

    /// Degrees, east positive; nil outside -180...180.
    public var longitudeDegrees: Double? {
        Self.degrees(longitude, limit: 180_000_000, negative: status & JT808Status.west != 0)
    }

    /// The sign comes from the status bit. A few devices send two's complement instead (section 12.3).
    private static func degrees(_ raw: UInt32, limit: UInt32, negative: Bool) -> Double? {
        if raw <= limit {
            let value = Double(raw) / 1_000_000
            return negative && raw != 0 ? -value : value
        }
        let signed = Int32(bitPattern: raw)
        guard signed < 0, signed.magnitude <= limit else { return nil }
        return Double(signed) / 1_000_000
    }

    /// The terminal has a fix, and it is not the 0, 0 of a receiver that never had one.
    public var hasFix: Bool {
        status & JT808Status.fixed != 0 && !(latitude == 0 && longitude == 0)
    }

    /// What the standard's fields say, in the shape of the corpus; `items` follow by the caller.
    var fields: JSONObject {
        var object = JSONObject()
        object.set("alarmFlags", Int(alarmFlags))
        object.set("status", Int(status))
        object.set("fixed", status & JT808Status.fixed != 0)
        object.set("latitude", latitudeDegrees)
        object.set("longitude", longitudeDegrees)
        object.set("altitude", Int(altitude))
        object.set("speedKmh", speed == .max ? nil : Double(speed) / 10)
        object.set("direction", Int(direction))
        let text = time.text(zone: "+08:00")
        object.set("timeLocal", text)
        if text == nil { object.set("timeHex", String(Hex.number(time.rawValue, digits: 12).dropFirst(2))) }
        return object
    }
}

/// Walks the additional items of a location report without copying.
///
///     id 1 | length 1 | value ...      repeated
///
/// The walk stops at an item with id 0 (padding) and at one that runs past the end; `stop` tells which.
/// Source: sections 8.3 and 12.3.
public struct JT808ItemWalk: ~Escapable {
    public struct Item: Sendable, Equatable {
        public let id: UInt8
        /// Where the value stands in `bytes`.
        public let value: Range<Int>

        @inlinable
        init(id: UInt8, value: Range<Int>) {
            self.id = id
            self.value = value
        }
    }

    public let bytes: Span<UInt8>
    /// Where the next item begins, or where the walk stopped.
    @inlinable
    public var offset: Int { position }

    @usableFromInline var position: Int

    @inlinable
    @_lifetime(copy bytes)
    public init(_ bytes: Span<UInt8>) {
        self.bytes = bytes
        position = 0
    }

    @inlinable @inline(__always)
    @_lifetime(self: copy self)
    public mutating func next() -> Item? {
        let left = bytes.count &- position
        guard left >= 2 else { return nil }
        let id = bytes[position]
        let length = Int(bytes[position &+ 1])
        guard id != 0, length <= left &- 2 else { return nil }
        let start = position &+ 2
        position = start &+ length
        return Item(id: id, value: start..<position)
    }

    /// True when the walk ended at the end or in padding, false when an item ran past the end.
    public var endedCleanly: Bool {
        offset == bytes.count || bytes[offset] == 0
    }
}

/// 0x0200: the basic part and its items. Samples: `location-sos-escaped`, `location-fence-exit`, `location-south-west`.
public struct JT808Location: JT808Body {
    public var basic: JT808BasicLocation
    /// Everything behind the basic part, as sent.
    public var itemBytes: [UInt8]
    /// The body broke off inside the basic part but states an alarm, which must not be lost: only the alarm flags of
    /// `basic` count, and `itemBytes` holds what followed them.
    public private(set) var isTruncated = false

    public init(basic: JT808BasicLocation, itemBytes: [UInt8] = []) {
        self.basic = basic
        self.itemBytes = itemBytes
    }

    public init(basic: JT808BasicLocation, items: [(id: UInt8, value: [UInt8])]) {
        self.init(basic: basic)
        for item in items {
            itemBytes += [item.id, UInt8(clamping: item.value.count)] + item.value.prefix(255)
        }
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        if let basic = JT808BasicLocation(input.unread) {
            try input.skip(JT808BasicLocation.byteCount, "location")
            self.basic = basic
            itemBytes = input.rest("items")
            return
        }
        let count = input.remaining
        guard count >= 4, input.unread.uint32BE(at: 0) != 0 else {
            throw input.error(.badLength, "location", expected: "28 bytes", found: "\(count)")
        }
        basic = JT808BasicLocation(
            alarmFlags: try input.uint32("alarmFlags"), time: JT808Time(rawValue: 0))
        itemBytes = input.rest()
        isTruncated = true
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        if isTruncated { output.uint32BE(basic.alarmFlags) } else { basic.write(to: &output) }
        output.append(itemBytes)
    }

    var fields: JSONObject {
        guard !isTruncated else {
            var object = JSONObject()
            object.set("alarmFlags", Int(basic.alarmFlags))
            object.set("truncatedHex", Hex.text(itemBytes))
            return object
        }
        var object = basic.fields
        var items: [JSONValue] = []
        var walk = JT808ItemWalk(itemBytes.span)
        while let item = walk.next() {
            var entry = JSONObject()
            entry.set("id", Int(item.id))
            entry.set("hex", Hex.text(itemBytes.span.extracting(item.value)))
            items.append(entry.value)
        }
        object.set("items", .array(items))
        if walk.offset < itemBytes.count {
            object.set("trailing", Hex.text(itemBytes.span.extracting(walk.offset..<itemBytes.count)))
        }
        return object
    }
}

/// 0x0201 and 0x0500: flow id of the command 2, then a location report. Sample: `locate-now-reply`.
public struct JT808LocationReply: JT808Body {
    public var flowID: UInt16
    public var location: JT808Location

    public init(flowID: UInt16, location: JT808Location) {
        self.flowID = flowID
        self.location = location
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        flowID = try input.uint16("ackFlowId")
        location = try JT808Location(parsing: &input, edition: edition)
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint16BE(flowID)
        location.write(to: &output, edition: edition)
    }

    var fields: JSONObject {
        var object = location.fields
        object.set("ackFlowId", Int(flowID))
        return object
    }
}
