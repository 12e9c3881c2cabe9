import AlarmFormats
import AlarmPipeline
import EscalationChannels
import Foundation
import GatewayTelemetry
import IncidentCore
import Logging
import TerminalModel
import Testing

/// A new directory that is removed with the value.
final class TemporaryDirectory: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "yidiantong-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    func path(_ name: String) -> String {
        url.appending(path: name).path
    }

    /// Writes a file with these permissions and returns its path.
    func write(_ name: String, _ text: String, mode: Int = 0o600) throws -> String {
        let file = path(name)
        try Data(text.utf8).write(to: URL(filePath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }
}

enum Fixture {
    static let secret = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
    static let otherSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    static let now = Timestamp(milliseconds: 1_772_332_213_031)
    static let loopback = ["127.0.0.0/8", "::1"].compactMap { AddressRange($0) }

    static func notice(number: Int = 1, service: Service = .emergency) throws -> Notice {
        var incident = Incident(
            id: IncidentID(rawValue: 0x7F3A_0001_C9D2_0044), service: service,
            terminal: try #require(TerminalID("17700000101")), person: nil, trust: .verified, causes: ["sos"],
            openedAt: now)
        incident.lastEventNumber = number
        return Notice(kind: .opened, at: now, incident: incident, person: nil, round: 1)
    }

    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

/// A channel to a peer on loopback with its secret in a real file.
final class ChannelFixture: Sendable {
    let directory: TemporaryDirectory
    let channel: WebhookChannel
    let metrics = PrometheusRegistry(configured: ["channel": ["care-hub"]])

    init(
        url: String, certificateAuthorityFile: String? = nil, allowed: [AddressRange] = Fixture.loopback,
        connectMilliseconds: Int = 2_000, totalMilliseconds: Int = 5_000, logger: Logger = Fixture.silent,
        isEmergencyService: Bool = false,
        now: @escaping @Sendable () -> Timestamp = { Fixture.now }
    ) throws {
        directory = try TemporaryDirectory()
        let target = WebhookTarget(
            name: "care-hub", url: url, secretFiles: [try directory.write("secret", Fixture.secret + "\n")],
            certificateAuthorityFile: certificateAuthorityFile, allowedAddresses: allowed,
            allowsPlainHTTP: url.hasPrefix("http:"), isEmergencyService: isEmergencyService,
            connectTimeoutMilliseconds: connectMilliseconds,
            totalTimeoutMilliseconds: totalMilliseconds)
        channel = try WebhookChannel(target, gateway: "changsha-1", logger: logger, metrics: metrics, now: now)
    }

    /// Sends one notice after another and closes the connections.
    func send(_ count: Int = 1, service: Service = .emergency) async throws -> [DeliveryResult] {
        var results: [DeliveryResult] = []
        for number in 0..<count {
            results.append(await channel.send(try Fixture.notice(number: number + 1, service: service), attempt: 1))
        }
        await channel.shutdown()
        return results
    }

    func attempts(_ outcome: String) -> Double? {
        metrics.value("yidiantong_escalation_attempts_total", "care-hub", outcome)
    }
}

extension DeliveryResult {
    /// The words of the result, whatever it is.
    var text: String {
        switch self {
        case .accepted(let evidence): "accepted " + evidence
        case .retry(let reason, let wait): "retry after \(wait.map { "\($0)" } ?? "-") " + reason
        case .giveUp(let reason): "give up " + reason
        }
    }
}
