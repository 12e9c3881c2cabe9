import Foundation
import GRDB
import IncidentCore
import TerminalModel

/// A promise of DESIGN section 2 that was not kept.
struct Violation: Error, CustomStringConvertible {
    var promise: String
    var what: String

    init(_ promise: String, _ what: String) {
        self.promise = promise
        self.what = what
    }

    var description: String { "\(promise): \(what)" }
}

/// What the disk holds, read past the gateway.
struct StoredFacts {
    struct Incident {
        var state: String
        var isAnswered: Bool
        var isClosed: Bool
    }

    var incidents: [IncidentID: Incident] = [:]
    /// The incidents in whose evidence a press is found.
    var homes: [Int: Set<IncidentID>] = [:]
    /// The incidents that a press opened.
    var opened: [Int: Set<IncidentID>] = [:]

    init(_ path: String) throws {
        let database = try DatabaseQueue(path: path)
        try database.read { database in
            let rows = try Row.fetchCursor(
                database, sql: "SELECT id, state, answered_at IS NOT NULL, closed_at IS NOT NULL FROM incidents")
            while let row = try rows.next() {
                guard let id = IncidentID(row[0] as String) else { continue }
                incidents[id] = Incident(state: row[1], isAnswered: row[2], isClosed: row[3])
            }
            var begun: Set<IncidentID> = []
            let frames = try Row.fetchCursor(database, sql: "SELECT incident, frame FROM evidence ORDER BY id")
            while let row = try frames.next() {
                guard let id = IncidentID(row[0] as String) else { continue }
                let isFirst = begun.insert(id).inserted
                guard let press = PressFrame.press(of: row[1] as Data) else { continue }
                homes[press, default: []].insert(id)
                if isFirst { opened[press, default: []].insert(id) }
            }
        }
        try database.close()
    }
}

/// What happened in the world, and whether the gateway keeps its promises about it.
struct Ledger {
    struct Press {
        var terminal: TerminalID
        var arrivedAt: Int64?
        var isPromised = false
        /// The hub was tried for it, or is being called for the terminal already.
        var isTold = false
    }

    /// A notice must be under way so soon after a press when nothing disturbs.
    static let longestToNotice: Int64 = 10_000
    /// The newest presses, which alone are watched.
    static let watched = 200
    /// While nobody answers, each round makes a notice; one that fails is tried again within a minute.
    static let longestSilence: Int64 = SimulatedCentre.repeatMilliseconds + 75_000

    private(set) var presses: [Press] = []
    private var disturbedAt: Int64 = 0
    private var openIncidents: [TerminalID: Set<IncidentID>] = [:]
    private var lastNotice: [IncidentID: Int64] = [:]
    private var callingSince: [IncidentID: Int64] = [:]
    private var durablyTold: Set<IncidentID> = []
    private var heardAtHub: Set<IncidentID> = []
    private var mayBeAnswered: Set<IncidentID> = []
    private var mayBeClosed: Set<IncidentID> = []
    private var mustBeAnswered: Set<IncidentID> = []
    private var mustBeClosed: Set<IncidentID> = []
    private var found: Violation?

    // MARK: What happens

    mutating func pressed(_ terminal: TerminalID, at time: Int64) -> Int {
        presses.append(Press(terminal: terminal))
        return presses.count - 1
    }

    mutating func arrived(_ press: Int, at time: Int64) {
        guard presses[press].arrivedAt == nil else { return }
        presses[press].arrivedAt = time
        // One more press of an incident that is being called for is told of with the ladder.
        if openIncidents[presses[press].terminal]?.isEmpty == false { presses[press].isTold = true }
    }

    mutating func promised(_ press: Int) { presses[press].isPromised = true }

    /// Until then and some time afterwards nothing is said about how soon anything happens.
    mutating func disturbed(at time: Int64) { disturbedAt = max(disturbedAt, time) }

    mutating func attempted(_ notice: Notice, at target: String, time: Int64) {
        let id = notice.incident.id
        if notice.durable { durablyTold.insert(id) }
        guard target == "hub" else { return }
        lastNotice[id] = time
        if !mustBeClosed.contains(id) { openIncidents[notice.incident.terminal, default: []].insert(id) }
        for index in presses.indices.suffix(Self.watched) where presses[index].terminal == notice.incident.terminal {
            if presses[index].arrivedAt != nil { presses[index].isTold = true }
        }
        if notice.kind == .closed, !mayBeClosed.contains(id) { found = Violation("P4", "\(id) was closed by nobody") }
    }

    mutating func heard(_ notice: Notice, at target: String) {
        if target == "hub" { heardAtHub.insert(notice.incident.id) }
    }

    mutating func asked(_ action: OperatorAction, of id: IncidentID) {
        mayBeAnswered.insert(id)
        if case .close = action { mayBeClosed.insert(id) }
    }

    mutating func promised(_ action: OperatorAction, of id: IncidentID) {
        mustBeAnswered.insert(id)
        guard case .close = action else { return }
        mustBeClosed.insert(id)
        forget(id)
    }

    private mutating func forget(_ id: IncidentID) {
        for terminal in openIncidents.keys { openIncidents[terminal]?.remove(id) }
    }

    mutating func missed(_ id: IncidentID) {
        forget(id)
        if durablyTold.contains(id), !mayBeClosed.contains(id) {
            found = Violation("P1", "\(id) was told of as durable and is not known")
        }
    }

    mutating func throwFound() throws {
        if let found { throw found }
    }

    // MARK: What must hold

    /// P2 and P3 while the gateway runs.
    mutating func watch(_ calls: [IncidentID], at time: Int64) {
        let calling = Set(calls)
        callingSince = callingSince.filter { calling.contains($0.key) }
        for id in calls {
            let since = callingSince[id] ?? time
            callingSince[id] = since
            let last = max(since, lastNotice[id] ?? 0, disturbedAt)
            if time - last > Self.longestSilence {
                found = Violation("P3", "\(id) waits for a human and the hub was not called for \(time - last) ms")
            }
        }
        for (number, press) in presses.enumerated().suffix(Self.watched) where !press.isTold {
            guard let arrived = press.arrivedAt, time - max(arrived, disturbedAt) > Self.longestToNotice else {
                continue
            }
            found = Violation("P2", "press \(number) of \(press.terminal) was not told to the hub")
        }
    }

    /// Everything that was promised against what is on the disk.
    ///
    /// - Parameter hasJumped: the wall clock was a day off: a press that was held through it may be on two incidents.
    mutating func audit(_ facts: StoredFacts, calls: [IncidentID], hasJumped: Bool, isLast: Bool) throws {
        try throwFound()
        for (number, press) in presses.enumerated() where press.isPromised || isLast {
            guard facts.homes[number] != nil else {
                throw Violation(
                    press.isPromised ? "P1" : "P2",
                    "press \(number) of \(press.terminal) is on no incident, acknowledged: \(press.isPromised)")
            }
            let opened = facts.opened[number] ?? []
            guard opened.count <= 1 || hasJumped else {
                throw Violation("P9", "press \(number) of \(press.terminal) opened \(opened.sorted())")
            }
        }
        for id in durablyTold where facts.incidents[id] == nil {
            throw Violation("P1", "\(id) was told of as durable and is not on the disk")
        }
        let calling = Set(calls)
        for (id, incident) in facts.incidents {
            if incident.isClosed, !mayBeClosed.contains(id) { throw Violation("P4", "\(id) was closed by nobody") }
            if incident.isAnswered, !mayBeAnswered.contains(id) {
                throw Violation("P4", "\(id) was answered by nobody")
            }
            if !incident.isClosed, mustBeClosed.contains(id) { throw Violation("P1", "\(id) is open again") }
            if !incident.isAnswered, mustBeAnswered.contains(id) {
                throw Violation("P1", "the answer to \(id) was forgotten")
            }
            let waits = incident.state == "open" || incident.state == "notified"
            if waits, !calling.contains(id) { throw Violation("P3", "\(id) waits for a human and no siren sounds") }
            if isLast, !heardAtHub.contains(id) { throw Violation("P2", "the hub never heard of \(id)") }
            if isLast, !incident.isClosed { throw Violation("P2", "\(id) was left open") }
        }
    }

    var incidents: Int { durablyTold.count }
}
