internal import Histogram
internal import Reactor
public import TerminalModel

/// The outcome of a load run, for people and for scripts.
public struct LoadReport: Sendable {
    /// The generator is taken to stand in its own way above these.
    private static let lateMicroseconds: UInt64 = 5000
    private static let busyPerMille: UInt64 = 850

    private static let percentiles: [(String, Double)] = [
        ("p50", 50), ("p90", 90), ("p99", 99), ("p99.9", 99.9), ("p99.99", 99.99), ("max", 100),
    ]

    let options: LoadOptions
    let result: LoadResult
    /// What the process under load has used, when one was named.
    var usage: ProcessUsage?

    /// All terminals were connected and every report was acknowledged.
    public var isComplete: Bool { result.isComplete }

    /// Why the figures say more about the generator than about the gateway; empty when they do not.
    public var bottlenecks: [String] {
        var reasons: [String] = []
        let late = result.slip.totalCount > 0 ? result.slip.valueAtPercentile(99) : 0
        if late > Self.lateMicroseconds {
            reasons.append("1 % of the reports left more than \(Self.milliseconds(late)) ms after their time")
        }
        if result.busiestPerMille > Self.busyPerMille {
            reasons.append("a generator thread used \(result.busiestPerMille / 10) % of a core; use more --processes")
        }
        return reasons
    }

    private static func milliseconds(_ microseconds: UInt64) -> String {
        Decimal.text(Double(microseconds) / 1000, decimals: 3)
    }

    /// The JSON object of `--json`; latencies in milliseconds.
    public var json: JSONValue {
        var object = JSONObject()
        object.set("target", options.target?.address.description ?? "self-test")
        object.set("bearer", options.bearer.rawValue)
        object.set("protocol", options.protocolName.rawValue)
        object.set("terminals", options.terminals)
        object.set("processes", options.processes)
        object.set("sources", options.source(of: 0) == nil ? 1 : options.sourceCount)
        object.set("in_flight", options.inFlight)
        object.set("saturate", options.saturates)
        if !options.saturates { object.set("rate_per_second", options.reportsPerSecond) }
        object.set("sos_per_second", options.sosPerSecond)
        object.set("duration_seconds", options.durationSeconds)
        object.set("register", options.registers)
        var setUp = JSONObject()
        setUp.set("connected", Int(result.connected))
        setUp.set("failed", Int(result.failed))
        setUp.set("first_error", result.firstError)
        setUp.set("seconds", Double(result.setUpMicroseconds) / 1e6)
        setUp.set("connect_ms", Self.json(result.connect))
        if options.registers { setUp.set("registration_ms", Self.json(result.registration)) }
        object.set("setup", setUp.value)
        object.set("acknowledged_per_second", acknowledgedPerSecond)
        object.set("ordinary", Self.json(result.ordinary))
        object.set("sos", Self.json(result.sos))
        if let seconds = options.stormSeconds {
            var storm = JSONObject()
            storm.set("at_seconds", seconds)
            storm.set("served", Int(result.stormServed.totalCount))
            storm.set("served_ms", Self.json(result.stormServed))
            storm.set("sos_ms", Self.json(result.stormSOS))
            object.set("storm", storm.value)
        }
        object.set("closed_connections", Int(result.closed))
        object.set("commands_answered", Int(result.commands))
        object.set("broken_frames", Int(result.brokenFrames))
        object.set("logins_repeated", Int(result.loginsRepeated))
        if let usage { object.set("process", usage.json) }
        var generator = JSONObject()
        generator.set("cpu_seconds", Double(result.cpuMicroseconds) / 1e6)
        generator.set("cpu_us_per_frame", microsecondsPerFrame)
        generator.set("busiest_thread_percent", Double(result.busiestPerMille) / 10)
        generator.set("schedule_slip_ms", Self.json(result.slip))
        generator.set("bottleneck", .array(bottlenecks.map(JSONValue.string)))
        object.set("generator", generator.value)
        return object.value
    }

    private var acknowledgedPerSecond: Double {
        let frames = Double(result.ordinary.acknowledged + result.sos.acknowledged)
        return result.runMicroseconds == 0 ? 0 : (frames * 1e6 / Double(result.runMicroseconds)).rounded()
    }

    private var microsecondsPerFrame: Double {
        let frames = result.ordinary.sent + result.sos.sent
        return frames == 0 ? 0 : Double(result.cpuMicroseconds * 100 / frames) / 100
    }

    private static func json(_ lane: LoadLane) -> JSONValue {
        var object = JSONObject()
        object.set("sent", Int(lane.sent))
        object.set("acknowledged", Int(lane.acknowledged))
        object.set("refused", Int(lane.refused))
        object.set("unacknowledged", Int(lane.unacknowledged))
        object.set("not_sent", Int(lane.notSent))
        object.set("latency_ms", json(lane.latency))
        return object.value
    }

    private static func json(_ histogram: Histogram<UInt64>) -> JSONValue? {
        guard histogram.totalCount > 0 else { return nil }
        var object = JSONObject()
        for (name, percentile) in percentiles {
            object.set(name, Double(histogram.valueAtPercentile(percentile)) / 1000)
        }
        return object.value
    }

    /// The table for people.
    public var text: String {
        var lines = [
            "\(options.terminals) terminals against \(options.target?.address.description ?? "the built-in acknowledger"), "
                + "\(options.saturates ? "as many" : number(options.reportsPerSecond)) reports/s and \(number(options.sosPerSecond)) SOS/s "
                + "for \(number(options.durationSeconds)) s, \(options.processes) process\(options.processes == 1 ? "" : "es")",
            "set-up: \(result.connected) connected, \(result.failed) failed, "
                + "in \(Decimal.text(Double(result.setUpMicroseconds) / 1e6, decimals: 3)) s",
        ]
        if let error = result.firstError { lines.append("first failure: \(error)") }
        lines.append(Self.row("", ["count", "missing"] + Self.percentiles.map { "\($0.0) ms" }))
        lines.append(Self.row("connect", ["\(result.connected)", ""] + Self.cells(result.connect)))
        if options.registers {
            lines.append(
                Self.row("register", ["\(result.registration.totalCount)", ""] + Self.cells(result.registration)))
        }
        for (name, lane) in [("ordinary", result.ordinary), ("SOS", result.sos)] {
            let missing = "\(lane.unacknowledged + lane.notSent + lane.refused)"
            lines.append(Self.row(name, ["\(lane.acknowledged)", missing] + Self.cells(lane.latency)))
        }
        if options.stormSeconds != nil {
            lines.append(
                Self.row("storm served", ["\(result.stormServed.totalCount)", ""] + Self.cells(result.stormServed)))
            lines.append(Self.row("storm SOS", ["\(result.stormSOS.totalCount)", ""] + Self.cells(result.stormSOS)))
        }
        lines.append(Self.row("left late by", ["", ""] + Self.cells(result.slip)))
        lines.append("acknowledged: \(number(acknowledgedPerSecond)) a second")
        if let usage { lines.append(usage.text) }
        lines.append(
            "generator: \(Decimal.text(Double(result.cpuMicroseconds) / 1e6, decimals: 2)) s of processor time, "
                + "\(Decimal.text(microsecondsPerFrame, decimals: 2)) us a frame, busiest thread "
                + "\(Decimal.text(Double(result.busiestPerMille) / 10, decimals: 1)) % of a core")
        for (name, lane) in [("ordinary", result.ordinary), ("SOS", result.sos)]
        where lane.unacknowledged + lane.notSent + lane.refused > 0 {
            lines.append(
                "\(name): \(lane.unacknowledged) not acknowledged, \(lane.refused) refused, \(lane.notSent) not sent "
                    + "for want of a connection")
        }
        if result.closed > 0 { lines.append("\(result.closed) connections were closed during the run") }
        if result.commands > 0 { lines.append("\(result.commands) commands of the platform were answered") }
        for reason in bottlenecks {
            lines.append("THE GENERATOR IS THE BOTTLENECK: \(reason)")
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private func number(_ value: Double) -> String {
        value == value.rounded() ? Decimal.text(value, decimals: 0) : Decimal.text(value, decimals: 2)
    }

    private static func cells(_ histogram: Histogram<UInt64>) -> [String] {
        percentiles.map { histogram.totalCount == 0 ? "-" : milliseconds(histogram.valueAtPercentile($0.1)) }
    }

    private static func row(_ name: String, _ cells: [String]) -> String {
        let head = name + String(repeating: " ", count: max(0, 13 - name.count))
        return cells.reduce(head) { $0 + String(repeating: " ", count: max(1, 12 - $1.count)) + $1 }
    }
}
