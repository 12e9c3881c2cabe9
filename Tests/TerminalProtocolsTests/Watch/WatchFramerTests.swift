import TerminalModel
import TerminalProtocols
import Testing

struct WatchFramerTests {
    private enum Seen: Equatable {
        case needMore(Int)
        case frame(String)
        case rejected(Range<Int>, String)
    }

    private func steps(
        _ text: String, _ cursor: inout WatchFramer.Cursor, isComplete: Bool = false
    ) -> [Seen] {
        let bytes = Array(text.utf8)
        var seen: [Seen] = []
        while true {
            switch WatchFramer().next(in: bytes.span, at: &cursor, isComplete: isComplete) {
            case .needMore(let droppable):
                seen.append(.needMore(droppable))
                return seen
            case .frame(let range): seen.append(.frame(String(decoding: bytes[range], as: UTF8.self)))
            case .rejected(let error, let range): seen.append(.rejected(range, error.field))
            }
        }
    }

    private func steps(_ text: String, isComplete: Bool = false) -> [Seen] {
        var cursor = WatchFramer.Cursor()
        return steps(text, &cursor, isComplete: isComplete)
    }

    private let lk = "[3G*1000000003*0002*LK]"

    @Test func aRightLengthEndsAFrameWhateverStandsInIt() {
        let name = "[3G*1000000003*001F*UD,]\r\n[3G*1000000003*0002*LK],x]"
        #expect(steps(name) == [.frame(name), .needMore(name.utf8.count)])
    }

    @Test func aFrameThatWasCutSwallowsNoOtherThatEndsWhereItShould() {
        let cut = "[3G*1000000003*00FF*AL,1"
        for frames in 1...3 {
            let tail = String(repeating: lk, count: frames)
            let length = String(2 + 2 + tail.utf8.count - 1, radix: 16)
            let exact = cut.replacing("00FF", with: String(repeating: "0", count: 4 - length.count) + length)
            #expect(steps(exact + tail).prefix(2) == [.rejected(0..<cut.utf8.count, "content"), .frame(lk)])
        }
    }

    @Test func aLengthTooShortIsRepairedAtTheNextPlausibleEnd() {
        for end in ["", "\r\n", "\n", "\0", lk] {
            let text = "[3G*1000000003*0004*UD,] ,]x,1]" + end
            #expect(steps(text).first == .frame("[3G*1000000003*0004*UD,] ,]x,1]"), "\(end)")
        }
    }

    @Test func aLengthTooLongWaitsForTheNextFrameOrForSilence() {
        let long = "[3G*1000000003*00FF*AL,1]"
        var cursor = WatchFramer.Cursor()
        #expect(steps(long, &cursor) == [.needMore(0)])
        #expect(cursor.mayBeComplete && !cursor.isBetweenFrames)
        // A header that has only begun does not tell yet, a whole one does.
        #expect(steps(long + "[3G*10000", &cursor) == [.needMore(0)])
        #expect(steps(long + lk, &cursor) == [.frame(long), .frame(lk), .needMore(long.utf8.count + lk.utf8.count)])
        for end in ["", "\r\n", " ", "[3G*10000"] {
            #expect(steps(long + end, isComplete: true).first == .frame(long), "\(end)")
        }
        #expect(steps(long + "\r\n" + lk).first == .frame(long))
    }

    @Test func anEndInANameIsNoEndBeforeTheLengthIsReached() {
        let text = "[3G*1000000003*000D*UD,[cafe]\r\n,1]"
        for count in 1..<text.utf8.count {
            let part = String(decoding: text.utf8.prefix(count), as: UTF8.self)
            #expect(steps(part) == [.needMore(0)], "\(part)")
        }
        #expect(steps(text).first == .frame(text))
    }

    @Test func aFrameThatWasCutGivesWayToTheNextAsSoonAsItsHeaderIsThere() {
        let cut = "[3G*1000000003*FFFF*TK,#!AMR"
        let header = "[3G*1000000003*0002*"
        for count in 1..<header.utf8.count {
            #expect(steps(cut + header.prefix(count)) == [.needMore(0)])
        }
        #expect(steps(cut + header + "L") == [.rejected(0..<cut.utf8.count, "content"), .needMore(cut.utf8.count)])
    }

    @Test func aByteBehindTheEndThatDoesNotBelongThereHoldsNothingUp() {
        #expect(steps(lk + "x" + lk).first == .frame(lk))
        #expect(steps(lk + "x", isComplete: true).first == .frame(lk))
        var cursor = WatchFramer.Cursor()
        #expect(steps(lk + "x", &cursor) == [.needMore(0)])
        #expect(cursor.mayBeComplete)
    }

    @Test func noiseIsRefusedOnceHoweverLong() {
        #expect(steps("noise" + lk) == [.rejected(0..<5, "open"), .frame(lk), .needMore(28)])
        var cursor = WatchFramer.Cursor()
        #expect(steps("noise", &cursor) == [.rejected(0..<5, "open"), .needMore(5)])
        cursor.dropped(5)
        #expect(steps("more noise [3G[", &cursor) == [.needMore(14)])
        cursor.dropped(14)
        #expect(steps(lk, &cursor) == [.frame(lk), .needMore(lk.utf8.count)])
        cursor.dropped(lk.utf8.count)
        #expect(cursor.isBetweenFrames)
        #expect(steps("x", &cursor) == [.rejected(0..<1, "open"), .needMore(1)])
    }

    @Test func muchWhiteSpaceEndsAFrame() {
        let long = "[3G*1000000003*00FF*AL,1]"
        #expect(steps(long + String(repeating: "\r", count: 16)) == [.needMore(0)])
        #expect(steps(long + String(repeating: "\r", count: 17)).first == .frame(long))
    }

    /// Found by the fuzzer: the digit too many was looked for behind the last byte, which ended the process.
    @Test(arguments: [19, 20, 21, 22, 40]) func anIDWithTooManyDigitsIsNoiseWhereverTheReadEnds(digits: Int) {
        let start = "[3G*" + String(repeating: "1", count: digits)
        #expect(
            steps(start)
                == (digits <= 20
                    ? [.needMore(0)] : [.rejected(0..<start.utf8.count, "header"), .needMore(start.utf8.count)]))
        let found = steps(start + "\r\n" + lk).last { if case .frame = $0 { true } else { false } }
        #expect(found == .frame(lk))
    }

    @Test func whiteSpaceIsNothing() {
        #expect(steps("\r\n\t \0") == [.needMore(5)])
    }

    @Test func aFrameWithoutEndIsGivenUpAtTheLimit() {
        let header = "[3G*1000000003*0002*"
        let whole = header + String(repeating: "x", count: Watch.maximumFrameBytes - header.utf8.count)
        #expect(steps(whole) == [.needMore(0)])
        #expect(
            steps(whole + "x") == [
                .rejected(0..<Watch.maximumFrameBytes + 1, "frame"), .needMore(whole.utf8.count + 1),
            ])
        let next = whole + "x" + lk
        #expect(steps(next).contains(.frame(lk)))
    }

    /// The cursor moves forward only: each byte of a long partial frame is looked at once.
    @Test func byteByByteInputIsNotScannedAgain() {
        var cursor = WatchFramer.Cursor()
        var bytes = Array("[3G*1000000003*FFFF*TK,".utf8)
        let framer = WatchFramer()
        for _ in 0..<4000 {
            bytes.append(0x5B)
            guard case .needMore(0) = framer.next(in: bytes.span, at: &cursor) else {
                Issue.record("no end, no frame")
                return
            }
        }
        // Only the new byte is looked at: a frame planted in the part already scanned stays unseen.
        bytes.replaceSubrange(100..<100 + lk.utf8.count, with: Array(lk.utf8))
        bytes.append(0x78)
        guard case .needMore = framer.next(in: bytes.span, at: &cursor) else {
            Issue.record("bytes were scanned twice")
            return
        }
    }
}
