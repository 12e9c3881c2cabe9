internal import TerminalModel
internal import TerminalProtocols
internal import WireBytes

/// EV07B pendants, which report with a status and a fix and never log in.
///
///     AB | properties 1 | length 2 | CRC 2 | sequence 2 | 01 | 10 01 IMEI 15 | 09 24 time 4, status 4 |
///     16 20 fix 21 | [09 02 flags 4, time 4]
final class EV07BDialect: LoadDialect {
    private enum Field {
        static let length = 2
        static let checksum = 4
        static let sequence = 6
        static let imei = 11
        static let time = 28
        static let latitude = 38
        static let longitude = 42
        /// Where the alarm begins, and a frame without one ends.
        static let alarm = 59
        static let alarmTime = 65
        static let end = 69
    }

    /// Ten-millionths of a degree: a corner of the district in which the simulated terminals stand.
    private static let latitude: UInt64 = 282_000_000
    private static let longitude: UInt64 = 1_129_500_000

    let logsIn = false
    let namesTerminals = false
    private(set) var wire: [UInt8] = []
    private var frame: [UInt8]
    private let reader = EV07BReplayDialect()
    var ear: any ReplayDialect { reader }

    init() {
        let message = EV07BMessage(
            .data,
            [
                EV07BBlock(key: EV07BKey.identity, EV07BIdentity(imei: String(repeating: "0", count: 15))),
                EV07BBlock(key: EV07BKey.status, EV07BStatus(time: 0, bits: 0x53A2_0201)),
                EV07BBlock(key: EV07BKey.gps, EV07BGPS(latitude: 0, longitude: 0, hdop: 12, satellites: 11)),
                EV07BBlock(key: EV07BKey.alarm, EV07BAlarm(flags: 1 << 12, time: 0)),
            ])
        frame = EV07BCodec.encode(message, header: EV07BHeader(properties: EV07B.commandProperties, sequence: 0))
        precondition(frame.count == Field.end)
        wire.reserveCapacity(Field.end)
    }

    func setTime(wallMilliseconds: Int64) {
        let seconds = UInt64(clamping: wallMilliseconds / 1000)
        put(seconds, bytes: 4, at: Field.time)
        put(seconds, bytes: 4, at: Field.alarmTime)
    }

    // MARK: Frames

    func makeReport(terminal: UInt64, serial: UInt16, isSOS: Bool) {
        var rest = terminal
        for index in (0..<15).reversed() {
            frame[Field.imei + index] = 0x30 + UInt8(rest % 10)
            rest /= 10
        }
        // Terminals stand apart and move a little with every report.
        let place = terminal & 0xFFFF
        put(Self.latitude + place % 251 * 4000 + UInt64(serial % 64) * 10, bytes: 4, at: Field.latitude)
        put(Self.longitude + place / 251 * 4000 + UInt64(serial % 32) * 10, bytes: 4, at: Field.longitude)
        let end = isSOS ? Field.end : Field.alarm
        put(UInt64(end - EV07B.headerByteCount), bytes: 2, at: Field.length)
        put(UInt64(serial), bytes: 2, at: Field.sequence)
        let checksum = CRC16.xmodem(frame.span.extracting(EV07B.headerByteCount..<end))
        put(UInt64(checksum), bytes: 2, at: Field.checksum)
        wire.removeAll(keepingCapacity: true)
        for index in 0..<end { wire.append(frame[index]) }
    }

    func makeLogin(terminal: UInt64, serial: UInt16) {
        makeReport(terminal: terminal, serial: serial, isSOS: false)
    }

    func makeAuthentication(terminal: UInt64, serial: UInt16, code: String) {
        makeLogin(terminal: terminal, serial: serial)
    }

    func makeReply(terminal: UInt64, serial: UInt16) {
        guard let command = reader.command else { return }
        wire = EV07BCodec.encode(.response(.ok), header: EV07BHeader(properties: 0, sequence: command.sequence))
    }

    private func put(_ value: UInt64, bytes count: Int, at offset: Int) {
        for index in 0..<count { frame[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(index * 8)) }
    }
}
