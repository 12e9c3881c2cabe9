import TerminalModel
import WireBytes

/// What stands behind the position of an alarm.
///
///     five bytes     information 1 | battery 1 | GSM 1 | alarm 1 | language 1
///     six bytes      information 1 | battery 2 | GSM 1 | alarm 1 | language 1
///     with voltage   information 1 | voltage 2 | GSM 1 | alarm 1
///
/// Source: sections 5.3 and 7.9.
public struct GT06Status: Sendable, Equatable {
    public enum Power: Sendable, Equatable {
        /// 0 to 6, or percent.
        case level(UInt8)
        /// One of the two is percent, which one differs by model.
        case pair(UInt8, UInt8)
        /// Hundredths of a volt; there is no language byte then.
        case voltage(UInt16)
    }

    /// Bits of section 5.3.
    public var information: UInt8
    public var power: Power
    /// 0 to 4, or percent.
    public var signal: UInt8
    /// Section 10; 0 leaves it to the bits of `information`.
    public var alarm: UInt8
    /// 1 Chinese, 2 English, 0 no reply needed.
    public var language: UInt8

    static let byteCount = 5

    public init(information: UInt8, power: Power, signal: UInt8, alarm: UInt8, language: UInt8 = 1) {
        self.information = information
        self.power = power
        self.signal = signal
        self.alarm = alarm
        if case .voltage = power { self.language = 0 } else { self.language = language }
    }

    enum Layout {
        case five
        case six
        case voltage
    }

    init(parsing input: inout FieldReader, layout: Layout) throws(DecodeError) {
        information = try input.uint8("terminalInfo")
        switch layout {
        case .five: power = .level(try input.uint8("batteryLevel"))
        case .six: power = .pair(try input.uint8("battery1"), try input.uint8("battery2"))
        case .voltage: power = .voltage(try input.uint16("voltage"))
        }
        signal = try input.uint8("gsm")
        alarm = try input.uint8("alarm")
        language = layout == .voltage ? 0 : try input.uint8("language")
    }

    func write(to output: inout ByteWriter) {
        output.uint8(information)
        switch power {
        case .level(let level): output.uint8(level)
        case .pair(let first, let second):
            output.uint8(first)
            output.uint8(second)
        case .voltage(let voltage): output.uint16BE(voltage)
        }
        output.uint8(signal)
        output.uint8(alarm)
        if case .voltage = power { return }
        output.uint8(language)
    }

    var fields: JSONValue {
        var object = JSONObject()
        object.set("terminalInfo", Int(information))
        switch power {
        case .level(let level): object.set("batteryLevel", Int(level))
        case .pair(let first, let second): object.set("batteryHex", Hex.text([first, second]))
        case .voltage(let voltage): object.set("voltage", Double(voltage) / 100)
        }
        object.set("gsm", Int(signal))
        object.set("alarmCode", Int(alarm))
        if case .voltage = power { return object.value }
        object.set("language", Int(language))
        return object.value
    }
}

/// 16, 26, A3: GPS | length 1 | cell | status. 27, A4: the same and a fence number 1. Then a mileage 4 or a card id 8, or
/// neither. Samples: `alarm-26-sos`, `alarm-27-fall`, `alarm-16-lowbatt-nofix`, `alarm-a4-sos`. Source: 7.6, 7.9.
public struct GT06Alarm: GT06Body {
    public var gps: GT06Position
    /// What the length byte before the cell says; the layout does not depend on it. Nil when the model leaves it out.
    public var cellLength: UInt8?
    public var cell: GT06Cell?
    public var status: GT06Status
    /// FF = not a fence alarm.
    public var fence: UInt8?
    public var mileage: UInt32?
    public var card: UInt64?

    public init(
        gps: GT06Position, cellLength: UInt8?, cell: GT06Cell?, status: GT06Status, fence: UInt8? = nil,
        mileage: UInt32? = nil, card: UInt64? = nil
    ) {
        self.gps = gps
        self.cellLength = cellLength
        self.cell = cell
        self.status = status
        self.fence = fence
        self.mileage = mileage
        self.card = card
    }

    /// An alarm in the layout that most terminals use.
    public init(_ number: UInt8, gps: GT06Position, cell: GT06Cell, status: GT06Status) {
        let length = GT06Cell.byteCount(number) + (cell.isWide ? 2 : 1)
        self.init(
            gps: gps, cellLength: UInt8(length), cell: cell, status: status,
            fence: Self.hasFence(number) ? 0xFF : nil)
    }

    static func hasFence(_ number: UInt8) -> Bool { number == 0x27 || number == 0xA4 }

    /// Which parts the content has, told by its size.
    private struct Layout {
        var hasCellLength = true
        var hasCell = true
        var status = GT06Status.Layout.five
        var hasFence: Bool
        var hasMileage = false
        var hasCard = false

        /// Nil when the content is too short for an alarm.
        init?(_ content: Span<UInt8>, number: UInt8) {
            hasFence = GT06Alarm.hasFence(number)
            let start = GT06Position.byteCount
            let least = (hasFence ? 1 : 0) + GT06Status.byteCount
            let bare = start + GT06Cell.byteCount(number) + least
            if content.count == bare {
                hasCellLength = false
                status =
                    number == 0x16 && Self.hasVoltage(content, at: start + GT06Cell.byteCount(number))
                    ? .voltage : .five
                return
            }
            if content.count == start + 1 + least, content[start] == 0 {
                hasCell = false
                return
            }
            guard let cell = GT06Cell.byteCount(number, in: content, at: start + 1) else { return nil }
            let left = content.count - start - 1 - cell
            guard left >= least else { return nil }
            switch left - least {
            case 1: status = .six
            case 4: hasMileage = true
            case 8: hasCard = true
            case 9:
                status = .six
                hasCard = true
            default: break
            }
        }

        /// A block without length byte is known in two layouts: one has levels of at most 6 and 4 where the other has a
        /// voltage.
        private static func hasVoltage(_ content: Span<UInt8>, at offset: Int) -> Bool {
            content[offset + 1] > 6 || content[offset + 2] > 4
        }
    }

    /// True when the content has the size of an alarm, and where the number means other things too, a position in front.
    static func fits(_ content: Span<UInt8>, number: UInt8) -> Bool {
        guard let gps = GT06Position(content), Layout(content, number: number) != nil else { return false }
        switch number {
        case 0x36: return content.count == 48 && gps.isPlausible
        case 0xA3: return gps.isPlausible
        default: return true
        }
    }

    init(parsing input: inout FieldReader, number: UInt8) throws(DecodeError) {
        guard let layout = Layout(input.unread, number: number) else {
            throw input.error(.badLength, "content", expected: "an alarm", found: "\(input.remaining) bytes")
        }
        gps = try GT06Position(parsing: &input)
        cellLength = layout.hasCellLength ? try input.uint8("cellLength") : nil
        cell = layout.hasCell ? try GT06Cell(parsing: &input, number: number) : nil
        status = try GT06Status(parsing: &input, layout: layout.status)
        fence = layout.hasFence ? try input.uint8("fence") : nil
        mileage = layout.hasMileage ? try input.uint32("mileage") : nil
        card = layout.hasCard ? try input.uint64("card") : nil
    }

    func write(to output: inout ByteWriter, number: UInt8) {
        gps.write(to: &output)
        if let cellLength { output.uint8(cellLength) }
        cell?.write(to: &output, number: number)
        status.write(to: &output)
        if let fence { output.uint8(fence) }
        if let mileage { output.uint32BE(mileage) }
        if let card { output.uint64BE(card) }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("gps", gps.fields)
        object.set("cell", cell?.fields)
        object.set("status", status.fields)
        object.set("fence", fence.map(Int.init))
        object.set("mileage", mileage.map(Int.init))
        object.set("cardId", card.map { String(Hex.number($0, digits: 16).dropFirst(2)) })
        return object
    }
}

/// 19, A5: cell | status, without a time. Samples: `alarm-19-lbs`, `alarm-a5-lbs`. Source: section 7.7.
public struct GT06CellAlarm: GT06Body {
    public var cell: GT06Cell
    public var status: GT06Status

    public init(cell: GT06Cell, status: GT06Status) {
        self.cell = cell
        self.status = status
    }

    /// True when a status block follows the cell; 19 is used for other things too and must end there.
    static func fits(_ content: Span<UInt8>, number: UInt8) -> Bool {
        guard let size = GT06Cell.byteCount(number, in: content, at: 0) else { return false }
        let rest = content.count - size - GT06Status.byteCount
        return number == 0x19 ? rest == 0 : rest >= 0
    }

    init(parsing input: inout FieldReader, number: UInt8) throws(DecodeError) {
        cell = try GT06Cell(parsing: &input, number: number)
        status = try GT06Status(parsing: &input, layout: .five)
    }

    func write(to output: inout ByteWriter, number: UInt8) {
        cell.write(to: &output, number: number)
        status.write(to: &output)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("cell", cell.fields)
        object.set("status", status.fields)
        return object
    }
}

/// 2A, 1A: GPS | phone number 21 | alarm 1 | language 1. A7: a cell instead of GPS. Source: section 7.12.
public struct GT06AddressRequest: GT06Body {
    public enum Place: Sendable, Equatable {
        case gps(GT06Position)
        case cell(GT06Cell)
    }

    public var place: Place
    public var phone: String
    public var alarm: UInt8?
    public var language: UInt8?

    static let phoneBytes = 21

    public init(place: Place, phone: String, alarm: UInt8? = nil, language: UInt8? = nil) {
        self.place = place
        self.phone = phone
        self.alarm = alarm
        self.language = alarm == nil ? nil : language
    }

    static func fits(_ content: Span<UInt8>, number: UInt8) -> Bool {
        if number == 0xA7 {
            guard let size = GT06Cell.byteCount(number, in: content, at: 0) else { return false }
            return content.count - size >= phoneBytes
        }
        return GT06Location.fits(content) && content.count >= GT06Position.byteCount + phoneBytes
    }

    init(parsing input: inout FieldReader, number: UInt8) throws(DecodeError) {
        place =
            number == 0xA7
            ? .cell(try GT06Cell(parsing: &input, number: number)) : .gps(try GT06Position(parsing: &input))
        phone = try input.text(Self.phoneBytes, "phone")
        alarm = input.isAtEnd ? nil : try input.uint8("alarm")
        language = input.isAtEnd ? nil : try input.uint8("language")
    }

    func write(to output: inout ByteWriter, number: UInt8) {
        switch place {
        case .gps(let gps): gps.write(to: &output)
        case .cell(let cell): cell.write(to: &output, number: number)
        }
        output.append(Array(phone.utf8), padded: Self.phoneBytes)
        if let alarm { output.uint8(alarm) }
        if let language { output.uint8(language) }
    }

    var fields: JSONObject {
        var object = JSONObject()
        switch place {
        case .gps(let gps): object.set("gps", gps.fields)
        case .cell(let cell): object.set("cell", cell.fields)
        }
        object.set("phone", phone)
        object.set("alarmCode", alarm.map(Int.init))
        object.set("language", language.map(Int.init))
        return object
    }
}
