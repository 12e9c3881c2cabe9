public import TerminalModel
public import WireBytes

/// One frame whose markers, length and checksum have been checked.
///
///     start 1 | length 1 | message 1 | body n | checksum 2 BE | end 1
///
/// What the length counts. Source: section 0.
public struct TemplateFrame: ~Escapable {
    @usableFromInline
    enum Field {
        @inlinable static var length: Int { 1 }
        @inlinable static var message: Int { 2 }
    }

    public let bytes: Span<UInt8>

    /// The only door: envelope before content (length, markers, integrity); after it no accessor fails.
    @inlinable
    @_lifetime(copy bytes)
    public init(checking bytes: Span<UInt8>) throws(DecodeError) {
        self.bytes = bytes
    }

    public var body: Span<UInt8> {
        @_lifetime(copy self) get { bytes }
    }
}
