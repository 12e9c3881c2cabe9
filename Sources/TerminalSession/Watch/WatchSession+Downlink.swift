import TerminalModel
import TerminalProtocols

extension WatchSession {
    func send(
        _ command: TerminalCommand, id: Int64, to terminal: TerminalID, expires: Int64, now: Moment,
        into actions: inout SessionActions
    ) {
        guard let index = states.firstIndex(where: { $0.terminal == terminal }) else {
            actions.requests.append(.command(id: id, outcome: .queued))
            return
        }
        states[index].commands.add(
            command, id: id, expires: expires, limits: environment.limits, into: &actions)
        startCommands(state: index, now: now.monotonicMilliseconds, into: &actions)
    }

    private func startCommands(state index: Int, now: Int64, into actions: inout SessionActions) {
        while let next = states[index].commands.next(now: now, into: &actions) {
            if case .track(let interval, let duration) = next.command {
                guard interval > 0, duration > 0 else {
                    // The watch returns to its interval by itself; nobody asks it to go on any more.
                    states[index].tracking = nil
                    actions.requests.append(.command(id: next.id, outcome: .confirmed))
                    continue
                }
                states[index].tracking = .init(
                    until: now + Int64(duration) * 1000, askAgainAt: now + WatchMessage.trackingMilliseconds)
            }
            guard let message = WatchMessage.asking(next.command) else {
                states[index].commands.refuse(
                    next,
                    reason: "a watch knows no \(next.command.name); the text of an acknowledgement tells the person",
                    into: &actions)
                continue
            }
            let frame = WatchCodec.encode(message, header: states[index].nextHeader())
            states[index].commands.sent(
                next, frames: [frame], expecting: WatchExpectedAnswer(keyword: message.keyword.uppercased()),
                limits: limits(for: next.command), now: now, into: &actions)
        }
    }

    /// A watch that telephones hears nothing until it hangs up: asked twice it would dial twice.
    private func limits(for command: TerminalCommand) -> SessionLimits {
        var limits = environment.limits
        if case .callBack = command {
            limits.commandTimeoutMilliseconds = max(limits.commandTimeoutMilliseconds, Self.callTimeoutMilliseconds)
            limits.commandRetries = 0
        }
        return limits
    }

    private static let callTimeoutMilliseconds: Int64 = 60_000

    /// A watch answers a command with its keyword (section 8).
    func confirmCommand(keyword: String, state index: Int, now: Moment, into actions: inout SessionActions) {
        guard states[index].commands.outstanding?.expected.keyword == keyword else { return }
        states[index].commands.finish(.confirmed, into: &actions)
        startCommands(state: index, now: now.monotonicMilliseconds, into: &actions)
    }

    func repeatCommand(state index: Int, now: Int64, into actions: inout SessionActions) {
        guard let command = states[index].commands.outstanding?.command,
            states[index].commands.repeatIfDue(limits: limits(for: command), now: now, into: &actions)
        else { return }
        startCommands(state: index, now: now, into: &actions)
    }

    /// Asks for fast reports again when the watch has returned to its interval.
    func goOnTracking(state index: Int, now: Int64, into actions: inout SessionActions) {
        guard var tracking = states[index].tracking, now >= tracking.askAgainAt else { return }
        guard now < tracking.until else {
            states[index].tracking = nil
            return
        }
        tracking.askAgainAt = now + WatchMessage.trackingMilliseconds
        states[index].tracking = tracking
        if let message = WatchMessage.asking(.locate) {
            actions.output += WatchCodec.encode(message, header: states[index].nextHeader())
        }
    }
}
