import AlarmPipeline
import ControlAPI
import GatewayTelemetry
import IncidentCore
import IncidentStore
import Logging
import Metrics
import Synchronization
import TerminalModel
import TerminalTransport

/// What is known of the gateway as a whole, for the status page, the metrics and the watchdog.
final class GatewayHealth: Sendable {
    private struct State {
        var isReady = false
        var isCommissioned = false
        var drill: Drill?
        var configurationFault: GatewayStatus.Fault?
        var certificates: [ShownCertificate] = []
        var stalledThreads: [String] = []
        var stalledSince: Timestamp?
        /// Threads that wait for a disk which hangs.
        var threadsAtTheDisk: [String] = []
        var atTheDiskSince: Timestamp?
        var targetFailures: [String: Timestamp] = [:]
    }

    let name: String
    let startedAt: Timestamp
    let logger: Logger
    let transport: TerminalTransport
    let devices: DeviceKeeper
    let position: PositionKeeper
    private let state = Mutex(State())

    init(
        name: String, startedAt: Timestamp, logger: Logger, transport: TerminalTransport, devices: DeviceKeeper,
        position: PositionKeeper
    ) {
        self.name = name
        self.startedAt = startedAt
        self.logger = logger
        self.transport = transport
        self.devices = devices
        self.position = position
        GatewayMetric.startTime.gauge().set(Double(startedAt.milliseconds) / 1000)
        GatewayMetric.buildInfo.gauge(GatewayVersion.current).set(1)
    }

    func setReady(_ isReady: Bool) { state.withLock { $0.isReady = isReady } }
    func setCommissioned(_ isCommissioned: Bool) { state.withLock { $0.isCommissioned = isCommissioned } }

    func setDrill(_ drill: Drill?) { state.withLock { $0.drill = drill } }

    func setConfigurationFault(_ detail: String?, at now: Timestamp) {
        state.withLock { state in
            state.configurationFault = detail.map {
                .init(code: ErrorCode.configInvalid.rawValue, detail: $0, since: now)
            }
        }
    }

    func setCertificates(_ certificates: [ShownCertificate]) {
        state.withLock { $0.certificates = certificates }
    }

    func setStalled(_ threads: [String], atTheDisk: [String], at now: Timestamp) {
        state.withLock { state in
            if state.stalledThreads.isEmpty, !threads.isEmpty { state.stalledSince = now }
            state.stalledThreads = threads
            if state.threadsAtTheDisk.isEmpty, !atTheDisk.isEmpty { state.atTheDiskSince = now }
            state.threadsAtTheDisk = atTheDisk
        }
    }

    func status(
        pipeline: AlarmPipeline, directory: TerminalDirectory, registry: PrometheusRegistry, now: Timestamp
    ) throws -> GatewayStatus {
        let health = pipeline.health
        let current = state.withLock { $0 }
        var status = GatewayStatus(name: name, version: GatewayVersion.current, startedAt: startedAt, now: now)
        status.ready = current.isReady
        status.commissioned = current.isCommissioned
        status.drill = current.drill.flatMap { $0.isOn(at: now) ? DrillView($0) : nil }
        status.terminalsKnown = directory.count
        status.terminalsOnline = max(0, Int(registry.total(GatewayMetric.terminalsConnected.definition.name)))
        status.incidents = ["open": health.openIncidents, "unacknowledged": health.unacknowledgedIncidents]
        status.notDurable = health.incidentFailure?.pending ?? 0
        status.outboxPending = health.targets.reduce(0) { $0 + $1.waiting + $1.inFlight }
        status.faults = faults(health, current, now: now)
        status.healthy =
            health.incidentFailure == nil && health.trackFailure == nil && health.messageFailure == nil
            && current.stalledThreads.isEmpty && current.threadsAtTheDisk.isEmpty
            && health.targets.allSatisfy { $0.hasChannel || $0.waiting == 0 }
        return status
    }

    private func faults(_ health: PipelineHealth, _ current: State, now: Timestamp) -> [GatewayStatus.Fault] {
        var faults: [GatewayStatus.Fault] = []
        func add(_ code: ErrorCode, _ detail: String, _ since: Timestamp) {
            faults.append(.init(code: code.rawValue, detail: detail, since: since))
        }
        for (name, failure) in [
            ("incidents", health.incidentFailure), ("positions", health.trackFailure),
            ("messages", health.messageFailure),
        ] {
            guard let failure else { continue }
            let code: ErrorCode = failure.code == .diskFull ? .storeFull : .storeCommitFailed
            add(
                code, "\(code.explanation) Writing \(name) fails: \(failure.message). \(failure.pending) wait.",
                failure.since)
        }
        if let space = health.space, space.level != .enough {
            add(.storeLow, "\(ErrorCode.storeLow.explanation) \(space.free >> 20) MiB are free.", space.since)
        }
        for file in health.setAside {
            add(
                .storeDamaged, "\(file.original) was damaged and is kept as \(file.keptAs): \(file.reason).", startedAt)
        }
        for target in health.targets where !target.hasChannel && target.waiting > 0 {
            add(
                .channelUnknown, "\(target.waiting) notices wait for \"\(target.target)\", which is not configured.",
                now)
        }
        for target in health.targets where target.hasChannel && target.failuresInARow > 0 {
            let last = target.lastFailure ?? "no answer"
            add(
                .channelUnreachable,
                "\(target.failuresInARow) attempts in a row failed at \"\(target.target)\": \(last).",
                target.lastAcceptedAt ?? startedAt)
        }
        faults += devices.faults
        if let fault = position.fault { faults.append(fault) }
        if health.unheardEmergencies > 0 {
            add(
                .noChannelWorks,
                "\(ErrorCode.noChannelWorks.explanation) \(health.unheardEmergencies) incidents wait for the first target.",
                health.unheardSince ?? now)
        }
        for certificate in current.certificates {
            if let fault = certificate.fault(at: now) { add(.certificateExpires, fault, startedAt) }
        }
        if !current.stalledThreads.isEmpty {
            add(
                .internalFault, "These threads do not turn: \(current.stalledThreads.joined(separator: ", ")).",
                current.stalledSince ?? now)
        }
        if !current.threadsAtTheDisk.isEmpty {
            add(
                .storeHangs,
                "\(ErrorCode.storeHangs.explanation) \(current.threadsAtTheDisk.joined(separator: ", ")) wait for it.",
                current.atTheDiskSince ?? now)
        }
        if let fault = current.configurationFault { faults.append(fault) }
        return faults
    }

    func updateGauges(pipeline: AlarmPipeline) {
        transport.updateMetrics()
        devices.updateMetrics()
        position.updateMetrics()
        let health = pipeline.health
        for target in health.targets {
            GatewayMetric.outboxPending.gauge(target.target).set(Double(target.waiting + target.inFlight))
        }
        for service in Service.allCases {
            let counts = health.incidents[service] ?? IncidentCounts()
            GatewayMetric.incidentsOpen.gauge(service.rawValue).set(Double(counts.open))
            GatewayMetric.incidentsUnacknowledged.gauge(service.rawValue).set(Double(counts.unacknowledged))
        }
        GatewayMetric.incidentsNotDurable.gauge().set(Double(health.incidentFailure?.incidents ?? 0))
        var depths = ["outbox": health.targets.reduce(0) { $0 + $1.waiting + $1.inFlight }]
        for queue in health.queues {
            let stage =
                switch queue.name {
                case "ingest_alarms", "ingest_positions": "ingest"
                case "commit", "tracks", "messages": "writes"
                default: queue.name
                }
            depths[stage, default: 0] += queue.depth
        }
        for (stage, depth) in depths { GatewayMetric.queueDepth.gauge(stage).set(Double(depth)) }
    }
}

/// The version of this gateway, as on every interface.
public enum GatewayVersion {
    public static let current = "0.1.0"
}
