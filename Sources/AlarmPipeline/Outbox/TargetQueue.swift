import IncidentCore
import IncidentStore
import TerminalModel

/// What waits for one target and what is on its way to it; owned by the pump's thread.
///
/// No target knows of another, so a dead or slow one delays only itself.
struct TargetQueue {
    struct Limits: Sendable {
        /// Attempts at once to one target.
        var inFlight = 8
        /// Of these, ordinary notices may hold so many, so that a life-safety notice finds a free one.
        var ordinaryInFlight = 4
        /// Longer than any channel's own limit: a channel that has not answered by then is taken as failed.
        var attemptMilliseconds: Int64 = 60_000
        /// Notices held in memory for one target.
        var queued = 20_000
    }

    struct Item {
        var notice: Notice
        var attempts: Int
        var schedule: RetrySchedule
        /// A human took over, or a newer notice says the same: no further attempt.
        var isStopped = false
    }

    struct Flight {
        var token: UInt64
        var task: Task<Void, Never>
        var startedAt: Moment
    }

    var channel: (any EscalationChannel)?
    private(set) var items: [String: Item] = [:]
    private var byIncident: [IncidentID: [String]] = [:]
    private var urgent = TimerHeap<String>()
    private var ordinary = TimerHeap<String>()
    /// Attempts that are on their way, by the notice's identifier.
    private(set) var flights: [String: Flight] = [:]
    private var ordinaryInFlight = 0

    // For the status page.
    var lastAcceptedAt: Timestamp?
    var lastFailure: String?
    var failuresInARow = 0
    var overflowed: UInt64 = 0

    var queuedCount: Int { items.count }
    var inFlightCount: Int { flights.count }

    /// Puts a notice in, due at a time on the monotonic clock; one that is known already stays as it is.
    ///
    /// - Returns: identifiers of notices that this one makes superfluous, or nil when there was no room.
    mutating func add(_ delivery: PendingDelivery, due: Int64, limits: Limits) -> [String]? {
        let key = delivery.notice.identifier
        guard items[key] == nil else { return [] }
        let schedule = RetrySchedule(delivery.notice)
        guard items.count < limits.queued || schedule == .lifeSafety && items.count < 2 * limits.queued else {
            overflowed += 1
            return nil
        }
        let superseded = supersede(by: delivery.notice)
        items[key] = Item(notice: delivery.notice, attempts: delivery.attempts, schedule: schedule)
        byIncident[delivery.notice.incident.id, default: []].append(key)
        schedule == .lifeSafety ? urgent.add(key, due: due) : ordinary.add(key, due: due)
        return superseded
    }

    /// A newer call for help replaces older ones that have failed at least once, except the first of the incident:
    /// so a target that is dead for hours costs a few entries an incident, and hears the newest state first.
    private mutating func supersede(by notice: Notice) -> [String] {
        guard notice.raisesAlarm else { return [] }
        let old = (byIncident[notice.incident.id] ?? []).filter { key in
            guard let item = items[key] else { return false }
            return item.notice.raisesAlarm && item.notice.kind != .opened && item.attempts > 0 && flights[key] == nil
                && item.notice.incident.lastEventNumber < notice.incident.lastEventNumber
        }
        for key in old { remove(key) }
        return old
    }

    /// The next notice to try now, when there is a free place for it.
    mutating func next(now: Int64, limits: Limits) -> Item? {
        guard channel != nil else { return nil }
        while flights.count < limits.inFlight, let key = urgent.take(dueBy: now) {
            if let item = startable(key) { return item }
        }
        while flights.count < limits.inFlight, ordinaryInFlight < limits.ordinaryInFlight,
            let key = ordinary.take(dueBy: now)
        {
            if let item = startable(key) { return item }
        }
        return nil
    }

    private func startable(_ key: String) -> Item? {
        guard let item = items[key], flights[key] == nil, !item.isStopped else { return nil }
        return item
    }

    mutating func started(_ key: String, _ flight: Flight) {
        flights[key] = flight
        items[key]?.attempts += 1
        if items[key]?.schedule == .ordinary { ordinaryInFlight += 1 }
    }

    /// Ends an attempt; nil when it had been given up waiting for.
    mutating func ended(_ key: String, token: UInt64) -> Item? {
        guard let item = items[key], flights[key]?.token == token else { return nil }
        flights[key] = nil
        if item.schedule == .ordinary { ordinaryInFlight -= 1 }
        return item
    }

    mutating func retry(_ key: String, due: Int64) {
        guard let item = items[key] else { return }
        item.schedule == .lifeSafety ? urgent.add(key, due: due) : ordinary.add(key, due: due)
    }

    mutating func remove(_ key: String) {
        guard let item = items.removeValue(forKey: key) else { return }
        let incident = item.notice.incident.id
        byIncident[incident]?.removeAll { $0 == key }
        if byIncident[incident]?.isEmpty == true { byIncident[incident] = nil }
    }

    /// Ends what calls for a human for this incident; what is on its way finishes but is not repeated.
    mutating func stopRaising(_ incident: IncidentID) {
        for key in byIncident[incident] ?? [] {
            guard let item = items[key], item.notice.raisesAlarm else { continue }
            if flights[key] == nil { remove(key) } else { items[key]?.isStopped = true }
        }
    }

    /// Ends what would still carry the card of a person who was erased; what is on its way is not repeated.
    mutating func forget(person: String) {
        for (key, item) in items where item.notice.incident.person == person || item.notice.person?.id == person {
            if flights[key] == nil { remove(key) } else { items[key]?.isStopped = true }
        }
    }

    /// Attempts that have lasted too long.
    func overdue(now: Int64, limits: Limits) -> [(key: String, flight: Flight)] {
        flights.filter { now - $0.value.startedAt.monotonicMilliseconds >= limits.attemptMilliseconds }
            .map { ($0.key, $0.value) }
    }

    /// When there is next something to do, on the monotonic clock; nil while only answers are waited for.
    func nextDue(limits: Limits) -> Int64? {
        guard channel != nil, flights.count < limits.inFlight else { return nil }
        let ordinaryDue = ordinaryInFlight < limits.ordinaryInFlight ? ordinary.earliestDue : nil
        return [urgent.earliestDue, ordinaryDue].compactMap { $0 }.min()
    }
}
