public import TerminalModel
public import TerminalProtocols

/// What a session wants done, gathered over one call; the carrier does it and clears the lists.
///
/// One value is reused for all sessions of a thread, so that a frame costs no allocation here.
public struct SessionActions: Sendable {
    /// Bytes for the terminal, in order.
    public var output: [UInt8] = []
    /// Things for the pipeline, in order.
    public var requests: [SessionRequest] = []
    /// Frames or stray bytes that were refused, for counters and the rate-limited log.
    public var refusals: [DecodeError] = []
    /// Frames whose check was right, also those whose content could not be read.
    public var frameCount = 0
    /// Set when it became known which protocol is spoken here.
    public var detected: ProtocolName?
    /// Set when the connection is of no more use; what stands in `output` is still sent.
    public var close: SessionCloseReason?

    public init() {}

    public mutating func clear() {
        output.removeAll(keepingCapacity: true)
        requests.removeAll(keepingCapacity: true)
        refusals.removeAll(keepingCapacity: true)
        frameCount = 0
        detected = nil
        close = nil
    }
}

/// What a session asks of the pipeline or tells it.
public enum SessionRequest: Sendable {
    /// A decoded event; with a number the session waits for `resolve` before it acknowledges.
    case report(InboundReport, request: UInt32?)
    /// A new authentication code must be stored before the terminal hears it.
    case register(TerminalRegistration, request: UInt32)
    /// The terminal used this code: the other one is void.
    case authenticated(TerminalID, digest: [UInt8])
    /// A terminal speaks on this connection for the first time.
    case identified(TerminalID)
    /// A terminal that was identified speaks here no more, though the connection goes on.
    case left(TerminalID)
    /// How a command stands.
    case command(id: Int64, outcome: CommandOutcome)
    /// A frame of a terminal whose body cannot be read although an alarm may be inside.
    case unreadable(TerminalID, DecodeError)
}

/// Why a session ends its connection; the raw values are the codes handed to the carrier.
public enum SessionCloseReason: UInt16, Sendable, CaseIterable {
    /// No valid frame within the first-frame limit.
    case noFirstFrame = 1
    /// A frame was begun and not completed in time.
    case slowFrame
    /// Nothing valid was heard for the idle limit.
    case idle
    /// Unknown terminals are refused here.
    case unknownTerminal
    /// The terminal is connected on a newer connection of the same bearer.
    case displaced

    /// The name in logs and on the status socket.
    public var name: String {
        switch self {
        case .noFirstFrame: "no_first_frame"
        case .slowFrame: "slow_frame"
        case .idle: "idle"
        case .unknownTerminal: "unknown_terminal"
        case .displaced: "displaced"
        }
    }
}
