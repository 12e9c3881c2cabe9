public import AlarmFormats
public import AlarmPipeline
public import CoreMetrics
public import GatewayTelemetry
import Glibc
public import IncidentCore
public import Logging
public import NIOCore
import Synchronization
public import TerminalModel

/// Hands notices to one target as signed webhooks.
///
/// Any 2xx is a receipt, 410 ends it, everything else is to be tried again. Source: escalation document section 3.
public final class WebhookChannel: EscalationChannel {
    public let target: String

    private let configuration: WebhookTarget
    private let gateway: String
    private let credentialsDirectory: String?
    private let client: WebhookClient
    private let signer: Mutex<WebhookSigner>
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    private let limiter = LogLimiter()
    private let outcomes: Outcomes
    private let latency: CoreMetrics.Timer

    private struct Outcomes {
        var accepted: Counter
        var retry: Counter
        var gaveUp: Counter
    }

    /// Reads the secrets and certificates; throws what is wrong with them or with the target.
    ///
    /// - Parameters:
    ///   - gateway: this gateway's name, carried in every body.
    ///   - credentialsDirectory: where relative names of secrets are looked up.
    ///   - group: event loops to run on; the HTTP client's own when nil.
    ///   - now: the wall clock.
    public init(
        _ target: WebhookTarget, gateway: String, logger: Logger, credentialsDirectory: String? = systemdCredentials,
        group: (any EventLoopGroup)? = nil, metrics: any MetricsFactory = MetricsSystem.factory,
        now: @escaping @Sendable () -> Timestamp = StandardErrorLogHandler.wallClock
    ) throws(ChannelConfigurationError) {
        try target.validate()
        self.target = target.name
        self.configuration = target
        self.gateway = gateway
        self.credentialsDirectory = credentialsDirectory
        self.signer = Mutex(try Self.signer(target, credentialsDirectory: credentialsDirectory))
        self.client = try WebhookClient(target, group: group)
        self.now = now
        var logger = logger
        logger[.channelName] = "\(target.name)"
        self.logger = logger
        let attempts = GatewayMetric.escalationAttempts
        self.outcomes = Outcomes(
            accepted: attempts.counter(target.name, "accepted", factory: metrics),
            retry: attempts.counter(target.name, "retry", factory: metrics),
            gaveUp: attempts.counter(target.name, "gave_up", factory: metrics))
        self.latency = GatewayMetric.escalationLatency.timer(target.name, factory: metrics)
    }

    /// `$CREDENTIALS_DIRECTORY` of this process.
    public static var systemdCredentials: String? {
        getenv("CREDENTIALS_DIRECTORY").map { String(cString: $0) }
    }

    /// Reads the secrets again, for a change-over without a restart; when that fails the old ones stay in force.
    public func reloadSecrets() throws(ChannelConfigurationError) {
        let new = try Self.signer(configuration, credentialsDirectory: credentialsDirectory)
        signer.withLock { $0 = new }
    }

    /// Closes the connections to the target; nothing can be sent after it.
    public func shutdown() async {
        await client.shutdown()
    }

    public func send(_ notice: Notice, attempt: Int) async -> DeliveryResult {
        if configuration.isEmergencyService, notice.incident.isDrill == true {
            outcomes.gaveUp.increment()
            return .giveUp(reason: "it is a drill, and the target is an emergency service")
        }
        let maximumWait =
            notice.incident.service.isLifeSafety ? Self.longestEmergencyWaitMilliseconds : Self.longestWaitMilliseconds
        let started = ContinuousClock.now
        let message = WebhookMessage(notice, gateway: gateway, audience: configuration.audience)
        let (result, code) = await post(message, maximumWait: maximumWait)
        latency.recordNanoseconds((ContinuousClock.now - started).wholeNanoseconds)
        switch result {
        case .accepted: outcomes.accepted.increment()
        case .retry: outcomes.retry.increment()
        case .giveUp: outcomes.gaveUp.increment()
        }
        log(result, code: code, incident: notice.incident.id, attempt: attempt)
        return result
    }

    /// Posts a message that is no incident's, such as a heartbeat: not counted among the escalations.
    public func send(_ message: WebhookMessage) async -> DeliveryResult {
        await post(message, maximumWait: Self.longestWaitMilliseconds).result
    }

    /// A target may slow an emergency down by this much and no more: nothing mutes an SOS (promise P2).
    private static let longestEmergencyWaitMilliseconds = 60_000
    private static let longestWaitMilliseconds = 3_600_000
    /// Of the answer in evidence; the timeline keeps one for each attempt.
    private static let quotedCharacters = 300

    private func post(_ message: WebhookMessage, maximumWait: Int) async -> (result: DeliveryResult, code: ErrorCode?) {
        let started = ContinuousClock.now
        let signer = signer.withLock { $0 }
        let answer = await client.post(message.body, headers: message.headers(at: now(), signer: signer))
        let facts = "in \((ContinuousClock.now - started).wholeNanoseconds / 1_000_000) ms, webhook-id \(message.id)"
        switch answer {
        case .failure(let code, let reason):
            return (.retry(reason: "\(code.rawValue): \(reason), \(facts)", afterMilliseconds: nil), code)
        case .response(let status, let body, let retryAfter):
            let evidence = "HTTP \(status) \(facts)" + (body.isEmpty ? "" : ", answer \(Self.quoted(body))")
            switch status {
            case 200...299:
                return (.accepted(evidence: evidence), nil)
            case 410:
                let reason = "\(ErrorCode.channelGone.rawValue): the target is gone for good, \(evidence)"
                return (.giveUp(reason: reason), .channelGone)
            default:
                let code: ErrorCode = (300...399).contains(status) ? .channelRedirect : .channelRefused
                let wait = retryAfter.flatMap { RetryAfter.milliseconds($0, now: now()) }
                return (
                    .retry(
                        reason: "\(code.rawValue): \(evidence)", afterMilliseconds: wait.map { min($0, maximumWait) }),
                    code
                )
            }
        }
    }

    private func log(_ result: DeliveryResult, code: ErrorCode?, incident: IncidentID, attempt: Int) {
        let level: Logger.Level
        let detail: String
        let outcome: String
        switch result {
        case .accepted(let evidence): (level, detail, outcome) = (.info, evidence, "accepted")
        case .retry(let reason, _): (level, detail, outcome) = (.warning, reason, "retry")
        case .giveUp(let reason): (level, detail, outcome) = (.error, reason, "gave_up")
        }
        var metadata = Logger.Metadata.keyed([
            .incidentID: "\(incident)", .channelAttempt: "\(attempt)", .channelOutcome: "\(outcome)",
            .channelEvidence: "\(detail)",
        ])
        if let code {
            // A dead target fails for every open incident; one line a minute says it.
            let time = ContinuousClock.now - Self.epoch
            guard
                case .write(let suppressed) = limiter.admit(code, terminal: nil, at: time.wholeNanoseconds / 1_000_000)
            else { return }
            metadata[LogKey.errorCode.rawValue] = "\(code.rawValue)"
            if suppressed > 0 { metadata[LogKey.suppressedCount.rawValue] = "\(suppressed)" }
        }
        logger.log(level: level, "Delivery attempted", metadata: metadata)
    }

    private static let epoch = ContinuousClock.now

    /// One printable line in quotation marks.
    private static func quoted(_ text: String) -> String {
        let printable = text.unicodeScalars.map { scalar -> Character in
            let category = scalar.properties.generalCategory
            let isPrintable =
                category != .control && category != .format && category != .lineSeparator
                && category != .paragraphSeparator
            return isPrintable ? Character(scalar) : " "
        }
        let cut = printable.count > quotedCharacters
        return "\"" + String(printable.prefix(quotedCharacters)) + (cut ? "…" : "") + "\""
    }

    private static func signer(
        _ target: WebhookTarget, credentialsDirectory: String?
    ) throws(ChannelConfigurationError) -> WebhookSigner {
        var secrets: [WebhookSecret] = []
        for file in target.secretFiles {
            secrets.append(
                try SecretFile.load(file, target: target.name, credentialsDirectory: credentialsDirectory))
        }
        guard let signer = WebhookSigner(secrets: secrets) else {
            throw ChannelConfigurationError(
                code: .channelSecretInvalid, target: target.name, key: "secret_files",
                message: "1 to \(WebhookSigner.maximumSecrets) secrets are needed, found \(secrets.count)")
        }
        return signer
    }
}

extension Duration {
    /// Saturating at the ends of `Int64`, far beyond any attempt.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds < 0 ? .min : .max) : product &+ attoseconds / 1_000_000_000
    }
}
