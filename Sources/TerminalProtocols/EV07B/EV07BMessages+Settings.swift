public import WireBytes

// Settings of section 11 that are more than a number or a text.

/// 0A: interval u24 s | mode u8.
public struct EV07BWorkMode: EV07BValue {
    public static let minimumByteCount = 4
    /// 0...16,777,215
    public var intervalSeconds: UInt32
    public var mode: UInt8

    public init(intervalSeconds: UInt32, mode: UInt8) {
        self.intervalSeconds = min(intervalSeconds, 0xFF_FFFF)
        self.mode = mode
    }

    public init(parsing input: inout EV07BValueReader) {
        intervalSeconds = input.uint24("interval")
        mode = input.uint8("mode")
    }

    public func write(to output: inout ByteWriter) {
        EV07BNumber(intervalSeconds, byteCount: 3).write(to: &output)
        output.uint8(mode)
    }
}

/// 0B: index 7 bits with enable in bit 7 | hour | minute | weekdays, bit 0 Monday | duration u8 s | ring u8.
public struct EV07BAlarmClock: EV07BValue {
    public static let minimumByteCount = 6
    public var index: UInt8
    public var isEnabled: Bool
    public var hour: UInt8
    public var minute: UInt8
    public var weekdays: UInt8
    public var durationSeconds: UInt8
    public var ring: UInt8

    public init(
        index: UInt8, isEnabled: Bool, hour: UInt8, minute: UInt8, weekdays: UInt8, durationSeconds: UInt8, ring: UInt8
    ) {
        self.index = index & 0x7F
        self.isEnabled = isEnabled
        self.hour = hour
        self.minute = minute
        self.weekdays = weekdays
        self.durationSeconds = durationSeconds
        self.ring = ring
    }

    public init(parsing input: inout EV07BValueReader) {
        let flag = input.uint8("index and enable")
        index = flag & 0x7F
        isEnabled = flag & 0x80 != 0
        hour = input.uint8("hour")
        minute = input.uint8("minute")
        weekdays = input.uint8("weekdays")
        durationSeconds = input.uint8("duration")
        ring = input.uint8("ring")
    }

    public func write(to output: inout ByteWriter) {
        output.append([index | (isEnabled ? 0x80 : 0), hour, minute, weekdays, durationSeconds, ring])
    }
}

/// 0C: enable in bit 7 | start hour | start minute | end hour | end minute.
public struct EV07BDoNotDisturb: EV07BValue {
    public static let minimumByteCount = 5
    public var isEnabled: Bool
    public var startHour: UInt8
    public var startMinute: UInt8
    public var endHour: UInt8
    public var endMinute: UInt8

    public init(isEnabled: Bool, startHour: UInt8, startMinute: UInt8, endHour: UInt8, endMinute: UInt8) {
        self.isEnabled = isEnabled
        self.startHour = startHour
        self.startMinute = startMinute
        self.endHour = endHour
        self.endMinute = endMinute
    }

    public init(parsing input: inout EV07BValueReader) {
        isEnabled = input.uint8("enable") & 0x80 != 0
        startHour = input.uint8("start hour")
        startMinute = input.uint8("start minute")
        endHour = input.uint8("end hour")
        endMinute = input.uint8("end minute")
    }

    public func write(to output: inout ByteWriter) {
        output.append([isEnabled ? 0x80 : 0, startHour, startMinute, endHour, endMinute])
    }
}

/// 0D: password 31 bits, enable in bit 31. Also what command 09 checks.
public struct EV07BPassword: EV07BValue {
    public static let minimumByteCount = 4
    public var password: UInt32
    public var isEnabled: Bool

    public init(password: UInt32, isEnabled: Bool) {
        self.password = password & 0x7FFF_FFFF
        self.isEnabled = isEnabled
    }

    public init(parsing input: inout EV07BValueReader) {
        let word = input.uint32("password and enable")
        password = word & 0x7FFF_FFFF
        isEnabled = word >> 31 == 1
    }

    public func write(to output: inout ByteWriter) {
        output.uint32LE(password | (isEnabled ? 1 << 31 : 0))
    }
}

/// 0E: quarter hours east of UTC, i8: UTC+8 is 32.
public struct EV07BTimeZone: EV07BValue {
    public static let minimumByteCount = 1
    public var quarterHours: Int8

    public init(quarterHours: Int8) {
        self.quarterHours = quarterHours
    }

    public init(parsing input: inout EV07BValueReader) {
        quarterHours = input.int8("quarter hours")
    }

    public func write(to output: inout ByteWriter) {
        output.uint8(UInt8(bitPattern: quarterHours))
    }
}

/// 0F: one bit a switch.
public struct EV07BSwitches: EV07BValue, OptionSet {
    public static let minimumByteCount = 4
    public var rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let led = EV07BSwitches(rawValue: 1 << 0)
    public static let beep = EV07BSwitches(rawValue: 1 << 1)
    public static let vibration = EV07BSwitches(rawValue: 1 << 2)
    public static let cellLocation = EV07BSwitches(rawValue: 1 << 3)
    public static let wifiLocation = EV07BSwitches(rawValue: 1 << 4)
    public static let sosSpeaker = EV07BSwitches(rawValue: 1 << 5)
    public static let sideKeySpeaker = EV07BSwitches(rawValue: 1 << 6)
    public static let bluetoothStay = EV07BSwitches(rawValue: 1 << 7)
    public static let bluetoothLocation = EV07BSwitches(rawValue: 1 << 8)
    public static let voiceWithSOSCall = EV07BSwitches(rawValue: 1 << 9)
    public static let bluetoothAlwaysOn = EV07BSwitches(rawValue: 1 << 10)
    public static let gps = EV07BSwitches(rawValue: 1 << 11)
    public static let quickAlertOverTCP = EV07BSwitches(rawValue: 1 << 12)
    public static let raiseWrist = EV07BSwitches(rawValue: 1 << 13)
    public static let homeBeacon = EV07BSwitches(rawValue: 1 << 14)
    public static let activity = EV07BSwitches(rawValue: 1 << 15)
    public static let steps = EV07BSwitches(rawValue: 1 << 16)
    public static let homeWiFi = EV07BSwitches(rawValue: 1 << 17)
    public static let dataSaver = EV07BSwitches(rawValue: 1 << 18)
    public static let networkLocation = EV07BSwitches(rawValue: 1 << 19)
    public static let powerControl = EV07BSwitches(rawValue: 1 << 20)
    public static let sosCancel = EV07BSwitches(rawValue: 1 << 21)
    public static let longSMS = EV07BSwitches(rawValue: 1 << 22)
    public static let autoUpdate = EV07BSwitches(rawValue: 1 << 30)
    public static let agps = EV07BSwitches(rawValue: 1 << 31)

    public init(parsing input: inout EV07BValueReader) {
        rawValue = input.uint32("switches")
    }

    public func write(to output: inout ByteWriter) {
        output.uint32LE(rawValue)
    }
}

/// 1D: enable in bit 7 | latitude i32 | longitude i32: a rough place that makes the first fix quicker.
public struct EV07BAssistedPlace: EV07BValue {
    public static let minimumByteCount = 9
    public var isEnabled: Bool
    public var point: EV07BPoint

    public init(isEnabled: Bool, point: EV07BPoint) {
        self.isEnabled = isEnabled
        self.point = point
    }

    public init(parsing input: inout EV07BValueReader) {
        isEnabled = input.uint8("enable") & 0x80 != 0
        point = EV07BPoint(parsing: &input)
    }

    public func write(to output: inout ByteWriter) {
        output.uint8(isEnabled ? 0x80 : 0)
        point.write(to: &output)
    }
}

/// 20, 21, 22: what the SOS key and the two call keys do, u16: feedback 0-1, press time 2-8, task 9-12, mode 13, enable 15.
public struct EV07BKeyFunction: EV07BValue {
    public static let minimumByteCount = 2
    /// Bit 14 has no meaning and is 0 here.
    public var bits: UInt16

    public init(feedback: UInt16, pressTime: UInt16, task: UInt16, mode: UInt16, isEnabled: Bool) {
        bits = feedback & 3 | (pressTime & 0x7F) << 2 | (task & 0x0F) << 9 | (mode & 1) << 13
        if isEnabled { bits |= 1 << 15 }
    }

    public init(parsing input: inout EV07BValueReader) {
        bits = input.uint16("key function")
    }

    public func write(to output: inout ByteWriter) {
        output.uint16LE(bits)
    }

    public var feedback: UInt16 { bits & 3 }
    public var pressTime: UInt16 { bits >> 2 & 0x7F }
    public var task: UInt16 { bits >> 9 & 0x0F }
    public var mode: UInt16 { bits >> 13 & 1 }
    public var isEnabled: Bool { bits >> 15 == 1 }
}

/// 50: low threshold percent | second threshold percent | 0 | flags. An old app writes one byte; then the rest is off.
public struct EV07BPowerAlert: EV07BValue {
    public static let minimumByteCount = 4
    public var lowPercent: UInt8
    public var secondPercent: UInt8
    public var reserved: UInt8
    /// 5 low battery, 6 power on, 7 power off.
    public var flags: UInt8

    public static let lowBattery: UInt8 = 1 << 5
    public static let powerOn: UInt8 = 1 << 6
    public static let powerOff: UInt8 = 1 << 7

    public init(lowPercent: UInt8, secondPercent: UInt8, flags: UInt8) {
        self.lowPercent = lowPercent
        self.secondPercent = secondPercent
        self.reserved = 0
        self.flags = flags
    }

    public init(parsing input: inout EV07BValueReader) {
        lowPercent = input.uint8("low threshold")
        secondPercent = input.uint8("second threshold")
        reserved = input.uint8("reserved")
        flags = input.uint8("power alert flags")
    }

    public func write(to output: inout ByteWriter) {
        output.append([lowPercent, secondPercent, reserved, flags])
    }
}

/// 51: word u32, then one point for a circle or all corners of a polygon. Sample: `set-fence-1`.
public struct EV07BFence: EV07BValue {
    public static let minimumByteCount = 4
    /// The count has four bits.
    public static let maximumPoints = 15

    /// 0...3
    public var index: UInt8
    public var isEnabled: Bool
    /// It alerts on entering, else on leaving.
    public var alertsOnEntering: Bool
    public var isPolygon: Bool
    /// 0...65,535
    public var radiusMetres: UInt16
    public var points: [EV07BPoint]

    public init(
        index: UInt8, isEnabled: Bool, alertsOnEntering: Bool, isPolygon: Bool = false, radiusMetres: UInt16 = 0,
        points: [EV07BPoint]
    ) {
        self.index = index & 0x0F
        self.isEnabled = isEnabled
        self.alertsOnEntering = alertsOnEntering
        self.isPolygon = isPolygon
        self.radiusMetres = radiusMetres
        self.points = Array(points.prefix(Self.maximumPoints))
    }

    public init(parsing input: inout EV07BValueReader) {
        let word = input.uint32("fence")
        index = UInt8(word & 0x0F)
        isEnabled = word & 1 << 8 != 0
        alertsOnEntering = word & 1 << 9 != 0
        isPolygon = word & 1 << 10 != 0
        radiusMetres = UInt16(word >> 16)
        points = []
        for _ in 0..<word >> 4 & 0x0F where input.remaining >= EV07BPoint.minimumByteCount {
            points.append(EV07BPoint(parsing: &input))
        }
    }

    public func write(to output: inout ByteWriter) {
        var word = UInt32(index) | UInt32(points.count) << 4 | UInt32(radiusMetres) << 16
        if isEnabled { word |= 1 << 8 }
        if alertsOnEntering { word |= 1 << 9 }
        if isPolygon { word |= 1 << 10 }
        output.uint32LE(word)
        for point in points { point.write(to: &output) }
    }
}

/// 52, 53 and 55: a number of 30 bits, dial in bit 30, enable in bit 31.
public struct EV07BMotionAlert: EV07BValue {
    public static let minimumByteCount = 4
    /// 52: static time s 0-15, active time 16-29. 53: seconds. 55: time 0-15, angle 16-23.
    public var number: UInt32
    /// Dials the authorised numbers.
    public var dials: Bool
    public var isEnabled: Bool

    public init(number: UInt32, dials: Bool, isEnabled: Bool) {
        self.number = number & 0x3FFF_FFFF
        self.dials = dials
        self.isEnabled = isEnabled
    }

    /// 52.
    public static func motion(
        staticSeconds: UInt16, activeTime: UInt16, dials: Bool, isEnabled: Bool
    ) -> EV07BMotionAlert {
        EV07BMotionAlert(
            number: UInt32(staticSeconds) | UInt32(activeTime & 0x3FFF) << 16, dials: dials, isEnabled: isEnabled)
    }

    /// 55; the angle in degrees.
    public static func tilt(time: UInt16, angle: UInt8, dials: Bool, isEnabled: Bool) -> EV07BMotionAlert {
        EV07BMotionAlert(number: UInt32(time) | UInt32(angle) << 16, dials: dials, isEnabled: isEnabled)
    }

    public init(parsing input: inout EV07BValueReader) {
        let word = input.uint32("alert")
        number = word & 0x3FFF_FFFF
        dials = word & 1 << 30 != 0
        isEnabled = word & 1 << 31 != 0
    }

    public func write(to output: inout ByteWriter) {
        output.uint32LE(number | (dials ? 1 << 30 : 0) | (isEnabled ? 1 << 31 : 0))
    }
}

/// 54: kilometres per hour 15 bits, enable in bit 15.
public struct EV07BOverspeed: EV07BValue {
    public static let minimumByteCount = 2
    public var kilometresPerHour: UInt16
    public var isEnabled: Bool

    public init(kilometresPerHour: UInt16, isEnabled: Bool) {
        self.kilometresPerHour = kilometresPerHour & 0x7FFF
        self.isEnabled = isEnabled
    }

    public init(parsing input: inout EV07BValueReader) {
        let word = input.uint16("overspeed")
        kilometresPerHour = word & 0x7FFF
        isEnabled = word >> 15 == 1
    }

    public func write(to output: inout ByteWriter) {
        output.uint16LE(kilometresPerHour | (isEnabled ? 1 << 15 : 0))
    }
}

/// 56: level 1-9 in bits 0-3, always on 5, dial 6, enable 7.
public struct EV07BFall: EV07BValue {
    public static let minimumByteCount = 1
    /// 1...9; the wire has room for 0...15.
    public var level: UInt8
    public var isAlwaysOn: Bool
    /// Dials the authorised numbers.
    public var dials: Bool
    public var isEnabled: Bool

    public init(level: UInt8, isAlwaysOn: Bool, dials: Bool, isEnabled: Bool) {
        self.level = level & 0x0F
        self.isAlwaysOn = isAlwaysOn
        self.dials = dials
        self.isEnabled = isEnabled
    }

    public init(parsing input: inout EV07BValueReader) {
        let flag = input.uint8("fall detection")
        level = flag & 0x0F
        isAlwaysOn = flag & 1 << 5 != 0
        dials = flag & 1 << 6 != 0
        isEnabled = flag & 1 << 7 != 0
    }

    public func write(to output: inout ByteWriter) {
        output.uint8(level | (isAlwaysOn ? 1 << 5 : 0) | (dials ? 1 << 6 : 0) | (isEnabled ? 1 << 7 : 0))
    }
}
