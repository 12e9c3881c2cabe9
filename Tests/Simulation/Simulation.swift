import AlarmPipeline
import CFaultDisk
import Foundation
import IncidentCore
import IncidentStore
import Logging
import TerminalModel

/// One district, a bad network, slow people, a failing disk and a gateway that loses its power, all from one seed.
///
/// The gateway is the real pipeline on real SQLite files; only its clock, its threads' turns, its disk and the world around
/// it are the simulation's. Everything runs on one thread, so a seed tells the same story each time.
final class Simulation: @unchecked Sendable {
    struct Setting {
        var presses = 250
        var terminals = 30
        /// Keeps the disk sound and the machine running: for measuring what the rest costs.
        var isCalm = false
    }

    private struct Appointment {
        var time: Int64
        var serial: UInt64
        var action: () -> Void
    }

    /// A thread of the gateway and when it has to run.
    private struct Thread {
        var thread: WorkerThread
        var due: Int64
        /// Held up by the machine until then.
        var notBefore: Int64
        var isReady = true
    }

    let seed: UInt64
    let setting: Setting
    let executor: SteppedExecutor
    let root: String
    var random: SplitMix
    /// True time, milliseconds since the begin.
    private(set) var time: Int64 = 0
    /// The gateway's clocks against it.
    private(set) var wallOffset: Int64 = 0
    private var bootedAt: Int64 = -100_000
    private var boots = 1
    private var hasJumped = false
    private var agenda: [Appointment] = []
    private var nextSerial: UInt64 = 0
    private var threads: [Thread] = []
    private(set) var pipeline: AlarmPipeline?
    /// Rises with every start: what an earlier life still says is not heard.
    private(set) var life = 0
    private(set) var directory = ""
    var terminals: [SimulatedTerminal] = []
    var centre: SimulatedCentre!
    var ledger = Ledger()
    /// No more faults from here on.
    private(set) var isQuiet = false
    private(set) var starts = 0
    /// Of all that happened, in order.
    private(set) var digest: UInt64 = 0xCBF2_9CE4_8422_2325
    var narrates = false

    static let begin = Timestamp(milliseconds: 1_773_489_600_000)

    init(seed: UInt64, setting: Setting, executor: SteppedExecutor, root: String) {
        self.seed = seed
        self.setting = setting
        self.executor = executor
        self.root = root
        random = SplitMix(seed: seed)
    }

    // MARK: Time

    func at(_ time: Int64, _ action: @escaping () -> Void) {
        nextSerial += 1
        let new = Appointment(time: max(time, self.time), serial: nextSerial, action: action)
        // The latest first, so that the next one is the last.
        var low = 0
        var high = agenda.count
        while low < high {
            let middle = (low + high) / 2
            if (agenda[middle].time, agenda[middle].serial) > (new.time, new.serial) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        agenda.insert(new, at: low)
    }

    func after(_ milliseconds: Int64, _ action: @escaping () -> Void) { at(time + milliseconds, action) }

    var trueWall: Timestamp { Self.begin.adding(milliseconds: time) }

    func tell(_ what: @autoclosure () -> String) {
        let line = "\(time) \(what())"
        for byte in line.utf8 { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3 }
        if narrates { print(line) }
    }

    // MARK: The story

    /// Lets everything happen, then lets all faults end, and looks whether anything was lost.
    func run() throws {
        fault_disk_begin(seed)
        directory = root + "/0"
        centre = SimulatedCentre(self)
        try furnish()
        try boot()
        for index in 0..<setting.terminals { terminals.append(SimulatedTerminal(index, self)) }
        for terminal in terminals { terminal.begin() }
        if !setting.isCalm { planDiskFaults() }
        centre.begin()
        planWatch()
        while ledger.presses.count < setting.presses { try step() }
        isQuiet = true
        fault_disk_set_mode(FAULT_DISK_SOUND)
        fault_disk_stop_after(-1)
        tell("the world calms down")
        let end = time + 7_200_000
        while time < end, !isAtRest { try step() }
        guard isAtRest else {
            throw Violation("P2", "after two quiet hours something still waits: \(rest)")
        }
        let quiet = time + 180_000
        while time < quiet { try step() }
        try audit(isLast: true)
        try release()
    }

    private var isAtRest: Bool { terminals.allSatisfy(\.isAtRest) && centre.isAtRest }

    private var rest: String {
        let waiting = terminals.filter { !$0.isAtRest }.map { "\($0.id)" }
        return "terminals \(waiting), incidents \(centre.open)"
    }

    private func step() throws {
        try settle()
        guard fault_disk_is_stopped() == 0 else { return try crash() }
        let nextThread = threads.map { max($0.isReady ? time : $0.due, $0.notBefore) }.min() ?? .max
        let nextAction = agenda.last?.time ?? .max
        if nextAction <= nextThread, let appointment = agenda.popLast() {
            time = max(time, appointment.time)
            appointment.action()
            executor.run()
        } else {
            time = max(time, nextThread)
        }
    }

    /// Lets the threads that have something to do run, one turn each, in an order of chance.
    private func settle() throws {
        while true {
            executor.run()
            for index in threads.indices where threads[index].thread.takeRing() { threads[index].isReady = true }
            let ready = threads.indices.filter {
                (threads[$0].isReady || threads[$0].due <= time) && threads[$0].notBefore <= time
            }
            guard let index = ready.isEmpty ? nil : ready[Int(random.next(0...Int64(ready.count - 1)))] else { return }
            if !isQuiet, random.happens(3) {
                threads[index].notBefore = time + random.next(1...40)
                continue
            }
            threads[index].isReady = false
            let sleep = threads[index].thread.step()
            threads[index].due = time + max(0, min(sleep, 1000))
            if !isQuiet, random.happens(1) { time += random.next(1...400) }
            if fault_disk_is_stopped() != 0 { return }
            try ledger.throwFound()
        }
    }

    // MARK: The gateway

    private func furnish() throws {
        let store = try IncidentStore(directory: directory, now: trueWall)
        var writes: [StoreWrite] = []
        for index in 0..<setting.terminals {
            var person = Person(id: "p\(index)", name: "Person \(index)")
            person.consentsToAutomatic120 = index % 2 == 0
            writes.append(.person(person))
            writes.append(
                .assignment(
                    TerminalAssignment(terminal: SimulatedTerminal.id(index), person: person.id), at: trueWall))
        }
        try store.write(writes)
        try store.close()
    }

    static var rules: IncidentRules {
        IncidentRules(
            policies: [
                Policy(
                    service: .emergency,
                    steps: [
                        PolicyStep(afterMilliseconds: 0, targets: ["dispatch", "hub"]),
                        PolicyStep(afterMilliseconds: 20_000, targets: ["family"]),
                    ], repeatMilliseconds: Int(SimulatedCentre.repeatMilliseconds))
            ],
            targets: [
                TargetFacts(name: "dispatch", isEmergencyService: true),
                TargetFacts(name: "hub", isEmergencyService: false),
                TargetFacts(name: "family", isEmergencyService: false, audience: .contacts),
            ], isCommissioned: true)
    }

    /// Starts the gateway on what the disk holds; the power may go while it does.
    private func boot() throws {
        life += 1
        starts += 1
        if !setting.isCalm, !isQuiet { planStops() }
        do {
            try start()
        } catch  where fault_disk_is_stopped() != 0 {
            tell("start \(starts) is cut")
        }
    }

    private func start() throws {
        let store = try IncidentStore(directory: directory, now: clock.now().wall)
        let tracks = try TrackStore(directory: directory, now: clock.now().wall)
        guard store.setAside.isEmpty, tracks.setAside.isEmpty else {
            throw Violation("P1", "a power cut damaged a file: \(store.setAside + tracks.setAside)")
        }
        var configuration = PipelineConfiguration(rules: Self.rules, bootID: "boot-\(boots)")
        configuration.makeID = { [self] in IncidentID(rawValue: random.next()) }
        configuration.jitter = { [self] in Double(random.next(80...120)) / 100 }
        let pipeline = try AlarmPipeline(
            configuration: configuration, store: store, tracks: tracks, directory: TerminalDirectory(),
            plane: SimulatedPlane(simulation: self, life: life), channels: centre.channels(life: life), clock: clock,
            logger: Logger(label: "simulation", factory: { _ in SwiftLogNoOpLogHandler() }))
        pipeline.start()
        self.pipeline = pipeline
        threads = pipeline.threads.map { Thread(thread: $0, due: time, notBefore: time) }
        tell("start \(starts), clock off by \(wallOffset)")
        ledger.disturbed(at: time)
        try audit(isLast: false)
        for terminal in terminals { terminal.connect() }
    }

    private var clock: SimulatedClock { SimulatedClock(simulation: self) }

    func moment() -> Moment {
        Moment(
            wall: trueWall.adding(milliseconds: wallOffset), monotonicMilliseconds: time - bootedAt)
    }

    /// What is in memory is gone, and of what is on the disk what no sync covers may be.
    private func crash() throws {
        let isPowerCut = random.happens(60)
        tell(isPowerCut ? "power cut" : "killed")
        ledger.disturbed(at: time)
        life += 1
        try release()
        if isPowerCut {
            guard fault_disk_cut_power() == 0 else { throw Violation("", "the simulated disk broke") }
        } else {
            fault_disk_keep_all()
        }
        // Connections of the life before may close later than this: the next one begins on a copy.
        let next = root + "/\(life)"
        try FileManager.default.createDirectory(atPath: next, withIntermediateDirectories: true)
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) where !name.hasSuffix("-shm") {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: directory + "/" + name))
            try bytes.write(to: URL(fileURLWithPath: next + "/" + name))
        }
        try FileManager.default.removeItem(atPath: directory)
        directory = next
        fault_disk_begin(random.next())
        time += random.next(500...20_000)
        if isPowerCut {
            boots += 1
            bootedAt = time - random.next(5000...60_000)
            wallOffset = random.next(-3000...3000)
            if random.happens(2) {
                wallOffset += random.happens(50) ? 86_400_000 : -86_400_000
                hasJumped = true
            }
        }
        try boot()
    }

    private func release() throws {
        centre.cutAttempts()
        executor.run()
        for thread in threads { thread.thread.abandon() }
        threads = []
        pipeline = nil
        executor.run()
    }

    func isAlive(_ life: Int) -> Bool { life == self.life && fault_disk_is_stopped() == 0 }

    // MARK: What goes wrong

    private func planStops() {
        let life = life
        if random.happens(70) {
            fault_disk_stop_after(random.next(0...400))
        } else {
            after(random.next(1...200_000)) { [self] in
                if self.life == life, !isQuiet { fault_disk_stop() }
            }
        }
    }

    private func planDiskFaults() {
        after(random.next(5000...200_000)) { [self] in
            guard !isQuiet else { return }
            let modes = [FAULT_DISK_SYNC_FAILS, FAULT_DISK_WRITE_FAILS, FAULT_DISK_FULL]
            let mode = modes[Int(random.next(0...2))]
            let length = random.happens(50) ? random.next(0...50) : random.next(100...30_000)
            fault_disk_set_mode(mode)
            ledger.disturbed(at: time + length)
            tell("the disk fails for \(length), \(mode)")
            after(length) { [self] in
                fault_disk_set_mode(FAULT_DISK_SOUND)
                ledger.disturbed(at: time)
                planDiskFaults()
            }
        }
    }

    /// Now and then somebody looks whether the siren sounds and the ladder goes on.
    private func planWatch() {
        after(5000) { [self] in
            if let calls = pipeline?.lifeSafetyCalls, fault_disk_is_stopped() == 0 {
                ledger.watch(calls.incidents, at: time)
            }
            planWatch()
        }
    }

    private func audit(isLast: Bool) throws {
        guard let pipeline else { return }
        try ledger.audit(
            StoredFacts(directory + "/" + IncidentStore.fileName), calls: pipeline.lifeSafetyCalls.incidents,
            hasJumped: hasJumped, isLast: isLast)
    }
}

private struct SimulatedClock: PipelineClock {
    let simulation: Simulation

    func now() -> Moment { simulation.moment() }

    func instant() -> ContinuousClock.Instant {
        Self.origin.advanced(by: .milliseconds(simulation.moment().monotonicMilliseconds))
    }

    private static let origin = ContinuousClock.now
}

/// Carries answers back to the terminals.
private struct SimulatedPlane: TerminalPlane {
    let simulation: Simulation
    let life: Int

    func deliver(_ results: [IngestResult]) {
        guard simulation.isAlive(life) else { return }
        for result in results { SimulatedTerminal.answered(result, simulation) }
    }

    func deliver(_ orders: [DownlinkOrder]) {}
}
