import TerminalModel
import WireBytes

/// 0x0704: count 2 | type 1 | items of length 2 and a location report. Sample: `batch-buffered`. Source: section 7.
public struct JT808Batch: JT808Body {
    /// As stated; fewer may be there when the message broke off.
    public var count: UInt16
    /// 0 normal, 1 stored while out of coverage.
    public var type: UInt8
    public var items: [JT808Location]

    public init(type: UInt8, items: [JT808Location]) {
        count = UInt16(clamping: items.count)
        self.type = type
        self.items = items
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        count = try input.uint16("count")
        type = try input.uint8("type")
        items = []
        // The end of the body decides, not the count; an item that runs past it ends the list (section 7).
        while input.remaining >= 2 {
            let length = Int(input.unread.uint16BE(at: 0))
            guard length <= input.remaining - 2 else { break }
            _ = try input.uint16("itemLength")
            var item = try input.part(length, "item")
            // One item that cannot be read must not take the alarms of the others with it.
            if let location = try? JT808Location(parsing: &item, edition: edition) { items.append(location) }
        }
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint16BE(count)
        output.uint8(type)
        for item in items {
            var body = ByteWriter()
            item.write(to: &body, edition: edition)
            output.uint16BE(UInt16(clamping: body.bytes.count))
            output.append(body.bytes)
        }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("count", Int(count))
        object.set("type", Int(type))
        object.set("items", .array(items.map(\.fields.value)))
        return object
    }
}

/// 0x0210, a vendor's batch whose items have a 1-byte length, or 7 bytes: battery percent 1 | time BCD 6. Source: section 6.
public enum JT808VendorBatch: JT808Body {
    case battery(percent: UInt8, time: JT808Time)
    case locations(header: [UInt8], items: [JT808Location])
    case other([UInt8])

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        if input.remaining == 7 {
            self = .battery(
                percent: try input.uint8("batteryPercent"), time: JT808Time(rawValue: try input.uint48("time")))
            return
        }
        // The source does not say what stands in front of the items: the form that the lengths fit is taken.
        for header in [3, 0, 1, 2] where Self.fits(input.unread, header) {
            let front = try input.bytes(header, "header")
            var items: [JT808Location] = []
            while !input.isAtEnd {
                var item = try input.part(Int(try input.uint8("itemLength")), "item")
                items.append(try JT808Location(parsing: &item, edition: edition))
            }
            self = .locations(header: front, items: items)
            return
        }
        self = .other(input.rest())
    }

    private static func fits(_ body: Span<UInt8>, _ header: Int) -> Bool {
        var offset = header
        guard offset < body.count else { return false }
        while offset < body.count {
            guard body[offset] >= JT808BasicLocation.byteCount else { return false }
            offset += 1 + Int(body[offset])
        }
        return offset == body.count
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        switch self {
        case .battery(let percent, let time):
            output.uint8(percent)
            output.uint48BE(time.rawValue)
        case .locations(let header, let items):
            output.append(header)
            for item in items {
                var body = ByteWriter()
                item.write(to: &body, edition: edition)
                output.uint8(UInt8(clamping: body.bytes.count))
                output.append(body.bytes.prefix(255))
            }
        case .other(let bytes): output.append(bytes)
        }
    }

    var fields: JSONObject {
        var object = JSONObject()
        switch self {
        case .battery(let percent, let time):
            object.set("batteryPercent", Int(percent))
            object.set("timeLocal", time.text(zone: "+08:00"))
        case .locations(let header, let items):
            if !header.isEmpty { object.set("headerHex", Hex.text(header)) }
            object.set("items", .array(items.map(\.fields.value)))
        case .other(let bytes): object.set("hex", Hex.text(bytes))
        }
        return object
    }
}

/// 0x0301: event id 1, the number of the key or menu entry that a person pressed. Source: section 7.
public struct JT808EventReport: JT808Body {
    public var eventID: UInt8

    public init(eventID: UInt8) { self.eventID = eventID }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        eventID = try input.uint8("eventId")
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint8(eventID)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("eventId", Int(eventID))
        return object
    }
}

/// 0x0302: flow id of the question 2 | answer id 1.
public struct JT808Answer: JT808Body {
    public var flowID: UInt16
    public var answerID: UInt8

    public init(flowID: UInt16, answerID: UInt8) {
        self.flowID = flowID
        self.answerID = answerID
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        flowID = try input.uint16("ackFlowId")
        answerID = try input.uint8("answerId")
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint16BE(flowID)
        output.uint8(answerID)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("ackFlowId", Int(flowID))
        object.set("answerId", Int(answerID))
        return object
    }
}

/// 0x0303: information type 1 | flag 1 (0 cancel, 1 subscribe).
public struct JT808Subscription: JT808Body {
    public var type: UInt8
    public var flag: UInt8

    public init(type: UInt8, flag: UInt8) {
        self.type = type
        self.flag = flag
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        type = try input.uint8("type")
        flag = try input.uint8("flag")
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint8(type)
        output.uint8(flag)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("type", Int(type))
        object.set("flag", Int(flag))
        return object
    }
}

/// 0x0900 and 0x8900: type 1 | data. Types F0 to FF are the vendor's.
public struct JT808Transparent: JT808Body {
    public var type: UInt8
    public var data: [UInt8]

    public init(type: UInt8, data: [UInt8]) {
        self.type = type
        self.data = data
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        type = try input.uint8("type")
        data = input.rest()
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint8(type)
        output.append(data)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("type", Int(type))
        object.set("dataHex", Hex.text(data))
        return object
    }
}

/// 0x0901: length 4 | gzip data, kept compressed.
public struct JT808Compressed: JT808Body {
    public var data: [UInt8]

    public init(data: [UInt8]) { self.data = data }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        let length = try input.uint32("length")
        data = try input.bytes(Int(length), "data")
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint32BE(UInt32(clamping: data.count))
        output.append(data)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("dataHex", Hex.text(data))
        return object
    }
}

/// 0x6006, a terminal's answer to a text: flag 1 | GBK text. Source: section 6.
public struct JT808TextAnswer: JT808Body {
    public var flag: UInt8
    public var text: String

    public init(flag: UInt8, text: String) {
        self.flag = flag
        self.text = text
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        flag = try input.uint8("flag")
        text = input.restText()
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint8(flag)
        output.append(GBK.bytes(text))
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("flag", Int(flag))
        object.set("text", text)
        return object
    }
}

/// 0x1300, the same with the flow id of the question 2 and UTF-16BE text. Source: section 6.
public struct JT808UnicodeAnswer: JT808Body {
    public var flowID: UInt16
    public var text: String

    public init(flowID: UInt16, text: String) {
        self.flowID = flowID
        self.text = text
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        flowID = try input.uint16("ackFlowId")
        var units: [UInt16] = []
        while input.remaining >= 2 { units.append(try input.uint16("text")) }
        while units.last == 0 { units.removeLast() }
        text = String(decoding: units, as: UTF16.self)
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint16BE(flowID)
        for unit in text.utf16 { output.uint16BE(unit) }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("ackFlowId", Int(flowID))
        object.set("text", text)
        return object
    }
}
