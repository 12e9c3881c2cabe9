internal import TerminalModel
internal import TerminalProtocols

/// Watches of the index variant, whose answers repeat a number of the question.
///
/// An SOS is an AL, answered with AL when it is stored. Nothing answers a position, so that a report is a UD with a link-keep
/// behind it, in one write: the answer to the link-keep tells that the position was read.
final class WatchDialect: LoadDialect {
    private enum Field {
        static let id = 4
        static let index = 17
        static let keyword = 27
        static let date = 30
        static let time = 37
        static let latitude = 46
        static let longitude = 58
        static let status = 102
    }

    private static let report = Array(
        ("[3G*000000000000*0000*0057*UD,010126,000000,A,28.200000,N,112.950000,E,1.20,90.0,60.0,11,80,83,"
            + "1000,0,00000000,0,0]").utf8)
    private static let linkKeep = Array("[3G*000000000000*0000*0002*LK]".utf8)
    /// Millionths of a degree behind the point: a corner of the district in which the simulated terminals stand.
    private static let latitude: UInt64 = 200_000
    private static let longitude: UInt64 = 950_000

    let logsIn = false
    let namesTerminals = true
    private(set) var wire: [UInt8] = []
    private var plain = report
    private var timeSeconds: Int64 = .min
    private let reader = WatchReplayDialect()
    var ear: any ReplayDialect { reader }

    init() {
        wire.reserveCapacity(Self.report.count + Self.linkKeep.count)
    }

    func setTime(wallMilliseconds: Int64) {
        let seconds = wallMilliseconds / 1000
        guard seconds != timeSeconds else { return }
        timeSeconds = seconds
        let now = Timestamp(milliseconds: wallMilliseconds).calendar
        put(now.day, digits: 2, at: Field.date)
        put(now.month, digits: 2, at: Field.date + 2)
        put(now.year, digits: 2, at: Field.date + 4)
        put(now.hour, digits: 2, at: Field.time)
        put(now.minute, digits: 2, at: Field.time + 2)
        put(now.second, digits: 2, at: Field.time + 4)
    }

    // MARK: Frames

    func makeReport(terminal: UInt64, serial: UInt16, isSOS: Bool) {
        put(Int(terminal), digits: 12, at: Field.id)
        putHex(serial, at: Field.index)
        // "AL" or "UD", and bit 16 of the status.
        plain[Field.keyword] = isSOS ? 0x41 : 0x55
        plain[Field.keyword + 1] = isSOS ? 0x4C : 0x44
        plain[Field.status + 3] = isSOS ? 0x31 : 0x30
        // Terminals stand apart and move a little with every report.
        let place = terminal & 0xFFFF
        put(Int(Self.latitude + place % 251 * 400 + UInt64(serial % 64)), digits: 6, at: Field.latitude + 3)
        put(
            Int((Self.longitude + place / 251 * 400 + UInt64(serial % 32)) % 1_000_000), digits: 6,
            at: Field.longitude + 4)
        wire.removeAll(keepingCapacity: true)
        wire += plain
        guard !isSOS else { return }
        let start = wire.count
        wire += Self.linkKeep
        for offset in Field.id..<Field.index + 4 { wire[start + offset] = plain[offset] }
    }

    /// Watches do not log in: the first message of a connection is a link-keep.
    func makeLogin(terminal: UInt64, serial: UInt16) {
        make(.linkKeep(WatchLinkKeep()), terminal, index: serial)
    }

    func makeAuthentication(terminal: UInt64, serial: UInt16, code: String) {
        makeLogin(terminal: terminal, serial: serial)
    }

    func makeReply(terminal: UInt64, serial: UInt16) {
        guard let command = reader.command else { return }
        make(.plain(WatchValues(command.message.keyword)), terminal, index: command.header.index ?? serial)
    }

    private func make(_ message: WatchMessage, _ terminal: UInt64, index: UInt16) {
        let id = WatchID(TerminalID(nibbles: UInt128(LoadDialects.nibbles(terminal))), digitCount: 12)
        wire = WatchCodec.encode(message, header: WatchHeader(maker: "3G", id: id, index: index))
    }

    private func put(_ value: Int, digits: Int, at offset: Int) {
        var rest = value
        for index in (0..<digits).reversed() {
            plain[offset + index] = UInt8(0x30 + rest % 10)
            rest /= 10
        }
    }

    private func putHex(_ value: UInt16, at offset: Int) {
        for index in 0..<4 {
            let nibble = UInt8(truncatingIfNeeded: value >> UInt16(12 - 4 * index)) & 15
            plain[offset + index] = nibble < 10 ? 0x30 + nibble : 0x41 - 10 + nibble
        }
    }
}
