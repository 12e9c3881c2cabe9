import TerminalModel
import TerminalProtocols

/// The platform's side of JT/T 808 on one connection.
///
/// Any order of registration, authentication and reports is accepted; who speaks is told by the phone in each header, so
/// that a relay box may speak for several terminals. Source: protocol document sections 1, 10 and 11.
final class JT808Session: TerminalSession {
    let environment: SessionEnvironment
    let bearer: Bearer
    let peer: String
    /// The last heard stands last.
    var states: [JT808TerminalState] = []
    var pending: [PendingAnswer] = []
    private var cursor = JT808Framer.Cursor()
    private var nextRequest: UInt32 = 1
    private let openedAt: Int64
    private var lastFrameAt: Int64?
    /// When the bytes of an unfinished frame began to wait.
    private var partialSince: Int64?

    init(environment: SessionEnvironment, bearer: Bearer, peer: String, now: Moment) {
        self.environment = environment
        self.bearer = bearer
        self.peer = peer
        self.openedAt = now.monotonicMilliseconds
    }

    var terminals: [TerminalID] { states.map(\.terminal) }

    var isAwaitingResult: Bool { !pending.isEmpty || states.contains { $0.registration != nil } }

    func receive(
        _ bytes: Span<UInt8>, now: Moment, scratch: inout SessionScratch, into actions: inout SessionActions
    ) -> Int {
        while true {
            switch scratch.jt808.next(in: bytes, at: &cursor) {
            case .frame(let run):
                partialSince = nil
                handle(
                    scratch.jt808.contents(of: run, in: bytes), wire: bytes.extracting(run.range), now: now,
                    into: &actions)
            case .rejected(let error, _):
                partialSince = nil
                actions.refusals.append(error)
            case .needMore(let droppable):
                if cursor.isBetweenFrames {
                    partialSince = nil
                } else if partialSince == nil {
                    partialSince = now.monotonicMilliseconds
                }
                cursor.dropped(droppable)
                return droppable
            }
        }
    }

    /// One run between flags: check, decode, answer or hand on. A run that is no frame costs only itself (promise P5).
    private func handle(_ contents: Span<UInt8>, wire: Span<UInt8>, now: Moment, into actions: inout SessionActions) {
        do {
            let frame = try JT808Frame(checking: contents)
            lastFrameAt = now.monotonicMilliseconds
            let header = frame.header
            let index = stateIndex(for: header, now: now, into: &actions)
            let origin = FrameOrigin(header: header, wire: wire, contents: contents)
            if let event = frame.locationEvent(profile: states[index].profile, received: now.wall) {
                actions.frameCount += 1
                refreshIdentityIfOld(state: index, now: now)
                submit([event], origin, state: index, into: &actions)
                return
            }
            do {
                let packet = try JT808Codec.decode(frame, profile: states[index].profile)
                actions.frameCount += 1
                dispatch(packet, origin, state: index, now: now, into: &actions)
            } catch {
                actions.refusals.append(error)
                answerUnreadable(origin, error, body: frame.body, state: index, now: now, into: &actions)
            }
        } catch {
            actions.refusals.append(error)
        }
    }

    /// A frame whose check code is right but whose body cannot be read: an SOS in it is still an SOS (promise P2).
    func answerUnreadable(
        _ origin: borrowing FrameOrigin, _ error: DecodeError, body: Span<UInt8>, state index: Int, now: Moment,
        into actions: inout SessionActions
    ) {
        let header = origin.header
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
        submit([event], origin, state: index, into: &actions)
    }

    /// The state of the terminal that speaks, moved to the end of the list.
    private func stateIndex(for header: JT808Header, now: Moment, into actions: inout SessionActions) -> Int {
        let terminal = header.phone.terminal
        let last = states.count - 1
        if let found = states.lastIndex(where: { $0.terminal == terminal }) {
            if found != last { states.append(states.remove(at: found)) }
            states[last].phone = header.phone
            states[last].protocolVersion = header.protocolVersion
            states[last].lastHeardAt = now.monotonicMilliseconds
            return last
        }
        if states.count == environment.limits.maximumTerminalsPerConnection {
            let oldest = states.removeFirst()
            abandonCommands(of: oldest, into: &actions)
        }
        let known = environment.directory[terminal]
        states.append(
            JT808TerminalState(
                terminal: terminal, phone: header.phone, protocolVersion: header.protocolVersion,
                profile: profile(of: known), trust: trust(of: known, hasProvedItself: false),
                lookedUpAt: now.monotonicMilliseconds, lastHeardAt: now.monotonicMilliseconds))
        actions.requests.append(.identified(terminal))
        return states.count - 1
    }

    func takeRequestNumber() -> UInt32 {
        defer { nextRequest = nextRequest == .max ? 1 : nextRequest + 1 }
        return nextRequest
    }

    // MARK: - Identity

    /// A terminal that has not proved itself may have been listed or assigned meanwhile.
    static let lookUpAgainMilliseconds: Int64 = 5_000

    func refreshIdentityIfOld(state index: Int, now: Moment) {
        let age = now.monotonicMilliseconds - states[index].lookedUpAt
        guard states[index].trust != .verified, age >= Self.lookUpAgainMilliseconds else { return }
        refreshIdentity(state: index, now: now)
    }

    func refreshIdentity(state index: Int, now: Moment) {
        let known = environment.directory[states[index].terminal]
        states[index].lookedUpAt = now.monotonicMilliseconds
        states[index].trust = trust(of: known, hasProvedItself: states[index].hasProvedItself)
        // What a registration on this connection told of the edition stays, unless the site says otherwise.
        let edition = states[index].profile.edition
        states[index].profile = profile(of: known)
        if states[index].profile.edition == nil { states[index].profile.edition = edition }
    }

    private func trust(of known: KnownTerminal?, hasProvedItself: Bool) -> Trust {
        guard let known, known.isListed else { return .unknown }
        if hasProvedItself { return .verified }
        return known.trustedByID ? .byID : .claimed
    }

    private func profile(of known: KnownTerminal?) -> JT808Profile {
        guard let known else { return .standard }
        var profile = environment.jt808Profile(known.model)
        profile.utcOffsetMinutes = known.utcOffsetMinutes
        return profile
    }

    // MARK: - Time

    var nextDeadline: Int64 {
        let limits = environment.limits
        var deadline =
            lastFrameAt.map { $0 + limits.idleMilliseconds } ?? openedAt + limits.firstFrameMilliseconds
        if let partialSince { deadline = min(deadline, partialSince + limits.frameCompletionMilliseconds) }
        for state in states {
            if let command = state.outstanding { deadline = min(deadline, command.deadline) }
            if let missing = state.reassembly.nextDeadline { deadline = min(deadline, missing) }
        }
        return deadline
    }

    func timer(now: Moment, into actions: inout SessionActions) {
        let limits = environment.limits
        let time = now.monotonicMilliseconds
        if let partialSince, time >= partialSince + limits.frameCompletionMilliseconds {
            actions.close = .slowFrame
        } else if let lastFrameAt {
            if time >= lastFrameAt + limits.idleMilliseconds { actions.close = .idle }
        } else if time >= openedAt + limits.firstFrameMilliseconds {
            actions.close = .noFirstFrame
        }
        for index in states.indices {
            askForMissingPackages(state: index, now: time, into: &actions)
            repeatCommand(state: index, now: time, into: &actions)
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
    }

    // MARK: - Ends

    func displace(_ terminal: TerminalID) -> Bool {
        states.removeAll { $0.terminal == terminal }
        return states.isEmpty
    }

    func end(into actions: inout SessionActions) {
        for state in states { abandonCommands(of: state, into: &actions) }
        states.removeAll()
        pending.removeAll()
    }
}

/// Where a decoded message came from: its header, its bytes on the wire and as they were checked.
struct FrameOrigin: ~Escapable {
    let header: JT808Header
    let wire: Span<UInt8>
    let contents: Span<UInt8>

    @_lifetime(copy wire, copy contents)
    init(header: JT808Header, wire: Span<UInt8>, contents: Span<UInt8>) {
        self.header = header
        self.wire = wire
        self.contents = contents
    }

    /// The frame with its flags, as evidence.
    var frame: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(wire.count + 2)
        bytes.append(JT808.flag)
        for index in 0..<wire.count { bytes.append(wire[index]) }
        bytes.append(JT808.flag)
        return bytes
    }

    /// FNV-1a over the checked bytes: equal for a retransmission, different for anything else.
    var hash: UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in 0..<contents.count {
            hash = (hash ^ UInt64(contents[index])) &* 0x100_0000_01B3
        }
        return hash
    }
}

/// What can still be told from a location report that is too short to be one.
enum JT808UnreadableReport {
    static func alarms(header: JT808Header, body: Span<UInt8>, profile: JT808Profile) -> AlarmSet {
        // 0x0201 begins with the flow id of the question.
        let start: Int
        switch header.messageID {
        case 0x0200: start = 0
        case 0x0201: start = 2
        default: return []
        }
        guard body.count - start >= 4 else { return [] }
        // Bit 0 is the emergency bit in every edition and model (section 12.1).
        return body[start + 3] & 1 == 1 ? AlarmSet(.sos) : []
    }
}
