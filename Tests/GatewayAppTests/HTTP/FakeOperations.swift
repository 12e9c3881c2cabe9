import ControlAPI
import Foundation
import IncidentCore
import IncidentStore
import Synchronization
import TerminalModel

@testable import GatewayApp

/// A gateway in memory: enough to show what the routes ask for and give back.
final class FakeOperations: GatewayOperations {
    struct State {
        var people: [String: PersonCard] = [:]
        var fences: [String: FenceFeature] = [:]
        var terminals: [TerminalID: TerminalView] = [:]
        var incidents: [IncidentDetail] = []
        var commands: [CommandView] = []
        var acts: [String] = []
        var isCommissioned = false
        var failure: String?
    }

    struct Broken: Error {}

    let state: Mutex<State>
    let hub = EventHub()
    static let now = Timestamp(milliseconds: 1_773_454_212_031)

    init() {
        var state = State()
        var incident = IncidentView(
            id: "0123456789ABCDEF", service: "emergency", state: "notified", terminal: "17700000101",
            trust: "verified", causes: ["sos"], openedAt: Self.now)
        incident.position = PositionView(
            latitude: 28.2, longitude: 112.9, accuracyMetres: 12, valid: true, source: "gnss", fixTime: Self.now)
        state.incidents = [
            IncidentDetail(
                incident: incident, person: nil,
                timeline: [TimelineView(at: Self.now, kind: "opened", actor: "17700000101", detail: "sos")],
                evidence: [
                    EvidenceView(
                        at: Self.now, protocolName: "jt808", peer: "127.0.0.1:1", bearer: "tcp", frame: "7e7e",
                        event: .object(["terminal": .string("17700000101")]))
                ])
        ]
        state.terminals[TerminalID(nibbles: 0x1770_0000_101)] = TerminalView(terminal: "17700000101", online: true)
        self.state = Mutex(state)
    }

    func rehearse(_ service: Service, person: String, at time: Timestamp?) async throws -> PolicyTest? {
        guard state.withLock({ $0.people[person] }) != nil else { return nil }
        var test = PolicyTest(person: person, service: service.rawValue, at: time ?? Self.now)
        test.rows = [.init(afterMilliseconds: 0, at: test.at, outcome: "told", target: "care-hub", step: 0)]
        return test
    }

    func testPress(of person: String, minutes: Int?, by actor: Operator) async throws -> TestPressView {
        guard var view = try await testPress(of: person) else { throw Problem.notFound("person \(person)") }
        view.window = minutes.map {
            TestPressView.Window(
                startedBy: actor.id, startedAt: Self.now, until: Self.now.adding(milliseconds: Int64($0) * 60_000),
                pressed: false)
        }
        return view
    }

    func testPress(of person: String) async throws -> TestPressView? {
        state.withLock { state in
            state.people[person].map { TestPressView(person: $0.id, personName: $0.name, due: true) }
        }
    }

    func testPresses(_ query: TestPressQuery) async throws -> TestPressPage {
        let people = state.withLock { $0.people.values.sorted { $0.id < $1.id } }
        return TestPressPage(
            people: people.prefix(query.limit).map { TestPressView(person: $0.id, personName: $0.name, due: true) },
            next: nil)
    }

    func care(_ query: CareFilter) async throws -> CarePage { CarePage(reminders: []) }

    func report(from: Timestamp?, to: Timestamp?) async throws -> SupervisionReport {
        SupervisionReport(from: from ?? Self.now, to: to ?? Self.now, services: [])
    }

    func status() async throws -> GatewayStatus {
        if state.withLock({ $0.failure }) != nil { throw Broken() }
        return GatewayStatus(name: "test", version: "0", startedAt: Self.now, now: Self.now)
    }

    func metrics() async throws -> String { "yidiantong_build_info{version=\"0\"} 1\n" }
    func devices() async throws -> DeviceList {
        var ours = DeviceView(
            identity: "1a86:7523:A1#0", state: "open", reason: "frames come", since: Self.now)
        ours.rule = "pagers"
        ours.node = "/dev/ttyUSB0"
        ours.counts = ["found": 1, "open": 1]
        ours.firstFrameMilliseconds = 31
        var position = GatewayPositionView(state: "fix", reason: "a fix", since: Self.now, clock: "ok")
        position.position = PositionView(
            latitude: 28.23, longitude: 112.94, accuracyMetres: 5, valid: true, source: "gateway", fixTime: Self.now)
        position.clockOffsetMilliseconds = -12
        return DeviceList(
            devices: [
                ours,
                DeviceView(
                    identity: "1a86:7523@1-2:1.0", state: "not_ours", reason: "no rule names it", since: Self.now),
            ], missing: ["cradle"], position: position)
    }

    func events() async -> AsyncStream<ServerEvent> { hub.watch() }

    func terminals(_ query: TerminalQuery) async throws -> TerminalPage {
        let all = state.withLock { $0.terminals.sorted { $0.key < $1.key } }
        let rest = all.filter { entry in query.after.map { entry.key > $0 } ?? true }
        return TerminalPage(
            terminals: rest.prefix(query.limit).map(\.value),
            next: rest.count > query.limit ? rest[query.limit - 1].key.description : nil)
    }

    func terminal(_ id: TerminalID) async throws -> TerminalView? { state.withLock { $0.terminals[id] } }

    func track(_ id: TerminalID, from: Timestamp, to: Timestamp, limit: Int) async throws -> Track {
        Track(
            terminal: id.description,
            points: [TrackPoint(at: Self.now, latitude: 28.2, longitude: 112.9, valid: true)], truncated: false)
    }

    func assign(_ id: TerminalID, _ request: AssignmentRequest, by actor: Operator) async throws -> TerminalView {
        state.withLock { state in
            var view = state.terminals[id] ?? TerminalView(terminal: id.description)
            view.person = request.person
            if let model = request.model { view.model = model }
            state.terminals[id] = view
            return view
        }
    }

    func commands(_ id: TerminalID, limit: Int) async throws -> CommandList {
        CommandList(commands: state.withLock { $0.commands.filter { $0.terminal == id.description } })
    }

    func command(
        _ id: TerminalID, _ command: TerminalCommand, expiresSeconds: Int, by actor: Operator
    ) async throws -> CommandView {
        try state.withLock { state in
            guard state.terminals[id] != nil else { throw Problem.notFound("terminal \(id)") }
            let view = CommandView(
                id: state.commands.count + 1, terminal: id.description, command: command.name, by: actor.id,
                createdAt: Self.now, expiresAt: Self.now.adding(milliseconds: Int64(expiresSeconds) * 1000),
                outcome: "queued", updatedAt: Self.now)
            state.commands.append(view)
            return view
        }
    }

    func incidents(_ query: IncidentQuery) async throws -> IncidentPage {
        let all = state.withLock { $0.incidents.map(\.incident) }
        return IncidentPage(
            incidents: all.filter { incident in query.states.contains { $0.rawValue == incident.state } }, next: nil)
    }

    func incident(_ id: IncidentID) async throws -> IncidentDetail? {
        state.withLock { $0.incidents.first { $0.incident.id == id.description } }
    }

    func act(_ action: OperatorAction, on id: IncidentID, by actor: Operator) async throws -> IncidentView {
        try state.withLock { state in
            guard let index = state.incidents.firstIndex(where: { $0.incident.id == id.description }) else {
                throw Problem.notFound("incident \(id)")
            }
            state.acts.append("\(actor.id) \(actor.unixUser) \(action)")
            if case .acknowledge = action {
                guard state.incidents[index].incident.state != "acknowledged" else {
                    throw Problem.conflict("The incident is acknowledged already.", found: "acknowledged")
                }
                state.incidents[index].incident.state = "acknowledged"
            }
            return state.incidents[index].incident
        }
    }

    func people(after: String?, limit: Int) async throws -> PersonPage {
        let rest = state.withLock { $0.people.values.sorted { $0.id < $1.id } }.filter { $0.id > after ?? "" }
        return PersonPage(people: Array(rest.prefix(limit)), next: rest.count > limit ? rest[limit - 1].id : nil)
    }

    func person(_ id: String) async throws -> PersonCard? { state.withLock { $0.people[id] } }

    func store(people: [Person], assignments: [TerminalAssignment], by actor: Operator) async throws {
        state.withLock { state in
            for person in people { state.people[person.id] = PersonCard(person) }
            for assignment in assignments {
                state.terminals[assignment.terminal] = TerminalView(
                    terminal: assignment.terminal.description, person: assignment.person, model: assignment.model)
            }
        }
    }

    func deletePerson(_ id: String, by actor: Operator) async throws -> Bool {
        state.withLock { $0.people.removeValue(forKey: id) != nil }
    }

    func fences() async throws -> [FenceFeature] {
        state.withLock { $0.fences.values.sorted { ($0.id ?? "") < ($1.id ?? "") } }
    }

    func fence(_ id: String) async throws -> FenceFeature? { state.withLock { $0.fences[id] } }

    func fault(of fence: FenceFeature) async -> String? {
        if case .point = fence.geometry, fence.properties.radiusMetres == nil { return "a point without radius_m" }
        return nil
    }

    func store(fences: [FenceFeature], by actor: Operator) async throws {
        state.withLock { state in
            for fence in fences { state.fences[fence.id ?? ""] = fence }
        }
    }

    func deleteFence(_ id: String, by actor: Operator) async throws -> Bool {
        state.withLock { $0.fences.removeValue(forKey: id) != nil }
    }

    func backup(by actor: Operator) async throws -> BackupReport { BackupReport(directory: "/var/backup") }

    func testSiren(by actor: Operator) async throws -> SirenTestReport {
        state.withLock { $0.acts.append("\(actor.id) siren test") }
        return SirenTestReport(at: Self.now, outputs: ["alsa default"], failures: [])
    }

    func drill(minutes: Int?, group: String?, by actor: Operator) async throws -> DrillReport {
        let now = Timestamp(seconds: 1_773_454_212)
        return DrillReport(
            drill: minutes.map {
                DrillView(
                    startedBy: actor.id, startedAt: now, until: now.adding(milliseconds: Int64($0) * 60_000),
                    group: group)
            })
    }

    func commission(_ isCommissioned: Bool, reason: String, by actor: Operator) async throws -> CommissionReport {
        state.withLock { $0.isCommissioned = isCommissioned }
        return CommissionReport(commissioned: isCommissioned)
    }
}
