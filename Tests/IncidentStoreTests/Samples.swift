import Foundation
import Geofencing
import IncidentCore
import IncidentStore
import TerminalModel

/// A directory of its own for one test, removed at the end.
final class TemporaryDirectory {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/store-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }

    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }
}

enum Sample {
    static let noon = Timestamp(milliseconds: 1_773_489_600_000)
    static let terminal = TerminalID(nibbles: 0x1770_0000_101)

    static func later(_ seconds: Int64) -> Timestamp { noon.adding(milliseconds: seconds * 1000) }

    static func incident(_ number: UInt64 = 1, person: String? = "p1", openedAt: Timestamp = noon) -> Incident {
        var incident = Incident(
            id: IncidentID(rawValue: number), service: .emergency, terminal: terminal, person: person,
            trust: .verified, causes: ["sos"], openedAt: openedAt)
        incident.position = IncidentPosition(
            latitudeDegrees: 28.2, longitudeDegrees: 112.9, accuracyMetres: 12, valid: true, source: .gnss,
            fixTime: openedAt)
        incident.lastEventNumber = 1
        return incident
    }

    static func opening(_ incident: Incident, targets: [String] = ["dispatch", "hub"]) -> IncidentChange {
        IncidentChange(
            incident: incident,
            entries: [TimelineEntry(at: incident.openedAt, kind: .opened, actor: "terminal", detail: "sos")],
            evidence: Evidence(
                at: incident.openedAt, protocolName: .jt808, peer: "127.0.0.1:7", bearer: .tcp, frame: [0x7E, 2, 0x7E],
                event: "{}"),
            deliveries: [
                .init(
                    notice: Notice(kind: .opened, at: incident.openedAt, incident: incident, person: person()),
                    targets: targets)
            ])
    }

    static func fence(_ id: String = "home") throws -> FenceRecord {
        let fence = try Fence(
            id: id, name: "Home",
            shape: .circle(centre: Coordinate(latitudeDegrees: 28.2, longitudeDegrees: 112.9), radiusMetres: 50),
            rule: .outsideForbidden, datum: .gcj02, scope: .persons(["p1"]))
        return FenceRecord(
            plan: FencePlan(fence), json: String(decoding: try JSONEncoder().encode(fence), as: UTF8.self))
    }

    static func terminals(_ store: IncidentStore) throws -> [TerminalRecord] {
        var records: [TerminalRecord] = []
        let unreadable = try store.forEachTerminal { records.append($0) }
        return unreadable.isEmpty ? records : []
    }

    static func fenceStates(_ store: IncidentStore) throws -> [FenceStateRecord] {
        var records: [FenceStateRecord] = []
        try store.forEachFenceState { records.append($0) }
        return records
    }

    static func person(_ id: String = "p1") -> Person {
        var person = Person(id: id, name: "Sample")
        person.contacts = [Contact(name: "Daughter", phone: "13800000000", isGuardian: true)]
        return person
    }

    static func point(
        _ seconds: Int64, terminal: TerminalID = terminal, latitude: Double? = 28.1234567
    ) -> TrackPoint {
        TrackPoint(
            terminal: terminal, received: later(seconds), deviceTime: later(seconds - 1), sequence: Int(seconds),
            historical: false,
            position: Position(
                valid: true, latitudeDegrees: latitude, longitudeDegrees: -112.7654321, altitudeMetres: -3,
                speedKilometresPerHour: 4.5, courseDegrees: 359, satellites: 11, hdop: 1.2, accuracyMetres: 8,
                source: .wifi), alarms: [AlarmSet(.sos)], batteryPercent: 83)
    }
}

/// Makes commits fail while a test wants it.
final class FaultSwitch: Sendable {
    private let failing = Locked(false)

    var isOn: Bool {
        get { failing.value }
        set { failing.value = newValue }
    }

    var willCommit: @Sendable () throws -> Void {
        { [self] in if isOn { throw StoreError(.inputOutput, "injected") } }
    }
}

final class Locked<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var stored: Value

    init(_ value: Value) { stored = value }

    var value: Value {
        get { lock.withLock { stored } }
        set { lock.withLock { stored = newValue } }
    }
}
