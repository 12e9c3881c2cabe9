public import TerminalModel

/// Finds frames in a stream of bytes that the caller keeps.
///
/// No byte inside a frame is a control character, so that every frame is a line: it ends at the first CR, LF or DC4. A frame
/// that was cut ends where the next one begins and costs only itself. A line that does not begin like a frame is refused; empty
/// ones are passed over.
///
///     loop: switch framer.next(in: bytes, at: &cursor)
///       .frame(range):  use bytes.extracting(range) before the next call
///       .rejected(..):  count it
///       .needMore(n):   drop the first n bytes, cursor.dropped(n), read more, call again with the longer buffer
///
/// Time is linear however the bytes arrive. Source: section 1.1.
public struct DC09Framer: Sendable {
    public init() {}

    /// How far one connection's bytes have been looked at.
    public struct Cursor: Sendable, Equatable {
        /// The first byte that belongs to no line yet.
        fileprivate var start: Int32 = 0
        /// No line ends before this byte.
        fileprivate var scanned: Int32 = 0
        /// The line in hand is noise that has been refused.
        fileprivate var isNoisy = false
        /// False when no byte of an unfinished line is waiting.
        public fileprivate(set) var isBetweenFrames = true

        public init() {}

        /// Tells the cursor that the caller took the first `count` bytes away.
        public mutating func dropped(_ count: Int) {
            start -= Int32(truncatingIfNeeded: count)
            scanned -= Int32(truncatingIfNeeded: count)
        }

        fileprivate mutating func begin(at offset: Int, noisy: Bool = false) {
            start = Int32(truncatingIfNeeded: offset)
            scanned = start
            isNoisy = noisy
            isBetweenFrames = true
        }
    }

    public enum Step: Sendable {
        /// Nothing complete is left; the first `droppable` bytes are no longer needed.
        case needMore(droppable: Int)
        /// One line that begins like a frame, with the LF before it and the CR behind it.
        case frame(Range<Int>)
        /// A line, or more of one than a frame can have, that begins like no frame.
        indirect case rejected(DecodeError, Range<Int>)
    }

    /// Goes on to the next thing in `bytes`, which begin where the bytes of the last call began, less those dropped.
    ///
    /// - Parameters:
    ///   - bytes: below 2 GiB; a receive buffer is far smaller.
    ///   - isComplete: nothing follows, as in a datagram or a recorded frame: a line needs no end.
    public func next(in bytes: Span<UInt8>, at cursor: inout Cursor, isComplete: Bool = false) -> Step {
        while true {
            if !cursor.isNoisy {
                let start = Self.lineStart(in: bytes, from: Int(cursor.start))
                if start > Int(cursor.start) { cursor.begin(at: start) }
            }
            let start = Int(cursor.start)
            let hasLineFeed = !cursor.isNoisy && start < bytes.count && bytes[start] == DC09.lineFeed
            let text = hasLineFeed ? start + 1 : start
            var end = max(Int(cursor.scanned), text)
            while end < bytes.count, !Self.endsLine(bytes[end]) { end += 1 }
            cursor.scanned = Int32(truncatingIfNeeded: end)
            guard end < bytes.count || isComplete && text < end else {
                return wait(in: bytes, start: start, text: text, at: &cursor)
            }
            let isNoisy = cursor.isNoisy
            // CR belongs to the line that it ends, LF to the next one.
            let next = end < bytes.count && bytes[end] != DC09.lineFeed ? end + 1 : end
            cursor.begin(at: next)
            if isNoisy { continue }
            if Self.mayBegin(bytes, text..<end, isWhole: true) { return .frame(start..<next) }
            return .rejected(Self.noise(bytes.extracting(text..<end)), start..<next)
        }
    }

    /// Looks for the first good frame in bytes that nobody has looked at yet.
    public func search(_ bytes: Span<UInt8>) -> FrameSearch {
        var cursor = Cursor()
        while true {
            switch next(in: bytes, at: &cursor) {
            case .frame(let range):
                if (try? DC09Frame(checking: bytes.extracting(range))) != nil { return .found(range.lowerBound) }
            case .rejected: continue
            case .needMore(let droppable): return .none(keepFrom: droppable)
            }
        }
    }

    /// The panel that the good frame at the start of `bytes` names; nil when it names none.
    public static func speaker(in bytes: Span<UInt8>) -> TerminalID? {
        var cursor = Cursor()
        guard case .frame(let range) = DC09Framer().next(in: bytes, at: &cursor, isComplete: true),
            let frame = try? DC09Frame(checking: bytes.extracting(range))
        else { return nil }
        return frame.header.terminal
    }

    // MARK: - Lines

    /// What is there of an unfinished line is kept while it may become a frame.
    private func wait(in bytes: Span<UInt8>, start: Int, text: Int, at cursor: inout Cursor) -> Step {
        if cursor.isNoisy {
            cursor.begin(at: bytes.count, noisy: true)
            return .needMore(droppable: bytes.count)
        }
        guard text < bytes.count else {
            cursor.isBetweenFrames = true
            return .needMore(droppable: start)
        }
        guard Self.mayBegin(bytes, text..<bytes.count, isWhole: false), bytes.count - start <= DC09.maximumFrameBytes
        else {
            cursor.begin(at: bytes.count, noisy: true)
            return .rejected(Self.noise(bytes.extracting(text..<bytes.count)), start..<bytes.count)
        }
        cursor.isBetweenFrames = false
        return .needMore(droppable: start)
    }

    private static func endsLine(_ byte: UInt8) -> Bool {
        byte == DC09.carriageReturn || byte == DC09.lineFeed || byte == DC09.deviceControl4
    }

    /// The first byte at or after `from` that is no end of a line, or the LF before it.
    private static func lineStart(in bytes: Span<UInt8>, from: Int) -> Int {
        var start = from
        while start < bytes.count, endsLine(bytes[start]) { start += 1 }
        return start > from && bytes[start - 1] == DC09.lineFeed ? start - 1 : start
    }

    /// True when the line begins like a frame as far as it is there: eight hexadecimal digits and a quotation mark, or 16 digits.
    private static func mayBegin(_ bytes: Span<UInt8>, _ line: Range<Int>, isWhole: Bool) -> Bool {
        var digits = 0
        while digits < line.count, DC09Text.digit(bytes[line.lowerBound + digits]) != nil { digits += 1 }
        if digits < line.count {
            if digits == DC09.prefixByteCount { return bytes[line.lowerBound + digits] == 0x22 }
            return digits == DC09.lineByteCount && line.count == digits
        }
        return isWhole ? DC09Text.isLine(bytes, line) : digits <= DC09.lineByteCount
    }

    private static func noise(_ line: Span<UInt8>) -> DecodeError {
        DC09Frame.refusal(
            .notThisProtocol, "frame", 0, "eight hexadecimal digits and a quotation mark, or 16 digits",
            "\"\(DC09Text.shown(line.extracting(first: 24)))\"")
    }
}
