import TerminalModel
import WireBytes

/// 18, 24, 28, 2E, A1: time 6 | mcc, mnc | seven cells | timing advance 1 | language 2.
/// 2C, A2: the same with a count 1 and access points instead of the language.
/// Samples: `lbs-28`, `wifi-2c`. Source: section 7.8.
public struct GT06Cells: GT06Body {
    public struct Cell: Sendable, Equatable {
        public var areaCode: UInt32
        public var identity: UInt64
        /// dBm without its sign; 0 and FF say nothing.
        public var signal: UInt8

        public init(areaCode: UInt32, identity: UInt64, signal: UInt8) {
            self.areaCode = areaCode
            self.identity = identity
            self.signal = signal
        }
    }

    public struct AccessPoint: Sendable, Equatable {
        /// 48 bits.
        public var address: UInt64
        /// dBm without its sign.
        public var signal: UInt8
        /// Only in a later revision of the manual.
        public var name: [UInt8]?

        public init(address: UInt64, signal: UInt8, name: [UInt8]? = nil) {
            self.address = address & 0xFFFF_FFFF_FFFF
            self.signal = signal
            self.name = name
        }
    }

    public var time: GT06Time
    public var countryCode: UInt16
    public var networkCode: UInt16
    public var isWide: Bool
    /// The slots in use, at most seven; the first cell is the serving one.
    public var cells: [Cell]
    public var timingAdvance: UInt8
    /// Nil in the messages with Wi-Fi.
    public var language: UInt16?
    /// Nil in the messages without Wi-Fi.
    public var accessPoints: [AccessPoint]?

    static let slots = 7

    public init(
        time: GT06Time, countryCode: UInt16, networkCode: UInt16, isWide: Bool = false, cells: [Cell],
        timingAdvance: UInt8 = 0xFF, language: UInt16? = nil, accessPoints: [AccessPoint]? = nil
    ) {
        self.time = time
        self.countryCode = countryCode & 0x7FFF
        self.networkCode = networkCode
        self.isWide = isWide || networkCode > 255
        self.cells = cells
        self.timingAdvance = timingAdvance
        self.language = language
        self.accessPoints = accessPoints
    }

    static func hasAccessPoints(_ number: UInt8) -> Bool { number == 0x2C || number == 0xA2 }

    /// Area, identity and signal of one slot.
    private static func slotBytes(_ number: UInt8) -> Int { GT06Cell.isLong(number) ? 13 : 6 }

    /// How the access points that begin at `offset` are laid out; nil when they do not end where the content ends.
    private static func hasNames(_ content: Span<UInt8>, at offset: Int, count: Int) -> Bool? {
        if content.count - offset == 7 * count { return false }
        var at = offset
        for _ in 0..<count {
            guard content.count - at >= 8 else { return nil }
            let size = 8 + Int(content[at + 7])
            guard content.count - at >= size else { return nil }
            at += size
        }
        return at == content.count ? true : nil
    }

    /// True when the content has exactly the size of this layout and its time can be one.
    static func fits(_ content: Span<UInt8>, number: UInt8) -> Bool {
        guard content.count >= 8 else { return false }
        let time = GT06Time(rawValue: content.uint48BE(at: 0))
        let fixed = 6 + 3 + Int(content[6] >> 7) + slots * slotBytes(number) + 1
        guard time.isPlausible || time.isUnset else { return false }
        guard hasAccessPoints(number) else { return content.count == fixed + 2 }
        guard content.count > fixed else { return false }
        return hasNames(content, at: fixed + 1, count: Int(content[fixed])) != nil
    }

    init(parsing input: inout FieldReader, number: UInt8) throws(DecodeError) {
        time = GT06Time(rawValue: try input.uint48("time"))
        let code = try input.uint16("mcc")
        isWide = code & 0x8000 != 0
        countryCode = code & 0x7FFF
        networkCode = isWide ? try input.uint16("mnc") : UInt16(try input.uint8("mnc"))
        cells = []
        for _ in 0..<Self.slots {
            let long = GT06Cell.isLong(number)
            let area = long ? try input.uint32("lac") : UInt32(try input.uint16("lac"))
            let identity = long ? try input.uint64("cellId") : UInt64(try input.uint24("cellId"))
            let signal = try input.uint8("signal")
            guard area != 0 || identity != 0 else { continue }
            cells.append(Cell(areaCode: area, identity: identity, signal: signal))
        }
        timingAdvance = try input.uint8("timingAdvance")
        guard Self.hasAccessPoints(number) else {
            language = try input.uint16("language")
            return
        }
        let count = Int(try input.uint8("wifiCount"))
        let hasNames = Self.hasNames(input.unread, at: 0, count: count) ?? false
        var points: [AccessPoint] = []
        for _ in 0..<count {
            var point = AccessPoint(address: try input.uint48("mac"), signal: try input.uint8("signal"))
            if hasNames { point.name = try input.bytes(Int(try input.uint8("nameLength")), "name") }
            points.append(point)
        }
        accessPoints = points
    }

    func write(to output: inout ByteWriter, number: UInt8) {
        output.uint48BE(time.rawValue)
        GT06Cell.write(countryCode, networkCode, isWide, to: &output)
        for slot in 0..<Self.slots {
            let cell = slot < cells.count ? cells[slot] : Cell(areaCode: 0, identity: 0, signal: 0)
            GT06Cell.write(cell.areaCode, cell.identity, to: &output, number: number)
            output.uint8(cell.signal)
        }
        output.uint8(timingAdvance)
        guard Self.hasAccessPoints(number) else {
            output.uint16BE(language ?? 0)
            return
        }
        let points = (accessPoints ?? []).prefix(255)
        output.uint8(UInt8(points.count))
        for point in points {
            output.uint48BE(point.address)
            output.uint8(point.signal)
            guard let name = point.name else { continue }
            output.uint8(UInt8(clamping: name.count))
            output.append(name.prefix(255))
        }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("time", time.text)
        object.set("mcc", Int(countryCode))
        object.set("mnc", Int(networkCode))
        object.set("cells", .array(cells.map(\.fields)))
        if let accessPoints { object.set("wifi", .array(accessPoints.map(\.fields))) }
        return object
    }
}

extension GT06Cells.Cell {
    fileprivate var fields: JSONValue {
        var object = JSONObject()
        object.set("lac", Int(areaCode))
        object.set("cid", Int(truncatingIfNeeded: identity))
        object.set("rssi", -Int(signal))
        return object.value
    }
}

extension GT06Cells.AccessPoint {
    /// Six bytes with colons between them.
    fileprivate var text: String {
        (0..<6).map { Hex.text([UInt8(truncatingIfNeeded: address >> UInt64(40 - $0 * 8))]) }.joined(separator: ":")
    }

    var fields: JSONValue {
        var object = JSONObject()
        object.set("mac", text)
        object.set("rssi", -Int(signal))
        object.set("ssid", name.map { String(decoding: $0, as: UTF8.self) })
        return object.value
    }
}
