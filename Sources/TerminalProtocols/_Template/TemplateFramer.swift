/// Finds frames in a stream of bytes that the caller keeps, without copying.
///
/// A marker, a possible length, that many bytes and the right checksum make a frame; on any failure the search goes on one
/// byte later. Noise is silent; bytes that looked like a frame and had a wrong checksum cost one error. Time is linear in the
/// bytes however they arrive, because no frame is longer than `Template.maximumLength`: where frames may be long, say here what
/// bounds the work (EV07B and GT06 spend credit). Source: section 1.
public struct TemplateFramer: Sendable {
    /// How far one connection's bytes have been looked at.
    public struct Cursor: Sendable, Equatable {
        /// Where the next frame may begin.
        fileprivate var start = 0
        /// Failures in front of this place belong to an error that has been reported.
        fileprivate var reported = 0

        public init() {}

        /// Tells the cursor that the caller took the first `count` bytes away.
        public mutating func dropped(_ count: Int) {
            start -= count
            reported = max(0, reported - count)
        }
    }

    public enum Step: Sendable {
        /// Nothing complete is left; the first `droppable` bytes are no longer needed.
        case needMore(droppable: Int)
        /// A frame whose checksum is right.
        case frame(Range<Int>)
        /// Bytes that began like a frame and are none.
        indirect case rejected(DecodeError, Range<Int>)
    }

    public init() {}

    /// Goes on to the next thing in `bytes`, which begin where the bytes of the last call began, less those dropped.
    public func next(in bytes: Span<UInt8>, at cursor: inout Cursor) -> Step {
        while cursor.start < bytes.count {
            let start = cursor.start
            guard bytes[start] == Template.startMarker else {
                cursor.start += 1
                continue
            }
            guard bytes.count - start >= 2 else { break }
            let length = Int(bytes[start + TemplateFrame.Field.length])
            guard length >= Template.minimumLength, length <= Template.maximumLength else {
                cursor.start += 1
                continue
            }
            let count = length + Template.envelopeByteCount
            guard count <= bytes.count - start else { break }
            if let step = complete(bytes.extracting(start..<start + count), start..<start + count, &cursor) {
                return step
            }
        }
        return .needMore(droppable: cursor.start)
    }

    /// Decides on bytes that are long enough; nil for a failure inside bytes that were reported already.
    private func complete(_ bytes: Span<UInt8>, _ range: Range<Int>, _ cursor: inout Cursor) -> Step? {
        do {
            _ = try TemplateFrame(checking: bytes)
            cursor.start = range.upperBound
            return .frame(range)
        } catch {
            cursor.start += 1
            guard range.lowerBound >= cursor.reported else { return nil }
            cursor.reported = range.upperBound
            return .rejected(error, range)
        }
    }

    /// Looks for the first good frame in bytes that nobody has looked at yet: how a detecting port recognises the protocol.
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
}
