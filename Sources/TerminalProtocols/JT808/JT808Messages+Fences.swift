import TerminalModel
import WireBytes

/// Attribute bits of an area (section 9); routes and their segments use the time and speed bits in the same places.
public enum JT808AreaAttribute {
    public static let timeWindow: UInt16 = 1 << 0
    public static let speedRule: UInt16 = 1 << 1
    public static let entryToTerminal: UInt16 = 1 << 2
    public static let entryToPlatform: UInt16 = 1 << 3
    public static let exitToTerminal: UInt16 = 1 << 4
    public static let exitToPlatform: UInt16 = 1 << 5
    public static let south: UInt16 = 1 << 6
    public static let west: UInt16 = 1 << 7
}

/// Coordinates on the wire: millionths of a degree, unsigned; hemispheres are in the attributes.
public struct JT808Point: Sendable, Equatable {
    public var latitude: UInt32
    public var longitude: UInt32

    public init(latitude: UInt32, longitude: UInt32) {
        self.latitude = latitude
        self.longitude = longitude
    }

    init(parsing input: inout FieldReader) throws(DecodeError) {
        latitude = try input.uint32("latitude")
        longitude = try input.uint32("longitude")
    }

    func write(to output: inout ByteWriter) {
        output.uint32BE(latitude)
        output.uint32BE(longitude)
    }

    func fields(_ attributes: UInt16, _ object: inout JSONObject, prefix: String = "") {
        let south = attributes & JT808AreaAttribute.south != 0
        let west = attributes & JT808AreaAttribute.west != 0
        let names = prefix.isEmpty ? ("latitude", "longitude") : (prefix + "Latitude", prefix + "Longitude")
        object.set(names.0, (south ? -1 : 1) * Double(latitude) / 1_000_000)
        object.set(names.1, (west ? -1 : 1) * Double(longitude) / 1_000_000)
    }
}

/// The optional parts that every area ends with: time window (bit 0), speed rule (bit 1), name (2019).
public struct JT808AreaRules: Sendable, Equatable {
    public var start: JT808Time?
    public var end: JT808Time?
    public var speedKilometresPerHour: UInt16?
    public var speedSeconds: UInt8?
    /// 2019 only.
    public var nightSpeedKilometresPerHour: UInt16?
    /// 2019 only.
    public var name: String?

    public init(
        start: JT808Time? = nil, end: JT808Time? = nil, speedKilometresPerHour: UInt16? = nil,
        speedSeconds: UInt8? = nil, nightSpeedKilometresPerHour: UInt16? = nil, name: String? = nil
    ) {
        self.start = start
        self.end = end
        self.speedKilometresPerHour = speedKilometresPerHour
        self.speedSeconds = speedSeconds
        self.nightSpeedKilometresPerHour = nightSpeedKilometresPerHour
        self.name = name
    }

    /// The bits of the attributes that these rules set.
    var attributeBits: UInt16 {
        (start != nil && end != nil ? JT808AreaAttribute.timeWindow : 0)
            | (speedKilometresPerHour != nil ? JT808AreaAttribute.speedRule : 0)
    }

    mutating func readTime(_ attributes: UInt16, _ input: inout FieldReader) throws(DecodeError) {
        guard attributes & JT808AreaAttribute.timeWindow != 0 else { return }
        start = JT808Time(rawValue: try input.uint48("start"))
        end = JT808Time(rawValue: try input.uint48("end"))
    }

    mutating func readSpeed(_ attributes: UInt16, _ input: inout FieldReader) throws(DecodeError) {
        guard attributes & JT808AreaAttribute.speedRule != 0 else { return }
        speedKilometresPerHour = try input.uint16("speed")
        speedSeconds = try input.uint8("speedDuration")
    }

    mutating func readNightSpeed(
        _ attributes: UInt16, _ edition: JT808Edition?, _ input: inout FieldReader
    ) throws(DecodeError) {
        guard edition == .v2019, attributes & JT808AreaAttribute.speedRule != 0 else { return }
        nightSpeedKilometresPerHour = try input.uint16("nightSpeed")
    }

    mutating func readName(_ edition: JT808Edition?, _ input: inout FieldReader) throws(DecodeError) {
        guard edition == .v2019 else { return }
        name = try input.text(Int(try input.uint16("nameLength")), "name")
    }

    func writeTime(to output: inout ByteWriter) {
        guard let start, let end else { return }
        output.uint48BE(start.rawValue)
        output.uint48BE(end.rawValue)
    }

    func writeSpeed(to output: inout ByteWriter) {
        guard let speedKilometresPerHour else { return }
        output.uint16BE(speedKilometresPerHour)
        output.uint8(speedSeconds ?? 0)
    }

    func writeNightSpeed(to output: inout ByteWriter, edition: JT808Edition) {
        guard edition == .v2019, let speedKilometresPerHour else { return }
        output.uint16BE(nightSpeedKilometresPerHour ?? speedKilometresPerHour)
    }

    func writeName(to output: inout ByteWriter, edition: JT808Edition) {
        guard edition == .v2019 else { return }
        let bytes = GBK.bytes(name ?? "")
        output.uint16BE(UInt16(clamping: bytes.count))
        output.append(bytes.prefix(Int(UInt16.max)))
    }

    func fields(_ object: inout JSONObject) {
        object.set("start", start.map { String(Hex.number($0.rawValue, digits: 12).dropFirst(2)) })
        object.set("end", end.map { String(Hex.number($0.rawValue, digits: 12).dropFirst(2)) })
        object.set("speedKmh", speedKilometresPerHour.map(Int.init))
        object.set("speedSeconds", speedSeconds.map(Int.init))
        object.set("nightSpeedKmh", nightSpeedKilometresPerHour.map(Int.init))
        object.set("name", name)
    }
}

/// 0x8600: setting 1 | count 1 | circles of id 4, attributes 2, centre 8, radius 4 m, rules. Sample: `fence-circle-2013`.
public struct JT808Circles: JT808Body {
    public struct Area: Sendable, Equatable {
        public var id: UInt32
        public var attributes: UInt16
        public var centre: JT808Point
        public var radiusMetres: UInt32
        public var rules: JT808AreaRules

        public init(
            id: UInt32, attributes: UInt16, centre: JT808Point, radiusMetres: UInt32,
            rules: JT808AreaRules = JT808AreaRules()
        ) {
            self.id = id
            self.attributes = attributes & ~3 | rules.attributeBits
            self.centre = centre
            self.radiusMetres = radiusMetres
            self.rules = rules
        }
    }

    /// 0 replace, 1 append, 2 modify.
    public var setting: UInt8
    public var areas: [Area]

    public init(setting: UInt8, areas: [Area]) {
        self.setting = setting
        self.areas = areas
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        setting = try input.uint8("setting")
        let count = try input.uint8("count")
        areas = []
        for _ in 0..<count {
            let id = try input.uint32("areaId")
            let attributes = try input.uint16("attributes")
            let centre = try JT808Point(parsing: &input)
            let radius = try input.uint32("radius")
            var rules = JT808AreaRules()
            try rules.readTime(attributes, &input)
            try rules.readSpeed(attributes, &input)
            try rules.readNightSpeed(attributes, edition, &input)
            try rules.readName(edition, &input)
            var area = Area(id: id, attributes: attributes, centre: centre, radiusMetres: radius, rules: rules)
            area.attributes = attributes
            areas.append(area)
        }
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint8(setting)
        output.uint8(UInt8(clamping: areas.count))
        for area in areas.prefix(255) {
            output.uint32BE(area.id)
            output.uint16BE(area.attributes)
            area.centre.write(to: &output)
            output.uint32BE(area.radiusMetres)
            area.rules.writeTime(to: &output)
            area.rules.writeSpeed(to: &output)
            area.rules.writeNightSpeed(to: &output, edition: edition)
            area.rules.writeName(to: &output, edition: edition)
        }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("setting", Int(setting))
        object.set(
            "areas",
            .array(
                areas.map { area in
                    var entry = JSONObject()
                    entry.set("id", Int(area.id))
                    entry.set("attributes", Int(area.attributes))
                    area.centre.fields(area.attributes, &entry)
                    entry.set("radius", Int(area.radiusMetres))
                    area.rules.fields(&entry)
                    return entry.value
                }))
        return object
    }
}

/// 0x8602: setting 1 | count 1 | rectangles of id 4, attributes 2, upper left 8, lower right 8, rules.
public struct JT808Rectangles: JT808Body {
    public struct Area: Sendable, Equatable {
        public var id: UInt32
        public var attributes: UInt16
        public var upperLeft: JT808Point
        public var lowerRight: JT808Point
        public var rules: JT808AreaRules

        public init(
            id: UInt32, attributes: UInt16, upperLeft: JT808Point, lowerRight: JT808Point,
            rules: JT808AreaRules = JT808AreaRules()
        ) {
            self.id = id
            self.attributes = attributes & ~3 | rules.attributeBits
            self.upperLeft = upperLeft
            self.lowerRight = lowerRight
            self.rules = rules
        }
    }

    /// 0 replace, 1 append, 2 modify.
    public var setting: UInt8
    public var areas: [Area]

    public init(setting: UInt8, areas: [Area]) {
        self.setting = setting
        self.areas = areas
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        setting = try input.uint8("setting")
        let count = try input.uint8("count")
        areas = []
        for _ in 0..<count {
            let id = try input.uint32("areaId")
            let attributes = try input.uint16("attributes")
            let upperLeft = try JT808Point(parsing: &input)
            let lowerRight = try JT808Point(parsing: &input)
            var rules = JT808AreaRules()
            try rules.readTime(attributes, &input)
            try rules.readSpeed(attributes, &input)
            try rules.readNightSpeed(attributes, edition, &input)
            try rules.readName(edition, &input)
            var area = Area(
                id: id, attributes: attributes, upperLeft: upperLeft, lowerRight: lowerRight, rules: rules)
            area.attributes = attributes
            areas.append(area)
        }
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint8(setting)
        output.uint8(UInt8(clamping: areas.count))
        for area in areas.prefix(255) {
            output.uint32BE(area.id)
            output.uint16BE(area.attributes)
            area.upperLeft.write(to: &output)
            area.lowerRight.write(to: &output)
            area.rules.writeTime(to: &output)
            area.rules.writeSpeed(to: &output)
            area.rules.writeNightSpeed(to: &output, edition: edition)
            area.rules.writeName(to: &output, edition: edition)
        }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("setting", Int(setting))
        object.set(
            "areas",
            .array(
                areas.map { area in
                    var entry = JSONObject()
                    entry.set("id", Int(area.id))
                    entry.set("attributes", Int(area.attributes))
                    area.upperLeft.fields(area.attributes, &entry, prefix: "upperLeft")
                    area.lowerRight.fields(area.attributes, &entry, prefix: "lowerRight")
                    area.rules.fields(&entry)
                    return entry.value
                }))
        return object
    }
}

/// 0x8604: id 4 | attributes 2 | time | speed 2, duration 1 | count 2 | points 8 each | (2019) night speed 2, name.
public struct JT808Polygon: JT808Body {
    public var id: UInt32
    public var attributes: UInt16
    public var points: [JT808Point]
    public var rules: JT808AreaRules

    public init(id: UInt32, attributes: UInt16, points: [JT808Point], rules: JT808AreaRules = JT808AreaRules()) {
        self.id = id
        self.attributes = attributes & ~3 | rules.attributeBits
        self.points = points
        self.rules = rules
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        id = try input.uint32("areaId")
        attributes = try input.uint16("attributes")
        rules = JT808AreaRules()
        try rules.readTime(attributes, &input)
        try rules.readSpeed(attributes, &input)
        let count = try input.uint16("count")
        points = []
        for _ in 0..<count { points.append(try JT808Point(parsing: &input)) }
        try rules.readNightSpeed(attributes, edition, &input)
        try rules.readName(edition, &input)
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint32BE(id)
        output.uint16BE(attributes)
        rules.writeTime(to: &output)
        rules.writeSpeed(to: &output)
        output.uint16BE(UInt16(clamping: points.count))
        for point in points.prefix(Int(UInt16.max)) { point.write(to: &output) }
        rules.writeNightSpeed(to: &output, edition: edition)
        rules.writeName(to: &output, edition: edition)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("id", Int(id))
        object.set("attributes", Int(attributes))
        object.set(
            "points",
            .array(
                points.map { point in
                    var entry = JSONObject()
                    point.fields(attributes, &entry)
                    return entry.value
                }))
        rules.fields(&object)
        return object
    }
}
