internal import Glibc
internal import Reactor
internal import Synchronization
internal import TerminalModel

/// What /proc tells about a process at one moment.
struct ProcessSample: Sendable {
    var residentBytes: UInt64
    /// Processor time of all its threads since its start, nanoseconds.
    var cpuNanoseconds: UInt64
    /// The same by the names of the threads that are there now.
    var threads: [String: UInt64]

    /// Reads /proc/PID/statm and, for each thread, `comm` and `schedstat`; nil when there is no such process.
    init?(_ processID: Int32) {
        let directory = "/proc/\(processID)"
        let pages = Self.words("\(directory)/statm")
        guard pages.count > 1, let resident = UInt64(pages[1]) else { return nil }
        residentBytes = resident * UInt64(sysconf(Int32(_SC_PAGESIZE)))
        threads = [:]
        cpuNanoseconds = 0
        guard let listing = opendir("\(directory)/task") else { return nil }
        defer { closedir(listing) }
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            let times = Self.words("\(directory)/task/\(name)/schedstat")
            guard Int32(name) != nil, let cpu = times.first.flatMap(UInt64.init) else { continue }
            let thread = Self.words("\(directory)/task/\(name)/comm").joined(separator: " ")
            threads[thread, default: 0] += cpu
            cpuNanoseconds += cpu
        }
    }

    private static func words(_ path: String) -> [String] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        return withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { room in
            let count = max(0, Glibc.read(descriptor, room.baseAddress, room.count))
            return String(decoding: room.prefix(count), as: UTF8.self).split { $0 == " " || $0 == "\n" }.map(
                String.init)
        }
    }
}

/// Watches the process under load from outside: its processor time during the run, and its memory the whole time.
final class LoadProbe: ConnectionHandler, Sendable {
    private static let intervalMilliseconds: Int64 = 1000

    private struct State {
        var before: ProcessSample
        var start: ProcessSample?
        var end: ProcessSample?
        var peakBytes: UInt64
        /// The resident bytes of each second of the run.
        var series: [UInt64] = []
    }

    private let processID: Int32
    private let state: Mutex<State>

    private init(_ processID: Int32, _ before: ProcessSample) {
        self.processID = processID
        state = Mutex(State(before: before, peakBytes: before.residentBytes))
    }

    /// Begins to look once a second.
    ///
    /// - Throws: `ReplayFailure` when there is no such process.
    static func start(_ processID: Int32) throws -> (probe: LoadProbe, thread: ReactorThread) {
        guard let before = ProcessSample(processID) else {
            throw ReplayFailure(.usage, "--pid \(processID): there is no such process, or it is not ours to look at")
        }
        let probe = LoadProbe(processID, before)
        var limits = ReactorLimits()
        limits.maximumConnections = 1
        let thread = try ReactorThread.start(name: "probe", limits: limits) { loop in
            _ = loop.schedule(afterMilliseconds: intervalMilliseconds, token: 0)
            return probe
        }
        return (probe, thread)
    }

    /// The first report is about to leave.
    func started() {
        let sample = ProcessSample(processID)
        state.withLock { $0.start = sample }
    }

    /// The last answer has come.
    func ended() {
        let sample = ProcessSample(processID)
        state.withLock { $0.end = sample }
    }

    func timer(token: UInt64, on loop: EventLoop) {
        if let sample = ProcessSample(processID) {
            state.withLock { state in
                state.peakBytes = max(state.peakBytes, sample.residentBytes)
                if state.start != nil, state.end == nil { state.series.append(sample.residentBytes) }
            }
        }
        _ = loop.schedule(afterMilliseconds: Self.intervalMilliseconds, token: 0)
    }

    func opened(_ connection: Connection, from origin: ConnectionOrigin, on loop: EventLoop) {}
    func closed(_ connection: Connection, reason: CloseReason, on loop: EventLoop) {}
    func received(_ connection: Connection, bytes: Span<UInt8>, on loop: EventLoop) -> Int { bytes.count }

    /// What was seen, for a run with this many acknowledged frames; nil when the process ended before the run did.
    func usage(frames: UInt64) -> ProcessUsage? {
        state.withLock { state in
            guard let start = state.start, let end = state.end else { return nil }
            var usage = ProcessUsage(
                cpuMicroseconds: (end.cpuNanoseconds - min(start.cpuNanoseconds, end.cpuNanoseconds)) / 1000,
                frames: frames, bytesBefore: state.before.residentBytes, bytesConnected: start.residentBytes,
                bytesPeak: max(state.peakBytes, start.residentBytes, end.residentBytes),
                bytesEnd: end.residentBytes, series: state.series)
            for (name, cpu) in end.threads {
                let before = start.threads[name] ?? 0
                if cpu > before { usage.threads[name] = (cpu - before) / 1000 }
            }
            return usage
        }
    }
}

/// What the process under load has used.
public struct ProcessUsage: Sendable {
    /// Longest series that is printed; a longer run shows every second, third, ... second.
    private static let seriesPoints = 60

    /// Processor time from the first report to the last answer.
    public var cpuMicroseconds: UInt64
    /// Acknowledged reports in that time.
    public var frames: UInt64
    /// Resident memory before the first terminal came, when all were there, at most, and at the end.
    public var bytesBefore: UInt64
    public var bytesConnected: UInt64
    public var bytesPeak: UInt64
    public var bytesEnd: UInt64
    var series: [UInt64]
    /// Microseconds of processor time by thread name.
    var threads: [String: UInt64] = [:]

    private func perFrame(_ microseconds: UInt64) -> Double {
        frames == 0 ? 0 : (Double(microseconds) / Double(frames) * 1000).rounded() / 1000
    }

    public var microsecondsPerFrame: Double { perFrame(cpuMicroseconds) }

    var json: JSONValue {
        var object = JSONObject()
        object.set("cpu_seconds", Double(cpuMicroseconds) / 1e6)
        object.set("cpu_us_per_frame", microsecondsPerFrame)
        var byThread = JSONObject()
        for (name, microseconds) in threads.sorted(by: { $0.value > $1.value }) {
            byThread.set(name, perFrame(microseconds))
        }
        object.set("thread_us_per_frame", byThread.value)
        object.set("resident_bytes_before", Int(bytesBefore))
        object.set("resident_bytes_connected", Int(bytesConnected))
        object.set("resident_bytes_peak", Int(bytesPeak))
        object.set("resident_bytes_end", Int(bytesEnd))
        let stride = max(1, (series.count + Self.seriesPoints - 1) / Self.seriesPoints)
        let points = Swift.stride(from: 0, to: series.count, by: stride).map { JSONValue.int(Int(series[$0])) }
        object.set("resident_bytes_series", .array(points))
        return object.value
    }

    var text: String {
        func mebibytes(_ bytes: UInt64) -> String { Decimal.text(Double(bytes) / 1_048_576, decimals: 1) }
        let busiest = threads.sorted { $0.value > $1.value }.prefix(5).map {
            "\($0.key) \(Decimal.text(perFrame($0.value), decimals: 2))"
        }
        return "process: \(Decimal.text(microsecondsPerFrame, decimals: 2)) us of processor time a frame "
            + "(\(busiest.joined(separator: ", "))), resident \(mebibytes(bytesBefore)) MiB before, "
            + "\(mebibytes(bytesConnected)) connected, \(mebibytes(bytesPeak)) at most, \(mebibytes(bytesEnd)) at the end"
    }
}
