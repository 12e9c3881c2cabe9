public import TerminalModel
public import WireBytes

/// Finds frames in a stream of bytes that the caller keeps, in one pass and without copying what is not escaped.
///
/// The framer itself holds only one scratch buffer for unescaping, so one serves all connections of a thread. What belongs
/// to a connection is its `Cursor` of 16 bytes and, while a frame is split, the bytes read so far:
///
///     loop: switch framer.next(in: bytes, at: &cursor)
///       .frame(run):   use framer.contents(of: run, in: bytes) before the next call
///       .rejected(..): count it
///       .needMore(n):  drop the first n bytes, cursor.dropped(n), read more, call again with the longer buffer
///
/// Source: section 2.
public struct JT808Framer: ~Copyable {
    @usableFromInline var scratch = [UInt8](repeating: 0, count: JT808.maximumRunBytes)

    public init() {}

    /// How far one connection's bytes have been looked at.
    public struct Cursor: Sendable, Equatable {
        /// The first byte after the flag that opened the current run.
        @usableFromInline var start: Int32 = 0
        /// No flag stands between `start` and here.
        @usableFromInline var scanned: Int32 = 0
        /// The first 7D of the current run, -1 when none has been seen.
        @usableFromInline var escape: Int32 = -1
        /// False until a flag has been seen, and after a run that was too long: then bytes are noise up to the next flag.
        @usableFromInline var opened = false

        public init() {}

        /// True when no byte of an unfinished frame is waiting.
        public var isBetweenFrames: Bool { !opened || start == scanned }

        /// Tells the cursor that the caller took the first `count` bytes away.
        public mutating func dropped(_ count: Int) {
            let count = Int32(truncatingIfNeeded: count)
            start -= count
            scanned -= count
            if escape >= 0 { escape -= count }
        }
    }

    /// The bytes between two flags: a range of the caller's buffer, or unescaped in the framer's scratch buffer.
    public struct Run: Sendable, Equatable {
        /// Where the run stands in the caller's buffer, without its flags.
        public let range: Range<Int>
        /// The unescaped length when it lies in the scratch buffer, else -1.
        @usableFromInline let unescapedCount: Int

        @inlinable
        init(range: Range<Int>, unescapedCount: Int) {
            self.range = range
            self.unescapedCount = unescapedCount
        }

        @inlinable
        public var wasEscaped: Bool { unescapedCount >= 0 }
    }

    public enum Step: Sendable {
        /// Nothing complete is left; the first `droppable` bytes are no longer needed.
        case needMore(droppable: Int)
        /// A run long enough for a frame; it is good until the next call of `next`.
        case frame(Run)
        /// Bytes that cannot be a frame, at this range of the buffer.
        /// Boxed, so that the steps that matter stay a few plain words.
        indirect case rejected(DecodeError, Range<Int>)
    }

    /// Goes on to the next thing in `bytes`, which begin where the bytes of the last call began, less those dropped.
    ///
    /// - Parameter bytes: below 2 GiB; a receive buffer is far smaller.
    @inlinable
    public mutating func next(in bytes: Span<UInt8>, at cursor: inout Cursor) -> Step {
        while true {
            let from = Int(cursor.scanned)
            guard from < bytes.count else { return starved(bytes.count, &cursor) }
            let found = ByteScan.find(JT808.flag, marking: JT808.escape, in: bytes, from: from)
            var escape = Int(cursor.escape)
            if escape < 0, found.mark < found.end { escape = found.mark }
            guard found.end < bytes.count else {
                cursor.escape = Int32(truncatingIfNeeded: escape)
                cursor.scanned = Int32(truncatingIfNeeded: found.end)
                return starved(bytes.count, &cursor)
            }
            let start = Int(cursor.start)
            let opened = cursor.opened
            cursor.start = Int32(truncatingIfNeeded: found.end &+ 1)
            cursor.scanned = cursor.start
            cursor.escape = -1
            cursor.opened = true
            // Noise before the first flag, and the empty run between two flags, are nothing.
            let length = found.end &- start
            guard opened, length > 0 else { continue }
            let range = start..<found.end
            if escape < 0, length >= JT808.minimumRunBytes, length <= JT808.maximumRunBytes {
                return .frame(Run(range: range, unescapedCount: -1))
            }
            if let step = complete(range, escape: escape, in: bytes) { return step }
        }
    }

    /// The bytes of a run that `next` has just returned, unescaped, without flags.
    @inlinable @inline(__always)
    @_lifetime(borrow self, copy bytes)
    public func contents(of run: Run, in bytes: Span<UInt8>) -> Span<UInt8> {
        run.wasEscaped ? unescaped(run) : bytes.extracting(run.range)
    }

    @inlinable
    @_lifetime(borrow self)
    func unescaped(_ run: Run) -> Span<UInt8> {
        scratch.span.extracting(0..<run.unescapedCount)
    }

    /// Decides what a run between two flags is that is escaped or of no frame's length; nil for a stray that is dropped in
    /// silence.
    @usableFromInline
    mutating func complete(_ range: Range<Int>, escape: Int, in bytes: Span<UInt8>) -> Step? {
        guard range.count > JT808.maximumSilentRunBytes else { return nil }
        guard range.count <= JT808.maximumRunBytes else { return .rejected(Self.tooLong(range.count), range) }
        var length = range.count
        if escape >= 0 {
            var target = scratch.mutableSpan
            length = ByteScan.unescape7D(
                bytes.extracting(range), firstEscape: escape - range.lowerBound, into: &target)
            guard length >= 0 else {
                let offset = -1 - length
                return .rejected(Self.badEscape(bytes.extracting(range), at: offset), range)
            }
        }
        guard length >= JT808.minimumRunBytes else { return .rejected(Self.tooShort(length), range) }
        return .frame(Run(range: range, unescapedCount: escape >= 0 ? length : -1))
    }

    /// Nothing is left to scan: keep an unfinished run, unless it can no longer become a frame.
    @usableFromInline
    func starved(_ count: Int, _ cursor: inout Cursor) -> Step {
        guard cursor.opened else {
            cursor.start = Int32(truncatingIfNeeded: count)
            cursor.scanned = cursor.start
            cursor.escape = -1
            return .needMore(droppable: count)
        }
        let start = Int(cursor.start)
        guard count - start <= JT808.maximumRunBytes else {
            cursor.opened = false
            cursor.start = Int32(truncatingIfNeeded: count)
            cursor.escape = -1
            return .rejected(Self.tooLong(count - start), start..<count)
        }
        return .needMore(droppable: start)
    }

    /// The terminal that the first good frame names.
    public mutating func speaker(in bytes: Span<UInt8>) -> TerminalID? {
        var cursor = Cursor()
        while true {
            switch next(in: bytes, at: &cursor) {
            case .frame(let run):
                if let frame = try? JT808Frame(checking: contents(of: run, in: bytes)) {
                    return frame.header.phone.terminal
                }
            case .rejected: continue
            case .needMore: return nil
            }
        }
    }

    /// Looks for the first good frame in bytes that nobody has looked at yet.
    public mutating func search(_ bytes: Span<UInt8>) -> FrameSearch {
        var cursor = Cursor()
        while true {
            switch next(in: bytes, at: &cursor) {
            case .frame(let run):
                if (try? JT808Frame(checking: contents(of: run, in: bytes))) != nil {
                    return .found(run.range.lowerBound - 1)
                }
            case .rejected: continue
            case .needMore(let droppable):
                // The flag before an unfinished run opens it.
                return .none(keepFrom: cursor.opened ? max(0, droppable - 1) : droppable)
            }
        }
    }

    private static func tooLong(_ count: Int) -> DecodeError {
        DecodeError(
            .badLength, protocolName: .jt808, field: "frame", offset: 0,
            expected: "at most \(JT808.maximumRunBytes) bytes between flags", found: "\(count)")
    }

    private static func tooShort(_ count: Int) -> DecodeError {
        DecodeError(
            .badLength, protocolName: .jt808, field: "frame", offset: 0,
            expected: "at least \(JT808.minimumRunBytes) bytes between flags", found: "\(count)")
    }

    private static func badEscape(_ run: Span<UInt8>, at offset: Int) -> DecodeError {
        let next = offset + 1 < run.count ? Hex.text(run.extracting(offset + 1..<offset + 2)) : "the end"
        return DecodeError(
            .badIntegrity, protocolName: .jt808, field: "escape", offset: offset + 1, expected: "7d01 or 7d02",
            found: "7d followed by \(next)")
    }
}
