import TerminalModel
import WireBytes

/// Text as the family writes it: ASCII, or UTF-16 with the high byte first for Chinese.
enum GT06Text {
    static func utf16(_ bytes: [UInt8]) -> String {
        let units = stride(from: 0, to: bytes.count - 1, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        return String(decoding: units, as: UTF16.self)
    }

    static func utf16Bytes(_ text: String) -> [UInt8] {
        text.utf16.flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] }
    }

    /// ASCII; other bytes, which some models put there, are shown as what they are in UTF-8.
    static func plain(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self)
    }
}

/// 80, platform to terminal: length 1 | server flag 4 | command | language 2, or without. The length counts flag and
/// command. Sample: `command-80`. Source: section 8.
public struct GT06Command: GT06Body {
    /// Comes back in the reply.
    public var serverFlag: UInt32
    /// ASCII, at most 240 bytes, ending in `#`.
    public var text: String
    /// 1 Chinese, 2 English.
    public var language: UInt16?

    /// What fits into the short form with all other fields.
    public static let maximumTextBytes = 240

    public init(serverFlag: UInt32, text: String, language: UInt16? = 2) {
        self.serverFlag = serverFlag
        self.text = text
        self.language = language
    }

    init(parsing input: inout FieldReader, number: UInt8) throws(DecodeError) {
        let length = Int(try input.uint8("commandLength"))
        serverFlag = try input.uint32("serverFlag")
        text = GT06Text.plain(try input.bytes(min(max(0, length - 4), input.remaining), "command"))
        language = input.remaining >= 2 ? try input.uint16("language") : nil
    }

    func write(to output: inout ByteWriter, number: UInt8) {
        let bytes = Array(text.utf8.prefix(Self.maximumTextBytes))
        output.uint8(UInt8(4 + bytes.count))
        output.uint32BE(serverFlag)
        output.append(bytes)
        if let language { output.uint16BE(language) }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("serverFlag", Int(serverFlag))
        object.set("command", text)
        object.set("language", language.map(Int.init))
        return object
    }
}

/// 15: length 1 | server flag 4 | text | language 2. 21: server flag 4 | encoding 1 | text.
/// Samples: `reply-15`, `reply-21`. Source: section 7.10.
public struct GT06Reply: GT06Body {
    /// The flag of the command that is answered.
    public var serverFlag: UInt32
    /// 21: 1 ASCII, 2 UTF-16.
    public var encoding: UInt8?
    public var text: String
    /// 15.
    public var language: UInt16?

    static let utf16: UInt8 = 2

    public init(serverFlag: UInt32, encoding: UInt8? = nil, text: String, language: UInt16? = nil) {
        self.serverFlag = serverFlag
        self.encoding = encoding
        self.text = text
        self.language = language
    }

    init(parsing input: inout FieldReader, number: UInt8) throws(DecodeError) {
        guard number == 0x15 else {
            serverFlag = try input.uint32("serverFlag")
            let encoding = try input.uint8("encoding")
            self.encoding = encoding
            let bytes = input.rest("text")
            text = encoding == Self.utf16 ? GT06Text.utf16(bytes) : GT06Text.plain(bytes)
            return
        }
        let length = Int(try input.uint8("textLength"))
        serverFlag = try input.uint32("serverFlag")
        text = GT06Text.plain(try input.bytes(min(max(0, length - 4), input.remaining), "text"))
        language = input.remaining >= 2 ? try input.uint16("language") : nil
    }

    func write(to output: inout ByteWriter, number: UInt8) {
        guard number == 0x15 else {
            output.uint32BE(serverFlag)
            output.uint8(encoding ?? 1)
            output.append(encoding == Self.utf16 ? GT06Text.utf16Bytes(text) : Array(text.utf8))
            return
        }
        let bytes = Array(text.utf8.prefix(GT06Command.maximumTextBytes))
        output.uint8(UInt8(4 + bytes.count))
        output.uint32BE(serverFlag)
        output.append(bytes)
        if let language { output.uint16BE(language) }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("serverFlag", Int(serverFlag))
        object.set("encoding", encoding.map(Int.init))
        object.set("text", text)
        object.set("language", language.map(Int.init))
        return object
    }
}

/// 94: sub-type 1, then what it says. Samples: `info-94-voltage`, `info-94-sim`. Source: section 7.11.
public enum GT06Information: GT06Body {
    /// 00: external supply, hundredths of a volt.
    case voltage(UInt16)
    /// 04 status, 08 self-check, 0D fuel sensor, 1B card: text.
    case text(UInt8, String)
    /// 0A: BCD digits, 16, 16 and 20 of them, as sent.
    case identity(imei: UInt64, imsi: UInt64, iccid: [UInt8])
    case other(UInt8, GT06Bytes)

    static let textTypes: Set<UInt8> = [0x04, 0x08, 0x0D, 0x1B]
    static let identityBytes = 26

    init(parsing input: inout FieldReader, number: UInt8) throws(DecodeError) {
        let type = try input.uint8("subType")
        switch type {
        case 0x00 where input.remaining >= 2: self = .voltage(try input.uint16("voltage"))
        case 0x0A where input.remaining >= Self.identityBytes:
            self = .identity(
                imei: try input.uint64("imei"), imsi: try input.uint64("imsi"), iccid: try input.bytes(10, "iccid"))
        case _ where Self.textTypes.contains(type): self = .text(type, GT06Text.plain(input.rest("text")))
        default: self = .other(type, try GT06Bytes(parsing: &input, number: number))
        }
    }

    func write(to output: inout ByteWriter, number: UInt8) {
        output.uint8(type)
        switch self {
        case .voltage(let voltage): output.uint16BE(voltage)
        case .text(_, let text): output.append(text.utf8)
        case .identity(let imei, let imsi, let iccid):
            output.uint64BE(imei)
            output.uint64BE(imsi)
            output.append(iccid, padded: 10)
        case .other(_, let body): body.write(to: &output, number: number)
        }
    }

    public var type: UInt8 {
        switch self {
        case .voltage: 0x00
        case .identity: 0x0A
        case .text(let type, _), .other(let type, _): type
        }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("subType", Int(type))
        switch self {
        case .voltage(let voltage): object.set("voltage", Double(voltage) / 100)
        case .text(_, let text): object.set("text", text)
        case .identity(let imei, let imsi, let iccid):
            object.set("imei", GT06Login(imeiNibbles: imei).imei)
            object.set("imsi", GT06Login(imeiNibbles: imsi).imei)
            object.set("iccid", Hex.text(iccid))
        case .other(_, let body): for member in body.fields.members { object.set(member.key, member.value) }
        }
        return object
    }
}
