/// What a protocol sees in bytes of which nobody knows yet what they are.
public enum FrameSearch: Sendable, Equatable {
    /// A frame whose checksum is right, or for a protocol without one a well-formed frame with a known message, begins here.
    case found(Int)
    /// None is complete; bytes before this offset can never belong to one.
    case none(keepFrom: Int)
}
