import Glibc
public import TerminalModel

/// Tells both times; passed in, so that tests can let hours pass at once.
public protocol PipelineClock: Sendable {
    func now() -> Moment
}

/// The kernel's clocks: CLOCK_REALTIME for people, CLOCK_BOOTTIME for timers, which goes on while the machine sleeps.
public struct SystemClock: PipelineClock {
    public init() {}

    public func now() -> Moment {
        Moment(
            wall: Timestamp(milliseconds: Self.milliseconds(CLOCK_REALTIME)),
            monotonicMilliseconds: Self.milliseconds(CLOCK_BOOTTIME))
    }

    private static func milliseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
