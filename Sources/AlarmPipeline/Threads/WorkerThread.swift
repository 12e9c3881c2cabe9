import Foundation
import Glibc
import Synchronization

/// Wakes one sleeping thread; a ring that nobody waits for is kept until the next wait.
///
/// Waits run on CLOCK_MONOTONIC, so that setting the wall clock neither cuts nor stretches them.
/// `@unchecked Sendable`: the members are touched only while the pthread mutex is held, and it lives as long as they do.
final class Doorbell: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var hasRung = false
    private var hasRungUrgently = false
    /// Only an urgent ring wakes the thread.
    private var isGathering = false

    init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// - Parameter isUrgent: false for what may wait while the thread lets more of it gather.
    func ring(isUrgent: Bool = true) {
        pthread_mutex_lock(mutex)
        hasRung = true
        if isUrgent { hasRungUrgently = true }
        if isUrgent || !isGathering { pthread_cond_signal(condition) }
        pthread_mutex_unlock(mutex)
    }

    /// Returns at the next ring, at once when one is kept, or after the time.
    func wait(milliseconds: Int64) {
        sleep(milliseconds: milliseconds, gathering: false)
    }

    /// Returns after the time, or at the next urgent ring, at once when one is kept. What rang meanwhile counts as heard.
    func gather(milliseconds: Int64) {
        sleep(milliseconds: milliseconds, gathering: true)
    }

    /// True once for all rings since the last time: for whoever runs the thread by hand.
    func takeRing() -> Bool {
        pthread_mutex_lock(mutex)
        defer {
            hasRung = false
            hasRungUrgently = false
            pthread_mutex_unlock(mutex)
        }
        return hasRung
    }

    private func sleep(milliseconds: Int64, gathering: Bool) {
        guard milliseconds > 0, !SteppedThreads.isOn else { return }
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let nanoseconds = deadline.tv_nsec + Int(milliseconds % 1000) * 1_000_000
        deadline.tv_sec += Int(milliseconds / 1000) + nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        pthread_mutex_lock(mutex)
        var result: Int32 = 0
        isGathering = gathering
        while !(gathering ? hasRungUrgently : hasRung), result == 0 {
            result = pthread_cond_timedwait(condition, mutex, &deadline)
        }
        isGathering = false
        hasRung = false
        hasRungUrgently = false
        pthread_mutex_unlock(mutex)
    }
}

/// A thread that does one turn of work after another and sleeps in between, counting its turns for the watchdog.
package final class WorkerThread: Sendable {
    /// The longest sleep: a healthy thread turns at least so often.
    static let maximumSleepMilliseconds: Int64 = 1000

    package let name: String
    let bell = Doorbell()
    private let turns = Atomic<UInt64>(0)
    private let isWaitingForDisk = Atomic<Bool>(false)
    private let stopping = Atomic<Bool>(false)
    private let finished = DispatchSemaphore(value: 0)
    private let steppedTurn = Mutex<Turn?>(nil)

    /// A closure that is read again and again must stay what it was: each read of a bare one would wrap it once more.
    private struct Turn: Sendable {
        let run: @Sendable () -> Int64
    }

    init(name: String) {
        self.name = name
    }

    /// Rises with every turn; a thread that hangs leaves it where it is.
    var liveness: UInt64 { turns.load(ordering: .relaxed) }

    /// True while the thread is in a call that a hanging disk does not let return.
    var isAtTheDisk: Bool { isWaitingForDisk.load(ordering: .relaxed) }

    /// Runs what the disk may hold up; called on this thread.
    func atTheDisk<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        isWaitingForDisk.store(true, ordering: .relaxed)
        defer { isWaitingForDisk.store(false, ordering: .relaxed) }
        return try body()
    }

    var isStopping: Bool { stopping.load(ordering: .acquiring) }

    /// Starts the thread. `turn` does what there is to do and says how long it may sleep; `last` runs once at the end.
    func start(turn: @escaping @Sendable () -> Int64, last: @escaping @Sendable () -> Void) {
        if SteppedThreads.isOn {
            steppedTurn.withLock { $0 = Turn(run: turn) }
            bell.ring()
            return
        }
        let thread = Thread { [self] in
            // The name of a `Thread` does not reach the kernel, and so no profiler.
            try? name.write(toFile: "/proc/thread-self/comm", atomically: false, encoding: .utf8)
            while !isStopping {
                let milliseconds = turn()
                turns.wrappingAdd(1, ordering: .relaxed)
                bell.wait(
                    milliseconds: min(SystemClock.kernelMilliseconds(milliseconds), Self.maximumSleepMilliseconds))
            }
            last()
            finished.signal()
        }
        thread.name = name
        thread.stackSize = 2 << 20
        thread.start()
    }

    /// Somebody has rung since the last turn; only where threads are run by hand.
    package func takeRing() -> Bool { bell.takeRing() }

    /// Runs one turn by hand.
    ///
    /// - Returns: how many milliseconds the thread would sleep now.
    package func step() -> Int64 { steppedTurn.withLock { $0 }?.run() ?? Self.maximumSleepMilliseconds }

    /// Ends a thread that is run by hand where it stands, as a crash does.
    package func abandon() { steppedTurn.withLock { $0 = nil } }

    /// Lets the thread finish and waits for it.
    func stop() {
        stopping.store(true, ordering: .releasing)
        bell.ring()
        finished.wait()
        finished.signal()
    }
}
