public import TerminalModel
import WireBytes

/// A whole frame: header, message, what stands behind it, and when it was sent.
///
///     [ [# account "|"] data ] { [ extended data ] } [ "_" time ]
///
/// Samples: `sos-contact-id`, `sos-sia`. Source: sections 1.1 and 1.3.
public struct DC09Packet: Sendable, Equatable {
    public var header: DC09Header
    /// The account that stands before the data, as it is written: with its `#`, or without where panels leave it out; nil when the
    /// data names none.
    public var dataAccount: String?
    public var message: DC09Message
    public var extended: [DC09ExtendedData]
    /// When the frame was sent, by the panel's clock; frames in clear text may leave it out.
    public var time: DC09Time?
    /// What stands behind all that where nothing should.
    public var trailing: [UInt8]

    public init(
        _ header: DC09Header, dataAccount: String? = nil, message: DC09Message, extended: [DC09ExtendedData] = [],
        time: DC09Time? = nil, trailing: [UInt8] = []
    ) {
        self.header = header
        self.dataAccount = dataAccount
        self.message = message
        self.extended = extended
        self.time = time
        self.trailing = trailing
    }
}

/// What stands in the first brackets.
public enum DC09Message: Sendable, Equatable {
    /// `[]`: signs of life and answers.
    case empty
    case contactID(DC09ContactID)
    case sia(DC09SIAData)
    /// Data of a frame whose name says nothing about their form.
    case other([UInt8])
}

/// One Contact ID event.
///
///     qualifier 1 | event 3 | " " group 2 | " " zone 3
///
/// Sample: `sos-contact-id`. Source: section 1.4.
public struct DC09ContactID: Sendable, Equatable {
    public enum Qualifier: UInt8, Sendable {
        /// New, or opened.
        case new = 1
        /// Over, or closed.
        case restored = 3
        /// Reported before and still so.
        case present = 6
    }

    /// 1, 3 or 6 by the rules.
    public var qualifier: UInt8
    /// Three digits as they are written, `0x101` for 101.
    public var event: UInt16
    /// Group or partition, two digits as they are written.
    public var group: UInt8
    /// Zone, or user where the event is about one; three digits as they are written.
    public var zone: UInt16
    /// Of a line: false for its old form, which says 98 for 18.
    public var isCurrentForm = true

    public init(_ qualifier: Qualifier, event: UInt16, group: UInt8 = 0, zone: UInt16 = 0) {
        self.qualifier = qualifier.rawValue
        self.event = event
        self.group = group
        self.zone = zone
    }

    /// The number of the event as people say it, nil when it has digits above nine.
    public var number: Int? { Int(String(event, radix: 16)) }

    /// Reads `1101 00 001`; nil for anything else.
    init?(data: [UInt8]) {
        let parts = data.split(separator: 0x20)
        guard parts.count == 3, parts[0].count == 4, parts[1].count == 2, parts[2].count == 3 else { return nil }
        self.init(digits: parts.flatMap { $0 })
    }

    /// Reads the 16 digits of a line, behind the account.
    init?(line: [UInt8]) {
        guard line.count == DC09.lineByteCount else { return nil }
        self.init(digits: Array(line[6..<15]))
        isCurrentForm = line[4] == 0x31
    }

    private init?(digits: [UInt8]) {
        var value: UInt64 = 0
        for byte in digits {
            guard let digit = DC09Text.digit(byte) else { return nil }
            value = value << 4 | UInt64(digit)
        }
        qualifier = UInt8(value >> 32 & 15)
        event = UInt16(value >> 20 & 0xFFF)
        group = UInt8(value >> 12 & 0xFF)
        zone = UInt16(value & 0xFFF)
    }

    /// The nine digits, upper case.
    private var digits: String {
        DC09Text.hex(UInt64(qualifier), 1) + DC09Text.hex(UInt64(event), 3) + DC09Text.hex(UInt64(group), 2)
            + DC09Text.hex(UInt64(zone), 3)
    }

    /// The data of a frame.
    var data: [UInt8] {
        let digits = Array(digits.utf8)
        return digits[0..<4] + [0x20] + digits[4..<6] + [0x20] + digits[6..<9]
    }

    /// The 16 digits of a line with their check digit.
    func line(account: String) -> [UInt8] {
        let text = Array((account + (isCurrentForm ? "18" : "98") + digits).utf8)
        // Zero counts ten; the check digit makes the sum a multiple of 15, and is itself never zero.
        let sum = text.reduce(0) { $0 + (DC09Text.digit($1).map { $0 == 0 ? 10 : Int($0) } ?? 0) }
        let check = 15 - sum % 15
        return text + Array(DC09Text.hex(UInt64(check == 10 ? 0 : check), 1).utf8)
    }
}

/// SIA codes with what modifies them, and texts.
///
///     "N" or "O" | { modifier | "/" | code address } { "|A" text }
///
/// Sample: `sos-sia`. Source: section 1.5.
public struct DC09SIAData: Sendable, Equatable {
    public struct Event: Sendable, Equatable {
        /// Two upper-case letters.
        public var code: String
        /// Zone, or user where the code is about one; empty when it says none.
        public var address: String
    }

    /// As it stands on the wire.
    public let bytes: [UInt8]
    /// `O`: an event of before, told again.
    public private(set) var isOld = false
    public private(set) var events: [Event] = []
    /// Two lower-case letters and a value: `ti` time, `id` user, `ri` area, `pi` peripheral.
    public private(set) var modifiers: [(name: String, value: String)] = []
    public private(set) var texts: [String] = []

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        for part in bytes.split(separator: 0x7C, omittingEmptySubsequences: false) {
            switch part.first {
            case 0x4E, 0x4F:
                isOld = isOld || part.first == 0x4F
                read(Array(part.dropFirst()))
            case 0x41: texts.append(DC09Text.windows1252(part.dropFirst()))
            default: break
            }
        }
    }

    public init(_ text: String) {
        self.init(Array(text.utf8))
    }

    public static func == (left: DC09SIAData, right: DC09SIAData) -> Bool { left.bytes == right.bytes }

    /// Reads modifiers and codes; what is neither is passed over.
    private mutating func read(_ text: [UInt8]) {
        var offset = 0
        while offset < text.count {
            let isCode = Self.isUpper(text[offset])
            guard isCode || Self.isLower(text[offset]), offset + 1 < text.count,
                isCode ? Self.isUpper(text[offset + 1]) : Self.isLower(text[offset + 1])
            else {
                offset += 1
                continue
            }
            let name = DC09Text.ascii(text[offset..<offset + 2])
            offset += 2
            let value = Self.value(in: text, at: &offset)
            if isCode { events.append(Event(code: name, address: value)) } else { modifiers.append((name, value)) }
        }
    }

    /// Digits and colons, with a name between `^` that may follow them.
    private static func value(in text: [UInt8], at offset: inout Int) -> String {
        let start = offset
        while offset < text.count {
            if text[offset] == 0x5E {
                offset = text[(offset + 1)...].firstIndex(of: 0x5E).map { $0 + 1 } ?? text.count
            } else if (0x30...0x3A).contains(text[offset]) {
                offset += 1
            } else {
                break
            }
        }
        return DC09Text.windows1252(text[start..<offset])
    }

    private static func isUpper(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }
    private static func isLower(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }
}

/// One pair of brackets behind the data: an identifier and its value. Source: section 1.6.
public struct DC09ExtendedData: Sendable, Equatable {
    /// Between the brackets, as they stand on the wire.
    public let bytes: [UInt8]

    public init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// - Parameter value: brackets, bars, control characters and what is not ASCII become spaces.
    public init(_ identifier: Character, _ value: String) {
        let text = value.unicodeScalars.map { scalar -> UInt8 in
            guard (0x20...0x7E).contains(scalar.value), !"[]|\"".unicodeScalars.contains(scalar) else { return 0x20 }
            return UInt8(scalar.value)
        }
        bytes = [identifier.asciiValue ?? 0x3F] + text
    }

    /// The letter that says what it is; nil for an empty pair.
    public var identifier: UInt8? { bytes.first }

    public var value: ArraySlice<UInt8> { bytes.dropFirst() }

    /// The value as text in Windows-1252.
    public var text: String { DC09Text.windows1252(value) }
}

/// A time on the wire: `HH:MM:SS,MM-DD-YYYY`, UTC. Source: section 1.1.
public struct DC09Time: Sendable, Equatable {
    static let byteCount = 19
    /// Where the digits stand: hour, minute, second, month, day, and the year in two halves.
    private static let places = [0, 3, 6, 9, 12, 15, 17]
    private static let pattern = Array("00:00:00,00-00-0000".utf8)

    /// As it stands on the wire.
    let bytes: [UInt8]

    /// Nil for other characters; a date that no calendar has is kept, since it is what a panel says.
    public init?(_ text: some Collection<UInt8>) {
        guard text.count == Self.byteCount else { return nil }
        for (byte, expected) in zip(text, Self.pattern) {
            let isRight = expected == 0x30 ? (0x30...0x39).contains(byte) : byte == expected
            guard isRight else { return nil }
        }
        bytes = Array(text)
    }

    /// Whole seconds; what is left of one is dropped.
    public init(_ time: Timestamp) {
        let date = time.calendar
        func padded(_ value: Int, _ width: Int) -> String {
            String(repeating: "0", count: max(0, width - String(value).count)) + String(value)
        }
        bytes = Array(
            ("\(padded(date.hour, 2)):\(padded(date.minute, 2)):\(padded(date.second, 2)),"
                + "\(padded(date.month, 2))-\(padded(date.day, 2))-\(padded(date.year, 4))").utf8)
    }

    public var text: String { DC09Text.ascii(bytes) }

    /// Nil for a time that no clock shows.
    public var timestamp: Timestamp? {
        let parts = Self.places.map { Int(bytes[$0] - 0x30) * 10 + Int(bytes[$0 + 1] - 0x30) }
        return Timestamp(
            year: parts[5] * 100 + parts[6], month: parts[3], day: parts[4], hour: parts[0], minute: parts[1],
            second: parts[2])
    }
}

extension DC09Text {
    static func ascii(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.map { $0 < 0x80 ? $0 : 0x3F }, as: UTF8.self)
    }

    /// The low digits of a number, upper case.
    static func hex(_ value: UInt64, _ digits: Int) -> String {
        String(Hex.number(value, digits: digits).dropFirst(2).suffix(digits)).uppercased()
    }
}
