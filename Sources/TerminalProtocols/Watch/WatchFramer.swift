import TerminalModel
import WireBytes

/// Finds frames in a stream of bytes that the caller keeps, and repairs lengths that the header declares wrongly.
///
/// A frame ends where its length says when a `]` stands there. Where none does, it ends at the first `]` behind which a frame
/// can begin; and where another frame begins before that, the earlier one was cut and is refused. Brackets in network names
/// are therefore no ends, and a frame that was cut costs only itself.
///
///     loop: switch framer.next(in: bytes, at: &cursor)
///       .frame(range):  use bytes.extracting(range) before the next call
///       .rejected(..):  count it
///       .needMore(n):   drop the first n bytes, cursor.dropped(n), read more, call again with the longer buffer
///
/// Time is linear however the bytes arrive. Source: section 2.
public struct WatchFramer: Sendable {
    public init() {}

    /// How far one connection's bytes have been looked at.
    public struct Cursor: Sendable, Equatable {
        /// The first byte that belongs to no frame yet.
        fileprivate var start: Int32 = 0
        /// No end of the frame in hand stands before this byte.
        fileprivate var scanned: Int32 = 0
        /// The noise that is being passed over has been refused once.
        fileprivate var isNoisy = false
        /// False when no byte of an unfinished frame is waiting.
        public fileprivate(set) var isBetweenFrames = true
        /// True when the bytes that wait are a frame if nothing follows them: its length is declared too long, say.
        public fileprivate(set) var mayBeComplete = false

        public init() {}

        /// Tells the cursor that the caller took the first `count` bytes away.
        public mutating func dropped(_ count: Int) {
            start -= Int32(truncatingIfNeeded: count)
            scanned -= Int32(truncatingIfNeeded: count)
        }

        fileprivate mutating func begin(at offset: Int, noisy: Bool) {
            start = Int32(truncatingIfNeeded: offset)
            scanned = start
            isNoisy = noisy
            isBetweenFrames = true
            mayBeComplete = false
        }
    }

    public enum Step: Sendable {
        /// Nothing complete is left; the first `droppable` bytes are no longer needed.
        case needMore(droppable: Int)
        /// One frame, brackets included.
        case frame(Range<Int>)
        /// Bytes that are no frame, or a frame that was cut.
        indirect case rejected(DecodeError, Range<Int>)
    }

    /// Goes on to the next thing in `bytes`, which begin where the bytes of the last call began, less those dropped.
    ///
    /// - Parameters:
    ///   - bytes: below 2 GiB; a receive buffer is far smaller.
    ///   - isComplete: nothing follows, or nothing has followed for a while: `]` at the end is the end of a frame whatever
    ///     its length says. True for a datagram and for a recorded frame.
    public func next(in bytes: Span<UInt8>, at cursor: inout Cursor, isComplete: Bool = false) -> Step {
        let noise = Int(cursor.start)
        let (start, reading) = Self.header(in: bytes, from: noise)
        if !cursor.isNoisy, let range = Self.noise(in: bytes, noise..<start) {
            cursor.begin(at: start, noisy: true)
            return .rejected(Self.noiseError(in: bytes, range), range)
        }
        if start > noise { cursor.begin(at: start, noisy: cursor.isNoisy) }
        guard case .header(let header, let size) = reading else {
            cursor.isBetweenFrames = start == bytes.count
            return .needMore(droppable: start)
        }
        let frame = Outline(
            content: start + size, declaredEnd: start + size + Int(header.declaredLength), isComplete: isComplete)
        let end = frame.end(in: bytes, scanned: &cursor.scanned)
        switch end {
        case .frame(let close):
            cursor.begin(at: close + 1, noisy: false)
            return .frame(start..<close + 1)
        case .cut(let next):
            cursor.begin(at: next, noisy: false)
            return .rejected(Self.cutError(header, found: next - start - size), start..<next)
        case .unknown(let mayBeComplete):
            guard bytes.count - start <= Watch.maximumFrameBytes else {
                cursor.begin(at: start + 1, noisy: true)
                return .rejected(Self.tooLong(bytes.count - start), start..<bytes.count)
            }
            cursor.isBetweenFrames = false
            cursor.mayBeComplete = mayBeComplete
            return .needMore(droppable: start)
        }
    }

    /// Looks for the first good frame in bytes that nobody has looked at yet. Without a checksum that is one whose length is
    /// right, or a position or an alarm whatever its length says; one whose length is declared too long counts too, since
    /// nothing may follow it and its session knows to wait for silence.
    public func search(_ bytes: Span<UInt8>) -> FrameSearch {
        var cursor = Cursor()
        while true {
            switch next(in: bytes, at: &cursor) {
            case .frame(let range):
                guard let frame = try? WatchFrame(checking: bytes.extracting(range)),
                    let packet = try? WatchCodec.decode(frame)
                else { continue }
                let isKnown = WatchKeyword.family(packet.message.keyword.utf8) != .other
                if frame.lengthMismatch == 0 || isKnown { return .found(range.lowerBound) }
            case .rejected: continue
            case .needMore(let droppable):
                guard cursor.mayBeComplete, case .header(_, let size) = WatchHeader.read(bytes, at: droppable),
                    case let content = droppable + size, bytes.count - content >= 2,
                    WatchKeyword.family(bytes[content], bytes[content + 1]) != .other
                else { return .none(keepFrom: droppable) }
                return .found(droppable)
            }
        }
    }

    // MARK: - Between frames

    /// The first header at or after `from`, or one that is not all there; `bytes.count` when there is neither.
    private static func header(in bytes: Span<UInt8>, from: Int) -> (start: Int, WatchHeader.Reading?) {
        var start = from
        while start < bytes.count {
            if bytes[start] == Watch.open {
                let reading = WatchHeader.read(bytes, at: start)
                switch reading {
                case .header, .incomplete: return (start, reading)
                case .impossible: break
                }
            }
            start += 1
        }
        return (start, nil)
    }

    /// The part of `range` that is worth an error, nil when only white space is there.
    private static func noise(in bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int>? {
        range.contains { bytes[$0] > 0x20 } ? range : nil
    }

    private static func noiseError(in bytes: Span<UInt8>, _ range: Range<Int>) -> DecodeError {
        for offset in range where bytes[offset] == Watch.open {
            guard case .impossible(let at, let expected) = WatchHeader.read(bytes, at: offset) else { continue }
            return WatchFrame.refusal(
                .notThisProtocol, "header", offset - range.lowerBound + at, expected,
                "byte " + Hex.number(bytes[offset + at], digits: 2))
        }
        return WatchFrame.refusal(
            .notThisProtocol, "open", 0, "a bracket [", "byte " + Hex.number(bytes[range.lowerBound], digits: 2))
    }

    private static func cutError(_ header: WatchHeader, found: Int) -> DecodeError {
        WatchFrame.refusal(
            .badLength, "content", 0, "\(header.declaredLength) bytes and a bracket ]",
            "another frame after \(found)")
    }

    private static func tooLong(_ count: Int) -> DecodeError {
        WatchFrame.refusal(
            .badLength, "frame", 0, "a bracket ] within \(Watch.maximumFrameBytes) bytes", "none in \(count)")
    }
}

/// Where a frame begins and should end.
private struct Outline {
    enum End {
        /// The `]` that ends the frame.
        case frame(Int)
        /// The `[` of the frame that follows one that was cut.
        case cut(next: Int)
        case unknown(mayBeComplete: Bool)
    }

    private enum Follower {
        case frame
        case tooEarlyToTell
        case other
    }

    private static let maximumWhiteSpaceBytes = 16

    let content: Int
    let declaredEnd: Int
    let isComplete: Bool

    func end(in bytes: Span<UInt8>, scanned: inout Int32) -> End {
        let hasDeclaredEnd = declaredEnd < bytes.count && bytes[declaredEnd] == Watch.close
        if hasDeclaredEnd, declaredEnd + 1 == bytes.count || Self.mayFollow(bytes[declaredEnd + 1]) {
            return swallowed(in: bytes).map { .cut(next: $0) } ?? .frame(declaredEnd)
        }
        var offset = max(Int(scanned), content)
        while offset < bytes.count {
            switch bytes[offset] {
            case Watch.open:
                switch WatchHeader.read(bytes, at: offset) {
                case .header: return hasDeclaredEnd && declaredEnd < offset ? .frame(declaredEnd) : .cut(next: offset)
                case .incomplete where !isComplete:
                    scanned = Int32(truncatingIfNeeded: offset)
                    return .unknown(mayBeComplete: hasDeclaredEnd)
                case .incomplete, .impossible: break
                }
            case Watch.close:
                switch follower(of: offset, in: bytes) {
                case .frame: return .frame(offset)
                case .tooEarlyToTell where isComplete: return .frame(offset)
                case .tooEarlyToTell:
                    scanned = Int32(truncatingIfNeeded: offset)
                    return .unknown(mayBeComplete: true)
                case .other: break
                }
            default: break
            }
            offset += 1
        }
        scanned = Int32(truncatingIfNeeded: offset)
        // Behind the `]` stands something that does not belong there.
        return isComplete && hasDeclaredEnd ? .frame(declaredEnd) : .unknown(mayBeComplete: hasDeclaredEnd)
    }

    /// The first header inside the frame when one of those there belongs to a frame that ends at the same `]`: then this frame
    /// was cut and its length ends there by accident. A header in a network name ends elsewhere.
    private func swallowed(in bytes: Span<UInt8>) -> Int? {
        var first: Int?
        var offset = content
        while true {
            offset = ByteScan.find(Watch.open, marking: Watch.open, in: bytes, from: offset).end
            guard offset < declaredEnd else { return nil }
            if case .header(let header, let size) = WatchHeader.read(bytes, at: offset) {
                first = first ?? offset
                if offset + size + Int(header.declaredLength) == declaredEnd { return first }
            }
            offset += 1
        }
    }

    /// White space, and the zero that some firmware ends its text with.
    private static func mayFollow(_ byte: UInt8) -> Bool {
        byte == Watch.open || byte <= 0x20
    }

    /// What stands behind the `]` at `close`, which the length does not point to.
    ///
    /// Once as many bytes are there as were declared, the end of the bytes and the end of a line will do. Before that, a
    /// network name is more likely, so that only a whole header will.
    private func follower(of close: Int, in bytes: Span<UInt8>) -> Follower {
        let isDue = close >= declaredEnd
        var next = close + 1
        if isDue, next < bytes.count, bytes[next] < 0x20 { return .frame }
        while next < bytes.count, bytes[next] <= 0x20 {
            next += 1
            // So much of it stands in no name, and it must not be looked at again for every byte that follows.
            if next - close - 1 > Self.maximumWhiteSpaceBytes { return .frame }
        }
        guard next < bytes.count else { return isDue && next == close + 1 ? .frame : .tooEarlyToTell }
        guard bytes[next] == Watch.open else { return .other }
        switch WatchHeader.read(bytes, at: next) {
        case .header: return .frame
        case .incomplete: return isDue && next == close + 1 ? .frame : .tooEarlyToTell
        case .impossible: return isDue && next == close + 1 ? .frame : .other
        }
    }
}
