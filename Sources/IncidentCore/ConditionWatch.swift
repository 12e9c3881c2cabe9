public import TerminalModel

/// Watches every terminal for a low battery and for silence.
///
/// Hearing a terminal costs one look-up. Each terminal waits in one bucket of a wheel and is looked at again when its
/// bucket is due, so a frame moves nothing; silence is found up to a two-hundredth of the limit (at least 1 s) late.
public struct ConditionWatch: ~Copyable {
    /// Terminals beyond these are not watched.
    public static let maximumTerminals = 2_000_000
    /// A battery counts as recovered this far above the limit.
    public static let batteryHysteresisPercent = 10
    /// A terminal that states no percentage has recovered when its alarm was absent for this long.
    public static let batteryClearMilliseconds: Int64 = 600_000
    /// After a start nobody is called silent for this long, since the gateway itself heard nothing.
    public static let startGraceMilliseconds: Int64 = 600_000

    private struct Record {
        var terminal: TerminalID
        var lastSeenMilliseconds: Int64
        var isSilent: Bool
    }

    private struct BatteryLatch {
        var clearSinceMilliseconds: Int64?
    }

    private static let bucketCount = 256

    public let lowBatteryPercent: Int?
    public let silenceSeconds: Int?
    private let limitMilliseconds: Int64
    private let tickMilliseconds: Int64
    private var startedMilliseconds: Int64
    private var records: [Record] = []
    private var indices: [TerminalID: Int] = [:]
    private var buckets: [[Int]]
    private var nextTick: Int64
    private var waiting = 0
    private var latched: [TerminalID: BatteryLatch] = [:]

    /// - Parameters:
    ///   - lowBatteryPercent: 0...100; nil when only the terminals' own alarms count.
    ///   - silenceSeconds: nil when silence is not watched.
    public init(lowBatteryPercent: Int?, silenceSeconds: Int?, now: Moment) {
        self.lowBatteryPercent = lowBatteryPercent
        self.silenceSeconds = silenceSeconds
        self.limitMilliseconds = Int64(max(1, silenceSeconds ?? 1)) * 1000
        self.tickMilliseconds = max(1000, limitMilliseconds / 200)
        self.startedMilliseconds = now.monotonicMilliseconds
        self.buckets = Array(repeating: [], count: silenceSeconds == nil ? 0 : Self.bucketCount)
        self.nextTick = now.monotonicMilliseconds / tickMilliseconds
    }

    /// Goes on after a restart. What was reported before is not reported again until it ended.
    ///
    /// - Parameters:
    ///   - lastSeen: receive time of the last frame.
    ///   - isSilent: its silence was reported, for example because an incident of that cause is open.
    ///   - hasLowBattery: the same for the battery.
    public mutating func seed(
        _ terminal: TerminalID, lastSeen: Timestamp, isSilent: Bool = false, hasLowBattery: Bool = false, now: Moment
    ) {
        if hasLowBattery { latched[terminal] = BatteryLatch() }
        guard silenceSeconds != nil else { return }
        let ago = max(0, now.wall.milliseconds &- lastSeen.milliseconds)
        hear(terminal, atMilliseconds: now.monotonicMilliseconds &- ago, isSilent: isSilent)
    }

    /// Takes up new limits. What was reported is not reported again until it ended; with silence watched for the first
    /// time, nobody is known, and the caller seeds.
    public mutating func change(lowBatteryPercent: Int?, silenceSeconds: Int?, now: Moment) {
        guard lowBatteryPercent != self.lowBatteryPercent || silenceSeconds != self.silenceSeconds else { return }
        var new = ConditionWatch(lowBatteryPercent: lowBatteryPercent, silenceSeconds: silenceSeconds, now: now)
        new.startedMilliseconds = startedMilliseconds
        new.latched = latched
        if silenceSeconds != nil {
            for (index, record) in records.enumerated() where indices[record.terminal] == index {
                new.hear(record.terminal, atMilliseconds: record.lastSeenMilliseconds, isSilent: record.isSilent)
            }
        }
        self = new
    }

    /// The terminal left the lists: neither its silence nor its battery matters any more.
    public mutating func forget(_ terminal: TerminalID) {
        latched[terminal] = nil
        guard let index = indices.removeValue(forKey: terminal) else { return }
        // The place stays, marked silent, so that the wheel passes over it.
        if !records[index].isSilent { waiting -= 1 }
        records[index].isSilent = true
    }

    /// One event of a terminal, whatever it says, is a sign of life; stored items say nothing of the battery now.
    public mutating func observe(_ event: TerminalEvent, now: Moment) -> [Condition] {
        var found: [Condition] = []
        if silenceSeconds != nil, hear(event.terminal, atMilliseconds: now.monotonicMilliseconds, isSilent: false) {
            found.append(.heardAgain)
        }
        if !event.historical, let condition = judgeBattery(event, now: now) { found.append(condition) }
        return found
    }

    /// Terminals that have been silent for the limit; each is named once until it is heard again.
    public mutating func advance(now: Moment) -> [(TerminalID, Condition)] {
        guard silenceSeconds != nil else { return [] }
        var found: [(TerminalID, Condition)] = []
        let current = now.monotonicMilliseconds / tickMilliseconds
        // After a long pause one turn of the wheel visits everybody.
        if current - nextTick > Int64(Self.bucketCount) { nextTick = current - Int64(Self.bucketCount) + 1 }
        while nextTick <= current {
            let due = buckets[bucket(nextTick)]
            buckets[bucket(nextTick)].removeAll(keepingCapacity: true)
            nextTick += 1
            for index in due where indices[records[index].terminal] == index && !records[index].isSilent {
                let record = records[index]
                guard deadline(of: record) <= now.monotonicMilliseconds else {
                    wait(index)
                    continue
                }
                records[index].isSilent = true
                waiting -= 1
                let ago = now.monotonicMilliseconds &- record.lastSeenMilliseconds
                found.append((record.terminal, .silence(since: now.wall.adding(milliseconds: -ago))))
            }
        }
        return found
    }

    /// When `advance` should be called next; nil when nobody is waited for.
    public var nextDeadlineMonotonicMilliseconds: Int64? {
        waiting > 0 ? nextTick &* tickMilliseconds : nil
    }

    public var watchedTerminals: Int { indices.count }
}

extension ConditionWatch {
    /// Returns true when the terminal had been reported silent.
    @discardableResult
    private mutating func hear(_ terminal: TerminalID, atMilliseconds time: Int64, isSilent: Bool) -> Bool {
        if let index = indices[terminal] {
            let wasSilent = records[index].isSilent
            records[index].lastSeenMilliseconds = max(time, records[index].lastSeenMilliseconds)
            if wasSilent, !isSilent {
                records[index].isSilent = false
                waiting += 1
                wait(index)
                return true
            }
            return false
        }
        guard records.count < Self.maximumTerminals else { return false }
        let index = records.count
        records.append(Record(terminal: terminal, lastSeenMilliseconds: time, isSilent: isSilent))
        indices[terminal] = index
        if !isSilent {
            waiting += 1
            wait(index)
        }
        return false
    }

    private func deadline(of record: Record) -> Int64 {
        max(
            record.lastSeenMilliseconds &+ limitMilliseconds,
            startedMilliseconds &+ min(limitMilliseconds, Self.startGraceMilliseconds))
    }

    /// Puts a terminal into the first bucket that is looked at after its deadline.
    private mutating func wait(_ index: Int) {
        let tick = max(nextTick, deadline(of: records[index]) / tickMilliseconds + 1)
        buckets[bucket(min(tick, nextTick + Int64(Self.bucketCount) - 1))].append(index)
    }

    private func bucket(_ tick: Int64) -> Int {
        let slot = Int(tick % Int64(Self.bucketCount))
        return slot < 0 ? slot + Self.bucketCount : slot
    }

    private mutating func judgeBattery(_ event: TerminalEvent, now: Moment) -> Condition? {
        let percent = event.batteryPercent.flatMap { (0...100).contains($0) ? $0 : nil }
        let limit = lowBatteryPercent ?? -1
        if event.alarms.contains(.lowBattery) || percent.map({ $0 <= limit }) ?? false {
            let isNews = latched[event.terminal] == nil
            latched[event.terminal] = BatteryLatch()
            return isNews ? .lowBattery(percent: percent) : nil
        }
        guard var latch = latched[event.terminal] else { return nil }
        if let percent {
            guard percent >= min(limit + Self.batteryHysteresisPercent, 100) else { return nil }
        } else {
            guard event.kind == .report || event.kind == .alarm else { return nil }
            let since = latch.clearSinceMilliseconds ?? now.monotonicMilliseconds
            latch.clearSinceMilliseconds = since
            latched[event.terminal] = latch
            guard now.monotonicMilliseconds &- since >= Self.batteryClearMilliseconds else { return nil }
        }
        latched[event.terminal] = nil
        return .batteryRecovered(percent: percent)
    }
}
