import TerminalModel
import TerminalProtocols

extension EV07BSession {
    /// What each message asks of the platform. Source: sections 4, 5 and 10.
    func dispatch(
        _ frame: borrowing EV07BFrame, _ origin: borrowing FrameOrigin, _ state: EV07BTerminalState, now: Moment,
        into actions: inout SessionActions
    ) {
        let due = EV07BAnswer(sequence: frame.sequence, reply: EV07BReply(to: frame))
        if let event = frame.locationEvent(terminal: state.terminal, profile: state.profile, received: now.wall) {
            submit(CollectionOfOne(event), origin, due, now: now, into: &actions)
            return
        }
        let events = frame.events(terminal: state.terminal, profile: state.profile, received: now.wall)
        switch frame.command {
        case .data, .control:
            submit(events, origin, due, now: now, into: &actions)
        case .services where events.contains { !$0.alarms.isEmpty }:
            submit(events, origin, due, now: now, into: &actions)
        case .services:
            // A terminal without a clock asks for the time: nothing is waited for.
            desk.tell(events, from: state.identity, into: &actions)
            say(due, now: now, into: &actions)
        case .response: resolveCommand(frame, now: now, into: &actions)
        case .configuration:
            desk.tell(events, from: state.identity, into: &actions)
            resolveCommand(frame, now: now, into: &actions)
            say(due, now: now, into: &actions)
        default:
            say(due, now: now, into: &actions)
        }
    }

    private func submit(
        _ events: some Collection<TerminalEvent>, _ origin: borrowing FrameOrigin, _ due: EV07BAnswer,
        now: Moment, into actions: inout SessionActions
    ) {
        guard var identity = state?.identity else { return }
        let submission = desk.submit(events, from: &identity, origin: origin, answer: due, into: &actions)
        state?.identity = identity
        switch submission {
        case .waits: break
        case .answerNow: say(due, now: now, into: &actions)
        case .refused:
            if due.reply != .nothing { say(.response(.outOfService), due.sequence, into: &actions) }
        }
    }

    func resolve(request: UInt32, stored: Bool, isAlarm: Bool, now: Moment, into actions: inout SessionActions) {
        guard let due = desk.resolve(request: request, stored: stored, isAlarm: isAlarm) else { return }
        say(due.answer, now: now, into: &actions)
    }
}
