import TerminalModel
import TerminalProtocols

/// A session where any of several protocols may be spoken.
///
/// Nothing but a good frame decides: the protocol of the first one gets the connection, with all bytes from that frame on. As
/// long as its frames come, its session has the bytes to itself and detection costs nothing. When a read brings bytes that are
/// none of its frames, all protocols look again, so that a wrong guess ends at the next good frame of the right one.
///
/// The bytes looked at are those that the carrier keeps anyway: none are copied.
final class DetectingSession: TerminalSession {
    /// Bytes without a good frame of any protocol that are looked at together; a longer frame cannot be the first.
    static let maximumUndecidedBytes = 4096
    /// The same once a protocol was found, whose frames may be longer; the carrier's own limit is below.
    static let maximumUnfinishedBytes = 1 << 20

    private let protocols: [ProtocolName]
    private let environment: SessionEnvironment
    private let bearer: Bearer
    private let peer: PeerAddress
    private var deadlines: SessionDeadlines
    private var chosen: (name: ProtocolName, session: any TerminalSession)?
    /// False while bytes have come that are no frames of the chosen protocol.
    private var isDecided = false

    init(
        _ protocols: [ProtocolName], environment: SessionEnvironment, bearer: Bearer, peer: PeerAddress, now: Moment
    ) {
        self.protocols = protocols
        self.environment = environment
        self.bearer = bearer
        self.peer = peer
        deadlines = SessionDeadlines(openedAt: now.monotonicMilliseconds)
    }

    func receive(
        _ bytes: Span<UInt8>, now: Moment, scratch: inout SessionScratch, into actions: inout SessionActions
    ) -> Int {
        if isDecided, let session = chosen?.session {
            let before = actions.frameCount
            let used = session.receive(bytes, now: now, scratch: &scratch, into: &actions)
            if actions.frameCount > before || session.holdsBytes { return used }
            session.restart()
            isDecided = false
        }
        return decide(bytes, now: now, scratch: &scratch, into: &actions)
    }

    /// Gives the connection to the protocol whose good frame comes first.
    private func decide(
        _ bytes: Span<UInt8>, now: Moment, scratch: inout SessionScratch, into actions: inout SessionActions
    ) -> Int {
        let (found, keepFrom) = scratch.recognise(bytes, among: protocols)
        guard let (winner, first) = found else {
            let limit = chosen == nil ? Self.maximumUndecidedBytes : Self.maximumUnfinishedBytes
            let kept = min(bytes.count - keepFrom, limit)
            deadlines.waitsForRest(kept > 0, now: now.monotonicMilliseconds)
            if kept < bytes.count { actions.refusals.append(noise(bytes.count - kept)) }
            return bytes.count - kept
        }
        deadlines.waitsForRest(false, now: now.monotonicMilliseconds)
        isDecided = true
        let session = session(of: winner, now: now, into: &actions)
        if first > 0 { actions.refusals.append(noise(first)) }
        return first
            + session.receive(bytes.extracting(first..<bytes.count), now: now, scratch: &scratch, into: &actions)
    }

    /// The session that speaks this protocol here; another one's ends.
    private func session(
        of name: ProtocolName, now: Moment, into actions: inout SessionActions
    ) -> any TerminalSession {
        actions.detected = name
        if let chosen {
            if chosen.name == name { return chosen.session }
            for terminal in chosen.session.terminals { actions.requests.append(.left(terminal)) }
            chosen.session.end(into: &actions)
        }
        let session = TerminalSessions.make(name, environment: environment, bearer: bearer, peer: peer, now: now)
        chosen = (name, session)
        return session
    }

    private func noise(_ count: Int) -> DecodeError {
        DecodeError(
            .notThisProtocol, protocolName: chosen?.name ?? protocols.first ?? .jt808, field: "frame", offset: 0,
            expected: "a frame of a protocol that is served here", found: "\(count) other bytes")
    }

    func restart() {
        chosen?.session.restart()
        isDecided = false
        deadlines.forgetRest()
    }

    func resolve(request: UInt32, stored: Bool, isAlarm: Bool, now: Moment, into actions: inout SessionActions) {
        chosen?.session.resolve(request: request, stored: stored, isAlarm: isAlarm, now: now, into: &actions)
    }

    func send(
        _ command: TerminalCommand, id: Int64, to terminal: TerminalID, expires: Int64, now: Moment,
        into actions: inout SessionActions
    ) {
        guard let session = chosen?.session else {
            actions.requests.append(.command(id: id, outcome: .queued))
            return
        }
        session.send(command, id: id, to: terminal, expires: expires, now: now, into: &actions)
    }

    func timer(now: Moment, into actions: inout SessionActions) {
        let time = now.monotonicMilliseconds
        guard let session = chosen?.session else {
            if let reason = deadlines.due(environment.limits, now: time) { actions.close = reason }
            return
        }
        session.timer(now: now, into: &actions)
        if time >= deadlines.rest(environment.limits) { actions.close = .slowFrame }
    }

    /// Once something was found, its session knows when it was heard; here only bytes wait that are nobody's yet.
    var nextDeadline: Int64 {
        guard let session = chosen?.session else { return deadlines.next(environment.limits) }
        return min(session.nextDeadline, deadlines.rest(environment.limits))
    }

    var holdsBytes: Bool { chosen?.session.holdsBytes ?? false }

    var isAwaitingResult: Bool { chosen?.session.isAwaitingResult ?? false }

    var terminals: [TerminalID] { chosen?.session.terminals ?? [] }

    func displace(_ terminal: TerminalID) -> Bool { chosen?.session.displace(terminal) ?? true }

    func end(into actions: inout SessionActions) { chosen?.session.end(into: &actions) }
}
