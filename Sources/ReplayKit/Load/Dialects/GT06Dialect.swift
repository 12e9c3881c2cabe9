internal import TerminalModel
internal import TerminalProtocols
internal import WireBytes

/// GT06 with 2G cells.
///
/// An ordinary report is a 0x22, which the protocol does not answer, and a 0x13 of the same serial behind it, whose answer
/// shows that the gateway keeps up. An SOS is a 0x26.
///
///     78 78 | 22 | 22 | GPS 18 | cell 8 | ACC, mode, re-upload | serial 2 | CRC 2 | 0D 0A     39 bytes
///     78 78 | 08 | 13 | information, battery, GSM              | serial 2 | CRC 2 | 0D 0A     13 bytes
///     78 78 | 25 | 26 | GPS 18 | 09 | cell 8 | status 5        | serial 2 | CRC 2 | 0D 0A     42 bytes
final class GT06Dialect: LoadDialect {
    private enum Field {
        static let time = 4
        static let latitude = 11
        static let longitude = 15
    }

    private static let gps: [UInt8] = [26, 1, 1, 0, 0, 0, 0xCB, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0x14, 90]
    private static let cell: [UInt8] = [0x01, 0xCC, 0, 0x1A, 0x2B, 0, 0xC2, 0xD3]
    /// Units of 1/1,800,000 degree: a corner of the district in which the simulated terminals stand.
    private static let latitude: UInt64 = 50_760_000
    private static let longitude: UInt64 = 203_310_000

    let logsIn = true
    let namesTerminals = false
    private(set) var wire: [UInt8] = []
    private var report = GT06Codec.frame(0x22, gps + cell + [0, 0, 0], serial: 0)
    private var heartbeat = GT06Codec.frame(0x13, [0x40, 5, 4], serial: 0)
    private var alarm = GT06Codec.frame(0x26, gps + [9] + cell + [0x60, 5, 4, 1, 2], serial: 0)
    private var timeSeconds: Int64 = .min
    private let reader = GT06ReplayDialect()
    var ear: any ReplayDialect { reader }

    init() {
        wire.reserveCapacity(report.count + heartbeat.count)
    }

    func setTime(wallMilliseconds: Int64) {
        let seconds = wallMilliseconds / 1000
        guard seconds != timeSeconds else { return }
        timeSeconds = seconds
        let time = GT06Time(Timestamp(milliseconds: wallMilliseconds)).rawValue
        Self.put(time, bytes: 6, at: Field.time, in: &report)
        Self.put(time, bytes: 6, at: Field.time, in: &alarm)
    }

    // MARK: Frames

    func makeLogin(terminal: UInt64, serial: UInt16) {
        let login = GT06Login(imeiNibbles: LoadDialects.nibbles(terminal), typeCode: 0x2203, zone: 1)
        wire = GT06Codec.encode(.login(login), serial: serial)
    }

    /// A login is answered at once; there is no challenge.
    func makeAuthentication(terminal: UInt64, serial: UInt16, code: String) {
        makeLogin(terminal: terminal, serial: serial)
    }

    func makeReport(terminal: UInt64, serial: UInt16, isSOS: Bool) {
        wire.removeAll(keepingCapacity: true)
        if isSOS {
            place(terminal, serial, in: &alarm)
            append(&alarm, serial)
        } else {
            place(terminal, serial, in: &report)
            append(&report, serial)
            append(&heartbeat, serial)
        }
    }

    func makeReply(terminal: UInt64, serial: UInt16) {
        guard let command = reader.command else { return }
        let text = command.text == "WHERE#" ? "Lat:N28.235567,Lon:E112.985654" : "OK"
        wire = GT06Codec.encode(
            .reply(0x15, GT06Reply(serverFlag: command.serverFlag, text: text, language: 2)), serial: serial)
    }

    /// Terminals stand apart and move a little with every report.
    private func place(_ terminal: UInt64, _ serial: UInt16, in frame: inout [UInt8]) {
        let place = terminal & 0xFFFF
        Self.put(Self.latitude + place % 251 * 720 + UInt64(serial % 64), bytes: 4, at: Field.latitude, in: &frame)
        Self.put(Self.longitude + place / 251 * 720 + UInt64(serial % 32), bytes: 4, at: Field.longitude, in: &frame)
    }

    private func append(_ frame: inout [UInt8], _ serial: UInt16) {
        Self.put(UInt64(serial), bytes: 2, at: frame.count - 6, in: &frame)
        let crc = CRC16.x25(frame.span.extracting(2..<frame.count - 4))
        Self.put(UInt64(crc), bytes: 2, at: frame.count - 4, in: &frame)
        wire.append(contentsOf: frame)
    }

    private static func put(_ value: UInt64, bytes count: Int, at offset: Int, in frame: inout [UInt8]) {
        for index in 0..<count {
            frame[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64((count - 1 - index) * 8))
        }
    }
}
