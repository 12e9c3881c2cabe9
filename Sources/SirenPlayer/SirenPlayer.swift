import Foundation
public import SirenLatch
import Synchronization

/// Looks at the latch and drives every output on a thread of its own until it is stopped.
public final class SirenPlayer: Sendable {
    /// The latch is looked at so often: a press sounds within a tenth of a second.
    static let lookMilliseconds: Int64 = 50
    /// A failing output is tried again so soon; its first failure and its return are logged, not each try.
    static let retryMicroseconds: UInt32 = 1_000_000

    /// What an output did, for the log.
    public enum Report: Sendable, Equatable {
        case started(SirenSound)
        case quiet
        case failed(output: String, why: String)
        case works(output: String)
        case selfTested(SelfTest)
    }

    private let control: SirenControl
    private let outputs: [any SirenOutput]
    private let selfTestHour: Int?
    private let testRecord: LatchDirectory?
    private let report: @Sendable (Report) -> Void
    private let wanted = Mutex<SirenSound?>(nil)
    private let isStopping = Atomic<Bool>(false)
    private let isTesting = Atomic<Bool>(false)

    /// - Parameters:
    ///   - outputs: any of them alone is enough to be heard.
    ///   - selfTestHour: the local hour, 0...23, at which each output plays a tone for a second; nil for never.
    ///   - testRecord: where the result is left for the gateway.
    public init(
        control: SirenControl, outputs: [any SirenOutput], selfTestHour: Int? = nil,
        testRecord: LatchDirectory? = nil, report: @escaping @Sendable (Report) -> Void
    ) {
        self.control = control
        self.outputs = outputs
        self.selfTestHour = selfTestHour
        self.testRecord = testRecord
        self.report = report
    }

    /// Runs until `stop`; outputs keep trying without end.
    public func run() {
        // Before any output moves: a siren that starts again must not switch a relay off for a moment.
        wanted.withLock { $0 = control.sound(at: .now()) }
        let running = DispatchGroup()
        for output in outputs {
            running.enter()
            let thread = Thread { [self] in
                drive(output)
                running.leave()
            }
            thread.name = output.name
            thread.start()
        }
        look()
        // An output that hangs in the system must not keep the program from ending.
        _ = running.wait(timeout: .now() + 2)
    }

    public func stop() { isStopping.store(true, ordering: .relaxed) }

    private var goesOn: Bool { !isStopping.load(ordering: .relaxed) }

    private func look() {
        var last: SirenSound?
        var testedDay = TestDay.today(atOrAfter: selfTestHour) ?? ""
        while goesOn {
            let sound = control.sound(at: .now())
            wanted.withLock { $0 = sound }
            if sound != last {
                report(sound.map { .started($0) } ?? .quiet)
                last = sound
            }
            if sound == nil {
                let today = TestDay.today(atOrAfter: selfTestHour) ?? testedDay
                let isWished = testRecord?.takeTestRequest() ?? false
                if isWished || today != testedDay { beginTest() }
                testedDay = today
            }
            usleep(UInt32(Self.lookMilliseconds * 1000))
        }
    }

    /// On a thread of its own: a press during the tone must not wait for its end.
    private func beginTest() {
        guard !isTesting.exchange(true, ordering: .relaxed) else { return }
        Thread.detachNewThread { [self] in
            report(.selfTested(selfTest()))
            isTesting.store(false, ordering: .relaxed)
        }
    }

    private func drive(_ output: any SirenOutput) {
        var isFailing = false
        while goesOn {
            let sound = wanted.withLock { $0 }
            do {
                try output.step(sound)
                if isFailing, sound != nil {
                    isFailing = false
                    report(.works(output: output.name))
                }
            } catch {
                if !isFailing { report(.failed(output: output.name, why: "\(error)")) }
                isFailing = true
                usleep(Self.retryMicroseconds)
            }
        }
        output.stop()
    }

    /// Plays the tone on every output and leaves the result for the gateway.
    @discardableResult
    public func selfTest() -> SelfTest {
        var failures: [String] = []
        for output in outputs {
            do { try output.selfTest() } catch { failures.append("\(error)") }
        }
        var result = SelfTest(at: .now(), outputs: outputs.map(\.name), failures: failures)
        do {
            try testRecord?.write(result)
        } catch {
            result.failures.append("\(error)")
        }
        return result
    }
}
