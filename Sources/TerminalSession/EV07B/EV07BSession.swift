import TerminalModel
import TerminalProtocols

/// The platform's side of EV07B on one connection.
///
/// There is no login: reports name their terminal, and what names none is of the terminal that spoke last. Our frames name
/// nobody, so a connection, or over UDP an address, is one terminal's: with another one's first report it changes hands, and
/// nothing that was meant for the one before is said to it. The protocol has no secret, so that a terminal is known by its id
/// alone where the site allows it. Source: protocol document sections 1 and 5.
final class EV07BSession: TerminalSession {
    var state: EV07BTerminalState?
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

    var terminals: [TerminalID] {
        guard let terminal = state?.terminal, !terminal.isNameless else { return [] }
        return [terminal]
    }

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
                if droppable > 0, state == nil { refuseEnvelope(bytes, into: &actions) }
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
        guard error.code == .unsupported, let terminal = state?.terminal else { return }
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
        guard let state = speaker(of: frame, now: now.monotonicMilliseconds, into: &actions) else { return }
        guard frame.isReadable else {
            unreadable(frame, of: state.terminal, into: &actions)
            return
        }
        dispatch(frame, FrameOrigin(wire: frame.bytes), state, now: now, into: &actions)
    }

    /// The revised edition lays alarms out otherwise: one may be inside.
    private func unreadable(
        _ frame: borrowing EV07BFrame, of terminal: TerminalID, into actions: inout SessionActions
    ) {
        let error = frame.unreadableError
        actions.refusals.append(error)
        actions.requests.append(.unreadable(terminal, error))
        if frame.header.isAcknowledgementWanted { say(.response(.version), frame.sequence, into: &actions) }
    }

    /// Who speaks; nil for an answer before anybody has spoken, as it comes after reconnecting (section 12).
    private func speaker(
        of frame: borrowing EV07BFrame, now: Int64, into actions: inout SessionActions
    ) -> EV07BTerminalState? {
        guard let terminal = frame.terminal ?? state?.terminal ?? (frame.isAnswer ? nil : nameless) else {
            return nil
        }
        if state?.terminal == terminal {
            state?.refreshIfChanged(in: environment, now: now)
            return state
        }
        if let old = state, !old.terminal.isNameless {
            old.commands.abandon(into: &actions)
            // The counters start anew with another terminal: its frames must not be answered for those of the one before.
            desk.forget { _ in true }
            actions.requests.append(.left(old.terminal))
        }
        state = EV07BTerminalState(terminal, environment: environment, now: now)
        if !terminal.isNameless { actions.requests.append(.identified(terminal)) }
        return state
    }

    // MARK: - Time

    var nextDeadline: Int64 {
        var deadline = deadlines.next(environment.limits)
        if silentSince != .max { deadline = min(deadline, silentSince + EV07B.silenceMilliseconds) }
        if let command = state?.commands.deadline { deadline = min(deadline, command) }
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
        if state?.commands.repeatIfDue(limits: environment.limits, now: time, into: &actions) == true {
            startCommands(now: time, into: &actions)
        }
    }

    // MARK: - Ends

    func displace(_ terminal: TerminalID) -> Bool {
        if state?.terminal == terminal { state = nil }
        return state == nil
    }

    func end(into actions: inout SessionActions) {
        state?.commands.abandon(into: &actions)
        state = nil
        desk.forget { _ in true }
    }
}
