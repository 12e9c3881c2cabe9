import TerminalModel
import TerminalProtocols
import Testing
import WireBytes

/// A decoder that tells which bytes of a stream it still waits with.
protocol StreamDecoder: OfflineDecoder {
    var pendingBytes: [UInt8] { get }
}

extension DC09OfflineDecoder: StreamDecoder {}
extension EV07BOfflineDecoder: StreamDecoder {}
extension GT06OfflineDecoder: StreamDecoder {}
extension JT808OfflineDecoder: StreamDecoder {}
extension WatchOfflineDecoder: StreamDecoder {}

/// What every protocol owes its corpus; the protocols' own tests say with which cases and in which order.
struct CorpusHarness<Decoder: StreamDecoder> {
    let make: () -> Decoder
    /// The frames that streams name.
    let frames: [CorpusCase]
    /// Bytes at the start of the rest of a stream that the decoder does not keep: a flag that begins and ends frames.
    var droppedBytes = 0

    // MARK: Frames

    /// Fields, events and bytes of one frame.
    func check(_ item: CorpusCase, _ decoder: inout Decoder) {
        let result = decoder.decode(frame: item.bytes)
        #expect(result.count == 1, "\(item.name)")
        #expect(result.first?.fields.map(canonical) == canonical(item.member("expected")), "\(item.name)")
        #expect(result.first.map { texts($0.events) } == expectedEvents(item), "\(item.name)")
        #expect(result.first?.bytes == item.bytes, "\(item.name)")
    }

    func checkEvents(_ item: CorpusCase) {
        var decoder = make()
        #expect(texts(decoder.decode(frame: item.bytes).flatMap(\.events)) == expectedEvents(item), "\(item.name)")
    }

    func checkRefusal(_ item: CorpusCase) {
        var decoder = make()
        let error = decoder.decode(frame: item.bytes).first?.error
        let expected = item.member("expected") as? [String: String]
        #expect(expected != nil, "\(item.name)")
        #expect(error?.code.rawValue == expected?["code"], "\(item.name)")
        #expect(error?.field == expected?["field"], "\(item.name)")
        #expect(decoder.explain(item.bytes).contains { $0.isWrong } || item.bytes.isEmpty, "\(item.name)")
    }

    /// The rows tell every byte once and in order, and what is wrong with a broken frame.
    func checkExplanation(_ item: CorpusCase) {
        var decoder = make()
        let rows = decoder.explain(item.bytes)
        #expect(rows.flatMap(\.bytes) == item.bytes)
        var offset = 0
        for row in rows {
            #expect(row.offset == offset, "\(row)")
            offset += row.bytes.count
        }
        if decoder.decode(frame: item.bytes).contains(where: { $0.error != nil }), !item.bytes.isEmpty {
            #expect(rows.contains { $0.isWrong })
        }
    }

    private func texts(_ events: [TerminalEvent]) -> [String] { events.map { canonical($0.json) } }

    private func expectedEvents(_ item: CorpusCase) -> [String]? {
        (item.member("events") as? [Any])?.map { canonical($0) }
    }

    // MARK: Streams

    /// What came out of a stream: the frames as they were, and how much was refused.
    private struct Outcome: Equatable {
        var frames: [[UInt8]] = []
        var refused = 0
        var pending: [UInt8] = []
    }

    /// One stream: whole, byte by byte and in random pieces.
    func checkStream(_ item: CorpusCase) {
        let object = item.member("expected") as? [String: Any]
        let byName = Dictionary(uniqueKeysWithValues: frames.map { ($0.name, $0.bytes) })
        let names = object?["frames"] as? [String] ?? []
        let pending = (object?["pendingHex"] as? String).flatMap { Hex.bytes($0) } ?? []
        let expected = Outcome(
            frames: names.compactMap { byName[$0] }, refused: object?["dropped"] as? Int ?? 0,
            pending: Array(pending.dropFirst(droppedBytes)))
        #expect(object != nil && expected.frames.count == names.count, "\(item.name)")
        check(item.bytes, gives: expected, pieces: 50)
    }

    /// These frames in one stream with noise between them.
    func checkTogether(_ cases: [CorpusCase], noise: [UInt8] = [0x00, 0xFF, 0x0D, 0x0A]) {
        var random = SplitMix(seed: 2013)
        var stream = noise
        for frame in cases {
            stream += frame.bytes
            if random.below(2) == 0 { stream += [0x0D, 0x0A] }
        }
        check(stream, gives: Outcome(frames: cases.map(\.bytes)), pieces: 20)
    }

    private func check(_ stream: [UInt8], gives expected: Outcome, pieces rounds: Int) {
        #expect(outcome([stream]) == expected)
        #expect(outcome(stream.map { [$0] }) == expected)
        var random = SplitMix(seed: 11)
        for _ in 0..<rounds { #expect(outcome(split(stream, &random)) == expected) }
    }

    private func outcome(_ pieces: [[UInt8]]) -> Outcome {
        var decoder = make()
        var outcome = Outcome()
        for piece in pieces {
            for frame in decoder.feed(stream: piece) {
                if frame.error == nil { outcome.frames.append(frame.bytes) } else { outcome.refused += 1 }
            }
        }
        outcome.pending = decoder.pendingBytes
        return outcome
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
