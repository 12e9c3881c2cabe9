import TerminalProtocols
import Testing

struct EV07BFramerTests {
    private enum Seen: Equatable {
        case needMore(Int)
        case frame(Range<Int>)
        case rejected(Range<Int>, DecodeError.Code)
    }

    private func steps(_ bytes: [UInt8], _ cursor: inout EV07BFramer.Cursor) -> [Seen] {
        let framer = EV07BFramer()
        var seen: [Seen] = []
        while true {
            switch framer.next(in: bytes.span, at: &cursor) {
            case .needMore(let droppable):
                seen.append(.needMore(droppable))
                return seen
            case .frame(let range): seen.append(.frame(range))
            case .rejected(let error, let range): seen.append(.rejected(range, error.code))
            }
        }
    }

    private let answer: [UInt8] = [0xAB, 0x00, 0x03, 0x00, 0x08, 0xC7, 0x65, 0x00, 0x7F, 0x01, 0x00]

    @Test func nothingIsKeptBetweenFrames() {
        var cursor = EV07BFramer.Cursor()
        #expect(steps(answer, &cursor) == [.frame(0..<11), .needMore(11)])
        #expect(cursor.isBetweenFrames)
        cursor.dropped(11)
        #expect(steps(answer, &cursor) == [.frame(0..<11), .needMore(11)])
    }

    @Test func noiseIsNotKept() {
        var cursor = EV07BFramer.Cursor()
        let noise = [UInt8](repeating: 0x55, count: 9000)
        #expect(steps(noise, &cursor) == [.needMore(9000)])
        cursor.dropped(9000)
        #expect(steps(answer, &cursor) == [.frame(0..<11), .needMore(11)])
    }

    @Test func impossibleHeadersAreNotWaitedFor() {
        for header in [[0xAB, 0x10, 0, 0], [0xAB, 0x10, 0x01, 0x10], [0xAB, 0x40], [0xAB, 0x80]] as [[UInt8]] {
            var cursor = EV07BFramer.Cursor()
            #expect(steps(header + [0x01], &cursor) == [.needMore(header.count + 1)], "\(header)")
            #expect(cursor.isBetweenFrames)
        }
    }

    @Test func aWrongChecksumCostsOneErrorHoweverManyMarkersItHolds() {
        var cursor = EV07BFramer.Cursor()
        let body = [UInt8](repeating: 0xAB, count: 20)
        var broken = EV07BCodec.frame(body: [0x01] + body, header: EV07BHeader(properties: 0x10, sequence: 1))
        broken[9] ^= 1
        // Markers in the body announce more than may be, or begin with encryption bits.
        let bytes = broken + answer
        #expect(
            steps(bytes, &cursor) == [
                .rejected(0..<29, .badIntegrity), .frame(29..<40), .needMore(40),
            ])
    }

    @Test func aFrameInsideABrokenOneIsFound() {
        var cursor = EV07BFramer.Cursor()
        var broken = EV07BCodec.frame(body: [0x01] + answer, header: EV07BHeader(properties: 0x10, sequence: 1))
        broken[4] ^= 1
        #expect(steps(broken, &cursor) == [.rejected(0..<20, .badIntegrity), .frame(9..<20), .needMore(20)])
    }

    @Test func aFalseMarkerWaitsUntilACompleteFrameStandsBehindIt() {
        var cursor = EV07BFramer.Cursor()
        let stray: [UInt8] = [0xAB, 0x10, 0xFF, 0x0F]
        #expect(steps(stray + answer.dropLast(), &cursor) == [.needMore(0)])
        #expect(!cursor.isBetweenFrames)
        #expect(steps(stray + answer, &cursor) == [.rejected(0..<4, .badLength), .frame(4..<15), .needMore(15)])
    }

    @Test func silenceEndsTheWaitUnlessTheFrameIsCompleteAfterAll() {
        let frame = EV07BCodec.frame(
            body: [UInt8](repeating: 1, count: 30), header: EV07BHeader(properties: 0x10, sequence: 1))
        var cursor = EV07BFramer.Cursor()
        #expect(steps(Array(frame[..<20]), &cursor) == [.needMore(0)])
        cursor.noticeSilence()
        #expect(cursor.isBetweenFrames)
        #expect(steps(frame, &cursor) == [.frame(0..<38), .needMore(38)])

        cursor = EV07BFramer.Cursor()
        #expect(steps(Array(frame[..<20]), &cursor) == [.needMore(0)])
        cursor.noticeSilence()
        #expect(steps(Array(frame[..<21]), &cursor) == [.rejected(0..<21, .badLength), .needMore(21)])
        #expect(cursor.isBetweenFrames)
        cursor.dropped(21)
        #expect(steps(answer, &cursor) == [.frame(0..<11), .needMore(11)])
    }

    @Test func anEncryptedFrameThatIsThereWholeIsAnError() {
        var cursor = EV07BFramer.Cursor()
        let frame = EV07BCodec.frame(body: [1, 2, 3], header: EV07BHeader(properties: 0x50, sequence: 1))
        #expect(steps(frame + answer, &cursor) == [.rejected(0..<11, .unsupported), .frame(11..<22), .needMore(22)])
    }

    /// False frames inside false frames use the credit up; a frame that stands outside them is found all the same.
    @Test func aFloodOfFalseFramesDoesNotHideTheNextOne() {
        for period in [4, 5, 9, 13] {
            var cursor = EV07BFramer.Cursor()
            let false4096: [UInt8] = [0xAB, 0x10, 0x00, 0x10] + [UInt8](repeating: 0x11, count: period - 4)
            let flood = (0..<65_536 / period).flatMap { _ in false4096 } + [UInt8](repeating: 0, count: 4104)
            let bytes = flood + answer
            let seen = steps(bytes, &cursor)
            #expect(seen.suffix(2) == [.frame(flood.count..<bytes.count), .needMore(bytes.count)])
            // One error for each run of bytes that looked like a frame.
            #expect(seen.count < 2 + 65_536 / 4104 + 2)
        }
    }

    /// Long frames inside broken ones use credit up, and what is passed restores it.
    @Test func framesInsideBrokenOnesAreFoundForEver() {
        let inner = EV07BCodec.frame(
            body: [UInt8](repeating: 1, count: 1000), header: EV07BHeader(properties: 0, sequence: 1))
        var broken = EV07BCodec.frame(body: [1] + inner, header: EV07BHeader(properties: 0, sequence: 2))
        broken[4] ^= 1
        var cursor = EV07BFramer.Cursor()
        for _ in 0..<200 {
            let frame = broken.count - inner.count..<broken.count
            #expect(
                steps(broken, &cursor) == [
                    .rejected(0..<broken.count, .badIntegrity), .frame(frame), .needMore(broken.count),
                ])
            cursor.dropped(broken.count)
        }
    }

    /// What was looked at once is not looked at again: a frame planted in the part already seen stays unseen.
    @Test func byteByByteInputIsNotCheckedAgain() {
        var cursor = EV07BFramer.Cursor()
        var bytes: [UInt8] = [0xAB, 0x10, 0x00, 0x10] + [UInt8](repeating: 0, count: 100)
        #expect(steps(bytes, &cursor) == [.needMore(0)])
        bytes.replaceSubrange(50..<61, with: answer)
        bytes.append(0)
        #expect(steps(bytes, &cursor) == [.needMore(0)])
    }

    @Test func framesOfEveryLengthArePutTogether() throws {
        for length in [1, 2, 255, 256, 1370, 4096] {
            let body = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let frame = EV07BCodec.frame(body: body, header: EV07BHeader(properties: 0, sequence: 9))
            var cursor = EV07BFramer.Cursor()
            #expect(steps(frame, &cursor) == [.frame(0..<length + 8), .needMore(length + 8)])
            #expect(try EV07BFrame(checking: frame.span).sequence == 9)
        }
    }
}
