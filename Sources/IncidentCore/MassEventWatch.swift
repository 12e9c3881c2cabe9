public import TerminalModel

/// What makes many terminals one incident of the infrastructure.
public struct MassEventRules: Sendable, Equatable {
    /// So many at least; 0: terminals are never taken together.
    public var terminals: Int
    /// And so many of every hundred that are connected, 0...100.
    public var percent: Int
    /// In so long, 1...3600 s.
    public var windowSeconds: Int

    public init(terminals: Int = 20, percent: Int = 5, windowSeconds: Int = 300) {
        self.terminals = terminals
        self.percent = percent
        self.windowSeconds = windowSeconds
    }
}

/// Notices when many terminals fall silent, lose their connections or connect again at once.
///
/// Terminals are known by the caller's small numbers. Silence is held back briefly, so that the first ones of many are no incidents
/// of their own either; what is held is in memory only, since a start finds the same silence again. Only silence is taken
/// together: what somebody presses never comes here (promise P2). Source: DESIGN section 7.
public struct MassEventWatch: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        case silence = "mass_silence"
        case disconnect = "mass_disconnect"
        case reconnect = "mass_reconnect"
    }

    /// Something to be written on the incident.
    public struct News: Sendable, Equatable {
        public var kind: Kind
        public var count: Int
        /// Some of the terminals.
        public var examples: [UInt32]
        /// It is over; `count` have not come back, or came and went as usual.
        public var isEnd: Bool
        /// Terminals that were connected then.
        public var connected: Int
    }

    public struct Findings: Sendable {
        public var news: [News] = []
        /// Terminals whose silence is an incident of its own, and since when they are silent.
        public var alone: [(number: UInt32, since: Timestamp)] = []
    }

    public static let maximumExamples = 10
    /// A site's own coming and going is no event: so many times what is usual.
    static let timesUsual = 4.0
    /// Silence is held back for this part of its limit, at most for the window, and as long as two turns of what finds it.
    static let heldPart: Int64 = 20
    static let leastHeldMilliseconds: Int64 = 2000
    /// What is still silent so long after a human closed the incident is looked at anew.
    static let afterCloseMilliseconds: Int64 = 600_000

    public var rules: MassEventRules
    public var silenceSeconds: Int?

    private var held: [UInt32: Timestamp] = [:]
    private var heldOrder: [(due: Int64, number: UInt32)] = []
    private var heldHead = 0
    /// Silent terminals that the incident stands for; empty while silence is no mass event.
    private var members: [UInt32: Timestamp] = [:]
    private var isSilenceOn = false
    /// The number that made it one; below it the event is over.
    private var silenceThreshold = 0
    private var silenceTold = 0
    private var fewSince: Int64?
    private var closedAt: Int64?
    private var disconnects = Comings()
    private var reconnects = Comings()
    private var halfEnd: Int64
    /// Before, it is not known what is usual.
    private var learntAt: Int64

    public init(rules: MassEventRules, silenceSeconds: Int?, now: Moment) {
        self.rules = rules
        self.silenceSeconds = silenceSeconds
        halfEnd = now.monotonicMilliseconds + Int64(rules.windowSeconds) * 500
        learntAt = now.monotonicMilliseconds + Int64(rules.windowSeconds) * 2000
    }

    /// Silent terminals that have no incident of their own.
    public var silentTogether: Int { members.count }

    // MARK: Input

    /// A terminal was found silent.
    public mutating func fellSilent(_ number: UInt32, since: Timestamp, now: Moment) {
        if isSilenceOn {
            members[number] = since
        } else {
            hold(number, since: since, now: now)
        }
    }

    public mutating func heardAgain(_ number: UInt32) {
        if !held.isEmpty { held[number] = nil }
        if !members.isEmpty { members[number] = nil }
    }

    public mutating func disconnected(_ number: UInt32) { disconnects.add(number) }

    public mutating func reconnected(_ number: UInt32) { reconnects.add(number) }

    /// The number may be given to another terminal.
    public mutating func forget(_ number: UInt32) { heardAgain(number) }

    /// Silence is not watched any more.
    public mutating func forgetSilence() {
        held = [:]
        forgetEvent()
    }

    /// A human closed the incident: whoever is still silent after a while is looked at anew, so that nobody is swallowed.
    public mutating func incidentClosed(now: Moment) {
        if isSilenceOn { closedAt = now.monotonicMilliseconds }
    }

    // MARK: Time

    /// - Parameter connected: terminals that are connected now.
    public mutating func advance(connected: Int, now: Moment) -> Findings {
        var findings = Findings()
        if rules.terminals > 0 {
            watchSilence(connected: connected, now: now, into: &findings)
            let learnt = now.monotonicMilliseconds >= learntAt
            let left = disconnects.count
            if let found = disconnects.news(learnt ? threshold(of: connected + left, disconnects) : .max) {
                findings.news.append(news(.disconnect, disconnects, isEnd: found, connected))
            }
            if let found = reconnects.news(learnt ? threshold(of: connected, reconnects) : .max) {
                findings.news.append(news(.reconnect, reconnects, isEnd: found, connected))
            }
        } else if isSilenceOn {
            endSilence(connected: connected, into: &findings)
        }
        releaseHeld(now: now, into: &findings)
        if now.monotonicMilliseconds >= halfEnd {
            halfEnd = now.monotonicMilliseconds + Int64(rules.windowSeconds) * 500
            disconnects.turn()
            reconnects.turn()
        }
        return findings
    }

    /// When `advance` should be called next; nil when nothing is watched.
    public var nextDeadlineMonotonicMilliseconds: Int64? {
        let hasComings = !disconnects.isIdle || !reconnects.isIdle
        let waits = [
            heldHead < heldOrder.count ? heldOrder[heldHead].due : nil,
            fewSince.map { $0 + windowMilliseconds }, closedAt.map { $0 + Self.afterCloseMilliseconds },
            hasComings ? halfEnd : nil,
        ]
        return waits.compactMap { $0 }.min()
    }

    private var windowMilliseconds: Int64 { Int64(rules.windowSeconds) * 1000 }

    private func threshold(of whole: Int, _ comings: Comings) -> Int {
        max(threshold(of: whole), Int(min(Self.timesUsual * 2 * comings.usual, 1e9)))
    }

    private func threshold(of whole: Int) -> Int { max(rules.terminals, (whole * rules.percent + 99) / 100) }

    // MARK: Silence

    private mutating func hold(_ number: UInt32, since: Timestamp, now: Moment) {
        let limit = Int64(silenceSeconds ?? 0) * 1000
        let wait =
            rules.terminals > 0 ? min(windowMilliseconds, max(Self.leastHeldMilliseconds, limit / Self.heldPart)) : 0
        held[number] = since
        heldOrder.append((now.monotonicMilliseconds + wait, number))
    }

    private mutating func watchSilence(connected: Int, now: Moment, into findings: inout Findings) {
        if let closedAt, now.monotonicMilliseconds >= closedAt + Self.afterCloseMilliseconds {
            self.closedAt = nil
            let still = members
            forgetEvent()
            for (number, since) in still { hold(number, since: since, now: now) }
        }
        let limit = threshold(of: connected + held.count)
        if !isSilenceOn, held.count >= limit {
            isSilenceOn = true
            silenceThreshold = limit
            silenceTold = 0
            members = held
            held = [:]
        }
        guard isSilenceOn else { return }
        if members.count >= max(1, 2 * silenceTold) {
            silenceTold = members.count
            findings.news.append(
                News(
                    kind: .silence, count: members.count, examples: examples(members.keys), isEnd: false,
                    connected: connected))
        }
        guard members.count < silenceThreshold else {
            fewSince = nil
            return
        }
        // The others are back. Those that are not get a last window to come.
        let since = fewSince ?? now.monotonicMilliseconds
        fewSince = since
        if now.monotonicMilliseconds >= since + windowMilliseconds { endSilence(connected: connected, into: &findings) }
    }

    private mutating func endSilence(connected: Int, into findings: inout Findings) {
        findings.news.append(
            News(
                kind: .silence, count: members.count, examples: examples(members.keys), isEnd: true,
                connected: connected))
        findings.alone += members.map { ($0.key, $0.value) }
        forgetEvent()
    }

    private mutating func forgetEvent() {
        members = [:]
        isSilenceOn = false
        fewSince = nil
        closedAt = nil
    }

    private mutating func releaseHeld(now: Moment, into findings: inout Findings) {
        while heldHead < heldOrder.count, heldOrder[heldHead].due <= now.monotonicMilliseconds {
            let number = heldOrder[heldHead].number
            heldHead += 1
            if let since = held.removeValue(forKey: number) { findings.alone.append((number, since)) }
        }
        if heldHead == heldOrder.count {
            heldOrder.removeAll()
            heldHead = 0
        }
    }

    private func news(_ kind: Kind, _ comings: Comings, isEnd: Bool, _ connected: Int) -> News {
        News(kind: kind, count: comings.count, examples: examples(comings.all), isEnd: isEnd, connected: connected)
    }

    private func examples(_ numbers: some Sequence<UInt32>) -> [UInt32] {
        Array(numbers.prefix(Self.maximumExamples)).sorted()
    }
}

/// The terminals that came or went within a window, each once, and how many usually do.
private struct Comings: Sendable {
    private var older: Set<UInt32> = []
    private var newer: Set<UInt32> = []
    /// In half a window, as a mean that forgets; what was an event teaches nothing.
    private(set) var usual = 0.0
    private var isOn = false
    private var threshold = 0
    private var told = 0

    var count: Int { older.count + newer.count }
    var all: some Sequence<UInt32> { [newer, older].lazy.joined() }
    var isIdle: Bool { older.isEmpty && newer.isEmpty && !isOn && usual < 0.01 }

    mutating func add(_ number: UInt32) {
        if !older.contains(number) { newer.insert(number) }
    }

    /// Whether there is news and whether that is the end; nil for none.
    mutating func news(_ limit: Int) -> Bool? {
        if !isOn {
            guard count >= limit else { return nil }
            isOn = true
            threshold = limit
            told = count
            return false
        }
        if count >= 2 * told {
            told = count
            return false
        }
        guard count * 2 < threshold else { return nil }
        isOn = false
        return true
    }

    mutating func turn() {
        if !isOn { usual = (usual * 7 + Double(newer.count)) / 8 }
        older = newer
        newer = []
    }
}
