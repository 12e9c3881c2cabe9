import Foundation
import IncidentCore
import Synchronization
import TerminalModel
import Testing

/// Unwraps a finding of a test or fails it.
func required<T>(_ value: T?, _ location: SourceLocation = #_sourceLocation) throws -> T {
    try #require(value, sourceLocation: location)
}

let pendant = TerminalID(nibbles: 0x1770_0000_0101)
let start = Timestamp(seconds: 1_773_454_212)

func makeIDs() -> @Sendable () -> IncidentID {
    let next = Atomic<UInt64>(0)
    let box = Box(next)
    return { IncidentID(rawValue: box.next()) }
}

final class Box: Sendable {
    private let value: Atomic<UInt64>
    init(_ value: consuming Atomic<UInt64>) { self.value = value }
    func next() -> UInt64 { value.add(1, ordering: .relaxed).newValue }
}

extension IncidentRules {
    static let example = IncidentRules(
        policies: [
            Policy(
                service: .emergency,
                steps: [
                    PolicyStep(afterMilliseconds: 0, targets: ["dispatch-120", "care-hub", "siren"]),
                    PolicyStep(afterMilliseconds: 20_000, targets: ["family"]),
                ], repeatMilliseconds: 60_000),
            Policy(
                service: .lifeAssistance, steps: [PolicyStep(afterMilliseconds: 0, targets: ["care-hub"])],
                repeatMilliseconds: 120_000),
            Policy(
                service: .fenceWatch, steps: [PolicyStep(afterMilliseconds: 0, targets: ["care-hub", "family"])],
                repeatMilliseconds: 300_000),
        ],
        targets: [
            TargetFacts(name: "dispatch-120", isEmergencyService: true),
            TargetFacts(name: "care-hub", isEmergencyService: false),
            TargetFacts(name: "siren", isEmergencyService: false),
            TargetFacts(name: "family", isEmergencyService: false),
        ], isCommissioned: true)
}

extension Person {
    static let wang: Person = {
        var person = Person(id: "p1", name: "王桂英")
        person.consentsToAutomatic120 = true
        return person
    }()
}

/// An engine with a clock that the test turns and a record of everything it decided.
struct Bench: ~Copyable {
    var engine: IncidentEngine
    /// Milliseconds since the start, on both clocks.
    var time: Int64 = 0
    /// How far somebody has set the wall clock, in milliseconds.
    var wallJump: Int64 = 0
    var person: Person? = .wang
    var trust: Trust = .verified
    var terminal = pendant
    var peer: PeerAddress = "127.0.0.1:9"
    var sequence = 0
    var decisions: [Decision] = []

    init(_ rules: IncidentRules = .example) {
        engine = IncidentEngine(
            rules: rules, restored: [], bootID: "boot-1",
            now: Moment(wall: start, monotonicMilliseconds: 1000), makeID: makeIDs())
    }

    var now: Moment {
        Moment(wall: start.adding(milliseconds: time + wallJump), monotonicMilliseconds: 1000 + time)
    }

    /// One report; `device` in seconds since the start, nil for none. A watch counts no messages.
    @discardableResult
    mutating func report(
        _ alarms: AlarmSet = [], keys: [Int] = [], device: Int64?? = .none, sequence: Int? = nil,
        stored: Bool = false, again: Bool = false, bearer: Bearer = .tcp, position: Position? = nil,
        kind: EventKind = .report, protocolName: ProtocolName = .jt808, clockIsRight: Bool = false
    ) -> Decision {
        self.sequence += 1
        var event = TerminalEvent(
            protocolName: protocolName, terminal: terminal, message: .number(0x0200),
            sequence: protocolName == .watch ? nil : sequence ?? self.sequence, received: now.wall, kind: kind,
            historical: stored)
        event.alarms = alarms
        event.keys = keys
        event.position = position
        switch device {
        case .none: event.deviceTime = Timestamp(milliseconds: now.wall.milliseconds / 1000 * 1000)
        case .some(let seconds): event.deviceTime = seconds.map { start.adding(milliseconds: $0 * 1000) }
        }
        let report = InboundReport(
            event: event, trust: trust, bearer: bearer, peer: peer, frame: [0x7E, 0x7E],
            retransmission: again)
        return keep(engine.report(report, person: person, clockIsRight: clockIsRight, now: now))
    }

    @discardableResult
    mutating func condition(_ condition: Condition) -> Decision {
        keep(engine.condition(condition, terminal: terminal, trust: trust, person: person, now: now))
    }

    @discardableResult
    mutating func operate(_ action: OperatorAction, on id: IncidentID? = nil) throws(OperatorError) -> Decision {
        let id = id ?? newest?.id ?? IncidentID(rawValue: 0)
        let decision = try engine.operate(
            action, on: id, by: Operator(id: "op-7", unixUser: "hub"), people: { $0 == "p1" ? .wang : nil }, now: now)
        return keep(decision)
    }

    /// Turns the clock, stopping at each deadline.
    @discardableResult
    mutating func run(seconds: Int64) -> [IncidentChange] {
        let end = time + seconds * 1000
        var changes: [IncidentChange] = []
        while let next = engine.nextDeadlineMonotonicMilliseconds, next - 1000 <= end {
            time = max(time, next - 1000)
            let person = person
            changes += keep(engine.advance(now: now, people: { $0 == "p1" ? person : nil })).changes
        }
        time = end
        return changes
    }

    /// Serialises the incidents as a store would and starts again from them.
    mutating func restart(bootID: String = "boot-1", monotonicShift: Int64 = 0, dropClosed: Bool = false) throws {
        let data = try JSONEncoder().encode(known.filter { !dropClosed || $0.state.isOpen })
        let restored = try JSONDecoder().decode([Incident].self, from: data)
        let first = restored.map(\.id.rawValue).max() ?? 0
        let ids = makeIDs()
        for _ in 0..<first { _ = ids() }
        engine = IncidentEngine(
            rules: engine.rules, restored: restored, bootID: bootID,
            now: Moment(wall: now.wall, monotonicMilliseconds: now.monotonicMilliseconds + monotonicShift), makeID: ids)
    }

    mutating func keep(_ decision: Decision) -> Decision {
        decisions.append(decision)
        return decision
    }

    /// Every incident that ever changed, as the engine knows it now, oldest first.
    var known: [Incident] {
        var ids: [IncidentID] = []
        for change in decisions.flatMap(\.changes) where !ids.contains(change.incident.id) {
            ids.append(change.incident.id)
        }
        return ids.compactMap { engine.incident($0) }
    }

    var newest: Incident? { known.last }
}

extension Decision {
    /// `kind:target,target` for each delivery.
    var told: [String] {
        changes.flatMap(\.deliveries).map {
            "\($0.notice.kind.rawValue.dropFirst("incident.".count)):\($0.targets.joined(separator: ","))"
        }
    }

    var entries: [TimelineEntry.Kind] { changes.flatMap(\.entries).map(\.kind) }

    func entry(_ kind: TimelineEntry.Kind) -> TimelineEntry? {
        changes.flatMap(\.entries).first { $0.kind == kind }
    }
}
