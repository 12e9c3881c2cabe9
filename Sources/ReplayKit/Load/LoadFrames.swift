internal import TerminalModel
internal import TerminalProtocols

/// Builds the frames that simulated terminals send; reports without touching the heap.
///
/// A report is a 0x0200 of the 2013 edition with three items, 53 bytes unescaped:
///
///     id 2 | attributes 2 | phone 6 | flow 2 | alarm 4 | status 4 | latitude 4 | longitude 4 | altitude 2 | speed 2 |
///     direction 2 | time 6 | 01 04 mileage 4 | 30 01 signal 1 | 31 01 satellites 1
struct LoadFrames {
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
    private static let latitude: UInt32 = 28_200_000
    private static let longitude: UInt32 = 112_950_000

    private var plain: [UInt8] = [0x02, 0x00, 0, UInt8(body.count)] + [UInt8](repeating: 0, count: 8) + body
    /// The latest report, ready for the wire.
    private(set) var wire: [UInt8] = []
    private var timeSeconds: Int64 = .min

    init() {
        wire.reserveCapacity(Field.end * 2 + 4)
    }

    static func phone(_ options: LoadOptions, _ terminal: Int) -> JT808Phone {
        var decimal = options.firstTerminal + UInt64(terminal)
        var nibbles: UInt128 = 0
        for digit in 0..<12 {
            nibbles |= UInt128(decimal % 10) << UInt128(digit * 4)
            decimal /= 10
        }
        return JT808Phone(nibbles: nibbles, isLong: false)
    }

    /// Puts the terminals' clock to this time; they show China standard time.
    mutating func setTime(wallMilliseconds: Int64) {
        let seconds = wallMilliseconds / 1000
        guard seconds != timeSeconds else { return }
        timeSeconds = seconds
        put(
            JT808Time(
                Timestamp(milliseconds: wallMilliseconds), utcOffsetMinutes: JT808.standardUTCOffsetMinutes
            ).rawValue, bytes: 6, at: Field.time)
    }

    /// Makes the next report in `wire`.
    mutating func makeReport(phone: JT808Phone, flowID: UInt16, isSOS: Bool) {
        put(UInt64(truncatingIfNeeded: phone.nibbles), bytes: 6, at: Field.phone)
        put(UInt64(flowID), bytes: 2, at: Field.flowID)
        put(isSOS ? 1 : 0, bytes: 4, at: Field.alarm)
        // Terminals stand apart and move a little with every report.
        let place = UInt32(truncatingIfNeeded: phone.nibbles & 0xFFFF)
        put(UInt64(Self.latitude + place % 251 * 400 + UInt32(flowID % 64)), bytes: 4, at: Field.latitude)
        put(UInt64(Self.longitude + place / 251 * 400 + UInt32(flowID % 32)), bytes: 4, at: Field.longitude)
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

    private mutating func append(_ byte: UInt8) {
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

    private mutating func put(_ value: UInt64, bytes count: Int, at offset: Int) {
        for index in 0..<count {
            plain[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64((count - 1 - index) * 8))
        }
    }
}
