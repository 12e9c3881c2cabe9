import TerminalModel
import TerminalProtocols

extension DC09Session {
    /// What each frame asks of the receiver. Source: sections 1.7 and 1.8.
    func dispatch(
        _ packet: DC09Packet, _ origin: borrowing FrameOrigin, cipher: DC09Cipher?, state index: Int, now: Moment,
        into actions: inout SessionActions
    ) {
        switch packet.header.identifier {
        // Answers are for those who ask; two receivers that answered each other would never end.
        case .acknowledgement, .refusal, .unable, .response: break
        case .null: live(packet, state: index, now: now, into: &actions)
        case .contactID, .sia, .line: report(packet, origin, state: index, now: now, into: &actions)
        case .other:
            let error = DecodeError(
                .unsupported, protocolName: .dc09, message: .word(packet.header.identifier.name), field: "id",
                offset: 9,
                expected: "SIA-DCS, ADM-CID or NULL", found: packet.header.identifier.name)
            actions.refusals.append(error)
            actions.requests.append(.unreadable(packet.header.terminal, error))
            actions.output += DC09Codec.encode(.unable(packet.header))
        }
    }

    /// A sign of life: nothing of it is kept, so that it is answered at once. Where the site refuses the panel it hears `DUH`; the
    /// connection stays, because the next frame may be an SOS.
    private func live(_ packet: DC09Packet, state index: Int, now: Moment, into actions: inout SessionActions) {
        let identity = states[index].identity
        guard packet.isTimely(now: now.wall) else { return say(.time, now: now, into: &actions) }
        guard identity.trust != .unknown || environment.unknownTerminals != .refuse else {
            actions.output += DC09Codec.encode(.unable(packet.header))
            return
        }
        let event = packet.event(profile: states[index].profile, received: now.wall)
        desk.tell(CollectionOfOne(event), from: identity, into: &actions)
        say(.acknowledgement(packet.header), now: now, into: &actions)
    }

    /// Hands an event on; the answer is said when it is stored (promise P1).
    ///
    /// An event whose time is refused goes on all the same, since nothing mutes an SOS (promise P2); the panel sends it again under
    /// a better time, and it is known again by the time of the first.
    private func report(
        _ packet: DC09Packet, _ origin: borrowing FrameOrigin, state index: Int, now: Moment,
        into actions: inout SessionActions
    ) {
        var event = packet.event(profile: states[index].profile, received: now.wall)
        let isTimely = packet.isTimely(now: now.wall)
        if packet.time == nil { states[index].heardWithoutTime(now: now.monotonicMilliseconds) }
        if let refused = states[index].refused, refused.isSame(as: packet) {
            event.deviceTime = refused.deviceTime
        } else {
            states[index].refused = nil
        }
        if !isTimely { states[index].refused = DC09RefusedFrame(packet, deviceTime: event.deviceTime) }
        let answer: DC09Answer =
            if !isTimely { .time } else if packet.header.identifier == .line { .line } else {
                .acknowledgement(packet.header)
            }
        let submission = desk.submit(
            CollectionOfOne(event), from: &states[index].identity, origin: origin, answer: answer, into: &actions)
        switch submission {
        case .waits: break
        case .answerNow: say(answer, now: now, into: &actions)
        case .refused:
            if packet.header.sequence != nil { actions.output += DC09Codec.encode(.unable(packet.header)) }
        }
    }

    func resolve(request: UInt32, stored: Bool, isAlarm: Bool, now: Moment, into actions: inout SessionActions) {
        // Not on disk: nothing is said and the panel sends again (promise P1).
        guard let due = desk.resolve(request: request, stored: stored, isAlarm: isAlarm) else { return }
        say(due.answer, now: now, into: &actions)
    }

    private func say(_ answer: DC09Answer, now: Moment, into actions: inout SessionActions) {
        switch answer {
        case .acknowledgement(let header):
            actions.output += DC09Codec.encode(
                .acknowledging(header, now: now.wall), cipher: environment.panelCipher(header.terminal))
        case .time: actions.output += DC09Codec.encode(.refusingTime(now: now.wall))
        case .line: actions.output.append(DC09.lineAcknowledgement)
        }
    }
}
