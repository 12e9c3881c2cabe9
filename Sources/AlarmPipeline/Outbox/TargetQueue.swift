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
        /// Notices held in memory for one target. Those that call for a life have as much again, and terminals in no list
        /// may use half of that (promise P6): one who invents them cannot keep out somebody who is known.
        var queued = 20_000
        /// Attempts that notices of terminals in no list may hold.
        var ofStrangersInFlight: Int { max(1, inFlight * 3 / 4) }
        /// When a place is free, every so many starts one of them goes first, so that known people do not starve them either.
        static let startsPerStranger: UInt64 = 8

        func room(for urgency: Urgency) -> Int {
            switch urgency {
            case .known: 2 * queued
            case .stranger: queued + queued / 2
            case .ordinary: queued
            }
        }
    }

    /// Who gets the next free place.
    enum Urgency {
        /// Calls for a life: of a person or of a terminal that is listed.
        case known
        /// Calls for a life, of a terminal in no list.
        case stranger
        case ordinary

        init(_ notice: Notice) {
            guard RetrySchedule(notice) == .lifeSafety else {
                self = .ordinary
                return
            }
            self = notice.incident.trust == .unknown && notice.incident.person == nil ? .stranger : .known
        }
    }

    struct Item {
        var notice: Notice
        var attempts: Int
        var schedule: RetrySchedule
        var urgency: Urgency
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
    private var strangers = TimerHeap<String>()
    private var ordinary = TimerHeap<String>()
    /// Attempts that are on their way, by the notice's identifier.
    private(set) var flights: [String: Flight] = [:]
    private var ordinaryInFlight = 0
    private var ofStrangersInFlight = 0
    private var starts: UInt64 = 0

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
        let superseded = supersede(by: delivery.notice)
        let urgency = Urgency(delivery.notice)
        guard !superseded.isEmpty || items.count < limits.room(for: urgency) else {
            overflowed += 1
            return nil
        }
        items[key] = Item(
            notice: delivery.notice, attempts: delivery.attempts, schedule: RetrySchedule(delivery.notice),
            urgency: urgency)
        byIncident[delivery.notice.incident.id, default: []].append(key)
        schedule(key, urgency, due: due)
        return superseded
    }

    private mutating func schedule(_ key: String, _ urgency: Urgency, due: Int64) {
        switch urgency {
        case .known: urgent.add(key, due: due)
        case .stranger: strangers.add(key, due: due)
        case .ordinary: ordinary.add(key, due: due)
        }
    }

    /// A newer call for help replaces older ones that are not on their way, tried or not, except the first of the incident:
    /// so a target that is dead or slow costs a few entries an incident, and hears the newest state first.
    private mutating func supersede(by notice: Notice) -> [String] {
        guard notice.raisesAlarm else { return [] }
        let old = (byIncident[notice.incident.id] ?? []).filter { key in
            guard let item = items[key] else { return false }
            return item.notice.raisesAlarm && item.notice.kind != .opened && flights[key] == nil
                && item.notice.incident.lastEventNumber < notice.incident.lastEventNumber
        }
        for key in old { remove(key) }
        return old
    }

    /// The next notice to try now, when there is a free place for it.
    mutating func next(now: Int64, limits: Limits) -> Item? {
        guard channel != nil else { return nil }
        if starts % Limits.startsPerStranger == Limits.startsPerStranger - 1,
            let item = nextOfStrangers(now: now, limits: limits)
        {
            return item
        }
        while flights.count < limits.inFlight, let key = urgent.take(dueBy: now) {
            if let item = startable(key) { return item }
        }
        if let item = nextOfStrangers(now: now, limits: limits) { return item }
        while flights.count < limits.inFlight, ordinaryInFlight < limits.ordinaryInFlight,
            let key = ordinary.take(dueBy: now)
        {
            if let item = startable(key) { return item }
        }
        return nil
    }

    private mutating func nextOfStrangers(now: Int64, limits: Limits) -> Item? {
        while flights.count < limits.inFlight, ofStrangersInFlight < limits.ofStrangersInFlight,
            let key = strangers.take(dueBy: now)
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
        starts += 1
        items[key]?.attempts += 1
        count(items[key]?.urgency, 1)
    }

    /// Ends an attempt; nil when it had been given up waiting for.
    mutating func ended(_ key: String, token: UInt64) -> Item? {
        guard let item = items[key], flights[key]?.token == token else { return nil }
        flights[key] = nil
        count(item.urgency, -1)
        return item
    }

    private mutating func count(_ urgency: Urgency?, _ change: Int) {
        switch urgency {
        case .ordinary: ordinaryInFlight += change
        case .stranger: ofStrangersInFlight += change
        case .known, nil: break
        }
    }

    mutating func retry(_ key: String, due: Int64) {
        guard let item = items[key] else { return }
        schedule(key, item.urgency, due: due)
    }

    mutating func remove(_ key: String) {
        guard let item = items.removeValue(forKey: key) else { return }
        let incident = item.notice.incident.id
        byIncident[incident]?.removeAll { $0 == key }
        if byIncident[incident]?.isEmpty == true { byIncident[incident] = nil }
    }

    /// Ends what calls for a human for this incident; what is on its way finishes but is not repeated.
    mutating func stopRaising(_ takenOver: TakenOver) {
        for key in byIncident[takenOver.incident] ?? [] {
            guard let item = items[key], item.notice.raisesAlarm,
                item.notice.incident.lastEventNumber <= takenOver.through
            else { continue }
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
        flights.filter {
            SystemClock.kernelMilliseconds(now - $0.value.startedAt.monotonicMilliseconds) >= limits.attemptMilliseconds
        }
        .map { ($0.key, $0.value) }
    }

    /// When there is next something to do, on the monotonic clock; nil while only answers are waited for.
    func nextDue(limits: Limits) -> Int64? {
        guard channel != nil, flights.count < limits.inFlight else { return nil }
        let ordinaryDue = ordinaryInFlight < limits.ordinaryInFlight ? ordinary.earliestDue : nil
        let ofStrangersDue = ofStrangersInFlight < limits.ofStrangersInFlight ? strangers.earliestDue : nil
        return [urgent.earliestDue, ofStrangersDue, ordinaryDue].compactMap { $0 }.min()
    }
}
