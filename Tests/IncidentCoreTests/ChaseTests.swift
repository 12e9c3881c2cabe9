import IncidentCore
import TerminalModel
import Testing

private let sos = AlarmSet(.sos)
private let fast = TerminalCommand.track(intervalSeconds: 10, durationSeconds: 600)

/// After an SOS the position is chased until the incident is closed.
@Suite struct ChaseTests {
    private var rules: IncidentRules {
        var rules = IncidentRules.example
        rules.chase = ChaseRules(normalIntervalSeconds: 120)
        return rules
    }

    private func orders(_ bench: borrowing Bench) -> [TerminalCommand] {
        bench.decisions.flatMap(\.commands).map(\.command)
    }

    private func place(_ latitude: Double, valid: Bool = true, accuracy: Int? = nil) -> Position {
        Position(
            valid: valid, latitudeDegrees: latitude, longitudeDegrees: 112.9, accuracyMetres: accuracy, source: .gnss)
    }

    /// The press and its notices are one decision, asking is another that follows at once.
    @Test func theSOSGoesFirst() {
        var bench = Bench(rules)
        let decision = bench.report(sos)
        #expect(decision.told == ["opened:dispatch-120,care-hub,siren"])
        #expect(decision.commands.isEmpty)
        #expect(bench.engine.nextDeadlineMonotonicMilliseconds == bench.now.monotonicMilliseconds)
        bench.run(seconds: 0)
        #expect(orders(bench) == [.locate, fast])
        #expect(bench.decisions.flatMap(\.commands).allSatisfy { $0.incident == bench.newest?.id })
    }

    @Test func itIsAskedAgainUntilClosingAndThenReturnsToNormal() throws {
        var bench = Bench(rules)
        bench.report(sos)
        bench.run(seconds: 569)
        #expect(orders(bench).count == 2)
        try bench.operate(.acknowledge(reason: ""))
        bench.run(seconds: 1)
        #expect(orders(bench).suffix(2) == [.locate, fast])
        try bench.operate(.handOver(to: "helper", dueAt: nil, reason: ""))
        bench.run(seconds: 570)
        #expect(orders(bench).count { $0 == fast } == 3)
        let closing = try bench.operate(.close(disposition: "helped", reason: ""))
        #expect(closing.commands.map(\.command) == [.track(intervalSeconds: 0, durationSeconds: 0)])
        #expect(closing.commands.first?.lifetimeSeconds == 7 * 86_400)
        let count = orders(bench).count
        bench.run(seconds: 86_400)
        #expect(orders(bench).count == count)
        #expect(bench.engine.nextDeadlineMonotonicMilliseconds == nil)
    }

    @Test func aTerminalThatCannotBeTrackedGetsAnIntervalAndItsOwnBack() throws {
        var bench = Bench(rules)
        bench.report(sos)
        bench.run(seconds: 0)
        let id = try required(bench.newest?.id)
        #expect(bench.engine.commandFailed(.locate, of: id, now: bench.now).isEmpty)
        let refused = bench.keep(bench.engine.commandFailed(fast, of: id, now: bench.now))
        #expect(refused.commands.map(\.command) == [.reportInterval(seconds: 10)])
        #expect(refused.entries == [.command])
        #expect(bench.engine.commandFailed(fast, of: id, now: bench.now).isEmpty)
        try bench.restart()
        bench.run(seconds: 570)
        #expect(orders(bench).suffix(2) == [.locate, .reportInterval(seconds: 10)])
        let closing = try bench.operate(.close(disposition: "helped", reason: ""))
        #expect(closing.commands.map(\.command).last == .reportInterval(seconds: 120))
    }

    @Test(arguments: ["boot-1", "boot-2"]) func restartKeepsTheTime(bootID: String) throws {
        var bench = Bench(rules)
        bench.report(sos)
        bench.run(seconds: 100)
        try bench.operate(.acknowledge(reason: ""))
        try bench.restart(bootID: bootID)
        #expect(bench.engine.nextDeadlineMonotonicMilliseconds == Int64(571_000))
    }

    /// An emergency from before there was a chase, or whose time is in doubt, is chased at once.
    @Test func inDoubtItIsAskedAtOnce() throws {
        var bench = Bench()
        bench.report(sos)
        bench.run(seconds: 5)
        try bench.operate(.acknowledge(reason: ""))
        bench.engine.rules.chase = ChaseRules()
        try bench.restart()
        bench.run(seconds: 0)
        #expect(orders(bench).suffix(2) == [.locate, fast])
        bench.time -= 86_400_000
        try bench.restart(bootID: "boot-2")
        #expect(bench.engine.nextDeadlineMonotonicMilliseconds == bench.now.monotonicMilliseconds)
    }

    @Test(arguments: [Int64(-86_400_000), 86_400_000]) func jumpsOfTheClockChangeNothing(jump: Int64) {
        var bench = Bench(rules)
        bench.report(sos)
        bench.run(seconds: 5)
        bench.wallJump = jump
        bench.run(seconds: 564)
        #expect(orders(bench).count == 2)
        bench.run(seconds: 1)
        #expect(orders(bench).count == 4)
    }

    @Test func whatThreatensNoLifeIsNotChased() {
        var bench = Bench(rules)
        bench.report(keys: [1], kind: .key)
        bench.condition(.lowBattery(percent: 9))
        bench.run(seconds: 1000)
        #expect(orders(bench).isEmpty)
    }

    /// Each better fix is told as a further fact of the same incident, at most every 20 s after the first.
    @Test func betterPlacesAreTold() {
        var bench = Bench(rules)
        bench.report(sos, position: place(28, valid: false))
        bench.run(seconds: 2)
        #expect(bench.report(position: place(28.1)).told == ["updated:dispatch-120,care-hub,siren"])
        var told = 0
        for step in 1...10 {
            bench.run(seconds: 10)
            told += bench.report(position: place(28.1 + Double(step) * 0.001)).told.count
        }
        #expect(told == 5)
        #expect(bench.newest?.position?.latitudeDegrees == 28.1 + 10 * 0.001)
        #expect(bench.known.count == 1)
    }
}
