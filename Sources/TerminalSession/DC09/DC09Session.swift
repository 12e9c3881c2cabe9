import TerminalModel
import TerminalProtocols

/// The receiver's side of SIA DC-09 on one connection, serial line or UDP address.
///
/// There is no login: every frame carries the account of the panel that speaks, and a receiver that relays speaks for several. A
/// frame that cannot be read is not answered, so that the panel sends it again or tries its other receiver; one that is sound and of
/// no use here is answered with `DUH`. Source: protocol document sections 1.1, 1.3, 1.7 and 1.8.
final class DC09Session: TerminalSession {
    /// The last heard stands last.
    var states: [DC09TerminalState] = []
    var desk: ReportDesk<DC09Answer>
    private var deadlines: SessionDeadlines
    private var cursor = DC09Framer.Cursor()
    private let bearer: Bearer

    init(environment: SessionEnvironment, bearer: Bearer, peer: PeerAddress, now: Moment) {
        self.bearer = bearer
        desk = ReportDesk(environment: environment, bearer: bearer, peer: peer)
        deadlines = SessionDeadlines(openedAt: now.monotonicMilliseconds)
    }

    var environment: SessionEnvironment { desk.environment }
    var terminals: [TerminalID] { states.map(\.terminal) }
    var isAwaitingResult: Bool { desk.isWaiting }

    // MARK: - Bytes

    func restart() {
        cursor = DC09Framer.Cursor()
        deadlines.forgetRest()
    }

    func receive(
        _ bytes: Span<UInt8>, now: Moment, scratch: inout SessionScratch, into actions: inout SessionActions
    ) -> Int {
        let framer = DC09Framer()
        while true {
            // A datagram holds whole frames.
            switch framer.next(in: bytes, at: &cursor, isComplete: bearer == .udp) {
            case .frame(let range):
                deadlines.waitsForRest(false, now: now.monotonicMilliseconds)
                handle(bytes.extracting(range), now: now, into: &actions)
            case .rejected(let error, _):
                deadlines.waitsForRest(false, now: now.monotonicMilliseconds)
                actions.refusals.append(error)
            case .needMore(let droppable):
                deadlines.waitsForRest(!cursor.isBetweenFrames, now: now.monotonicMilliseconds)
                cursor.dropped(droppable)
                return droppable
            }
        }
    }

    /// One line: check, open, answer or hand on. What cannot be read costs only itself (promise P5).
    private func handle(_ wire: Span<UInt8>, now: Moment, into actions: inout SessionActions) {
        do {
            let frame = try DC09Frame(checking: wire)
            deadlines.heardFrame(now: now.monotonicMilliseconds)
            actions.frameCount += 1
            let terminal = frame.header.terminal
            let cipher = environment.panelCipher(terminal)
            let index = stateIndex(for: terminal, now: now.monotonicMilliseconds, into: &actions)
            do {
                let packet = try DC09Codec.decode(frame, cipher: cipher)
                // Cipher text of long ago may be a recording: only a frame of now proves who sent it.
                let isProved = frame.header.isEncrypted && packet.isTimely(now: now.wall)
                states[index].heard(
                    isProved: isProved, hasKey: cipher != nil, in: environment, now: now.monotonicMilliseconds)
                dispatch(packet, FrameOrigin(wire: wire), cipher: cipher, state: index, now: now, into: &actions)
            } catch {
                unreadable(frame.header, error, into: &actions)
            }
        } catch {
            actions.refusals.append(error)
        }
    }

    /// A sound frame whose body cannot be read, although an alarm may be inside. Without a key, or in a form that is not known, it
    /// never will be; another key is no reason to answer (sections 1.3 and 1.7).
    private func unreadable(_ header: DC09Header, _ error: DecodeError, into actions: inout SessionActions) {
        actions.refusals.append(error)
        guard !header.identifier.isAnswer else { return }
        if header.identifier != .null { actions.requests.append(.unreadable(header.terminal, error)) }
        if error.code != .badIntegrity, header.sequence != nil {
            actions.output += DC09Codec.encode(.unable(header))
        }
    }

    /// The state of the panel that speaks, moved to the end of the list.
    private func stateIndex(for terminal: TerminalID, now: Int64, into actions: inout SessionActions) -> Int {
        let last = states.count - 1
        if let found = states.lastIndex(where: { $0.terminal == terminal }) {
            if found != last { states.append(states.remove(at: found)) }
            return last
        }
        if states.count == environment.limits.maximumTerminalsPerConnection {
            let oldest = states.removeFirst()
            oldest.commands.abandon(into: &actions)
            actions.requests.append(.left(oldest.terminal))
        }
        states.append(DC09TerminalState(terminal, environment: environment, now: now))
        actions.requests.append(.identified(terminal))
        return states.count - 1
    }

    // MARK: - Commands

    func send(
        _ command: TerminalCommand, id: Int64, to terminal: TerminalID, expires: Int64, now: Moment,
        into actions: inout SessionActions
    ) {
        guard let index = states.firstIndex(where: { $0.terminal == terminal }) else {
            actions.requests.append(.command(id: id, outcome: .queued))
            return
        }
        states[index].commands.add(command, id: id, expires: expires, limits: environment.limits, into: &actions)
        while let next = states[index].commands.next(now: now.monotonicMilliseconds, into: &actions) {
            do {
                _ = try DC09Message.asking(next.command)
            } catch {
                states[index].commands.refuse(next, reason: error.reason, into: &actions)
            }
        }
    }

    // MARK: - Time

    func timer(now: Moment, into actions: inout SessionActions) {
        if let reason = deadlines.due(environment.limits, now: now.monotonicMilliseconds) { actions.close = reason }
    }

    var nextDeadline: Int64 { deadlines.next(environment.limits) }

    // MARK: - Ends

    func displace(_ terminal: TerminalID) -> Bool {
        states.removeAll { $0.terminal == terminal }
        return states.isEmpty
    }

    func end(into actions: inout SessionActions) {
        for state in states { state.commands.abandon(into: &actions) }
        states.removeAll()
        desk.forget { _ in true }
    }
}
