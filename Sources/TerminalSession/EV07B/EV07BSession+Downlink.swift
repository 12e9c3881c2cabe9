import TerminalModel
import TerminalProtocols

extension EV07BSession {
    // MARK: - Saying things

    func say(_ due: EV07BAnswer, now: Moment, into actions: inout SessionActions) {
        if let message = due.reply.message(now: now.wall) { say(message, due.sequence, into: &actions) }
    }

    /// Answers the frame with this counter; answers ask for none themselves (section 5).
    func say(_ message: EV07BMessage, _ sequence: UInt16, into actions: inout SessionActions) {
        actions.output += EV07BCodec.encode(message, header: EV07BHeader(properties: 0, sequence: sequence))
    }

    // MARK: - Commands

    func send(
        _ command: TerminalCommand, id: Int64, to terminal: TerminalID, expires: Int64, now: Moment,
        into actions: inout SessionActions
    ) {
        guard state?.terminal == terminal else {
            actions.requests.append(.command(id: id, outcome: .queued))
            return
        }
        state?.commands.add(command, id: id, expires: expires, limits: environment.limits, into: &actions)
        startCommands(now: now.monotonicMilliseconds, into: &actions)
    }

    func startCommands(now: Int64, into actions: inout SessionActions) {
        while let next = state?.commands.next(now: now, into: &actions) {
            switch EV07BMessage.asking(next.command) {
            case .impossible(let reason):
                state?.commands.refuse(next, reason: reason, into: &actions)
            case .messages(let messages):
                guard let first = state?.takeSequences(messages.count) else { return }
                let frames = messages.enumerated().map { offset, message in
                    let sequence = first &+ UInt16(truncatingIfNeeded: offset)
                    return EV07BCodec.encode(
                        message, header: EV07BHeader(properties: EV07B.commandProperties, sequence: sequence))
                }
                state?.commands.sent(
                    next, frames: frames, expecting: .init(firstSequence: first, frameCount: frames.count),
                    limits: environment.limits, now: now, into: &actions)
            }
        }
    }

    /// A result or values with the counter of a command of ours. A command of several frames is done with its last one and
    /// fails with any.
    func resolveCommand(_ frame: borrowing EV07BFrame, now: Moment, into actions: inout SessionActions) {
        guard let expected = state?.commands.outstanding?.expected, expected.matches(frame.sequence) else {
            return
        }
        let result = frame.result
        if result == .ok, !expected.isLast(frame.sequence) { return }
        state?.commands.finish(
            result == .ok ? .confirmed : .failed(reason: "terminal answered \(result.name)"), into: &actions)
        startCommands(now: now.monotonicMilliseconds, into: &actions)
    }
}
