import TerminalProtocols
import Testing

struct JT808FramerTests {
    private enum Seen: Equatable {
        case needMore(Int)
        case frame(Range<Int>, escaped: Bool)
        case rejected(Range<Int>, DecodeError.Code)
    }

    private func steps(_ bytes: [UInt8], _ cursor: inout JT808Framer.Cursor) -> [Seen] {
        var framer = JT808Framer()
        var seen: [Seen] = []
        while true {
            switch framer.next(in: bytes.span, at: &cursor) {
            case .needMore(let droppable):
                seen.append(.needMore(droppable))
                return seen
            case .frame(let run): seen.append(.frame(run.range, escaped: run.wasEscaped))
            case .rejected(let error, let range): seen.append(.rejected(range, error.code))
            }
        }
    }

    private let heartbeat: [UInt8] = [0, 2, 0, 0, 1, 0x77, 0, 0, 1, 1, 0, 3, 0x77]

    @Test func nothingIsKeptBetweenFrames() {
        var cursor = JT808Framer.Cursor()
        let bytes = [0x7E] + heartbeat + [0x7E]
        #expect(steps(bytes, &cursor) == [.frame(1..<14, escaped: false), .needMore(15)])
        #expect(cursor.isBetweenFrames)
        cursor.dropped(15)
        // The closing flag has been dropped and still opens the next frame.
        #expect(steps(heartbeat + [0x7E], &cursor) == [.frame(0..<13, escaped: false), .needMore(14)])
    }

    @Test func straysUpToThreeBytesAreSilentAndLongerOnesCounted() {
        for length in 1...12 {
            var cursor = JT808Framer.Cursor()
            let bytes = [0x7E] + [UInt8](repeating: 0x30, count: length) + [0x7E]
            let expected: [Seen] =
                (length <= 3 ? [] : [.rejected(1..<1 + length, .badLength)]) + [.needMore(length + 2)]
            #expect(steps(bytes, &cursor) == expected)
        }
    }

    @Test func noiseBeforeTheFirstFlagIsNotKept() {
        var cursor = JT808Framer.Cursor()
        let noise = [UInt8](repeating: 0x55, count: 9000)
        #expect(steps(noise, &cursor) == [.needMore(9000)])
        cursor.dropped(9000)
        #expect(steps([0x7E] + heartbeat + [0x7E], &cursor) == [.frame(1..<14, escaped: false), .needMore(15)])
    }

    @Test func aRunThatNeverEndsIsGivenUpOnceAndTheNextFlagStartsAfresh() {
        var cursor = JT808Framer.Cursor()
        let long = [0x7E] + [UInt8](repeating: 0x30, count: JT808.maximumRunBytes + 1)
        #expect(steps(long, &cursor) == [.rejected(1..<long.count, .badLength), .needMore(long.count)])
        cursor.dropped(long.count)
        let more = [UInt8](repeating: 0x30, count: 5000)
        #expect(steps(more, &cursor) == [.needMore(5000)])
        cursor.dropped(5000)
        let next = [0x7E] + heartbeat + [0x7E]
        #expect(steps(next, &cursor) == [.frame(1..<14, escaped: false), .needMore(15)])
    }

    @Test func aRunThatEndsTooLateIsRejectedWhole() {
        var cursor = JT808Framer.Cursor()
        let long = [0x7E] + [UInt8](repeating: 0x30, count: 5000) + [0x7E] + heartbeat + [0x7E]
        let flag = 5001
        #expect(
            steps(long, &cursor) == [
                .rejected(1..<flag, .badLength), .frame(flag + 1..<flag + 14, escaped: false), .needMore(long.count),
            ])
    }

    /// The cursor moves forward only: each byte of a long partial frame is looked at once.
    @Test func byteByByteInputIsNotScannedAgain() {
        var cursor = JT808Framer.Cursor()
        var bytes: [UInt8] = [0x7E]
        var framer = JT808Framer()
        for _ in 0..<4000 {
            bytes.append(0x7D)
            guard case .needMore(let droppable) = framer.next(in: bytes.span, at: &cursor) else {
                Issue.record("no flag, no frame")
                return
            }
            #expect(droppable == 1 || droppable == 0)
            bytes.removeFirst(droppable)
            cursor.dropped(droppable)
        }
        #expect(bytes.count == 4000)
        // Only the new byte is looked at: a flag planted in the part already scanned stays unseen.
        bytes[100] = 0x7E
        guard case .needMore = framer.next(in: bytes.span, at: &cursor) else {
            Issue.record("bytes were scanned twice")
            return
        }
    }

    @Test func escapesAcrossPiecesAreTakenOut() throws {
        let wire: [UInt8] = [0x7E, 0, 2, 0, 0, 1, 0x77, 0, 0, 1, 1, 1, 0x0B, 0x7D, 0x02, 0x7E]
        for cut in 1..<wire.count {
            var cursor = JT808Framer.Cursor()
            var framer = JT808Framer()
            var bytes = Array(wire[..<cut])
            guard case .needMore(let droppable) = framer.next(in: bytes.span, at: &cursor) else {
                Issue.record("cut at \(cut)")
                continue
            }
            bytes.removeFirst(droppable)
            cursor.dropped(droppable)
            bytes += wire[cut...]
            guard case .frame(let run) = framer.next(in: bytes.span, at: &cursor) else {
                Issue.record("cut at \(cut)")
                continue
            }
            let frame = try JT808Frame(checking: framer.contents(of: run, in: bytes.span))
            #expect(frame.checkCode == 0x7E)
            #expect(frame.header.flowID == 0x010B)
        }
    }
}
