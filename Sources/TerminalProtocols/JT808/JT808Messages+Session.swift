public import TerminalModel
import WireBytes

/// 0x0001 and 0x8001: flow id 2 | message id 2 | result 1. Sample: `terminal-ack`, `auth-ack`. Source: sections 7 and 9.
public struct JT808Response: JT808Body {
    public struct Result: RawRepresentable, Sendable, Equatable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let ok = Result(rawValue: 0)
        public static let failed = Result(rawValue: 1)
        public static let badMessage = Result(rawValue: 2)
        public static let notSupported = Result(rawValue: 3)
        /// Platform only: the alarm is being handled.
        public static let alarmConfirmed = Result(rawValue: 4)
    }

    /// The flow id of the message that is answered.
    public var flowID: UInt16
    /// The id of the message that is answered.
    public var messageID: UInt16
    public var result: Result

    public init(flowID: UInt16, messageID: UInt16, result: Result) {
        self.flowID = flowID
        self.messageID = messageID
        self.result = result
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        flowID = try input.uint16("ackFlowId")
        messageID = try input.uint16("ackId")
        result = Result(rawValue: try input.uint8("result"))
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint16BE(flowID)
        output.uint16BE(messageID)
        output.uint8(result.rawValue)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("ackFlowId", Int(flowID))
        object.set("ackId", Int(messageID))
        object.set("result", Int(result.rawValue))
        return object
    }
}

/// 0x0005 and 0x8003: flow id of package 1, count 1 (2019: 2), package indexes 2 each. Sample: `resend-request`.
public struct JT808ResendRequest: JT808Body {
    public var firstFlowID: UInt16
    /// Ascending, counted from 1.
    public var indexes: [UInt16]

    public init(firstFlowID: UInt16, indexes: [UInt16]) {
        self.firstFlowID = firstFlowID
        self.indexes = indexes
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        firstFlowID = try input.uint16("firstFlowId")
        // A count of one byte leaves an even number of bytes behind it, a count of two an odd one before it: the
        // length tells what really stands there, whatever the edition.
        let wide = input.remaining % 2 == 0
        let count = wide ? Int(try input.uint16("count")) : Int(try input.uint8("count"))
        indexes = []
        for _ in 0..<count {
            indexes.append(try input.uint16("index"))
        }
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint16BE(firstFlowID)
        if edition == .v2019 {
            output.uint16BE(UInt16(clamping: indexes.count))
            for index in indexes.prefix(Int(UInt16.max)) { output.uint16BE(index) }
        } else {
            output.uint8(UInt8(clamping: indexes.count))
            for index in indexes.prefix(Int(UInt8.max)) { output.uint16BE(index) }
        }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("firstFlowId", Int(firstFlowID))
        object.set("indexes", .array(indexes.map { .int(Int($0)) }))
        return object
    }
}

/// 0x8004: BCD[6] in UTC. Source: section 9.
public struct JT808ServerTime: JT808Body {
    public var time: JT808Time

    public init(time: JT808Time) { self.time = time }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        time = JT808Time(rawValue: try input.uint48("time"))
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint48BE(time.rawValue)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("timeUtc", time.text(zone: "Z"))
        if time.text(zone: "Z") == nil { object.set("timeHex", Hex.number(time.rawValue, digits: 12)) }
        return object
    }
}

/// 0x8109: year 2 | month | day | hour | minute | second, UTC | result. Answers the vendor's 0x0109 (section 6).
public struct JT808TimeSync: JT808Body {
    public var time: Timestamp?
    public var result: UInt8

    public init(time: Timestamp, result: UInt8 = 0) {
        self.time = Timestamp(milliseconds: time.milliseconds / 1000 * 1000)
        self.result = result
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        let year = Int(try input.uint16("year"))
        let month = Int(try input.uint8("month"))
        let day = Int(try input.uint8("day"))
        let hour = Int(try input.uint8("hour"))
        let minute = Int(try input.uint8("minute"))
        let second = Int(try input.uint8("second"))
        time = Timestamp(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        result = try input.uint8("result")
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        let calendar = (time ?? Timestamp(milliseconds: 0)).calendar
        output.uint16BE(UInt16(clamping: calendar.year))
        for value in [calendar.month, calendar.day, calendar.hour, calendar.minute, calendar.second] {
            output.uint8(UInt8(clamping: value))
        }
        output.uint8(result)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("timeUtc", time)
        object.set("result", Int(result))
        return object
    }
}

/// 0x0100. The fixed part has 25 (2011), 37 (2013) or 76 (2019) bytes. Samples: `register-2013`, `register-2019`.
///
///     province 2 | city 2 | maker 5, 5, 11 | model 8, 20, 30 | terminal id 7, 7, 30 | plate colour 1 | plate ...
///
/// Source: section 7.
public struct JT808Registration: JT808Body {
    public var province: UInt16
    public var city: UInt16
    public var maker: String
    public var model: String
    public var terminalID: String
    /// 0 = not licensed, the normal case for a personal terminal.
    public var plateColour: UInt8
    public var plate: String
    /// The layout the message was read in.
    public private(set) var edition: JT808Edition

    public init(
        province: UInt16, city: UInt16, maker: String, model: String, terminalID: String, plateColour: UInt8 = 0,
        plate: String = "", edition: JT808Edition
    ) {
        self.province = province
        self.city = city
        self.maker = maker
        self.model = model
        self.terminalID = terminalID
        self.plateColour = plateColour
        self.plate = plate
        self.edition = edition
    }

    /// Without a header or a setting to tell, the length does: plates are at most 8 or 9 bytes (section 7). A body that
    /// is too short for the edition of its header is read as what fits, because refusing it would shut the device out.
    private static func layout(_ edition: JT808Edition?, length: Int) -> JT808Edition {
        if edition == .v2019, length >= 76 { return .v2019 }
        if length < 37 { return .v2011 }
        return edition == .v2011 ? .v2011 : .v2013
    }

    private static func sizes(_ edition: JT808Edition) -> (maker: Int, model: Int, id: Int) {
        switch edition {
        case .v2011: (5, 8, 7)
        case .v2013: (5, 20, 7)
        case .v2019: (11, 30, 30)
        }
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        let layout = Self.layout(edition, length: input.remaining)
        let size = Self.sizes(layout)
        self.edition = layout
        province = try input.uint16("province")
        city = try input.uint16("city")
        maker = try input.text(size.maker, "maker")
        model = try input.text(size.model, "model")
        terminalID = try input.text(size.id, "terminalId")
        plateColour = try input.uint8("plateColour")
        plate = input.restText("plate")
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        let size = Self.sizes(edition)
        output.uint16BE(province)
        output.uint16BE(city)
        output.append(GBK.bytes(maker), padded: size.maker)
        output.append(GBK.bytes(model), padded: size.model, with: edition == .v2011 ? 0x20 : 0)
        output.append(GBK.bytes(terminalID), padded: size.id)
        output.uint8(plateColour)
        output.append(GBK.bytes(plate))
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("province", Int(province))
        object.set("city", Int(city))
        object.set("maker", maker)
        object.set("model", model)
        object.set("terminalId", terminalID)
        object.set("plateColour", Int(plateColour))
        object.set("plate", plate)
        return object
    }
}

/// 0x8100: flow id 2 | result 1 | auth code when the result is 0. Sample: `register-reply`. Source: section 9.
public struct JT808RegistrationReply: JT808Body {
    /// The flow id of the registration.
    public var flowID: UInt16
    /// 0 ok, 1 vehicle registered already, 2 vehicle unknown, 3 terminal registered already, 4 terminal unknown.
    public var result: UInt8
    public var authCode: String?

    public init(flowID: UInt16, result: UInt8, authCode: String? = nil) {
        self.flowID = flowID
        self.result = result
        self.authCode = authCode
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        flowID = try input.uint16("ackFlowId")
        result = try input.uint8("result")
        authCode = result == 0 ? input.restText("authCode") : nil
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint16BE(flowID)
        output.uint8(result)
        if result == 0, let authCode { output.append(GBK.bytes(authCode)) }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("ackFlowId", Int(flowID))
        object.set("result", Int(result))
        object.set("authCode", authCode)
        return object
    }
}

/// 0x0102. 2011, 2013: the auth code alone. 2019: length 1 | auth code | IMEI 15 | software version 20.
/// Samples: `auth-2013`, `auth-2019`. Source: section 7.
public struct JT808Authentication: JT808Body {
    public var authCode: String
    /// 2019 only.
    public var imei: String?
    /// 2019 only.
    public var softwareVersion: String?

    public init(authCode: String, imei: String? = nil, softwareVersion: String? = nil) {
        self.authCode = authCode
        self.imei = imei
        self.softwareVersion = softwareVersion
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        guard edition == .v2019 else {
            authCode = input.restText("authCode")
            return
        }
        let length = Int(try input.uint8("authCodeLength"))
        authCode = try input.text(min(length, input.remaining), "authCode")
        // A shorter body than the standard's still proves who it is; what is missing is missing.
        guard input.remaining >= 15 else { return }
        imei = try input.text(15, "imei")
        guard input.remaining >= 20 else { return }
        softwareVersion = try input.text(20, "softwareVersion")
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        let code = GBK.bytes(authCode)
        guard edition == .v2019 else {
            output.append(code)
            return
        }
        output.uint8(UInt8(clamping: code.count))
        output.append(code.prefix(255))
        guard let imei else { return }
        output.append(Array(imei.utf8), padded: 15)
        guard let softwareVersion else { return }
        output.append(GBK.bytes(softwareVersion), padded: 20)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("authCode", authCode)
        object.set("imei", imei)
        object.set("softwareVersion", softwareVersion)
        return object
    }
}
