import Foundation
import Geofencing
import IncidentCore
import IncidentStore
import TerminalModel

/// A district as the store holds it: people with cards, a terminal each, fences of people and of the district, open
/// incidents. The same numbers on every run.
struct District {
    var terminals = 500_000
    var fences = 100_000
    var incidents = 10_000

    static let middle = Coordinate(latitudeDegrees: 28.2, longitudeDegrees: 112.94)
    static let moment = Timestamp(milliseconds: 1_773_489_600_000)

    static func terminal(_ index: Int) -> TerminalID {
        TerminalID(String(17_700_000_000 + index)) ?? TerminalID(nibbles: 1)
    }

    static func person(_ index: Int) -> String { "p\(String(1_000_000 + index).dropFirst())" }

    /// Where a terminal is: spread evenly over about 40 km.
    static func place(_ index: Int) -> Coordinate {
        Coordinate(
            latitudeDegrees: middle.latitudeDegrees + Double(index * 7919 % 10_007) / 10_007 * 0.4 - 0.2,
            longitudeDegrees: middle.longitudeDegrees + Double(index * 104_729 % 10_009) / 10_009 * 0.4 - 0.2)
    }

    /// Of ten fences nine are a person's own polygon, drawn on a Chinese map, and one is the district's, which nobody
    /// may enter.
    func fence(_ index: Int) throws -> Fence {
        let isOwn = index % 10 != 0
        let centre = Self.place(index)
        let corners = (0..<8).map { corner in
            let angle = Double(corner) * .pi / 4
            let size = isOwn ? 0.005 : 0.0005
            return Coordinate(
                latitudeDegrees: centre.latitudeDegrees + size * sin(angle),
                longitudeDegrees: centre.longitudeDegrees + size * cos(angle))
        }
        return try Fence(
            id: "f\(index)", name: isOwn ? "home of \(index)" : "water \(index)",
            shape: .polygons([[corners.map { Datum.gcj02.fromWGS84($0) }]]),
            rule: isOwn ? .outsideForbidden : .insideForbidden, datum: .gcj02,
            scope: isOwn ? .persons([Self.person(index)]) : .everybody, confirmations: 1, confirmationWindow: 1)
    }

    private func card(_ index: Int) -> Person {
        var person = Person(id: Self.person(index), name: "Resident \(index)")
        person.address = "Building \(index / 100), flat \(index % 100)"
        person.conditions = "hypertension"
        person.phone = "138\(String(100_000_000 + index).dropFirst())"
        person.contacts = [Contact(name: "Daughter", phone: "13900000000", relation: "child", isGuardian: true)]
        person.groups = ["living_alone"]
        person.services = [.emergency, .lifeAssistance]
        person.consentsToAutomatic120 = true
        return person
    }

    private func incident(_ index: Int) -> IncidentChange {
        var incident = Incident(
            id: IncidentID(rawValue: UInt64(index + 1)), service: .emergency, terminal: Self.terminal(index * 37),
            person: Self.person(index * 37), trust: .verified, causes: ["sos"], openedAt: Self.moment)
        let place = Self.place(index)
        incident.position = IncidentPosition(
            latitudeDegrees: place.latitudeDegrees, longitudeDegrees: place.longitudeDegrees, accuracyMetres: 12,
            valid: true, source: .gnss, fixTime: Self.moment)
        incident.ladder = LadderPosition(
            nextStep: 1, round: 1, deadlineWall: Self.moment.adding(milliseconds: 60_000),
            deadlineMonotonicMilliseconds: 60_000, bootID: "another boot")
        incident.episode.remember(index)
        let entry = TimelineEntry(at: Self.moment, kind: .opened, actor: incident.terminal.description, detail: "sos")
        return IncidentChange(incident: incident, entries: [entry])
    }

    /// Fills an empty store.
    func write(to store: IncidentStore) throws {
        let encoder = JSONEncoder()
        func inGroups(_ count: Int, _ write: (Int) throws -> [StoreWrite]) throws {
            for start in stride(from: 0, to: count, by: 10_000) {
                try autoreleasing { try store.write((start..<min(start + 10_000, count)).flatMap(write)) }
            }
        }
        try inGroups(terminals) { index in
            let terminal = Self.terminal(index)
            return [
                .person(card(index)),
                .assignment(
                    TerminalAssignment(terminal: terminal, person: Self.person(index), trustedByID: true),
                    at: Self.moment),
            ]
        }
        try inGroups(fences) { index in
            let fence = try fence(index)
            let json = String(decoding: try encoder.encode(fence), as: UTF8.self)
            var writes: [StoreWrite] = [.fence(FenceRecord(plan: FencePlan(fence), json: json))]
            if index % 10 != 0 {
                writes.append(
                    .fenceState(
                        FenceStateRecord(
                            terminal: Self.terminal(index), fence: fence.id, isInside: true, since: Self.moment)))
            }
            return writes
        }
        try inGroups(incidents) { [.change(incident($0))] }
    }

    private func autoreleasing(_ body: () throws -> Void) rethrows { try body() }
}

extension PressEpisode {
    /// A press that is held, seen a few times.
    fileprivate mutating func remember(_ index: Int) {
        let time = District.moment
        seen = (0..<6).map { "d\(time.milliseconds + Int64($0) * 1000)/\(index + $0)" }
        levels = ["sos": PressLevel(held: true, storedOnly: false, spans: [PressSpan(at: time, isPast: false)])]
        levelHeld = true
        told = ["dispatch-120", "care-hub", "siren"]
        lastRaisedAt = time
    }
}
