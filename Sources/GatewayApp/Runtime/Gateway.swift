import AlarmFormats
import AlarmPipeline
import ControlAPI
import CoreMetrics
import EscalationChannels
import Foundation
public import GatewayTelemetry
import IncidentStore
public import Logging
import Reactor
public import ServiceLifecycle
import SirenLatch
import Synchronization
import TerminalModel
import TerminalTransport

/// The whole gateway: from sockets to channels, as one service. It runs inside a test as well as in the daemon.
///
/// Parts start in the order of their need and stop in reverse: stores, pipeline, channels, status socket, terminals last.
public final class Gateway: Service {
    /// Shared with the routes, which ask what the configuration says now.
    private final class SharedState: Sendable {
        private let state: Mutex<State>

        init(_ state: State) {
            self.state = Mutex(state)
        }

        func withLock<Value: Sendable>(_ body: (inout sending State) -> sending Value) -> Value {
            state.withLock { body(&$0) }
        }
    }

    private struct State: Sendable {
        var configuration: GatewayConfiguration
        var channels: ChannelSet
        var identities: TLSIdentities
        var heartbeat: Task<Void, Never>?
        var terminalAddresses: [String] = []
    }

    private let configurationPath: String?
    private let logger: Logger
    private let clock = SystemClock()
    private let lock: StateDirectoryLock
    private let store: IncidentStore
    private let tracks: TrackStore
    private let directory = TerminalDirectory()
    private let transport: TerminalTransport
    private let pipeline: AlarmPipeline
    private let registry: PrometheusRegistry
    private let devices: DeviceKeeper
    private let position: PositionKeeper
    private let health: GatewayHealth
    private let manager: ServiceManager
    private let operations: PipelineOperations
    private let siren: SirenKeeper
    private let state: SharedState
    /// Ends when terminals are answered.
    private let beforeServing = AsyncStream.makeStream(of: Void.self)

    /// Opens the stores and restores what the last run left; nothing is read from terminals and nothing is sent yet.
    ///
    /// - Parameters:
    ///   - configurationPath: Read again on `reload()`; nil when there is no file.
    ///   - registry: What `/metrics` shows; the process's metrics system should feed it.
    ///   - inherited: Ports that a service manager has opened.
    /// - Throws: what is wrong with the state directory, the stores, the targets or their secrets.
    public init(
        _ configuration: GatewayConfiguration, configurationPath: String?, registry: PrometheusRegistry,
        inherited: InheritedSockets = InheritedSockets(), logger: Logger
    ) throws {
        self.configurationPath = configurationPath
        self.logger = logger
        self.registry = registry
        manager = ServiceManager()
        let now = clock.now().wall
        let path = configuration.gateway.stateDirectory
        lock = try StateDirectoryLock(path)
        let megabyte = Int64(1 << 20)
        let reserve = DiskReserve(
            directory: path, bytes: Int64(configuration.store.reserveMegabytes) * megabyte,
            warningBytes: Int64(configuration.store.freeSpaceWarningMegabytes) * megabyte, now: now)
        store = try IncidentStore(directory: path, now: now, options: .init(reserve: reserve))
        tracks = try TrackStore(directory: path, now: now)
        registry.declare(GatewayMetric.ConfiguredLabel.channel, values: configuration.targets.map(\.name))
        registry.declare(GatewayMetric.ConfiguredLabel.version, values: [GatewayVersion.current])
        let identities = try TLSIdentities(configuration, path: configurationPath, keeping: TLSIdentities())
        let channels = try ChannelSet(
            configuration, path: configurationPath, keeping: ChannelSet(), logger: logger)
        transport = try TerminalTransport(
            configuration: configuration.transportConfiguration(identities, inherited: inherited),
            environment: configuration.sessionEnvironment(
                directory, panelKeys: try DC09KeyTable(configuration, path: configurationPath)), logger: logger)
        pipeline = try AlarmPipeline(
            configuration: configuration.pipelineConfiguration(bootID: Machine.bootID), store: store, tracks: tracks,
            directory: directory, plane: transport, channels: channels.all, clock: clock, logger: logger)
        state = SharedState(State(configuration: configuration, channels: channels, identities: identities))
        devices = DeviceKeeper(transport: transport, clock: clock, logger: logger)
        position = PositionKeeper(
            configuration.positioning, transport: transport, clock: clock, logger: logger)
        health = GatewayHealth(
            name: configuration.gateway.name, startedAt: now, logger: logger, transport: transport, devices: devices,
            position: position)
        health.setCertificates(identities.certificates)
        siren = SirenKeeper(
            configuration.gateway, pipeline: pipeline, store: store, logger: logger)
        operations = PipelineOperations(
            pipeline: pipeline, directory: directory, registry: registry, health: health, clock: clock,
            backupDirectory: path + "/backups", sirenTest: SirenTest(directory: siren.durable),
            trustedModels: { [state] in state.withLock { $0.configuration.trustedModels } })
    }

    /// Waits until terminals are answered and says where; a configured port 0 has become the port that was given.
    public func serving() async -> [String] {
        for await _ in beforeServing.stream {}
        return terminalAddresses
    }

    /// Where terminals are answered; empty until they are.
    var terminalAddresses: [String] { state.withLock { $0.terminalAddresses } }

    /// Runs until graceful shutdown.
    ///
    /// - Throws: when the status socket or a listener cannot be opened.
    public func run() async throws {
        pipeline.start()
        siren.start()
        health.setCommissioned(try await pipeline.isCommissioned())
        health.setDrill(try await pipeline.drill())
        let (listening, continuation) = AsyncStream.makeStream(of: Void.self)
        let configuration = state.withLock { $0.configuration }
        let socket = StatusSocket(
            path: configuration.gateway.socketPath, operations: operations, logger: logger
        ) { continuation.yield() }
        let services: [any Service] = [
            ClosureService("pipeline") { [self] in
                try await gracefulShutdown()
                siren.stop()
                await pipeline.stop()
                await onThreadIgnoringErrors { [store, tracks] in
                    try store.close()
                    try tracks.close()
                }
                lock.release()
            },
            ClosureService("channels") { [self] in
                startHeartbeat()
                try await gracefulShutdown()
                let (task, channels) = state.withLock { ($0.heartbeat, $0.channels.all) }
                task?.cancel()
                await task?.value
                for channel in channels { await channel.shutdown() }
            },
            ClosureService("retention") { [self] in await removeOld() },
            ClosureService("test presses") { [self] in await countTestPresses() },
            ClosureService("care") { [self] in await careKeeper.run() },
            ClosureService("watchdog") { [self] in await watch() },
            ClosureService("reload") { [self] in await reloadOnHangUp() },
            socket,
            ClosureService("terminals") { [self] in
                // A status socket that cannot be opened ends this stream without a word: then nobody is answered.
                for await _ in listening { return try await serveTerminals() }
            },
        ]
        try await ServiceGroup(configuration: .init(services: services, logger: logger)).run()
    }

    private func serveTerminals() async throws {
        let addresses = try transport.start(sink: PipelineSink(pipeline: pipeline)) { [devices] in
            devices.lineChanged($0, $1)
        }.map(\.description)
        position.start()
        devices.start(state.withLock { $0.configuration.serialLines })
        state.withLock { $0.terminalAddresses = addresses }
        beforeServing.continuation.finish()
        health.setReady(true)
        manager.ready()
        for address in addresses {
            logger.notice("Terminals are answered", metadata: .keyed([.listenerAddress: "\(address)"]))
        }
        try await gracefulShutdown()
        health.setReady(false)
        manager.stopping()
        // Waits for answers that are on their way from the disk, so not on the pool that carries them.
        await onThreadIgnoringErrors { [transport, devices, position] in
            devices.stop()
            position.stop()
            transport.stop()
        }
    }

    // MARK: Reloading

    /// Reads the configuration file again and puts it into force, or keeps what is in force and says why.
    ///
    /// - Throws: `ConfigurationError` or what is wrong with a target or a port; then nothing has changed.
    public func reload() async throws {
        guard let configurationPath else { return }
        let new = try GatewayConfiguration.load(path: configurationPath)
        let panelKeys = try DC09KeyTable(new, path: configurationPath)
        let old = state.withLock { $0 }
        var identities = try TLSIdentities(new, path: configurationPath, keeping: old.identities)
        let channels = try ChannelSet(new, path: configurationPath, keeping: old.channels, logger: logger)
        let addresses: [String]
        do {
            addresses = try transport.replace(listeners: new.terminalListeners(identities)).map(\.description)
        } catch {
            for channel in channels.dropped(by: old.channels) { await channel.shutdown() }
            throw error
        }
        identities.use()
        health.setCertificates(identities.certificates)
        transport.replace(limits: new.reactorLimits)
        devices.replace(new.serialLines)
        try transport.replace(capture: new.captureSettings)
        registry.declare(GatewayMetric.ConfiguredLabel.channel, values: new.targets.map(\.name))
        pipeline.reload(rules: new.incidentRules(isCommissioned: false), channels: channels.all)
        transport.replace(
            environment: new.sessionEnvironment(directory, panelKeys: panelKeys, packages: transport.packages))
        state.withLock {
            $0.configuration = new
            $0.channels = channels
            $0.identities = identities
            $0.terminalAddresses = addresses
        }
        startHeartbeat()
        for channel in old.channels.dropped(by: channels) { await channel.shutdown() }
        for section in new.sectionsThatNeedARestart(comparedWith: old.configuration) {
            logger.warning(
                "A changed section takes effect only after a restart", metadata: .keyed([.configKey: "\(section)"]))
        }
    }

    private var careKeeper: CareKeeper {
        CareKeeper(pipeline: pipeline, clock: clock, logger: logger) { [state] in
            let configuration = state.withLock { $0.configuration }
            return CareKeeper.Plan(
                schedules: configuration.careSchedules, calendar: configuration.calendar,
                utcOffsetMinutes: configuration.rules.utcOffsetMinutes,
                retentionDays: configuration.store.messageRetentionDays)
        }
    }

    private func reloadOnHangUp() async {
        for await _ in await HangUpSignals.sequence().cancelOnGracefulShutdown() {
            manager.reloading()
            do {
                try await reload()
                health.setConfigurationFault(nil, at: clock.now().wall)
                logger.notice("The configuration was read again and is in force")
            } catch {
                health.setConfigurationFault("The old configuration stays in force: \(error)", at: clock.now().wall)
                logger.error(
                    "The configuration has faults; the old one stays in force",
                    metadata: .keyed([.errorCode: "\(ErrorCode.configInvalid.rawValue)", .errorDetail: "\(error)"]))
            }
            manager.ready()
        }
    }

    // MARK: Signs of life

    private func startHeartbeat() {
        let (old, beats, name) = state.withLock { ($0.heartbeat, $0.channels.beats, $0.configuration.gateway.name) }
        old?.cancel()
        let sender = HeartbeatSender(beats, logger: logger) { [pipeline, clock, health] in
            let now = clock.now().wall
            let state = pipeline.health
            return GatewayHeartbeat(
                gateway: name, version: GatewayVersion.current, at: now,
                uptimeSeconds: Int((now.milliseconds - health.startedAt.milliseconds) / 1000),
                openIncidents: state.openIncidents, unacknowledgedIncidents: state.unacknowledgedIncidents,
                storeHealthy: state.incidentFailure == nil && state.trackFailure == nil
                    && state.messageFailure == nil)
        }
        let task = Task { await sender.run() }
        state.withLock { $0.heartbeat = task }
    }

    /// Feeds systemd's watchdog only while every thread of the pipeline and every accept loop has turned since the last
    /// look. A thread turns at least every second, and an idle loop is woken by an empty order. One that waits for the
    /// disk is not missed: a restart would not mend the disk, and would forget what memory holds for it (promise P1).
    private func watch() async {
        let interval = manager.watchdogMicroseconds.map { min(Double($0) / 3_000_000, 10) } ?? 10
        var last = Heartbeats(pipeline.health.liveness, transport)
        while !Task.isShuttingDownGracefully {
            transport.deliver([DownlinkOrder]())
            do {
                try await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(max(interval, 2))) }
            } catch {
                return
            }
            let now = Heartbeats(pipeline.health.liveness, transport)
            let (stalled, atTheDisk) = now.stalled(since: last)
            health.setStalled(stalled, atTheDisk: atTheDisk, at: clock.now().wall)
            if stalled.isEmpty {
                manager.alive()
            } else {
                logger.critical(
                    "Threads stand still; the watchdog is not fed",
                    metadata: .keyed([.errorDetail: "\(stalled.joined(separator: ", "))"]))
            }
            last = now
        }
    }

    /// Deletes positions and messages that are older than the site keeps them, at the start and every hour.
    private func removeOld() async {
        while !Task.isShuttingDownGracefully {
            let kept = state.withLock { $0.configuration.store }
            let now = clock.now().wall
            func ago(_ days: Int) -> Timestamp { now.adding(milliseconds: -Int64(days) * 86_400_000) }
            let oldestDay = TrackDay(ago(kept.trackRetentionDays))
            let oldestMessage = ago(kept.messageRetentionDays)
            await onThreadIgnoringErrors { [tracks, store, logger] in
                for day in try tracks.removeDays(before: oldestDay) {
                    logger.info("Old positions were deleted", metadata: .keyed([.storeFile: "tracks-\(day)"]))
                }
                let count = try store.messages.removeReceived(before: oldestMessage)
                if count > 0 { logger.info("Old messages were deleted", metadata: .keyed([.storeRows: "\(count)"])) }
            }
            do {
                try await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(3600)) }
            } catch {
                return
            }
        }
    }

    /// Keeps the number of people who are due for a test; on a thread of its own, since it looks at all of them.
    private func countTestPresses() async {
        while !Task.isShuttingDownGracefully {
            let days = state.withLock { $0.configuration.rules.testPressDays }
            let before = TestPressDue.before(clock.now().wall, days: days)
            await onThreadIgnoringErrors { [store] in
                let due = try before.map { try store.testsDue(before: $0).due } ?? 0
                GatewayMetric.testPressesDue.gauge().set(Double(due))
            }
            do {
                try await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(60)) }
            } catch {
                return
            }
        }
    }

    private func onThreadIgnoringErrors(_ body: @escaping @Sendable () throws -> Void) async {
        do {
            try await onThread(body)
        } catch {
            logger.error("A file operation failed", metadata: .keyed([.errorDetail: "\(error)"]))
        }
    }
}

/// The turns of all threads at one look.
struct Heartbeats {
    var pipeline: [ThreadLiveness]
    var loops: [(name: String, turns: UInt64)]

    /// The threads that have not turned, apart from those of them that wait for the disk.
    func stalled(since last: Heartbeats) -> (threads: [String], atTheDisk: [String]) {
        let still = zip(pipeline, last.pipeline).filter { $0.turns == $1.turns }.map(\.0)
        let waiting = zip(loops, last.loops).filter { $0.turns == $1.turns }.map(\.0.name)
        return (
            still.filter { !$0.isAtTheDisk }.map(\.thread) + waiting, still.filter(\.isAtTheDisk).map(\.thread)
        )
    }
}

extension Heartbeats {
    fileprivate init(_ pipeline: [ThreadLiveness], _ transport: TerminalTransport) {
        self.init(
            pipeline: pipeline,
            loops: zip(transport.threadNames, transport.counters.map(\.wakeUps)).map { ($0, $1) })
    }
}

/// A service that is one function.
private struct ClosureService: Service, CustomStringConvertible {
    let description: String
    private let body: @Sendable () async throws -> Void

    init(_ name: String, _ body: @escaping @Sendable () async throws -> Void) {
        description = name
        self.body = body
    }

    /// A service that ends by itself would end the gateway, so one that has nothing more to do waits.
    func run() async throws {
        try await body()
        if !Task.isShuttingDownGracefully { try? await gracefulShutdown() }
    }
}
