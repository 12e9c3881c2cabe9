import IncidentCore
import TerminalModel
import Testing

private let sos = AlarmSet(.sos)

/// Announced test presses: the whole way, and never to an emergency service (promise P7).
@Suite struct TestPressTests {
    private static func window(_ bench: borrowing Bench, person: String = "p1", seconds: Int64 = 600) -> TestWindow {
        TestWindow(
            person: person, startedAt: bench.now.wall, startedBy: "op-7",
            until: bench.now.wall.adding(milliseconds: seconds * 1000))
    }

    private static func announced(_ rules: IncidentRules = .example) -> Bench {
        var bench = Bench(rules)
        bench.engine.setTestWindow(window(bench), of: "p1", now: bench.now)
        return bench
    }

    private static func tellsDispatch(_ decision: Decision) -> Bool {
        decision.told.contains { $0.contains("dispatch-120") }
    }

    @Test func theFirstPressGoesTheWholeWayButToNoEmergencyService() throws {
        var bench = Self.announced()
        let decision = bench.report(sos)
        #expect(decision.told == ["opened:care-hub,siren"])
        #expect(decision.entry(.withheld)?.detail == "it is a test press")
        #expect(bench.newest?.isTest == true)
        #expect(bench.newest?.isDrill == true)
        // Pressed again while it is open and the window is on.
        bench.time += 30_000
        bench.report()
        bench.report(sos)
        #expect(bench.newest?.isTest == true)
        try bench.restart()
        _ = bench.run(seconds: 7200)
        try bench.operate(.acknowledge(reason: "a test"))
        try bench.operate(.handOver(to: "nurse", dueAt: nil, reason: "visit"))
        try bench.operate(.close(disposition: "test", reason: ""))
        #expect(bench.decisions.allSatisfy { !Self.tellsDispatch($0) })
    }

    @Test func itIsPassedWhenAHubHasItAndAHumanHasAnswered() throws {
        var bench = Self.announced()
        bench.report(sos)
        let id = try required(bench.newest?.id)
        func accepts(_ target: String) -> Decision {
            bench.keep(
                bench.engine.attempted(
                    id, target: target, outcome: .accepted(evidence: "200"), attempt: 1, now: bench.now))
        }
        _ = accepts("care-hub")
        #expect(bench.newest?.testResult == nil, "nobody has answered")
        bench.time += 42_000
        try bench.operate(.acknowledge(reason: "a test"))
        _ = accepts("siren")
        _ = accepts("care-hub")
        let result = try required(bench.newest?.testResult)
        #expect(
            result
                == TestResult(
                    terminal: pendant, at: start, acknowledgedBy: "op-7", secondsToAcknowledgement: 42,
                    accepted: ["care-hub", "siren"]))
    }

    /// An answer alone proves nothing of the way to the hub; what the hub takes later does.
    @Test func anAnswerWithoutAHubIsNoProof() throws {
        var bench = Self.announced()
        bench.report(sos)
        let id = try required(bench.newest?.id)
        let decision = try bench.operate(.acknowledge(reason: "the siren"))
        #expect(decision.entry(.note)?.detail.contains("no hub has accepted") == true)
        #expect(bench.newest?.testResult == nil)
        bench.time += 5000
        bench.decisions.append(
            bench.engine.attempted(
                id, target: "care-hub", outcome: .accepted(evidence: "200"), attempt: 2, now: bench.now))
        #expect(bench.newest?.testResult?.accepted == ["care-hub"])
    }

    @Test func aRealIncidentProvesNoTest() throws {
        var bench = Self.announced()
        bench.report(sos)
        let id = try required(bench.newest?.id)
        try bench.operate(.makeReal(reason: "she has fallen"))
        #expect(bench.newest?.isTest == false)
        _ = bench.engine.attempted(
            id, target: "care-hub", outcome: .accepted(evidence: "200"), attempt: 1, now: bench.now)
        try bench.operate(.acknowledge(reason: "on the way"))
        #expect(bench.newest?.testResult == nil)
    }

    @Test func aHumanMakesItReal() throws {
        var bench = Self.announced()
        bench.report(sos)
        #expect(
            try bench.operate(.makeReal(reason: "she has fallen")).told == ["escalated:dispatch-120,care-hub,siren"])
        #expect(bench.newest?.isDrill == nil)
    }

    /// The window serves one press: what is pressed after that test was closed is real, also after a restart.
    @Test(arguments: [false, true]) func aWindowServesOnce(restarted: Bool) throws {
        var bench = Self.announced()
        let window = Self.window(bench)
        bench.report(sos)
        try bench.operate(.close(disposition: "test", reason: ""))
        if restarted {
            try bench.restart()
            bench.engine.restoreTestWindows([window])
        }
        bench.time += 60_000
        bench.report()
        #expect(Self.tellsDispatch(bench.report(sos)))
        #expect(bench.newest?.isTest == false)
    }

    @Test func anotherTerminalOfThePersonIsReal() {
        var bench = Self.announced()
        bench.report(sos)
        bench.terminal = TerminalID(nibbles: 0x17799)
        #expect(Self.tellsDispatch(bench.report(sos)))
    }

    @Test func aWindowOutlivesARestart() throws {
        var bench = Bench()
        let window = Self.window(bench)
        try bench.restart()
        bench.engine.restoreTestWindows([window])
        bench.report(sos)
        #expect(bench.newest?.isTest == true)
    }

    @Test(arguments: [
        "over", "taken back", "other person", "clock set back", "unknown", "fall", "fire", "stored before",
    ])
    func whatIsNoTestIsReal(_ why: String) {
        var bench = Self.announced()
        var alarms = sos
        switch why {
        case "over": bench.time += 600_000
        case "taken back": bench.engine.setTestWindow(nil, of: "p1", now: bench.now)
        case "other person":
            var other = Person(id: "p2", name: "2")
            other.consentsToAutomatic120 = true
            bench.person = other
        case "clock set back": bench.wallJump = -60_000
        case "unknown":
            bench.person = nil
            bench.trust = .unknown
        case "fall": alarms = AlarmSet(.fall)
        case "fire": alarms = AlarmSet(.fire)
        default: break
        }
        if why == "stored before" {
            bench.time += 60_000
            bench.report(alarms, device: .some(-60), stored: true)
        } else {
            let decision = bench.report(alarms)
            #expect(Self.tellsDispatch(decision) == (why != "unknown"))
        }
        #expect(bench.newest != nil && bench.newest?.isDrill == nil)
    }

    /// Nobody closed the test; the window is over and she presses again.
    @Test(arguments: [false, true]) func aPressAfterTheWindowIsReal(isAcknowledged: Bool) throws {
        var bench = Self.announced()
        bench.report(sos)
        if isAcknowledged { try bench.operate(.acknowledge(reason: "a test")) }
        bench.time += 600_000
        bench.report()
        #expect(Self.tellsDispatch(bench.report(sos)))
        #expect(bench.known.count == 1)
        #expect(bench.newest?.isTest == false)
    }

    /// A test by a key is open when the next one is announced: refused, and what is pressed is not the old test all the same.
    @Test func aSecondWindowDoesNotProlongTheFirst() throws {
        var bench = Self.announced()
        bench.report(keys: [2])
        let test = try required(bench.newest)
        #expect(test.isTest && test.service == .lifeAssistance)
        #expect(bench.engine.reasonAgainstTest(of: [TerminalID(nibbles: 1), pendant]) == test.id)
        bench.time += 3_600_000
        bench.engine.setTestWindow(Self.window(bench), of: "p1", now: bench.now)
        bench.report(keys: [2])
        #expect(bench.newest?.id == test.id && bench.newest?.isTest == false)
        #expect(
            bench.engine.reasonAgainstTest(of: [pendant]) == nil,
            "an errand that is open keeps no SOS from being a test")
        bench.report(sos)
        #expect(bench.newest?.isTest == true)
        #expect(bench.engine.reasonAgainstTest(of: [pendant]) == bench.newest?.id)
        try bench.operate(.close(disposition: "test", reason: ""))
        #expect(bench.engine.reasonAgainstTest(of: [pendant]) == nil)
    }

    @Test func aFallDuringTheTestIsReal() {
        var bench = Self.announced()
        bench.report(sos)
        bench.time += 30_000
        #expect(Self.tellsDispatch(bench.report(AlarmSet([.sos, .fall]))))
        #expect(bench.newest?.isTest == false)
    }

    /// Commissioned, with caps turned, a target made an emergency service, a new ladder: nothing of it opens a way to 120.
    @Test func noChangeOfTheSiteLetsATestThrough() throws {
        var rules = IncidentRules.example
        rules.isCommissioned = false
        var bench = Self.announced(rules)
        bench.report(sos)
        rules.isCommissioned = true
        rules.emergencyCallsPerIncident = 20
        rules.emergencyCallsPerHour = 10_000
        bench.engine.rules = rules
        _ = bench.run(seconds: 600)
        bench.report(sos, again: true)
        bench.decisions.append(bench.engine.cardRead(.wang, now: bench.now))
        #expect(bench.decisions.allSatisfy { !Self.tellsDispatch($0) })
        // The hub that was told becomes an emergency service.
        rules.targets = rules.targets.map {
            TargetFacts(name: $0.name, isEmergencyService: $0.isEmergencyService || $0.name == "care-hub")
        }
        bench.engine.rules = rules
        let before = bench.decisions.count
        _ = bench.run(seconds: 600)
        try bench.operate(.acknowledge(reason: "a test"))
        try bench.operate(.close(disposition: "test", reason: ""))
        let told = bench.decisions.dropFirst(before).flatMap(\.told)
        #expect(!told.isEmpty)
        #expect(!told.contains { $0.contains("care-hub") || $0.contains("dispatch-120") }, "\(told)")
    }

    /// In a drill the person's test is still one; what follows the window belongs to the drill.
    @Test func aTestInADrill() {
        var bench = Self.announced()
        bench.engine.drill = Drill(
            startedAt: bench.now.wall, startedBy: "op-1", until: bench.now.wall.adding(milliseconds: 3_600_000))
        bench.report(sos)
        #expect(bench.newest?.isTest == true)
        bench.time += 900_000
        bench.report()
        #expect(!Self.tellsDispatch(bench.report(sos)))
    }
}
