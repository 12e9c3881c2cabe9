public import TerminalModel

/// Names the session and the request inside it that a result belongs to; the pipeline only carries it back.
public struct ReplyTicket: Hashable, Sendable {
    /// Index of the reactor thread.
    public var loop: UInt16
    /// The connection's generation-tagged handle.
    public var connection: UInt64
    /// The session's own number for the request.
    public var request: UInt32

    public init(loop: UInt16, connection: UInt64, request: UInt32) {
        self.loop = loop
        self.connection = connection
        self.request = request
    }
}

/// What reactor threads hand to the pipeline, in batches.
public enum IngestItem: Sendable {
    /// A decoded event. The result tells whether it may be acknowledged to the terminal (promise P1).
    case report(InboundReport, ReplyTicket)
    /// A terminal registered: this digest of its new authentication code must be stored before it hears the code.
    case registration(TerminalRegistration, ReplyTicket)
    /// A terminal used the code with this digest: from now on it is the only good one.
    case authenticated(TerminalID, digest: [UInt8], at: Moment)
    /// A terminal was identified on a connection; waiting commands may go out.
    case online(TerminalID, Bearer, peer: PeerAddress, protocolName: ProtocolName, at: Moment)
    case offline(TerminalID, Bearer, reason: String, at: Moment)
    /// How a command that was handed to a session stands now.
    case command(id: Int64, outcome: CommandOutcome, at: Moment)
}

/// What became of an item that carried a ticket.
public struct IngestResult: Sendable, Equatable {
    public enum Outcome: Sendable, Equatable {
        /// On disk as the policy asks: acknowledge.
        case stored
        /// Not on disk: say nothing, the terminal will send again.
        case failed
    }

    public var ticket: ReplyTicket
    public var outcome: Outcome
    /// The report opened or concerns a life-safety incident: protocols that can say "alarm taken" say it.
    public var isAlarm: Bool

    public init(ticket: ReplyTicket, outcome: Outcome, isAlarm: Bool = false) {
        self.ticket = ticket
        self.outcome = outcome
        self.isAlarm = isAlarm
    }
}

/// A command on its way to whichever session holds the terminal.
public struct DownlinkOrder: Sendable, Equatable {
    /// The row of the command; outcomes name it.
    public var id: Int64
    public var terminal: TerminalID
    public var command: TerminalCommand
    /// After this moment on the monotonic clock the session must not send it any more.
    public var expiresMonotonicMilliseconds: Int64
    /// Where the terminal was heard last: the order goes there and nowhere else (promise P6). Nil leaves it to the plane.
    public var bearer: Bearer?

    public init(
        id: Int64, terminal: TerminalID, command: TerminalCommand, expiresMonotonicMilliseconds: Int64,
        bearer: Bearer? = nil
    ) {
        self.bearer = bearer
        self.id = id
        self.terminal = terminal
        self.command = command
        self.expiresMonotonicMilliseconds = expiresMonotonicMilliseconds
    }
}

/// The way back from the pipeline to the reactor threads; called on the pipeline's thread, must not block.
public protocol TerminalPlane: Sendable {
    func deliver(_ results: [IngestResult])
    func deliver(_ orders: [DownlinkOrder])
}

/// Words for the end of a connection that the gateway itself brought about: no sign of trouble with the network.
public enum OfflineReason {
    public static let gatewayStops = "gateway stops"
    public static let portClosed = "the port was closed"

    static let ours: Set<String> = [gatewayStops, portClosed]
}
