internal import Histogram
internal import Reactor

/// What became of a recording.
public struct SendSummary: Sendable, Equatable {
    public var acknowledged = 0
    public var needNoAnswer = 0
    /// Answered, but not with a yes.
    public var refused = 0
    public var notAcknowledged = 0
    public var notSent = 0
    /// Frames of the platform that answered nothing.
    public var unasked = 0

    public var isComplete: Bool { refused + notAcknowledged + notSent == 0 }
}

/// Plays recordings against a gateway.
public enum Sending {
    /// How many frames that answer nothing are printed.
    private static let unaskedRoom = 4096
    /// The longest datagram of IPv4.
    private static let datagramBytes = 65_507

    /// Plays the files one after the other as one recording and prints a line for each frame, what was not acknowledged and
    /// a summary.
    ///
    /// - Throws: `ReplayFailure` when a file cannot be read or holds nothing to send.
    public static func run(paths: [String], options: SendOptions, output: Int32) throws -> SendSummary {
        var frames: [ReplayFrame] = []
        for path in paths { frames += try ReplayFile(path: path, protocolName: options.protocolName).frames }
        let isLine = if case .serial = options.target { true } else { false }
        let lanes = try SendLane.lanes(of: frames, onePerTerminal: !isLine, registers: options.registers)
        guard !lanes.isEmpty else { throw ReplayFailure(.usage, "there is no frame of a terminal to send") }
        let reports = try Mailbox<SendReport>(
            name: "reports", capacity: frames.count + lanes.count * 4 + unaskedRoom)
        var limits = ReactorLimits()
        limits.timerTickMilliseconds = 1
        limits.maximumScheduledTimers = lanes.count + 1
        // A datagram lane is a socket of its own.
        limits.maximumSources = max(limits.maximumSources, lanes.count + 8)
        limits.maximumDatagramBytes = datagramBytes
        let thread = try ReactorThread.start(name: "send", limits: limits) { loop in
            let sender = try Sender(lanes: lanes, options: options, reports: reports, unaskedRoom: unaskedRoom)
            sender.start(on: loop)
            return sender
        }
        defer {
            thread.stop(drainMilliseconds: 0)
            thread.waitUntilStopped()
        }
        var printer = Printer(output: OutputBuffer(descriptor: output))
        try printer.run(reports)
        return printer.summary
    }

    private struct Printer {
        let output: OutputBuffer
        var summary = SendSummary()
        var latencies = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
        var missed: [SendOutcome] = []
        var isFinished = false

        mutating func run(_ reports: Mailbox<SendReport>) throws {
            while !isFinished {
                _ = reports.wait(milliseconds: -1)
                var fresh: [SendReport] = []
                reports.drain(maximum: .max) { fresh.append($0) }
                for report in fresh { try take(report) }
                try output.flush()
            }
            try finish()
        }

        private mutating func take(_ report: SendReport) throws {
            switch report {
            case .finished:
                isFinished = true
            case .unasked(let text):
                summary.unasked += 1
                try output.append(line: "received  \(text)")
            case .outcome(let outcome):
                switch outcome.result {
                case .acknowledged(let time, _):
                    latencies.record(UInt64(max(0, time / 1000)))
                    summary.acknowledged += 1
                case .refused(let time, _):
                    latencies.record(UInt64(max(0, time / 1000)))
                    summary.refused += 1
                case .needsNoAnswer: summary.needNoAnswer += 1
                case .notAcknowledged: summary.notAcknowledged += 1
                case .notSent: summary.notSent += 1
                }
                if !outcome.isGood { missed.append(outcome) }
                try output.append(line: outcome.text)
            }
        }

        private mutating func finish() throws {
            let s = summary
            var lines = [
                "",
                "acknowledged \(s.acknowledged), no answer needed \(s.needNoAnswer), refused \(s.refused), "
                    + "not acknowledged \(s.notAcknowledged), not sent \(s.notSent)",
            ]
            if latencies.totalCount > 0 {
                let parts = [("p50", 50.0), ("p90", 90), ("p99", 99), ("max", 100)].map { name, percentile in
                    "\(name) \(Decimal.text(Double(latencies.valueAtPercentile(percentile)) / 1000, decimals: 3)) ms"
                }
                lines.append("latency  " + parts.joined(separator: "  "))
            }
            if !missed.isEmpty {
                lines.append("what was not taken:")
                lines += missed.map { "  " + $0.text }
            }
            for line in lines { try output.append(line: line) }
            try output.flush()
        }
    }
}
