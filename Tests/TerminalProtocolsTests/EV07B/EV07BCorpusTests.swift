import Foundation
import TerminalModel
import TerminalProtocols
import Testing
import WireBytes

struct EV07BCorpusTests {
    static let frames = CorpusCase.load("EV07B/frames.jsonl")
    static let streams = CorpusCase.load("EV07B/streams.jsonl")
    static let refusals = CorpusCase.load("EV07B/refusals.jsonl")
    static let edges = CorpusCase.load("EV07B/edges.jsonl")

    @Test func corpusIsThere() {
        #expect(Self.frames.count == 21)
        #expect(Self.streams.count == 8)
    }

    /// In order and with one decoder, because frames without an IMEI are of the terminal that spoke before.
    @Test func everyFrameDecodesToItsFieldsAndEvents() {
        var decoder = EV07BOfflineDecoder()
        for item in Self.frames {
            let result = decoder.decode(frame: item.bytes)
            #expect(result.count == 1, "\(item.name)")
            #expect(result.first?.fields.map(canonical) == canonical(item.member("expected")), "\(item.name)")
            let events = result.first?.events.map { canonical($0.json) }
            #expect(events == (item.member("events") as? [Any])?.map { canonical($0) }, "\(item.name)")
            #expect(result.first?.bytes == item.bytes, "\(item.name)")
        }
    }

    @Test(arguments: edges) func everyEdgeCaseGivesItsEvents(item: CorpusCase) {
        var decoder = EV07BOfflineDecoder()
        let result = decoder.decode(frame: item.bytes)
        let events = result.flatMap(\.events).map { canonical($0.json) }
        #expect(events == (item.member("events") as? [Any])?.map { canonical($0) })
    }

    @Test(arguments: refusals) func everyBrokenFrameIsRefusedWithItsReason(item: CorpusCase) {
        var decoder = EV07BOfflineDecoder()
        let error = decoder.decode(frame: item.bytes).first?.error
        let expected = item.member("expected") as? [String: String]
        #expect(error?.code.rawValue == expected?["code"])
        #expect(error?.field == expected?["field"])
        #expect(decoder.explain(item.bytes).contains { $0.isWrong })
    }

    // MARK: Streams

    /// What came out of a stream: the frames as they were, and how many runs were refused.
    private struct Outcome: Equatable {
        var frames: [[UInt8]] = []
        var refused = 0
        var pending: [UInt8] = []
    }

    private func outcome(_ pieces: [[UInt8]]) -> Outcome {
        var decoder = EV07BOfflineDecoder()
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
        let pending = (object?["pendingHex"] as? String).flatMap { Hex.bytes($0) } ?? []
        return Outcome(
            frames: names.compactMap { byName[$0] }, refused: object?["dropped"] as? Int ?? 0, pending: pending)
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
        var stream: [UInt8] = [0x00, 0xFF, 0x0D, 0x0A]
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

    // MARK: Events straight from the frame

    @Test func theEventOfASingleRecordIsThatOfTheFrame() throws {
        var direct = 0
        for item in Self.frames + Self.edges {
            let frame = try EV07BFrame(checking: item.bytes.span)
            let terminal = frame.terminal ?? TerminalID(nibbles: 0)
            guard let event = frame.locationEvent(terminal: terminal) else { continue }
            direct += 1
            #expect(frame.events(terminal: terminal) == [event], "\(item.name)")
        }
        #expect(direct > 20)
    }

    @Test(arguments: frames + edges) func everyFrameIsExplainedToItsLastByte(item: CorpusCase) {
        let rows = EV07BOfflineDecoder().explain(item.bytes)
        var explained: [UInt8] = []
        for row in rows.sorted(by: { $0.offset < $1.offset }) where row.offset == explained.count {
            explained += row.bytes
        }
        #expect(explained == item.bytes)
        if Self.frames.contains(where: { $0.name == item.name }) { #expect(!rows.contains { $0.isWrong }) }
    }
}
