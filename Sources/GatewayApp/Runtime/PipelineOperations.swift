import AlarmPipeline
import ControlAPI
import Foundation
import GatewayTelemetry
import Geofencing
import IncidentCore
import IncidentStore
import Logging
import Synchronization
import TerminalModel

/// The routes' gateway: the pipeline and its stores.
struct PipelineOperations: GatewayOperations {
    /// More watchers of events than any site has screens.
    static let maximumWatchers = 64

    let pipeline: AlarmPipeline
    let directory: TerminalDirectory
    let registry: PrometheusRegistry
    let health: GatewayHealth
    let clock: any PipelineClock
    /// Absolute path under which copies of the databases are made.
    let backupDirectory: String
    /// Models whose terminals are listed as known by their id alone, as the configuration says now.
    let trustedModels: @Sendable () -> Set<String>
    private let sirenTest: SirenTest
    private let watchers = WatcherCount()

    init(
        pipeline: AlarmPipeline, directory: TerminalDirectory, registry: PrometheusRegistry, health: GatewayHealth,
        clock: any PipelineClock, backupDirectory: String, sirenTest: SirenTest,
        trustedModels: @escaping @Sendable () -> Set<String>
    ) {
        self.pipeline = pipeline
        self.directory = directory
        self.registry = registry
        self.health = health
        self.clock = clock
        self.backupDirectory = backupDirectory
        self.sirenTest = sirenTest
        self.trustedModels = trustedModels
    }

    func status() async throws -> GatewayStatus {
        try health.status(pipeline: pipeline, directory: directory, registry: registry, now: clock.now().wall)
    }

    func metrics() async throws -> String {
        health.updateGauges(pipeline: pipeline)
        return registry.exposition()
    }

    func devices() async throws -> DeviceList {
        var list = health.devices.list
        list.position = health.position.view
        return list
    }

    func events() async throws -> AsyncStream<ServerEvent> {
        guard watchers.enter() else {
            throw Problem.conflict(
                "Too many watch the events already.", allowed: "\(Self.maximumWatchers) connections at once")
        }
        return EventFeed.stream(pipeline.subscribe()) { watchers.leave() }
    }

    func backup(by actor: Operator) async throws -> BackupReport {
        let stamp = clock.now().wall.description.filter { $0.isNumber || $0 == "T" }
        let directory = "\(backupDirectory)/\(stamp)"
        let pipeline = pipeline
        try await answering {
            try await onThread { [backupDirectory] in
                let files = FileManager.default
                try files.createDirectory(atPath: backupDirectory, withIntermediateDirectories: true)
                try files.createDirectory(
                    atPath: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o750])
                do {
                    try pipeline.store.backUp(to: directory)
                    try pipeline.tracks.backUp(to: directory)
                } catch {
                    // Half a copy must not keep a full disk full: alarms need the room.
                    try? files.removeItem(atPath: directory)
                    throw error
                }
            }
        }
        health.logger.notice(
            "Backup made", metadata: .keyed([.operatorID: "\(actor.id)", .storeFile: "\(directory)"]))
        return BackupReport(directory: directory)
    }

    func drill(minutes: Int?, group: String?, by actor: Operator) async throws -> DrillReport {
        let now = clock.now().wall
        let drill = minutes.map {
            Drill(
                startedAt: now, startedBy: actor.id, until: now.adding(milliseconds: Int64($0) * 60_000), group: group)
        }
        try await answering { try await pipeline.setDrill(drill, by: actor) }
        health.setDrill(drill)
        health.logger.notice(
            drill == nil ? "The drill has ended" : "A drill has begun: what it opens reaches no emergency service",
            metadata: .keyed([.operatorID: "\(actor.id)", .operatorUser: "\(actor.unixUser)"]))
        return DrillReport(drill: drill.map(DrillView.init))
    }

    func testSiren(by actor: Operator) async throws -> SirenTestReport {
        let report = try await sirenTest.run()
        health.logger.notice(
            "The siren was tested",
            metadata: .keyed([
                .operatorID: "\(actor.id)", .operatorUser: "\(actor.unixUser)",
                .errorDetail: "\(report.failures.joined(separator: "; "))",
            ]))
        return report
    }

    func commission(_ isCommissioned: Bool, reason: String, by actor: Operator) async throws -> CommissionReport {
        try await answering { try await pipeline.setCommissioned(isCommissioned, reason: reason, by: actor) }
        health.setCommissioned(isCommissioned)
        health.logger.critical(
            isCommissioned
                ? "The site was commissioned: emergency services may be alarmed"
                : "The site was taken out of service: no emergency service is alarmed",
            metadata: .keyed([.operatorID: "\(actor.id)", .operatorUser: "\(actor.unixUser)"]))
        return CommissionReport(commissioned: isCommissioned)
    }
}

extension DrillView {
    init(_ drill: Drill) {
        self.init(startedBy: drill.startedBy, startedAt: drill.startedAt, until: drill.until, group: drill.group)
    }
}

/// How many follow the events now.
private final class WatcherCount: Sendable {
    private let count = Mutex(0)

    func enter() -> Bool {
        count.withLock { count in
            guard count < PipelineOperations.maximumWatchers else { return false }
            count += 1
            return true
        }
    }

    func leave() { count.withLock { $0 -= 1 } }
}

/// Runs slow work with files on a thread of its own, so that requests and notices go on.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread { continuation.resume(with: Result { try body() }) }.start()
    }
}

/// Turns what the pipeline throws into what the status socket answers.
func answering<Value>(_ body: () async throws -> Value) async throws -> Value {
    do {
        return try await body()
    } catch let error as OperatorError {
        throw Problem(error)
    } catch let error as PipelineError {
        throw Problem(error)
    } catch let error as StoreError {
        throw Problem(error)
    }
}

extension Problem {
    private static func title(_ status: Int) -> String {
        switch status {
        case 400: "Wrong request"
        case 404: "Not found"
        default: "Not possible now"
        }
    }

    init(_ error: OperatorError) {
        let status =
            switch error {
            case .unknownIncident, .unknownPerson: 404
            default: 409
            }
        self.init(
            status: status, title: Self.title(status), code: error.code,
            detail: "It was not done: \(error).")
    }

    init(_ error: PipelineError) {
        let status =
            switch error.code {
            case .numberRefused: 403
            case .notFound: 404
            case .queueFull, .conflict: 409
            case .invalid: 400
            case .notDurable, .notStored, .stopped: 503
            }
        let detail =
            error.code == .notDurable
            ? "It is in force, but not on the disk yet: \(error.message)." : "It was not done: \(error.message)."
        self.init(status: status, title: "Refused", code: error.code.rawValue, detail: detail)
    }

    init(_ error: StoreError) {
        if error.code == .refused {
            self = .conflict("It was not done: \(error.message).")
        } else {
            self.init(
                status: 503, title: "Not possible now", code: "store_read_failed",
                detail: "The store did not answer: \(error.message).", found: error.code.rawValue)
        }
    }
}
