import Foundation
import TerminalModel
import TerminalProtocols
import Testing
import WireBytes

/// No input traps, hangs or passes in silence: every broken frame gives events or an error.
struct EV07BMutationTests {
    /// With `YIDIANTONG_LONG_TESTS` set all 255 other values of each byte are tried, else these changes of it.
    private static let changes: [UInt8] =
        ProcessInfo.processInfo.environment["YIDIANTONG_LONG_TESTS"] != nil ? Array(1...255) : [0x01, 0x80, 0xFF]

    private static let good = EV07BCorpusTests.frames[0].bytes

    private func check(_ bytes: [UInt8], _ name: String) {
        var decoder = EV07BOfflineDecoder()
        let found = decoder.decode(frame: bytes)
        #expect(!found.isEmpty && found.allSatisfy { $0.error != nil || !$0.events.isEmpty }, "\(name): \(bytes)")
    }

    /// The frame with its length and checksum made right again, so that the change reaches the body.
    private func repaired(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count > EV07B.headerByteCount else { return bytes }
        let header = EV07BHeader(properties: bytes[1], sequence: bytes.span.uint16LE(at: 6))
        return EV07BCodec.frame(body: Array(bytes[8...]), header: header)
    }

    /// A damaged frame and a good one behind it: the good one is found (promise P5).
    private func checkNext(_ bytes: [UInt8], _ name: String) {
        var decoder = EV07BOfflineDecoder()
        // The damage may announce a body that reaches into the good frame and behind it.
        let found = decoder.feed(stream: bytes + Self.good)
        #expect(found.last?.bytes == Self.good && found.last?.error == nil, "\(name): \(bytes)")
    }

    @Test func everyChangedByte() {
        for item in EV07BCorpusTests.frames {
            for index in item.bytes.indices {
                for change in Self.changes + [item.bytes[index] ^ EV07B.marker] where change != 0 {
                    var bytes = item.bytes
                    bytes[index] ^= change
                    check(bytes, item.name)
                    checkNext(bytes, item.name)
                    check(repaired(bytes), item.name)
                    #expect(!EV07BOfflineDecoder().explain(repaired(bytes)).isEmpty)
                }
            }
        }
    }

    @Test func everyCut() {
        let decoder = EV07BOfflineDecoder()
        for item in EV07BCorpusTests.frames {
            for index in item.bytes.indices {
                let head = Array(item.bytes[..<index])
                if index > 0 { check(head, item.name) }
                checkNext(head, item.name)
                check(Array(item.bytes[index...]), item.name)
                check(repaired(head), item.name)
                var without = item.bytes
                without.remove(at: index)
                check(without, item.name)
                checkNext(without, item.name)
                check(repaired(without), item.name)
                _ = decoder.explain(head)
                _ = decoder.explain(repaired(head))
            }
        }
    }

    @Test func everyInsertion() {
        for item in EV07BCorpusTests.frames {
            for index in 0...item.bytes.count {
                for value in [0x00, 0x0A, EV07B.marker, 0xFF] as [UInt8] {
                    var bytes = item.bytes
                    bytes.insert(value, at: index)
                    check(bytes, item.name)
                    checkNext(bytes, item.name)
                    check(repaired(bytes), item.name)
                }
            }
        }
    }

    @Test func randomBytes() {
        var random = SplitMix(seed: 70)
        for _ in 0..<10_000 {
            var bytes = random.bytes(1 + random.below(80))
            if random.below(2) == 0 { bytes = [EV07B.marker] + bytes }
            check(bytes, "random")
        }
    }

    /// Random bodies behind a right header and checksum, for every command.
    @Test func randomBodies() {
        var random = SplitMix(seed: 71)
        for command in [0x01, 0x02, 0x03, 0x04, 0x06, 0x09, 0x7E, 0x7F, 0xFE, 0x55] as [UInt8] {
            for round in 0..<200 {
                var body = [command]
                while body.count < 1 + random.below(90) {
                    let value = random.bytes(random.below(30))
                    let length = random.below(8) == 0 ? random.byte() : UInt8(value.count + 1)
                    body += [length, random.below(2) == 0 ? random.byte() : UInt8(random.below(0x42))] + value
                }
                let header = EV07BHeader(properties: round % 2 == 0 ? 0x10 : 0, sequence: random.word())
                let bytes = EV07BCodec.frame(body: body, header: header)
                check(bytes, "\(command)")
                #expect(!EV07BOfflineDecoder().explain(bytes).isEmpty)
            }
        }
    }

    @Test func aStreamOfNoiseLeavesTheNextFramesWhole() {
        var random = SplitMix(seed: 72)
        for _ in 0..<300 {
            var decoder = EV07BOfflineDecoder()
            var found = decoder.feed(stream: random.bytes(random.below(300)))
            found += decoder.feed(stream: Self.good)
            #expect(found.last?.bytes == Self.good)
            #expect(found.last?.error == nil)
        }
    }
}
