public import TerminalModel
import WireBytes

/// The messages of the family without serial and CRC.
///
///     78 78 | length 1 | type 1 | content | 0D 0A
///
/// Source: section 7.14.
public enum GT06LookAlike: Sendable, Equatable {
    // Terminal to platform.
    /// 01: IMEI BCD 8 | version 1.
    case login(imeiNibbles: UInt64, version: UInt8)
    /// 08, empty, or with a position.
    case heartbeat(GT06Position?)
    /// 10 live, 11 stored.
    case position(GT06LookAlikePosition)
    /// 13: battery percent 1 | version 1 | time zone 1 | interval 1 and more by model.
    case status(GT06Bytes)
    /// 17, 18, 19, 1A, 69.
    case cells(UInt8, GT06LookAlikeCells)
    /// 30 without content.
    case timeRequest
    /// 94 vibration, 99 SOS; what more a model says is kept.
    case alarm(UInt8, GT06Bytes)
    // Platform to terminal.
    /// 01: 01 = come in, 44 = refused.
    case loginReply(accepted: Bool)
    /// 30: year 2 | month, day, hour, minute, second, UTC.
    case time(Timestamp)
    /// The type with what the terminal wants back: the six time bytes, or the content of 13.
    case echo(UInt8, [UInt8])
    // Anything else.
    case unknown(UInt8, GT06Bytes)

    /// The message of type `number`; content that does not fit keeps its bytes.
    ///
    /// - Parameter length: what stands in the place of the length.
    init(parsing input: inout FieldReader, number: UInt8, length: Int) throws(DecodeError) {
        switch number {
        case 0x01:
            let imei = try input.uint64("imei")
            self = .login(imeiNibbles: imei, version: try input.uint8("version"))
        case 0x08 where input.isAtEnd: self = .heartbeat(nil)
        case 0x08 where GT06Location.fits(input.unread): self = .heartbeat(try GT06Position(parsing: &input))
        case 0x10 where GT06Location.fits(input.unread), 0x11 where GT06Location.fits(input.unread):
            self = .position(try GT06LookAlikePosition(parsing: &input, number: number))
        case 0x13: self = .status(try GT06Bytes(parsing: &input, number: number))
        case 0x17, 0x18, 0x19, 0x1A, 0x69:
            self = .cells(number, try GT06LookAlikeCells(parsing: &input, accessPoints: length))
        case 0x30 where input.isAtEnd: self = .timeRequest
        case GT06Framer.LookAlike.vibration, GT06Framer.LookAlike.sos:
            self = .alarm(number, try GT06Bytes(parsing: &input, number: number))
        default: self = .unknown(number, try GT06Bytes(parsing: &input, number: number))
        }
    }

    func write(to output: inout ByteWriter) {
        let number = number
        switch self {
        case .login(let imei, let version):
            output.uint64BE(imei)
            output.uint8(version)
        case .heartbeat(let gps): gps?.write(to: &output)
        case .position(let body): body.write(to: &output, number: number)
        case .cells(_, let body): body.write(to: &output)
        case .status(let body), .alarm(_, let body), .unknown(_, let body): body.write(to: &output, number: number)
        case .timeRequest: break
        case .loginReply(let accepted): output.uint8(accepted ? 0x01 : 0x44)
        case .time(let time):
            let calendar = time.calendar
            output.uint16BE(UInt16(clamping: calendar.year))
            for part in [calendar.month, calendar.day, calendar.hour, calendar.minute, calendar.second] {
                output.uint8(UInt8(clamping: part))
            }
        case .echo(_, let bytes): output.append(bytes)
        }
    }

    /// The type byte.
    public var number: UInt8 {
        switch self {
        case .login, .loginReply: 0x01
        case .heartbeat: 0x08
        case .position(let body): body.isStored ? 0x11 : 0x10
        case .status: 0x13
        case .timeRequest, .time: 0x30
        case .cells(let number, _), .alarm(let number, _), .echo(let number, _), .unknown(let number, _): number
        }
    }

    /// What stands in the place of the length: the size of the content, or the number of access points.
    func lengthByte(contentBytes: Int) -> UInt8 {
        switch self {
        case .login: GT06Framer.LookAlike.loginLength
        case .cells(_, let body): UInt8(clamping: body.accessPoints.count)
        default: UInt8(clamping: contentBytes)
        }
    }

    var fields: JSONObject {
        var object = JSONObject()
        switch self {
        case .login(let imei, let version):
            object.set("imei", GT06Login(imeiNibbles: imei).imei)
            object.set("version", Int(version))
        case .heartbeat(let gps): object.set("gps", gps?.fields)
        case .position(let body): return body.fields
        case .cells(_, let body): return body.fields
        case .status(let body), .alarm(_, let body), .unknown(_, let body): return body.fields
        case .timeRequest: break
        case .loginReply(let accepted): object.set("accepted", accepted)
        case .time(let time): object.set("time", time)
        case .echo(_, let bytes): object.set("hex", Hex.text(bytes))
        }
        return object
    }
}

/// 10, 11: GPS in UTC | altitude 2 and alarm bits 1, or without.
public struct GT06LookAlikePosition: GT06Body {
    /// Bits of the alarm byte.
    public enum Alarm {
        public static let vibration: UInt8 = 1 << 0
        public static let overspeed: UInt8 = 1 << 1
        public static let lowPower: UInt8 = 1 << 4
    }

    public var isStored: Bool
    public var gps: GT06Position
    /// Metres; together with the alarm bits.
    public var altitude: Int16?
    public var alarms: UInt8?

    public init(isStored: Bool, gps: GT06Position, altitude: Int16? = nil, alarms: UInt8? = nil) {
        self.isStored = isStored
        self.gps = gps
        self.altitude = altitude
        self.alarms = altitude == nil ? nil : alarms ?? 0
    }

    init(parsing input: inout FieldReader, number: UInt8) throws(DecodeError) {
        isStored = number == 0x11
        gps = try GT06Position(parsing: &input)
        guard input.remaining >= 3 else { return }
        altitude = Int16(bitPattern: try input.uint16("altitude"))
        alarms = try input.uint8("alarms")
    }

    func write(to output: inout ByteWriter, number: UInt8) {
        gps.write(to: &output)
        guard let altitude else { return }
        output.uint16BE(UInt16(bitPattern: altitude))
        output.uint8(alarms ?? 0)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("gps", gps.fields)
        object.set("stored", isStored)
        object.set("altitude", altitude.map(Int.init))
        object.set("alarmBits", alarms.map(Int.init))
        return object
    }
}

/// 17, 18, 19, 1A, 69: time BCD 6 | access points (mac 6, signal 1) | count 1 | mcc 2 | mnc 1 | cells (lac 2, cell 2,
/// signal 1). How many access points there are stands in the length byte of the frame.
public struct GT06LookAlikeCells: Sendable, Equatable {
    public struct Cell: Sendable, Equatable {
        public var areaCode: UInt16
        public var identity: UInt16
        public var signal: UInt8

        public init(areaCode: UInt16, identity: UInt16, signal: UInt8) {
            self.areaCode = areaCode
            self.identity = identity
            self.signal = signal
        }
    }

    /// Six bytes of BCD in the low 48 bits, UTC.
    public var time: UInt64
    public var accessPoints: [GT06Cells.AccessPoint]
    public var countryCode: UInt16
    public var networkCode: UInt8
    public var cells: [Cell]

    public init(
        time: UInt64, accessPoints: [GT06Cells.AccessPoint], countryCode: UInt16, networkCode: UInt8, cells: [Cell]
    ) {
        self.time = time & 0xFFFF_FFFF_FFFF
        self.accessPoints = accessPoints
        self.countryCode = countryCode
        self.networkCode = networkCode
        self.cells = cells
    }

    /// - Parameter accessPoints: how many there are.
    init(parsing input: inout FieldReader, accessPoints count: Int) throws(DecodeError) {
        time = try input.uint48("time")
        accessPoints = []
        for _ in 0..<count {
            accessPoints.append(.init(address: try input.uint48("mac"), signal: try input.uint8("signal")))
        }
        let cellCount = Int(try input.uint8("cellCount"))
        countryCode = try input.uint16("mcc")
        networkCode = try input.uint8("mnc")
        cells = []
        for _ in 0..<cellCount {
            let area = try input.uint16("lac")
            let identity = try input.uint16("cellId")
            cells.append(Cell(areaCode: area, identity: identity, signal: try input.uint8("signal")))
        }
    }

    func write(to output: inout ByteWriter) {
        output.uint48BE(time)
        for point in accessPoints.prefix(255) {
            output.uint48BE(point.address)
            output.uint8(point.signal)
        }
        output.uint8(UInt8(clamping: cells.count))
        output.uint16BE(countryCode)
        output.uint8(networkCode)
        for cell in cells.prefix(255) {
            output.uint16BE(cell.areaCode)
            output.uint16BE(cell.identity)
            output.uint8(cell.signal)
        }
    }

    /// The time as the binary form that everything else uses.
    var binaryTime: GT06Time {
        var raw: UInt64 = 0
        for index in 0..<6 {
            raw = raw << 8 | UInt64(BCD.value(UInt8(truncatingIfNeeded: time >> UInt64(40 - index * 8))))
        }
        return GT06Time(rawValue: raw)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("time", binaryTime.text)
        object.set("mcc", Int(countryCode))
        object.set("mnc", Int(networkCode))
        object.set(
            "cells",
            .array(
                cells.map { cell in
                    .object([
                        .init("lac", .int(Int(cell.areaCode))), .init("cid", .int(Int(cell.identity))),
                        .init("rssi", .int(-Int(cell.signal))),
                    ])
                }))
        object.set("wifi", .array(accessPoints.map(\.fields)))
        return object
    }
}
