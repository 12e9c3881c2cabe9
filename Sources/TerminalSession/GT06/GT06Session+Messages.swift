import TerminalModel
import TerminalProtocols

extension GT06Session {
    /// What each message asks of the platform. Source: sections 6 and 9.
    func dispatch(
        _ packet: GT06Packet, _ origin: borrowing FrameOrigin, now: Moment, into actions: inout SessionActions
    ) {
        switch packet.message {
        case .login(let login):
            guard logIn(login, now: now, into: &actions) else { return }
            tell(packet, now: now, into: &actions)
            acknowledge(packet.platformAnswer, into: &actions)
            return
        case .lookAlike(.login(let imei, _)):
            guard logIn(GT06Login(imeiNibbles: imei), now: now, into: &actions) else { return }
            tell(packet, now: now, into: &actions)
            say(.loginReply(accepted: true), into: &actions)
            say(.time(now.wall), into: &actions)
            return
        case .command, .time, .lookAlike(.time), .lookAlike(.loginReply), .lookAlike(.echo):
            refuse(packet, field: "number", expected: "a message of a terminal", into: &actions)
            return
        case .acknowledgement(let number) where GT06Message.isAlarm(number):
            // Without content it states an alarm all the same.
            var alarm = packet
            alarm.message = .unreadableAlarm(number, GT06Bytes())
            dispatch(alarm, origin, now: now, into: &actions)
            return
        case .unreadableAlarm(_, let body): unreadable(packet, body, into: &actions)
        default: break
        }
        guard state != nil else {
            strangersMessage(packet, origin, now: now, into: &actions)
            return
        }
        switch packet.message {
        case .reply(_, let reply):
            report(packet, origin, answer: .none, now: now, into: &actions)
            resolveCommand(reply, now: now, into: &actions)
        case .timeRequest:
            tell(packet, now: now, into: &actions)
            let time = GT06ServerTime(time: GT06Time(now.wall))
            actions.output += GT06Codec.encode(.time(time), serial: packet.serial ?? 0)
        case .lookAlike(.timeRequest):
            tell(packet, now: now, into: &actions)
            say(.time(now.wall), into: &actions)
        default: report(packet, origin, answer: packet.platformAnswer, now: now, into: &actions)
        }
    }

    // MARK: - Reports

    /// Hands on what a message says. What states neither a place nor an alarm is answered at once: nothing depends on its
    /// being stored.
    private func report(
        _ packet: GT06Packet, _ origin: borrowing FrameOrigin, answer: GT06Answer, now: Moment,
        into actions: inout SessionActions
    ) {
        guard let profile = state?.profile else { return }
        let events = link.events(packet, profile: profile, received: now.wall)
        let isStored = events.contains { $0.kind == .report || !$0.alarms.isEmpty || $0.position != nil }
        guard !isStored else {
            submit(events, origin, answer: answer, into: &actions)
            return
        }
        if let identity = state?.identity { desk.tell(events, from: identity, into: &actions) }
        acknowledge(answer, into: &actions)
    }

    private func tell(_ packet: GT06Packet, now: Moment, into actions: inout SessionActions) {
        guard let state else { return }
        let events = link.events(packet, profile: state.profile, received: now.wall)
        desk.tell(events, from: state.identity, into: &actions)
    }

    func submit(
        _ events: some Collection<TerminalEvent>, _ origin: borrowing FrameOrigin, answer: GT06Answer,
        into actions: inout SessionActions
    ) {
        guard var identity = state?.identity else { return }
        // Without serial and time every press of the look-alike family has the same bytes: none is a repetition.
        if events.first?.sequence == nil { identity.recentAlarmFrames = RecentFrames() }
        let submission = desk.submit(events, from: &identity, origin: origin, answer: answer, into: &actions)
        state?.identity = identity
        switch submission {
        case .waits, .refused: break
        case .answerNow: acknowledge(answer, into: &actions)
        }
    }

    /// Nobody has logged in: only alarms count, and they are not answered, so that the terminal logs in and sends again.
    private func strangersMessage(
        _ packet: GT06Packet, _ origin: borrowing FrameOrigin, now: Moment, into actions: inout SessionActions
    ) {
        var events = link.events(packet, received: now.wall)
        guard events.contains(where: { !$0.alarms.isEmpty }) else {
            refuse(packet, field: "login", expected: "a login before anything else", into: &actions)
            return
        }
        for index in events.indices { events[index].terminal = nameless }
        var stranger = TerminalIdentity(nameless, now: now.monotonicMilliseconds)
        _ = desk.submit(events, from: &stranger, origin: origin, answer: .none, into: &actions)
    }

    /// An alarm in a layout that is not known is handed on as an SOS; somebody has to learn that it could not be read.
    private func unreadable(_ packet: GT06Packet, _ content: GT06Bytes, into actions: inout SessionActions) {
        let error = DecodeError(
            .unsupported, protocolName: .gt06, message: .number(UInt16(packet.number)), field: "content",
            offset: packet.form == .long ? 5 : 4, expected: "an alarm in a known layout",
            found: "\(content.bytes.count) bytes")
        actions.refusals.append(error)
        if let terminal = state?.identity.terminal { actions.requests.append(.unreadable(terminal, error)) }
    }

    private func refuse(
        _ packet: GT06Packet, field: String, expected: String, into actions: inout SessionActions
    ) {
        let number = MessageName.number(UInt16(packet.number))
        actions.refusals.append(
            DecodeError(
                .unsupported, protocolName: .gt06, message: number, field: field, offset: 3, expected: expected,
                found: "message \(number)"))
    }

    // MARK: - Answers

    func resolve(request: UInt32, stored: Bool, isAlarm: Bool, now: Moment, into actions: inout SessionActions) {
        if !stored, desk.mayBeAlarm(request) { link.forgetStandingAlarm() }
        guard let due = desk.resolve(request: request, stored: stored, isAlarm: isAlarm) else { return }
        acknowledge(due.answer, into: &actions)
    }

    private func acknowledge(_ answer: GT06Answer, into actions: inout SessionActions) {
        switch answer {
        case .none: break
        case .acknowledge(let number, let serial):
            actions.output += GT06Codec.acknowledgement(number, serial: serial)
        case .lookAlike(let message): say(message, into: &actions)
        }
    }

    private func say(_ message: GT06LookAlike, into actions: inout SessionActions) {
        actions.output += GT06Codec.encode(.lookAlike(message), serial: 0)
    }

    // MARK: - Commands

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

    func startCommands(now: Int64, into actions: inout SessionActions) {
        while let next = state?.commands.next(now: now, into: &actions) {
            guard let text = state?.profile.commands.text(for: next.command), let serial = state?.nextSerial() else {
                state?.commands.refuse(
                    next, reason: "this model has no command text for \(next.command.name)", into: &actions)
                continue
            }
            let flag = UInt32(truncatingIfNeeded: next.id)
            let frame = GT06Codec.encode(.command(GT06Command(serverFlag: flag, text: text)), serial: serial)
            state?.commands.sent(
                next, frames: [frame], expecting: GT06ExpectedAnswer(serverFlag: flag), limits: environment.limits,
                now: now, into: &actions)
        }
    }

    /// 15, 21: the terminal answers a command of ours.
    private func resolveCommand(_ reply: GT06Reply, now: Moment, into actions: inout SessionActions) {
        guard state?.commands.outstanding?.expected.serverFlag == reply.serverFlag else { return }
        state?.commands.finish(
            reply.isRefusal ? .failed(reason: "terminal answered \(reply.text)") : .confirmed, into: &actions)
        startCommands(now: now.monotonicMilliseconds, into: &actions)
    }
}
