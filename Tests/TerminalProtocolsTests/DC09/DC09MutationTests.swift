import Foundation
import TerminalModel
import TerminalProtocols
import Testing

/// No input traps, hangs or passes in silence: every broken frame gives events or an error.
struct DC09MutationTests {
    /// With `YIDIANTONG_LONG_TESTS` set all 255 other values of each byte are tried, else these changes of it.
    private static let changes: [UInt8] =
        ProcessInfo.processInfo.environment["YIDIANTONG_LONG_TESTS"] != nil ? Array(1...255) : [0x01, 0x20, 0x80, 0xFF]
    private static let marks: [UInt8] = [0x0A, 0x0D, 0x14, 0x22, 0x5B, 0x5D, 0x5E, 0x7C]
    private static let good = DC09CorpusTests.frames.first { $0.name == "sos-contact-id" }?.bytes ?? []

    private func check(_ bytes: [UInt8], _ name: String) {
        var decoder = DC09OfflineDecoder()
        let found = decoder.decode(frame: bytes)
        #expect(!found.isEmpty && found.allSatisfy { $0.error != nil || !$0.events.isEmpty }, "\(name): \(bytes)")
        #expect(found.flatMap(\.bytes).count <= bytes.count, "\(name): \(bytes)")
        #expect(DC09OfflineDecoder().explain(bytes).flatMap(\.bytes) == bytes, "\(name): \(bytes)")
    }

    /// A frame behind the broken one is decoded whole (promise P5).
    private func checkNext(_ bytes: [UInt8], _ name: String) {
        var decoder = DC09OfflineDecoder()
        let found = decoder.feed(stream: bytes + Self.good)
        #expect(found.last?.bytes == Self.good && found.last?.error == nil, "\(name): \(bytes)")
    }

    @Test func everyChangedByte() {
        for item in DC09CorpusTests.frames {
            for index in item.bytes.indices {
                for change in Self.changes.map({ item.bytes[index] ^ $0 }) + Self.marks {
                    var bytes = item.bytes
                    bytes[index] = change
                    check(bytes, item.name)
                    checkNext(bytes, item.name)
                }
            }
        }
    }

    @Test func everyCut() {
        for item in DC09CorpusTests.frames {
            for index in item.bytes.indices {
                check(Array(item.bytes[..<index]), item.name)
                checkNext(Array(item.bytes[..<index]), item.name)
                check(Array(item.bytes[index...]), item.name)
                var without = item.bytes
                without.remove(at: index)
                check(without, item.name)
                checkNext(without, item.name)
            }
        }
    }

    @Test func everyInsertion() {
        for item in DC09CorpusTests.frames {
            for index in 0...item.bytes.count {
                for value in Self.marks + [0x00, 0xFF] {
                    var bytes = item.bytes
                    bytes.insert(value, at: index)
                    check(bytes, item.name)
                    checkNext(bytes, item.name)
                }
            }
        }
    }

    /// A frame with any other byte inside is refused, or is the same frame: a wrong digit of an alarm is never believed.
    @Test func noChangedByteIsBelieved() throws {
        var decoder = DC09OfflineDecoder()
        let expected = try #require(decoder.decode(frame: Self.good).first?.events)
        for index in Self.good.indices {
            for change in 1...255 as ClosedRange<UInt8> {
                var bytes = Self.good
                bytes[index] ^= change
                var decoder = DC09OfflineDecoder()
                for frame in decoder.decode(frame: bytes) where frame.error == nil {
                    #expect(frame.events == expected, "byte \(index) changed by \(change)")
                }
            }
        }
    }

    /// Random contents under a right sum, and random bytes.
    @Test func randomBytes() {
        var random = SplitMix(seed: 93)
        let letters = Array("[]|#\"_/^*LR0123456789ABCDEFNOSIACDM-:, \r\n".utf8)
        for round in 0..<10_000 {
            let text = (0..<random.below(120)).map { _ in letters[random.below(letters.count)] }
            let heads = ["", "\"ADM-CID\"0001L0#1234[", "\"SIA-DCS\"0001L0#1234[", "\"*SIA-DCS\"0001L0#1234[", "\""]
            let bytes =
                round % 3 == 0
                ? random.bytes(random.below(80))
                : round % 3 == 1 ? text : DC09Codec.framed(Array(heads[random.below(heads.count)].utf8) + text)
            check(bytes, "random")
            checkNext(bytes, "random")
        }
    }
}
