import TerminalModel
import WireBytes

/// Finds frames in a stream of bytes that the caller keeps, without copying.
///
/// A marker, a possible header, that many bytes and the right checksum make a frame; on any failure the search goes on one
/// byte later, because the marker also occurs inside bodies. A false marker that announces a long body is dropped as soon as
/// a complete frame is found behind it, or when the stream was silent meanwhile. Noise is silent; bytes that looked like a
/// frame and had a wrong checksum cost one error, however many markers they hold. Source: section 2.
///
/// Time is linear in the bytes, whatever they are and however they arrive: what lies inside bytes that failed is looked at on
/// credit, which bytes that were passed restore.
public struct EV07BFramer: Sendable {
    public init() {}

    /// How far one connection's bytes have been looked at.
    public struct Cursor: Sendable, Equatable {
        /// The marker of the frame that is waited for, or where the search for one begins.
        fileprivate var start: Int32 = 0
        /// Frames that end up to here and begin behind `start` have been looked at.
        fileprivate var seen: Int32 = 0
        /// Failures in front of this place belong to an error that has been reported.
        fileprivate var reported: Int32 = 0
        /// Bytes of checksums that may still be tried inside bytes that failed or are waited for.
        fileprivate var credit = EV07BFramer.maximumCredit
        /// A marker stands at `start`.
        fileprivate var isWaiting = false
        /// The stream was silent since the frame at `start` began: it gets no more time.
        fileprivate var isStale = false

        public init() {}

        /// True when no byte of an unfinished frame is waiting.
        public var isBetweenFrames: Bool { !isWaiting || isStale }

        /// Says that nothing has come for `EV07B.silenceMilliseconds`.
        public mutating func noticeSilence() { isStale = isWaiting }

        /// Goes on to a later place, which restores credit.
        fileprivate mutating func pass(to place: Int) {
            let passed = place - Int(start)
            guard passed > 0 else { return }
            start = Int32(truncatingIfNeeded: place)
            isStale = false
            credit = Int32(truncatingIfNeeded: min(Int(maximumCredit), Int(credit) + passed * creditPerByte))
        }

        /// False when the credit does not reach.
        fileprivate mutating func spend(_ count: Int) -> Bool {
            guard count <= Int(credit) else { return false }
            credit -= Int32(truncatingIfNeeded: count)
            return true
        }

        /// Tells the cursor that the caller took the first `count` bytes away.
        public mutating func dropped(_ count: Int) {
            let count = Int32(truncatingIfNeeded: count)
            start -= count
            seen = max(0, seen - count)
            reported = max(0, reported - count)
        }
    }

    /// Several of the longest frames, so that credit runs out only under attack.
    fileprivate static let maximumCredit: Int32 = 65_536
    /// Restored with each byte that is passed.
    private static let creditPerByte = 8

    public enum Step: Sendable {
        /// Nothing complete is left; the first `droppable` bytes are no longer needed.
        case needMore(droppable: Int)
        /// A frame whose header and checksum are right.
        case frame(Range<Int>)
        /// Bytes that began like a frame and are none.
        /// Boxed, so that the steps that matter stay a few plain words.
        indirect case rejected(DecodeError, Range<Int>)
    }

    /// What stands at a marker.
    private enum Candidate {
        case impossible
        case incomplete(end: Int)
        case complete(end: Int)
    }

    /// Goes on to the next thing in `bytes`, which begin where the bytes of the last call began, less those dropped.
    ///
    /// - Parameter bytes: below 2 GiB; a receive buffer is far smaller.
    public func next(in bytes: Span<UInt8>, at cursor: inout Cursor) -> Step {
        while true {
            let start = Self.marker(in: bytes, from: Int(cursor.start))
            cursor.pass(to: start)
            cursor.isWaiting = start < bytes.count
            guard start < bytes.count else {
                return .needMore(droppable: start)
            }
            switch Self.candidate(in: bytes, at: start) {
            case .impossible: cursor.pass(to: start + 1)
            case .incomplete(let end):
                let inner = Self.completeFrame(in: bytes, behind: start, &cursor)
                cursor.seen = Int32(truncatingIfNeeded: bytes.count)
                if let inner { return overtaken(start..<inner, end - start, &cursor) }
                guard cursor.isStale else { return .needMore(droppable: start) }
                let isNews = start >= Int(cursor.reported)
                cursor.reported = max(cursor.reported, Int32(truncatingIfNeeded: start + 1))
                cursor.pass(to: start + 1)
                if isNews { return .rejected(Self.unfinished(end - start, bytes.count - start), start..<bytes.count) }
            case .complete(let end):
                if let step = complete(bytes.extracting(start..<end), start..<end, &cursor) { return step }
            }
        }
    }

    /// Looks for the first good frame in bytes that nobody has looked at yet.
    public func search(_ bytes: Span<UInt8>) -> FrameSearch {
        var cursor = Cursor()
        while true {
            switch next(in: bytes, at: &cursor) {
            case .frame(let range): return .found(range.lowerBound)
            case .rejected: continue
            case .needMore(let droppable): return .none(keepFrom: droppable)
            }
        }
    }

    /// The frame that `next` has just found, without checking it a second time.
    @_lifetime(copy bytes)
    public func frame(at range: Range<Int>, in bytes: Span<UInt8>) -> EV07BFrame {
        EV07BFrame(framed: bytes.extracting(range))
    }

    /// Decides on bytes that are long enough; nil for a failure inside bytes that were reported already.
    private func complete(_ bytes: Span<UInt8>, _ range: Range<Int>, _ cursor: inout Cursor) -> Step? {
        let isNews = range.lowerBound >= Int(cursor.reported)
        guard isNews || cursor.spend(range.count) else {
            cursor.pass(to: range.lowerBound + 1)
            return nil
        }
        do {
            _ = try EV07BFrame(checking: bytes)
            cursor.pass(to: range.upperBound)
            cursor.seen = max(cursor.seen, cursor.start)
            cursor.isWaiting = false
            return .frame(range)
        } catch {
            cursor.pass(to: range.lowerBound + 1)
            guard isNews else { return nil }
            cursor.reported = Int32(truncatingIfNeeded: range.upperBound)
            return .rejected(error, range)
        }
    }

    /// A complete frame stands behind one that is still incomplete: the incomplete one was none.
    private func overtaken(_ range: Range<Int>, _ announced: Int, _ cursor: inout Cursor) -> Step {
        cursor.pass(to: range.upperBound)
        return .rejected(Self.unfinished(announced, range.count), range)
    }

    /// The next marker at or after `start`, or the count.
    private static func marker(in bytes: Span<UInt8>, from start: Int) -> Int {
        ByteScan.find(EV07B.marker, marking: EV07B.marker, in: bytes, from: start).end
    }

    private static func candidate(in bytes: Span<UInt8>, at start: Int) -> Candidate {
        let left = bytes.count - start
        // What is there of the header already tells most strays.
        if left >= 2, bytes[start + EV07BFrame.Field.properties] & EV07BFrame.encryptionBits != 0 {
            return encryptedCandidate(in: bytes, at: start)
        }
        guard left >= EV07BFrame.Field.bodyLength + 2 else { return .incomplete(end: start + EV07B.headerByteCount) }
        let length = Int(bytes.uint16LE(at: start + EV07BFrame.Field.bodyLength))
        guard length >= 1, length <= EV07B.maximumBodyBytes else { return .impossible }
        let end = start + EV07B.headerByteCount + length
        return end <= bytes.count ? .complete(end: end) : .incomplete(end: end)
    }

    /// An encrypted frame is not waited for, but one that is there whole and has the right checksum is worth an error.
    private static func encryptedCandidate(in bytes: Span<UInt8>, at start: Int) -> Candidate {
        guard bytes.count - start >= EV07B.headerByteCount else { return .impossible }
        let length = Int(bytes.uint16LE(at: start + EV07BFrame.Field.bodyLength))
        let body = start + EV07B.headerByteCount
        guard length >= 1, length <= EV07B.maximumBodyBytes, body + length <= bytes.count,
            CRC16.xmodem(bytes.extracting(body..<body + length))
                == bytes.uint16LE(at: start + EV07BFrame.Field.checksum)
        else { return .impossible }
        return .complete(end: body + length)
    }

    /// Where a complete frame begins behind `start`; frames that ended within the bytes of an earlier call are not looked
    /// at again.
    private static func completeFrame(in bytes: Span<UInt8>, behind start: Int, _ cursor: inout Cursor) -> Int? {
        var at = marker(in: bytes, from: start + 1)
        while at < bytes.count {
            if case .complete(let end) = candidate(in: bytes, at: at), end > Int(cursor.seen), cursor.spend(end - at),
                (try? EV07BFrame(checking: bytes.extracting(at..<end))) != nil
            {
                return at
            }
            at = marker(in: bytes, from: at + 1)
        }
        return nil
    }

    private static func unfinished(_ announced: Int, _ found: Int) -> DecodeError {
        DecodeError(
            .badLength, protocolName: .ev07b, field: "frame", offset: 0, expected: "\(announced) bytes",
            found: "\(found)")
    }
}
