public import TerminalModel
public import WireBytes

/// Finds frames in a stream of bytes that the caller keeps.
///
/// Source: section 0. Say here: what starts and ends a frame, what is noise, what costs an error and what is silent, and that
/// time is linear however the bytes arrive.
public struct TemplateFramer: ~Copyable {
    /// How far one connection's bytes have been looked at.
    public struct Cursor: Sendable, Equatable {
        public init() {}
        /// Tells the cursor that the caller took the first `count` bytes away.
        public mutating func dropped(_ count: Int) {}
    }

    public enum Step: Sendable {
        /// Nothing complete is left; the first `droppable` bytes are no longer needed.
        case needMore(droppable: Int)
        case frame(Range<Int>)
        indirect case rejected(DecodeError, Range<Int>)
    }

    public mutating func next(in bytes: Span<UInt8>, at cursor: inout Cursor) -> Step {
        .needMore(droppable: 0)
    }

    /// Looks for the first good frame in bytes that nobody has looked at yet: how a detecting port recognises the protocol.
    public mutating func search(_ bytes: Span<UInt8>) -> FrameSearch {
        .none(keepFrom: bytes.count)
    }
}
