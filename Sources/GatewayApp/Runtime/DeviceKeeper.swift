import AlarmPipeline
import ControlAPI
import GatewayTelemetry
import HostDevices
import Logging
import Metrics
import Reactor
import Synchronization
import TerminalModel
import TerminalTransport

/// Joins what udev reports with the serial lines of the terminal plane, and tells how each device stands.
final class DeviceKeeper: Sendable {
    private struct State {
        var table = DeviceTable()
        var lines: [String: GatewayConfiguration.SerialLine] = [:]
        /// What was counted already.
        var overruns = 0
        var overflow = 0
    }

    private let transport: TerminalTransport
    private let clock: any PipelineClock
    private let logger: Logger
    private let watch = SerialPortWatch()
    private let state = Mutex(State())
    private let entered = Dictionary(
        uniqueKeysWithValues: DeviceState.allCases.map {
            ($0, GatewayMetric.deviceStates.counter($0.rawValue))
        })
    private let overruns = GatewayMetric.deviceEventsLost.counter()
    private let leftOut = GatewayMetric.devicesLeftOut.counter()

    init(transport: TerminalTransport, clock: any PipelineClock, logger: Logger) {
        self.transport = transport
        self.clock = clock
        self.logger = logger
    }

    /// Begins once the transport runs: before that nobody could open a line.
    func start(_ lines: [GatewayConfiguration.SerialLine]) {
        replace(lines)
        watch.start { [self] change in
            update { table, now in
                switch change {
                case .seen(let adapter): return table.seen(adapter, now: now)
                case .removed(let path): return table.removed(systemPath: path, now: now)
                case .tick:
                    table.tick(now: now)
                    return []
                }
            }
        }
    }

    func stop() { watch.stop() }

    /// Puts other `[[serial]]` tables into force; lines that stayed the same go on.
    func replace(_ lines: [GatewayConfiguration.SerialLine]) {
        let new = Dictionary(lines.map { ($0.name, $0) }) { first, _ in first }
        let old = state.withLock { $0.lines }
        update(lines: new) { table, now in
            // Settings are no part of a rule: a line whose settings changed is closed first and opened with the new ones.
            let same = lines.filter { old[$0.name] == $0 }.map(\.rule)
            return table.setRules(same, now: now) + table.setRules(lines.map(\.rule), now: now)
        }
    }

    /// What the transport tells of a line, on a loop's thread.
    func lineChanged(_ line: UInt32, _ event: TerminalLineEvent) {
        let told: DeviceLineEvent? =
            switch event {
            case .opened: .opened
            case .heard: .heard
            case .waiting(.refused(let code)):
                .refused(code: code, detail: "\(SerialLineFault.refused(code: code))")
            case .waiting(.hungUp): .hungUp
            case .waiting(.readFailed(let code)): .readFailed(detail: "\(SerialLineFault.readFailed(code: code))")
            case .waiting(let fault): .refused(code: 0, detail: "\(fault)")
            case .closed: nil
            }
        guard let told else { return }
        update { table, now in
            table.changed(DeviceLine(rawValue: line), told, now: now)
            return []
        }
    }

    /// Changes the table, carries out what it asks for, and tells what has changed.
    private func update(
        lines: [String: GatewayConfiguration.SerialLine]? = nil,
        _ body: (inout DeviceTable, Moment) -> [DeviceAction]
    ) {
        let now = clock.now()
        let transitions = state.withLock { state in
            if let lines { state.lines = lines }
            for action in body(&state.table, now) { carryOut(action, &state, now) }
            return state.table.takeTransitions()
        }
        for device in transitions { tell(device) }
    }

    private func carryOut(_ action: DeviceAction, _ state: inout State, _ now: Moment) {
        switch action {
        case .open(let line, let path, let rule):
            guard let settings = state.lines[rule] else { return }
            transport.open(
                line.rawValue,
                TerminalLine(
                    options: settings.options(path: path), protocols: settings.protocols, bauds: settings.bauds,
                    isBesideGateway: settings.isBesideGateway, isCaptured: settings.isCaptured))
            state.table.changed(line, .opening, now: now)
        case .close(let line): transport.close(line.rawValue)
        case .retry(let line): transport.retry(line.rawValue)
        }
    }

    private func tell(_ device: Device) {
        entered[device.state]?.increment()
        let level: Logger.Level =
            switch device.state {
            case .found, .notOurs, .opening: .debug
            case .open: .info
            case .noPermission, .busy, .hungUp, .readError, .failed, .silent, .unplugged: .warning
            }
        var metadata: Logger.Metadata = .keyed([
            .deviceIdentity: "\(device.identity)", .deviceState: "\(device.state.rawValue)",
            .deviceReason: "\(device.reason)",
        ])
        if let node = device.adapter?.node { metadata[LogKey.connectionPeer.rawValue] = "\(node)" }
        logger.log(level: level, "Serial device", metadata: metadata)
    }

    // MARK: - What is shown

    var list: DeviceList {
        let (devices, rules) = state.withLock { ($0.table.all, $0.table.rules) }
        let taken = Set(devices.compactMap { $0.state == .unplugged ? nil : $0.rule?.name })
        return DeviceList(
            devices: devices.map(DeviceView.init), missing: rules.map(\.name).filter { !taken.contains($0) })
    }

    /// What is wrong with lines that the configuration asks for.
    var faults: [GatewayStatus.Fault] {
        let (devices, rules) = state.withLock { ($0.table.all, $0.table.rules) }
        let known = Set(devices.compactMap { $0.rule?.name })
        let code = ErrorCode.serialFailed.rawValue
        let now = clock.now().wall
        return devices.filter { $0.rule != nil && Self.isFault($0.state) }.map { device in
            .init(
                code: code, detail: "\(device.rule?.name ?? device.identity) (\(device.identity)): \(device.reason).",
                since: device.since)
        }
            + rules.filter { !known.contains($0.name) }.map { rule in
                .init(
                    code: code, detail: "\(rule.name): no adapter that its match names is plugged in.", since: now)
            }
    }

    private static func isFault(_ state: DeviceState) -> Bool {
        switch state {
        case .found, .notOurs, .opening, .open: false
        case .noPermission, .busy, .hungUp, .readError, .failed, .silent, .unplugged: true
        }
    }

    func updateMetrics() {
        let (devices, lost, over) = state.withLock { state in
            let all = watch.overruns
            defer {
                state.overruns = all
                state.overflow = state.table.overflow
            }
            return (state.table.all, all - state.overruns, state.table.overflow - state.overflow)
        }
        overruns.increment(by: lost)
        leftOut.increment(by: over)
        for each in DeviceState.allCases {
            GatewayMetric.devices.gauge(each.rawValue).set(Double(devices.count { $0.state == each }))
        }
    }
}

extension DeviceView {
    init(_ device: Device) {
        self.init(
            identity: device.identity, state: device.state.rawValue, reason: device.reason, since: device.since)
        rule = device.rule?.name
        if case .path(let path)? = device.rule?.source { node = path }
        counts = Dictionary(uniqueKeysWithValues: device.counts.map { ($0.key.rawValue, $0.value) })
        lastFrameAt = device.lastFrameAt
        firstFrameMilliseconds = device.firstFrameMilliseconds
        guard let adapter = device.adapter else { return }
        node = adapter.node
        links = adapter.links
        vendor = adapter.vendorID
        product = adapter.productID
        serial = adapter.serialNumber
        interface = adapter.interfaceNumber
        driver = adapter.driver
        port = adapter.portPath
        tags = adapter.tags
        description = adapter.description
    }
}
