import TerminalModel
import TerminalProtocols
import Testing
import WireBytes

struct WatchCorpusTests {
    static let frames = CorpusCase.load("Watch/frames.jsonl")
    static let streams = CorpusCase.load("Watch/streams.jsonl")
    static let refusals = CorpusCase.load("Watch/refusals.jsonl")
    static let edges = CorpusCase.load("Watch/edges.jsonl")

    private let harness = CorpusHarness(make: { WatchOfflineDecoder() }, frames: Self.frames)

    @Test func corpusIsThere() {
        #expect(Self.frames.count == 26)
        #expect(Self.streams.count == 13)
    }

    @Test(arguments: frames) func everyFrameDecodesToItsFieldsAndEvents(item: CorpusCase) {
        var decoder = WatchOfflineDecoder()
        harness.check(item, &decoder)
        if let text = item.member("text") as? String { #expect(item.bytes == Array(text.utf8)) }
    }

    @Test(arguments: edges) func everyEdgeCaseGivesItsEvents(item: CorpusCase) { harness.checkEvents(item) }

    @Test(arguments: refusals) func everyBrokenFrameIsRefusedWithItsReason(item: CorpusCase) {
        harness.checkRefusal(item)
    }

    @Test(arguments: frames + edges + refusals) func everyByteIsExplained(item: CorpusCase) {
        harness.checkExplanation(item)
    }

    // MARK: Streams

    @Test(arguments: streams) func everyStreamSplitsHoweverItArrives(item: CorpusCase) { harness.checkStream(item) }

    @Test func allFramesInOneStreamWithNoiseBetweenThem() {
        harness.checkTogether(Self.frames, noise: Array("\r\n \0".utf8))
    }
}
