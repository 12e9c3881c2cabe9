import TerminalModel
public import WireBytes

/// Keys of data and service frames. Source: sections 6 and 10.
public enum EV07BKey {
    public static let identity: UInt8 = 0x01
    public static let alarm: UInt8 = 0x02
    public static let iccid: UInt8 = 0x04
    public static let heartbeat: UInt8 = 0x10
    public static let historical: UInt8 = 0x11
    public static let battery: UInt8 = 0x14
    public static let namedWiFi: UInt8 = 0x19
    public static let gps: UInt8 = 0x20
    public static let gsmCells: UInt8 = 0x21
    public static let wifi: UInt8 = 0x22
    public static let bluetooth: UInt8 = 0x23
    public static let status: UInt8 = 0x24
    public static let call: UInt8 = 0x25
    public static let bluetoothPosition: UInt8 = 0x26
    public static let smartPosition: UInt8 = 0x27
    public static let beacon: UInt8 = 0x28
    public static let lteCells: UInt8 = 0x29
    public static let homeWiFi: UInt8 = 0x2A
    public static let lteCellsWide: UInt8 = 0x2B
    public static let beacon2: UInt8 = 0x2C
    public static let steps: UInt8 = 0x30
    public static let activity: UInt8 = 0x31
    public static let barking: UInt8 = 0x37
    public static let heartRate: UInt8 = 0x40
    public static let bloodOxygen: UInt8 = 0x41
    public static let log: UInt8 = 0xF0

    /// Service requests and requests for positions.
    public static let address: UInt8 = 0x11
    public static let time: UInt8 = 0x12
    public static let weather: UInt8 = 0x13
    public static let forecast: UInt8 = 0x14
    public static let locateOnce: UInt8 = 0x12
    public static let locateContinuously: UInt8 = 0x13

    /// The keys that belong to the record that the last status opened (section 9).
    static func isPosition(_ key: UInt8) -> Bool {
        switch key {
        case namedWiFi, gps, gsmCells, wifi, bluetooth, bluetoothPosition...beacon2: true
        default: false
        }
    }
}

/// 01: IMEI 15 ASCII, then the terminal's own id where one is configured. Source: section 6.
public struct EV07BIdentity: EV07BValue {
    public static let minimumByteCount = 15
    public var imei: String
    /// Setting 0x47.
    public var deviceID: String

    public init(imei: String, deviceID: String = "") {
        self.imei = imei
        self.deviceID = deviceID
    }

    public init(parsing input: inout EV07BValueReader) {
        imei = input.text(15, "imei")
        deviceID = input.restText("device id")
    }

    public func write(to output: inout ByteWriter) {
        output.append(Array(imei.utf8), padded: 15)
        output.append(deviceID.utf8)
    }

    /// The identity that the value states, nil unless it is digits: hexadecimal letters do not occur in an IMEI.
    static func terminal(_ value: Span<UInt8>) -> TerminalID? {
        var nibbles: UInt64 = 0
        var digits = 0
        while digits < min(minimumByteCount, value.count), (0x30...0x39).contains(value[digits]) {
            nibbles = nibbles << 4 | UInt64(value[digits] & 15)
            digits += 1
        }
        // A shorter number is taken when nothing else follows it but filler.
        for index in digits..<max(digits, min(minimumByteCount, value.count)) where value[index] != 0 { return nil }
        return digits > 0 && nibbles != 0 ? TerminalID(nibbles: UInt128(nibbles)) : nil
    }
}

/// 02: flags u32 | [time u32] | [extended flags u32]. Samples: `alarm-sos-gps`, `alarm-fall-beacon`. Source: section 7.
public struct EV07BAlarm: EV07BValue {
    public static let minimumByteCount = 4
    public var flags: UInt32
    /// When it happened, UTC seconds; nil takes the time of the record.
    public var time: UInt32?
    /// Bit 0: removed.
    public var extendedFlags: UInt32?

    public init(flags: UInt32, time: UInt32? = nil, extendedFlags: UInt32? = nil) {
        self.flags = flags
        self.time = time
        self.extendedFlags = time == nil ? nil : extendedFlags
    }

    public init(parsing input: inout EV07BValueReader) {
        flags = input.uint32("alarm flags")
        time = input.remaining >= 4 ? input.uint32("alarm time") : nil
        extendedFlags = input.remaining >= 4 ? input.uint32("extended flags") : nil
    }

    public func write(to output: inout ByteWriter) {
        output.uint32LE(flags)
        if let time { output.uint32LE(time) }
        if let extendedFlags { output.uint32LE(extendedFlags) }
    }
}

/// 24: time u32 | status u32 | [extension u32]. Opens a record. Source: section 8.
public struct EV07BStatus: EV07BValue {
    public static let minimumByteCount = 8
    /// When the position was taken, UTC seconds.
    public var time: UInt32
    public var bits: UInt32
    /// 0 or small, meaning unknown.
    public var extensionBits: UInt32?

    public init(time: UInt32, bits: UInt32, extensionBits: UInt32? = nil) {
        self.time = time
        self.bits = bits
        self.extensionBits = extensionBits
    }

    public init(parsing input: inout EV07BValueReader) {
        time = input.uint32("time")
        bits = input.uint32("status")
        extensionBits = input.remaining >= 4 ? input.uint32("extension") : nil
    }

    public func write(to output: inout ByteWriter) {
        output.uint32LE(time)
        output.uint32LE(bits)
        if let extensionBits { output.uint32LE(extensionBits) }
    }

    /// The record holds a fix of its own; without it coordinates are the last known ones.
    public var hasFix: Bool { bits & 1 << 0 != 0 }
    public var isCharging: Bool { bits & 1 << 4 != 0 }
    /// Buffered on the terminal before it was sent.
    public var isHistorical: Bool { bits & 1 << 7 != 0 }
    public var isMoving: Bool { bits & 1 << 9 != 0 }
    public var isAtHome: Bool { bits & 1 << 15 != 0 }
    /// 0...31
    public var signal: Int { Int(bits >> 19 & 31) }
    /// 0...255; above 100 means nothing.
    public var battery: Int { Int(bits >> 24) }
}

/// 20: latitude i32 | longitude i32 | speed u16 | direction u16 | altitude i16 | HDOP u16 | mileage u32 | satellites u8.
/// Samples: `alarm-sos-gps`, `position-buffered-multi`. Source: section 9.
public struct EV07BGPS: EV07BValue {
    public static let minimumByteCount = 21
    static let maximumSpeed: UInt16 = 500

    /// Ten-millionths of a degree, south and west negative.
    public var latitude: Int32
    public var longitude: Int32
    /// Kilometres per hour; above 500 means nothing.
    public var speed: UInt16
    /// Degrees clockwise from north.
    public var direction: UInt16
    /// Metres.
    public var altitude: Int16
    /// Tenths; 0 is no fix.
    public var hdop: UInt16
    /// Metres since the counter was set.
    public var mileage: UInt32
    public var satellites: UInt8

    public init(
        latitude: Int32, longitude: Int32, speed: UInt16 = 0, direction: UInt16 = 0, altitude: Int16 = 0,
        hdop: UInt16, mileage: UInt32 = 0, satellites: UInt8 = 0
    ) {
        self.latitude = latitude
        self.longitude = longitude
        self.speed = speed
        self.direction = direction
        self.altitude = altitude
        self.hdop = hdop
        self.mileage = mileage
        self.satellites = satellites
    }

    public init(parsing input: inout EV07BValueReader) {
        latitude = input.int32("latitude")
        longitude = input.int32("longitude")
        speed = input.uint16("speed")
        direction = input.uint16("direction")
        altitude = input.int16("altitude")
        hdop = input.uint16("hdop")
        mileage = input.uint32("mileage")
        satellites = input.uint8("satellites")
    }

    public func write(to output: inout ByteWriter) {
        EV07BPoint(latitude: latitude, longitude: longitude).write(to: &output)
        output.uint16LE(speed)
        output.uint16LE(direction)
        output.uint16LE(UInt16(bitPattern: altitude))
        output.uint16LE(hdop)
        output.uint32LE(mileage)
        output.uint8(satellites)
    }

    public var point: EV07BPoint { EV07BPoint(latitude: latitude, longitude: longitude) }
}

/// latitude i32 | longitude i32, ten-millionths of a degree.
public struct EV07BPoint: EV07BValue {
    public static let minimumByteCount = 8
    public var latitude: Int32
    public var longitude: Int32

    public init(latitude: Int32, longitude: Int32) {
        self.latitude = latitude
        self.longitude = longitude
    }

    public init(parsing input: inout EV07BValueReader) {
        latitude = input.int32("latitude")
        longitude = input.int32("longitude")
    }

    public func write(to output: inout ByteWriter) {
        output.uint32LE(UInt32(bitPattern: latitude))
        output.uint32LE(UInt32(bitPattern: longitude))
    }

    public var latitudeDegrees: Double { Double(latitude) / EV07B.degreeScale }
    public var longitudeDegrees: Double { Double(longitude) / EV07B.degreeScale }

    /// Within the globe, and not the 0, 0 of a receiver that never had a fix.
    public var isPlace: Bool {
        (-900_000_000...900_000_000).contains(latitude) && (-1_800_000_000...1_800_000_000).contains(longitude)
            && !(latitude == 0 && longitude == 0)
    }
}

/// 14: percent u8 | millivolts u16. Source: section 6.
public struct EV07BBattery: EV07BValue {
    public static let minimumByteCount = 3
    public var percent: UInt8
    public var millivolts: UInt16

    public init(percent: UInt8, millivolts: UInt16) {
        self.percent = percent
        self.millivolts = millivolts
    }

    public init(parsing input: inout EV07BValueReader) {
        percent = input.uint8("battery percent")
        millivolts = input.uint16("battery millivolts")
    }

    public func write(to output: inout ByteWriter) {
        output.uint8(percent)
        output.uint16LE(millivolts)
    }
}

/// 10: [battery percent u8]. Sample: `service-heartbeat`. Source: sections 6 and 10.
public struct EV07BHeartbeat: EV07BValue {
    public static let minimumByteCount = 0
    public var batteryPercent: UInt8?

    public init(batteryPercent: UInt8? = nil) {
        self.batteryPercent = batteryPercent
    }

    public init(parsing input: inout EV07BValueReader) {
        batteryPercent = input.remaining >= 1 ? input.uint8("battery percent") : nil
    }

    public func write(to output: inout ByteWriter) {
        if let batteryPercent { output.uint8(batteryPercent) }
    }
}

/// 25: time u32 | flag u8 | duration u16 s | return code u8 | number ASCII. Sample: `data-call-record`. Source: section 6.
public struct EV07BCall: EV07BValue {
    public static let minimumByteCount = 8
    /// UTC seconds.
    public var time: UInt32
    /// Bit 0 incoming or outgoing, 1-3 status, 4-7 type.
    public var flag: UInt8
    public var durationSeconds: UInt16
    public var returnCode: UInt8
    public var number: String

    public init(time: UInt32, flag: UInt8, durationSeconds: UInt16, returnCode: UInt8, number: String) {
        self.time = time
        self.flag = flag
        self.durationSeconds = durationSeconds
        self.returnCode = returnCode
        self.number = number
    }

    public init(parsing input: inout EV07BValueReader) {
        time = input.uint32("time")
        flag = input.uint8("call flag")
        durationSeconds = input.uint16("duration")
        returnCode = input.uint8("return code")
        number = input.restText("number")
    }

    public func write(to output: inout ByteWriter) {
        output.uint32LE(time)
        output.uint8(flag)
        output.uint16LE(durationSeconds)
        output.uint8(returnCode)
        output.append(number.utf8)
    }
}
