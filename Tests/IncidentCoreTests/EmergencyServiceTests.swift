import IncidentCore
import TerminalModel
import Testing

private let sos = AlarmSet(.sos)

/// Caps on calls to emergency services, and drills (promise P7).
@Suite struct EmergencyServiceTests {
    private static func rules(perIncident: Int = 3, perHour: Int = 60) -> IncidentRules {
        var rules = IncidentRules.example
        rules.emergencyCallsPerIncident = perIncident
        rules.emergencyCallsPerHour = perHour
        return rules
    }

    private static func calls(_ changes: [IncidentChange]) -> Int {
        changes.flatMap(\.deliveries).count { $0.targets.contains("dispatch-120") }
    }

    @Test func oneIncidentCallsThreeTimesAndThenAsksAHuman() throws {
        var bench = Bench(Self.rules())
        #expect(bench.report(sos).told == ["opened:dispatch-120,care-hub,siren"])
        let first = bench.run(seconds: 179)
        #expect(Self.calls(first) == 2)
        #expect(!first.flatMap(\.entries).map(\.kind).contains(.withheld))
        // The fourth call is not made; everybody who was told and can call hears so at once, and only once.
        let fourth = bench.run(seconds: 2)
        let notice = try #require(fourth.flatMap(\.deliveries).first)
        #expect(Set(notice.targets) == ["care-hub", "siren", "family"])
        #expect(notice.notice.incident.episode.withheld["dispatch-120"]?.contains("a human must call") == true)
        let later = bench.run(seconds: 3600)
        #expect(Self.calls(later) == 0)
        #expect(!later.flatMap(\.entries).map(\.kind).contains(.withheld))
        #expect(later.flatMap(\.deliveries).count { $0.targets.contains("care-hub") } > 50, "the ladder goes on")
    }

    @Test func theCapOutlivesARestart() throws {
        var bench = Bench(Self.rules())
        bench.report(sos)
        _ = bench.run(seconds: 61)
        try bench.restart()
        #expect(Self.calls(bench.run(seconds: 600)) == 1)
    }

    @Test func anHourHasItsCalls() throws {
        var bench = Bench(Self.rules(perHour: 2))
        let people = (1...3).map { number in
            var person = Person(id: "q\(number)", name: "\(number)")
            person.consentsToAutomatic120 = true
            return person
        }
        var told: [[String]] = []
        for (index, person) in people.enumerated() {
            bench.person = person
            bench.terminal = TerminalID(nibbles: UInt128(0x17700 + index))
            told.append(bench.report(sos).told)
            try bench.operate(.acknowledge(reason: "on my way"))
        }
        #expect(
            told == [
                ["opened:dispatch-120,care-hub,siren"], ["opened:dispatch-120,care-hub,siren"],
                ["opened:care-hub,siren"],
            ])
        // Over a restart too, and whoever sets the clock back gains no calls.
        try bench.restart()
        bench.wallJump = -86_400_000
        bench.terminal = TerminalID(nibbles: 0x17703)
        #expect(bench.report(sos).told == ["opened:care-hub,siren"])
        try bench.operate(.acknowledge(reason: "on my way"))
        bench.wallJump = 0
        bench.time += 3_600_000
        bench.terminal = TerminalID(nibbles: 0x17704)
        #expect(bench.report(sos).told == ["opened:dispatch-120,care-hub,siren"])
    }

    private static func drill(_ bench: borrowing Bench, group: String? = nil) -> Drill {
        Drill(
            startedAt: bench.now.wall, startedBy: "op-7", until: bench.now.wall.adding(milliseconds: 600_000),
            group: group)
    }

    @Test func aDrillGoesTheWholeWayButToNoEmergencyService() throws {
        var bench = Bench()
        bench.engine.drill = Self.drill(bench)
        let decision = bench.report(sos)
        #expect(decision.told == ["opened:care-hub,siren"])
        #expect(bench.newest?.isDrill == true)
        #expect(decision.entry(.withheld)?.detail == "it is a drill")
        // Also when the drill is over meanwhile, and after a restart.
        try bench.restart()
        #expect(Self.calls(bench.run(seconds: 1200)) == 0)
        try bench.operate(.close(disposition: "exercise", reason: ""))
        bench.time += 1_000_000
        #expect(bench.report(sos).told == ["opened:dispatch-120,care-hub,siren"], "it is over")
        #expect(bench.newest?.isDrill == nil)
    }

    @Test func anEmergencyInADrillIsMadeRealByAHuman() throws {
        var bench = Bench()
        bench.engine.drill = Self.drill(bench)
        bench.report(sos)
        try bench.operate(.acknowledge(reason: "calling her"))
        let decision = try bench.operate(.makeReal(reason: "she has fallen"))
        #expect(decision.told == ["escalated:dispatch-120,care-hub,siren"])
        #expect(bench.newest?.isDrill == nil)
        #expect(bench.newest?.state == .open)
        #expect(throws: OperatorError.notADrill) { try bench.real() }
        try bench.operate(.close(disposition: "helped", reason: ""))
        #expect(throws: OperatorError.alreadyClosed(disposition: "helped")) { try bench.real() }
    }

    @Test(arguments: ["other group", "not begun", "over", "unknown terminal"])
    func whoeverTakesNoPartIsReal(_ why: String) {
        var bench = Bench()
        bench.person?.groups = ["living_alone"]
        var drill = Self.drill(bench, group: why == "other group" ? "disabled" : "living_alone")
        switch why {
        case "not begun": drill.startedAt = bench.now.wall.adding(milliseconds: 1)
        case "over": drill.until = bench.now.wall
        case "unknown terminal":
            bench.person = nil
            bench.trust = .unknown
        default: break
        }
        bench.engine.drill = drill
        bench.report(sos)
        #expect(bench.newest?.isDrill == nil)
    }

    /// Nobody closed the incident of the drill; hours later she presses again.
    @Test(arguments: [false, true]) func aPressAfterTheDrillIsReal(_ isAcknowledged: Bool) throws {
        var bench = Bench()
        bench.engine.drill = Self.drill(bench)
        bench.report(sos)
        bench.time += 60_000
        bench.report()
        #expect(bench.report(sos).told.contains { $0.contains("dispatch-120") } == false, "pressed twice in the drill")
        #expect(bench.newest?.isDrill == true)
        if isAcknowledged { try bench.operate(.acknowledge(reason: "exercise")) }
        bench.time += 7_200_000
        bench.report()
        let decision = bench.report(sos)
        #expect(decision.told.contains { $0.contains("dispatch-120") })
        #expect(bench.known.count == 1)
        #expect(bench.newest?.isDrill == nil)
    }

    /// A terminal that was out of reach brings a press in the middle of a drill.
    @Test(arguments: [(Int64?(-60), false), (nil, false), (30, true)])
    func aStoredPressOfBeforeIsReal(device: Int64?, isDrill: Bool) {
        var bench = Bench()
        bench.engine.drill = Self.drill(bench)
        bench.time += 60_000
        bench.report(sos, device: .some(device), stored: true)
        #expect((bench.newest?.isDrill == true) == isDrill)
    }

    @Test func aGroupTakesPartAlone() {
        var bench = Bench()
        bench.person?.groups = ["living_alone"]
        bench.engine.drill = Self.drill(bench, group: "living_alone")
        bench.report(sos)
        #expect(bench.newest?.isDrill == true)
    }
}

extension Bench {
    fileprivate mutating func real() throws(OperatorError) { try operate(.makeReal(reason: "again")) }
}
