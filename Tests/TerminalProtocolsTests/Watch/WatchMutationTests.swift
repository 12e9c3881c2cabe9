import Foundation
import TerminalModel
import TerminalProtocols
import Testing

/// No input traps, hangs or passes in silence: every broken frame gives events or an error.
struct WatchMutationTests {
    /// With `YIDIANTONG_LONG_TESTS` set all 255 other values of each byte are tried, else these changes of it.
    private static let changes: [UInt8] =
        ProcessInfo.processInfo.environment["YIDIANTONG_LONG_TESTS"] != nil ? Array(1...255) : [0x01, 0x20, 0x80, 0xFF]

    private func check(_ bytes: [UInt8], _ name: String) {
        var decoder = WatchOfflineDecoder()
        let found = decoder.decode(frame: bytes)
        #expect(!found.isEmpty && found.allSatisfy { $0.error != nil || !$0.events.isEmpty }, "\(name): \(bytes)")
        #expect(found.flatMap(\.bytes).count <= bytes.count, "\(name): \(bytes)")
    }

    /// A frame behind the broken one is decoded whole (promise P5).
    private func checkNext(_ bytes: [UInt8], _ name: String) {
        let good = WatchCorpusTests.frames[4].bytes
        var decoder = WatchOfflineDecoder()
        let found = decoder.feed(stream: bytes + good)
        #expect(found.last?.bytes == good && found.last?.error == nil, "\(name): \(bytes)")
    }

    @Test func everyChangedByte() {
        for item in WatchCorpusTests.frames {
            for index in item.bytes.indices {
                for change in Self.changes {
                    var bytes = item.bytes
                    bytes[index] ^= change
                    check(bytes, item.name)
                    checkNext(bytes, item.name)
                }
                for value in [0x2A, 0x2C, 0x5B, 0x5D, 0x7D] as [UInt8] {
                    var bytes = item.bytes
                    bytes[index] = value
                    check(bytes, item.name)
                    checkNext(bytes, item.name)
                    _ = WatchOfflineDecoder().explain(bytes)
                }
            }
        }
    }

    @Test func everyCut() {
        for item in WatchCorpusTests.frames {
            for index in item.bytes.indices {
                check(Array(item.bytes[..<index]), item.name)
                checkNext(Array(item.bytes[..<index]), item.name)
                check(Array(item.bytes[index...]), item.name)
                checkNext(Array(item.bytes[index...]), item.name)
                var without = item.bytes
                without.remove(at: index)
                check(without, item.name)
                checkNext(without, item.name)
                _ = WatchOfflineDecoder().explain(Array(item.bytes[..<index]))
            }
        }
    }

    @Test func everyInsertion() {
        for item in WatchCorpusTests.frames {
            for index in 0...item.bytes.count {
                for value in [0x00, 0x2A, 0x2C, 0x5B, 0x5D, 0x7D, 0xFF] as [UInt8] {
                    var bytes = item.bytes
                    bytes.insert(value, at: index)
                    check(bytes, item.name)
                    checkNext(bytes, item.name)
                }
            }
        }
    }

    @Test func randomBytes() {
        var random = SplitMix(seed: 33)
        let letters = Array("[]*,}3G0123456789ABCDEFUDALTK.:- \r\n".utf8)
        for round in 0..<10_000 {
            let bytes =
                round % 2 == 0
                ? random.bytes(random.below(80))
                : (0..<random.below(120)).map { _ in letters[random.below(letters.count)] }
            check(bytes, "random")
            checkNext(bytes, "random")
        }
    }

    /// Random contents behind a right header, for every keyword.
    @Test func randomContents() {
        var random = SplitMix(seed: 34)
        let letters = Array(",,,,,0123456789.-:ABCDEFNSEWV[]}\u{1}\u{2}xyz ".utf8)
        let header = WatchHeader(maker: "3G", id: WatchID(TerminalID(nibbles: 0x1000000003)))
        for keyword in WatchRandomMessage.keywords {
            for round in 0..<60 {
                let count = random.below(150)
                let rest =
                    round % 3 == 0 ? random.bytes(count) : (0..<count).map { _ in letters[random.below(letters.count)] }
                let bytes = WatchCodec.encode(content: Array(keyword.utf8) + [0x2C] + rest, header: header)
                check(bytes, keyword)
                if round < 6 { #expect(WatchOfflineDecoder().explain(bytes).flatMap(\.bytes) == bytes) }
            }
        }
    }

    /// An SOS frame that loses its end at any byte behind the status is still an SOS, and one that is cut before it an alarm.
    @Test func noCutLosesAnAlarm() throws {
        let bytes = WatchCorpusTests.frames[4].bytes
        let text = String(decoding: bytes, as: UTF8.self)
        let status = text.utf8.distance(
            from: text.utf8.startIndex, to: try #require(text.range(of: "00010000")).upperBound)
        let keyword = text.utf8.distance(
            from: text.utf8.startIndex, to: try #require(text.range(of: "*AL,")).upperBound)
        for count in keyword..<bytes.count {
            for tail in [[], WatchCorpusTests.frames[0].bytes] {
                var decoder = WatchOfflineDecoder()
                let alarms = decoder.decode(frame: bytes.prefix(count) + tail).flatMap(\.events)
                    .filter { !$0.alarms.isEmpty }.map(\.alarms)
                #expect(alarms == [count >= status ? AlarmSet(.sos) : AlarmSet(.other)], "\(count)")
            }
        }
    }
}
