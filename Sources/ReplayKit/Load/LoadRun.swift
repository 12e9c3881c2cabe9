internal import Histogram
internal import Reactor
internal import Synchronization

/// What the generator's thread leaves for the one that paces it.
///
/// `@unchecked Sendable`: the result is behind a lock, the target never changes.
final class LoadCollector: Sendable {
    let target: SocketAddress
    private let stored = Mutex(LoadResult())

    init(target: SocketAddress) {
        self.target = target
    }

    var result: LoadResult {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }
}

/// Load from simulated terminals: an open loop, so that an answer that comes late counts from when its report was due.
public enum LoadRun {
    /// Runs the load in this process, or in several when the options say so, and returns when it is over.
    ///
    /// - Parameter tool: path and arguments that start this run again; a worker gets `--worker INDEX/COUNT` behind them.
    /// - Throws: `ReplayFailure` when the request makes no sense, a limit is in the way or no terminal could connect.
    public static func run(_ options: LoadOptions, tool: [String] = []) throws -> LoadReport {
        try options.check()
        try options.reserveDescriptors()
        let watch = try options.processID.map { try LoadProbe.start($0) }
        defer { watch?.thread.stop(drainMilliseconds: 0) }
        let result =
            options.processes > 1
            ? try LoadWorkers.run(options, tool: tool) { watch?.probe.started() }
            : try runHere(options) {
                watch?.probe.started()
                return MonotonicClock.nanoseconds + 50_000_000
            }
        watch?.probe.ended()
        if result.connected == 0 {
            throw ReplayFailure(.unreachable, result.firstError ?? "no terminal could connect")
        }
        let usage = watch?.probe.usage(frames: result.ordinary.acknowledged + result.sos.acknowledged)
        return LoadReport(options: options, result: result, usage: usage)
    }

    /// The part of a worker: says `ready`, waits for `start NANOSECONDS` and writes the result, all on standard streams.
    public static func work(_ options: LoadOptions) throws {
        try options.check()
        try options.reserveDescriptors()
        let result = try runHere(options) {
            StandardStreams.write("ready\n", to: 1)
            guard let words = readLine()?.split(separator: " "), words.count == 2, words[0] == "start" else {
                return nil
            }
            return Int64(words[1])
        }
        StandardStreams.write(result.lines.map { $0 + "\n" }.joined(), to: 1)
    }

    /// - Parameter startTime: called when all terminals are connected; when the first report is due, or nil to give up.
    static func runHere(_ options: LoadOptions, startTime: () -> Int64?) throws -> LoadResult {
        var limits = ReactorLimits()
        limits.maximumConnections =
            (options.isDatagram ? 0 : options.ownTerminals.count) + LoadOptions.otherDescriptors
        // Answers and reports of a whole district that wait for a moment, in the kernel and here.
        limits.datagramsPerWakeUp = 4096
        limits.maximumQueuedDatagrams = 65_536
        limits.maximumDatagramBytes = 2048
        limits.timerTickMilliseconds = 10
        // Gathering would count as the gateway's time.
        limits.gatherMicroseconds = 0
        let acknowledger = options.target == nil ? try TrivialAcknowledger.start(isDatagram: options.isDatagram) : nil
        guard let target = options.target?.address ?? acknowledger?.address else { return LoadResult() }
        let steps = try Mailbox<LoadReportStep>(name: "steps", capacity: 8)
        let wakeUps = try Mailbox<Bool>(name: "wake-ups", capacity: 2)
        let starts = try Mailbox<Int64>(name: "start", capacity: 2)
        let collector = LoadCollector(target: target)
        let thread = try ReactorThread.start(name: "load", limits: limits) { loop in
            let generator = LoadGenerator(
                options: options, dialect: try LoadDialects.make(options.protocolName), steps: steps,
                collected: collector)
            if options.isDatagram { try generator.openSockets(on: loop) }
            try loop.attach(wakeUps) { [unowned generator] _, loop in generator.sendDue(on: loop) }
            try loop.attach(starts) { [unowned generator] start, loop in
                if start == 0 { generator.open(on: loop) } else { generator.start(atNanoseconds: start, on: loop) }
            }
            return generator
        }
        defer {
            thread.stop(drainMilliseconds: 0)
            thread.waitUntilStopped()
            acknowledger?.thread.stop(drainMilliseconds: 0)
            acknowledger?.thread.waitUntilStopped()
        }
        _ = starts.post(0)
        wait(for: steps)
        guard collector.result.connected > 0, let start = startTime() else { return collector.result }
        _ = starts.post(start)
        let cpu = pace(LoadSchedule(options), from: start, wakeUps)
        wait(for: steps)
        var result = collector.result
        result.cpuMicroseconds += cpu
        return result
    }

    private static func wait(for steps: Mailbox<LoadReportStep>) {
        while !steps.wait(milliseconds: -1) {}
        steps.drain(maximum: 1) { _ in }
    }

    /// Wakes the generator each time that something is due; returns the microseconds of processor time that it took.
    private static func pace(_ schedule: LoadSchedule, from start: Int64, _ wakeUps: Mailbox<Bool>) -> UInt64 {
        let before = MonotonicClock.threadCPUNanoseconds
        var ordinary = 0
        var sos = 0
        while let due = [schedule.ordinary(ordinary), schedule.sos(sos)].compactMap({ $0 }).min() {
            MonotonicClock.sleep(until: start + due)
            // A full mailbox means that the generator has not yet looked at the last call and will find this work too.
            _ = wakeUps.post(true)
            while let next = schedule.ordinary(ordinary), next <= due { ordinary += 1 }
            while let next = schedule.sos(sos), next <= due { sos += 1 }
        }
        MonotonicClock.sleep(until: start + schedule.lastNanoseconds)
        _ = wakeUps.post(true)
        return UInt64(max(0, (MonotonicClock.threadCPUNanoseconds - before) / 1000))
    }
}
