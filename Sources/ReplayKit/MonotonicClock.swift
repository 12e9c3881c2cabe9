// A release build ascribes `timespec` to whichever C module of the target includes its header first.
internal import CPcap
internal import Glibc

/// Time for measuring; the scale is the same in all processes of the machine.
enum MonotonicClock {
    static var nanoseconds: Int64 {
        read(CLOCK_MONOTONIC)
    }

    /// Processor time of the calling thread.
    static var threadCPUNanoseconds: Int64 {
        read(CLOCK_THREAD_CPUTIME_ID)
    }

    /// Sleeps until `deadline` on the scale of `nanoseconds`.
    static func sleep(until deadline: Int64) {
        var time = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
        while clock_nanosleep(CLOCK_MONOTONIC, Int32(TIMER_ABSTIME), &time, nil) == EINTR {}
    }

    /// What the calendar says, in milliseconds since 1970.
    static var wallMilliseconds: Int64 {
        read(CLOCK_REALTIME) / 1_000_000
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
