public import TerminalModel

/// Watches every terminal for a low battery, for silence, and for devices that it supervises and does not hear any more.
///
/// Terminals are known by the caller's small numbers, so that hearing one costs no look-up and its memory is 16 bytes.
/// Each waits in one bucket of a wheel and is looked at again when its bucket is due, so a frame moves nothing; silence
/// is found up to a two-hundredth of the shortest limit (at least 1 s) late.
public struct ConditionWatch: ~Copyable {
    /// A battery counts as recovered this far above the limit.
    public static let batteryHysteresisPercent = 10
    /// A terminal that states no percentage has recovered when its alarm was absent for this long.
    public static let batteryClearMilliseconds: Int64 = 600_000
    /// After a start nobody is called silent for this long, since the gateway itself heard nothing.
    public static let startGraceMilliseconds: Int64 = 600_000

    private struct Record {
        /// The moment of the last frame; meaningless for a terminal that is not watched.
        var lastSeenMilliseconds: Int64 = 0
        var isWatched = false
        var isSilent = false
        /// It stands in `bucket`, perhaps for an earlier owner of the number. In other buckets it stands in vain.
        var isInBucket = false
        var bucket: UInt8 = 0
        /// The place of its limit among `limits`.
        var limit: UInt16 = 0
        var hasLowBattery = false
        var lacksSupervision = false
    }

    private static let bucketCount = 256

    public let lowBatteryPercent: Int?
    public let silence: SilenceLimits
    /// Milliseconds; first that of models without one of their own. nil: not watched.
    private let limits: [Int64?]
    private let limitOfModel: [String: UInt16]
    private let tickMilliseconds: Int64
    private var startedMilliseconds: Int64
    private var records = PagedArray<Record>()
    private var buckets: [[UInt32]]
    private var nextTick: Int64
    private var inBuckets = 0
    /// Since when a terminal with a low battery that states no percentage has shown no alarm.
    private var clearing: [UInt32: Int64] = [:]

    /// - Parameters:
    ///   - lowBatteryPercent: 0...100; nil when only the terminals' own alarms count.
    ///   - silence: a terminal counts among the models without a limit of their own until `setModel` says otherwise.
    public init(lowBatteryPercent: Int?, silence: SilenceLimits, now: Moment) {
        self.lowBatteryPercent = lowBatteryPercent
        self.silence = silence
        var limits = [Self.milliseconds(silence.seconds)]
        var limitOfModel: [String: UInt16] = [:]
        for (model, seconds) in silence.models {
            let limit = Self.milliseconds(seconds)
            let place = limits.firstIndex(of: limit) ?? limits.count
            if place == limits.count { limits.append(limit) }
            limitOfModel[model] = UInt16(place)
        }
        self.limits = limits
        self.limitOfModel = limitOfModel
        self.tickMilliseconds = max(1000, (limits.compactMap { $0 }.min() ?? 1000) / 200)
        self.startedMilliseconds = now.monotonicMilliseconds
        self.buckets = Array(repeating: [], count: silence.isOff ? 0 : Self.bucketCount)
        self.nextTick = now.monotonicMilliseconds / tickMilliseconds
    }

    /// Goes on after a restart. What was reported before is not reported again until it ended.
    ///
    /// - Parameters:
    ///   - lastSeen: receive time of the last frame.
    ///   - isSilent: its silence was reported, for example because an incident of that cause is open.
    ///   - hasLowBattery: the same for the battery.
    ///   - lacksSupervision: the same for a supervised device.
    public mutating func seed(
        _ number: UInt32, lastSeen: Timestamp, isSilent: Bool = false, hasLowBattery: Bool = false,
        lacksSupervision: Bool = false, now: Moment
    ) {
        if hasLowBattery || lacksSupervision {
            makeRoom(for: number)
            if hasLowBattery { records[Int(number)].hasLowBattery = true }
            if lacksSupervision { records[Int(number)].lacksSupervision = true }
        }
        guard !silence.isOff else { return }
        let ago = max(0, now.wall.milliseconds &- lastSeen.milliseconds)
        let wasSilent = number < records.count && records[Int(number)].isSilent
        hear(number, atMilliseconds: now.monotonicMilliseconds &- ago, isSilent: isSilent || wasSilent)
    }

    /// Takes up new limits. What was reported is not reported again until it ended; with silence watched for the first
    /// time, nobody is known, and the caller seeds. It says the models again too.
    public mutating func change(lowBatteryPercent: Int?, silence: SilenceLimits, now: Moment) {
        guard lowBatteryPercent != self.lowBatteryPercent || silence != self.silence else { return }
        var new = ConditionWatch(lowBatteryPercent: lowBatteryPercent, silence: silence, now: now)
        new.startedMilliseconds = startedMilliseconds
        new.clearing = clearing
        for index in 0..<records.count {
            let (number, record) = (UInt32(index), records[index])
            if record.hasLowBattery || record.lacksSupervision {
                new.makeRoom(for: number)
                new.records[index].hasLowBattery = record.hasLowBattery
                new.records[index].lacksSupervision = record.lacksSupervision
            }
            guard !silence.isOff, record.isWatched else { continue }
            new.hear(number, atMilliseconds: record.lastSeenMilliseconds, isSilent: record.isSilent)
        }
        self = new
    }

    /// The terminal left the lists: neither its silence nor its battery matters any more, and its number may be given to
    /// another.
    public mutating func forget(_ number: UInt32) {
        guard number < records.count else { return }
        // What stands in the wheel stays there, and the wheel passes over it.
        records[Int(number)].isWatched = false
        records[Int(number)].isSilent = false
        records[Int(number)].lacksSupervision = false
        records[Int(number)].limit = 0
        unlatch(number)
    }

    /// Whether models differ, so that the watch must know the terminals'.
    public var distinguishesModels: Bool { limits.count > 1 }

    /// The limit of this model counts for the terminal from here on.
    public mutating func setModel(_ model: String, of number: UInt32) {
        let limit = limitOfModel[model] ?? 0
        guard limit != 0 || number < records.count, distinguishesModels else { return }
        makeRoom(for: number)
        guard records[Int(number)].limit != limit else { return }
        records[Int(number)].limit = limit
        // It may be due sooner than its bucket.
        if records[Int(number)].isWatched, !records[Int(number)].isSilent { wait(number) }
    }

    /// One event of a terminal, whatever it says, is a sign of life; stored items say nothing of the battery now.
    public mutating func observe(_ event: borrowing TerminalEvent, of number: UInt32, now: Moment) -> [Condition] {
        var found: [Condition] = []
        if !silence.isOff, hear(number, atMilliseconds: now.monotonicMilliseconds, isSilent: false) {
            found.append(.heardAgain)
        }
        if !event.historical, let condition = judgeBattery(event, number, now: now) { found.append(condition) }
        if let condition = judgeSupervision(event, number) { found.append(condition) }
        return found
    }

    /// Terminals that have been silent for the limit; each is named once until it is heard again.
    public mutating func advance(now: Moment) -> [(UInt32, Condition)] {
        guard !silence.isOff else { return [] }
        var found: [(UInt32, Condition)] = []
        let current = now.monotonicMilliseconds / tickMilliseconds
        // After a long pause one turn of the wheel visits everybody.
        if current - nextTick > Int64(Self.bucketCount) { nextTick = current - Int64(Self.bucketCount) + 1 }
        while nextTick <= current {
            let bucket = bucket(nextTick)
            let due = buckets[bucket]
            buckets[bucket].removeAll(keepingCapacity: true)
            nextTick += 1
            inBuckets -= due.count
            for number in due {
                guard records[Int(number)].isInBucket, records[Int(number)].bucket == bucket else { continue }
                records[Int(number)].isInBucket = false
                let record = records[Int(number)]
                guard record.isWatched, !record.isSilent, let deadline = deadline(of: record) else { continue }
                guard deadline <= now.monotonicMilliseconds else {
                    wait(number)
                    continue
                }
                records[Int(number)].isSilent = true
                let ago = now.monotonicMilliseconds &- record.lastSeenMilliseconds
                found.append((number, .silence(since: now.wall.adding(milliseconds: -ago))))
            }
        }
        return found
    }

    /// When `advance` should be called next; nil when nobody is waited for.
    public var nextDeadlineMonotonicMilliseconds: Int64? {
        inBuckets > 0 ? nextTick &* tickMilliseconds : nil
    }
}

extension ConditionWatch {
    private mutating func makeRoom(for number: UInt32) {
        while records.count <= number { records.append(Record()) }
    }

    /// Returns true when the terminal had been reported silent.
    @discardableResult
    private mutating func hear(_ number: UInt32, atMilliseconds time: Int64, isSilent: Bool) -> Bool {
        makeRoom(for: number)
        let before = records[Int(number)]
        let isNew = !before.isWatched
        records[Int(number)].isWatched = true
        records[Int(number)].lastSeenMilliseconds = isNew ? time : max(time, before.lastSeenMilliseconds)
        records[Int(number)].isSilent = isSilent && (isNew || before.isSilent)
        if !records[Int(number)].isSilent, !before.isInBucket { wait(number) }
        return before.isSilent && !isSilent
    }

    private static func milliseconds(_ seconds: Int?) -> Int64? {
        seconds.flatMap { $0 > 0 ? Int64($0) * 1000 : nil }
    }

    /// nil for a model that is not watched.
    private func deadline(of record: Record) -> Int64? {
        guard let limit = limits[Int(record.limit)] else { return nil }
        return max(
            record.lastSeenMilliseconds &+ limit,
            startedMilliseconds &+ min(limit, Self.startGraceMilliseconds))
    }

    /// Puts a terminal into the first bucket that is looked at after its deadline.
    private mutating func wait(_ number: UInt32) {
        guard let deadline = deadline(of: records[Int(number)]) else { return }
        let tick = max(nextTick, deadline / tickMilliseconds + 1)
        let bucket = bucket(min(tick, nextTick + Int64(Self.bucketCount) - 1))
        buckets[bucket].append(number)
        records[Int(number)].isInBucket = true
        records[Int(number)].bucket = UInt8(bucket)
        inBuckets += 1
    }

    private func bucket(_ tick: Int64) -> Int {
        let slot = Int(tick % Int64(Self.bucketCount))
        return slot < 0 ? slot + Self.bucketCount : slot
    }

    private mutating func unlatch(_ number: UInt32) {
        records[Int(number)].hasLowBattery = false
        if !clearing.isEmpty { clearing[number] = nil }
    }

    /// A loss is named once; what the panel kept and tells late counts too, since it tells it no second time. The way back is
    /// named as often as it is said, because the loss may be one of before the start.
    private mutating func judgeSupervision(_ event: borrowing TerminalEvent, _ number: UInt32) -> Condition? {
        let isLatched = number < records.count && records[Int(number)].lacksSupervision
        if event.alarms.contains(.supervisionLost) {
            guard !isLatched else { return nil }
            makeRoom(for: number)
            records[Int(number)].lacksSupervision = true
            return .supervisionLost
        }
        guard event.alarms.contains(.supervisionRestored) else { return nil }
        if isLatched { records[Int(number)].lacksSupervision = false }
        return .supervisionRestored
    }

    private mutating func judgeBattery(
        _ event: borrowing TerminalEvent, _ number: UInt32, now: Moment
    ) -> Condition? {
        let percent = event.batteryPercent.flatMap { (0...100).contains($0) ? $0 : nil }
        let limit = lowBatteryPercent ?? -1
        let isLatched = number < records.count && records[Int(number)].hasLowBattery
        if event.alarms.contains(.lowBattery) || percent.map({ $0 <= limit }) ?? false {
            if !clearing.isEmpty { clearing[number] = nil }
            guard !isLatched else { return nil }
            makeRoom(for: number)
            records[Int(number)].hasLowBattery = true
            return .lowBattery(percent: percent)
        }
        guard isLatched else { return nil }
        if let percent {
            guard percent >= min(limit + Self.batteryHysteresisPercent, 100) else { return nil }
        } else {
            guard event.kind == .report || event.kind == .alarm else { return nil }
            let since = clearing[number] ?? now.monotonicMilliseconds
            clearing[number] = since
            guard now.monotonicMilliseconds &- since >= Self.batteryClearMilliseconds else { return nil }
        }
        unlatch(number)
        return .batteryRecovered(percent: percent)
    }
}
