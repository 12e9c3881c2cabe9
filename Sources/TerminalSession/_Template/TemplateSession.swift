import TerminalModel
import TerminalProtocols

/// The platform's side of Template on one connection.
///
/// Every frame names its terminal; one connection is one terminal's, and a frame of another ends it. Say here who tells the
/// session which terminal speaks, and what is done with messages before that.
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
        let time = now.monotonicMilliseconds
        while true {
            switch TemplateFramer().next(in: bytes, at: &cursor) {
            case .frame(let range):
                deadlines.waitsForRest(false, now: time)
                deadlines.heardFrame(now: time)
                actions.frameCount += 1
                handle(bytes.extracting(range), now: now, into: &actions)
            case .rejected(let error, _):
                deadlines.waitsForRest(false, now: time)
                actions.refusals.append(error)
            case .needMore(let droppable):
                deadlines.waitsForRest(droppable < bytes.count, now: time)
                cursor.dropped(droppable)
                return droppable
            }
        }
    }

    func restart() {
        cursor = TemplateFramer.Cursor()
        deadlines.forgetRest()
    }

    /// One checked frame: decode, answer or hand on. A frame that cannot be read costs only itself (promise P5).
    private func handle(_ bytes: Span<UInt8>, now: Moment, into actions: inout SessionActions) {
        do {
            let packet = try TemplateCodec.decode(try TemplateFrame(checking: bytes))
            guard speaks(packet.terminal, now: now.monotonicMilliseconds, into: &actions) else { return }
            switch packet.message {
            case .report:
                submit(
                    packet.events(profile: state?.profile ?? .standard, received: now.wall), FrameOrigin(wire: bytes),
                    answer: TemplateAnswer(message: packet.message.number), into: &actions)
            case .done(let counter): finish(counter, now: now.monotonicMilliseconds, into: &actions)
            case .acknowledgement, .locate, .unknown:
                // What is not understood is answered, so that it is not sent for ever.
                acknowledge(TemplateAnswer(message: packet.message.number), into: &actions)
            }
        } catch {
            actions.refusals.append(error)
        }
    }

    /// Takes in who speaks; false when another terminal does already.
    private func speaks(_ terminal: TerminalID, now: Int64, into actions: inout SessionActions) -> Bool {
        guard let known = state?.identity.terminal else {
            state = TemplateTerminalState(terminal, environment: environment, now: now)
            actions.requests.append(.identified(terminal))
            return true
        }
        guard known == terminal else {
            actions.close = .displaced
            return false
        }
        state?.refreshIfChanged(in: environment, now: now)
        return true
    }

    /// Hands events on; the acknowledgement follows in `resolve` (promise P1).
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

    private func acknowledge(_ answer: TemplateAnswer, into actions: inout SessionActions) {
        guard let terminal = state?.identity.terminal else { return }
        actions.output += TemplateCodec.encode(.acknowledgement(of: answer.message), terminal: terminal)
    }

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
        while let next = state?.commands.next(now: now, into: &actions), let terminal = state?.identity.terminal {
            let counter = state?.counter ?? 0
            do {
                let frame = TemplateCodec.encode(
                    try TemplateMessage.asking(next.command, counter: counter), terminal: terminal)
                state?.counter = counter &+ 1
                state?.commands.sent(
                    next, frames: [frame], expecting: TemplateExpectedAnswer(counter: counter),
                    limits: environment.limits, now: now, into: &actions)
            } catch {
                state?.commands.refuse(next, reason: error.reason, into: &actions)
            }
        }
    }

    private func finish(_ counter: UInt8, now: Int64, into actions: inout SessionActions) {
        guard state?.commands.outstanding?.expected.counter == counter else { return }
        state?.commands.finish(.confirmed, into: &actions)
        startCommands(now: now, into: &actions)
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
