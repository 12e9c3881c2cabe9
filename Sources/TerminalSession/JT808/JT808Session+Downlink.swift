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
        states[index].commands.add(command, id: id, expires: expires, limits: environment.limits, into: &actions)
        startCommands(state: index, now: now.monotonicMilliseconds, into: &actions)
    }

    func startCommands(state index: Int, now: Int64, into actions: inout SessionActions) {
        while let next = states[index].commands.next(now: now, into: &actions) {
            let edition = states[index].phone.isLong ? .v2019 : states[index].profile.edition ?? .v2013
            do {
                let message = try JT808Message.asking(next.command, edition: edition).message
                let first = states[index].flowID
                let frames = encode(message, state: index)
                states[index].commands.sent(
                    next, frames: frames,
                    expecting: .init(messageID: message.id, firstFlowID: first, frameCount: frames.count),
                    limits: environment.limits, now: now, into: &actions)
            } catch {
                states[index].commands.refuse(next, reason: error.reason, into: &actions)
            }
        }
    }

    /// 0x0001: the terminal answers a command of ours.
    func resolveCommand(
        _ response: JT808Response, state index: Int, now: Moment, into actions: inout SessionActions
    ) {
        guard isAwaited(response.messageID, response.flowID, state: index) else { return }
        switch response.result {
        case .ok:
            // 0x0201 brings the position itself; 0x0001 before it only says that the question arrived.
            if response.messageID == 0x8201 { return }
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
        guard isAwaited(messageID, flowID, state: index) else { return }
        finishCommand(.confirmed, state: index, now: now, into: &actions)
    }

    private func isAwaited(_ messageID: UInt16, _ flowID: UInt16, state index: Int) -> Bool {
        states[index].commands.outstanding?.expected.matches(messageID: messageID, flowID: flowID) ?? false
    }

    private func finishCommand(
        _ outcome: CommandOutcome, state index: Int, now: Moment, into actions: inout SessionActions
    ) {
        states[index].commands.finish(outcome, into: &actions)
        startCommands(state: index, now: now.monotonicMilliseconds, into: &actions)
    }

    /// 0x0005: the terminal misses packages of a long command.
    func resend(_ request: JT808ResendRequest, state index: Int, into actions: inout SessionActions) {
        guard let command = states[index].commands.outstanding, command.expected.firstFlowID == request.firstFlowID
        else { return }
        for package in request.indexes where package >= 1 && Int(package) <= command.frames.count {
            actions.output += command.frames[Int(package) - 1]
        }
    }
}
