/// A timer of a `TimerWheel`: entry index and its generation, so that a kept identifier of a fired timer names nothing.
public struct TimerID: Hashable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// A hashed timer wheel: arming, moving and cancelling cost the same for one timer and for a million.
///
/// Time is given in milliseconds by the caller and never read here. A deadline is rounded up to the next tick, so a timer
/// fires up to one tick late and never early. Usage: `advance(to:)`, then `popDue()` until it returns nil; timers may be armed,
/// moved and cancelled between two calls of `popDue`.
public struct TimerWheel: ~Copyable {
    /// A timer that is due; its identifier is already stale.
    public struct Due: Equatable, Sendable {
        public let id: TimerID
        /// What was given to `arm`.
        public let token: UInt64
        public let kind: UInt8
    }

    private enum State: UInt8 {
        case free, armed, due
    }

    /// 32 bytes. `next` and `previous` link the entries of one bucket; `next` also links free entries.
    private struct Entry {
        var deadlineTick: Int64
        var token: UInt64
        var next: Int32
        var previous: Int32
        var generation: UInt32
        var kind: UInt8
        var state: State
    }

    /// One bucket; `earliestTick` is never later than the earliest deadline in it.
    private struct Bucket {
        var first: Int32 = -1
        var last: Int32 = -1
        var earliestTick: Int64 = .max
    }

    /// A power of two. At 10 ms a turn takes 41 s, so a terminal's ten-minute timer is passed by fifteen times.
    private static let bucketCount = 4096
    /// How many buckets are searched exactly for the next deadline before a possibly too early one is good enough.
    private static let exactSearches = 16

    public let tickMilliseconds: Int64
    /// The most timers at once.
    public let capacity: Int
    /// Timers that are armed or due and not yet popped.
    public private(set) var count = 0

    private let entries: UnsafeMutablePointer<Entry>
    private let buckets: UnsafeMutablePointer<Bucket>
    private var used = 0
    private var firstFree: Int32 = -1
    private var currentTick: Int64
    /// No armed timer is due before this tick.
    private var boundTick: Int64 = .max
    private var due: [(tick: Int64, index: Int32, generation: UInt32)] = []
    private var nextDue = 0

    /// Reserves address space for `capacity` timers; memory is taken as they are used.
    public init(capacity: Int, tickMilliseconds: Int64, nowMilliseconds: Int64) {
        self.capacity = min(max(1, capacity), Int(Int32.max))
        self.tickMilliseconds = max(1, tickMilliseconds)
        self.entries = .allocate(capacity: self.capacity)
        self.buckets = .allocate(capacity: Self.bucketCount)
        self.buckets.initialize(repeating: Bucket(), count: Self.bucketCount)
        self.currentTick = nowMilliseconds / self.tickMilliseconds
    }

    deinit {
        entries.deallocate()
        buckets.deallocate()
    }

    /// Arms a timer; nil when `capacity` timers exist.
    public mutating func arm(atMilliseconds deadline: Int64, token: UInt64, kind: UInt8 = 0) -> TimerID? {
        let index: Int32
        if firstFree >= 0 {
            index = firstFree
            firstFree = entries[Int(index)].next
        } else {
            guard used < capacity else { return nil }
            index = Int32(used)
            used += 1
            (entries + Int(index)).initialize(
                to: Entry(
                    deadlineTick: 0, token: 0, next: -1, previous: -1, generation: 1, kind: 0, state: .free))
        }
        count += 1
        entries[Int(index)].token = token
        entries[Int(index)].kind = kind
        link(index, deadline: deadline)
        return TimerID(rawValue: UInt64(entries[Int(index)].generation) << 32 | UInt64(UInt32(bitPattern: index)))
    }

    /// Moves a timer to another deadline, also one that is due but not yet popped; false when it has fired or was cancelled.
    @discardableResult
    public mutating func rearm(_ id: TimerID, atMilliseconds deadline: Int64) -> Bool {
        guard let index = find(id) else { return false }
        if entries[Int(index)].state == .armed { unlink(index) }
        link(index, deadline: deadline)
        return true
    }

    /// Cancels a timer; false when it has fired or was cancelled before.
    @discardableResult
    public mutating func cancel(_ id: TimerID) -> Bool {
        guard let index = find(id) else { return false }
        if entries[Int(index)].state == .armed { unlink(index) }
        release(index)
        return true
    }

    /// The time of the next tick with something to do, nil when nothing is armed. May be too early after cancellations, never late.
    public var nextMilliseconds: Int64? {
        if nextDue < due.count { return currentTick &* tickMilliseconds }
        guard count > 0, boundTick != .max else { return nil }
        return boundTick &* tickMilliseconds
    }

    /// Moves the wheel to `now`; what has become due is then returned by `popDue`, earliest tick first.
    public mutating func advance(toMilliseconds now: Int64) {
        let tick = now / tickMilliseconds
        guard tick > currentTick else { return }
        guard tick >= boundTick else {
            currentTick = tick
            return
        }
        let steps = min(tick - currentTick, Int64(Self.bucketCount))
        for step in (tick - steps + 1)...tick where buckets[Self.bucket(of: step)].earliestTick <= tick {
            collect(Self.bucket(of: step), upTo: tick)
        }
        currentTick = tick
        if due.count - nextDue > 1 {
            due[nextDue...].sort { $0.tick < $1.tick }
        }
        findBound()
    }

    /// Takes the next timer that is due, nil when there is none left.
    public mutating func popDue() -> Due? {
        while nextDue < due.count {
            let candidate = due[nextDue]
            nextDue += 1
            let entry = entries[Int(candidate.index)]
            guard entry.generation == candidate.generation, entry.state == .due else { continue }
            release(candidate.index)
            let id = UInt64(candidate.generation) << 32 | UInt64(UInt32(bitPattern: candidate.index))
            return Due(id: TimerID(rawValue: id), token: entry.token, kind: entry.kind)
        }
        due.removeAll(keepingCapacity: true)
        nextDue = 0
        return nil
    }
}

extension TimerWheel {
    private static func bucket(of tick: Int64) -> Int {
        Int(tick & Int64(bucketCount - 1))
    }

    private func find(_ id: TimerID) -> Int32? {
        let index = Int(UInt32(truncatingIfNeeded: id.rawValue))
        guard index < used, entries[index].generation == UInt32(truncatingIfNeeded: id.rawValue >> 32),
            entries[index].state != .free
        else { return nil }
        return Int32(index)
    }

    private mutating func link(_ index: Int32, deadline: Int64) {
        let rounded = deadline / tickMilliseconds + (deadline % tickMilliseconds > 0 ? 1 : 0)
        // The current tick has been worked off already, what is late fires with the next one.
        let tick = max(rounded, currentTick + 1)
        let bucket = Self.bucket(of: tick)
        let last = buckets[bucket].last
        entries[Int(index)].deadlineTick = tick
        entries[Int(index)].state = .armed
        entries[Int(index)].next = -1
        entries[Int(index)].previous = last
        if last >= 0 { entries[Int(last)].next = index } else { buckets[bucket].first = index }
        buckets[bucket].last = index
        buckets[bucket].earliestTick = min(buckets[bucket].earliestTick, tick)
        boundTick = min(boundTick, tick)
    }

    private mutating func unlink(_ index: Int32) {
        let entry = entries[Int(index)]
        let bucket = Self.bucket(of: entry.deadlineTick)
        if entry.previous >= 0 {
            entries[Int(entry.previous)].next = entry.next
        } else {
            buckets[bucket].first = entry.next
        }
        if entry.next >= 0 {
            entries[Int(entry.next)].previous = entry.previous
        } else {
            buckets[bucket].last = entry.previous
        }
        if buckets[bucket].first < 0 { buckets[bucket].earliestTick = .max }
    }

    private mutating func release(_ index: Int32) {
        entries[Int(index)].state = .free
        let generation = entries[Int(index)].generation &+ 1
        entries[Int(index)].generation = generation == 0 ? 1 : generation
        entries[Int(index)].next = firstFree
        firstFree = index
        count -= 1
        if count == 0 { boundTick = .max }
    }

    private mutating func collect(_ bucket: Int, upTo tick: Int64) {
        var earliest = Int64.max
        var index = buckets[bucket].first
        while index >= 0 {
            let entry = entries[Int(index)]
            if entry.deadlineTick <= tick {
                unlink(index)
                entries[Int(index)].state = .due
                due.append((entry.deadlineTick, index, entry.generation))
            } else {
                earliest = min(earliest, entry.deadlineTick)
            }
            index = entry.next
        }
        buckets[bucket].earliestTick = earliest
    }

    /// Finds the next deadline. A bucket's own earliest tick may belong to a timer that has moved away, so the best one is
    /// searched through before it is believed.
    private mutating func findBound() {
        for _ in 0..<Self.exactSearches {
            var best = 0
            var bound = Int64.max
            for bucket in 0..<Self.bucketCount where buckets[bucket].earliestTick < bound {
                bound = buckets[bucket].earliestTick
                best = bucket
            }
            boundTick = bound
            guard bound != .max else { return }
            var exact = Int64.max
            var index = buckets[best].first
            while index >= 0 {
                exact = min(exact, entries[Int(index)].deadlineTick)
                index = entries[Int(index)].next
            }
            buckets[best].earliestTick = exact
            if exact == bound { return }
        }
    }
}
