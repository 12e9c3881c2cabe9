import IncidentCore
import TerminalModel
import Testing

private let sos = AlarmSet(.sos)

/// What is handed over is followed to its end.
@Suite struct SupervisionTests {
    private func bench(handedOverFor seconds: Int64?, dueSeconds: Int? = nil) throws -> Bench {
        var rules = IncidentRules.example
        rules.services[.emergency] = ServiceRules(dueSeconds: dueSeconds)
        var bench = Bench(rules)
        bench.report(sos)
        bench.run(seconds: 5)
        let due = seconds.map { bench.now.wall.adding(milliseconds: $0 * 1000) }
        try bench.operate(.handOver(to: "helper-3", dueAt: due, reason: ""))
        return bench
    }

    @Test func itIsRemindedAndThenRaisedUntilClosed() throws {
        var bench = try bench(handedOverFor: 3600)
        #expect(bench.run(seconds: 2699).isEmpty)
        let reminded = bench.run(seconds: 1)
        #expect(reminded.flatMap(\.entries).map(\.kind) == [.reminder])
        // No ambulance service is reminded of what the centre has to do.
        #expect(reminded.flatMap(\.deliveries).map(\.targets) == [["care-hub", "siren"]])
        #expect(reminded.flatMap(\.deliveries).map(\.notice.kind) == [.due])
        #expect(bench.run(seconds: 899).isEmpty)
        let overdue = bench.run(seconds: 1)
        #expect(overdue.flatMap(\.entries).map(\.kind) == [.overdue, .ladderStep])
        #expect(overdue.flatMap(\.deliveries).first?.targets == ["dispatch-120", "care-hub", "siren"])
        #expect(bench.newest?.state == .open)
        #expect(bench.newest?.owner == "helper-3")
        #expect(bench.newest?.timesOverdue == 1)
        // Somebody looks and does nothing: once more.
        try bench.operate(.acknowledge(reason: "asking"))
        #expect(bench.run(seconds: 899).isEmpty)
        #expect(bench.run(seconds: 1).flatMap(\.entries).map(\.kind) == [.overdue, .ladderStep])
        #expect(bench.newest?.timesOverdue == 2)
        try bench.operate(.close(disposition: "helped", reason: ""))
        #expect(bench.run(seconds: 86_400).isEmpty)
        #expect(bench.engine.nextDeadlineMonotonicMilliseconds == nil)
    }

    @Test func anotherTimeTakesThePlaceOfTheFirst() throws {
        var bench = try bench(handedOverFor: 3600)
        bench.run(seconds: 1000)
        try bench.operate(.handOver(to: "helper-4", dueAt: bench.now.wall.adding(milliseconds: 7_200_000), reason: ""))
        #expect(bench.run(seconds: 6299).isEmpty)
        #expect(bench.run(seconds: 1).flatMap(\.entries).map(\.kind) == [.reminder])
    }

    @Test func withoutATimeThatOfTheServiceCounts() throws {
        var free = try bench(handedOverFor: nil)
        #expect(free.newest?.dueAt == nil)
        #expect(free.run(seconds: 86_400).isEmpty)
        var bound = try bench(handedOverFor: nil, dueSeconds: 600)
        #expect(bound.newest?.dueAt == bound.now.wall.adding(milliseconds: 600_000))
        // Too near for a reminder.
        #expect(bound.run(seconds: 600).flatMap(\.entries).map(\.kind) == [.overdue, .ladderStep])
    }

    @Test(arguments: ["boot-1", "boot-2"]) func restartKeepsTheTime(bootID: String) throws {
        var bench = try bench(handedOverFor: 3600)
        bench.run(seconds: 1000)
        try bench.restart(bootID: bootID)
        #expect(bench.run(seconds: 1699).isEmpty)
        #expect(bench.run(seconds: 1).flatMap(\.entries).map(\.kind) == [.reminder])
        bench.run(seconds: 890)
        try bench.restart(bootID: bootID)
        #expect(bench.run(seconds: 10).flatMap(\.entries).map(\.kind) == [.overdue, .ladderStep])
    }

    @Test(arguments: [Int64(-86_400_000), 86_400_000]) func jumpsOfTheClockChangeNothing(jump: Int64) throws {
        var bench = try bench(handedOverFor: 3600)
        bench.wallJump = jump
        #expect(bench.run(seconds: 2699).isEmpty)
        #expect(bench.run(seconds: 901).flatMap(\.entries).map(\.kind) == [.reminder, .overdue, .ladderStep])
    }

    /// A further press after the answer makes nobody's answer later.
    @Test func theFirstAnswerCounts() throws {
        var bench = Bench()
        bench.report(sos)
        bench.run(seconds: 42)
        try bench.operate(.acknowledge(reason: ""))
        let answered = bench.newest?.answeredAt
        #expect(answered == start.adding(milliseconds: 42_000))
        bench.report()
        bench.run(seconds: 100)
        bench.report(sos)
        #expect(bench.newest?.state == .open)
        try bench.operate(.acknowledge(reason: ""))
        #expect(bench.newest?.answeredAt == answered)
        #expect(bench.newest?.acknowledgedAt != answered)
    }

    @Test func onlyTheWordsOfTheServiceClose() throws {
        var rules = IncidentRules.example
        rules.services[.emergency] = ServiceRules(dispositions: ["helped", "false_alarm"])
        var bench = Bench(rules)
        bench.report(sos)
        let error = #expect(throws: OperatorError.self) {
            try bench.operate(.close(disposition: "helpd", reason: ""))
        }
        #expect(error == .unknownDisposition("helpd", allowed: ["helped", "false_alarm"]))
        #expect(error.map { "\($0)".contains("one of helped, false_alarm") } == true)
        #expect(bench.newest?.state == .open)
        try bench.operate(.close(disposition: "helped", reason: ""))
        // A service without a list takes every word.
        bench.report(keys: [1], kind: .key)
        try bench.operate(.close(disposition: "delivered", reason: ""))
    }
}
