import Testing
import WireBytes

@testable import TerminalProtocols

struct GT06FramerTests {
    private enum Seen: Equatable {
        case needMore(Int)
        case frame(Range<Int>, GT06Form)
        case rejected(Range<Int>, String)
    }

    private func steps(_ bytes: [UInt8], _ cursor: inout GT06Framer.Cursor) -> [Seen] {
        let framer = GT06Framer()
        var seen: [Seen] = []
        while true {
            switch framer.next(in: bytes.span, at: &cursor) {
            case .needMore(let droppable):
                seen.append(.needMore(droppable))
                return seen
            case .frame(let run): seen.append(.frame(run.range, run.form))
            case .rejected(let error, let range): seen.append(.rejected(range, error.field))
            }
        }
    }

    private let heartbeat = GT06Codec.frame(0x13, [0x46, 5, 3, 0, 1], serial: 2)
    private let login: [UInt8] = [0x78, 0x78, 0x0D, 1, 9, 0x99, 0x91, 0, 0, 0, 0, 0x11, 2, 0x0D, 0x0A]

    @Test func nothingIsKeptBetweenFrames() {
        var cursor = GT06Framer.Cursor()
        #expect(steps(heartbeat, &cursor) == [.frame(0..<15, .short), .needMore(15)])
        #expect(cursor.isBetweenFrames)
        cursor.dropped(15)
        #expect(steps(heartbeat, &cursor) == [.frame(0..<15, .short), .needMore(15)])
    }

    @Test func aLongFrameMayBeShortAndTheOtherWayRound() {
        var cursor = GT06Framer.Cursor()
        let bytes =
            GT06Codec.frame(0x13, [1], serial: 1, form: .long)
            + GT06Codec.frame(0x21, [UInt8](repeating: 7, count: 250), serial: 2)
        #expect(steps(bytes, &cursor) == [.frame(0..<12, .long), .frame(12..<272, .short), .needMore(272)])
    }

    @Test func theLongestFrameFits() {
        var cursor = GT06Framer.Cursor()
        let bytes = GT06Codec.frame(
            0x70, [UInt8](repeating: 0x0D, count: GT06.maximumLongContentBytes + 9), serial: 1, form: .long)
        #expect(bytes.count == GT06.maximumFrameBytes)
        #expect(steps(bytes, &cursor) == [.frame(0..<bytes.count, .long), .needMore(bytes.count)])
    }

    @Test func noiseIsNotKept() {
        var cursor = GT06Framer.Cursor()
        #expect(steps([UInt8](repeating: 0x55, count: 9000), &cursor) == [.needMore(9000)])
        cursor.dropped(9000)
        #expect(steps([0x55, 0x78], &cursor) == [.needMore(1)])
    }

    @Test func aWaitingFalseStartGivesWayToTheNextCompleteFrame() {
        var cursor = GT06Framer.Cursor()
        var bytes: [UInt8] = [0x78, 0x78, 0xF0, 0x12, 1, 2, 3]
        #expect(steps(bytes, &cursor) == [.needMore(0)])
        #expect(!cursor.isBetweenFrames)
        for byte in heartbeat.dropLast() {
            bytes.append(byte)
            #expect(steps(bytes, &cursor) == [.needMore(0)])
        }
        bytes.append(0x0A)
        #expect(
            steps(bytes, &cursor) == [.rejected(0..<7, "frame"), .frame(7..<22, .short), .needMore(22)])
    }

    /// A frame whose end is not where its length says waits for its true end, but is nothing a connection hangs on.
    @Test func aCondemnedFrameIsRepairedWhenItsEndArrives() {
        var wrong = GT06Codec.frame(0x13, [0x46, 5, 3, 0, 1], serial: 2)
        wrong[2] -= 2
        let crc = CRC16.x25(wrong.span.extracting(2..<11))
        wrong[11] = UInt8(crc >> 8)
        wrong[12] = UInt8(truncatingIfNeeded: crc)
        for cut in 1..<wrong.count {
            var cursor = GT06Framer.Cursor()
            #expect(steps(Array(wrong[..<cut]), &cursor) == [.needMore(0)])
            #expect(cursor.isBetweenFrames == (cut >= 13))
            #expect(steps(wrong, &cursor) == [.frame(0..<15, .short), .needMore(15)])
        }
        let view = GT06Framer().frame(.init(range: 0..<15, form: .short), in: wrong.span)
        let isWrong = view.lengthMismatch
        let size = view.content.count
        #expect(isWrong)
        #expect(size == 5)
    }

    /// A length that is too large is found out when the next bytes are not its end.
    @Test func aFrameThatClaimsToBeLongerIsRepairedByTheNextOne() {
        var wrong = heartbeat
        wrong[2] += 3
        let crc = CRC16.x25(wrong.span.extracting(2..<11))
        wrong[11] = UInt8(crc >> 8)
        wrong[12] = UInt8(truncatingIfNeeded: crc)
        var cursor = GT06Framer.Cursor()
        #expect(
            steps(wrong + heartbeat, &cursor) == [.frame(0..<15, .short), .frame(15..<30, .short), .needMore(30)])
    }

    @Test func aWaitThatIsGivenUpGoesOnBehindTheMarker() {
        var cursor = GT06Framer.Cursor()
        let start: [UInt8] = [0x78, 0x78, 0xF0, 0x12, 1]
        #expect(steps(start, &cursor) == [.needMore(0)])
        cursor.giveUpWaiting()
        #expect(cursor.isBetweenFrames)
        #expect(steps(start + heartbeat, &cursor) == [.frame(5..<20, .short), .needMore(20)])
    }

    // MARK: The look-alike family

    @Test func theFamilyShowsInTheLogin() {
        var cursor = GT06Framer.Cursor()
        let sos: [UInt8] = [0x78, 0x78, 0, 0x99, 0x0D, 0x0A]
        #expect(
            steps(login + sos, &cursor) == [.frame(0..<15, .lookAlike), .frame(15..<21, .lookAlike), .needMore(21)])
        #expect(cursor.mode == .lookAlike)
        // Without that login the same bytes are none of the regular family.
        var regular = GT06Framer.Cursor()
        #expect(steps(heartbeat + sos, &regular).contains(.rejected(15..<21, "length")))
    }

    /// A regular login whose serial ends in 0D and whose CRC begins with 0A looks like the other family for three bytes.
    @Test func aRegularLoginIsNeverTakenForTheOtherFamily() throws {
        var found = 0
        for identity in 0..<UInt64(1 << 17) where found < 3 {
            var content = ByteWriter()
            content.uint64BE(0x0999_9100_0000_0000 | identity)
            let frame = GT06Codec.frame(0x01, content.bytes, serial: 0x0D)
            guard frame[14] == 0x0A else { continue }
            found += 1
            for cut in 1..<frame.count {
                var cursor = GT06Framer.Cursor()
                #expect(steps(Array(frame[..<cut]), &cursor) == [.needMore(0)])
                #expect(steps(frame, &cursor) == [.frame(0..<18, .short), .needMore(18)])
                #expect(cursor.mode == .regular)
            }
        }
        #expect(found == 3)
    }

    /// The other family's login whose bytes could still become a regular one: it waits until more arrives, and its
    /// repetition decides.
    @Test func anAmbiguousLoginIsDecidedByWhatFollows() {
        var found = false
        for version in 0...UInt8.max {
            for last in (0...UInt8.max) where !found {
                var ambiguous = login
                ambiguous[11] = last
                ambiguous[12] = version
                guard CRC16.x25(ambiguous.span.extracting(2..<14)) >> 8 == 0x0A else { continue }
                found = true
                var cursor = GT06Framer.Cursor()
                #expect(steps(ambiguous, &cursor) == [.needMore(0)])
                #expect(
                    steps(ambiguous + ambiguous, &cursor) == [
                        .frame(0..<15, .lookAlike), .frame(15..<30, .lookAlike), .needMore(30),
                    ])
            }
        }
        #expect(found)
    }

    @Test func aRegularLoginTakesALookAlikeConnectionOver() {
        var cursor = GT06Framer.Cursor()
        var content = ByteWriter()
        content.uint64BE(0x0999_9100_0000_0011)
        let regular = GT06Codec.frame(0x01, content.bytes, serial: 1)
        #expect(
            steps(login + regular + heartbeat, &cursor) == [
                .frame(0..<15, .lookAlike), .frame(15..<33, .short), .frame(33..<48, .short), .needMore(48),
            ])
    }

    // MARK: Bounds

    /// False starts behind false starts, each with a right end and a wrong sum: the work stays in proportion.
    @Test(.timeLimit(.minutes(1))) func craftedBytesCostNoMoreThanTheirShare() {
        var cursor = GT06Framer.Cursor()
        var block: [UInt8] = []
        while block.count < 8000 {
            let length = UInt16(8190 - block.count)
            block += [0x79, 0x79, UInt8(length >> 8), UInt8(truncatingIfNeeded: length)]
        }
        block += [UInt8](repeating: 0, count: 8196 - 2 - block.count) + [0x0D, 0x0A]
        var bytes: [UInt8] = []
        for _ in 0..<64 { bytes += block }
        let clock = ContinuousClock()
        let time = clock.measure { _ = steps(bytes, &cursor) }
        // In a debug build on a busy machine; without the bound it is minutes.
        #expect(time < .seconds(20))
        #expect(steps([], &cursor).count == 1)
    }
}
