import Foundation
import TerminalModel
import Testing
import WireBytes

@testable import TerminalProtocols

struct GT06CorpusTests {
    static let frames = CorpusCase.load("GT06/frames.jsonl")
    static let streams = CorpusCase.load("GT06/streams.jsonl")
    static let refusals = CorpusCase.load("GT06/refusals.jsonl")
    static let edges = CorpusCase.load("GT06/edges.jsonl")
    static let lookAlikes = CorpusCase.load("GT06/look-alike.jsonl")

    @Test func corpusIsThere() {
        #expect(Self.frames.count == 28)
        #expect(Self.streams.count == 14)
    }

    /// In order and with one decoder, because a login names the terminal of the frames behind it; the look-alike family
    /// shows in its login alone.
    @Test(arguments: [frames, lookAlikes]) func everyFrameDecodesToItsFieldsAndEvents(cases: [CorpusCase]) {
        var decoder = GT06OfflineDecoder()
        for item in cases {
            let result = decoder.decode(frame: item.bytes)
            #expect(result.count == 1, "\(item.name)")
            #expect(result.first?.fields.map(canonical) == canonical(item.member("expected")), "\(item.name)")
            let events = result.first?.events.map { canonical($0.json) }
            #expect(events == (item.member("events") as? [Any])?.map { canonical($0) }, "\(item.name)")
            #expect(result.first?.bytes == item.bytes, "\(item.name)")
        }
    }

    @Test(arguments: edges) func everyEdgeCaseGivesItsEvents(item: CorpusCase) {
        var decoder = GT06OfflineDecoder()
        let result = decoder.decode(frame: item.bytes)
        #expect(result.allSatisfy { $0.error == nil })
        let events = result.flatMap(\.events).map { canonical($0.json) }
        #expect(events == (item.member("events") as? [Any])?.map { canonical($0) })
    }

    @Test(arguments: refusals) func everyBrokenFrameIsRefusedWithItsReason(item: CorpusCase) {
        var decoder = GT06OfflineDecoder()
        let result = decoder.decode(frame: item.bytes)
        let expected = item.member("expected") as? [String: String]
        #expect(result.count == 1)
        #expect(result.first?.error?.code.rawValue == expected?["code"])
        #expect(result.first?.error?.field == expected?["field"])
    }

    /// Every byte of a good frame is explained once and in order, and nothing in it is called wrong.
    @Test func everyFrameIsExplained() {
        var decoder = GT06OfflineDecoder()
        for item in Self.frames + Self.lookAlikes {
            _ = decoder.decode(frame: item.bytes)
            let rows = decoder.explain(item.bytes)
            #expect(rows.flatMap(\.bytes) == item.bytes, "\(item.name)")
            #expect(rows.allSatisfy { !$0.isWrong }, "\(item.name)")
            #expect(rows.map(\.offset) == rows.map(\.offset).sorted(), "\(item.name)")
        }
        for item in Self.refusals {
            #expect(GT06OfflineDecoder().explain(item.bytes).contains { $0.isWrong }, "\(item.name)")
        }
    }

    // MARK: Streams

    /// What came out of a stream: the frames as they were, and how many gaps were refused.
    private struct Outcome: Equatable {
        var frames: [[UInt8]] = []
        var refused = 0
        var pending: [UInt8] = []
    }

    private func outcome(_ pieces: [[UInt8]]) -> Outcome {
        var decoder = GT06OfflineDecoder()
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

    @Test(arguments: [frames, lookAlikes]) func allFramesInOneStreamWithNoiseBetweenThem(cases: [CorpusCase]) {
        var random = SplitMix(seed: 2013)
        var stream: [UInt8] = [0x00, 0xFF, 0x0D, 0x0A]
        let uplink = cases.filter { $0.direction == "up" }
        for frame in uplink {
            stream += frame.bytes
            if random.below(2) == 0 { stream += [0x0D, 0x0A] }
        }
        let expected = Outcome(frames: uplink.map(\.bytes))
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

    @Test func locationEventsFromFrameAndMessageAgree() throws {
        var direct = GT06Link()
        var indirect = GT06Link()
        var count = 0
        let received = Timestamp(year: 2026, month: 3, day: 14, hour: 1, minute: 16, second: 0)
        for item in Self.frames + Self.edges {
            guard let frame = try? GT06Frame(checking: item.bytes.span) else { continue }
            guard let event = direct.locationEvent(frame, received: received) else { continue }
            count += 1
            #expect(indirect.events(try GT06Codec.decode(frame), received: received) == [event], "\(item.name)")
        }
        #expect(count >= 8)
    }
}
