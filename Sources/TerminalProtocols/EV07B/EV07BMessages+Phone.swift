public import WireBytes

// Settings of section 11 about calls, messages, the server and intervals.

/// 30: flag u8 | number text; an empty number clears the slot. Sample: `set-number-0`.
///
/// Flag bits 0-3 slot 0...9, 4 dial even without registration of the SIM, 5 call, 6 SMS, 7 enable. An old app has 5 and 6
/// the other way round, so that both are set (section 11).
public struct EV07BNumberSlot: EV07BValue {
    public static let minimumByteCount = 1
    /// 0...9
    public var slot: UInt8
    public var dialsWithoutRegistration: Bool
    public var calls: Bool
    public var messages: Bool
    public var isEnabled: Bool
    public var number: String

    public init(
        slot: UInt8, number: String, calls: Bool = true, messages: Bool = true, isEnabled: Bool = true,
        dialsWithoutRegistration: Bool = false
    ) {
        self.slot = slot & 0x0F
        self.number = number
        self.calls = calls
        self.messages = messages
        self.isEnabled = isEnabled
        self.dialsWithoutRegistration = dialsWithoutRegistration
    }

    public init(parsing input: inout EV07BValueReader) {
        let flag = input.uint8("number flag")
        slot = flag & 0x0F
        dialsWithoutRegistration = flag & 1 << 4 != 0
        calls = flag & 1 << 5 != 0
        messages = flag & 1 << 6 != 0
        isEnabled = flag & 1 << 7 != 0
        number = input.restText("number")
    }

    public func write(to output: inout ByteWriter) {
        var flag = slot
        if dialsWithoutRegistration { flag |= 1 << 4 }
        if calls { flag |= 1 << 5 }
        if messages { flag |= 1 << 6 }
        if isEnabled { flag |= 1 << 7 }
        output.uint8(flag)
        output.append(number.utf8)
    }
}

/// 31: enable in bit 7 | text that every command message must begin with.
public struct EV07BPrefix: EV07BValue {
    public static let minimumByteCount = 1
    public var isEnabled: Bool
    public var text: String

    public init(isEnabled: Bool, text: String) {
        self.isEnabled = isEnabled
        self.text = text
    }

    public init(parsing input: inout EV07BValueReader) {
        isEnabled = input.uint8("enable") & 0x80 != 0
        text = input.restText("text")
    }

    public func write(to output: inout ByteWriter) {
        output.uint8(isEnabled ? 0x80 : 0)
        output.append(text.utf8)
    }
}

/// 32: hold u16 s | rings u8 | loops u8.
public struct EV07BDialling: EV07BValue {
    public static let minimumByteCount = 4
    public var holdSeconds: UInt16
    public var rings: UInt8
    public var loops: UInt8

    public init(holdSeconds: UInt16, rings: UInt8, loops: UInt8) {
        self.holdSeconds = holdSeconds
        self.rings = rings
        self.loops = loops
    }

    public init(parsing input: inout EV07BValueReader) {
        holdSeconds = input.uint16("hold time")
        rings = input.uint8("rings")
        loops = input.uint8("loops")
    }

    public func write(to output: inout ByteWriter) {
        output.uint16LE(holdSeconds)
        output.append([rings, loops])
    }
}

/// 33: rings before answering 0-6, then one bit a switch.
public struct EV07BPhoneSwitches: EV07BValue {
    public static let minimumByteCount = 4
    /// Bits above 11 have no meaning and are kept.
    public var bits: UInt32

    public static let autoAnswer: UInt32 = 1 << 7
    public static let authorisedCallersOnly: UInt32 = 1 << 8
    public static let hangUpByKey: UInt32 = 1 << 9
    public static let listenIn: UInt32 = 1 << 10
    public static let authorisedMessagesOnly: UInt32 = 1 << 11

    /// - Parameter ringsBeforeAnswer: 0...127
    public init(ringsBeforeAnswer: UInt8, switches: UInt32) {
        bits = UInt32(ringsBeforeAnswer & 0x7F) | switches & ~0x7F
    }

    public init(parsing input: inout EV07BValueReader) {
        bits = input.uint32("phone switches")
    }

    public func write(to output: inout ByteWriter) {
        output.uint32LE(bits)
    }

    public var ringsBeforeAnswer: UInt8 { UInt8(bits & 0x7F) }
}

/// 43: flag u8 | port u16 | host text. The port is little-endian by the SDK and by a captured dump, big-endian by two other
/// programs: read it back after writing.
public struct EV07BServer: EV07BValue {
    public static let minimumByteCount = 3
    public var isEnabled: Bool
    public var isUDP: Bool
    public var port: UInt16
    public var host: String

    public init(isEnabled: Bool = true, isUDP: Bool = false, port: UInt16, host: String) {
        self.isEnabled = isEnabled
        self.isUDP = isUDP
        self.port = port
        self.host = host
    }

    public init(parsing input: inout EV07BValueReader) {
        let flag = input.uint8("server flag")
        isUDP = flag & 1 != 0
        isEnabled = flag & 1 << 7 != 0
        port = input.uint16("port")
        host = input.restText("host")
    }

    public func write(to output: inout ByteWriter) {
        output.uint8((isEnabled ? 1 << 7 : 0) | (isUDP ? 1 : 0))
        output.uint16LE(port)
        output.append(host.utf8)
    }
}

/// 44: heartbeat u32 s with enable in bit 31 | upload u32 s | upload at rest u32 s. Sample: `set-intervals`.
public struct EV07BIntervals: EV07BValue {
    public static let minimumByteCount = 12
    public var heartbeatSeconds: UInt32
    public var isHeartbeatEnabled: Bool
    public var uploadSeconds: UInt32
    public var idleUploadSeconds: UInt32

    public init(
        heartbeatSeconds: UInt32, isHeartbeatEnabled: Bool = true, uploadSeconds: UInt32, idleUploadSeconds: UInt32
    ) {
        self.heartbeatSeconds = heartbeatSeconds & 0x7FFF_FFFF
        self.isHeartbeatEnabled = isHeartbeatEnabled
        self.uploadSeconds = uploadSeconds
        self.idleUploadSeconds = idleUploadSeconds
    }

    public init(parsing input: inout EV07BValueReader) {
        let word = input.uint32("heartbeat interval")
        heartbeatSeconds = word & 0x7FFF_FFFF
        isHeartbeatEnabled = word >> 31 == 1
        uploadSeconds = input.uint32("upload interval")
        idleUploadSeconds = input.uint32("upload interval at rest")
    }

    public func write(to output: inout ByteWriter) {
        output.uint32LE(heartbeatSeconds | (isHeartbeatEnabled ? 1 << 31 : 0))
        output.uint32LE(uploadSeconds)
        output.uint32LE(idleUploadSeconds)
    }
}

/// 45: interval u16 s | duration u16 s of the positions that key 13 of a data frame starts.
public struct EV07BContinuousLocating: EV07BValue {
    public static let minimumByteCount = 4
    public var intervalSeconds: UInt16
    public var durationSeconds: UInt16

    public init(intervalSeconds: UInt16, durationSeconds: UInt16) {
        self.intervalSeconds = intervalSeconds
        self.durationSeconds = durationSeconds
    }

    public init(parsing input: inout EV07BValueReader) {
        intervalSeconds = input.uint16("interval")
        durationSeconds = input.uint16("duration")
    }

    public func write(to output: inout ByteWriter) {
        output.uint16LE(intervalSeconds)
        output.uint16LE(durationSeconds)
    }
}
