import EscalationChannels
import Foundation
import GatewayTelemetry
import Glibc
import Logging
import Metrics
import ServiceLifecycle
import UnixSignals

/// The process around the gateway: arguments in, exit code out.
public enum Daemon {
    /// The exit code for a configuration with faults. Source: sysexits.h, `EX_CONFIG`.
    public static let configurationFault: Int32 = 78

    /// Runs the gateway until it is told to end.
    ///
    /// - Parameters:
    ///   - configurationPath: nil for the built-in configuration.
    ///   - isCheckOnly: Only checks the configuration, with the files that it names.
    /// - Returns: 0, 1 or `configurationFault`.
    public static func run(configurationPath: String?, isCheckOnly: Bool) async -> Int32 {
        let configuration: GatewayConfiguration
        do {
            configuration = try load(configurationPath)
            if isCheckOnly {
                try await checkParts(configuration, path: configurationPath)
                print("\(configurationPath ?? "The built-in configuration"): no faults")
                return 0
            }
        } catch {
            complain("\(error)")
            return configurationFault
        }
        let inherited = InheritedSockets.take()
        // Databases hold people's lives: the group may read them, others nothing.
        umask(0o027)
        let level = Logger.Level(rawValue: configuration.gateway.logLevel.rawValue) ?? .info
        LoggingSystem.bootstrap { label in
            var handler = StandardErrorLogHandler(label: label)
            // Libraries tell what is for us to tell.
            handler.logLevel = label == "yidiantong" ? level : max(level, .warning)
            return handler
        }
        let registry = PrometheusRegistry()
        MetricsSystem.bootstrap(registry)
        let logger = Logger(label: "yidiantong")
        do {
            let gateway = try Gateway(
                configuration, configurationPath: configurationPath, registry: registry, inherited: inherited,
                logger: logger)
            for name in inherited.unused {
                logger.error(
                    "A socket of the service manager is of no use; FileDescriptorName=listener names those for terminals",
                    metadata: .keyed([
                        .errorCode: "\(ErrorCode.listenerFailed.rawValue)", .errorDetail: "\(name)",
                    ]))
            }
            logger.notice(
                "Gateway starts",
                metadata: .keyed([
                    .version: "\(GatewayVersion.current)", .configFile: "\(configurationPath ?? "built-in")",
                ]))
            if configuration.targets.isEmpty {
                logger.warning("No target is configured: alarms are stored and shown, and nobody else hears of them")
            }
            let group = ServiceGroup(
                configuration: .init(
                    services: [gateway], gracefulShutdownSignals: [.sigterm, .sigint], logger: Logger(label: "services")
                ))
            try await group.run()
            logger.notice("Gateway ended")
            return 0
        } catch {
            logger.critical("Gateway cannot go on", metadata: .keyed([.errorDetail: "\(error)"]))
            return 1
        }
    }

    /// Without a file, state and socket go where the service manager or the user's session says.
    private static func load(_ path: String?) throws -> GatewayConfiguration {
        if let path { return try GatewayConfiguration.load(path: path) }
        var configuration = try GatewayConfiguration.parse(GatewayConfiguration.builtIn, file: "built-in configuration")
        let environment = ProcessInfo.processInfo.environment
        if let directory = environment["STATE_DIRECTORY"] {
            configuration.gateway.stateDirectory = directory
        } else if getuid() != 0 {
            configuration.gateway.stateDirectory = NSHomeDirectory() + "/.local/state/yidiantong"
        }
        if let directory = environment["RUNTIME_DIRECTORY"] {
            configuration.gateway.socketPath = directory + "/status.sock"
        } else if getuid() != 0, let directory = environment["XDG_RUNTIME_DIR"] {
            configuration.gateway.socketPath = directory + "/yidiantong/status.sock"
        }
        return configuration
    }

    /// What only the parts can judge: secrets that are none, certificates that cannot be read.
    private static func checkParts(_ configuration: GatewayConfiguration, path: String?) async throws {
        let channels = try ChannelSet(
            configuration, path: path, keeping: ChannelSet(), logger: Logger(label: "check"))
        for channel in channels.all { await channel.shutdown() }
        _ = try TLSIdentities(configuration, path: path, keeping: TLSIdentities())
    }

    private static func complain(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
