import Foundation
import TerminalModel
import Testing
import WireBytes

@testable import TerminalProtocols

/// No input traps, hangs or passes in silence, and the frame behind a broken one is found (promise P5).
struct GT06MutationTests {
    /// With `YIDIANTONG_LONG_TESTS` set all 255 other values of each byte are tried, else these changes of it.
    private static let changes: [UInt8] =
        ProcessInfo.processInfo.environment["YIDIANTONG_LONG_TESTS"] != nil ? Array(1...255) : [0x01, 0x80, 0xFF]
    private static let frames = GT06CorpusTests.frames.map(\.bytes) + GT06CorpusTests.edges.map(\.bytes)
    private static let good = GT06Codec.frame(0x13, [0x46, 5, 3, 0, 1], serial: 0x0102)

    private func check(_ bytes: [UInt8]) {
        var decoder = GT06OfflineDecoder()
        let found = decoder.decode(frame: bytes)
        #expect(!found.isEmpty && found.allSatisfy { $0.error != nil || !$0.events.isEmpty }, "\(bytes)")
        // In a stream, and whatever stands in front: a good frame is found as soon as it is complete.
        var stream = GT06OfflineDecoder()
        let behind = stream.feed(stream: bytes) + stream.feed(stream: Self.good)
        #expect(behind.last?.bytes == Self.good && behind.last?.error == nil, "\(bytes)")
    }

    /// The frame with length and CRC made right again, so that the change reaches the content.
    private func repaired(_ bytes: [UInt8]) -> [UInt8] {
        let isLong = bytes.starts(with: [0x79, 0x79])
        let head = isLong ? 5 : 4
        guard bytes.count >= head + 6 else { return bytes }
        return GT06Codec.frame(
            bytes[head - 1], Array(bytes[head..<bytes.count - 6]), serial: 1, form: isLong ? .long : .short)
    }

    @Test func everyChangedByte() {
        for item in Self.frames {
            for index in item.indices {
                for change in Self.changes {
                    var bytes = item
                    bytes[index] ^= change
                    check(bytes)
                    check(repaired(bytes))
                }
                for value in [0x78, 0x79, 0x0D, 0x0A] as [UInt8] {
                    var bytes = item
                    bytes[index] = value
                    check(bytes)
                }
            }
        }
    }

    @Test func everyCut() {
        let decoder = GT06OfflineDecoder()
        for item in Self.frames {
            for index in item.indices {
                check(Array(item[..<index]))
                check(Array(item[index...]))
                check(repaired(Array(item[..<index]) + [0, 0, 0, 0, 0, 0]))
                var without = item
                without.remove(at: index)
                check(without)
                _ = decoder.explain(Array(item[..<index]))
                _ = decoder.explain(without)
            }
        }
    }

    @Test func everyInsertion() {
        for item in Self.frames {
            for index in 0...item.count {
                for value in [0x00, 0x78, 0x79, 0x0D, 0xFF] as [UInt8] {
                    var bytes = item
                    bytes.insert(value, at: index)
                    check(bytes)
                }
            }
        }
    }

    @Test func randomBytes() {
        var random = SplitMix(seed: 606)
        for _ in 0..<10_000 {
            var bytes = random.bytes(random.below(80))
            if random.below(2) == 0 { bytes = [0x78, 0x78] + bytes }
            check(bytes)
        }
    }

    /// Random content behind a right envelope, for every protocol number, regular and look-alike.
    @Test func randomContent() {
        var random = SplitMix(seed: 607)
        for number in 0...UInt8.max {
            for round in 0..<40 {
                let content =
                    random.below(2) == 0
                    ? random.bytes(random.below(120)) : [UInt8](repeating: 0, count: random.below(120))
                let bytes = GT06Codec.frame(
                    number, content, serial: random.word(), form: round % 2 == 0 ? .short : .long)
                check(bytes)
                if round < 3 { #expect(!GT06OfflineDecoder().explain(bytes).isEmpty) }
            }
        }
    }

    @Test func randomLookAlikeContent() {
        var random = SplitMix(seed: 608)
        let login = GT06Codec.encode(.lookAlike(.login(imeiNibbles: 0x0999_9100_0000_0011, version: 1)), serial: 0)
        for number in 0...UInt8.max {
            for _ in 0..<20 {
                var decoder = GT06OfflineDecoder()
                #expect(decoder.decode(frame: login).first?.error == nil)
                let content = random.bytes(random.below(60))
                let length = random.below(2) == 0 ? UInt8(content.count) : random.byte()
                let bytes = [0x78, 0x78, length, number] + content + [0x0D, 0x0A]
                let found = decoder.decode(frame: bytes)
                #expect(!found.isEmpty && found.allSatisfy { $0.error != nil || !$0.events.isEmpty }, "\(bytes)")
                _ = decoder.explain(bytes)
            }
        }
    }

    @Test func aStreamOfNoiseLeavesTheNextFrameWhole() {
        var random = SplitMix(seed: 609)
        for _ in 0..<300 {
            var decoder = GT06OfflineDecoder()
            var found = decoder.feed(stream: random.bytes(random.below(900)))
            found += decoder.feed(stream: Self.good)
            #expect(found.last?.bytes == Self.good)
            #expect(found.last?.error == nil)
        }
    }
}
