internal import TerminalModel
internal import TerminalProtocols

/// GT06 and its look-alikes: IMEI, places, times, cells, access points. Texts, numbers of cards and information messages are
/// dropped.
final class GT06Anonymiser: FrameAnonymiser {
    /// Coordinates have 1,800,000 units to a degree: 9 of them are 50 ten-millionths.
    private static let units = (numerator: 9, denominator: 50)

    private let pseudonyms: Pseudonyms
    private var mode = GT06Framer.Mode.undecided

    init(_ pseudonyms: Pseudonyms) {
        self.pseudonyms = pseudonyms
    }

    func anonymise(_ bytes: [UInt8]) -> AnonymousFrame {
        let framer = GT06Framer()
        var cursor = GT06Framer.Cursor(mode: mode)
        while true {
            switch framer.next(in: bytes.span, at: &cursor) {
            case .needMore: return .dropped("broken")
            case .rejected: continue
            case .frame(let run):
                let frame = framer.frame(run, in: bytes.span)
                mode = cursor.mode
                do throws(DecodeError) {
                    return anonymise(try GT06Codec.decode(frame))
                } catch {
                    return .dropped(error.message?.description ?? "broken")
                }
            }
        }
    }

    private func anonymise(_ packet: GT06Packet) -> AnonymousFrame {
        let name = MessageName.number(UInt16(packet.number)).description
        guard let message = message(packet.message) else { return .dropped(name) }
        let form = packet.form == .lookAlike ? nil : packet.form
        return .kept(
            GT06Codec.encode(message, serial: packet.serial ?? 0, form: form),
            droppedParts: packet.trailing.isEmpty ? [] : ["\(name) trailing"])
    }

    private func message(_ message: GT06Message) -> GT06Message? {
        switch message {
        case .acknowledgement, .timeRequest, .voltageHeartbeat: return message
        case .heartbeat(var body):
            body.extra = []
            return .heartbeat(body)
        case .login(var body):
            body.imeiNibbles = pseudonyms.nibbles(body.imeiNibbles)
            return .login(body)
        case .time(var body):
            body.time = moved(body.time)
            return .time(body)
        case .location(let number, var body):
            body.gps = moved(body.gps)
            body.cell = body.cell.map { replaced($0) }
            return .location(number, body)
        case .alarm(let number, var body):
            body.gps = moved(body.gps)
            body.cell = body.cell.map { replaced($0) }
            body.card = body.card.map { pseudonyms.code($0, of: "card", bits: 64) }
            return .alarm(number, body)
        case .cellAlarm(let number, var body):
            body.cell = replaced(body.cell)
            return .cellAlarm(number, body)
        case .cells(let number, var body):
            body.time = moved(body.time)
            for index in body.cells.indices {
                let bits = body.isWide ? (32, 64) : (16, 24)
                body.cells[index].areaCode = area(body.cells[index].areaCode, bits.0)
                body.cells[index].identity = pseudonyms.code(body.cells[index].identity, of: "cell", bits: bits.1)
            }
            body.accessPoints = body.accessPoints.map { $0.map { replaced($0) } }
            return .cells(number, body)
        case .lookAlike(let body): return lookAlike(body).map { .lookAlike($0) }
        default: return nil
        }
    }

    private func lookAlike(_ message: GT06LookAlike) -> GT06LookAlike? {
        switch message {
        case .login(let imei, let version): return .login(imeiNibbles: pseudonyms.nibbles(imei), version: version)
        case .heartbeat(let gps): return .heartbeat(gps.map { moved($0) })
        case .position(var body):
            body.gps = moved(body.gps)
            return .position(body)
        case .timeRequest, .loginReply: return message
        case .time(let time): return .time(pseudonyms.moved(time))
        // What more a model says is not known.
        case .alarm(let number, _): return .alarm(number, GT06Bytes())
        case .echo(let number, let bytes) where bytes.count == 6:
            let time = moved(GT06Time(rawValue: bytes.reduce(0) { $0 << 8 | UInt64($1) })).rawValue
            return .echo(number, (0..<6).map { UInt8(truncatingIfNeeded: time >> UInt64(40 - $0 * 8)) })
        default: return nil
        }
    }

    private func moved(_ gps: GT06Position) -> GT06Position {
        var gps = gps
        let isNorth = gps.course & GT06Position.Flag.north != 0
        let isWest = gps.course & GT06Position.Flag.west != 0
        let (latitude, longitude) = pseudonyms.moved(
            latitudeE7: Self.degrees(gps.latitude) * (isNorth ? 1 : -1),
            longitudeE7: Self.degrees(gps.longitude) * (isWest ? -1 : 1))
        gps.course &= ~(GT06Position.Flag.north | GT06Position.Flag.west)
        if latitude > 0 || latitude == 0 && isNorth { gps.course |= GT06Position.Flag.north }
        if longitude < 0 { gps.course |= GT06Position.Flag.west }
        gps.latitude = Self.wire(latitude)
        gps.longitude = Self.wire(longitude)
        gps.time = moved(gps.time)
        return gps
    }

    private static func degrees(_ wire: UInt32) -> Int {
        (Int(wire) * units.denominator + units.numerator / 2) / units.numerator
    }

    private static func wire(_ degreesE7: Int) -> UInt32 {
        let scaled = abs(degreesE7) * units.numerator
        return UInt32(clamping: (scaled + units.denominator / 2) / units.denominator)
    }

    private func replaced(_ cell: GT06Cell) -> GT06Cell {
        var cell = cell
        cell.areaCode = area(cell.areaCode, cell.isWide ? 32 : 16)
        cell.identity = pseudonyms.code(cell.identity, of: "cell", bits: cell.isWide ? 64 : 24)
        return cell
    }

    private func area(_ code: UInt32, _ bits: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: pseudonyms.code(UInt64(code), of: "area", bits: bits))
    }

    private func replaced(_ point: GT06Cells.AccessPoint) -> GT06Cells.AccessPoint {
        GT06Cells.AccessPoint(
            address: pseudonyms.radioAddress(point.address), signal: point.signal,
            name: point.name.map { Array(pseudonyms.word(String(decoding: $0, as: UTF8.self)).utf8) })
    }

    /// A time that means none stays none.
    private func moved(_ time: GT06Time) -> GT06Time {
        guard let known = time.timestamp(utcOffsetMinutes: 0) else { return GT06Time(rawValue: 0) }
        return GT06Time(pseudonyms.moved(known))
    }
}
