import TerminalModel
import TerminalProtocols

/// The platform's side of EV07B on one connection.
///
/// There is no login: reports name their terminal, and what names none is of the terminal that spoke last. The protocol has no
/// secret, so that a terminal is known by its id alone where the site allows it. Source: protocol document sections 1 and 5.
final class EV07BSession: TerminalSession {
    /// The last heard stands last.
    var states: [EV07BTerminalState] = []
    var desk: ReportDesk<EV07BAnswer>
    private var deadlines: SessionDeadlines
    private var cursor = EV07BFramer.Cursor()
    /// When the last byte of an unfinished frame came.
    private var silentSince = Int64.max

    /// Stands for a terminal that never said who it is: what it reports is kept like that of one in no list (promise P2).
    private let nameless: TerminalID

    init(environment: SessionEnvironment, bearer: Bearer, peer: PeerAddress, now: Moment) {
        desk = ReportDesk(environment: environment, bearer: bearer, peer: peer)
        deadlines = SessionDeadlines(openedAt: now.monotonicMilliseconds)
        nameless = .nameless(at: peer)
    }

    var environment: SessionEnvironment { desk.environment }

    var terminals: [TerminalID] { states.map(\.terminal).filter { !$0.isNameless } }

    var isAwaitingResult: Bool { desk.isWaiting }

    func receive(
        _ bytes: Span<UInt8>, now: Moment, scratch: inout SessionScratch, into actions: inout SessionActions
    ) -> Int {
        let time = now.monotonicMilliseconds
        while true {
            switch EV07BFramer().next(in: bytes, at: &cursor) {
            case .frame(let range):
                deadlines.waitsForRest(false, now: time)
                handle(EV07BFramer().frame(at: range, in: bytes), now: now, into: &actions)
            case .rejected(let error, _):
                deadlines.waitsForRest(false, now: time)
                refuse(error, into: &actions)
            case .needMore(let droppable):
                let waits = !cursor.isBetweenFrames
                deadlines.waitsForRest(waits, now: time)
                silentSince = waits ? time : .max
                if droppable > 0, states.isEmpty { refuseEnvelope(bytes, into: &actions) }
                cursor.dropped(droppable)
                return droppable
            }
        }
    }

    func restart() {
        cursor = EV07BFramer.Cursor()
        silentSince = .max
        deadlines.forgetRest()
    }

    /// Bytes that are no frame. An encrypted one may hold an alarm, which the pipeline must hear of.
    private func refuse(_ error: DecodeError, into actions: inout SessionActions) {
        actions.refusals.append(error)
        guard error.code == .unsupported, let terminal = states.last?.terminal else { return }
        actions.requests.append(.unreadable(terminal, error))
    }

    /// A terminal that encrypts everything sends nothing but envelopes: that is told apart from noise before it has spoken.
    private func refuseEnvelope(_ bytes: Span<UInt8>, into actions: inout SessionActions) {
        guard bytes[0] == EV07B.encryptedMarker else { return }
        do {
            _ = try EV07BFrame(checking: bytes)
        } catch {
            actions.refusals.append(error)
        }
    }

    private func handle(_ frame: borrowing EV07BFrame, now: Moment, into actions: inout SessionActions) {
        deadlines.heardFrame(now: now.monotonicMilliseconds)
        actions.frameCount += 1
        guard let index = stateIndex(for: frame, now: now.monotonicMilliseconds, into: &actions) else { return }
        guard frame.isReadable else {
            unreadable(frame, state: index, into: &actions)
            return
        }
        dispatch(frame, FrameOrigin(wire: frame.bytes), state: index, now: now, into: &actions)
    }

    /// The revised edition lays alarms out otherwise: one may be inside.
    private func unreadable(
        _ frame: borrowing EV07BFrame, state index: Int, into actions: inout SessionActions
    ) {
        let error = frame.unreadableError
        actions.refusals.append(error)
        actions.requests.append(.unreadable(states[index].terminal, error))
        if frame.header.isAcknowledgementWanted { say(.response(.version), frame.sequence, into: &actions) }
    }

    /// The state of the terminal that speaks, moved to the end of the list; nil for an answer before anybody has spoken, as
    /// it comes after reconnecting (section 12).
    private func stateIndex(
        for frame: borrowing EV07BFrame, now: Int64, into actions: inout SessionActions
    ) -> Int? {
        let last = states.count - 1
        guard let terminal = frame.terminal ?? states.last?.terminal ?? (frame.isAnswer ? nil : nameless) else {
            return nil
        }
        if let found = states.lastIndex(where: { $0.terminal == terminal }) {
            if found != last { states.append(states.remove(at: found)) }
            states[last].refreshIfChanged(in: environment, now: now)
            return last
        }
        if states.count == environment.limits.maximumTerminalsPerConnection {
            let oldest = states.removeFirst()
            oldest.commands.abandon(into: &actions)
            if !oldest.terminal.isNameless { actions.requests.append(.left(oldest.terminal)) }
        }
        states.append(EV07BTerminalState(terminal, environment: environment, now: now))
        if !terminal.isNameless { actions.requests.append(.identified(terminal)) }
        return states.count - 1
    }

    // MARK: - Time

    var nextDeadline: Int64 {
        var deadline = deadlines.next(environment.limits)
        if silentSince != .max { deadline = min(deadline, silentSince + EV07B.silenceMilliseconds) }
        for state in states {
            if let command = state.commands.deadline { deadline = min(deadline, command) }
        }
        return deadline
    }

    func timer(now: Moment, into actions: inout SessionActions) {
        let time = now.monotonicMilliseconds
        if silentSince != .max, time >= silentSince + EV07B.silenceMilliseconds {
            silentSince = .max
            cursor.noticeSilence()
            deadlines.waitsForRest(false, now: time)
        }
        if let reason = deadlines.due(environment.limits, now: time) { actions.close = reason }
        for index in states.indices
        where states[index].commands.repeatIfDue(limits: environment.limits, now: time, into: &actions) {
            startCommands(state: index, now: time, into: &actions)
        }
    }

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
