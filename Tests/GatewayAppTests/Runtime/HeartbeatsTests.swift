import Testing

@testable import AlarmPipeline
@testable import GatewayApp

/// What feeds the watchdog of systemd.
@Suite struct HeartbeatsTests {
    private func beats(commit: UInt64, decide: UInt64, loop: UInt64, atTheDisk: Bool) -> Heartbeats {
        Heartbeats(
            pipeline: [
                ThreadLiveness(thread: "ydt-commit", turns: commit, isAtTheDisk: atTheDisk),
                ThreadLiveness(thread: "ydt-decide", turns: decide, isAtTheDisk: false),
            ], loops: [("ydt-loop-0", loop)])
    }

    @Test func aHangingDiskDoesNotEndAGatewayThatEscalates() {
        let before = beats(commit: 7, decide: 7, loop: 7, atTheDisk: true)
        let (threads, atTheDisk) = beats(commit: 7, decide: 8, loop: 8, atTheDisk: true).stalled(since: before)
        #expect(threads.isEmpty)
        #expect(atTheDisk == ["ydt-commit"])
    }

    @Test func whateverElseStandsStillDoes() {
        let before = beats(commit: 7, decide: 7, loop: 7, atTheDisk: false)
        let (threads, atTheDisk) = beats(commit: 7, decide: 7, loop: 7, atTheDisk: false).stalled(since: before)
        #expect(threads == ["ydt-commit", "ydt-decide", "ydt-loop-0"])
        #expect(atTheDisk.isEmpty)
    }
}
