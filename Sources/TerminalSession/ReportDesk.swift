import TerminalModel

/// Where a session hands events on, and remembers what it must answer once they are stored (promise P1).
///
/// `Answer` is what the protocol needs to know for that: a counter, a message id.
struct ReportDesk<Answer: Sendable>: Sendable {
    /// What the session has to do about a message that it handed in.
    enum Submission: Sendable {
        /// `resolve` will say when to answer.
        case waits
        /// Nothing of it is kept; an answer keeps the terminal quiet.
        case answerNow
        /// The site refuses the terminal: say no where the protocol can; the connection ends.
        case refused
    }

    private struct Pending: Sendable {
        let request: UInt32
        /// Events of the message that have not been resolved.
        var remaining: Int32
        var hasFailed = false
        var isAlarm = false
        /// It states an alarm or a key.
        var asksForHelp = false
        let answer: Answer
    }

    let environment: SessionEnvironment
    private let peer: PeerAddress
    private let bearer: Bearer
    /// Begins anywhere, so that a late result for an earlier session of the connection is not taken for one of this.
    private var nextRequest = UInt32.random(in: 1...UInt32.max)
    private var pending: [Pending] = []

    init(environment: SessionEnvironment, bearer: Bearer, peer: PeerAddress) {
        self.environment = environment
        self.bearer = bearer
        self.peer = peer
    }

    /// True while an answer waits for `resolve`.
    var isWaiting: Bool { !pending.isEmpty }

    /// Hands over the events of one message; their answer is due when all of them are stored.
    ///
    /// An alarm or a key goes on whoever sent it (promise P2).
    mutating func submit(
        _ events: some Collection<TerminalEvent>, media: InboundMedia? = nil, from identity: inout TerminalIdentity,
        origin: borrowing FrameOrigin, answer: Answer, into actions: inout SessionActions
    ) -> Submission {
        let asksForHelp = events.contains(where: \.asksForHelp)
        guard identity.isServed(by: environment) || asksForHelp else {
            guard environment.unknownTerminals == .refuse else { return .answerNow }
            actions.close = .unknownTerminal
            return .refused
        }
        guard !events.isEmpty else { return .answerNow }
        let seen = asksForHelp && identity.recentAlarmFrames.hasSeen(origin.hash)
        let request = takeRequestNumber()
        if pending.count < environment.limits.maximumPendingReports {
            pending.append(
                Pending(
                    request: request, remaining: Int32(truncatingIfNeeded: events.count), asksForHelp: asksForHelp,
                    answer: answer))
        }
        let isEvidence = asksForHelp || events.contains { $0.kind != .report }
        var isFirst = true
        for event in events {
            actions.requests.append(
                .report(
                    InboundReport(
                        event: event, trust: identity.trust, bearer: bearer, peer: peer,
                        frame: isEvidence && isFirst ? origin.frame : [], retransmission: seen,
                        media: isFirst ? media : nil), request: request))
            isFirst = false
        }
        return .waits
    }

    /// Tells the pipeline what was heard although no answer depends on its being stored.
    func tell(
        _ events: some Collection<TerminalEvent>, from identity: TerminalIdentity, into actions: inout SessionActions
    ) {
        guard identity.isServed(by: environment) else { return }
        for event in events {
            let report = InboundReport(event: event, trust: identity.trust, bearer: bearer, peer: peer, frame: [])
            actions.requests.append(.report(report, request: nil))
        }
    }

    /// A number for something else that is answered when it is stored.
    mutating func expect(_ answer: Answer) -> UInt32 {
        let request = takeRequestNumber()
        pending.append(Pending(request: request, remaining: 1, answer: answer))
        return request
    }

    /// True when something like this waits already.
    func expects(_ isMeant: (Answer) -> Bool) -> Bool {
        pending.contains { isMeant($0.answer) }
    }

    /// Forgets what waits, for example because something newer has come in its place.
    mutating func forget(_ isMeant: (Answer) -> Bool) {
        pending.removeAll { isMeant($0.answer) }
    }

    /// False when the message of this request is known to ask for no help.
    func mayBeAlarm(_ request: UInt32) -> Bool {
        pending.first { $0.request == request }?.asksForHelp ?? true
    }

    /// Takes a result in.
    ///
    /// - Returns: the answer that is due now; nil while events of the message are open, and when one is not on the disk: then
    ///   nothing is said and the terminal sends again.
    mutating func resolve(request: UInt32, stored: Bool, isAlarm: Bool) -> (answer: Answer, isAlarm: Bool)? {
        guard let position = pending.firstIndex(where: { $0.request == request }) else { return nil }
        pending[position].remaining -= 1
        if !stored { pending[position].hasFailed = true }
        if isAlarm { pending[position].isAlarm = true }
        guard pending[position].remaining <= 0 else { return nil }
        let done = pending.remove(at: position)
        // An idle session keeps no room for answers.
        if pending.isEmpty { pending = [] }
        return done.hasFailed ? nil : (done.answer, done.isAlarm)
    }

    private mutating func takeRequestNumber() -> UInt32 {
        defer { nextRequest = nextRequest == .max ? 1 : nextRequest + 1 }
        return nextRequest
    }
}
