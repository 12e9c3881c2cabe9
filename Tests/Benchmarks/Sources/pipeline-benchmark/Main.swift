import AlarmPipeline
import CDecodeReference
import Foundation
import Geofencing
import Glibc
import IncidentCore
import IncidentStore
import Logging
import Synchronization
import TerminalModel

/// What one position costs between the session and the disk, what a terminal costs in memory, what a fence costs, and how
/// long a start takes.
///
///     pipeline-benchmark positions [TERMINALS]   CPU and allocations of each thread per position
///     pipeline-benchmark memory [TERMINALS]      resident bytes per terminal: known, connected, with a position
///     pipeline-benchmark fences [FENCES]         ns per position against a person's fences, and against the district's
///     pipeline-benchmark data DIRECTORY [T F I]  fills a store with terminals and people, fences, open incidents
///     pipeline-benchmark start DIRECTORY         time from opening that store to the first acknowledged frames
@main
enum PipelineBenchmark {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        let numbers = arguments.compactMap { Int($0) }
        let directory = arguments.dropFirst().first ?? ""
        switch arguments.first {
        case "positions": try await Positions(terminals: numbers.first ?? 100_000).run()
        case "memory": try await Memory(terminals: numbers.first ?? 500_000).run()
        case "fences": try Fences(count: numbers.first ?? 100_000).run()
        case "data" where !directory.isEmpty:
            var district = District()
            if numbers.count == 3 {
                (district.terminals, district.fences, district.incidents) = (numbers[0], numbers[1], numbers[2])
            }
            let store = try IncidentStore(directory: directory, now: District.moment)
            try district.write(to: store)
            try store.close()
        case "start" where !directory.isEmpty: try await Start(directory: directory).run()
        default:
            print("usage: pipeline-benchmark positions|memory|fences [COUNT] | data|start DIRECTORY")
            exit(2)
        }
    }
}

/// A gateway without terminals, network and channels.
struct Site {
    let pipeline: AlarmPipeline
    let plane = CountingPlane()

    init(directory: String, now: Timestamp, directoryOfTerminals: TerminalDirectory = TerminalDirectory()) throws {
        let store = try IncidentStore(directory: directory, now: now)
        let tracks = try TrackStore(directory: directory, now: now)
        let rules = IncidentRules(
            policies: [
                Policy(
                    service: .emergency, steps: [PolicyStep(afterMilliseconds: 0, targets: ["hub"])],
                    repeatMilliseconds: 60_000)
            ], targets: [TargetFacts(name: "hub", isEmergencyService: false)], silence: SilenceLimits(seconds: 86_400))
        var configuration = PipelineConfiguration(rules: rules, bootID: "boot")
        configuration.queueLimits.positions = 1_000_000
        configuration.queueLimits.pendingPositions = 1_000_000
        pipeline = try AlarmPipeline(
            configuration: configuration, store: store, tracks: tracks, directory: directoryOfTerminals, plane: plane,
            channels: [], logger: Logger(label: "bench", factory: { _ in SwiftLogNoOpLogHandler() }))
        pipeline.start()
    }

    func stop() async throws {
        await pipeline.stop()
        try pipeline.store.close()
        try pipeline.tracks.close()
    }
}

/// Counts answers and lets the caller wait for them.
final class CountingPlane: TerminalPlane {
    private struct State {
        var answers = 0
        var failures = 0
        var alarms = 0
    }

    private let state = Mutex(State())
    private let arrived = DispatchSemaphore(value: 0)

    func deliver(_ results: [IngestResult]) {
        state.withLock { state in
            state.answers += results.count
            state.failures += results.reduce(0) { $0 + ($1.outcome == .failed ? 1 : 0) }
            state.alarms += results.reduce(0) { $0 + ($1.isAlarm ? 1 : 0) }
        }
        arrived.signal()
    }

    func deliver(_ orders: [DownlinkOrder]) {}

    var failures: Int { state.withLock(\.failures) }
    var alarms: Int { state.withLock(\.alarms) }

    func wait(for count: Int) {
        while state.withLock(\.answers) < count { arrived.wait() }
    }
}

/// A plain position as the fastest protocol decodes it.
func position(of terminal: TerminalID, at place: Coordinate, _ sequence: Int, received: Timestamp) -> TerminalEvent {
    var event = TerminalEvent(
        protocolName: .jt808, terminal: terminal, message: .number(0x0200), sequence: sequence & 0xFFFF,
        received: received, kind: .report)
    event.deviceTime = received
    event.position = Position(
        valid: true, latitudeDegrees: place.latitudeDegrees, longitudeDegrees: place.longitudeDegrees,
        altitudeMetres: 60, speedKilometresPerHour: 1.2, courseDegrees: 90, satellites: 9)
    event.batteryPercent = 80
    let mileage: [UInt8] = [0, 0, 1, 2]
    _ = event.addItem(0x01, mileage.span)
    return event
}

func report(_ event: TerminalEvent, request: UInt32) -> IngestItem {
    .report(
        InboundReport(event: event, trust: .byID, bearer: .tcp, peer: "127.0.0.1:5", frame: []),
        ReplyTicket(loop: 0, connection: 1, request: request))
}

func nanoseconds(_ clock: clockid_t = CLOCK_MONOTONIC) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

func wallClock() -> Timestamp { Timestamp(milliseconds: nanoseconds(CLOCK_REALTIME) / 1_000_000) }

/// CPU nanoseconds of each thread of this process so far, by its name.
func threadTimes() -> [String: Int64] {
    var times: [String: Int64] = [:]
    for thread in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? [] {
        guard let name = try? String(contentsOfFile: "/proc/self/task/\(thread)/comm", encoding: .utf8),
            let schedule = try? String(contentsOfFile: "/proc/self/task/\(thread)/schedstat", encoding: .utf8),
            let time = schedule.split(separator: " ").first.flatMap({ Int64($0) })
        else { continue }
        times[name.filter { !$0.isWhitespace }, default: 0] += time
    }
    return times
}

/// Resident bytes of this process, without file pages.
func residentBytes() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") } ?? ""
    return (line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0) * 1024
}

func temporaryDirectory() -> String {
    FileManager.default.temporaryDirectory.path + "/pipeline-benchmark-\(getpid())"
}

func shown(_ value: Double) -> String { String((value * 100).rounded() / 100) }
