import TerminalModel
public import WireBytes

/// Finds frames in a stream of bytes that the caller keeps, without copying.
///
/// The framer itself holds nothing, so one serves all connections of a thread. What belongs to a connection is its `Cursor`
/// and, while a frame is split, the bytes read so far:
///
///     loop: switch framer.next(in: bytes, at: &cursor)
///       .frame(run):   use framer.frame(run, in: bytes)
///       .rejected(..): count it
///       .needMore(n):  drop the first n bytes, cursor.dropped(n), read more, call again with the longer buffer
///
/// A start marker whose frame is wrong costs one byte and not what its length says, so that the next good frame is found
/// wherever it begins. Bytes between two good frames give one rejection if a frame was begun in them, however many markers
/// they hold and however they arrive; noise without a marker gives none. Sums over false frames are bounded by the
/// cursor's `credit`, which makes the work linear in the bytes that arrive.
///
/// Source: section 2, and 7.14 for the look-alike family.
public struct GT06Framer: ~Copyable {
    public init() {}

    /// Which family speaks on a connection; its first frame decides.
    public enum Mode: UInt8, Sendable {
        case undecided
        case regular
        case lookAlike
    }

    /// How far one connection's bytes have been looked at.
    public struct Cursor: Sendable, Equatable {
        /// The marker of the frame that is being read, or where a marker is to be searched.
        @usableFromInline var start: Int32 = 0
        /// Frames that end up to here have been tried, wherever they start.
        @usableFromInline var tried: Int32 = 0
        /// How many bytes may still be summed up in vain.
        @usableFromInline var credit = Self.maximumCredit
        @usableFromInline var family: Mode
        /// A marker, or the first half of one, stands at `start`.
        @usableFromInline var isWaiting = false
        /// The frame at `start` is wrong, and only the search for its true end goes on.
        @usableFromInline var isCondemned = false
        /// The gap since the last good frame has had its rejection.
        @usableFromInline var isReported = false

        public init(mode: Mode = .undecided) {
            family = mode
        }

        public var mode: Mode { family }

        /// Enough for a dozen of the longest false frames in a row; more are no accident.
        @usableFromInline static let maximumCredit: Int32 = 1 << 17
        /// A byte left behind pays for this many summed up in vain.
        @inlinable static var creditPerByte: Int { 16 }

        /// True when no byte of an unfinished frame is waiting that could still become a good one as it stands.
        public var isBetweenFrames: Bool { !isWaiting || isCondemned }

        /// Tells the cursor that the caller took the first `count` bytes away.
        public mutating func dropped(_ count: Int) {
            start -= Int32(truncatingIfNeeded: count)
            tried -= Int32(truncatingIfNeeded: count)
        }

        /// The frame that is waiting will not be completed: the next call looks for one behind its first byte.
        public mutating func giveUpWaiting() {
            guard isWaiting else { return }
            start += 1
            isWaiting = false
            isCondemned = false
        }

        /// True when a sum over `count` bytes may be tried.
        @usableFromInline
        mutating func affords(_ count: Int) -> Bool {
            guard Int(credit) >= count else { return false }
            credit -= Int32(truncatingIfNeeded: count)
            return true
        }

        /// Leaves everything before `offset` behind.
        @inlinable @inline(__always)
        mutating func move(to offset: Int) {
            let earned = (offset &- Int(start)) &* Self.creditPerByte
            credit = Int32(truncatingIfNeeded: min(Int(Self.maximumCredit), Int(credit) &+ earned))
            start = Int32(truncatingIfNeeded: offset)
        }
    }

    /// Where a checked frame stands in the caller's buffer.
    public struct Run: Sendable, Equatable {
        public let range: Range<Int>
        public let form: GT06Form

        @inlinable
        init(range: Range<Int>, form: GT06Form) {
            self.range = range
            self.form = form
        }
    }

    public enum Step: Sendable {
        /// Nothing complete is left; the first `droppable` bytes are no longer needed.
        case needMore(droppable: Int)
        case frame(Run)
        /// Bytes that are no frame, at this range of the buffer.
        /// Boxed, so that the steps that matter stay a few plain words.
        indirect case rejected(DecodeError, Range<Int>)
    }

    /// What the bytes at a start marker are.
    @usableFromInline
    enum Verdict {
        case frame(Run)
        /// Bytes are missing.
        case incomplete
        /// The end is not where the length says; it may be found when more bytes are there.
        case condemned
        /// No frame begins here; the reason is made when it is wanted.
        case refused(Fault)
    }

    @usableFromInline
    enum Fault {
        case length(Int)
        case stop(frame: Range<Int>)
        case crc(frame: Range<Int>)
    }

    /// Goes on to the next thing in `bytes`, which begin where the bytes of the last call began, less those dropped.
    ///
    /// - Parameter bytes: below 2 GiB; a receive buffer is far smaller.
    @inlinable
    public func next(in bytes: Span<UInt8>, at cursor: inout Cursor) -> Step {
        while true {
            let start = Self.marker(in: bytes, from: Int(cursor.start))
            cursor.move(to: start)
            let verdict =
                bytes.count &- start < 4 ? .incomplete : Self.verdict(bytes, start, &cursor)
            switch verdict {
            case .frame(let run):
                cursor.move(to: run.range.upperBound)
                cursor.isWaiting = false
                cursor.isReported = false
                return .frame(run)
            case .incomplete, .condemned:
                cursor.isWaiting = start < bytes.count
                if case .condemned = verdict { cursor.isCondemned = true } else { cursor.isCondemned = false }
                guard let later = Self.lookAhead(bytes, start, &cursor) else { return .needMore(droppable: start) }
                cursor.move(to: later)
                if let step = overtaken(start..<later, bytes, &cursor) { return step }
            case .refused(let fault):
                if let step = refuse(start, fault, bytes, &cursor) { return step }
            }
        }
    }

    /// The checked frame that `next` has just returned.
    @inlinable @inline(__always)
    @_lifetime(copy bytes)
    public func frame(_ run: Run, in bytes: Span<UInt8>) -> GT06Frame {
        GT06Frame(checked: bytes.extracting(run.range), form: run.form)
    }

    /// Looks for the first good frame in bytes that nobody has looked at yet. Of the look-alike family only a login shows
    /// itself.
    public func search(_ bytes: Span<UInt8>) -> FrameSearch {
        var cursor = Cursor()
        while true {
            switch next(in: bytes, at: &cursor) {
            case .frame(let run): return .found(run.range.lowerBound)
            case .rejected: continue
            case .needMore(let droppable): return .none(keepFrom: droppable)
            }
        }
    }

    // MARK: Finding a start

    /// The first marker at or after `from`, or a last byte that may be the first half of one, or the end.
    @inlinable @inline(__always)
    static func marker(in bytes: Span<UInt8>, from: Int) -> Int {
        var at = from
        while bytes.count &- at >= 2 {
            if GT06Frame.form(of: bytes, at: at) != nil { return at }
            let found = ByteScan.find(GT06.shortMarker, marking: GT06.longMarker, in: bytes, from: at &+ 1)
            at = found.mark
        }
        guard at < bytes.count, bytes[at] == GT06.shortMarker || bytes[at] == GT06.longMarker else {
            return bytes.count
        }
        return at
    }

    /// The size of the regular frame at `start`, nil when its length is impossible.
    ///
    /// - Parameter start: a marker with at least two bytes behind it.
    @inlinable @inline(__always)
    static func total(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
        if bytes[start] == GT06.shortMarker {
            let length = Int(bytes[start &+ 2])
            return length >= GT06.minimumLength ? length &+ 5 : nil
        }
        let length = Int(bytes.uint16BE(at: start &+ 2))
        return length >= GT06.minimumLength && length <= GT06.maximumLength ? length &+ 6 : nil
    }

    /// The same for bytes that begin with a marker and may end anywhere.
    static func declaredTotal(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return total(bytes.span, 0)
    }

    // MARK: Judging a start

    /// - Parameter start: a marker with at least two bytes behind it.
    @inlinable @inline(__always)
    static func verdict(_ bytes: Span<UInt8>, _ start: Int, _ cursor: inout Cursor) -> Verdict {
        if cursor.family != .regular, let verdict = lookAlikeVerdict(bytes, start, &cursor) { return verdict }
        guard let total = total(bytes, start) else { return .refused(.length(start)) }
        guard total <= bytes.count &- start else { return .incomplete }
        let range = start..<start &+ total
        guard bytes.uint16BE(at: range.upperBound &- 2) == GT06Frame.stop else {
            return repair(bytes, range, &cursor)
        }
        guard GT06Frame.hasRightCRC(bytes.extracting(range)) else {
            _ = cursor.affords(min(total, Int(cursor.credit)))
            return .refused(.crc(frame: range))
        }
        cursor.family = .regular
        return .frame(Run(range: range, form: bytes[start] == GT06.shortMarker ? .short : .long))
    }

    /// The frame does not end where its length says. A sender is known whose length is wrong while its CRC is right: the
    /// first end within reach whose CRC is that of everything before it is the true one.
    @usableFromInline
    static func repair(_ bytes: Span<UInt8>, _ range: Range<Int>, _ cursor: inout Cursor) -> Verdict {
        let start = range.lowerBound
        // A frame with nothing wrong in it goes before a repair that would swallow it.
        let limit = min(lookAhead(bytes, start, &cursor) ?? bytes.count, start + GT06.repairBytes)
        let form: GT06Form = bytes[start] == GT06.shortMarker ? .short : .long
        let first = start + GT06.minimumFrameBytes + (form == .long ? 1 : 0)
        guard cursor.affords(limit - start) else { return .refused(.stop(frame: range)) }
        var register: UInt16 = 0xFFFF
        var summed = start + 2
        var end = first
        while end <= limit {
            defer { end += 1 }
            guard bytes.uint16BE(at: end - 2) == GT06Frame.stop else { continue }
            register = CRC16.x25Register(bytes.extracting(summed..<end - 4), after: register)
            summed = end - 4
            if register ^ 0xFFFF == bytes.uint16BE(at: end - 4) {
                cursor.family = .regular
                return .frame(Run(range: start..<end, form: form))
            }
        }
        return bytes.count < start + GT06.repairBytes ? .condemned : .refused(.stop(frame: range))
    }

    /// Where a complete and right frame starts behind `start`, whose own frame is not complete; then the start was false.
    @usableFromInline
    static func lookAhead(_ bytes: Span<UInt8>, _ start: Int, _ cursor: inout Cursor) -> Int? {
        let tried = max(start, Int(cursor.tried))
        guard bytes.count > tried else { return nil }
        var at = marker(in: bytes, from: min(bytes.count, start + 1))
        while bytes.count - at >= 4, cursor.affords(1) {
            if cursor.family == .lookAlike {
                if isLookAlike(bytes, at, after: start) { return at }
            } else if let total = total(bytes, at), total <= bytes.count - at, at + total > tried,
                bytes.uint16BE(at: at + total - 2) == GT06Frame.stop, cursor.affords(total),
                GT06Frame.hasRightCRC(bytes.extracting(at..<at + total))
            {
                return at
            }
            at = marker(in: bytes, from: at + 1)
        }
        cursor.tried = Int32(truncatingIfNeeded: bytes.count)
        return nil
    }

    // MARK: Saying what was wrong

    /// The start at `start` is none: go on behind it.
    @usableFromInline
    func refuse(_ start: Int, _ fault: Fault, _ bytes: Span<UInt8>, _ cursor: inout Cursor) -> Step? {
        var next = start + 1
        // Without credit the whole false frame goes, as its sender's manual says, so that the work ends.
        if case .crc(let frame) = fault, cursor.credit < frame.count { next = frame.upperBound }
        cursor.move(to: next)
        cursor.isWaiting = false
        // A third byte of the marker's kind: the first one was a stray, and the marker stands behind it.
        guard bytes[start + 2] != bytes[start], !cursor.isReported else { return nil }
        cursor.isReported = true
        let end = max(next, Self.marker(in: bytes, from: next))
        switch fault {
        case .length: return .rejected(Self.badLength(bytes, start), start..<end)
        case .stop(let frame):
            let found = bytes.uint16BE(at: frame.upperBound - 2)
            return .rejected(GT06Frame.noStop(found, at: frame.count - 2), start..<end)
        case .crc(let frame): return .rejected(GT06Frame.wrongCRC(bytes.extracting(frame)), frame)
        }
    }

    /// A good frame stands behind an unfinished one: that was cut off, or its start was false.
    @usableFromInline
    func overtaken(_ gap: Range<Int>, _ bytes: Span<UInt8>, _ cursor: inout Cursor) -> Step? {
        let isStray = gap.allSatisfy { bytes[$0] == bytes[gap.lowerBound] }
        guard !isStray, !cursor.isReported else { return nil }
        cursor.isReported = true
        let declared = Self.total(bytes, gap.lowerBound).map { "\($0) bytes" } ?? "a whole frame"
        return .rejected(
            DecodeError(
                .badLength, protocolName: .gt06, field: "frame", offset: gap.count, expected: declared,
                found: "the next frame behind \(gap.count)"), gap)
    }

    private static func badLength(_ bytes: Span<UInt8>, _ start: Int) -> DecodeError {
        let isShort = bytes[start] == GT06.shortMarker
        let found = isShort ? Int(bytes[start + 2]) : Int(bytes.uint16BE(at: start + 2))
        return DecodeError(
            .badLength, protocolName: .gt06, field: "length", offset: 2,
            expected: "\(GT06.minimumLength) to \(isShort ? 255 : GT06.maximumLength)", found: "\(found)")
    }
}
