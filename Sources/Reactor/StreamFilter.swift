/// What stands between the socket of one stream and the handler and changes the bytes in between: TLS is one.
///
/// Made, called and given up on the loop's thread alone; it must not block.
public protocol StreamFilter: AnyObject {
    /// Takes what has come from the peer.
    func received(_ bytes: Span<UInt8>, into step: inout FilterStep)

    /// Takes what the handler wants the peer to read. Called only once the filter is ready.
    func send(_ bytes: Span<UInt8>, into step: inout FilterStep)

    /// The connection ends: a last word to the peer, and the filter gives back what it holds. No call follows.
    func end(into step: inout FilterStep)
}

/// Gives each connection of a listener its filter.
public protocol StreamFilterSource: AnyObject, Sendable {
    /// Called on a loop's thread when it begins to listen; what it returns is called there for each connection. One for which
    /// nil comes back is refused.
    func makeFilters() -> () -> (any StreamFilter)?
}

/// What a filter has to say after one call, gathered and then carried out by the loop.
public struct FilterStep: Sendable {
    /// Bytes for the handler, in order.
    public var inward: [UInt8] = []
    /// Bytes for the peer, in order.
    public var outward: [UInt8] = []
    /// The handshake is over: bytes may pass and the handler gets to know the connection.
    public var isReady = false
    /// The peer has said that nothing more follows from it.
    public var inputEnded = false
    /// Why the stream cannot go on; what stands in `outward` is still offered to the peer.
    public var failure: String?

    public init() {}
}
