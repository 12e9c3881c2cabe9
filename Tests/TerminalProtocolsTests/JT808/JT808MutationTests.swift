import Foundation
import TerminalModel
import TerminalProtocols
import Testing

/// No input traps, hangs or passes in silence: every broken frame gives events or an error.
struct JT808MutationTests {
    /// With `YIDIANTONG_LONG_TESTS` set all 255 other values of each byte are tried, else these changes of it.
    private static let changes: [UInt8] =
        ProcessInfo.processInfo.environment["YIDIANTONG_LONG_TESTS"] != nil ? Array(1...255) : [0x01, 0x80, 0xFF]

    private func check(_ bytes: [UInt8], _ name: String) {
        var decoder = JT808OfflineDecoder()
        let found = decoder.decode(frame: bytes)
        #expect(!found.isEmpty && found.allSatisfy { $0.error != nil || !$0.events.isEmpty }, "\(name): \(bytes)")
    }

    /// The frame with its check code made right again, so that the change reaches the body.
    private func repaired(_ bytes: [UInt8]) -> [UInt8] {
        var plain: [UInt8] = []
        var index = 1
        while index < bytes.count - 1 {
            if bytes[index] == 0x7D, index + 2 < bytes.count {
                index += 1
                plain.append(0x7C &+ bytes[index])
            } else {
                plain.append(bytes[index])
            }
            index += 1
        }
        guard let last = plain.indices.last else { return bytes }
        plain[last] = plain[..<last].reduce(0, ^)
        let escaped = plain.flatMap { byte -> [UInt8] in
            byte == 0x7E ? [0x7D, 0x02] : byte == 0x7D ? [0x7D, 0x01] : [byte]
        }
        return [0x7E] + escaped + [0x7E]
    }

    @Test func everyChangedByte() {
        for item in JT808CorpusTests.frames {
            for index in item.bytes.indices {
                for change in Self.changes {
                    var bytes = item.bytes
                    bytes[index] ^= change
                    check(bytes, item.name)
                    check(repaired(bytes), item.name)
                }
                for value in [0x7D, 0x7E] as [UInt8] {
                    var bytes = item.bytes
                    bytes[index] = value
                    check(bytes, item.name)
                }
            }
        }
    }

    @Test func everyCut() {
        let decoder = JT808OfflineDecoder()
        for item in JT808CorpusTests.frames {
            for index in item.bytes.indices {
                check(Array(item.bytes[..<index]), item.name)
                check(Array(item.bytes[index...]), item.name)
                check(repaired(Array(item.bytes[..<index]) + [0, 0x7E]), item.name)
                var without = item.bytes
                without.remove(at: index)
                check(without, item.name)
                _ = decoder.explain(Array(item.bytes[..<index]))
            }
        }
    }

    @Test func everyInsertion() {
        for item in JT808CorpusTests.frames {
            for index in 0...item.bytes.count {
                for value in [0x00, 0x7D, 0x7E, 0xFF] as [UInt8] {
                    var bytes = item.bytes
                    bytes.insert(value, at: index)
                    check(bytes, item.name)
                }
            }
        }
    }

    @Test func randomBytes() {
        var random = SplitMix(seed: 808)
        for _ in 0..<10_000 {
            var bytes = random.bytes(random.below(80))
            if random.below(2) == 0 { bytes = repaired([0x7E] + bytes + [0x7E]) }
            check(bytes, "random")
        }
    }

    /// Random bodies behind a right header and check code, for every message id.
    @Test func randomBodies() {
        var random = SplitMix(seed: 809)
        for id in JT808RandomMessage.ids {
            for round in 0..<40 {
                let isLong = round % 2 == 0
                let header = JT808Header(
                    messageID: id, attributes: 0, protocolVersion: 1, phone: JT808Phone(nibbles: 1, isLong: isLong),
                    flowID: random.word())
                let body = random.below(2) == 0 ? random.bytes(random.below(90)) : (0..<random.below(90)).map { _ in 0 }
                let bytes = JT808Codec.frame(header, body[...])
                check(bytes, "\(id)")
                if round < 3 { #expect(!JT808OfflineDecoder().explain(bytes).isEmpty) }
            }
        }
    }

    @Test func aStreamOfNoiseLeavesTheNextFramesWhole() {
        var random = SplitMix(seed: 810)
        let good = JT808CorpusTests.frames[5].bytes
        for _ in 0..<300 {
            var decoder = JT808OfflineDecoder()
            let noise = random.bytes(random.below(300)) + [0x7E]
            var found = decoder.feed(stream: noise)
            found += decoder.feed(stream: good)
            #expect(found.last?.bytes == good)
            #expect(found.last?.error == nil)
        }
    }
}
