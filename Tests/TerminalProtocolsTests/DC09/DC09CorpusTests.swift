import Foundation
import TerminalModel
import TerminalProtocols
import Testing
import WireBytes

struct DC09CorpusTests {
    static let frames = CorpusCase.load("DC09/frames.jsonl")
    static let streams = CorpusCase.load("DC09/streams.jsonl")
    static let refusals = CorpusCase.load("DC09/refusals.jsonl")
    static let edges = CorpusCase.load("DC09/edges.jsonl")

    @Test func corpusIsThere() {
        #expect(Self.frames.count == 21)
        #expect(Self.streams.count == 6)
    }

    @Test(arguments: frames) func everyFrameDecodesToItsFieldsAndEvents(item: CorpusCase) {
        var decoder = DC09OfflineDecoder()
        let result = decoder.decode(frame: item.bytes)
        #expect(result.count == 1)
        #expect(result.first?.fields.map(canonical) == canonical(item.member("expected")))
        let events = result.first?.events.map { canonical($0.json) }
        #expect(events == (item.member("events") as? [Any])?.map { canonical($0) })
        #expect(result.first?.bytes == item.bytes)
        // What has been understood is written as it was.
        guard let frame = try? DC09Frame(checking: item.bytes.span), let packet = try? DC09Codec.decode(frame) else {
            Issue.record("\(item.name) has no packet")
            return
        }
        #expect(DC09Codec.encode(packet) == item.bytes)
    }

    @Test(arguments: edges) func everyEdgeCaseGivesItsEvents(item: CorpusCase) {
        var decoder = DC09OfflineDecoder()
        let result = decoder.decode(frame: item.bytes)
        let events = result.flatMap(\.events).map { canonical($0.json) }
        #expect(events == (item.member("events") as? [Any])?.map { canonical($0) })
    }

    @Test(arguments: refusals) func everyBrokenFrameIsRefusedWithItsReason(item: CorpusCase) {
        var decoder = DC09OfflineDecoder()
        let error = decoder.decode(frame: item.bytes).first?.error
        let expected = item.member("expected") as? [String: String]
        #expect(error?.code.rawValue == expected?["code"])
        #expect(error?.field == expected?["field"])
    }

    @Test(arguments: frames + edges + refusals) func everyByteIsExplained(item: CorpusCase) {
        let rows = DC09OfflineDecoder().explain(item.bytes)
        #expect(rows.flatMap(\.bytes) == item.bytes)
        var offset = 0
        for row in rows {
            #expect(row.offset == offset, "\(row)")
            offset += row.bytes.count
        }
        var decoder = DC09OfflineDecoder()
        if decoder.decode(frame: item.bytes).contains(where: { $0.error != nil }), !item.bytes.isEmpty {
            #expect(rows.contains { $0.isWrong })
        }
    }

    // MARK: Streams

    /// What came out of a stream: the frames as they were, and how many runs were refused.
    private struct Outcome: Equatable {
        var frames: [[UInt8]] = []
        var refused = 0
        var pending: [UInt8] = []
    }

    private func outcome(_ pieces: [[UInt8]]) -> Outcome {
        var decoder = DC09OfflineDecoder()
        var outcome = Outcome()
        for piece in pieces {
            for frame in decoder.feed(stream: piece) {
                if frame.error == nil { outcome.frames.append(frame.bytes) } else { outcome.refused += 1 }
            }
        }
        outcome.pending = decoder.pendingBytes
        return outcome
    }

    private func expected(_ item: CorpusCase) -> Outcome {
        let object = item.member("expected") as? [String: Any]
        let byName = Dictionary(uniqueKeysWithValues: Self.frames.map { ($0.name, $0.bytes) })
        let names = object?["frames"] as? [String] ?? []
        return Outcome(
            frames: names.compactMap { byName[$0] }, refused: object?["dropped"] as? Int ?? 0,
            pending: (object?["pendingHex"] as? String).flatMap { Hex.bytes($0) } ?? [])
    }

    @Test(arguments: streams) func everyStreamSplitsHoweverItArrives(item: CorpusCase) {
        let expected = expected(item)
        #expect(outcome([item.bytes]) == expected)
        #expect(outcome(item.bytes.map { [$0] }) == expected)
        var random = SplitMix(seed: 11)
        for _ in 0..<50 { #expect(outcome(split(item.bytes, &random)) == expected) }
    }

    @Test func allFramesInOneStreamWithNoiseBetweenThem() {
        var random = SplitMix(seed: 2013)
        var stream = Array("\r\n\r".utf8)
        for frame in Self.frames {
            stream += frame.bytes
            if random.below(2) == 0 { stream += [0x0D, 0x0A] }
        }
        let expected = Outcome(frames: Self.frames.map(\.bytes))
        for _ in 0..<20 { #expect(outcome(split(stream, &random)) == expected) }
        #expect(outcome(stream.map { [$0] }) == expected)
    }

    private func split(_ bytes: [UInt8], _ random: inout SplitMix) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = min(rest.count, 1 + random.below(24))
            pieces.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return pieces
    }
}
