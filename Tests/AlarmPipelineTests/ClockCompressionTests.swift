import TerminalModel
import Testing

@testable import AlarmPipeline

struct ClockCompressionTests {
    private let origin = Moment(wall: Timestamp(seconds: 1_773_410_400), monotonicMilliseconds: 5_000_000)

    @Test func aCompressedClockRunsAheadFromItsOrigin() {
        let clock = ClockCompression(pace: 150, origin: origin)
        #expect(clock.compressed(origin) == origin)
        // The kernel's wall clock does not matter: two processes that start at different times agree.
        let later = clock.compressed(
            Moment(wall: Timestamp(seconds: 1), monotonicMilliseconds: origin.monotonicMilliseconds + 2000))
        #expect(later.wall == origin.wall.adding(milliseconds: 300_000))
        #expect(later.monotonicMilliseconds == origin.monotonicMilliseconds + 300_000)
    }

    @Test func theProductsClockIsTheKernels() {
        #expect(SystemClock.kernelMilliseconds(1500) == 1500)
        let first = SystemClock.now()
        let second = SystemClock.now()
        #expect(second.monotonicMilliseconds >= first.monotonicMilliseconds)
    }
}
