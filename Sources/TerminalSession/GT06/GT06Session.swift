import TerminalModel
import TerminalProtocols

/// The platform's side of GT06 on one connection, or over UDP with one peer address.
///
/// The terminal names itself in its login and never again. What comes before a login belongs to nobody: it is not answered,
/// which makes the terminal log in, but an alarm in it is handed on as that of a terminal without a name (promise P2).
///
/// A login is always answered, also where unknown terminals are refused: a terminal that hears nothing restarts for ever,
/// and its alarms would not be heard either. It is its first ordinary report that ends the connection then.
/// Source: protocol document sections 1, 9 and 11.
final class GT06Session: TerminalSession {
    var state: GT06TerminalState?
    var link = GT06Link()
    var desk: ReportDesk<GT06Answer>
    private let bearer: Bearer
    /// Whose alarms those are that come before a login.
    let nameless: TerminalID
    private var deadlines: SessionDeadlines
    private var cursor = GT06Framer.Cursor()
    private var receivedAt: Int64

    /// A frame that has begun and goes on after such a silence has probably not begun at all (section 2).
    static let staleStartMilliseconds: Int64 = 10_000

    init(environment: SessionEnvironment, bearer: Bearer, peer: PeerAddress, now: Moment) {
        desk = ReportDesk(environment: environment, bearer: bearer, peer: peer)
        deadlines = SessionDeadlines(openedAt: now.monotonicMilliseconds)
        receivedAt = now.monotonicMilliseconds
        self.bearer = bearer
        nameless = .nameless(at: peer)
    }

    var environment: SessionEnvironment { desk.environment }
    var terminals: [TerminalID] { state.map { [$0.identity.terminal] } ?? [] }
    var isAwaitingResult: Bool { desk.isWaiting }

    func receive(
        _ bytes: Span<UInt8>, now: Moment, scratch: inout SessionScratch, into actions: inout SessionActions
    ) -> Int {
        let framer = GT06Framer()
        let time = now.monotonicMilliseconds
        var isStale = !cursor.isBetweenFrames && time - receivedAt >= Self.staleStartMilliseconds
        receivedAt = time
        while true {
            switch framer.next(in: bytes, at: &cursor) {
            case .frame(let run):
                isStale = false
                deadlines.waitsForRest(false, now: time)
                deadlines.heardFrame(now: time)
                handle(framer.frame(run, in: bytes), now: now, into: &actions)
            case .rejected(let error, _):
                isStale = false
                deadlines.waitsForRest(false, now: time)
                actions.refusals.append(error)
            case .needMore(let droppable):
                if isStale, droppable == 0, !cursor.isBetweenFrames {
                    // What has come after the silence did not complete it: the start was false.
                    isStale = false
                    cursor.giveUpWaiting()
                    deadlines.waitsForRest(false, now: time)
                    continue
                }
                deadlines.waitsForRest(!cursor.isBetweenFrames, now: time)
                cursor.dropped(droppable)
                return droppable
            }
        }
    }

    /// One checked frame: decode, answer or hand on. A frame that cannot be read costs only itself (promise P5).
    private func handle(_ frame: borrowing GT06Frame, now: Moment, into actions: inout SessionActions) {
        state?.refreshIfChanged(in: environment, now: now.monotonicMilliseconds)
        let origin = FrameOrigin(wire: frame.bytes)
        actions.frameCount += 1
        if let state, let event = link.locationEvent(frame, profile: state.profile, received: now.wall) {
            submit(CollectionOfOne(event), origin, answer: .none, into: &actions)
            return
        }
        do {
            let packet = try GT06Codec.decode(frame)
            dispatch(packet, origin, now: now, into: &actions)
        } catch {
            actions.refusals.append(error)
        }
    }

    func restart() {
        cursor = GT06Framer.Cursor(mode: cursor.mode)
        deadlines.forgetRest()
    }

    /// Frames of the look-alike family are told from anything else only behind their login, so where several protocols are
    /// spoken the bytes of such a terminal are not given to others any more.
    var holdsBytes: Bool { cursor.mode == .lookAlike }

    // MARK: - Who speaks

    /// Takes a login in.
    ///
    /// - Returns: false when it ends the connection, because another terminal speaks on it already.
    func logIn(_ login: GT06Login, now: Moment, into actions: inout SessionActions) -> Bool {
        if let state, state.identity.terminal == login.terminal { return true }
        if state != nil {
            // A TCP connection belongs to one terminal; a line, or an address behind a translator, may change hands.
            guard bearer != .tcp else {
                actions.close = .displaced
                return false
            }
            for terminal in terminals { actions.requests.append(.left(terminal)) }
            state?.commands.abandon(into: &actions)
            desk.forget { _ in true }
        }
        state = GT06TerminalState(login.terminal, environment: environment, now: now.monotonicMilliseconds)
        actions.requests.append(.identified(login.terminal))
        return true
    }

    // MARK: - Time

    func timer(now: Moment, into actions: inout SessionActions) {
        let time = now.monotonicMilliseconds
        if let reason = deadlines.due(environment.limits, now: time) { actions.close = reason }
        if state?.commands.repeatIfDue(limits: environment.limits, now: time, into: &actions) == true {
            startCommands(now: time, into: &actions)
        }
    }

    var nextDeadline: Int64 {
        min(deadlines.next(environment.limits), state?.commands.deadline ?? .max)
    }

    // MARK: - Ends

    func displace(_ terminal: TerminalID) -> Bool {
        if state?.identity.terminal == terminal {
            state = nil
            link = GT06Link()
        }
        return state == nil
    }

    func end(into actions: inout SessionActions) {
        state?.commands.abandon(into: &actions)
        state = nil
        desk.forget { _ in true }
    }
}
