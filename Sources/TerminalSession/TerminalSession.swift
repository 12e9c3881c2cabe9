public import TerminalModel

/// One connection's side of a protocol, free of any transport: bytes in, actions out.
///
/// A reactor, a TLS listener, a test and a simulator drive the same code. All calls of one session come from one thread.
public protocol TerminalSession: AnyObject {
    /// Reads what has arrived. `bytes` begins with what the last call left.
    ///
    /// - Returns: how many bytes from the start are used; the carrier hands the rest over again in front of the next.
    func receive(
        _ bytes: Span<UInt8>, now: Moment, scratch: inout SessionScratch, into actions: inout SessionActions
    ) -> Int

    /// Forgets how far the bytes kept by the carrier have been looked at: the next ones follow nothing.
    func restart()

    /// Says what became of a report or registration with this number.
    func resolve(request: UInt32, stored: Bool, isAlarm: Bool, now: Moment, into actions: inout SessionActions)

    /// Sends a command to a terminal of this connection, or lets it wait behind the one outstanding.
    func send(
        _ command: TerminalCommand, id: Int64, to terminal: TerminalID, expires: Int64, now: Moment,
        into actions: inout SessionActions)

    /// Does what is due: limits, repetitions, requests for missing packages.
    func timer(now: Moment, into actions: inout SessionActions)

    /// When `timer` should be called, in monotonic milliseconds. It may be called earlier without harm.
    var nextDeadline: Int64 { get }

    /// True while the session holds bytes that it has used and not yet read: `timer` will say what they are.
    var holdsBytes: Bool { get }

    /// True while an answer waits for `resolve`.
    var isAwaitingResult: Bool { get }

    /// The terminals that have spoken on this connection.
    var terminals: [TerminalID] { get }

    /// A newer connection has taken this terminal over.
    ///
    /// - Returns: true when no terminal is left and the connection should end.
    func displace(_ terminal: TerminalID) -> Bool

    /// The connection has ended: reports the commands that can no longer be answered.
    func end(into actions: inout SessionActions)
}

extension TerminalSession {
    public var holdsBytes: Bool { false }
}

/// Makes sessions by protocol: one line for each.
public enum TerminalSessions {
    /// The protocols that are served.
    public static let protocols: [ProtocolName] = [.dc09, .ev07b, .gt06, .jt808, .watch]

    /// A session for a place where these protocols may be spoken; with more than one, the bytes tell which.
    public static func make(
        _ protocols: [ProtocolName], environment: SessionEnvironment, bearer: Bearer, peer: PeerAddress, now: Moment
    ) -> any TerminalSession {
        if protocols.count == 1 {
            return make(protocols[0], environment: environment, bearer: bearer, peer: peer, now: now)
        }
        return DetectingSession(protocols, environment: environment, bearer: bearer, peer: peer, now: now)
    }

    public static func make(
        _ protocolName: ProtocolName, environment: SessionEnvironment, bearer: Bearer, peer: PeerAddress, now: Moment
    ) -> any TerminalSession {
        switch protocolName {
        case .dc09: DC09Session(environment: environment, bearer: bearer, peer: peer, now: now)
        case .ev07b: EV07BSession(environment: environment, bearer: bearer, peer: peer, now: now)
        case .gt06: GT06Session(environment: environment, bearer: bearer, peer: peer, now: now)
        case .jt808: JT808Session(environment: environment, bearer: bearer, peer: peer, now: now)
        case .watch: WatchSession(environment: environment, bearer: bearer, peer: peer, now: now)
        }
    }
}
