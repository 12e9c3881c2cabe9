import TerminalModel
import TerminalProtocols

/// 1,000 different position reports of each protocol as one stream, decoded to events as a session does it.
///
/// Each report states time, place, speed, course, satellites, battery and signal, as far as its protocol has them.
enum Protocols {
    struct Sample {
        let name: ProtocolName
        let stream: [UInt8]
        /// Decodes the stream; returns a sum that keeps the work from being left out, and how many events came of it.
        let decode: @Sendable (Span<UInt8>) -> (sum: Int, events: Int)
    }

    static let count = 1000

    static let samples: [Sample] = [
        Sample(name: .ev07b, stream: stream(ev07b), decode: ev07bEvents),
        Sample(name: .gt06, stream: stream(gt06), decode: gt06Events),
        Sample(name: .watch, stream: stream(watch), decode: watchEvents),
    ]

    private static func stream(_ report: (inout Random, UInt16) -> [UInt8]) -> [UInt8] {
        var random = Random(state: Frames.seed)
        return (0..<count).flatMap { report(&random, UInt16($0)) }
    }

    private static func time(_ random: inout Random) -> Timestamp {
        Timestamp(seconds: 1_770_000_000 + Int64(random.below(30_000_000)))
    }

    private static func add(_ event: TerminalEvent?, to result: inout (sum: Int, events: Int)) {
        guard let event else { return }
        result.sum &+= (event.batteryPercent ?? 0) &+ (event.position?.satellites ?? 0)
        result.events += 1
    }

    // MARK: EV07B: identity, status, fix

    private static func ev07b(_ random: inout Random, _ serial: UInt16) -> [UInt8] {
        let imei = "99991000" + String(1_000_000 + random.below(9_000_000))
        let seconds = UInt32(time(&random).milliseconds / 1000)
        let message = EV07BMessage(
            .data,
            [
                EV07BBlock(key: EV07BKey.identity, EV07BIdentity(imei: imei)),
                EV07BBlock(key: EV07BKey.status, EV07BStatus(time: seconds, bits: 0x53A2_0201)),
                EV07BBlock(
                    key: EV07BKey.gps,
                    EV07BGPS(
                        latitude: 282_000_000 + Int32(random.below(1_000_000)),
                        longitude: 1_129_000_000 + Int32(random.below(1_000_000)), hdop: 12, satellites: 11)),
            ])
        return EV07BCodec.encode(message, header: EV07BHeader(properties: EV07B.commandProperties, sequence: serial))
    }

    private static func ev07bEvents(_ bytes: Span<UInt8>) -> (sum: Int, events: Int) {
        let framer = EV07BFramer()
        var cursor = EV07BFramer.Cursor()
        var result = (sum: 0, events: 0)
        while true {
            switch framer.next(in: bytes, at: &cursor) {
            case .needMore: return result
            case .rejected: continue
            case .frame(let range):
                let frame = framer.frame(at: range, in: bytes)
                guard let terminal = frame.terminal else { continue }
                add(frame.locationEvent(terminal: terminal), to: &result)
            }
        }
    }

    // MARK: GT06: 22

    private static func gt06(_ random: inout Random, _ serial: UInt16) -> [UInt8] {
        let gps = GT06Position(
            time: GT06Time(time(&random)), latitudeDegrees: 28.2 + Double(random.below(100_000)) / 1_000_000,
            longitudeDegrees: 112.9 + Double(random.below(100_000)) / 1_000_000,
            speedKilometresPerHour: UInt8(random.below(120)), courseDegrees: UInt16(random.below(360)),
            satellites: UInt8(random.below(15)))
        let cell = GT06Cell(countryCode: 460, networkCode: 0, areaCode: 0x1A2B, identity: UInt64(random.below(65_536)))
        return GT06Codec.encode(.location(0x22, GT06Location(gps: gps, cell: cell, trailer: .init())), serial: serial)
    }

    private static func gt06Events(_ bytes: Span<UInt8>) -> (sum: Int, events: Int) {
        let framer = GT06Framer()
        var cursor = GT06Framer.Cursor(mode: .regular)
        var link = GT06Link()
        var result = (sum: 0, events: 0)
        while true {
            switch framer.next(in: bytes, at: &cursor) {
            case .needMore: return result
            case .rejected: continue
            case .frame(let run): add(link.locationEvent(framer.frame(run, in: bytes)), to: &result)
            }
        }
    }

    // MARK: Watch: UD

    private static func watch(_ random: inout Random, _ serial: UInt16) -> [UInt8] {
        func digits(_ value: Int, _ count: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: count - text.count) + text
        }
        let content =
            "UD,1403\(digits(26, 2)),\(digits(random.below(24), 2))\(digits(random.below(60), 2))30,A,"
            + "28.\(digits(random.below(1_000_000), 6)),N,112.\(digits(random.below(1_000_000), 6)),E,"
            + "\(random.below(9)).\(random.below(9)),\(random.below(360)).0,60.0,\(random.below(15)),80,83,1000,0,"
            + "00000000,1,1,460,0,9340,\(random.below(65_536)),130,0"
        let id = WatchID(TerminalID(nibbles: 0x88_0000_0015), digitCount: 10)
        return WatchCodec.encode(content: Array(content.utf8), header: WatchHeader(maker: "3G", id: id, index: serial))
    }

    private static func watchEvents(_ bytes: Span<UInt8>) -> (sum: Int, events: Int) {
        let framer = WatchFramer()
        var cursor = WatchFramer.Cursor()
        var result = (sum: 0, events: 0)
        while true {
            switch framer.next(in: bytes, at: &cursor, isComplete: false) {
            case .needMore: return result
            case .rejected: continue
            case .frame(let range):
                guard let frame = try? WatchFrame(checking: bytes.extracting(range)),
                    let packet = try? WatchCodec.decode(frame)
                else { continue }
                add(packet.event(), to: &result)
            }
        }
    }
}
