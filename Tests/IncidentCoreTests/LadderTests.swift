import IncidentCore
import TerminalModel
import Testing

private let sos = AlarmSet(.sos)

/// Promise P3: never quiet until a human takes over.
@Suite struct LadderTests {
    @Test func stepsAndRoundsWithoutEnd() {
        var rules = IncidentRules.example
        rules.emergencyCallsPerIncident = 20
        var bench = Bench(rules)
        bench.report(sos)
        let changes = bench.run(seconds: 200)
        let facts = changes.flatMap(\.deliveries).map { "\($0.notice.round).\($0.notice.step) \($0.targets[0])" }
        #expect(
            facts == [
                "1.1 family", "2.0 dispatch-120", "2.1 family", "3.0 dispatch-120", "3.1 family", "4.0 dispatch-120",
                "4.1 family",
            ])
        let numbers = changes.flatMap(\.deliveries).map(\.notice.incident.lastEventNumber)
        #expect(numbers == Array(2...8))
        bench.run(seconds: 86_400)
        #expect(bench.engine.nextDeadlineMonotonicMilliseconds != nil)
    }

    @Test func stopsOnlyOnAHuman() throws {
        var bench = Bench()
        bench.report(sos)
        let id = try required(bench.newest?.id)
        let accepted = bench.engine.attempted(
            id, target: "care-hub", outcome: .accepted(evidence: "204"), attempt: 1, now: bench.now)
        #expect(accepted.entries == [.accepted, .notified])
        #expect(bench.newest?.state == .notified)
        #expect(
            bench.engine.attempted(
                id, target: "siren", outcome: .accepted(evidence: "on"), attempt: 1, now: bench.now
            ).entries == [.accepted])
        #expect(
            bench.engine.attempted(
                id, target: "family", outcome: .gaveUp(reason: "410"), attempt: 3, now: bench.now
            ).entries == [.gaveUp])
        #expect(!bench.run(seconds: 60).isEmpty)
        let decision = try bench.operate(.acknowledge(reason: "calling"))
        #expect(decision.told == ["acknowledged:dispatch-120,care-hub,siren,family"])
        #expect(
            decision.commands.map(\.command) == [
                .confirmAlarm(sequence: 1), .message(text: "已接警，请保持冷静，救援人员正在赶来", urgent: true),
            ])
        #expect(bench.engine.nextDeadlineMonotonicMilliseconds == nil)
        #expect(bench.run(seconds: 3600).isEmpty)
    }

    @Test func restartOfTheProcessKeepsTheDeadline() throws {
        var bench = Bench()
        bench.report(sos)
        bench.time += 7000
        try bench.restart()
        #expect(bench.engine.nextDeadlineMonotonicMilliseconds == Int64(21_000))
        #expect(bench.run(seconds: 13).flatMap(\.deliveries).map(\.targets) == [["family"]])
    }

    @Test func rebootUsesTheWallClock() throws {
        var bench = Bench()
        bench.report(sos)
        bench.time += 7000
        try bench.restart(bootID: "boot-2", monotonicShift: 5_000_000)
        #expect(
            bench.engine.nextDeadlineMonotonicMilliseconds == bench.now.monotonicMilliseconds + 5_000_000 + 13_000)
    }

    @Test(arguments: [Int64(-400_000_000), -3600, 3600])
    func inDoubtItFires(clockJump: Int64) throws {
        var bench = Bench()
        bench.report(sos)
        bench.time += clockJump * 1000
        try bench.restart(bootID: "boot-2")
        #expect(bench.engine.nextDeadlineMonotonicMilliseconds == bench.now.monotonicMilliseconds)
    }

    /// A clock that jumps by a day while the gateway runs, or between two runs of one boot, moves no step.
    @Test(arguments: [Int64(-86_400_000), 86_400_000], [false, true])
    func jumpsOfTheClockChangeNothing(jump: Int64, restarts: Bool) throws {
        var steady = Bench()
        steady.report(sos)
        let expected = steady.run(seconds: 600).flatMap(\.deliveries).map { "\($0.notice.round).\($0.notice.step)" }
        var bench = Bench()
        bench.report(sos)
        var facts = bench.run(seconds: 7).flatMap(\.deliveries)
        bench.wallJump = jump
        if restarts { try bench.restart() }
        facts += bench.run(seconds: 300).flatMap(\.deliveries)
        bench.wallJump = 0
        facts += bench.run(seconds: 293).flatMap(\.deliveries)
        #expect(facts.map { "\($0.notice.round).\($0.notice.step)" } == expected)
        let jumped = facts.map { $0.notice.at }.filter { abs($0.milliseconds - start.milliseconds) > 80_000_000 }
        #expect(jumped.count == 10)
    }

    @Test func deadlineFurtherAwayThanAnyPolicyAllowsFires() throws {
        var bench = Bench()
        bench.report(sos)
        bench.run(seconds: 250)
        // The clock was set back over the reboot, but not to before the press.
        bench.time -= 100_000
        try bench.restart(bootID: "boot-2")
        #expect(bench.engine.nextDeadlineMonotonicMilliseconds == bench.now.monotonicMilliseconds)
    }

    @Test func openWithoutALadderFires() throws {
        var incident = Incident(
            id: IncidentID(rawValue: 5), service: .emergency, terminal: pendant, person: "p1", trust: .verified,
            causes: ["sos"], openedAt: start)
        incident.state = .notified
        incident.lastEventNumber = 3
        let now = Moment(wall: start, monotonicMilliseconds: 77)
        var engine = IncidentEngine(
            rules: .example, restored: [incident], bootID: "b", now: now, makeID: makeIDs())
        #expect(engine.nextDeadlineMonotonicMilliseconds == 77)
        let decision = engine.advance(now: now) { _ in .wang }
        #expect(decision.told == ["escalated:dispatch-120,care-hub,siren"])
        #expect(decision.changes.first?.incident.lastEventNumber == 4)
    }

    @Test func newRulesTakeOverAtTheNextStep() {
        var bench = Bench()
        bench.report(sos)
        bench.engine.rules.policies = [
            Policy(
                service: .emergency, steps: [PolicyStep(afterMilliseconds: 0, targets: ["siren"])],
                repeatMilliseconds: 5000)
        ]
        #expect(bench.run(seconds: 26).flatMap(\.deliveries).map(\.targets) == [["siren"], ["siren"]])
    }

    @Test func groupsChooseTheirPolicy() {
        var bench = Bench()
        bench.engine.rules.policies.insert(
            Policy(
                service: .emergency, group: "child", steps: [PolicyStep(afterMilliseconds: 0, targets: ["family"])],
                repeatMilliseconds: 5000), at: 0)
        bench.person?.groups = ["disabled", "child"]
        #expect(bench.report(sos).told == ["opened:family"])
        var other = Bench(bench.engine.rules)
        #expect(other.report(sos).told == ["opened:dispatch-120,care-hub,siren"])
    }

    @Test func tenThousandOpenIncidentsStayCheap() {
        let rules = IncidentRules.example
        var engine = IncidentEngine(
            rules: rules, restored: [], bootID: "b", now: Moment(wall: start, monotonicMilliseconds: 0),
            makeID: makeIDs())
        for index in 0..<10_000 {
            var event = TerminalEvent(
                protocolName: .jt808, terminal: TerminalID(nibbles: UInt128(index + 1)), message: .number(0x0200),
                sequence: 1, received: start, kind: .report)
            event.alarms = sos
            let report = InboundReport(event: event, trust: .verified, bearer: .tcp, peer: "", frame: [])
            let now = Moment(wall: start, monotonicMilliseconds: Int64(index))
            _ = engine.report(report, person: .wang, now: now)
        }
        #expect(engine.openIncidentCount == 10_000)
        let due = Moment(wall: start.adding(milliseconds: 40_000), monotonicMilliseconds: 40_000)
        var moved = 0
        var calls = 0
        while let next = engine.nextDeadlineMonotonicMilliseconds, next <= due.monotonicMilliseconds {
            let decision = engine.advance(now: due) { _ in .wang }
            #expect(decision.changes.count <= IncidentEngine.maximumAdvancedAtOnce)
            moved += decision.changes.count
            calls += 1
        }
        #expect(moved == 10_000)
        #expect(calls == 20)
    }
}

@Suite struct OperatorTests {
    @Test func wayOfAnIncident() throws {
        var bench = Bench()
        bench.report(keys: [1], device: .some(nil), kind: .key)
        let acknowledged = try bench.operate(.acknowledge(reason: ""))
        #expect(acknowledged.commands.map(\.command) == [.message(text: "已收到您的求助，工作人员马上为您安排", urgent: false)])
        #expect(try bench.operate(.note(text: "rice, 5 kg")).entries == [.note])
        let handed = try bench.operate(.handOver(to: "helper-3", dueAt: start.adding(milliseconds: 1), reason: "rice"))
        #expect(handed.told == ["handed_over:care-hub"])
        #expect(bench.newest?.owner == "helper-3")
        let closed = try bench.operate(.close(disposition: "delivered", reason: "rice brought"))
        #expect(closed.told == ["closed:care-hub"])
        #expect(bench.newest?.state == .closed)
        #expect(try bench.operate(.note(text: "thanks")).entries == [.note])
        #expect(bench.engine.openIncidents.isEmpty)
    }

    @Test func wrongTransitionsAreRefusedAndChangeNothing() throws {
        var bench = Bench()
        bench.report(sos)
        #expect(throws: OperatorError.unknownIncident(IncidentID(rawValue: 99))) {
            try bench.operate(.note(text: "x"), on: IncidentID(rawValue: 99))
        }
        #expect(throws: OperatorError.dispositionMissing) { try bench.operate(.close(disposition: "", reason: "x")) }
        #expect(throws: OperatorError.recipientMissing) {
            try bench.operate(.handOver(to: "", dueAt: nil, reason: "x"))
        }
        #expect(throws: OperatorError.noteMissing) { try bench.operate(.note(text: "")) }
        #expect(throws: OperatorError.unknownPerson("p8")) { try bench.operate(.assign(person: "p8")) }
        #expect(bench.newest?.state == .open)
        try bench.operate(.acknowledge(reason: ""))
        #expect(throws: OperatorError.alreadyAcknowledged(by: "op-7")) { try bench.operate(.acknowledge(reason: "")) }
        try bench.operate(.close(disposition: "helped", reason: ""))
        for action in [
            OperatorAction.acknowledge(reason: ""), .close(disposition: "x", reason: ""),
            .handOver(to: "y", dueAt: nil, reason: ""),
        ] {
            #expect(throws: OperatorError.alreadyClosed(disposition: "helped")) { try bench.operate(action) }
        }
    }
}

@Suite struct PositionTests {
    private func fix(_ latitude: Double, valid: Bool = true, source: Position.Source = .gnss) -> Position {
        Position(valid: valid, latitudeDegrees: latitude, longitudeDegrees: 112.9, source: source)
    }

    @Test func firstValidFixIsNewsAndLaterOnesAreLimited() {
        var bench = Bench()
        bench.report(sos, position: fix(28, valid: false))
        bench.time += 2000
        #expect(bench.report(sos, position: fix(28.1)).told == ["updated:dispatch-120,care-hub,siren"])
        bench.time += 2000
        #expect(bench.report(sos, position: fix(28.2)).told.isEmpty)
        #expect(bench.newest?.position?.latitudeDegrees == 28.2)
        bench.time += 60_000
        #expect(bench.report(sos, position: fix(28.3)).told == ["updated:dispatch-120,care-hub,siren"])
        bench.time += 60_000
        #expect(bench.report(sos, position: fix(28.3001)).told.isEmpty)
    }

    @Test func worseAndOlderFixesAreNotTaken() {
        var bench = Bench()
        bench.time = 100_000
        bench.report(sos, position: fix(28))
        bench.report(device: 50, stored: true, position: fix(27))
        bench.time += 5000
        bench.report(position: fix(26, valid: false))
        bench.report(position: fix(25, source: .cells))
        #expect(bench.newest?.position?.latitudeDegrees == 28)
        bench.trust = .claimed
        bench.report(position: fix(24))
        #expect(bench.newest?.position?.latitudeDegrees == 28)
    }
}

@Suite struct ConditionTests {
    private func crossing(_ entered: Bool, violation: Bool, fence: String = "f1") -> Condition {
        .fenceCrossed(fence: fence, name: "yard", entered: entered, isViolation: violation, at: start)
    }

    @Test func fencesAreWatchedOneByOne() throws {
        var bench = Bench()
        #expect(bench.condition(crossing(false, violation: true)).told == ["opened:care-hub,family"])
        #expect(bench.newest?.service == .fenceWatch)
        #expect(bench.newest?.fence == "f1")
        #expect(bench.newest?.causes == ["fence_exit"])
        #expect(bench.condition(crossing(false, violation: true, fence: "f2")).told == ["opened:care-hub,family"])
        let back = bench.condition(crossing(true, violation: false))
        #expect(back.entries == [.cancelClaimed])
        #expect(bench.engine.openIncidents.count == 2)
        let first = try required(bench.known.first)
        try bench.operate(.acknowledge(reason: ""), on: first.id)
        bench.time += 1000
        #expect(bench.condition(crossing(false, violation: true)).told == ["escalated:care-hub,family"])
        #expect(bench.known.first?.presses == 2)
    }

    @Test func oneOpenIncidentPerTerminalAndCause() {
        var bench = Bench()
        #expect(bench.condition(.lowBattery(percent: 9)).told == ["opened:care-hub"])
        #expect(bench.condition(.lowBattery(percent: 8)).isEmpty)
        #expect(bench.condition(.silence(since: start)).told == ["opened:care-hub"])
        #expect(bench.condition(.silence(since: start)).isEmpty)
        bench.report(keys: [1], kind: .key)
        #expect(bench.known.map(\.causes) == [["low_battery"], ["silence"], ["key"]])
        #expect(bench.condition(.heardAgain).entries == [.cancelClaimed])
        #expect(bench.engine.openIncidents.count == 3)
    }
}
