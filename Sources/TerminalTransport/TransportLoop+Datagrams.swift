import AlarmPipeline
import CoreMetrics
import GatewayTelemetry
import Reactor
import TerminalModel
import TerminalProtocols
import TerminalSession

/// Terminals over UDP. One that has sent a good frame is served like a connection until it has been silent for the idle limit;
/// anybody else leaves no trace but a counter. Where frames name their terminal, each of several behind one address has a session
/// of its own; else the address tells who speaks.
///
/// Where frames do not name their terminal (GT06, parts of EV07B) an address is one terminal's from its login until the idle limit,
/// however late the sweep comes by: an address that changes hands within it cannot be told from the terminal that had it. An
/// alarm from an address that is nobody's is handed on as that of an unknown terminal, and its sender stays unknown.
///
/// A terminal that comes from another address, as behind a carrier's address translation, is met anew: it displaces its old
/// session, so that answers and commands go only where its last good frame came from, and it has to prove itself again.
extension TransportLoop {
    /// How often some of the peers are asked whether they are due. All of them in turn take `sweepMilliseconds`; what is due
    /// earlier, such as the repetition of a command, has a timer of its own.
    private static let sweepStepMilliseconds: Int64 = 500
    private static let sweepMilliseconds: Int64 = 30_000
    private static let sweepToken: UInt64 = 0

    func datagram(_ socket: Connection, from address: SocketAddress, bytes: Span<UInt8>, on loop: EventLoop) {
        // A loop has few ports; a search is quicker than a hash.
        guard let tag = sources.first(where: { $0.value == socket })?.key, let listener = listeners[tag] else { return }
        metrics.bytesReceived[.udp].increment(by: bytes.count)
        let peer = PeerAddress(address)
        guard let found = scratch.recognise(bytes, among: listener.protocols).found else {
            // What is no frame may still say something to the session of a peer that is known, such as an alarm cut short.
            guard let handle = flows.find(peer, on: socket) else {
                if capture != nil { captureStray(bytes, peer, listener) }
                return stray(on: loop)
            }
            return serve(handle, bytes, on: loop)
        }
        let named = scratch.speaker(in: bytes.extracting(found.start..<bytes.count), of: found.name)
        let known = named.map { place(of: $0, peer, socket) } ?? stillSpeaking(at: peer, socket, on: loop)
        if let known, let slot = slot(known) {
            guard slot.protocolName != found.name else { return serve(known, bytes, on: loop) }
            end(known, (metric: "replaced", shown: "speaks \(found.name.rawValue) now"), on: loop)
        }
        meet(peer, socket, bytes, found.name, isNamed: named != nil, on: loop)
    }

    /// The session of a terminal that speaks from this very address. Several terminals may share one.
    private func place(of terminal: TerminalID, _ peer: PeerAddress, _ socket: Connection) -> SessionHandle? {
        guard let handle = places[terminal, .udp], let slot = slot(handle), slot.peer == peer, slot.socket == socket
        else {
            return nil
        }
        return handle
    }

    /// The session of an address, unless it is over: a terminal that is silent for the idle limit has left the address, even
    /// where the sweep has not come by yet.
    private func stillSpeaking(at peer: PeerAddress, _ socket: Connection, on loop: EventLoop) -> SessionHandle? {
        guard let handle = flows.find(peer, on: socket), let slot = slot(handle) else { return nil }
        if slot.session.nextDeadline <= loop.nowMilliseconds { timer(handle, on: loop) }
        return flows.find(peer, on: socket)
    }

    private func serve(_ handle: SessionHandle, _ bytes: Span<UInt8>, on loop: EventLoop) {
        guard let slot = slot(handle) else { return }
        receive(bytes, slot.session, on: loop)
        if capture != nil { captureDatagram(bytes, slot) }
        carryOut(handle, on: loop)
    }

    private func stray(on loop: EventLoop) {
        metrics.strayDatagrams.increment()
        actions.clear()
    }

    /// The first datagram of a terminal at an address: only a good frame that names its terminal makes it known.
    private func meet(
        _ peer: PeerAddress, _ socket: Connection, _ bytes: Span<UInt8>, _ name: ProtocolName, isNamed: Bool,
        on loop: EventLoop
    ) {
        let session = TerminalSessions.make(
            name, environment: environment, bearer: .udp, peer: peer, now: moment(loop))
        receive(bytes, session, on: loop)
        guard actions.frameCount > 0, !session.terminals.isEmpty else {
            gatherAlarmsOfNobody()
            if capture != nil, let listener = listener(of: socket) { captureStray(bytes, peer, listener) }
            return stray(on: loop)
        }
        makeRoom(on: loop)
        let isFoundByAddress = !isNamed || SessionScratch.readsDamage(name)
        let handle = flows.add(
            session, peer: peer, socket: socket, protocolName: name, isFoundByAddress: isFoundByAddress)
        metrics.connectionsAccepted[.udp].increment()
        metrics.connectionsOpen[.udp].increment()
        if capture != nil, let slot = slot(handle) { captureDatagram(bytes, slot) }
        carryOut(handle, on: loop)
        sweepLater(on: loop)
    }

    /// Nothing mutes an SOS (promise P2), also not that its sender has no session to be answered on: it sends again, or logs in.
    private func gatherAlarmsOfNobody() {
        for case .report(let report, _) in actions.requests where report.event.asksForHelp {
            gatherUnanswered(report)
        }
    }

    /// Hands one datagram to a session. What a datagram leaves unfinished no other one completes.
    private func receive(_ bytes: Span<UInt8>, _ session: any TerminalSession, on loop: EventLoop) {
        let used = session.receive(bytes, now: moment(loop), scratch: &scratch, into: &actions)
        if used < bytes.count { session.restart() }
    }

    /// Above the limit the peer that will be idle first gives way: when it speaks again it is met again.
    private func makeRoom(on loop: EventLoop) {
        guard flows.count >= transport.configuration.maximumDatagramPeers, let handle = flows.longestSilent() else {
            return
        }
        end(handle, (metric: "limit", shown: "makes room for another"), on: loop)
    }

    /// Ends a peer's session.
    func end(_ handle: SessionHandle, _ reason: (metric: String, shown: String), on loop: EventLoop) {
        guard let slot = flows[handle] else { return }
        flows.remove(handle)
        let outer = actions
        actions.clear()
        ended(slot, reason, on: loop)
        actions = outer
    }

    /// The port is closed: nothing can be said to its peers any more.
    func endFlows(of socket: Connection, on loop: EventLoop) {
        for handle in flows.handles where flows[handle]?.socket == socket {
            end(handle, (metric: "shutdown", shown: OfflineReason.portClosed), on: loop)
        }
    }

    // MARK: - Time

    func armFlow(_ slot: SessionSlot, deadline: Int64, on loop: EventLoop) {
        let delay = max(1, deadline - loop.nowMilliseconds)
        guard delay < Self.sweepMilliseconds,
            loop.schedule(afterMilliseconds: delay, token: slot.handle.rawValue) != nil
        else { return }
        change(slot.handle) { $0.armedDeadline = deadline }
    }

    func timer(token: UInt64, on loop: EventLoop) {
        if token == Self.sweepToken { sweep(on: loop) } else { timer(SessionHandle(rawValue: token), on: loop) }
    }

    private func sweepLater(on loop: EventLoop) {
        guard !isSweeping else { return }
        isSweeping = loop.schedule(afterMilliseconds: Self.sweepStepMilliseconds, token: Self.sweepToken) != nil
    }

    private func sweep(on loop: EventLoop) {
        isSweeping = false
        let share = flows.slotCount * Int(Self.sweepStepMilliseconds) / Int(Self.sweepMilliseconds) + 1
        for handle in flows.due(now: loop.nowMilliseconds, limit: share) { timer(handle, on: loop) }
        if flows.count > 0 { sweepLater(on: loop) }
    }

    /// All peers end with the loop.
    func stopped(on loop: EventLoop) {
        for handle in flows.handles { end(handle, (metric: "shutdown", shown: OfflineReason.gatewayStops), on: loop) }
        endOfWakeUp(on: loop)
    }
}
