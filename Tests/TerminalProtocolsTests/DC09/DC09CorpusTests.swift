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

    private let harness = CorpusHarness(make: { DC09OfflineDecoder() }, frames: Self.frames)

    @Test func corpusIsThere() {
        #expect(Self.frames.count == 21)
        #expect(Self.streams.count == 6)
    }

    @Test(arguments: frames) func everyFrameDecodesToItsFieldsAndEvents(item: CorpusCase) {
        var decoder = DC09OfflineDecoder()
        harness.check(item, &decoder)
        // What has been understood is written as it was.
        guard let frame = try? DC09Frame(checking: item.bytes.span), let packet = try? DC09Codec.decode(frame) else {
            Issue.record("\(item.name) has no packet")
            return
        }
        #expect(DC09Codec.encode(packet) == item.bytes)
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
        harness.checkTogether(Self.frames, noise: Array("\r\n\r".utf8))
    }
}
