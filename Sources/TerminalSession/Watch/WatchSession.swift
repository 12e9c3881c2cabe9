import TerminalModel
import TerminalProtocols

/// The platform's side of the bracket protocol of watches on one connection.
///
/// There is no login: every frame carries the id of the watch. Source: protocol document sections 1, 2 and 4.
final class WatchSession: TerminalSession {
    /// The last heard stands last.
    var states: [WatchTerminalState] = []
    var desk: ReportDesk<WatchAnswer>
    private var deadlines: SessionDeadlines
    private var cursor = WatchFramer.Cursor()
    private let bearer: Bearer
    private var held: Held?

    /// Bytes that are a frame if nothing follows them: its length is declared too long. An SOS among them must not wait for the
    /// next frame, so that the session keeps them itself and reads them again after a while of silence.
    private struct Held {
        var bytes: [UInt8]
        /// When they came; reports in them are of this time when the connection ends.
        var since: Moment
    }

    /// The pieces of one frame follow each other faster than this.
    static let silenceMilliseconds: Int64 = 1_000
    /// Only positions and alarms end in doubt, and they are short.
    static let maximumHeldBytes = 4_096

    init(environment: SessionEnvironment, bearer: Bearer, peer: PeerAddress, now: Moment) {
        self.bearer = bearer
        desk = ReportDesk(environment: environment, bearer: bearer, peer: peer)
        deadlines = SessionDeadlines(openedAt: now.monotonicMilliseconds)
    }

    var environment: SessionEnvironment { desk.environment }

    var terminals: [TerminalID] { states.map(\.terminal) }

    var holdsBytes: Bool { held != nil }

    /// Held bytes may still be an alarm that is to be acknowledged.
    var isAwaitingResult: Bool { desk.isWaiting || held != nil }

    // MARK: - Bytes

    func restart() {
        cursor = WatchFramer.Cursor()
        held = nil
        deadlines.forgetRest()
    }

    func receive(
        _ bytes: Span<UInt8>, now: Moment, scratch: inout SessionScratch, into actions: inout SessionActions
    ) -> Int {
        guard bearer != .udp else {
            receive(datagram: bytes, now: now, into: &actions)
            return bytes.count
        }
        guard var all = held?.bytes else {
            let used = read(bytes, isComplete: false, now: now, into: &actions)
            guard cursor.mayBeComplete, bytes.count - used <= Self.maximumHeldBytes else { return used }
            held = Held(bytes: bytes.extracting(used..<bytes.count).copied, since: now)
            return bytes.count
        }
        held = nil
        all.append(copying: bytes)
        let used = read(all.span, isComplete: false, now: now, into: &actions)
        let rest = all.count - used
        // What is left goes back to the carrier when all of it came just now.
        guard cursor.mayBeComplete || rest > bytes.count else { return bytes.count - rest }
        hold(all[used...], now: now, into: &actions)
        return bytes.count
    }

    /// A datagram holds whole frames: what is left of it is a frame that was cut.
    private func receive(datagram bytes: Span<UInt8>, now: Moment, into actions: inout SessionActions) {
        let used = read(bytes, isComplete: true, now: now, into: &actions)
        cursor = WatchFramer.Cursor()
        deadlines.waitsForRest(false, now: now.monotonicMilliseconds)
        guard used < bytes.count else { return }
        let error = DecodeError(
            .badLength, protocolName: .watch, field: "close", offset: bytes.count - used,
            expected: "a bracket ] that ends the frame", found: "the end of the datagram")
        refuse(bytes.extracting(used..<bytes.count), error, now: now, into: &actions)
    }

    private func hold(_ bytes: ArraySlice<UInt8>, now: Moment, into actions: inout SessionActions) {
        guard bytes.count <= Self.maximumHeldBytes else {
            cursor = WatchFramer.Cursor()
            actions.refusals.append(
                DecodeError(
                    .badLength, protocolName: .watch, field: "content", offset: 0,
                    expected: "a bracket ] within \(Self.maximumHeldBytes) bytes", found: "none in \(bytes.count)"))
            return
        }
        held = Held(bytes: Array(bytes), since: now)
    }

    /// Reads the held bytes as if nothing followed them.
    private func settle(now: Moment, into actions: inout SessionActions) {
        guard let bytes = held?.bytes else { return }
        held = nil
        let used = read(bytes.span, isComplete: true, now: now, into: &actions)
        if used < bytes.count { hold(bytes[used...], now: now, into: &actions) }
    }

    private func read(
        _ bytes: Span<UInt8>, isComplete: Bool, now: Moment, into actions: inout SessionActions
    ) -> Int {
        let framer = WatchFramer()
        while true {
            switch framer.next(in: bytes, at: &cursor, isComplete: isComplete) {
            case .frame(let range):
                deadlines.waitsForRest(false, now: now.monotonicMilliseconds)
                handle(bytes.extracting(range), now: now, into: &actions)
            case .rejected(let error, let range):
                deadlines.waitsForRest(false, now: now.monotonicMilliseconds)
                refuse(bytes.extracting(range), error, now: now, into: &actions)
            case .needMore(let droppable):
                deadlines.waitsForRest(!cursor.isBetweenFrames, now: now.monotonicMilliseconds)
                cursor.dropped(droppable)
                return droppable
            }
        }
    }

    /// Bytes that are no frame. One that was cut behind its alarm still states it; the watch gets no answer and says it again
    /// whole.
    private func refuse(
        _ bytes: Span<UInt8>, _ error: DecodeError, now: Moment, into actions: inout SessionActions
    ) {
        actions.refusals.append(error)
        guard let packet = WatchCodec.alarm(inCut: bytes) else { return }
        let index = stateIndex(for: packet.header, now: now.monotonicMilliseconds, into: &actions)
        report(packet, FrameOrigin(wire: bytes), reply: [], state: index, now: now, into: &actions)
    }

    /// One frame: check, decode, answer or hand on. What cannot be read costs only itself (promise P5).
    private func handle(_ wire: Span<UInt8>, now: Moment, into actions: inout SessionActions) {
        do {
            let frame = try WatchFrame(checking: wire)
            deadlines.heardFrame(now: now.monotonicMilliseconds)
            actions.frameCount += 1
            let packet = try WatchCodec.decode(frame)
            let index = stateIndex(for: packet.header, now: now.monotonicMilliseconds, into: &actions)
            // A repetition may have another index in its header.
            let origin = FrameOrigin(wire: wire, checked: frame.content)
            dispatch(packet, origin, state: index, now: now, into: &actions)
        } catch {
            actions.refusals.append(error)
        }
    }

    /// The state of the watch that speaks, moved to the end of the list.
    private func stateIndex(for header: WatchHeader, now: Int64, into actions: inout SessionActions) -> Int {
        let terminal = header.id.terminal
        let last = states.count - 1
        if let found = states.lastIndex(where: { $0.terminal == terminal }) {
            if found != last { states.append(states.remove(at: found)) }
            states[last].heard(header, in: environment, now: now)
            return last
        }
        if states.count == environment.limits.maximumTerminalsPerConnection {
            let oldest = states.removeFirst()
            oldest.commands.abandon(into: &actions)
            actions.requests.append(.left(oldest.terminal))
        }
        states.append(WatchTerminalState(header, environment: environment, now: now))
        actions.requests.append(.identified(terminal))
        return states.count - 1
    }

    // MARK: - Time

    var nextDeadline: Int64 {
        var deadline = deadlines.next(environment.limits)
        if let held, cursor.mayBeComplete {
            deadline = min(deadline, held.since.monotonicMilliseconds + Self.silenceMilliseconds)
        }
        for state in states {
            if let command = state.commands.deadline { deadline = min(deadline, command) }
            if let tracking = state.tracking { deadline = min(deadline, tracking.askAgainAt) }
            if let voice = state.voice { deadline = min(deadline, voice.deadline) }
        }
        return deadline
    }

    func timer(now: Moment, into actions: inout SessionActions) {
        let time = now.monotonicMilliseconds
        if let held, cursor.mayBeComplete, time >= held.since.monotonicMilliseconds + Self.silenceMilliseconds {
            settle(now: now, into: &actions)
        }
        if let reason = deadlines.due(environment.limits, now: time) { actions.close = reason }
        for index in states.indices {
            goOnTracking(state: index, now: time, into: &actions)
            repeatCommand(state: index, now: time, into: &actions)
            if let voice = states[index].voice, time >= voice.deadline { states[index].voice = nil }
        }
    }

    // MARK: - Ends

    func displace(_ terminal: TerminalID) -> Bool {
        states.removeAll { $0.terminal == terminal }
        return states.isEmpty
    }

    func end(into actions: inout SessionActions) {
        if let since = held?.since { settle(now: since, into: &actions) }
        held = nil
        for state in states { state.commands.abandon(into: &actions) }
        states.removeAll()
        desk.forget { _ in true }
    }
}

extension Span<UInt8> {
    fileprivate var copied: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(copying: self)
        return bytes
    }
}

extension [UInt8] {
    fileprivate mutating func append(copying more: Span<UInt8>) {
        reserveCapacity(count + more.count)
        for index in 0..<more.count { append(more[index]) }
    }
}
