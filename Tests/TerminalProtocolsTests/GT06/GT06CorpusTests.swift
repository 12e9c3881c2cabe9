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

    private let harness = CorpusHarness(make: { GT06OfflineDecoder() }, frames: Self.frames)

    @Test func corpusIsThere() {
        #expect(Self.frames.count == 28)
        #expect(Self.streams.count == 14)
    }

    /// In order and with one decoder, because a login names the terminal of the frames behind it; the look-alike family
    /// shows in its login alone.
    @Test(arguments: [frames, lookAlikes]) func everyFrameDecodesToItsFieldsAndEvents(cases: [CorpusCase]) {
        var decoder = GT06OfflineDecoder()
        for item in cases { harness.check(item, &decoder) }
    }

    @Test(arguments: edges) func everyEdgeCaseGivesItsEvents(item: CorpusCase) {
        harness.checkEvents(item)
        var decoder = GT06OfflineDecoder()
        #expect(decoder.decode(frame: item.bytes).allSatisfy { $0.error == nil })
    }

    @Test(arguments: refusals) func everyBrokenFrameIsRefusedWithItsReason(item: CorpusCase) {
        harness.checkRefusal(item)
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

    @Test(arguments: streams) func everyStreamSplitsHoweverItArrives(item: CorpusCase) { harness.checkStream(item) }

    @Test(arguments: [frames, lookAlikes]) func allFramesInOneStreamWithNoiseBetweenThem(cases: [CorpusCase]) {
        harness.checkTogether(cases.filter { $0.direction == "up" })
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
