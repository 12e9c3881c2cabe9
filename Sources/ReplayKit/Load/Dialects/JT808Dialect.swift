internal import TerminalModel
internal import TerminalProtocols

/// JT/T 808 of the 2013 edition.
///
/// A report is a 0x0200 with three items, 53 bytes unescaped:
///
///     id 2 | attributes 2 | phone 6 | flow 2 | alarm 4 | status 4 | latitude 4 | longitude 4 | altitude 2 | speed 2 |
///     direction 2 | time 6 | 01 04 mileage 4 | 30 01 signal 1 | 31 01 satellites 1
final class JT808Dialect: LoadDialect {
    private enum Field {
        static let phone = 4
        static let flowID = 10
        static let alarm = 12
        static let latitude = 20
        static let longitude = 24
        static let time = 34
        static let end = 52
    }

    private static let body: [UInt8] = [
        0, 0, 0, 0, 0, 0, 0, 3, 0x01, 0xAE, 0xD5, 0xAF, 0x06, 0xBC, 0x06, 0x16, 0, 60, 0, 12, 0, 90,
        0x26, 0x01, 0x01, 0, 0, 0, 0x01, 4, 0, 0, 0x12, 0x34, 0x30, 1, 24, 0x31, 1, 11,
    ]
    /// Millionths of a degree: a corner of the district in which the simulated terminals stand.
    private static let latitude: UInt64 = 28_200_000
    private static let longitude: UInt64 = 112_950_000

    let logsIn = true
    let namesTerminals = true
    private(set) var wire: [UInt8] = []
    private var plain: [UInt8] = [0x02, 0x00, 0, UInt8(body.count)] + [UInt8](repeating: 0, count: 8) + body
    private var timeSeconds: Int64 = .min
    private let reader = JT808ReplayDialect()
    var ear: any ReplayDialect { reader }

    init() {
        wire.reserveCapacity(Field.end * 2 + 4)
    }

    func setTime(wallMilliseconds: Int64) {
        let seconds = wallMilliseconds / 1000
        guard seconds != timeSeconds else { return }
        timeSeconds = seconds
        put(
            JT808Time(
                Timestamp(milliseconds: wallMilliseconds), utcOffsetMinutes: JT808.standardUTCOffsetMinutes
            ).rawValue, bytes: 6, at: Field.time)
    }

    // MARK: Frames

    func makeReport(terminal: UInt64, serial: UInt16, isSOS: Bool) {
        put(LoadDialects.nibbles(terminal), bytes: 6, at: Field.phone)
        put(UInt64(serial), bytes: 2, at: Field.flowID)
        put(isSOS ? 1 : 0, bytes: 4, at: Field.alarm)
        // Terminals stand apart and move a little with every report.
        let place = terminal & 0xFFFF
        put(Self.latitude + place % 251 * 400 + UInt64(serial % 64), bytes: 4, at: Field.latitude)
        put(Self.longitude + place / 251 * 400 + UInt64(serial % 32), bytes: 4, at: Field.longitude)
        wire.removeAll(keepingCapacity: true)
        wire.append(JT808.flag)
        var check: UInt8 = 0
        for index in 0..<Field.end {
            check ^= plain[index]
            append(plain[index])
        }
        append(check)
        wire.append(JT808.flag)
    }

    func makeLogin(terminal: UInt64, serial: UInt16) {
        let phone = phone(terminal)
        let registration = JT808Registration(
            province: 43, city: 100, maker: "YDT", model: "load", terminalID: String(phone.text.suffix(7)),
            edition: .v2013)
        make(.registration(registration), phone, serial)
    }

    func makeAuthentication(terminal: UInt64, serial: UInt16, code: String) {
        make(.authentication(JT808Authentication(authCode: code)), phone(terminal), serial)
    }

    func makeReply(terminal: UInt64, serial: UInt16) {
        guard let command = reader.command else { return }
        let header = command.header
        guard case .queryLocation = command.message else {
            let answer = JT808Response(flowID: header.flowID, messageID: header.messageID, result: .ok)
            return make(.terminalResponse(answer), phone(terminal), serial)
        }
        let location = JT808Location(
            basic: JT808BasicLocation(
                status: 3, latitude: 28_235_567, longitude: 112_985_654, time: JT808Time(rawValue: 0)))
        make(.locationReply(JT808LocationReply(flowID: header.flowID, location: location)), phone(terminal), serial)
    }

    private func make(_ message: JT808Message, _ phone: JT808Phone, _ serial: UInt16) {
        var flowID = serial
        wire = JT808Codec.encode(message, phone: phone, flowID: &flowID).flatMap { $0 }
    }

    private func phone(_ terminal: UInt64) -> JT808Phone {
        JT808Phone(nibbles: UInt128(LoadDialects.nibbles(terminal)), isLong: false)
    }

    private func append(_ byte: UInt8) {
        switch byte {
        case JT808.flag:
            wire.append(JT808.escape)
            wire.append(2)
        case JT808.escape:
            wire.append(JT808.escape)
            wire.append(1)
        default: wire.append(byte)
        }
    }

    private func put(_ value: UInt64, bytes count: Int, at offset: Int) {
        for index in 0..<count {
            plain[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64((count - 1 - index) * 8))
        }
    }
}
