import TerminalModel
import TerminalProtocols

/// The platform's side of <protocol> on one connection.
///
/// Say here: who tells the session which terminal speaks, and what is done with messages before that.
final class TemplateSession: TerminalSession {
    private var state: TemplateTerminalState?
    private var desk: ReportDesk<TemplateAnswer>
    private var deadlines: SessionDeadlines
    private var cursor = TemplateFramer.Cursor()

    init(environment: SessionEnvironment, bearer: Bearer, peer: PeerAddress, now: Moment) {
        desk = ReportDesk(environment: environment, bearer: bearer, peer: peer)
        deadlines = SessionDeadlines(openedAt: now.monotonicMilliseconds)
    }

    var environment: SessionEnvironment { desk.environment }
    var terminals: [TerminalID] { state.map { [$0.identity.terminal] } ?? [] }
    var isAwaitingResult: Bool { desk.isWaiting }

    func receive(
        _ bytes: Span<UInt8>, now: Moment, scratch: inout SessionScratch, into actions: inout SessionActions
    ) -> Int {
        // For each frame: deadlines.heardFrame, actions.frameCount, state.refreshIfChanged, decode, submit or answer.
        0
    }

    func restart() {
        cursor = TemplateFramer.Cursor()
        deadlines.forgetRest()
    }

    /// Hands events on; the acknowledgement follows in `resolve`.
    private func submit(
        _ events: some Collection<TerminalEvent>, _ origin: borrowing FrameOrigin, answer: TemplateAnswer,
        into actions: inout SessionActions
    ) {
        guard var identity = state?.identity else { return }
        let submission = desk.submit(
            events, from: &identity, origin: origin, answer: answer, into: &actions)
        state?.identity = identity
        switch submission {
        case .waits: break
        case .answerNow, .refused: acknowledge(answer, into: &actions)
        }
    }

    func resolve(request: UInt32, stored: Bool, isAlarm: Bool, now: Moment, into actions: inout SessionActions) {
        guard let due = desk.resolve(request: request, stored: stored, isAlarm: isAlarm) else { return }
        acknowledge(due.answer, into: &actions)
    }

    private func acknowledge(_ answer: TemplateAnswer, into actions: inout SessionActions) {}

    func send(
        _ command: TerminalCommand, id: Int64, to terminal: TerminalID, expires: Int64, now: Moment,
        into actions: inout SessionActions
    ) {
        guard state?.identity.terminal == terminal else {
            actions.requests.append(.command(id: id, outcome: .queued))
            return
        }
        state?.commands.add(command, id: id, expires: expires, limits: environment.limits, into: &actions)
        startCommands(now: now.monotonicMilliseconds, into: &actions)
    }

    private func startCommands(now: Int64, into actions: inout SessionActions) {
        while let next = state?.commands.next(now: now, into: &actions) {
            do {
                let frame = TemplateCodec.encode(try TemplateMessage.asking(next.command))
                state?.commands.sent(
                    next, frames: [frame], expecting: TemplateExpectedAnswer(counter: 0), limits: environment.limits,
                    now: now, into: &actions)
            } catch {
                state?.commands.refuse(next, reason: error.reason, into: &actions)
            }
        }
    }

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

    func displace(_ terminal: TerminalID) -> Bool {
        if state?.identity.terminal == terminal { state = nil }
        return state == nil
    }

    func end(into actions: inout SessionActions) {
        state?.commands.abandon(into: &actions)
        state = nil
        desk.forget { _ in true }
    }
}
