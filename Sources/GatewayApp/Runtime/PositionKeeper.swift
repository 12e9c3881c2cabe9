import AlarmPipeline
import ControlAPI
import GatewayTelemetry
import HostDevices
import Logging
import Metrics
import Synchronization
import TerminalModel
import TerminalTransport

/// Keeps what gpsd says of the gateway's own place and clock, and lends the place to pagers beside it.
final class PositionKeeper: Sendable {
    private let transport: TerminalTransport
    private let clock: any PipelineClock
    private let logger: Logger
    private let fix: Mutex<GatewayFix>
    /// Nil without `[gpsd]`.
    private let watch: GatewayFixWatch?
    private let connections = GatewayMetric.gpsdConnections.counter()

    init(
        _ settings: GatewayConfiguration.Positioning, transport: TerminalTransport, clock: any PipelineClock,
        logger: Logger
    ) {
        self.transport = transport
        self.clock = clock
        self.logger = logger
        fix = Mutex(GatewayFix(since: clock.now().wall))
        watch = settings.address.map { address in
            GatewayFixWatch(
                host: address.host, port: address.port, staleSeconds: settings.staleSeconds,
                clockWarningMilliseconds: settings.clockWarningMilliseconds, now: { clock.now() })
        }
    }

    func start() {
        watch?.start { [self] new, isConnected in
            if isConnected { connections.increment() }
            let old = fix.withLock { fix in
                defer { fix = new }
                return fix
            }
            if old.currentPosition != new.currentPosition { transport.setGatewayPosition(new.currentPosition) }
            tell(old, new)
        }
    }

    func stop() { watch?.stop() }

    /// States that changed, once; where the gateway is stands in no log.
    private func tell(_ old: GatewayFix, _ new: GatewayFix) {
        if old.state != new.state {
            logger.info(
                "The gateway's own position",
                metadata: .keyed([.deviceState: "\(new.state.rawValue)", .deviceReason: "\(new.reason)"]))
        }
        guard old.clock != new.clock else { return }
        switch new.clock {
        case .warning:
            logger.warning(
                "The system clock and satellite time differ",
                metadata: .keyed([
                    .errorCode: "\(ErrorCode.clockOff.rawValue)",
                    .durationMilliseconds: "\(new.clockOffsetMilliseconds ?? 0)",
                ]))
        case .ok: logger.info("The system clock and satellite time agree")
        case .unknown: logger.debug("No satellite time to compare the system clock with")
        }
    }

    // MARK: - What is shown

    /// Nil without `[gpsd]`.
    var view: GatewayPositionView? {
        guard watch != nil else { return nil }
        let fix = fix.withLock { $0 }
        var view = GatewayPositionView(
            state: fix.state.rawValue, reason: fix.reason, since: fix.since, clock: fix.clock.rawValue)
        view.receiver = fix.receiver
        view.receivers = fix.receivers
        view.clockOffsetMilliseconds = fix.clockOffsetMilliseconds.map(Int.init)
        if let position = fix.position, let fixedAt = fix.fixedAt, let latitude = position.latitudeDegrees,
            let longitude = position.longitudeDegrees
        {
            view.position = PositionView(
                latitude: latitude, longitude: longitude, accuracyMetres: position.accuracyMetres,
                valid: fix.state == .fix, source: position.source.rawValue, fixTime: fixedAt)
        }
        return view
    }

    var fault: GatewayStatus.Fault? {
        let fix = fix.withLock { $0 }
        guard fix.clock == .warning, let offset = fix.clockOffsetMilliseconds else { return nil }
        return .init(
            code: ErrorCode.clockOff.rawValue,
            detail: "\(ErrorCode.clockOff.explanation) The system clock is \(offset) ms ahead of satellite time.",
            since: fix.since)
    }

    func updateMetrics() {
        guard watch != nil else { return }
        let fix = fix.withLock { $0 }
        for state in GatewayFixState.allCases {
            GatewayMetric.gatewayFix.gauge(state.rawValue).set(fix.state == state ? 1 : 0)
        }
        for state in ClockState.allCases {
            GatewayMetric.gatewayClock.gauge(state.rawValue).set(fix.clock == state ? 1 : 0)
        }
        let age = fix.fixedAt.map { Double(clock.now().wall.milliseconds - $0.milliseconds) / 1000 } ?? -1
        GatewayMetric.gatewayFixAge.gauge().set(age)
        GatewayMetric.gatewayClockOffset.gauge().set(Double(fix.clockOffsetMilliseconds ?? 0) / 1000)
    }
}
