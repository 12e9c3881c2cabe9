import Glibc
public import TerminalModel

/// Decides which serial ports are ours and keeps how each of them stands. Pure: changes come in, actions go out.
public struct DeviceTable: Sendable {
    /// Ports that are remembered, plugged in or not; more than any machine has.
    public static let maximumDevices = 256

    public private(set) var rules: [DeviceRule] = []
    private var devices: [String: Device] = [:]
    /// Of those that are plugged in, by their place in the kernel.
    private var identities: [String: String] = [:]
    private var lines: [DeviceLine: String] = [:]
    private var nextLine: UInt32 = 0
    /// Ports that found no room.
    public private(set) var overflow = 0
    private var transitions: [Device] = []

    public init() {}

    /// Each state that a device has entered since the last call, with the device as it was then.
    public mutating func takeTransitions() -> [Device] {
        defer { transitions.removeAll(keepingCapacity: true) }
        return transitions
    }

    /// All that are known, in the order of their identity.
    public var all: [Device] { devices.values.sorted { $0.identity < $1.identity } }

    // MARK: - Rules

    /// Puts rules into force. Lines whose rule is as it was go on; those of other rules close, and every port that has none
    /// looks for its rule again.
    public mutating func setRules(_ new: [DeviceRule], now: Moment) -> [DeviceAction] {
        rules = new
        var actions: [DeviceAction] = []
        var adapters: [SerialAdapter] = []
        for device in all {
            let isPluggedIn = identities.values.contains(device.identity)
            let wanted = isPluggedIn ? device.adapter.flatMap(rule(for:)) : new.first { $0 == device.rule }
            if let wanted, wanted == device.rule { continue }
            if let line = device.line { actions.append(closing(line)) }
            if isPluggedIn, let adapter = device.adapter { adapters.append(adapter) }
            devices[device.identity] = nil
            identities = identities.filter { $0.value != device.identity }
        }
        for rule in new {
            guard case .path(let path) = rule.source, devices[path] == nil else { continue }
            devices[path] = Device(
                identity: path, adapter: nil, rule: rule, state: .found, reason: "named by its path",
                since: now.wall, pluggedAt: now)
            count(.found, path)
            actions += open(path, path: path, rule)
        }
        for adapter in adapters { actions += plugged(adapter, now: now) }
        return actions
    }

    // MARK: - Ports come and go

    /// A port was plugged in, or something about it changed.
    public mutating func seen(_ adapter: SerialAdapter, now: Moment) -> [DeviceAction] {
        if let identity = identities[adapter.systemPath], let known = devices[identity] {
            if known.adapter?.node == adapter.node, rule(for: adapter) == known.rule {
                let reason = known.rule == nil ? whyNotOurs(adapter) : known.reason
                devices[identity]?.adapter = adapter
                devices[identity]?.reason = reason
                // Permissions may be what has changed.
                return retry(identity)
            }
            return removed(systemPath: adapter.systemPath, now: now) + plugged(adapter, now: now)
        }
        return plugged(adapter, now: now)
    }

    private mutating func plugged(_ adapter: SerialAdapter, now: Moment) -> [DeviceAction] {
        let rule = rule(for: adapter)
        if case .path(let path)? = rule?.source {
            identities[adapter.systemPath] = path
            devices[path]?.adapter = adapter
            devices[path]?.pluggedAt = now
            devices[path]?.firstFrameMilliseconds = nil
            return retry(path)
        }
        let identity = free(adapter)
        guard devices[identity] != nil || makeRoom() else {
            overflow += 1
            return []
        }
        identities[adapter.systemPath] = identity
        var device =
            devices[identity]
            ?? Device(
                identity: identity, adapter: adapter, rule: rule, state: .found, reason: "", since: now.wall,
                pluggedAt: now)
        device.adapter = adapter
        device.rule = rule
        device.pluggedAt = now
        device.firstFrameMilliseconds = nil
        devices[identity] = device
        guard let rule else {
            enter(.notOurs, identity, whyNotOurs(adapter), now: now)
            return []
        }
        enter(.found, identity, "taken by rule \"\(rule.name)\"", now: now)
        return open(identity, path: adapter.node, rule)
    }

    /// A port was pulled out. What was ours stays listed, a stranger's does not.
    public mutating func removed(systemPath: String, now: Moment) -> [DeviceAction] {
        guard let identity = identities.removeValue(forKey: systemPath), let device = devices[identity] else {
            return []
        }
        guard let rule = device.rule else {
            devices[identity] = nil
            return []
        }
        devices[identity]?.adapter = nil
        if case .path = rule.source { return [] }
        var actions: [DeviceAction] = []
        if let line = device.line { actions.append(closing(line)) }
        devices[identity]?.line = nil
        devices[identity]?.adapter = device.adapter
        enter(.unplugged, identity, "was \(device.adapter?.node ?? "there") and is not plugged in now", now: now)
        return actions
    }

    /// The identity under which an adapter is listed: its own, unless another one that is plugged in has the same.
    private func free(_ adapter: SerialAdapter) -> String {
        let used = Set(identities.values)
        return used.contains(adapter.identity) ? adapter.identityAtPort : adapter.identity
    }

    /// Forgets the port that was pulled out longest ago when the table is full; false when all are there.
    private mutating func makeRoom() -> Bool {
        guard devices.count >= Self.maximumDevices else { return true }
        let gone = devices.values.filter { $0.state == .unplugged && $0.line == nil }
        guard let oldest = gone.min(by: { $0.since < $1.since }) else { return false }
        devices[oldest.identity] = nil
        return true
    }

    // MARK: - Whose it is

    private func rule(for adapter: SerialAdapter) -> DeviceRule? {
        rules.first { rule in
            switch rule.source {
            case .path(let path): adapter.node == path || adapter.links.contains(path)
            case .match(let match): match.differences(from: adapter).isEmpty
            }
        }
    }

    /// The rule that comes nearest, and what it wants instead.
    private func whyNotOurs(_ adapter: SerialAdapter) -> String {
        let nearest = rules.compactMap { rule -> (name: String, differences: [String])? in
            guard case .match(let match) = rule.source else { return nil }
            return (rule.name, match.differences(from: adapter))
        }.min { $0.differences.count < $1.differences.count }
        guard let nearest else { return "no [[serial]] with a match is configured" }
        return "no rule names it; nearest is \"\(nearest.name)\", which wants "
            + nearest.differences.joined(separator: "; ")
    }

    // MARK: - Lines

    /// What the transport tells of a line.
    public mutating func changed(_ line: DeviceLine, _ event: DeviceLineEvent, now: Moment) {
        guard let identity = lines[line] else { return }
        switch event {
        case .opening:
            if devices[identity]?.state == .found { enter(.opening, identity, "is being opened", now: now) }
        case .opened:
            devices[identity]?.openedMilliseconds = now.monotonicMilliseconds
            devices[identity]?.heardMilliseconds = nil
            enter(.open, identity, "open, no frame yet", now: now)
        case .refused(let code, let detail):
            devices[identity]?.openedMilliseconds = nil
            enter(Self.state(code), identity, detail, now: now)
        case .hungUp:
            devices[identity]?.openedMilliseconds = nil
            enter(.hungUp, identity, "the line hung up", now: now)
        case .readFailed(let detail):
            devices[identity]?.openedMilliseconds = nil
            enter(.readError, identity, detail, now: now)
        case .heard:
            heard(identity, now: now)
        }
    }

    /// Finds lines that are open and say nothing.
    public mutating func tick(now: Moment) {
        for device in devices.values where device.state == .open {
            guard let seconds = device.rule?.silentSeconds, seconds > 0, let opened = device.openedMilliseconds,
                now.monotonicMilliseconds - max(opened, device.heardMilliseconds ?? opened) >= Int64(seconds) * 1000
            else { continue }
            let reason =
                device.heardMilliseconds == nil
                ? "open, but nothing that can be read has come: check baud rate, parity and cable"
                : "no frame for \(seconds) seconds"
            enter(.silent, device.identity, reason, now: now)
        }
    }

    private mutating func heard(_ identity: String, now: Moment) {
        guard let device = devices[identity] else { return }
        devices[identity]?.heardMilliseconds = now.monotonicMilliseconds
        devices[identity]?.lastFrameAt = now.wall
        if device.firstFrameMilliseconds == nil {
            devices[identity]?.firstFrameMilliseconds =
                Int(now.monotonicMilliseconds - device.pluggedAt.monotonicMilliseconds)
        }
        if device.state == .silent { enter(.open, identity, "frames come", now: now) }
        devices[identity]?.reason = "frames come"
    }

    private static func state(_ code: Int32) -> DeviceState {
        switch code {
        case EACCES, EPERM: .noPermission
        case EBUSY: .busy
        case ENOENT, ENODEV, ENXIO: .unplugged
        default: .failed
        }
    }

    private mutating func open(_ identity: String, path: String, _ rule: DeviceRule) -> [DeviceAction] {
        let line = DeviceLine(rawValue: nextLine)
        nextLine &+= 1
        lines[line] = identity
        devices[identity]?.line = line
        return [.open(line, path: path, rule: rule.name)]
    }

    private func retry(_ identity: String) -> [DeviceAction] {
        guard let device = devices[identity], let line = device.line else { return [] }
        return device.state == .open || device.state == .silent ? [] : [.retry(line)]
    }

    private mutating func closing(_ line: DeviceLine) -> DeviceAction {
        lines[line] = nil
        return .close(line)
    }

    private mutating func enter(_ state: DeviceState, _ identity: String, _ reason: String, now: Moment) {
        guard let device = devices[identity] else { return }
        devices[identity]?.reason = reason
        // A line that is tried again and again in vain enters its state once.
        guard device.state != state || device.counts[state] == nil else { return }
        devices[identity]?.state = state
        devices[identity]?.since = now.wall
        count(state, identity)
    }

    private mutating func count(_ state: DeviceState, _ identity: String) {
        devices[identity]?.counts[state, default: 0] += 1
        if let device = devices[identity] { transitions.append(device) }
    }
}
