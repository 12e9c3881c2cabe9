import TerminalModel
public import WireBytes

/// The 18 bytes of a GPS block.
///
///     time 6 | GPS length and satellites 1 | latitude 4 | longitude 4 | speed 1 | course and flags 2
///
/// Source: section 5.1.
public struct GT06Position: Sendable, Equatable {
    @inlinable public static var byteCount: Int { 18 }

    @usableFromInline
    enum Field {
        @inlinable static var time: Int { 0 }
        @inlinable static var lengthAndSatellites: Int { 6 }
        @inlinable static var latitude: Int { 7 }
        @inlinable static var longitude: Int { 11 }
        @inlinable static var speed: Int { 15 }
        @inlinable static var course: Int { 16 }
    }

    /// Bits of the course word.
    public enum Flag {
        public static let north: UInt16 = 1 << 10
        public static let west: UInt16 = 1 << 11
        public static let fixed: UInt16 = 1 << 12
    }

    public var time: GT06Time
    /// High nibble the length of the GPS information, low nibble satellites in use.
    public var lengthAndSatellites: UInt8
    /// Units of 1/1,800,000 degree, without sign.
    public var latitude: UInt32
    public var longitude: UInt32
    /// Kilometres per hour.
    public var speed: UInt8
    /// Bits 0-9 course in degrees, above them the flags.
    public var course: UInt16

    public init(
        time: GT06Time, lengthAndSatellites: UInt8 = 0xC0, latitude: UInt32 = 0, longitude: UInt32 = 0,
        speed: UInt8 = 0, course: UInt16 = Flag.north
    ) {
        self.time = time
        self.lengthAndSatellites = lengthAndSatellites
        self.latitude = latitude
        self.longitude = longitude
        self.speed = speed
        self.course = course
    }

    /// A fix.
    ///
    /// - Parameters:
    ///   - latitudeDegrees: north positive.
    ///   - longitudeDegrees: east positive.
    public init(
        time: GT06Time, latitudeDegrees: Double, longitudeDegrees: Double, speedKilometresPerHour: UInt8 = 0,
        courseDegrees: UInt16 = 0, satellites: UInt8 = 9
    ) {
        self.init(
            time: time, lengthAndSatellites: 0xC0 | satellites & 15,
            latitude: UInt32((min(90, abs(latitudeDegrees)) * 1_800_000).rounded()),
            longitude: UInt32((min(180, abs(longitudeDegrees)) * 1_800_000).rounded()),
            speed: speedKilometresPerHour,
            course: courseDegrees & 0x3FF | Flag.fixed | (latitudeDegrees < 0 ? 0 : Flag.north)
                | (longitudeDegrees < 0 ? Flag.west : 0))
    }

    /// Reads the first 18 bytes; nil when there are fewer.
    @inlinable @inline(__always)
    public init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= Self.byteCount else { return nil }
        time = GT06Time(rawValue: bytes.uint48BE(at: Field.time))
        lengthAndSatellites = bytes[Field.lengthAndSatellites]
        latitude = bytes.uint32BE(at: Field.latitude)
        longitude = bytes.uint32BE(at: Field.longitude)
        speed = bytes[Field.speed]
        course = bytes.uint16BE(at: Field.course)
    }

    init(parsing input: inout FieldReader) throws(DecodeError) {
        guard let position = GT06Position(input.unread) else {
            throw input.error(
                .badLength, "gps", expected: "\(Self.byteCount) bytes", found: "\(input.remaining)")
        }
        try input.skip(Self.byteCount, "gps")
        self = position
    }

    func write(to output: inout ByteWriter) {
        output.uint48BE(time.rawValue)
        output.uint8(lengthAndSatellites)
        output.uint32BE(latitude)
        output.uint32BE(longitude)
        output.uint8(speed)
        output.uint16BE(course)
    }

    public var satellites: Int { Int(lengthAndSatellites & 15) }
    public var isFixed: Bool { course & Flag.fixed != 0 }
    /// 0...1023 as sent; above 359 it is none.
    public var courseDegrees: Int { Int(course & 0x3FF) }

    /// Degrees with six decimals, which is finer than the unit, north positive; nil outside -90...90.
    public var latitudeDegrees: Double? {
        Self.degrees(latitude, limit: 162_000_000, negative: course & Flag.north == 0)
    }

    /// Degrees with six decimals, east positive; nil outside -180...180.
    public var longitudeDegrees: Double? {
        Self.degrees(longitude, limit: 324_000_000, negative: course & Flag.west != 0)
    }

    private static func degrees(_ raw: UInt32, limit: UInt32, negative: Bool) -> Double? {
        guard raw <= limit else { return nil }
        // 1/1,800,000 degree in millionths: 1,000,000 / 1,800,000 = 5 / 9.
        let millionths = (UInt64(raw) * 10 + 9) / 18
        let value = Double(millionths) / 1_000_000
        return negative && millionths != 0 ? -value : value
    }

    /// True for what can be a GPS block: numbers are used for other things on other models (section 11). A receiver that
    /// never had a fix shows a date of zeros.
    var isPlausible: Bool {
        (time.isPlausible || time.isUnset && time.rawValue >> 24 & 0xFFFF == 0) && latitude <= 162_000_000
            && longitude <= 324_000_000
    }

    var fields: JSONValue {
        var object = JSONObject()
        object.set("time", time.text)
        object.set("satellites", satellites)
        object.set("latitudeRaw", Int(latitude))
        object.set("longitudeRaw", Int(longitude))
        object.set("latitude", latitudeDegrees)
        object.set("longitude", longitudeDegrees)
        object.set("speedKmh", Int(speed))
        object.set("course", courseDegrees)
        object.set("fixed", isFixed)
        return object.value
    }
}

/// One cell: mcc 2 | mnc 1, or 2 when bit 15 of the mcc is set | lac 2 and cell 3, or on 4G models lac 4 and cell 8.
///
/// Source: section 5.2.
public struct GT06Cell: Sendable, Equatable {
    /// 15 bits.
    public var countryCode: UInt16
    public var networkCode: UInt16
    /// The network code is sent in two bytes.
    public var isWide: Bool
    public var areaCode: UInt32
    public var identity: UInt64

    public init(countryCode: UInt16, networkCode: UInt16, isWide: Bool = false, areaCode: UInt32, identity: UInt64) {
        self.countryCode = countryCode & 0x7FFF
        self.networkCode = networkCode
        self.isWide = isWide || networkCode > 255
        self.areaCode = areaCode
        self.identity = identity
    }

    /// True for the numbers of 4G models, whose cells are longer.
    @inlinable @inline(__always)
    static func isLong(_ number: UInt8) -> Bool { number >= 0xA0 && number <= 0xA7 || number == 0x36 }

    /// The size of a cell block with a short network code.
    @inlinable @inline(__always)
    static func byteCount(_ number: UInt8) -> Int { isLong(number) ? 15 : 8 }

    /// The size of the cell block at `offset`, nil when the bytes end before.
    @inlinable @inline(__always)
    static func byteCount(_ number: UInt8, in bytes: Span<UInt8>, at offset: Int) -> Int? {
        guard bytes.count &- offset >= 2 else { return nil }
        let size = byteCount(number) &+ Int(bytes[offset] >> 7)
        return bytes.count &- offset >= size ? size : nil
    }

    /// - Parameter offset: of a block that is whole.
    @inlinable
    init(_ bytes: Span<UInt8>, at offset: Int, number: UInt8) {
        let code = bytes.uint16BE(at: offset)
        countryCode = code & 0x7FFF
        isWide = code & 0x8000 != 0
        networkCode = isWide ? bytes.uint16BE(at: offset &+ 2) : UInt16(bytes[offset &+ 2])
        let area = offset &+ (isWide ? 4 : 3)
        if Self.isLong(number) {
            areaCode = bytes.uint32BE(at: area)
            identity = UInt64(bytes.uint32BE(at: area &+ 4)) << 32 | UInt64(bytes.uint32BE(at: area &+ 8))
        } else {
            areaCode = UInt32(bytes.uint16BE(at: area))
            identity = UInt64(bytes[area &+ 2]) << 16 | UInt64(bytes.uint16BE(at: area &+ 3))
        }
    }

    init(parsing input: inout FieldReader, number: UInt8) throws(DecodeError) {
        let code = try input.uint16("mcc")
        isWide = code & 0x8000 != 0
        countryCode = code & 0x7FFF
        networkCode = isWide ? try input.uint16("mnc") : UInt16(try input.uint8("mnc"))
        areaCode = Self.isLong(number) ? try input.uint32("lac") : UInt32(try input.uint16("lac"))
        identity = Self.isLong(number) ? try input.uint64("cellId") : UInt64(try input.uint24("cellId"))
    }

    func write(to output: inout ByteWriter, number: UInt8) {
        Self.write(countryCode, networkCode, isWide, to: &output)
        Self.write(areaCode, identity, to: &output, number: number)
    }

    static func write(_ country: UInt16, _ network: UInt16, _ isWide: Bool, to output: inout ByteWriter) {
        output.uint16BE(country & 0x7FFF | (isWide ? 0x8000 : 0))
        if isWide { output.uint16BE(network) } else { output.uint8(UInt8(truncatingIfNeeded: network)) }
    }

    static func write(_ area: UInt32, _ identity: UInt64, to output: inout ByteWriter, number: UInt8) {
        if isLong(number) {
            output.uint32BE(area)
            output.uint64BE(identity)
        } else {
            output.uint16BE(UInt16(truncatingIfNeeded: area))
            output.uint24BE(UInt32(truncatingIfNeeded: identity))
        }
    }

    var fields: JSONValue {
        var object = JSONObject()
        object.set("mcc", Int(countryCode))
        object.set("mnc", Int(networkCode))
        object.set("lac", Int(areaCode))
        object.set("cid", Int(truncatingIfNeeded: identity))
        return object.value
    }
}

/// 10, 11, 12: GPS | cell. 22, A0: GPS | cell | ACC 1 | upload mode 1 | re-upload 1 | mileage 4, or without.
/// Samples: `location-12`, `location-22-buffered`, `location-a0`. Source: section 7.5.
public struct GT06Location: GT06Body {
    /// Behind the cell of 22 and A0.
    public struct Trailer: Sendable, Equatable {
        /// 1 = on.
        public var accessory: UInt8
        /// Why the position is sent; 7 = somebody pressed the key, which is a report and no alarm.
        public var uploadMode: UInt8
        /// 1 = stored on the terminal before.
        public var reupload: UInt8
        public var mileage: UInt32?

        static let byteCount = 3

        public init(accessory: UInt8 = 0, uploadMode: UInt8 = 0, reupload: UInt8 = 0, mileage: UInt32? = nil) {
            self.accessory = accessory
            self.uploadMode = uploadMode
            self.reupload = reupload
            self.mileage = mileage
        }
    }

    public var gps: GT06Position
    public var cell: GT06Cell?
    public var trailer: Trailer?

    public init(gps: GT06Position, cell: GT06Cell? = nil, trailer: Trailer? = nil) {
        self.gps = gps
        self.cell = cell
        self.trailer = cell == nil ? nil : trailer
    }

    /// True when the content begins with a GPS block.
    static func fits(_ content: Span<UInt8>) -> Bool {
        GT06Position(content)?.isPlausible ?? false
    }

    static func hasTrailer(_ number: UInt8) -> Bool { number == 0x22 || number == 0xA0 }

    init(parsing input: inout FieldReader, number: UInt8) throws(DecodeError) {
        gps = try GT06Position(parsing: &input)
        guard GT06Cell.byteCount(number, in: input.unread, at: 0) != nil else { return }
        cell = try GT06Cell(parsing: &input, number: number)
        guard Self.hasTrailer(number), input.remaining >= Trailer.byteCount else { return }
        trailer = Trailer(
            accessory: try input.uint8("acc"), uploadMode: try input.uint8("uploadMode"),
            reupload: try input.uint8("reupload"))
        if input.remaining == 4 { trailer?.mileage = try input.uint32("mileage") }
    }

    func write(to output: inout ByteWriter, number: UInt8) {
        gps.write(to: &output)
        cell?.write(to: &output, number: number)
        guard let trailer, Self.hasTrailer(number) else { return }
        output.uint8(trailer.accessory)
        output.uint8(trailer.uploadMode)
        output.uint8(trailer.reupload)
        if let mileage = trailer.mileage { output.uint32BE(mileage) }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("gps", gps.fields)
        object.set("cell", cell?.fields)
        object.set("acc", trailer.map { Int($0.accessory) })
        object.set("uploadMode", trailer.map { Int($0.uploadMode) })
        object.set("reupload", trailer.map { Int($0.reupload) })
        object.set("mileage", trailer?.mileage.map(Int.init))
        return object
    }
}
