import AlarmPipeline
import CoreMetrics
import GatewayTelemetry
import Logging
import Reactor
import TerminalModel
import TerminalSession

/// One reactor thread's side of the terminal plane: its sessions, and what they ask for.
///
/// Lives on its loop's thread alone. What sessions gather during a wake-up leaves as one batch at its end.
final class TransportLoop: ConnectionHandler {
    private static let overdueLineMilliseconds: Int64 = 1_000

    let index: UInt16
    let transport: TerminalTransport
    private let sink: any ReportSink
    let logger: Logger
    /// The ports of this loop by tag, and where the loop has them.
    var listeners: [UInt32: TerminalListener] = [:]
    var sources: [UInt32: Connection] = [:]
    /// Serial lines by tag, and the tag of the one that each stream is of.
    var lines: [UInt32: LineListening] = [:]
    var tags: [Int: UInt32] = [:]
    /// Where the gateway itself is, while it knows.
    var gatewayPosition: Position?
    let limiter = LogLimiter()
    private(set) var environment: SessionEnvironment
    var scratch = SessionScratch()
    var actions = SessionActions()
    /// Of connections and lines, by the index of their handle.
    private var slots: [SessionSlot?] = []
    /// Of UDP peers.
    var flows = DatagramFlows()
    var isSweeping = false
    private(set) var places = TerminalPlaces()
    /// Nil while no raw bytes are recorded.
    var capture: LoopCapture?
    private var gathered: [IngestItem] = []
    private var present = Moment(wall: SystemClock.now().wall, monotonicMilliseconds: .min)
    /// Tickets handed to the pipeline whose results have not come back.
    private var awaited = 0

    init(
        index: UInt16, transport: TerminalTransport, environment: SessionEnvironment, sink: any ReportSink,
        logger: Logger
    ) {
        self.index = index
        self.transport = transport
        self.environment = environment
        self.sink = sink
        self.logger = logger
    }

    var metrics: TransportMetrics { transport.metrics }

    // MARK: - Connections

    func opened(_ connection: Connection, from origin: ConnectionOrigin, on loop: EventLoop) {
        let bearer: Bearer
        let protocols: [ProtocolName]
        let peer: PeerAddress
        var listener: TerminalListener?
        var isCaptured = false
        switch origin {
        case .accepted(let tag, let address):
            bearer = .tcp
            guard let port = listeners[tag] else { return loop.close(connection, reason: .stopping) }
            listener = port
            isCaptured = port.isCaptured
            protocols = port.protocols
            peer = PeerAddress(address)
        case .serial(let tag):
            bearer = .serial
            guard let line = lines[tag]?.line else { return loop.close(connection, reason: .stopping) }
            protocols = line.protocols
            isCaptured = line.isCaptured
            peer = .path(line.options.path)
        case .connected:
            loop.close(connection, reason: .requested(code: 0))
            return
        }
        let now = moment(loop)
        let session = TerminalSessions.make(
            protocols, environment: environment, bearer: bearer, peer: peer, now: now)
        while slots.count <= connection.index { slots.append(nil) }
        let handle = SessionHandle(connection)
        let slot = SessionSlot(
            handle: handle, session: session, peer: peer, socket: connection, bearer: bearer,
            protocolName: protocols[0])
        slots[connection.index] = slot
        if capture != nil { captureOpened(slot, listener, isRecorded: isCaptured) }
        metrics.connectionsAccepted[bearer].increment()
        metrics.connectionsOpen[bearer].increment()
        arm(handle, on: loop)
    }

    func received(_ connection: Connection, bytes: Span<UInt8>, on loop: EventLoop) -> Int {
        guard let slot = slot(SessionHandle(connection)) else { return bytes.count }
        let used = slot.session.receive(bytes, now: moment(loop), scratch: &scratch, into: &actions)
        metrics.bytesReceived[slot.bearer].increment(by: used)
        if slot.bearer == .serial {
            listen(to: connection, bytes: bytes.count, frames: actions.frameCount, on: loop)
        }
        if capture != nil { captureArrival(bytes, used: used, slot) }
        carryOut(slot.handle, on: loop)
        return used
    }

    /// A terminal that ends its side right after an SOS still reads the acknowledgement that waits for the disk.
    func keepsOpenAfterEndOfInput(_ connection: Connection, on loop: EventLoop) -> Bool {
        guard let slot = slot(SessionHandle(connection)), slot.session.isAwaitingResult else { return false }
        slots[connection.index]?.isHalfClosed = true
        return true
    }

    func timer(_ connection: Connection, on loop: EventLoop) {
        timer(SessionHandle(connection), on: loop)
    }

    func timer(_ handle: SessionHandle, on loop: EventLoop) {
        guard let slot = slot(handle) else { return }
        slot.session.timer(now: moment(loop), into: &actions)
        // A serial line has no peer to hang up on: its limits only end unfinished business.
        if slot.bearer == .serial { actions.close = nil }
        change(handle) { $0.armedDeadline = .max }
        carryOut(handle, on: loop)
    }

    func closed(_ connection: Connection, reason: CloseReason, on loop: EventLoop) {
        guard let slot = slot(SessionHandle(connection)) else { return }
        slots[connection.index] = nil
        if slot.bearer == .serial { tags[connection.index] = nil }
        ended(slot, Self.name(reason), on: loop)
    }

    /// The last of a session, whose slot is gone already.
    func ended(_ slot: SessionSlot, _ name: (metric: String, shown: String), on loop: EventLoop) {
        metrics.connectionsOpen[slot.bearer].decrement()
        if capture != nil { captureEnded(slot) }
        let terminals = slot.session.terminals
        slot.session.end(into: &actions)
        gather(slot, on: loop)
        actions.clear()
        metrics.closed(slot.bearer, name.metric)
        for terminal in terminals { left(terminal, slot, reason: name.shown, on: loop) }
        logger.debug(
            "Connection ended",
            metadata: .keyed([
                .connectionPeer: "\(slot.peer)", .connectionBearer: "\(slot.bearer.rawValue)",
                .connectionReason: "\(name.shown)",
            ]))
    }

    // MARK: - Mail and wake-ups

    func receive(_ mail: TerminalTransport.Mail, on loop: EventLoop) {
        switch mail {
        case .results(let results):
            for result in results { resolve(result, on: loop) }
        case .orders(let orders):
            for order in orders { send(order, on: loop) }
        case .displaced(let terminal, let bearer, let identification):
            guard !isNewer(terminal, bearer, than: identification) else { return }
            displace(terminal, bearer, by: nil, on: loop)
        case .environment(let new):
            environment = new
        case .listeners(let change):
            take(change, on: loop)
        case .line(let order):
            take(order, on: loop)
        case .gatewayPosition(let position):
            gatewayPosition = position
        case .capture(let settings, let writer):
            take(settings, writer, on: loop)
        }
    }

    func endOfWakeUp(on loop: EventLoop) {
        guard !gathered.isEmpty else { return }
        _ = sink.ingest(gathered)
        gathered.removeAll(keepingCapacity: true)
    }

    func isDrained(on loop: EventLoop) -> Bool {
        awaited == 0 && gathered.isEmpty
    }

    private func resolve(_ result: IngestResult, on loop: EventLoop) {
        guard result.ticket.request != 0 else { return }
        awaited -= 1
        guard let slot = slot(SessionHandle(rawValue: result.ticket.connection)) else { return }
        switch result.outcome {
        case .stored:
            (result.isAlarm ? metrics.alarmAcknowledgements : metrics.positionAcknowledgements).increment()
        case .failed: metrics.withheld.increment()
        }
        slot.session.resolve(
            request: result.ticket.request, stored: result.outcome == .stored, isAlarm: result.isAlarm,
            now: moment(loop), into: &actions)
        carryOut(slot.handle, on: loop)
    }

    /// Sends a command over the bearer that the order names. At most one loop has the terminal there, so that one copy goes out.
    private func send(_ order: DownlinkOrder, on loop: EventLoop) {
        let bearers = order.bearer.map { [$0] } ?? Bearer.allCases
        let slots = bearers.compactMap { places[order.terminal, $0] }.compactMap { slot($0) }
        guard let slot = slots.first else { return }
        slot.session.send(
            order.command, id: order.id, to: order.terminal, expires: order.expiresMonotonicMilliseconds,
            now: moment(loop), into: &actions)
        carryOut(slot.handle, on: loop)
    }

    // MARK: - What sessions ask for

    func carryOut(_ handle: SessionHandle, on loop: EventLoop) {
        guard let slot = slot(handle) else {
            actions.clear()
            return
        }
        if !actions.output.isEmpty { write(actions.output, to: slot, on: loop) }
        let protocolName = actions.detected ?? slot.protocolName
        if actions.frameCount > 0 { metrics.framesReceived[protocolName].increment(by: actions.frameCount) }
        if !actions.refusals.isEmpty { logRefusals(slot, on: loop) }
        if protocolName != slot.protocolName { change(handle) { $0.protocolName = protocolName } }
        gather(slot, on: loop)
        if let reason = actions.close { close(slot, .requested(code: reason.rawValue), on: loop) }
        actions.clear()
        if slot.isHalfClosed, !slot.session.isAwaitingResult { close(slot, .endOfInput, on: loop) }
        arm(handle, on: loop)
    }

    private func write(_ bytes: [UInt8], to slot: SessionSlot, on loop: EventLoop) {
        if capture != nil { captureDeparture(bytes, slot) }
        if slot.handle.flow == nil {
            loop.write(slot.socket, bytes)
        } else if let address = slot.peer.socketAddress {
            loop.send(bytes, to: address, from: slot.socket)
        }
    }

    func close(_ slot: SessionSlot, _ reason: CloseReason, on loop: EventLoop) {
        if slot.handle.flow == nil {
            loop.close(slot.socket, reason: reason)
        } else {
            end(slot.handle, Self.name(reason), on: loop)
        }
    }

    private func gather(_ slot: SessionSlot, on loop: EventLoop) {
        guard !actions.requests.isEmpty else { return }
        let now = moment(loop)
        let protocolName = actions.detected ?? slot.protocolName
        for request in actions.requests {
            switch request {
            case .report(var report, let number):
                place(&report, from: slot)
                if number != nil { awaited += 1 }
                if report.retransmission { metrics.retransmissions[protocolName].increment() }
                gathered.append(.report(report, ticket(slot, number ?? 0)))
            case .register(let facts, let number):
                awaited += 1
                gathered.append(.registration(facts, ticket(slot, number)))
            case .authenticated(let terminal, let digest):
                metrics.identified(.verified)
                gathered.append(.authenticated(terminal, digest: digest, at: now))
            case .identified(let terminal): identify(terminal, slot, protocolName, now, on: loop)
            case .left(let terminal): left(terminal, slot, reason: "replaced by another terminal", on: loop)
            case .command(let id, let outcome):
                gathered.append(.command(id: id, outcome: outcome, at: now))
            case .unreadable(let terminal, let error):
                logUnreadable(terminal, error, slot, now)
            }
        }
    }

    /// A report that no answer depends on.
    func gatherUnanswered(_ report: InboundReport) {
        gathered.append(.report(report, ReplyTicket(loop: index, connection: 0, request: 0)))
    }

    private func ticket(_ slot: SessionSlot, _ request: UInt32) -> ReplyTicket {
        ReplyTicket(loop: index, connection: slot.handle.rawValue, request: request)
    }

    /// The newest connection of a terminal on a bearer wins (promise P6).
    private func identify(
        _ terminal: TerminalID, _ slot: SessionSlot, _ protocolName: ProtocolName, _ now: Moment, on loop: EventLoop
    ) {
        loop.recognise(slot.socket)
        displace(terminal, slot.bearer, by: slot.handle, on: loop)
        let identification = transport.nextIdentification()
        change(slot.handle) { $0.identification = identification }
        transport.displaced(terminal, slot.bearer, identification, from: index)
        // A terminal that was displaced and comes again on the same connection is identified a second time.
        if places[terminal, slot.bearer] != slot.handle { metrics.terminalsConnected[slot.bearer].increment() }
        places[terminal, slot.bearer] = slot.handle
        gathered.append(
            .online(terminal, slot.bearer, peer: slot.peer, protocolName: protocolName, at: now))
    }

    /// True when the terminal was identified here after the identification that another loop tells of: two connections that
    /// come at once must not end each other. Of a relay box, which speaks for several, it is not known: then the other one wins.
    private func isNewer(_ terminal: TerminalID, _ bearer: Bearer, than identification: UInt64) -> Bool {
        guard let slot = places[terminal, bearer].flatMap(slot) else { return false }
        return slot.session.terminals.count == 1 && slot.identification > identification
    }

    private func displace(_ terminal: TerminalID, _ bearer: Bearer, by winner: SessionHandle?, on loop: EventLoop) {
        guard let old = places[terminal, bearer], old != winner else { return }
        places[terminal, bearer] = nil
        metrics.terminalsConnected[bearer].decrement()
        guard let slot = slot(old), slot.session.displace(terminal), bearer != .serial else { return }
        close(slot, .requested(code: SessionCloseReason.displaced.rawValue), on: loop)
    }

    /// A terminal is no longer where it was, unless it is on a newer connection by now.
    private func left(_ terminal: TerminalID, _ slot: SessionSlot, reason: String, on loop: EventLoop) {
        guard places[terminal, slot.bearer] == slot.handle else { return }
        places[terminal, slot.bearer] = nil
        metrics.terminalsConnected[slot.bearer].decrement()
        gathered.append(.offline(terminal, slot.bearer, reason: reason, at: moment(loop)))
    }

    func arm(_ handle: SessionHandle, on loop: EventLoop) {
        guard let slot = slot(handle) else { return }
        let deadline = slot.session.nextDeadline
        // An earlier wake-up than needed costs less than re-arming at every frame.
        guard deadline < slot.armedDeadline else { return }
        if handle.flow == nil {
            slots[slot.socket.index]?.armedDeadline = deadline
            let now = loop.nowMilliseconds
            // The limits of a line may be past for good, since nobody hangs up on it.
            let overdue = slot.bearer == .serial ? Self.overdueLineMilliseconds : 1
            _ = loop.setTimer(slot.socket, atMilliseconds: deadline > now ? deadline : now + overdue)
        } else {
            armFlow(slot, deadline: deadline, on: loop)
        }
    }

    func slot(_ handle: SessionHandle) -> SessionSlot? {
        guard handle.flow == nil else { return flows[handle] }
        let index = handle.connection.index
        guard index < slots.count, let slot = slots[index], slot.handle == handle else { return nil }
        return slot
    }

    func change(_ handle: SessionHandle, _ body: (inout SessionSlot) -> Void) {
        guard var slot = slot(handle) else { return }
        body(&slot)
        if handle.flow == nil { slots[handle.connection.index] = slot } else { flows[handle] = slot }
    }

    /// The time of this wake-up: the calendar is asked once in a millisecond, not for every frame.
    func moment(_ loop: EventLoop) -> Moment {
        if present.monotonicMilliseconds != loop.nowMilliseconds {
            present = Moment(wall: SystemClock.now().wall, monotonicMilliseconds: loop.nowMilliseconds)
        }
        return present
    }
}
