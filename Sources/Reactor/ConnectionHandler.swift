/// What one event loop does with its connections. All calls come on the loop's own thread, one at a time, and must not block.
///
/// Calls on `loop` from inside a callback are allowed; closing is always carried out after the callback has returned, at the
/// end of the wake-up, so borrowed bytes stay valid during the call they came with.
public protocol ConnectionHandler: AnyObject {
    /// A connection was accepted or made, or a serial line was opened. One with a filter is opened once that is ready.
    func opened(_ connection: Connection, from origin: ConnectionOrigin, on loop: EventLoop)

    /// A filtered connection ended before its filter let bytes pass; there was no `opened` and there will be no `closed`.
    /// `detail` says why, for a log.
    func handshakeFailed(tag: UInt32, peer: SocketAddress, detail: String, on loop: EventLoop)

    /// Bytes arrived. `bytes` starts with what the previous call left and is valid during the call only.
    ///
    /// Returns how many bytes from the start were used. The rest is kept, up to `ReactorLimits.maximumPartialBytes`, and handed
    /// over again in front of the next bytes.
    func received(_ connection: Connection, bytes: Span<UInt8>, on loop: EventLoop) -> Int

    /// The peer has ended its side and may still read. True keeps the connection for writing until the handler closes it,
    /// false (the default) closes it once what is queued was offered to the socket.
    func keepsOpenAfterEndOfInput(_ connection: Connection, on loop: EventLoop) -> Bool

    /// The connection has ended; its handle is already stale. Called exactly once for every `opened`.
    func closed(_ connection: Connection, reason: CloseReason, on loop: EventLoop)

    /// The connection's timer is due (`EventLoop.setTimer`).
    func timer(_ connection: Connection, on loop: EventLoop)

    /// A timer of the handler itself is due (`EventLoop.schedule`).
    func timer(token: UInt64, on loop: EventLoop)

    /// A datagram arrived on `socket`; `bytes` is valid during the call only.
    func datagram(_ socket: Connection, from peer: SocketAddress, bytes: Span<UInt8>, on loop: EventLoop)

    /// A serial line was opened, waits for its next attempt or was removed.
    func serialLine(tag: UInt32, changedTo state: SerialLineState, on loop: EventLoop)

    /// Everything that was ready has been handed over; the writes made until now leave after this call. The place to pass on
    /// what was gathered during the wake-up as one batch. Called once more when connections were closed after it.
    func endOfWakeUp(on loop: EventLoop)

    /// `EventLoop.stop` was called: listeners are closed, and what had arrived before has been handed over. Nothing more is
    /// read; connections are still written to until `isDrained` or the deadline.
    func draining(on loop: EventLoop)

    /// True once no answer is outstanding any more. Asked at the end of each wake-up while draining.
    func isDrained(on loop: EventLoop) -> Bool

    /// The last call: all connections have been closed.
    func stopped(on loop: EventLoop)
}

extension ConnectionHandler {
    public func handshakeFailed(tag: UInt32, peer: SocketAddress, detail: String, on loop: EventLoop) {}
    public func keepsOpenAfterEndOfInput(_ connection: Connection, on loop: EventLoop) -> Bool { false }
    public func timer(_ connection: Connection, on loop: EventLoop) {}
    public func timer(token: UInt64, on loop: EventLoop) {}
    public func datagram(_ socket: Connection, from peer: SocketAddress, bytes: Span<UInt8>, on loop: EventLoop) {}
    public func serialLine(tag: UInt32, changedTo state: SerialLineState, on loop: EventLoop) {}
    public func endOfWakeUp(on loop: EventLoop) {}
    public func draining(on loop: EventLoop) {}
    public func isDrained(on loop: EventLoop) -> Bool { true }
    public func stopped(on loop: EventLoop) {}
}
