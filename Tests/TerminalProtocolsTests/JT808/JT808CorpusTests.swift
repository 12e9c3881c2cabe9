import TerminalModel
import TerminalProtocols
import Testing
import WireBytes

struct JT808CorpusTests {
    static let frames = CorpusCase.load("JT808/frames.jsonl")
    static let streams = CorpusCase.load("JT808/streams.jsonl")
    static let refusals = CorpusCase.load("JT808/refusals.jsonl")
    static let edges = CorpusCase.load("JT808/edges.jsonl")

    private let harness = CorpusHarness(make: { JT808OfflineDecoder() }, frames: Self.frames, droppedBytes: 1)

    @Test func corpusIsThere() {
        #expect(Self.frames.count == 30)
        #expect(Self.streams.count == 7)
    }

    /// In order and with one decoder, because the second package completes the message of the first.
    @Test func everyFrameDecodesToItsFieldsAndEvents() {
        var decoder = JT808OfflineDecoder()
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

    @Test func locationEventsFromFrameAndMessageAgree() throws {
        for item in Self.frames + Self.edges {
            var framer = JT808Framer()
            var cursor = JT808Framer.Cursor()
            guard case .frame(let run) = framer.next(in: item.bytes.span, at: &cursor) else { continue }
            let frame = try JT808Frame(checking: framer.contents(of: run, in: item.bytes.span))
            guard let direct = frame.locationEvent() else { continue }
            #expect(try JT808Codec.decode(frame).events() == [direct], "\(item.name)")
        }
    }
}
