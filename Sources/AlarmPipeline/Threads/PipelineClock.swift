import Glibc
public import TerminalModel

/// Tells both times; passed in, so that tests can let hours pass at once.
public protocol PipelineClock: Sendable {
    func now() -> Moment

    /// What the machine's own waiting is measured by.
    func instant() -> ContinuousClock.Instant
}

extension PipelineClock {
    public func instant() -> ContinuousClock.Instant { .now }
}

/// The kernel's clocks: CLOCK_REALTIME for people, CLOCK_BOOTTIME for timers, which goes on while the machine sleeps.
///
/// Everything that people wait for goes by it. What only the machine waits for (a connection, an answer, the disk) goes by
/// the kernel's clocks themselves.
public struct SystemClock: PipelineClock {
    public init() {}

    public func now() -> Moment { Self.now() }

    public static func now() -> Moment {
        let moment = Moment(
            wall: Timestamp(milliseconds: milliseconds(CLOCK_REALTIME)),
            monotonicMilliseconds: milliseconds(CLOCK_BOOTTIME))
        return compression.map { $0.compressed(moment) } ?? moment
    }

    /// How long a thread sleeps on the kernel's clock until so much time has passed on this one.
    static func kernelMilliseconds(_ milliseconds: Int64) -> Int64 {
        guard let compression else { return milliseconds }
        return (milliseconds &+ compression.pace &- 1) / compression.pace
    }

    private static func milliseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    // MARK: Nights that pass in minutes

    /// Set before the first thread starts and never again.
    private nonisolated(unsafe) static var compression: ClockCompression?

    /// Lets time pass faster, in the test build of the daemon alone: no product calls it.
    package static func compress(_ compression: ClockCompression) {
        self.compression = compression
    }
}

/// A clock that shows the kernel's times at its origin and runs ahead of them from there.
package struct ClockCompression: Sendable {
    /// 1...3600: seconds that pass in one of the kernel's.
    let pace: Int64
    /// Where both clocks agree; the same for each process of a test, so that a restart goes back to no earlier time.
    let origin: Moment

    package init(pace: Int, origin: Moment) {
        precondition((1...3600).contains(pace), "the pace is 1 to 3600, found \(pace)")
        self.pace = Int64(pace)
        self.origin = origin
    }

    func compressed(_ moment: Moment) -> Moment {
        let passed = moment.monotonicMilliseconds &- origin.monotonicMilliseconds
        return Moment(
            wall: origin.wall.adding(milliseconds: passed &* pace),
            monotonicMilliseconds: origin.monotonicMilliseconds &+ passed &* pace)
    }
}
