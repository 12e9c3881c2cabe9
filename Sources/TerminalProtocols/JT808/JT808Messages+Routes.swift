import TerminalModel
import WireBytes

/// 0x8606: id 4 | attributes 2 | time | count 2 | turning points | (2019) name. Source: section 9.
///
///     point: id 4 | segment id 4 | latitude 4 | longitude 4 | width 1 m | segment attributes 1
///            | (bit 0) too long 2 s, too short 2 s | (bit 1) speed 2, duration 1, (2019) night speed 2
public struct JT808Route: JT808Body {
    public struct Point: Sendable, Equatable {
        public var id: UInt32
        public var segmentID: UInt32
        public var place: JT808Point
        public var widthMetres: UInt8
        /// Bit 0 time rule, 1 speed rule, 2 south, 3 west.
        public var attributes: UInt8
        public var longestSeconds: UInt16?
        public var shortestSeconds: UInt16?
        public var speedKilometresPerHour: UInt16?
        public var speedSeconds: UInt8?
        public var nightSpeedKilometresPerHour: UInt16?

        /// `attributes` says by its bits 0 and 1 which rules are there; rules without their bit are not sent.
        public init(id: UInt32, segmentID: UInt32, place: JT808Point, widthMetres: UInt8, attributes: UInt8 = 0) {
            self.id = id
            self.segmentID = segmentID
            self.place = place
            self.widthMetres = widthMetres
            self.attributes = attributes
        }
    }

    public var id: UInt32
    public var attributes: UInt16
    public var points: [Point]
    public var start: JT808Time?
    public var end: JT808Time?
    public var name: String?

    public init(
        id: UInt32, attributes: UInt16, points: [Point], start: JT808Time? = nil, end: JT808Time? = nil,
        name: String? = nil
    ) {
        self.id = id
        self.attributes = attributes & ~1 | (start != nil && end != nil ? 1 : 0)
        self.points = points
        self.start = start
        self.end = end
        self.name = name
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        id = try input.uint32("routeId")
        attributes = try input.uint16("attributes")
        if attributes & 1 != 0 {
            start = JT808Time(rawValue: try input.uint48("start"))
            end = JT808Time(rawValue: try input.uint48("end"))
        }
        let count = try input.uint16("count")
        points = []
        for _ in 0..<count { points.append(try Self.point(parsing: &input, edition)) }
        if edition == .v2019 { name = try input.text(Int(try input.uint16("nameLength")), "name") }
    }

    private static func point(
        parsing input: inout FieldReader, _ edition: JT808Edition?
    ) throws(DecodeError) -> Point {
        var point = Point(
            id: try input.uint32("pointId"), segmentID: try input.uint32("segmentId"),
            place: try JT808Point(parsing: &input), widthMetres: try input.uint8("width"),
            attributes: try input.uint8("segmentAttributes"))
        if point.attributes & 1 != 0 {
            point.longestSeconds = try input.uint16("tooLong")
            point.shortestSeconds = try input.uint16("tooShort")
        }
        if point.attributes & 2 != 0 {
            point.speedKilometresPerHour = try input.uint16("speed")
            point.speedSeconds = try input.uint8("speedDuration")
            if edition == .v2019 { point.nightSpeedKilometresPerHour = try input.uint16("nightSpeed") }
        }
        return point
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint32BE(id)
        output.uint16BE(attributes)
        if let start, let end {
            output.uint48BE(start.rawValue)
            output.uint48BE(end.rawValue)
        }
        output.uint16BE(UInt16(clamping: points.count))
        for point in points.prefix(Int(UInt16.max)) {
            output.uint32BE(point.id)
            output.uint32BE(point.segmentID)
            point.place.write(to: &output)
            output.uint8(point.widthMetres)
            output.uint8(point.attributes)
            if point.attributes & 1 != 0 {
                output.uint16BE(point.longestSeconds ?? 0)
                output.uint16BE(point.shortestSeconds ?? 0)
            }
            if point.attributes & 2 != 0 {
                output.uint16BE(point.speedKilometresPerHour ?? 0)
                output.uint8(point.speedSeconds ?? 0)
                if edition == .v2019 { output.uint16BE(point.nightSpeedKilometresPerHour ?? 0) }
            }
        }
        guard edition == .v2019 else { return }
        let bytes = GBK.bytes(name ?? "")
        output.uint16BE(UInt16(clamping: bytes.count))
        output.append(bytes.prefix(Int(UInt16.max)))
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("id", Int(id))
        object.set("attributes", Int(attributes))
        object.set("start", start.map { String(Hex.number($0.rawValue, digits: 12).dropFirst(2)) })
        object.set("end", end.map { String(Hex.number($0.rawValue, digits: 12).dropFirst(2)) })
        object.set("points", .array(points.map(Self.fields)))
        object.set("name", name)
        return object
    }

    private static func fields(_ point: Point) -> JSONValue {
        var entry = JSONObject()
        entry.set("id", Int(point.id))
        entry.set("segmentId", Int(point.segmentID))
        // The hemispheres stand two bits lower than in an area.
        point.place.fields(UInt16(point.attributes) << 4 & 0xC0, &entry)
        entry.set("width", Int(point.widthMetres))
        entry.set("attributes", Int(point.attributes))
        entry.set("tooLongSeconds", point.longestSeconds.map(Int.init))
        entry.set("tooShortSeconds", point.shortestSeconds.map(Int.init))
        entry.set("speedKmh", point.speedKilometresPerHour.map(Int.init))
        entry.set("speedSeconds", point.speedSeconds.map(Int.init))
        entry.set("nightSpeedKmh", point.nightSpeedKilometresPerHour.map(Int.init))
        return entry.value
    }
}

/// 0x8601, 0x8603, 0x8605, 0x8607: count 1 (0 deletes all, at most 125) | ids 4 each.
public struct JT808AreaDeletion: JT808Body {
    public static let maximumAreas = 125

    public var ids: [UInt32]

    public init(ids: [UInt32] = []) { self.ids = ids }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        let count = try input.uint8("count")
        ids = []
        for _ in 0..<count { ids.append(try input.uint32("areaId")) }
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint8(UInt8(min(ids.count, Self.maximumAreas)))
        for id in ids.prefix(Self.maximumAreas) { output.uint32BE(id) }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("ids", .array(ids.map { .int(Int($0)) }))
        return object
    }
}

/// 0x8608 (2019): type 1 (1 circle, 2 rectangle, 3 polygon, 4 route) | count 4 (0 = all) | ids 4 each.
public struct JT808AreaQuery: JT808Body {
    public var type: UInt8
    public var ids: [UInt32]

    public init(type: UInt8, ids: [UInt32] = []) {
        self.type = type
        self.ids = ids
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        type = try input.uint8("type")
        let count = try input.uint32("count")
        ids = []
        guard Int(count) <= input.remaining / 4 else {
            throw input.error(.badLength, "count", expected: "\(input.remaining / 4) ids", found: "\(count)")
        }
        for _ in 0..<count { ids.append(try input.uint32("areaId")) }
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint8(type)
        output.uint32BE(UInt32(clamping: ids.count))
        for id in ids { output.uint32BE(id) }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("type", Int(type))
        object.set("ids", .array(ids.map { .int(Int($0)) }))
        return object
    }
}

/// 0x0608 (2019): type 1 | count 4 | data, kept as sent.
public struct JT808AreaReply: JT808Body {
    public var type: UInt8
    public var count: UInt32
    public var data: [UInt8]

    public init(type: UInt8, count: UInt32, data: [UInt8]) {
        self.type = type
        self.count = count
        self.data = data
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        type = try input.uint8("type")
        count = try input.uint32("count")
        data = input.rest()
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint8(type)
        output.uint32BE(count)
        output.append(data)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("type", Int(type))
        object.set("count", Int(count))
        object.set("dataHex", Hex.text(data))
        return object
    }
}
