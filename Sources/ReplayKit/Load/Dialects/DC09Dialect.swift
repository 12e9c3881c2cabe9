internal import TerminalModel
internal import TerminalProtocols
internal import WireBytes

/// Alarm panels with a place: a periodic test as the report, a personal emergency as the SOS. They never log in.
///
///     LF | CRC 4 | length 4 | "ADM-CID" 9 | sequence 4 | L0# | account 12 | [# | account 12 | bar | event 11 | ]
///     [X | longitude 13 | ][Y | latitude 12 | ]_ | time 19 | CR     116 bytes
final class DC09Dialect: LoadDialect {
    private enum Field {
        static let checksum = 1
        static let content = 9
        static let sequence = 18
        static let account = 25
        static let dataAccount = 39
        static let event = 52
        static let longitudeMinutes = 70
        static let latitudeMinutes = 85
        static let time = 96
        static let end = 116
    }

    private static let report = Array("1602 00 000".utf8)
    private static let sos = Array("1101 00 001".utf8)
    /// Millionths of a minute of 112° east and 28° north: a corner of the district in which the simulated panels stand.
    private static let longitude: UInt64 = 50_000_000
    private static let latitude: UInt64 = 10_000_000

    let logsIn = false
    let namesTerminals = true
    let serials: ClosedRange<UInt16> = 1...DC09.maximumSequence
    let ear: any ReplayDialect = DC09ReplayDialect()
    private(set) var wire: [UInt8]

    init() {
        let account = String(repeating: "0", count: 12)
        let header = DC09Header(.contactID, sequence: 1, account: account)
        let packet = DC09Packet(
            header, dataAccount: "#" + account, message: .contactID(DC09ContactID(.new, event: 0x602)),
            extended: DC09Coordinate.extended(latitudeDegrees: 28, longitudeDegrees: 112),
            time: DC09Time(Timestamp(milliseconds: 0)))
        wire = DC09Codec.encode(packet)
        precondition(wire.count == Field.end)
    }

    func setTime(wallMilliseconds: Int64) {
        put(Array(DC09Time(Timestamp(milliseconds: wallMilliseconds)).text.utf8), at: Field.time)
    }

    // MARK: Frames

    func makeReport(terminal: UInt64, serial: UInt16, isSOS: Bool) {
        put(UInt64(serial) % (UInt64(DC09.maximumSequence) + 1), digits: 4, at: Field.sequence)
        put(terminal, digits: 12, at: Field.account)
        put(terminal, digits: 12, at: Field.dataAccount)
        put(isSOS ? Self.sos : Self.report, at: Field.event)
        // Panels stand apart and move a little with every report.
        let place = terminal & 0xFFFF
        put(minutes: Self.longitude + place / 251 * 24_000 + UInt64(serial % 32) * 60, at: Field.longitudeMinutes)
        put(minutes: Self.latitude + place % 251 * 24_000 + UInt64(serial % 64) * 60, at: Field.latitudeMinutes)
        var sum = CRC16.arc(wire.span.extracting(Field.content..<Field.end - 1))
        for index in (0..<4).reversed() {
            let digit = UInt8(sum & 15)
            wire[Field.checksum + index] = digit < 10 ? 0x30 + digit : 0x37 + digit
            sum >>= 4
        }
    }

    func makeLogin(terminal: UInt64, serial: UInt16) {
        makeReport(terminal: terminal, serial: serial, isSOS: false)
    }

    func makeAuthentication(terminal: UInt64, serial: UInt16, code: String) {
        makeLogin(terminal: terminal, serial: serial)
    }

    /// Panels are asked for nothing.
    func makeReply(terminal: UInt64, serial: UInt16) {}

    private func put(_ bytes: [UInt8], at offset: Int) {
        for index in bytes.indices { wire[offset + index] = bytes[index] }
    }

    private func put(_ value: UInt64, digits count: Int, at offset: Int) {
        var rest = value
        for index in (0..<count).reversed() {
            wire[offset + index] = 0x30 + UInt8(rest % 10)
            rest /= 10
        }
    }

    /// `MM.mmmmmm`
    private func put(minutes millionths: UInt64, at offset: Int) {
        put(millionths / 1_000_000, digits: 2, at: offset)
        put(millionths % 1_000_000, digits: 6, at: offset + 3)
    }
}
