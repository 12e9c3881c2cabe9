import TerminalModel
import TerminalProtocols

extension JT808Session {
    // MARK: - Saying things

    /// Answers a message with 0x8001.
    func answer(
        _ header: JT808Header, _ result: JT808Response.Result, state index: Int, into actions: inout SessionActions
    ) {
        let response = JT808Response(flowID: header.flowID, messageID: header.messageID, result: result)
        say(.platformResponse(response), state: index, into: &actions)
    }

    func say(_ message: JT808Message, state index: Int, into actions: inout SessionActions) {
        for frame in encode(message, state: index) { actions.output += frame }
    }

    private func encode(_ message: JT808Message, state index: Int) -> [[UInt8]] {
        JT808Codec.encode(
            message, phone: states[index].phone, protocolVersion: states[index].protocolVersion,
            edition: states[index].profile.edition, flowID: &states[index].flowID)
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
        guard states[index].outstanding?.id != id, !states[index].waiting.contains(where: { $0.id == id }) else {
            return
        }
        guard states[index].waiting.count < environment.limits.maximumWaitingCommands else {
            actions.requests.append(.command(id: id, outcome: .failed(reason: "too many commands wait")))
            return
        }
        states[index].waiting.append(.init(id: id, command: command, expires: expires))
        startNextCommand(state: index, now: now.monotonicMilliseconds, into: &actions)
    }

    private func startNextCommand(state index: Int, now: Int64, into actions: inout SessionActions) {
        while states[index].outstanding == nil, !states[index].waiting.isEmpty {
            let next = states[index].waiting.removeFirst()
            guard now < next.expires else {
                actions.requests.append(.command(id: next.id, outcome: .expired))
                continue
            }
            let edition = states[index].phone.isLong ? .v2019 : states[index].profile.edition ?? .v2013
            let message = JT808Message.asking(next.command, edition: edition).message
            let first = states[index].flowID
            let frames = encode(message, state: index)
            let wait = environment.limits.commandTimeoutMilliseconds
            states[index].outstanding = .init(
                id: next.id, expires: next.expires, messageID: message.id, firstFlowID: first, frames: frames,
                waitMilliseconds: wait, deadline: now + wait)
            for frame in frames { actions.output += frame }
            actions.requests.append(.command(id: next.id, outcome: .sent))
        }
    }

    /// 0x0001: the terminal answers a command of ours.
    func resolveCommand(
        _ response: JT808Response, state index: Int, now: Moment, into actions: inout SessionActions
    ) {
        guard let command = states[index].outstanding, command.messageID == response.messageID,
            command.awaits(flowID: response.flowID)
        else { return }
        switch response.result {
        case .ok:
            // 0x0201 brings the position itself; 0x0001 before it only says that the question arrived.
            if command.messageID == 0x8201 { return }
            finishCommand(.confirmed, state: index, now: now, into: &actions)
        case .failed: finishCommand(.failed(reason: "terminal failed"), state: index, now: now, into: &actions)
        case .badMessage:
            finishCommand(.failed(reason: "terminal called it a bad message"), state: index, now: now, into: &actions)
        case .notSupported:
            finishCommand(.failed(reason: "terminal does not support it"), state: index, now: now, into: &actions)
        default:
            finishCommand(
                .failed(reason: "terminal answered \(response.result.rawValue)"), state: index, now: now,
                into: &actions)
        }
    }

    /// A reply of its own kind (0x0201) answers the command with this flow id.
    func confirmCommand(
        flowID: UInt16, messageID: UInt16, state index: Int, now: Moment, into actions: inout SessionActions
    ) {
        guard let command = states[index].outstanding, command.messageID == messageID,
            command.awaits(flowID: flowID)
        else { return }
        finishCommand(.confirmed, state: index, now: now, into: &actions)
    }

    private func finishCommand(
        _ outcome: CommandOutcome, state index: Int, now: Moment, into actions: inout SessionActions
    ) {
        guard let command = states[index].outstanding else { return }
        states[index].outstanding = nil
        actions.requests.append(.command(id: command.id, outcome: outcome))
        startNextCommand(state: index, now: now.monotonicMilliseconds, into: &actions)
    }

    /// Repeats an unanswered command: the n-th wait is n times the one before (section 10).
    func repeatCommand(state index: Int, now: Int64, into actions: inout SessionActions) {
        guard var command = states[index].outstanding, now >= command.deadline else { return }
        let moment = Moment(wall: Timestamp(milliseconds: 0), monotonicMilliseconds: now)
        guard now < command.expires else {
            finishCommand(.expired, state: index, now: moment, into: &actions)
            return
        }
        guard command.repetitions < environment.limits.commandRetries else {
            finishCommand(.failed(reason: "no answer"), state: index, now: moment, into: &actions)
            return
        }
        command.repetitions += 1
        command.waitMilliseconds *= Int64(command.repetitions + 1)
        command.deadline = now + command.waitMilliseconds
        states[index].outstanding = command
        for frame in command.frames { actions.output += frame }
    }

    /// 0x0005: the terminal misses packages of a long command.
    func resend(_ request: JT808ResendRequest, state index: Int, into actions: inout SessionActions) {
        guard let command = states[index].outstanding, command.firstFlowID == request.firstFlowID else { return }
        for package in request.indexes where package >= 1 && Int(package) <= command.frames.count {
            actions.output += command.frames[Int(package) - 1]
        }
    }

    /// The connection is gone: unanswered commands go back to the queue until they expire.
    func abandonCommands(of state: JT808TerminalState, into actions: inout SessionActions) {
        if let command = state.outstanding { actions.requests.append(.command(id: command.id, outcome: .queued)) }
        for command in state.waiting { actions.requests.append(.command(id: command.id, outcome: .queued)) }
    }
}
