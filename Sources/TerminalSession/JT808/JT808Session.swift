import TerminalModel
import TerminalProtocols

/// The platform's side of JT/T 808 on one connection.
///
/// Any order of registration, authentication and reports is accepted; who speaks is told by the phone in each header, so
/// that a relay box may speak for several terminals. Source: protocol document sections 1, 10 and 11.
final class JT808Session: TerminalSession {
    /// The last heard stands last.
    var states: [JT808TerminalState] = []
    var desk: ReportDesk<JT808Answer>
    private var deadlines: SessionDeadlines
    private var cursor = JT808Framer.Cursor()
    /// What `packages` counts as held by this session.
    private var heldPackageBytes = 0

    init(environment: SessionEnvironment, bearer: Bearer, peer: PeerAddress, now: Moment) {
        desk = ReportDesk(environment: environment, bearer: bearer, peer: peer)
        deadlines = SessionDeadlines(openedAt: now.monotonicMilliseconds)
    }

    deinit { environment.packages.change(by: -heldPackageBytes) }

    var environment: SessionEnvironment { desk.environment }

    var terminals: [TerminalID] { states.map(\.terminal) }

    var isAwaitingResult: Bool { desk.isWaiting }

    func receive(
        _ bytes: Span<UInt8>, now: Moment, scratch: inout SessionScratch, into actions: inout SessionActions
    ) -> Int {
        while true {
            switch scratch.jt808.next(in: bytes, at: &cursor) {
            case .frame(let run):
                deadlines.waitsForRest(false, now: now.monotonicMilliseconds)
                handle(
                    scratch.jt808.contents(of: run, in: bytes), wire: bytes.extracting(run.range), now: now,
                    into: &actions)
            case .rejected(let error, _):
                deadlines.waitsForRest(false, now: now.monotonicMilliseconds)
                actions.refusals.append(error)
            case .needMore(let droppable):
                deadlines.waitsForRest(!cursor.isBetweenFrames, now: now.monotonicMilliseconds)
                cursor.dropped(droppable)
                return droppable
            }
        }
    }

    func restart() {
        cursor = JT808Framer.Cursor()
        deadlines.forgetRest()
    }

    /// One run between flags: check, decode, answer or hand on. A run that is no frame costs only itself (promise P5).
    private func handle(_ contents: Span<UInt8>, wire: Span<UInt8>, now: Moment, into actions: inout SessionActions) {
        do {
            let frame = try JT808Frame(checking: contents)
            deadlines.heardFrame(now: now.monotonicMilliseconds)
            actions.frameCount += 1
            let header = frame.header
            let index = stateIndex(for: header, now: now.monotonicMilliseconds, into: &actions)
            let origin = FrameOrigin(wire: wire, checked: contents, marker: JT808.flag)
            if let event = frame.locationEvent(profile: states[index].profile, received: now.wall) {
                submit(CollectionOfOne(event), header, origin, state: index, into: &actions)
                return
            }
            do {
                let packet = try JT808Codec.decode(frame, profile: states[index].profile)
                dispatch(packet, origin, state: index, now: now, into: &actions)
            } catch {
                actions.refusals.append(error)
                answerUnreadable(header, origin, error, body: frame.body, state: index, now: now, into: &actions)
            }
        } catch {
            actions.refusals.append(error)
        }
    }

    /// A frame whose check code is right but whose body cannot be read: an SOS in it is still an SOS (promise P2).
    func answerUnreadable(
        _ header: JT808Header, _ origin: borrowing FrameOrigin, _ error: DecodeError, body: Span<UInt8>,
        state index: Int, now: Moment, into actions: inout SessionActions
    ) {
        guard header.encryption == 0 else {
            actions.requests.append(.unreadable(states[index].terminal, error))
            answer(header, .notSupported, state: index, into: &actions)
            return
        }
        let alarms = JT808UnreadableReport.alarms(header: header, body: body, profile: states[index].profile)
        guard !alarms.isEmpty else {
            // A refusal would make the terminal repeat what it cannot say better (section 10).
            if header.messageID < 0x8000 { answer(header, .ok, state: index, into: &actions) }
            return
        }
        var event = TerminalEvent(
            protocolName: .jt808, terminal: states[index].terminal, message: header.message,
            sequence: Int(header.flowID), received: now.wall, kind: .alarm)
        event.alarms = alarms
        submit(CollectionOfOne(event), header, origin, state: index, into: &actions)
    }

    /// The state of the terminal that speaks, moved to the end of the list.
    private func stateIndex(for header: JT808Header, now: Int64, into actions: inout SessionActions) -> Int {
        let terminal = header.phone.terminal
        let last = states.count - 1
        if let found = states.lastIndex(where: { $0.terminal == terminal }) {
            if found != last { states.append(states.remove(at: found)) }
            states[last].hasLongPhone = header.phone.isLong
            states[last].protocolVersion = header.protocolVersion
            states[last].refreshIfChanged(in: environment, now: now)
            return last
        }
        if states.count == environment.limits.maximumTerminalsPerConnection {
            let oldest = states.removeFirst()
            oldest.commands.abandon(into: &actions)
            actions.requests.append(.left(oldest.terminal))
            countPackages()
        }
        states.append(JT808TerminalState(header, environment: environment, now: now))
        actions.requests.append(.identified(terminal))
        return states.count - 1
    }

    // MARK: - Time

    var nextDeadline: Int64 {
        var deadline = deadlines.next(environment.limits)
        for state in states {
            if let command = state.commands.deadline { deadline = min(deadline, command) }
            if let missing = state.reassembly.nextDeadline { deadline = min(deadline, missing) }
        }
        return deadline
    }

    func timer(now: Moment, into actions: inout SessionActions) {
        let time = now.monotonicMilliseconds
        if let reason = deadlines.due(environment.limits, now: time) { actions.close = reason }
        for index in states.indices {
            askForMissingPackages(state: index, now: time, into: &actions)
            if states[index].commands.repeatIfDue(limits: environment.limits, now: time, into: &actions) {
                startCommands(state: index, now: time, into: &actions)
            }
        }
    }

    private func askForMissingPackages(state index: Int, now: Int64, into actions: inout SessionActions) {
        guard let deadline = states[index].reassembly.nextDeadline, deadline <= now else { return }
        for action in states[index].reassembly.due(now: now) {
            switch action {
            case .requestResend(_, _, let request):
                // 2011 terminals do not know 0x8003.
                if states[index].profile.edition == .v2011 { continue }
                say(.platformResendRequest(request), state: index, into: &actions)
            case .gaveUp(let messageID, _, let missing):
                actions.refusals.append(
                    DecodeError(
                        .badLength, protocolName: .jt808, message: .number(messageID), field: "packages", offset: 0,
                        expected: "all packages of a message", found: "\(missing) missing"))
            }
        }
        countPackages()
    }

    /// Brings the budget of all sessions up to date; after every change of an unfinished message.
    func countPackages() {
        let held = states.reduce(0) { $0 + $1.reassembly.heldBytes }
        environment.packages.change(by: held - heldPackageBytes)
        heldPackageBytes = held
    }

    // MARK: - Ends

    func displace(_ terminal: TerminalID) -> Bool {
        states.removeAll { $0.terminal == terminal }
        countPackages()
        return states.isEmpty
    }

    func end(into actions: inout SessionActions) {
        for state in states { state.commands.abandon(into: &actions) }
        states.removeAll()
        countPackages()
        desk.forget { _ in true }
    }
}

/// What can still be told from a location report that is too short to be one.
enum JT808UnreadableReport {
    static func alarms(header: JT808Header, body: Span<UInt8>, profile: JT808Profile) -> AlarmSet {
        // 0x0201 and 0x0500 begin with the flow id of the question.
        let start: Int
        switch header.messageID {
        case 0x0200: start = 0
        case 0x0201, 0x0500: start = 2
        default: return []
        }
        guard body.count - start >= 4 else { return [] }
        // Bit 0 is the emergency bit in every edition and model (section 12.1).
        return body[start + 3] & 1 == 1 ? AlarmSet(.sos) : []
    }
}
