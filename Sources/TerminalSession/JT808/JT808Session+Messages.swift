import TerminalModel
import TerminalProtocols

extension JT808Session {
    /// What each message asks of the platform. Source: section 6, column "reply expected".
    func dispatch(
        _ packet: JT808Packet, _ origin: borrowing FrameOrigin, state index: Int, now: Moment,
        into actions: inout SessionActions
    ) {
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
        case .parameterReply, .attributeReply, .answer, .areaReply, .mediaSearchReply,
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
        submit(events, packet.header, origin, media: packet.media, state: index, into: &actions)
    }

    /// Tells the pipeline what was heard although nothing depends on its being stored.
    private func tell(_ packet: JT808Packet, state index: Int, now: Moment, into actions: inout SessionActions) {
        let events = packet.events(profile: states[index].profile, received: now.wall)
        desk.tell(events, from: states[index].identity, into: &actions)
    }

    func submit(
        _ events: some Collection<TerminalEvent>, _ header: JT808Header, _ origin: borrowing FrameOrigin,
        media: InboundMedia? = nil, state index: Int, into actions: inout SessionActions
    ) {
        let due = JT808Answer(
            terminal: states[index].terminal, flowID: header.flowID,
            kind: media.map { .media(id: $0.id) } ?? .general(messageID: header.messageID))
        switch desk.submit(
            events, media: media, from: &states[index].identity, origin: origin, answer: due, into: &actions)
        {
        case .waits: break
        case .answerNow:
            guard JT808Message.platformReply(to: header.messageID) != nil else { return }
            answer(header, .ok, state: index, into: &actions)
        case .refused: answer(header, .failed, state: index, into: &actions)
        }
    }

    func resolve(request: UInt32, stored: Bool, isAlarm: Bool, now: Moment, into actions: inout SessionActions) {
        guard let due = desk.resolve(request: request, stored: stored, isAlarm: isAlarm),
            let index = states.firstIndex(where: { $0.terminal == due.answer.terminal })
        else { return }
        let flowID = due.answer.flowID
        switch due.answer.kind {
        case .registration(let code):
            let reply = JT808RegistrationReply(flowID: flowID, result: 0, authCode: code)
            say(.registrationReply(reply), state: index, into: &actions)
        case .media(let id):
            say(.mediaAcknowledgement(JT808MediaAcknowledgement(mediaID: id)), state: index, into: &actions)
        case .general(let messageID):
            guard JT808Message.platformReply(to: messageID) == 0x8001 else { return }
            let response = JT808Response(
                flowID: flowID, messageID: messageID, result: due.isAlarm ? .alarmConfirmed : .ok)
            say(.platformResponse(response), state: index, into: &actions)
        }
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
        guard !desk.expects({ $0.isRegistration(of: terminal) && $0.flowID == header.flowID }) else { return }
        desk.forget { $0.isRegistration(of: terminal) }
        // The edition of a 12-byte header shows in the registration alone; the site's setting goes before it.
        if !header.is2019, states[index].profile.edition == nil {
            states[index].profile.edition = registration.edition
        }
        let code = environment.makeAuthCode()
        let request = desk.expect(
            JT808Answer(terminal: terminal, flowID: header.flowID, kind: .registration(code: code)))
        let facts = TerminalRegistration(
            terminal: terminal, protocolName: .jt808, maker: registration.maker, model: registration.model,
            serialNumber: registration.terminalID, codeDigest: environment.digest(code), at: now.wall)
        actions.requests.append(.register(facts, request: request))
    }

    private func authenticate(
        _ authentication: JT808Authentication, _ header: JT808Header, state index: Int, now: Moment,
        into actions: inout SessionActions
    ) {
        let terminal = states[index].terminal
        let digest = environment.digest(authentication.authCode)
        let isRight = environment.directory[terminal]?.authCodeDigests.contains(digest) ?? false
        states[index].identity.showedSecret(isRight: isRight)
        states[index].refresh(in: environment, now: now.monotonicMilliseconds)
        if isRight {
            actions.requests.append(.authenticated(terminal, digest: digest))
            answer(header, .ok, state: index, into: &actions)
            return
        }
        // "Failed" makes the terminal register again and get a code that works (section 10).
        answer(header, states[index].identity.trust == .byID ? .ok : .failed, state: index, into: &actions)
    }

    // MARK: - Packages

    private func assemble(
        _ part: JT808Part, _ packet: JT808Packet, _ origin: borrowing FrameOrigin, state index: Int, now: Moment,
        into actions: inout SessionActions
    ) {
        let header = packet.header
        // Of a terminal that is not served only alarms are kept, and there are as many of those as somebody invents.
        guard states[index].identity.isServed(by: environment) else {
            answerPackage(packet, origin, state: index, now: now, into: &actions)
            return
        }
        let cost = JT808Reassembly.cost(of: header, byteCount: part.bytes.count)
        guard states[index].reassembly.completes(header) || environment.packages.admits(cost) else {
            answerPackage(packet, origin, state: index, now: now, into: &actions)
            refusePackage(header, expected: "room for unfinished messages", found: "none", into: &actions)
            return
        }
        defer { countPackages() }
        switch states[index].reassembly.insert(part.bytes, header: header, now: now.monotonicMilliseconds) {
        case .incomplete, .duplicate:
            answerPackage(packet, origin, state: index, now: now, into: &actions)
        case .refused(let refusal):
            answerPackage(packet, origin, state: index, now: now, into: &actions)
            refusePackage(
                header, expected: "a package that fits the others", found: refusal.rawValue, into: &actions)
        case .complete(let body):
            do {
                var whole = packet
                whole.assembled = try JT808Codec.decode(
                    assembled: body, header: header, profile: states[index].profile)
                report(whole, origin, state: index, now: now, into: &actions)
            } catch {
                actions.refusals.append(error)
                answerUnreadable(header, origin, error, body: body.span, state: index, now: now, into: &actions)
            }
        }
    }

    private func refusePackage(
        _ header: JT808Header, expected: String, found: String, into actions: inout SessionActions
    ) {
        actions.refusals.append(
            DecodeError(
                .badValue, protocolName: .jt808, message: header.message, field: "package",
                offset: header.is2019 ? 18 : 13, expected: expected, found: found))
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
        submit(alarms, packet.header, origin, state: index, into: &actions)
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
