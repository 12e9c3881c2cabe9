import Testing

@testable import AlarmPipeline

@Suite struct CommitWindowTests {
    private func window(busy: Int64 = 5, rows: Int, commit: Duration, times: Int = 50) -> Int64 {
        var window = CommitWindow(busyMilliseconds: busy)
        for _ in 0..<times { window.committed(rows: rows, in: commit) }
        return window.milliseconds
    }

    @Test func anIdleLaneNeverWaits() {
        #expect(CommitWindow(busyMilliseconds: 5).milliseconds == 0)
        #expect(window(rows: 1, commit: .milliseconds(20)) == 0)
        #expect(window(rows: 2, commit: .microseconds(100)) == 0)
    }

    @Test func aFastDiskAddsNothingToWhatIsConfigured() {
        #expect(window(rows: 100, commit: .microseconds(200)) == 5)
        #expect(window(busy: 0, rows: 100, commit: .microseconds(200)) == 0)
    }

    @Test func aSlowDiskIsLeftFreeMostOfTheTime() {
        #expect(window(rows: 100, commit: .milliseconds(10)) == 40)
        #expect(window(rows: 100, commit: .milliseconds(20)) == 80)
        // And bounded, however slow it is.
        #expect(window(rows: 100, commit: .seconds(3)) == 100)
    }

    @Test func itFollowsTheDiskBack() {
        var window = CommitWindow(busyMilliseconds: 0)
        for _ in 0..<50 { window.committed(rows: 100, in: .milliseconds(20)) }
        window.committed(rows: 100, in: .zero)
        #expect(window.milliseconds == 70)
        for _ in 0..<50 { window.committed(rows: 100, in: .zero) }
        #expect(window.milliseconds == 0)
    }
}
