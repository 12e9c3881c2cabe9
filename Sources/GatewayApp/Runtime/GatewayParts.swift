import AlarmFormats
import AlarmPipeline
import Crypto
import EscalationChannels
import Foundation
import GatewayTelemetry
import Logging
import Reactor
import TerminalModel
import TerminalSession
import TerminalTransport

/// Hands what reactor threads have gathered to the pipeline.
struct PipelineSink: ReportSink {
    let pipeline: AlarmPipeline

    func ingest(_ items: [IngestItem]) -> Int { pipeline.ingest(items) }
}

/// Turns the configuration into the settings of each part.
extension GatewayConfiguration {
    /// - Parameter packages: after a reload that of before, since connections that exist still count on it.
    func sessionEnvironment(
        _ directory: TerminalDirectory, panelKeys: DC09KeyTable, packages: PackageBudget = PackageBudget()
    ) -> SessionEnvironment {
        var limits = SessionLimits()
        limits.firstFrameMilliseconds = Int64(sessions.firstFrameSeconds) * 1000
        limits.frameCompletionMilliseconds = Int64(sessions.frameCompletionSeconds) * 1000
        limits.idleMilliseconds = Int64(sessions.idleSeconds) * 1000
        limits.commandTimeoutMilliseconds = Int64(sessions.commandTimeoutSeconds) * 1000
        limits.commandRetries = sessions.commandRetries
        let profiles = modelProfiles
        return SessionEnvironment(
            directory: directory,
            unknownTerminals: UnknownTerminalPolicy(rawValue: sessions.unknownTerminals.rawValue) ?? .quarantine,
            limits: limits, packages: packages, makeAuthCode: AuthCode.make, digest: AuthCode.digest,
            modelProfile: { profiles[$0] ?? ModelProfile(name: $0) }, panelCipher: { panelKeys.cipher(of: $0) })
    }

    func terminalListeners(_ identities: TLSIdentities) throws -> [TerminalListener] {
        try listeners.map { listener in
            guard let address = SocketAddress(listener.address.host, port: UInt16(clamping: listener.address.port))
            else { throw GatewayStartError(description: "\(listener.address) is no address to listen on") }
            return TerminalListener(
                address: address, transport: listener.transport == .tcp ? .tcp : .udp, protocols: listener.protocols,
                filterSource: listener.tls == nil ? nil : identities[listener.address],
                isCaptured: listener.isCaptured)
        }
    }

    var reactorLimits: Reactor.ReactorLimits {
        var limits = Reactor.ReactorLimits()
        limits.maximumConnections = reactor.maximumConnections
        limits.maximumConnectionsPerPeer = reactor.maximumConnectionsPerAddress
        return limits
    }

    func transportConfiguration(
        _ identities: TLSIdentities, inherited: InheritedSockets
    ) throws -> TransportConfiguration {
        let threads = reactor.threads == 0 ? ProcessInfo.processInfo.activeProcessorCount : reactor.threads
        var transport = TransportConfiguration(
            listeners: try terminalListeners(identities), threads: threads, limits: reactorLimits,
            inherited: inherited.descriptors)
        transport.capture = captureSettings
        transport.maximumDatagramPeers = max(1, reactor.maximumConnections / max(1, threads))
        return transport
    }

    func pipelineConfiguration(bootID: String) -> PipelineConfiguration {
        var configuration = PipelineConfiguration(
            rules: incidentRules(isCommissioned: false), bootID: bootID)
        configuration.positionPolicy = PositionPolicy(rawValue: store.positionAcknowledgement.rawValue) ?? .stored
        configuration.positionWindowMilliseconds = store.groupCommitMilliseconds
        return configuration
    }
}

extension GatewayConfiguration.Target {
    var webhookTarget: WebhookTarget {
        WebhookTarget(
            name: name, url: url, secretFiles: secretFiles, certificateAuthorityFile: certificateAuthorityFile,
            allowedAddresses: allowedAddresses.compactMap { AddressRange($0) },
            allowsPlainHTTP: url.hasPrefix("http:"), audience: audience, isEmergencyService: isEmergencyService)
    }
}

/// Authentication codes of terminals: random, and kept only as digests.
enum AuthCode {
    /// 16 characters out of 32 are 80 random bits, and short enough for every edition's code field.
    @Sendable static func make() -> String {
        let alphabet = Array("ABCDEFGHJKLMNPQRSTUVWXYZ23456789".utf8)
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<16).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Sendable static func digest(_ code: String) -> [UInt8] {
        Array(SHA256.hash(data: Data(code.utf8)))
    }
}

/// Why the gateway does not start, in one sentence.
public struct GatewayStartError: Error, Sendable, Equatable, CustomStringConvertible {
    public var description: String
}

extension GatewayStartError {
    /// `FILE:LINE: target[0].secret_files: MESSAGE`, like every other fault of the configuration.
    init(_ fault: ChannelConfigurationError, _ configuration: GatewayConfiguration, path: String?) {
        guard let index = configuration.targets.firstIndex(where: { $0.name == fault.target }) else {
            self.init(description: "\(fault)")
            return
        }
        self.init("target[\(index)].\(fault.key)", fault.message, path: path)
    }

    /// `place` is a key path such as `target[0].url`.
    init(_ place: String, _ message: String, path: String?) {
        guard let path, let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            self.init(description: "\(place): \(message)")
            return
        }
        let line = TOMLLineIndex(text).line(of: place).map { ":\($0)" } ?? ""
        self.init(description: "\(path)\(line): \(place): \(message)")
    }
}

enum Machine {
    /// The kernel's name of this boot; another one means that monotonic deadlines of before mean nothing.
    static var bootID: String {
        let text = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        return text?.trimmingCharacters(in: .whitespacesAndNewlines) ?? UUID().uuidString
    }
}

/// The channels in force, kept over reloads when their target stayed the same.
struct ChannelSet: Sendable {
    private(set) var channels: [String: (target: GatewayConfiguration.Target, channel: WebhookChannel)] = [:]

    var all: [WebhookChannel] { channels.values.map(\.channel) }

    init() {}

    /// Makes the channels of a configuration. A target that did not change keeps its channel, whose secrets are read
    /// again; throws without any change in force when one cannot be made, with the place in the file at `path`.
    init(_ configuration: GatewayConfiguration, path: String?, keeping old: ChannelSet, logger: Logger) throws {
        var made: [WebhookChannel] = []
        do {
            for target in configuration.targets {
                if let known = old.channels[target.name], known.target == target {
                    try known.channel.reloadSecrets()
                    channels[target.name] = known
                } else {
                    let channel = try WebhookChannel(
                        target.webhookTarget, gateway: configuration.gateway.name, logger: logger)
                    made.append(channel)
                    channels[target.name] = (target, channel)
                }
            }
        } catch {
            // The client of a channel may be released only after its shutdown.
            for channel in made { Task { await channel.shutdown() } }
            throw GatewayStartError(error, configuration, path: path)
        }
    }

    /// Channels of this set that the other one has no more.
    func dropped(by new: ChannelSet) -> [WebhookChannel] {
        channels.values.map(\.channel).filter { channel in !new.channels.values.contains { $0.channel === channel } }
    }

    var beats: [HeartbeatSender.Beat] {
        channels.values.filter { $0.target.heartbeatSeconds > 0 }.map {
            HeartbeatSender.Beat(channel: $0.channel, intervalMilliseconds: $0.target.heartbeatSeconds * 1000)
        }
    }
}
