import AlarmPipeline
import CFaultDisk
import Foundation

/// Incident engine, outbox and ladder against seeded crashes, disk faults, delays, duplicates and reordering.
///
/// Goes on from seed to seed until so many incidents were lived through, or lives through the one seed; a seed that breaks a
/// promise is named and ends it with exit code 1. `--tell` prints the story and keeps the files.
@main
enum IncidentSimulation {
    static func main() {
        // The order of a dictionary must not differ from run to run.
        if getenv("SWIFT_DETERMINISTIC_HASHING") == nil {
            setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
            var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) }
            arguments.append(nil)
            execv("/proc/self/exe", arguments)
        }
        guard let options = Options(CommandLine.arguments.dropFirst()) else {
            print("usage: incident-simulation [--incidents N] [--first SEED] [--seed SEED] [--tell] [--calm]")
            exit(64)
        }
        guard fault_disk_install() == 0 else {
            print("incident-simulation: SQLite does not take the fault disk")
            exit(70)
        }
        let executor = SteppedExecutor()
        SteppedThreads.begin(attemptsOn: executor)
        exit(options.run(executor))
    }
}

struct Options {
    var incidents = 10_000
    var first: UInt64 = 1
    var only: UInt64?
    var tells = false
    var isCalm = false

    init?(_ arguments: some Sequence<String>) {
        var rest = arguments.makeIterator()
        while let argument = rest.next() {
            switch argument {
            case "--incidents":
                guard let number = rest.next().flatMap(Int.init), number > 0 else { return nil }
                incidents = number
            case "--seed":
                guard let number = rest.next().flatMap(UInt64.init) else { return nil }
                only = number
            case "--first":
                guard let number = rest.next().flatMap(UInt64.init) else { return nil }
                first = number
            case "--tell": tells = true
            case "--calm": isCalm = true
            default: return nil
            }
        }
    }

    /// - Returns: the exit code.
    func run(_ executor: SteppedExecutor) -> Int32 {
        let began = ContinuousClock.now
        // Memory, where there is some: what a sync is worth is decided before the disk.
        let base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : FileManager.default.temporaryDirectory.path
        var incidents = 0
        var presses = 0
        var starts = 0
        var seed = only ?? first
        var lastTold = began
        while true {
            let root = base + "/simulation-\(getpid())-\(seed)"
            var setting = Simulation.Setting()
            setting.isCalm = isCalm
            let simulation = Simulation(seed: seed, setting: setting, executor: executor, root: root)
            simulation.narrates = tells
            let result = Result { try simulation.run() }
            if !tells { try? FileManager.default.removeItem(atPath: root) }
            incidents += simulation.ledger.incidents
            presses += simulation.ledger.presses.count
            starts += simulation.starts
            if case .failure(let error) = result {
                print("seed \(seed) at \(simulation.time) ms: \(error)")
                print("again: incident-simulation --seed \(seed) --tell")
                return 1
            }
            let isLast = only != nil || incidents >= self.incidents
            if isLast || ContinuousClock.now - lastTold > .seconds(20) {
                lastTold = .now
                print(
                    "\(incidents) incidents of \(presses) presses, \(starts) starts, to seed \(seed), \(ContinuousClock.now - began)"
                )
            }
            if isLast {
                if only != nil { print("digest \(String(simulation.digest, radix: 16))") }
                return 0
            }
            seed += 1
        }
    }
}
