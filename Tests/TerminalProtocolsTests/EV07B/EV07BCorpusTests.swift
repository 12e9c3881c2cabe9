import TerminalModel
import TerminalProtocols
import Testing
import WireBytes

struct EV07BCorpusTests {
    static let frames = CorpusCase.load("EV07B/frames.jsonl")
    static let streams = CorpusCase.load("EV07B/streams.jsonl")
    static let refusals = CorpusCase.load("EV07B/refusals.jsonl")
    static let edges = CorpusCase.load("EV07B/edges.jsonl")

    private let harness = CorpusHarness(make: { EV07BOfflineDecoder() }, frames: Self.frames)

    @Test func corpusIsThere() {
        #expect(Self.frames.count == 21)
        #expect(Self.streams.count == 8)
    }

    /// In order and with one decoder, because frames without an IMEI are of the terminal that spoke before.
    @Test func everyFrameDecodesToItsFieldsAndEvents() {
        var decoder = EV07BOfflineDecoder()
        for item in Self.frames { harness.check(item, &decoder) }
    }

    @Test(arguments: edges) func everyEdgeCaseGivesItsEvents(item: CorpusCase) { harness.checkEvents(item) }

    @Test(arguments: refusals) func everyBrokenFrameIsRefusedWithItsReason(item: CorpusCase) {
        harness.checkRefusal(item)
    }

    // MARK: Streams

    @Test(arguments: streams) func everyStreamSplitsHoweverItArrives(item: CorpusCase) { harness.checkStream(item) }

    @Test func allFramesInOneStreamWithNoiseBetweenThem() { harness.checkTogether(Self.frames) }

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
