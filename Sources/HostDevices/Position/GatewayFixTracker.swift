public import TerminalModel

/// Makes one position and one opinion of the clock out of what several receivers report. Pure: time is an argument.
public struct GatewayFixTracker: Sendable {
    /// More receivers than any gateway has; further ones are left out.
    public static let maximumReceivers = 16
    /// An odd number, so that one report that jumps changes nothing; the third of them does.
    static let offsetsLookedAt = 5
    private static let offsetsNeeded = 3
    /// Without satellite time for so long, the clock is not judged any more.
    private static let clockMemoryMilliseconds: Int64 = 60_000
    /// A receiver that was silent for so long and longer than its fix is good for is forgotten: it may be another by now.
    private static let receiverMemoryMilliseconds: Int64 = 60_000
    /// Another receiver is taken only if it is that much better, so that two equal ones do not take turns.
    private static let betterFactor = 0.5

    private struct Receiver {
        var place: FixReport.Place?
        var placedAt: Moment?
        var heardAt: Moment
    }

    public private(set) var fix: GatewayFix
    private let staleMilliseconds: Int64
    private let warningMilliseconds: Int64
    private var receivers: [String: Receiver] = [:]
    private var offsets: [Int64] = []
    private var offsetAt: Int64?

    public init(staleSeconds: Int, clockWarningMilliseconds: Int, now: Timestamp) {
        staleMilliseconds = Int64(staleSeconds) * 1000
        warningMilliseconds = Int64(clockWarningMilliseconds)
        fix = GatewayFix(since: now)
    }

    public mutating func connected(now: Moment) {
        receivers = [:]
        fix.receivers = []
        enter(.noFix, "gpsd answers, no receiver has a fix yet", now)
    }

    public mutating func disconnected(_ reason: String, now: Moment) {
        receivers = [:]
        fix.receivers = []
        fix.receiver = nil
        forgetClock(now, olderThan: 0)
        enter(.disconnected, reason, now)
    }

    public mutating func report(_ report: FixReport, now: Moment) {
        guard receivers[report.receiver] != nil || receivers.count < Self.maximumReceivers else { return }
        var receiver = receivers[report.receiver] ?? Receiver(heardAt: now)
        receiver.heardAt = now
        receiver.place = nil
        if let place = report.place, place.isPossible {
            receiver.place = place
            receiver.placedAt = now
        }
        receivers[report.receiver] = receiver
        fix.receivers = receivers.keys.sorted()
        choose(now)
        if let time = report.time, receiver.place != nil, fix.receiver == report.receiver {
            judgeClock(now.wall.milliseconds - time.milliseconds, now)
        }
    }

    /// To be called about once a second.
    public mutating func tick(now: Moment) {
        forgetClock(now, olderThan: Self.clockMemoryMilliseconds)
        let memory = max(staleMilliseconds, Self.receiverMemoryMilliseconds)
        receivers = receivers.filter { age($0.value.heardAt, now) <= memory }
        fix.receivers = receivers.keys.sorted()
        if fix.state != .disconnected { choose(now) }
    }

    // MARK: - Where

    private mutating func choose(_ now: Moment) {
        let fresh = receivers.filter { $0.value.place != nil && age($0.value.placedAt, now) <= staleMilliseconds }
        guard let best = best(of: fresh), let place = fresh[best]?.place else { return withoutFix(now) }
        if fix.receiver != best {
            offsets = []
            fix.receiver = best
        }
        fix.position = Position(
            valid: true, latitudeDegrees: place.latitudeDegrees, longitudeDegrees: place.longitudeDegrees,
            altitudeMetres: place.altitudeMetres.map { Int($0.rounded()) },
            accuracyMetres: place.accuracyMetres.map { Int($0.rounded(.up)) }, source: .gateway)
        fix.fixedAt = fresh[best]?.placedAt?.wall
        enter(.fix, "\(best) has a fix", now)
    }

    private func best(of fresh: [String: Receiver]) -> String? {
        func radius(_ name: String) -> Double { fresh[name]?.place?.accuracyMetres ?? .infinity }
        guard let nearest = fresh.keys.min(by: { (radius($0), $0) < (radius($1), $1) }) else { return nil }
        guard let current = fix.receiver, fresh[current] != nil else { return nearest }
        return radius(nearest) < radius(current) * Self.betterFactor ? nearest : current
    }

    private mutating func withoutFix(_ now: Moment) {
        let silent = receivers.values.allSatisfy { age($0.heardAt, now) > staleMilliseconds }
        if fix.state == .fix || fix.state == .stale, silent {
            enter(.stale, "no report for more than \(staleMilliseconds / 1000) seconds", now)
        } else {
            enter(.noFix, receivers.isEmpty ? "gpsd has no receiver" : "no receiver has a fix", now)
        }
    }

    private func age(_ then: Moment?, _ now: Moment) -> Int64 {
        then.map { now.monotonicMilliseconds - $0.monotonicMilliseconds } ?? .max
    }

    private mutating func enter(_ state: GatewayFixState, _ reason: String, _ now: Moment) {
        if fix.state != state { fix.since = now.wall }
        fix.state = state
        fix.reason = reason
    }

    // MARK: - The clock

    private mutating func judgeClock(_ offset: Int64, _ now: Moment) {
        offsets.append(offset)
        if offsets.count > Self.offsetsLookedAt { offsets.removeFirst() }
        offsetAt = now.monotonicMilliseconds
        guard offsets.count >= Self.offsetsNeeded else { return }
        let middle = offsets.sorted()[offsets.count / 2]
        fix.clockOffsetMilliseconds = middle
        fix.clock = middle.magnitude > UInt64(warningMilliseconds) ? .warning : .ok
    }

    private mutating func forgetClock(_ now: Moment, olderThan limit: Int64) {
        guard let offsetAt, now.monotonicMilliseconds - offsetAt >= limit else { return }
        offsets = []
        self.offsetAt = nil
        fix.clock = .unknown
        fix.clockOffsetMilliseconds = nil
    }
}
