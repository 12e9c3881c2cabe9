import TerminalModel
import WireBytes

/// The content of one kind of message: read, written and shown by the same type.
protocol GT06Body: Sendable, Equatable {
    /// - Parameter number: the protocol number, since several have one layout.
    init(parsing input: inout FieldReader, number: UInt8) throws(DecodeError)
    func write(to output: inout ByteWriter, number: UInt8)
    /// The members in the shape of the corpus.
    var fields: JSONObject { get }
}

/// Every message of section 6 whose layout is known, in both directions, and whatever else arrives as bytes.
///
/// Where several protocol numbers share a layout, the number stands in front.
public enum GT06Message: Sendable, Equatable {
    // Terminal to platform.
    /// 01.
    case login(GT06Login)
    /// 13.
    case heartbeat(GT06Heartbeat)
    /// 23.
    case voltageHeartbeat(GT06VoltageHeartbeat)
    /// 36.
    case moduleHeartbeat(GT06ModuleHeartbeat)
    /// 10, 11, 12, 22, A0.
    case location(UInt8, GT06Location)
    /// 16, 26, 27, 36 with a card, A3, A4.
    case alarm(UInt8, GT06Alarm)
    /// 19, A5.
    case cellAlarm(UInt8, GT06CellAlarm)
    /// 18, 24, 28, 2C, 2E, A1, A2.
    case cells(UInt8, GT06Cells)
    /// 15, 21.
    case reply(UInt8, GT06Reply)
    /// 94.
    case information(GT06Information)
    /// 1A, 2A, A7.
    case addressRequest(UInt8, GT06AddressRequest)
    /// 8A without content.
    case timeRequest
    /// An alarm by its number whose content has no known layout.
    case unreadableAlarm(UInt8, GT06Bytes)
    /// The family without serial and CRC.
    case lookAlike(GT06LookAlike)
    // Platform to terminal.
    /// Any number without content.
    case acknowledgement(UInt8)
    /// 80.
    case command(GT06Command)
    /// 8A with the time.
    case time(GT06ServerTime)
    // Anything else.
    case unknown(UInt8, GT06Bytes)
}

/// One frame, decoded.
public struct GT06Packet: Sendable, Equatable {
    public var number: UInt8
    public var form: GT06Form
    /// The sender's message counter; the look-alike family has none.
    public var serial: UInt16?
    /// The frame declared another length than it has; its CRC is right.
    public var lengthMismatch: Bool
    public var message: GT06Message
    /// Bytes behind the fields of the content that its layout does not explain.
    public var trailing: [UInt8]

    public init(
        number: UInt8, form: GT06Form = .short, serial: UInt16?, lengthMismatch: Bool = false, message: GT06Message,
        trailing: [UInt8] = []
    ) {
        self.number = number
        self.form = form
        self.serial = serial
        self.lengthMismatch = lengthMismatch
        self.message = message
        self.trailing = trailing
    }
}

/// Content that is kept as it is.
public struct GT06Bytes: GT06Body {
    public var bytes: [UInt8]

    public init(_ bytes: [UInt8] = []) { self.bytes = bytes }

    init(parsing input: inout FieldReader, number: UInt8) throws(DecodeError) {
        bytes = input.rest("content")
    }

    func write(to output: inout ByteWriter, number: UInt8) {
        output.append(bytes)
    }

    var fields: JSONObject {
        var object = JSONObject()
        if !bytes.isEmpty { object.set("hex", Hex.text(bytes)) }
        return object
    }
}

extension GT06Message {
    /// Reads the content of message `number`. Content that does not fit the known layout keeps its bytes, because numbers
    /// have other meanings on other models (section 11).
    init(number: UInt8, parsing input: inout FieldReader) throws(DecodeError) {
        switch number {
        case 0x8A where input.isAtEnd: self = .timeRequest
        case _ where input.isAtEnd && number != 0x80: self = .acknowledgement(number)
        case 0x01: self = .login(try GT06Login(parsing: &input, number: number))
        case 0x13: self = .heartbeat(try GT06Heartbeat(parsing: &input, number: number))
        case 0x23 where input.remaining >= GT06VoltageHeartbeat.byteCount:
            self = .voltageHeartbeat(try GT06VoltageHeartbeat(parsing: &input, number: number))
        case 0x36 where GT06Alarm.fits(input.unread, number: number),
            0x16 where GT06Alarm.fits(input.unread, number: number),
            0x26 where GT06Alarm.fits(input.unread, number: number),
            0x27 where GT06Alarm.fits(input.unread, number: number),
            0xA3 where GT06Alarm.fits(input.unread, number: number),
            0xA4 where GT06Alarm.fits(input.unread, number: number):
            self = .alarm(number, try GT06Alarm(parsing: &input, number: number))
        case 0x36 where GT06ModuleHeartbeat.fits(input.unread):
            self = .moduleHeartbeat(try GT06ModuleHeartbeat(parsing: &input, number: number))
        case 0x10, 0x11, 0x12, 0x22, 0xA0:
            guard GT06Location.fits(input.unread) else { fallthrough }
            self = .location(number, try GT06Location(parsing: &input, number: number))
        default: self = try Self.other(number, &input)
        }
    }

    private static func other(_ number: UInt8, _ input: inout FieldReader) throws(DecodeError) -> GT06Message {
        switch number {
        case 0x19 where GT06CellAlarm.fits(input.unread, number: number),
            0xA5 where GT06CellAlarm.fits(input.unread, number: number):
            .cellAlarm(number, try GT06CellAlarm(parsing: &input, number: number))
        case 0x18 where GT06Cells.fits(input.unread, number: number),
            0x24 where GT06Cells.fits(input.unread, number: number),
            0x28 where GT06Cells.fits(input.unread, number: number),
            0x2C where GT06Cells.fits(input.unread, number: number),
            0x2E where GT06Cells.fits(input.unread, number: number),
            0xA1 where GT06Cells.fits(input.unread, number: number),
            0xA2 where GT06Cells.fits(input.unread, number: number):
            .cells(number, try GT06Cells(parsing: &input, number: number))
        case 0x15, 0x21: .reply(number, try GT06Reply(parsing: &input, number: number))
        case 0x94: .information(try GT06Information(parsing: &input, number: number))
        case 0x1A where GT06AddressRequest.fits(input.unread, number: number),
            0x2A where GT06AddressRequest.fits(input.unread, number: number),
            0xA7 where GT06AddressRequest.fits(input.unread, number: number):
            .addressRequest(number, try GT06AddressRequest(parsing: &input, number: number))
        case 0x80: .command(try GT06Command(parsing: &input, number: number))
        case 0x8A where input.remaining >= 6: .time(try GT06ServerTime(parsing: &input, number: number))
        case _ where isAlarm(number):
            .unreadableAlarm(number, try GT06Bytes(parsing: &input, number: number))
        default: .unknown(number, try GT06Bytes(parsing: &input, number: number))
        }
    }

    /// The protocol number on the wire.
    public var number: UInt8 {
        switch self {
        case .login: 0x01
        case .heartbeat: 0x13
        case .voltageHeartbeat: 0x23
        case .moduleHeartbeat: 0x36
        case .information: 0x94
        case .timeRequest, .time: 0x8A
        case .command: 0x80
        case .lookAlike(let body): body.number
        case .location(let number, _), .alarm(let number, _), .cellAlarm(let number, _), .cells(let number, _),
            .reply(let number, _), .addressRequest(let number, _), .unreadableAlarm(let number, _),
            .acknowledgement(let number), .unknown(let number, _):
            number
        }
    }

    /// The form that a message of this kind is sent in.
    public var form: GT06Form {
        if case .lookAlike = self { return .lookAlike }
        switch number {
        case 0x21, 0x65, 0x66, 0x70, 0x8C, 0x94, 0x9B:
            if case .acknowledgement = self { return .short }
            return .long
        default: return .short
        }
    }

    /// The members of the message alone, in the shape of the corpus.
    var members: [JSONValue.Member] {
        switch self {
        case .acknowledgement: [.init("ack", true)]
        case .lookAlike(let message): message.fields.members
        default: body.fields.members
        }
    }

    /// The content of a regular message.
    var body: any GT06Body {
        switch self {
        case .login(let body): body
        case .heartbeat(let body): body
        case .voltageHeartbeat(let body): body
        case .moduleHeartbeat(let body): body
        case .location(_, let body): body
        case .alarm(_, let body): body
        case .cellAlarm(_, let body): body
        case .cells(_, let body): body
        case .reply(_, let body): body
        case .information(let body): body
        case .addressRequest(_, let body): body
        case .command(let body): body
        case .time(let body): body
        case .unreadableAlarm(_, let body), .unknown(_, let body): body
        case .timeRequest, .acknowledgement, .lookAlike: GT06Bytes()
        }
    }
}
