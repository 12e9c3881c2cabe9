import TerminalModel
import TerminalProtocols

extension WatchSession {
    /// What each message asks of the platform. Source: section 4.
    func dispatch(
        _ packet: WatchPacket, _ origin: borrowing FrameOrigin, state index: Int, now: Moment,
        into actions: inout SessionActions
    ) {
        let reply = reply(to: packet, state: index, now: now)
        switch packet.message {
        case .linkKeep:
            tell(packet, state: index, now: now, into: &actions)
            answer(reply, state: index, into: &actions)
        case .voiceChunk(let chunk):
            assemble(chunk, packet, origin, reply: reply, state: index, now: now, into: &actions)
        case .report(let body):
            // A position that comes while one is asked for is the answer of watches that do not repeat the keyword.
            if !body.isStored { confirmCommand(keyword: "CR", state: index, now: now, into: &actions) }
            report(packet, origin, reply: reply, state: index, now: now, into: &actions)
        case .voice, .picture, .bloodPressure, .heartRate, .oxygen, .temperature:
            report(packet, origin, reply: reply, state: index, now: now, into: &actions)
        default:
            guard packet.event(profile: states[index].profile).alarms.isEmpty else {
                report(packet, origin, reply: reply, state: index, now: now, into: &actions)
                return
            }
            tell(packet, state: index, now: now, into: &actions)
            answer(reply, state: index, into: &actions)
            confirmCommand(
                keyword: packet.message.keyword.uppercased(), state: index, now: now, into: &actions)
        }
    }

    /// The frame that the platform owes for a message, empty for none.
    private func reply(to packet: WatchPacket, state index: Int, now: Moment) -> [UInt8] {
        packet.message.platformReply(header: packet.header, profile: states[index].profile, now: now.wall)
            .map { WatchCodec.encode($0, header: packet.header) } ?? []
    }

    // MARK: - Reports

    /// Hands the event of a message on; `reply` is said when it is stored.
    func report(
        _ packet: WatchPacket, _ origin: borrowing FrameOrigin, media: InboundMedia? = nil, reply: [UInt8],
        state index: Int, now: Moment, into actions: inout SessionActions
    ) {
        let event = packet.event(profile: states[index].profile, received: now.wall)
        let submission = desk.submit(
            CollectionOfOne(event), media: media ?? packet.media, from: &states[index].identity, origin: origin,
            answer: WatchAnswer(frame: reply), into: &actions)
        switch submission {
        // The protocol has no way to say no.
        case .waits, .refused: break
        case .answerNow: actions.output += reply
        }
    }

    /// Tells the pipeline what was heard although nothing depends on its being stored.
    private func tell(_ packet: WatchPacket, state index: Int, now: Moment, into actions: inout SessionActions) {
        let event = packet.event(profile: states[index].profile, received: now.wall)
        desk.tell(CollectionOfOne(event), from: states[index].identity, into: &actions)
    }

    /// Says what does not wait for the disk. The silence that meets a watch in no list where the site refuses it is this
    /// protocol's no; the connection stays, because the next frame may be an SOS.
    private func answer(_ reply: [UInt8], state index: Int, into actions: inout SessionActions) {
        let isRefused = states[index].identity.trust == .unknown && environment.unknownTerminals == .refuse
        if !isRefused { actions.output += reply }
    }

    func resolve(request: UInt32, stored: Bool, isAlarm: Bool, now: Moment, into actions: inout SessionActions) {
        // Not on disk: nothing is said and the watch sends again (promise P1).
        guard let due = desk.resolve(request: request, stored: stored, isAlarm: isAlarm) else { return }
        actions.output += due.answer.frame
    }

    // MARK: - Voice

    /// Pieces are acknowledged as they come, the last one when the whole message is stored.
    private func assemble(
        _ chunk: WatchVoiceChunk, _ packet: WatchPacket, _ origin: borrowing FrameOrigin, reply: [UInt8],
        state index: Int, now: Moment, into actions: inout SessionActions
    ) {
        // What an unknown watch says is not kept, so that it cannot fill memory either.
        guard states[index].identity.isServed(by: environment) else {
            report(packet, origin, reply: reply, state: index, now: now, into: &actions)
            return
        }
        if states[index].voice?.takes(chunk) != true { states[index].voice = WatchVoiceAssembly(chunk) }
        guard let audio = states[index].voice?.insert(chunk, now: now.monotonicMilliseconds) else {
            tell(packet, state: index, now: now, into: &actions)
            actions.output += reply
            return
        }
        states[index].voice = nil
        report(
            packet, origin, media: .voice(audio), reply: reply, state: index, now: now, into: &actions)
    }
}

extension WatchPacket {
    /// What comes with the event and is stored beside it.
    fileprivate var media: InboundMedia? {
        switch message {
        case .voice(let body): .voice(body.audio)
        case .picture(let body): InboundMedia(id: body.image.number, type: 0, format: 0, eventCode: 0, data: body.image)
        default: nil
        }
    }
}

extension InboundMedia {
    /// Sound in AMR.
    fileprivate static func voice(_ audio: [UInt8]) -> InboundMedia {
        InboundMedia(id: audio.number, type: 1, format: amr, eventCode: 0, data: audio)
    }
}

extension [UInt8] {
    /// FNV-1a: watches do not number what they record, so that the same bytes get the same number.
    fileprivate var number: UInt32 {
        reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    }
}
