import TerminalModel
import TerminalProtocols

extension JT808Session {
    /// What each message asks of the platform. Source: section 6, column "reply expected".
    func dispatch(
        _ packet: JT808Packet, _ origin: borrowing FrameOrigin, state index: Int, now: Moment,
        into actions: inout SessionActions
    ) {
        refreshIdentityIfOld(state: index, now: now)
        let header = packet.header
        switch packet.message {
        case .terminalResponse(let response):
            resolveCommand(response, state: index, now: now, into: &actions)
        case .locationReply(let reply):
            confirmCommand(flowID: reply.flowID, messageID: 0x8201, state: index, now: now, into: &actions)
            report(packet, origin, state: index, now: now, into: &actions)
        case .registration(let registration):
            tell(packet, state: index, now: now, into: &actions)
            register(registration, header, state: index, now: now, into: &actions)
        case .authentication(let authentication):
            authenticate(authentication, header, state: index, now: now, into: &actions)
            tell(packet, state: index, now: now, into: &actions)
        case .serverTimeQuery:
            tell(packet, state: index, now: now, into: &actions)
            let time = JT808Time(now.wall, utcOffsetMinutes: 0)
            say(.serverTime(JT808ServerTime(time: time)), state: index, into: &actions)
        case .timeSyncRequest:
            tell(packet, state: index, now: now, into: &actions)
            say(.timeSyncReply(JT808TimeSync(time: now.wall)), state: index, into: &actions)
        case .terminalResendRequest(let request):
            resend(request, state: index, into: &actions)
        case .part(_, let part):
            assemble(part, packet, origin, state: index, now: now, into: &actions)
        case .heartbeat, .logOut, .vendorHeartbeat0506, .vendorHeartbeat1007, .subscription, .upgradeResult:
            tell(packet, state: index, now: now, into: &actions)
            answer(header, .ok, state: index, into: &actions)
        case .parameterReply, .attributeReply, .answer, .vehicleControlReply, .areaReply, .mediaSearchReply,
            .cameraReply, .unicodeAnswer:
            tell(packet, state: index, now: now, into: &actions)
        default:
            guard header.messageID < 0x8000 || header.messageID >= 0xE000 else {
                actions.refusals.append(
                    DecodeError(
                        .unsupported, protocolName: .jt808, message: header.message, field: "messageId", offset: 1,
                        expected: "a message of a terminal", found: "a message of a platform"))
                return
            }
            report(packet, origin, state: index, now: now, into: &actions)
        }
    }

    // MARK: - Reports

    /// Hands the events of a message on and answers when they are stored.
    private func report(
        _ packet: JT808Packet, _ origin: borrowing FrameOrigin, state index: Int, now: Moment,
        into actions: inout SessionActions
    ) {
        let events = packet.events(profile: states[index].profile, received: now.wall)
        submit(events, origin, media: packet.media, state: index, into: &actions)
    }

    /// Tells the pipeline what was heard although nothing depends on its being stored.
    private func tell(_ packet: JT808Packet, state index: Int, now: Moment, into actions: inout SessionActions) {
        guard isServed(index) else { return }
        for event in packet.events(profile: states[index].profile, received: now.wall) {
            actions.requests.append(.report(inbound(event, state: index, frame: [], seen: false), request: nil))
        }
    }

    private func isServed(_ index: Int) -> Bool {
        states[index].trust != .unknown || environment.unknownTerminals == .accept
    }

    func submit(
        _ events: [TerminalEvent], _ origin: borrowing FrameOrigin, media: InboundMedia? = nil, state index: Int,
        into actions: inout SessionActions
    ) {
        let header = origin.header
        let asksForHelp = events.contains { !$0.alarms.isEmpty || !$0.keys.isEmpty }
        guard isServed(index) || asksForHelp else {
            refuseUnknown(header, state: index, into: &actions)
            return
        }
        guard !events.isEmpty else {
            answer(header, .ok, state: index, into: &actions)
            return
        }
        let seen = asksForHelp && states[index].hasSeen(alarmFrame: origin.hash)
        let request = takeRequestNumber()
        if pending.count < environment.limits.maximumPendingReports {
            pending.append(
                PendingAnswer(
                    request: request, terminal: states[index].terminal, flowID: header.flowID,
                    messageID: header.messageID, mediaID: media?.id, remaining: events.count))
        }
        let isEvidence = asksForHelp || events.contains { $0.kind != .report }
        for (position, event) in events.enumerated() {
            let frame = isEvidence && position == 0 ? origin.frame : []
            var report = inbound(event, state: index, frame: frame, seen: seen)
            if position == 0 { report.media = media }
            actions.requests.append(.report(report, request: request))
        }
    }

    private func inbound(_ event: TerminalEvent, state index: Int, frame: [UInt8], seen: Bool) -> InboundReport {
        InboundReport(
            event: event, trust: states[index].trust, bearer: bearer, peer: peer, frame: frame, retransmission: seen)
    }

    /// An ordinary report of a terminal in no list: acknowledged so that it stays quiet, or refused.
    private func refuseUnknown(_ header: JT808Header, state index: Int, into actions: inout SessionActions) {
        switch environment.unknownTerminals {
        case .accept, .quarantine:
            answer(header, .ok, state: index, into: &actions)
        case .refuse:
            answer(header, .failed, state: index, into: &actions)
            actions.close = .unknownTerminal
        }
    }

    func resolve(request: UInt32, stored: Bool, isAlarm: Bool, now: Moment, into actions: inout SessionActions) {
        if let index = states.firstIndex(where: { $0.registration?.request == request }) {
            finishRegistration(state: index, stored: stored, into: &actions)
            return
        }
        guard let position = pending.firstIndex(where: { $0.request == request }) else { return }
        pending[position].remaining -= 1
        if !stored { pending[position].hasFailed = true }
        if isAlarm { pending[position].isAlarm = true }
        guard pending[position].remaining == 0 else { return }
        let done = pending.remove(at: position)
        // Not on disk: say nothing, the terminal sends again (promise P1).
        guard !done.hasFailed, let index = states.firstIndex(where: { $0.terminal == done.terminal }) else { return }
        if let mediaID = done.mediaID {
            say(.mediaAcknowledgement(JT808MediaAcknowledgement(mediaID: mediaID)), state: index, into: &actions)
            return
        }
        guard JT808Message.platformReply(to: done.messageID) == 0x8001 else { return }
        let response = JT808Response(
            flowID: done.flowID, messageID: done.messageID, result: done.isAlarm ? .alarmConfirmed : .ok)
        say(.platformResponse(response), state: index, into: &actions)
    }

    // MARK: - Registration and authentication

    private func register(
        _ registration: JT808Registration, _ header: JT808Header, state index: Int, now: Moment,
        into actions: inout SessionActions
    ) {
        let terminal = states[index].terminal
        if environment.directory[terminal]?.isListed != true, environment.unknownTerminals == .refuse {
            let unknownTerminal: UInt8 = 4
            say(
                .registrationReply(JT808RegistrationReply(flowID: header.flowID, result: unknownTerminal)),
                state: index, into: &actions)
            actions.close = .unknownTerminal
            return
        }
        // The same registration again while the first waits for the disk: one code, one answer.
        guard states[index].registration?.flowID != header.flowID else { return }
        // The edition of a 12-byte header shows in the registration alone; the site's setting goes before it.
        if !header.is2019, states[index].profile.edition == nil {
            states[index].profile.edition = registration.edition
        }
        let code = environment.makeAuthCode()
        let request = takeRequestNumber()
        states[index].registration = .init(request: request, flowID: header.flowID, code: code)
        let facts = TerminalRegistration(
            terminal: terminal, protocolName: .jt808, maker: registration.maker, model: registration.model,
            serialNumber: registration.terminalID, codeDigest: environment.digest(code), at: now.wall)
        actions.requests.append(.register(facts, request: request))
    }

    private func finishRegistration(state index: Int, stored: Bool, into actions: inout SessionActions) {
        guard let registration = states[index].registration else { return }
        states[index].registration = nil
        guard stored else { return }
        let reply = JT808RegistrationReply(flowID: registration.flowID, result: 0, authCode: registration.code)
        say(.registrationReply(reply), state: index, into: &actions)
    }

    private func authenticate(
        _ authentication: JT808Authentication, _ header: JT808Header, state index: Int, now: Moment,
        into actions: inout SessionActions
    ) {
        let terminal = states[index].terminal
        let digest = environment.digest(authentication.authCode)
        let isRight = environment.directory[terminal]?.authCodeDigests.contains(digest) ?? false
        // A terminal that proved itself and now sends another code has proved nothing any more.
        states[index].hasProvedItself = isRight
        refreshIdentity(state: index, now: now)
        if isRight {
            actions.requests.append(.authenticated(terminal, digest: digest))
            answer(header, .ok, state: index, into: &actions)
            return
        }
        // "Failed" makes the terminal register again and get a code that works (section 10).
        answer(header, states[index].trust == .byID ? .ok : .failed, state: index, into: &actions)
    }

    // MARK: - Packages

    private func assemble(
        _ part: JT808Part, _ packet: JT808Packet, _ origin: borrowing FrameOrigin, state index: Int, now: Moment,
        into actions: inout SessionActions
    ) {
        let header = packet.header
        switch states[index].reassembly.insert(part.bytes, header: header, now: now.monotonicMilliseconds) {
        case .incomplete, .duplicate:
            answerPackage(packet, origin, state: index, now: now, into: &actions)
        case .refused(let refusal):
            answerPackage(packet, origin, state: index, now: now, into: &actions)
            actions.refusals.append(
                DecodeError(
                    .badValue, protocolName: .jt808, message: header.message, field: "package",
                    offset: header.is2019 ? 18 : 13, expected: "a package that fits the others",
                    found: refusal.rawValue))
        case .complete(let body):
            do {
                var whole = packet
                whole.assembled = try JT808Codec.decode(
                    assembled: body, header: header, profile: states[index].profile)
                report(whole, origin, state: index, now: now, into: &actions)
            } catch {
                actions.refusals.append(error)
                answerUnreadable(origin, error, body: body.span, state: index, now: now, into: &actions)
            }
        }
    }

    /// The other packages may never come: an alarm that one package states is kept before that package is acknowledged.
    private func answerPackage(
        _ packet: JT808Packet, _ origin: borrowing FrameOrigin, state index: Int, now: Moment,
        into actions: inout SessionActions
    ) {
        let alarms = packet.events(profile: states[index].profile, received: now.wall).filter { !$0.alarms.isEmpty }
        guard !alarms.isEmpty else {
            answer(packet.header, .ok, state: index, into: &actions)
            return
        }
        submit(alarms, origin, state: index, into: &actions)
    }
}

extension JT808Packet {
    /// What a complete 0x0801 carries; its number is acknowledged when it is stored.
    fileprivate var media: InboundMedia? {
        switch assembled?.message ?? message {
        case .media(let media):
            InboundMedia(
                id: media.about.mediaID, type: media.about.type, format: media.about.format,
                eventCode: media.about.event, data: media.data)
        default: nil
        }
    }
}
