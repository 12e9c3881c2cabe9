import TerminalModel
import Testing

@testable import TerminalProtocols

struct DC09FramerTests {
    private static let sos = Array("1001181101000015\r".utf8)

    private func runs(_ bytes: [UInt8], isComplete: Bool = false) -> (
        frames: [Range<Int>], refused: Int, droppable: Int
    ) {
        var cursor = DC09Framer.Cursor()
        var frames: [Range<Int>] = []
        var refused = 0
        while true {
            switch DC09Framer().next(in: bytes.span, at: &cursor, isComplete: isComplete) {
            case .frame(let range): frames.append(range)
            case .rejected: refused += 1
            case .needMore(let droppable): return (frames, refused, droppable)
            }
        }
    }

    private func search(_ bytes: [UInt8]) -> FrameSearch { DC09Framer().search(bytes.span) }

    @Test func anLFAtTheEndIsKept() {
        let found = runs(Self.sos + [0x0A])
        #expect(found.frames == [0..<17])
        #expect(found.droppable == 17)
    }

    @Test(arguments: ["\r", "\n", "\r\n", "\u{14}", "\u{14}\n", "\r\r\n"]) func everyEndOfALine(end: String) {
        let line = Self.sos.dropLast() + Array(end.utf8)
        #expect(runs(line + line + line).frames.count == 3)
        #expect(runs(line + line + line).refused == 0)
    }

    @Test func aLineNeedsNoEndWhereNothingFollows() {
        #expect(runs(Array(Self.sos.dropLast()), isComplete: false).frames.isEmpty)
        #expect(runs(Array(Self.sos.dropLast()), isComplete: true).frames == [0..<16])
    }

    /// Nothing that begins like no frame is waited for, and nothing longer than a frame.
    @Test func endlessLinesAreRefusedOnce() {
        let noise = runs([UInt8](repeating: 0x78, count: 100_000))
        #expect(noise.refused == 1 && noise.droppable == 100_000)
        let long = runs(Array("00000000\"".utf8) + [UInt8](repeating: 0x41, count: DC09.maximumFrameBytes))
        #expect(long.refused == 1 && long.frames.isEmpty)
        let longest = runs(Array("00000000\"".utf8) + [UInt8](repeating: 0x41, count: DC09.maximumContentBytes - 1))
        #expect(longest.refused == 0 && longest.droppable == 0)
    }

    /// Only a right sum makes a frame good for detection.
    @Test func searchFindsGoodFramesAlone() {
        let bad = Array("1001181101000016\r".utf8)
        #expect(search(bad + Self.sos) == .found(17))
        #expect(search(bad) == .none(keepFrom: 17))
        #expect(search(Array("1001181101".utf8)) == .none(keepFrom: 0))
        #expect(search(Array("[3G*1000000003*0002*LK]".utf8)) == .none(keepFrom: 23))
        // Sixteen digits that are no Contact ID.
        #expect(search(Array("0000000000000000\r".utf8)) == .none(keepFrom: 17))
    }

    /// Time is linear: a long stream byte by byte.
    @Test func timeIsLinear() {
        var decoder = DC09OfflineDecoder()
        var count = 0
        let stream = (0..<500).flatMap { _ in Self.sos + Array("noise\r\n".utf8) }
        for byte in stream { count += decoder.feed(stream: [byte]).count }
        #expect(count == 1000)
    }
}
