import AlarmPipeline
import CoreMetrics
import GatewayTelemetry
import Logging
import Reactor
import TerminalModel
import TerminalProtocols
import TerminalSession

/// One reactor thread's side of the terminal plane: its sessions, and what they ask for.
///
/// Lives on its loop's thread alone. What sessions gather during a wake-up leaves as one batch at its end.
final class TransportLoop: ConnectionHandler {
    private struct Slot {
        let connection: Connection
        let session: any TerminalSession
        let bearer: Bearer
        let protocolName: ProtocolName
        let peer: PeerAddress
        /// When the connection's timer is armed for.
        var armedDeadline: Int64
        /// The terminal has said all it will say and waits for its answers.
        var isHalfClosed = false
    }

    private struct Place: Hashable {
        let terminal: TerminalID
        let bearer: Bearer
    }

    private let index: UInt16
    private let transport: TerminalTransport
    private let sink: any ReportSink
    let logger: Logger
    /// The ports of this loop by tag, and where the loop has them.
    var listeners: [UInt32: TerminalListener] = [:]
    var sources: [UInt32: Connection] = [:]
    let limiter = LogLimiter()
    private var environment: SessionEnvironment
    private var scratch = SessionScratch()
    private var actions = SessionActions()
    private var slots: [Slot?] = []
    private var places: [Place: Connection] = [:]
    private var openCount: [Bearer: Int] = [:]
    private var gathered: [IngestItem] = []
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

    private var metrics: TransportMetrics { transport.metrics }

    // MARK: - Connections

    func opened(_ connection: Connection, from origin: ConnectionOrigin, on loop: EventLoop) {
        let bearer: Bearer
        let protocolName: ProtocolName
        let peer: PeerAddress
        switch origin {
        case .accepted(let tag, let address):
            bearer = .tcp
            guard let listener = listeners[tag] else { return loop.close(connection, reason: .stopping) }
            protocolName = listener.protocolName
            peer = PeerAddress(address)
        case .serial(let tag):
            bearer = .serial
            protocolName = transport.configuration.lines[Int(tag)].protocolName
            peer = .path(transport.configuration.lines[Int(tag)].options.path)
        case .connected:
            loop.close(connection, reason: .requested(code: 0))
            return
        }
        let now = moment(loop)
        let session = TerminalSessions.make(
            protocolName, environment: environment, bearer: bearer, peer: peer, now: now)
        while slots.count <= connection.index { slots.append(nil) }
        slots[connection.index] = Slot(
            connection: connection, session: session, bearer: bearer, protocolName: protocolName, peer: peer,
            armedDeadline: .max)
        openCount[bearer, default: 0] += 1
        metrics.connectionsAccepted[bearer]?.increment()
        metrics.connectionsOpen[bearer]?.increment()
        arm(connection, on: loop)
    }

    func received(_ connection: Connection, bytes: Span<UInt8>, on loop: EventLoop) -> Int {
        guard let slot = slot(connection) else { return bytes.count }
        let used = slot.session.receive(bytes, now: moment(loop), scratch: &scratch, into: &actions)
        metrics.bytesReceived[slot.bearer]?.increment(by: used)
        carryOut(connection, on: loop)
        return used
    }

    /// A terminal that ends its side right after an SOS still reads the acknowledgement that waits for the disk.
    func keepsOpenAfterEndOfInput(_ connection: Connection, on loop: EventLoop) -> Bool {
        guard let slot = slot(connection), slot.session.isAwaitingResult else { return false }
        slots[connection.index]?.isHalfClosed = true
        return true
    }

    func timer(_ connection: Connection, on loop: EventLoop) {
        guard let slot = slot(connection) else { return }
        // A serial line has no peer to hang up on: its limits only end unfinished business.
        slot.session.timer(now: moment(loop), into: &actions)
        if slot.bearer == .serial { actions.close = nil }
        slots[connection.index]?.armedDeadline = .max
        carryOut(connection, on: loop)
    }

    func closed(_ connection: Connection, reason: CloseReason, on loop: EventLoop) {
        guard let slot = slot(connection) else { return }
        slots[connection.index] = nil
        openCount[slot.bearer, default: 0] -= 1
        metrics.connectionsOpen[slot.bearer]?.decrement()
        let terminals = slot.session.terminals
        slot.session.end(into: &actions)
        gather(slot, connection, on: loop)
        actions.clear()
        let name = Self.name(reason)
        metrics.closed(slot.bearer, name.metric)
        let now = moment(loop)
        for terminal in terminals {
            let place = Place(terminal: terminal, bearer: slot.bearer)
            guard places[place] == connection else { continue }
            places[place] = nil
            metrics.terminalsConnected[slot.bearer]?.decrement()
            gathered.append(.offline(terminal, slot.bearer, reason: name.shown, at: now))
        }
        logger.debug(
            "Connection ended",
            metadata: .keyed([
                .connectionPeer: "\(slot.peer)", .connectionBearer: "\(slot.bearer.rawValue)",
                .connectionReason: "\(name.shown)",
            ]))
    }

    func serialLine(tag: UInt32, changedTo state: SerialLineState, on loop: EventLoop) {
        let line = transport.configuration.lines[Int(tag)]
        var status = TerminalLineStatus(
            path: line.options.path, protocolName: line.protocolName, isOpen: false, error: nil)
        switch state {
        case .opened:
            status.isOpen = true
            logger.info("Serial line opened", metadata: .keyed([.connectionPeer: "\(status.path)"]))
        case .waiting(let error, let pause):
            status.error = error
            logger.warning(
                "Serial line waits to be opened again",
                metadata: .keyed([
                    .connectionPeer: "\(status.path)", .errorCode: "\(ErrorCode.serialFailed.rawValue)",
                    .errorDetail: "\(error)", .durationMilliseconds: "\(pause)",
                ]))
        case .removed: status.error = "removed"
        }
        transport.lineChanged(status)
    }

    // MARK: - Mail and wake-ups

    func receive(_ mail: TerminalTransport.Mail, on loop: EventLoop) {
        switch mail {
        case .results(let results):
            for result in results { resolve(result, on: loop) }
        case .orders(let orders):
            for order in orders { send(order, on: loop) }
        case .displaced(let terminal, let bearer):
            displace(terminal, bearer, by: nil, on: loop)
        case .environment(let new):
            environment = new
        case .listeners(let change):
            take(change, on: loop)
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
        let connection = Connection(rawValue: result.ticket.connection)
        guard let slot = slot(connection) else { return }
        switch result.outcome {
        case .stored:
            (result.isAlarm ? metrics.alarmAcknowledgements : metrics.positionAcknowledgements).increment()
        case .failed: metrics.withheld.increment()
        }
        slot.session.resolve(
            request: result.ticket.request, stored: result.outcome == .stored, isAlarm: result.isAlarm,
            now: moment(loop), into: &actions)
        carryOut(connection, on: loop)
    }

    /// Sends a command over the bearer on which the terminal was heard last; another loop may have it instead.
    private func send(_ order: DownlinkOrder, on loop: EventLoop) {
        let candidates = Bearer.allCases.compactMap { places[Place(terminal: order.terminal, bearer: $0)] }
        guard let connection = candidates.first(where: { slot($0) != nil }), let slot = slot(connection) else { return }
        slot.session.send(
            order.command, id: order.id, to: order.terminal, expires: order.expiresMonotonicMilliseconds,
            now: moment(loop), into: &actions)
        carryOut(connection, on: loop)
    }

    // MARK: - What sessions ask for

    private func carryOut(_ connection: Connection, on loop: EventLoop) {
        guard let slot = slot(connection) else {
            actions.clear()
            return
        }
        if !actions.output.isEmpty { _ = loop.write(connection, actions.output) }
        if actions.frameCount > 0 { metrics.framesReceived[slot.protocolName]?.increment(by: actions.frameCount) }
        if !actions.refusals.isEmpty { logRefusals(slot, on: loop) }
        gather(slot, connection, on: loop)
        if let reason = actions.close { loop.close(connection, reason: .requested(code: reason.rawValue)) }
        actions.clear()
        if slot.isHalfClosed, !slot.session.isAwaitingResult { loop.close(connection, reason: .endOfInput) }
        arm(connection, on: loop)
    }

    private func gather(_ slot: Slot, _ connection: Connection, on loop: EventLoop) {
        guard !actions.requests.isEmpty else { return }
        let now = moment(loop)
        for request in actions.requests {
            switch request {
            case .report(let report, let number):
                if number != nil { awaited += 1 }
                if report.retransmission { metrics.retransmissions[slot.protocolName]?.increment() }
                gathered.append(.report(report, ticket(connection, number ?? 0)))
            case .register(let facts, let number):
                awaited += 1
                gathered.append(.registration(facts, ticket(connection, number)))
            case .authenticated(let terminal, let digest):
                metrics.identified(.verified)
                gathered.append(.authenticated(terminal, digest: digest, at: now))
            case .identified(let terminal):
                identify(terminal, slot, connection, now, on: loop)
            case .command(let id, let outcome):
                gathered.append(.command(id: id, outcome: outcome, at: now))
            case .unreadable(let terminal, let error):
                logUnreadable(terminal, error, slot, now)
            }
        }
    }

    private func ticket(_ connection: Connection, _ request: UInt32) -> ReplyTicket {
        ReplyTicket(loop: index, connection: connection.rawValue, request: request)
    }

    /// The newest connection of a terminal on a bearer wins (promise P6).
    private func identify(
        _ terminal: TerminalID, _ slot: Slot, _ connection: Connection, _ now: Moment, on loop: EventLoop
    ) {
        displace(terminal, slot.bearer, by: connection, on: loop)
        transport.displaced(terminal, slot.bearer, from: index)
        places[Place(terminal: terminal, bearer: slot.bearer)] = connection
        metrics.terminalsConnected[slot.bearer]?.increment()
        gathered.append(
            .online(terminal, slot.bearer, peer: slot.peer, protocolName: slot.protocolName, at: now))
    }

    private func displace(_ terminal: TerminalID, _ bearer: Bearer, by winner: Connection?, on loop: EventLoop) {
        let place = Place(terminal: terminal, bearer: bearer)
        guard let old = places[place], old != winner else { return }
        places[place] = nil
        metrics.terminalsConnected[bearer]?.decrement()
        guard let slot = slot(old), slot.session.displace(terminal), bearer != .serial else { return }
        loop.close(old, reason: .requested(code: SessionCloseReason.displaced.rawValue))
    }

    private func arm(_ connection: Connection, on loop: EventLoop) {
        guard let slot = slot(connection) else { return }
        let deadline = slot.session.nextDeadline
        // An earlier wake-up than needed costs less than re-arming at every frame.
        guard deadline < slot.armedDeadline else { return }
        slots[connection.index]?.armedDeadline = deadline
        _ = loop.setTimer(connection, atMilliseconds: max(deadline, loop.nowMilliseconds + 1))
    }

    private func slot(_ connection: Connection) -> Slot? {
        guard connection.index < slots.count, let slot = slots[connection.index], slot.connection == connection else {
            return nil
        }
        return slot
    }

    private func moment(_ loop: EventLoop) -> Moment {
        Moment(wall: WallClock.now(), monotonicMilliseconds: loop.nowMilliseconds)
    }

    // MARK: - Words

    private func logRefusals(_ slot: Slot, on loop: EventLoop) {
        for error in actions.refusals {
            metrics.rejected(error)
            let code = ErrorCode(error.code)
            guard
                case .write(let suppressed) = limiter.admit(
                    code, terminal: slot.session.terminals.last, at: loop.nowMilliseconds)
            else { continue }
            logger.info(
                "Frame refused",
                metadata: .keyed([
                    .errorCode: "\(code.rawValue)", .errorDetail: "\(error)", .connectionPeer: "\(slot.peer)",
                    .suppressedCount: "\(suppressed)",
                ]))
        }
    }

    private func logUnreadable(_ terminal: TerminalID, _ error: DecodeError, _ slot: Slot, _ now: Moment) {
        let code = ErrorCode(error.code)
        guard case .write(let suppressed) = limiter.admit(code, terminal: terminal, at: now.monotonicMilliseconds)
        else { return }
        logger.error(
            "A terminal sends what cannot be read; an alarm may be inside",
            metadata: .keyed([
                .terminalID: "\(terminal)", .errorCode: "\(code.rawValue)", .errorDetail: "\(error)",
                .connectionPeer: "\(slot.peer)", .suppressedCount: "\(suppressed)",
            ]))
    }

    /// A close reason as the metric's label and in words.
    private static func name(_ reason: CloseReason) -> (metric: String, shown: String) {
        switch reason {
        case .endOfInput: ("peer", "closed by the terminal")
        case .failed(let code): ("error", "failed with errno \(code)")
        case .hangUp: ("peer", "hang-up")
        case .slowPeer: ("write_limit", "does not read its answers")
        case .partialTooLong: ("limit", "too many bytes without a frame")
        case .memoryLimit: ("limit", "memory limit of all connections")
        case .filterFailed: ("error", "its TLS is broken")
        case .handshakeTimeout: ("idle", "TLS was not agreed on in time")
        case .stopping: ("shutdown", "gateway stops")
        case .requested(let code):
            switch SessionCloseReason(rawValue: code) {
            case .displaced: ("replaced", "replaced by a newer connection")
            case .idle: ("idle", "idle")
            case .noFirstFrame: ("idle", "no first frame")
            case .slowFrame: ("slow_frame", "frame not completed in time")
            case .unknownTerminal: ("protocol", "unknown terminals are refused")
            case nil: ("protocol", "code \(code)")
            }
        }
    }
}

extension ErrorCode {
    fileprivate init(_ code: DecodeError.Code) {
        self =
            switch code {
            case .notThisProtocol: .frameNotThisProtocol
            case .badLength: .frameBadLength
            case .badIntegrity: .frameBadIntegrity
            case .badValue: .frameBadValue
            case .unsupported: .frameUnsupported
            }
    }
}
