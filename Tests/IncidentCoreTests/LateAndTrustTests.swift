import IncidentCore
import TerminalModel
import Testing

private let sos = AlarmSet(.sos)

/// Promises P6 and P7 in front of emergency services, and what arrives late.
@Suite struct GuardTests {
    @Test(arguments: [(Int64(-600), true), (-901, false)])
    func storedPress(device: Int64, reaches120: Bool) throws {
        var bench = Bench()
        let decision = bench.report(sos, device: device, stored: true)
        #expect(bench.newest?.late == true)
        #expect(
            decision.told == [reaches120 ? "opened:dispatch-120,care-hub,siren" : "opened:care-hub,siren"])
        #expect((decision.entry(.withheld)?.actor == "dispatch-120") != reaches120)
    }

    @Test func livePressAfterAStoredOneReaches120AtOnce() {
        var bench = Bench()
        bench.report(sos, device: -3600, stored: true)
        bench.time += 1000
        #expect(bench.report(sos, device: -3500, stored: true).told.isEmpty)
        bench.time += 1000
        let live = bench.report(sos)
        #expect(live.told.first == "escalated:dispatch-120")
        #expect(bench.known.count == 1)
        #expect(bench.newest?.late == false)
    }

    @Test func laterStoredPressOfTheSameBatchReaches120() {
        var bench = Bench()
        bench.report(sos, device: -3600, stored: true)
        bench.report(device: -3500, stored: true)
        let second = bench.report(sos, device: -100, stored: true)
        #expect(second.told.first == "escalated:dispatch-120")
        #expect(bench.newest?.presses == 2)
    }

    @Test func storedReportsFromWithinAClosedPressBelongToIt() throws {
        var bench = Bench()
        bench.report(sos)
        bench.time += 100_000
        bench.report(sos)
        try bench.operate(.close(disposition: "helped", reason: ""))
        bench.time += 100_000
        bench.report()
        for second in stride(from: 10, through: 190, by: 20) {
            bench.report(sos, device: Int64(second), sequence: 900, stored: true)
        }
        #expect(bench.known.count == 1)
        // Pressed and released before: a press nobody was told of.
        bench.report(sos, device: -7200, stored: true)
        #expect(bench.known.count == 2)
    }

    @Test(arguments: ["trust unknown", "claimed", "unidentified", "no consent", "not commissioned"])
    func withheldWithAReason(from why: String) throws {
        var rules = IncidentRules.example
        if why == "not commissioned" { rules.isCommissioned = false }
        var bench = Bench(rules)
        switch why {
        case "trust unknown":
            bench.trust = .unknown
            bench.person = nil
        case "claimed": bench.trust = .claimed
        case "unidentified": bench.person = nil
        case "no consent": bench.person?.consentsToAutomatic120 = false
        default: break
        }
        let decision = bench.report(sos)
        #expect(decision.told == ["opened:care-hub,siren"])
        #expect(decision.entry(.withheld)?.actor == "dispatch-120")
        // Said once, and never told in any later round.
        let later = bench.run(seconds: 600)
        #expect(!later.isEmpty)
        #expect(!later.flatMap(\.deliveries).flatMap(\.targets).contains("dispatch-120"))
        #expect(!later.flatMap(\.entries).map(\.kind).contains(.withheld))
        #expect(
            bench.report(position: Position(valid: true, latitudeDegrees: 28, longitudeDegrees: 112)).told
                == ["updated:care-hub,siren,family"])
    }

    @Test func verifiedReportOfTheSamePressReleases120() {
        var bench = Bench()
        bench.trust = .claimed
        bench.report(sos)
        bench.time += 3000
        bench.trust = .verified
        #expect(bench.report(sos).told == ["escalated:dispatch-120"])
    }

    @Test func commissioningAndAssignmentCountFromTheNextStep() throws {
        var bench = Bench()
        bench.trust = .unknown
        bench.person = nil
        bench.report(sos)
        let id = try required(bench.newest?.id)
        #expect(throws: OperatorError.unknownPerson("p9")) { try bench.engine.unassignable(id, bench.now) }
        bench.person = .wang
        let assigned = try bench.operate(.assign(person: "p1"))
        #expect(assigned.told == ["updated:care-hub,siren"])
        #expect(assigned.changes.first?.deliveries.first?.notice.person?.name == "王桂英")
        let next = bench.run(seconds: 20)
        #expect(next.flatMap(\.deliveries).map(\.targets) == [["family", "dispatch-120"]])
    }

    @Test func missingPolicyNeverMutes() {
        var rules = IncidentRules.example
        rules.policies = []
        var bench = Bench(rules)
        let decision = bench.report(sos)
        #expect(decision.told == ["opened:care-hub,siren,family"])
        #expect(decision.changes.flatMap(\.entries).contains { $0.detail.contains("no policy") })
        #expect(bench.run(seconds: 60).count == 1)
    }

    @Test func aStepOfWithheldTargetsTellsTheOthers() {
        var rules = IncidentRules.example
        rules.isCommissioned = false
        rules.policies = [
            Policy(
                service: .emergency, steps: [PolicyStep(afterMilliseconds: 0, targets: ["dispatch-120"])],
                repeatMilliseconds: 60_000)
        ]
        var bench = Bench(rules)
        #expect(bench.report(sos).told == ["opened:care-hub,siren,family"])
    }

    @Test func withoutAnyTargetTheLadderStillRuns() {
        var bench = Bench(IncidentRules(policies: [], targets: []))
        bench.report(sos)
        #expect(bench.newest?.lastEventNumber == 0)
        #expect(bench.engine.nextDeadlineMonotonicMilliseconds != nil)
    }
}

extension IncidentEngine {
    fileprivate mutating func unassignable(_ id: IncidentID, _ now: Moment) throws(OperatorError) {
        _ = try operate(
            .assign(person: "p9"), on: id, by: Operator(id: "op", unixUser: ""), people: { _ in nil }, now: now)
    }
}
