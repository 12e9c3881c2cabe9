import TerminalModel
import WireBytes

/// 0x8202: interval 2 s (0 stops, then nothing follows) | validity 4 s. Sample: `temporary-tracking`. Source: section 9.
public struct JT808Tracking: JT808Body {
    public var intervalSeconds: UInt16
    public var validitySeconds: UInt32

    public init(intervalSeconds: UInt16, validitySeconds: UInt32) {
        self.intervalSeconds = intervalSeconds
        self.validitySeconds = intervalSeconds == 0 ? 0 : validitySeconds
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        intervalSeconds = try input.uint16("interval")
        validitySeconds = intervalSeconds == 0 && input.isAtEnd ? 0 : try input.uint32("validity")
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint16BE(intervalSeconds)
        if intervalSeconds != 0 { output.uint32BE(validitySeconds) }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("interval", Int(intervalSeconds))
        if intervalSeconds != 0 { object.set("validity", Int(validitySeconds)) }
        return object
    }
}

/// 0x8203: flow id of the alarm's 0x0200 2 (0: all of these types) | alarm types 4. Sample: `alarm-manual-confirm`.
public struct JT808AlarmConfirmation: JT808Body {
    public var alarmFlowID: UInt16
    public var alarmTypes: UInt32

    /// The bits that can be confirmed: emergency, danger, area, route, segment time, ignition, displacement.
    public static let confirmableBits: UInt32 = 1 | 1 << 3 | 1 << 20 | 1 << 21 | 1 << 22 | 1 << 27 | 1 << 28

    public init(alarmFlowID: UInt16, alarmTypes: UInt32) {
        self.alarmFlowID = alarmFlowID
        self.alarmTypes = alarmTypes
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        alarmFlowID = try input.uint16("alarmFlowId")
        alarmTypes = try input.uint32("alarmTypes")
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint16BE(alarmFlowID)
        output.uint32BE(alarmTypes)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("alarmFlowId", Int(alarmFlowID))
        object.set("alarmTypes", Int(alarmTypes))
        return object
    }
}

/// 0x8300: flags 1 | (2019: type 1) | GBK text. Samples: `text-tts-2013`, `text-tts-2019`. Source: section 9.
public struct JT808Text: JT808Body {
    /// Bits of 2011 and 2013; 2019 numbers the low two differently, see the initialiser with an edition.
    public struct Flags: OptionSet, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let urgent = Flags(rawValue: 1)
        public static let display = Flags(rawValue: 1 << 2)
        public static let speak = Flags(rawValue: 1 << 3)
    }

    public var flags: UInt8
    /// 2019 only: 1 notice, 2 service.
    public var type: UInt8?
    public var text: String

    public init(flags: UInt8, type: UInt8? = nil, text: String) {
        self.flags = flags
        self.type = type
        self.text = text
    }

    /// A text to be shown and spoken. 2019: the low bits are 10 urgent, 01 service, and the type is a notice.
    public init(_ text: String, urgent: Bool, edition: JT808Edition) {
        let show: Flags = [.display, .speak]
        if edition == .v2019 {
            self.init(flags: show.rawValue | (urgent ? 2 : 1), type: 1, text: text)
        } else {
            self.init(flags: show.rawValue | (urgent ? 1 : 0), text: text)
        }
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        flags = try input.uint8("flags")
        type = edition == .v2019 ? try input.uint8("textType") : nil
        text = input.restText()
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint8(flags)
        if edition == .v2019 { output.uint8(type ?? 1) }
        output.append(GBK.bytes(text))
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("flags", Int(flags))
        object.set("textType", type.map(Int.init))
        object.set("text", text)
        return object
    }
}

/// 0x8301: setting 1 | count 1 | items of id 1, length 1, text. Setting 0 clear, 1 replace, 2 append, 3 modify, 4 delete.
public struct JT808EventList: JT808Body {
    public struct Item: Sendable, Equatable {
        public var id: UInt8
        public var text: String

        public init(id: UInt8, text: String) {
            self.id = id
            self.text = text
        }
    }

    public var setting: UInt8
    public var items: [Item]

    public init(setting: UInt8, items: [Item]) {
        self.setting = setting
        self.items = items
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        setting = try input.uint8("setting")
        items = []
        guard !input.isAtEnd else { return }
        let count = try input.uint8("count")
        for _ in 0..<count {
            let id = try input.uint8("eventId")
            items.append(Item(id: id, text: try input.text(Int(try input.uint8("textLength")), "text")))
        }
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint8(setting)
        guard setting != 0 else { return }
        output.uint8(UInt8(clamping: items.count))
        for item in items.prefix(255) {
            let text = GBK.bytes(item.text)
            output.uint8(item.id)
            output.uint8(UInt8(clamping: text.count))
            output.append(text.prefix(255))
        }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("setting", Int(setting))
        object.set("events", .array(items.map { ["id": .int(Int($0.id)), "text": .string($0.text)] }))
        return object
    }
}

/// 0x8302: flags 1 | length 1 question | answers of id 1, length 2, text.
public struct JT808Question: JT808Body {
    public struct Choice: Sendable, Equatable {
        public var id: UInt8
        public var text: String

        public init(id: UInt8, text: String) {
            self.id = id
            self.text = text
        }
    }

    public var flags: UInt8
    public var question: String
    public var answers: [Choice]

    public init(flags: UInt8, question: String, answers: [Choice]) {
        self.flags = flags
        self.question = question
        self.answers = answers
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        flags = try input.uint8("flags")
        question = try input.text(Int(try input.uint8("questionLength")), "question")
        answers = []
        while !input.isAtEnd {
            let id = try input.uint8("answerId")
            answers.append(Choice(id: id, text: try input.text(Int(try input.uint16("answerLength")), "answer")))
        }
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        let text = GBK.bytes(question)
        output.uint8(flags)
        output.uint8(UInt8(clamping: text.count))
        output.append(text.prefix(255))
        for answer in answers {
            let text = GBK.bytes(answer.text)
            output.uint8(answer.id)
            output.uint16BE(UInt16(clamping: text.count))
            output.append(text.prefix(Int(UInt16.max)))
        }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("flags", Int(flags))
        object.set("question", question)
        object.set("answers", .array(answers.map { ["id": .int(Int($0.id)), "text": .string($0.text)] }))
        return object
    }
}

/// 0x8303: setting 1 | count 1 | items of type 1, length 2, name.
public struct JT808InformationMenu: JT808Body {
    public struct Item: Sendable, Equatable {
        public var type: UInt8
        public var name: String

        public init(type: UInt8, name: String) {
            self.type = type
            self.name = name
        }
    }

    public var setting: UInt8
    public var items: [Item]

    public init(setting: UInt8, items: [Item]) {
        self.setting = setting
        self.items = items
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        setting = try input.uint8("setting")
        items = []
        guard !input.isAtEnd else { return }
        let count = try input.uint8("count")
        for _ in 0..<count {
            let type = try input.uint8("type")
            items.append(Item(type: type, name: try input.text(Int(try input.uint16("nameLength")), "name")))
        }
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint8(setting)
        guard setting != 0 else { return }
        output.uint8(UInt8(clamping: items.count))
        for item in items.prefix(255) {
            let name = GBK.bytes(item.name)
            output.uint8(item.type)
            output.uint16BE(UInt16(clamping: name.count))
            output.append(name.prefix(Int(UInt16.max)))
        }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("setting", Int(setting))
        object.set("items", .array(items.map { ["type": .int(Int($0.type)), "name": .string($0.name)] }))
        return object
    }
}

/// 0x8304: type 1 | length 2 | text.
public struct JT808Information: JT808Body {
    public var type: UInt8
    public var text: String

    public init(type: UInt8, text: String) {
        self.type = type
        self.text = text
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        type = try input.uint8("type")
        text = try input.text(Int(try input.uint16("textLength")), "text")
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        let bytes = GBK.bytes(text)
        output.uint8(type)
        output.uint16BE(UInt16(clamping: bytes.count))
        output.append(bytes.prefix(Int(UInt16.max)))
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("type", Int(type))
        object.set("text", text)
        return object
    }
}

/// 0x8400: call type 1 (0 two-way, 1 listen-in) | number, digits only, at most 20. Sample: `call-back-listen`.
///
/// The number has passed the dial guard before it stands here.
public struct JT808CallBack: JT808Body {
    public static let maximumPhoneBytes = 20

    public var type: UInt8
    public var phone: String

    public init(listen: Bool, phone: String) {
        type = listen ? 1 : 0
        self.phone = phone
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        type = try input.uint8("callType")
        phone = input.restText("phone")
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint8(type)
        output.append(GBK.bytes(phone))
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("callType", Int(type))
        object.set("phone", phone)
        return object
    }
}

/// 0x8401: setting 1 | count 1 | contacts of flag 1, length 1 number, length 1 GBK name. Sample: `phonebook-replace`.
public struct JT808PhoneBook: JT808Body {
    public struct Contact: Sendable, Equatable {
        /// 1 incoming, 2 outgoing, 3 both.
        public var flag: UInt8
        public var phone: String
        public var name: String

        public init(flag: UInt8, phone: String, name: String) {
            self.flag = flag
            self.phone = phone
            self.name = name
        }
    }

    /// 0 delete all, 1 replace all, 2 append, 3 modify by name.
    public var setting: UInt8
    public var contacts: [Contact]

    public init(setting: UInt8, contacts: [Contact]) {
        self.setting = setting
        self.contacts = setting == 0 ? [] : contacts
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        setting = try input.uint8("setting")
        contacts = []
        guard !input.isAtEnd else { return }
        let count = try input.uint8("count")
        for _ in 0..<count {
            let flag = try input.uint8("flag")
            let phone = try input.text(Int(try input.uint8("phoneLength")), "phone")
            let name = try input.text(Int(try input.uint8("nameLength")), "name")
            contacts.append(Contact(flag: flag, phone: phone, name: name))
        }
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint8(setting)
        guard setting != 0 else { return }
        output.uint8(UInt8(clamping: contacts.count))
        for contact in contacts.prefix(255) {
            output.uint8(contact.flag)
            for text in [GBK.bytes(contact.phone), GBK.bytes(contact.name)] {
                output.uint8(UInt8(clamping: text.count))
                output.append(text.prefix(255))
            }
        }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("setting", Int(setting))
        object.set(
            "contacts",
            .array(
                contacts.map {
                    ["flag": .int(Int($0.flag)), "phone": .string($0.phone), "name": .string($0.name)]
                }))
        return object
    }
}
