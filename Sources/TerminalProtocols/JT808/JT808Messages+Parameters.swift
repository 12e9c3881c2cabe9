import TerminalModel
import WireBytes

/// One parameter: id 4 | length 1 | value. Source: section 9, table of ids.
public struct JT808Parameter: Sendable, Equatable {
    public var id: UInt32
    /// At most 255 bytes.
    public var value: [UInt8]

    public init(id: UInt32, value: [UInt8]) {
        self.id = id
        self.value = value
    }

    public init(id: UInt32, dword: UInt32) {
        var writer = ByteWriter()
        writer.uint32BE(dword)
        self.init(id: id, value: writer.bytes)
    }

    public init(id: UInt32, word: UInt16) {
        var writer = ByteWriter()
        writer.uint16BE(word)
        self.init(id: id, value: writer.bytes)
    }

    public init(id: UInt32, text: String) {
        self.init(id: id, value: GBK.bytes(text))
    }

    static func list(parsing input: inout FieldReader) throws(DecodeError) -> [JT808Parameter] {
        var result: [JT808Parameter] = []
        // The count is known to be wrong at times, so the end of the body decides (section 7, 0x0104).
        while input.remaining >= 5 {
            let id = try input.uint32("parameterId")
            let length = Int(try input.uint8("parameterLength"))
            result.append(JT808Parameter(id: id, value: try input.bytes(length, "parameterValue")))
        }
        return result
    }

    static func write(_ parameters: [JT808Parameter], to output: inout ByteWriter) {
        output.uint8(UInt8(clamping: parameters.count))
        for parameter in parameters.prefix(255) {
            output.uint32BE(parameter.id)
            output.uint8(UInt8(clamping: parameter.value.count))
            output.append(parameter.value.prefix(255))
        }
    }

    var json: JSONValue {
        var object = JSONObject()
        object.set("id", Int(id))
        object.set("hex", Hex.text(value))
        return object.value
    }
}

/// Parameter ids that the gateway sets or reads (section 9).
public enum JT808ParameterID {
    public static let heartbeatInterval: UInt32 = 0x0001
    public static let tcpResponseTimeout: UInt32 = 0x0002
    public static let tcpRetransmissions: UInt32 = 0x0003
    public static let mainServerAddress: UInt32 = 0x0013
    public static let tcpPort: UInt32 = 0x0018
    public static let reportStrategy: UInt32 = 0x0020
    public static let sleepReportInterval: UInt32 = 0x0027
    public static let emergencyReportInterval: UInt32 = 0x0028
    public static let defaultReportInterval: UInt32 = 0x0029
    public static let platformPhone: UInt32 = 0x0040
    public static let listenInPhone: UInt32 = 0x0048
}

/// 0x8103: count 1, then parameters. Sample: `set-parameters`.
public struct JT808ParameterList: JT808Body {
    public var parameters: [JT808Parameter]

    public init(_ parameters: [JT808Parameter]) { self.parameters = parameters }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        _ = try input.uint8("count")
        parameters = try JT808Parameter.list(parsing: &input)
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        JT808Parameter.write(parameters, to: &output)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("parameters", .array(parameters.map(\.json)))
        return object
    }
}

/// 0x0104: flow id of the query 2 | count 1 | parameters. Sample: `query-parameters-reply`.
public struct JT808ParameterReply: JT808Body {
    public var flowID: UInt16
    public var parameters: [JT808Parameter]

    public init(flowID: UInt16, parameters: [JT808Parameter]) {
        self.flowID = flowID
        self.parameters = parameters
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        flowID = try input.uint16("ackFlowId")
        _ = try input.uint8("count")
        parameters = try JT808Parameter.list(parsing: &input)
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint16BE(flowID)
        JT808Parameter.write(parameters, to: &output)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("ackFlowId", Int(flowID))
        object.set("parameters", .array(parameters.map(\.json)))
        return object
    }
}

/// 0x8106: count 1 | parameter ids 4 each.
public struct JT808NamedParameters: JT808Body {
    public var ids: [UInt32]

    public init(ids: [UInt32]) { self.ids = ids }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        let count = try input.uint8("count")
        ids = []
        for _ in 0..<count { ids.append(try input.uint32("parameterId")) }
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint8(UInt8(clamping: ids.count))
        for id in ids.prefix(255) { output.uint32BE(id) }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("ids", .array(ids.map { .int(Int($0)) }))
        return object
    }
}

/// 0x8105: command 1 | text parameters separated by `;`. Commands 3 to 7 have none.
public struct JT808Control: JT808Body {
    public static let powerOff: UInt8 = 3
    public static let restart: UInt8 = 4

    public var command: UInt8
    public var parameters: String

    public init(command: UInt8, parameters: String = "") {
        self.command = command
        self.parameters = parameters
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        command = try input.uint8("command")
        parameters = input.restText("parameters")
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint8(command)
        output.append(GBK.bytes(parameters))
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("command", Int(command))
        object.set("parameters", parameters)
        return object
    }
}

/// 0x0107: what the terminal is.
///
///     type 2 | maker 5 or 11 | model 20 or 30 | id 7 or 30 | ICCID BCD 10 | length 1 hardware | length 1 firmware | GNSS 1 | network 1
///
/// Source: section 7. Sources disagree on the maker's size in 2019, so the sizes are those at which both texts end
/// exactly two bytes before the end.
public struct JT808Attributes: JT808Body {
    public var terminalType: UInt16
    public var maker: String
    public var model: String
    public var terminalID: String
    /// 20 digits as sent.
    public var iccid: String
    public var hardwareVersion: String
    public var firmwareVersion: String
    public var gnssBits: UInt8
    public var networkBits: UInt8
    /// True when a 2019 body has the short maker field.
    public private(set) var hasShortMaker: Bool

    public init(
        terminalType: UInt16, maker: String, model: String, terminalID: String, iccid: String,
        hardwareVersion: String, firmwareVersion: String, gnssBits: UInt8, networkBits: UInt8
    ) {
        self.terminalType = terminalType
        self.maker = maker
        self.model = model
        self.terminalID = terminalID
        self.iccid = iccid
        self.hardwareVersion = hardwareVersion
        self.firmwareVersion = firmwareVersion
        self.gnssBits = gnssBits
        self.networkBits = networkBits
        hasShortMaker = false
    }

    private static func sizes(_ edition: JT808Edition, shortMaker: Bool) -> (maker: Int, model: Int, id: Int) {
        edition == .v2019 ? (shortMaker ? 5 : 11, 30, 30) : (5, 20, 7)
    }

    /// True when the two texts behind the fixed part of this size end two bytes before the end of the body.
    private static func fits(_ body: Span<UInt8>, _ size: (maker: Int, model: Int, id: Int)) -> Bool {
        let hardware = 2 + size.maker + size.model + size.id + 10
        guard hardware < body.count else { return false }
        let firmware = hardware + 1 + Int(body[hardware])
        guard firmware < body.count else { return false }
        return firmware + 1 + Int(body[firmware]) + 2 == body.count
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        let layout = edition == .v2019 ? JT808Edition.v2019 : .v2013
        hasShortMaker =
            layout == .v2019 && !Self.fits(input.unread, Self.sizes(layout, shortMaker: false))
            && Self.fits(input.unread, Self.sizes(layout, shortMaker: true))
        let size = Self.sizes(layout, shortMaker: hasShortMaker)
        terminalType = try input.uint16("terminalType")
        maker = try input.text(size.maker, "maker")
        model = try input.text(size.model, "model")
        terminalID = try input.text(size.id, "terminalId")
        iccid = Hex.text(try input.bytes(10, "iccid"))
        hardwareVersion = try input.text(Int(try input.uint8("hardwareLength")), "hardwareVersion")
        firmwareVersion = try input.text(Int(try input.uint8("firmwareLength")), "firmwareVersion")
        gnssBits = try input.uint8("gnss")
        networkBits = try input.uint8("network")
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        let size = Self.sizes(edition, shortMaker: hasShortMaker)
        output.uint16BE(terminalType)
        output.append(GBK.bytes(maker), padded: size.maker)
        output.append(GBK.bytes(model), padded: size.model)
        output.append(GBK.bytes(terminalID), padded: size.id)
        output.append(Hex.bytes(iccid) ?? [], padded: 10)
        for text in [hardwareVersion, firmwareVersion] {
            let bytes = GBK.bytes(text)
            output.uint8(UInt8(clamping: bytes.count))
            output.append(bytes.prefix(255))
        }
        output.uint8(gnssBits)
        output.uint8(networkBits)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("terminalType", Int(terminalType))
        object.set("maker", maker)
        object.set("model", model)
        object.set("terminalId", terminalID)
        object.set("iccid", iccid)
        object.set("hardwareVersion", hardwareVersion)
        object.set("firmwareVersion", firmwareVersion)
        object.set("gnss", Int(gnssBits))
        object.set("network", Int(networkBits))
        return object
    }
}

/// 0x8108: type 1 | maker 5 | length 1 version | length 4 data. Source: section 9.
public struct JT808Upgrade: JT808Body {
    /// 0 terminal, 12 card reader, 52 BeiDou module.
    public var type: UInt8
    public var maker: String
    public var version: String
    public var data: [UInt8]

    public init(type: UInt8, maker: String, version: String, data: [UInt8]) {
        self.type = type
        self.maker = maker
        self.version = version
        self.data = data
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        type = try input.uint8("type")
        maker = try input.text(5, "maker")
        version = try input.text(Int(try input.uint8("versionLength")), "version")
        data = try input.bytes(Int(try input.uint32("dataLength")), "data")
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint8(type)
        output.append(GBK.bytes(maker), padded: 5)
        let text = GBK.bytes(version)
        output.uint8(UInt8(clamping: text.count))
        output.append(text.prefix(255))
        output.uint32BE(UInt32(clamping: data.count))
        output.append(data)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("type", Int(type))
        object.set("maker", maker)
        object.set("version", version)
        object.set("dataHex", Hex.text(data))
        return object
    }
}

/// 0x0108: type 1 | result 1 (0 ok, 1 failed, 2 cancelled).
public struct JT808UpgradeResult: JT808Body {
    public var type: UInt8
    public var result: UInt8

    public init(type: UInt8, result: UInt8) {
        self.type = type
        self.result = result
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        type = try input.uint8("type")
        result = try input.uint8("result")
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint8(type)
        output.uint8(result)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("type", Int(type))
        object.set("result", Int(result))
        return object
    }
}
