import TerminalModel
import TerminalProtocols

/// 1,000 different location reports as one stream: seeded, so every run decodes the same bytes.
enum Frames {
    static let count = 1000
    static let seed: UInt64 = 0x808_2026

    /// One frame in ten holds a 7E or 7D and is escaped; one in five has the 2019 header; one in seven lists Wi-Fi.
    static func stream() -> [UInt8] {
        var random = Random(state: seed)
        var stream: [UInt8] = []
        for index in 0..<count {
            let wantsEscape = index % 10 == 3
            var frame: [UInt8] = []
            repeat {
                frame = report(index, &random, flow: wantsEscape ? 0x7D7E : UInt16(truncatingIfNeeded: random.next()))
            } while frame.contains(JT808.escape) != wantsEscape
            stream += frame
        }
        return stream
    }

    private static func report(_ index: Int, _ random: inout Random, flow: UInt16) -> [UInt8] {
        let phone = JT808Phone(
            nibbles: UInt128(0x0177_0000_0000 + bcd(random.below(10_000))), isLong: index % 5 == 0)
        let basic = JT808BasicLocation(
            alarmFlags: random.below(50) == 0 ? 1 : 0, status: 0x000C_0003,
            latitude: 28_200_000 + UInt32(random.below(100_000)),
            longitude: 112_900_000 + UInt32(random.below(100_000)), altitude: Int16(random.below(200)) - 20,
            speed: UInt16(random.below(800)), direction: UInt16(random.below(360)),
            time: JT808Time(
                Timestamp(seconds: 1_770_000_000 + Int64(random.below(30_000_000))), utcOffsetMinutes: 480))
        var items: [(id: UInt8, value: [UInt8])] = [
            (0x01, [0, 0, UInt8(random.below(256)), UInt8(random.below(256))]), (0x30, [UInt8(random.below(32))]),
            (0x31, [UInt8(random.below(20))]), (0x56, [UInt8(random.below(11)), UInt8(random.below(101))]),
        ]
        if index % 7 == 0 { items.append((0x54, [2] + (0..<14).map { _ in UInt8(random.below(256)) })) }
        var flowID = flow
        return JT808Codec.encode(
            .location(JT808Location(basic: basic, items: items)), phone: phone, flowID: &flowID)[0]
    }

    private static func bcd(_ value: Int) -> Int {
        value / 1000 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 | value % 10
    }
}

/// SplitMix64: the same numbers on every machine.
struct Random {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
