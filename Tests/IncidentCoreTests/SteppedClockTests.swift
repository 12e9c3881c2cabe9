import IncidentCore
import TerminalModel
import Testing

private let sos = AlarmSet(.sos)

/// A clock that is believable and wrong: what arrives live is ordered by its arrival (promise P8).
@Suite struct SteppedClockTests {
    @Test(arguments: [0, 30, -30] as [Int64])
    func pressUnderAClockThatWasSetBackIsNoPartOfAClosedOne(device: Int64) throws {
        var bench = Bench()
        bench.report(sos)
        bench.time += 60_000
        bench.report(sos)
        bench.time += 60_000
        bench.report()
        try bench.operate(.close(disposition: "helped", reason: ""))
        bench.time += 600_000
        #expect(bench.report(sos, device: device).told == ["opened:dispatch-120,care-hub,siren"])
        #expect(bench.known.count == 2)
        bench.time += 10_000
        #expect(bench.report(sos, device: device + 10).told.isEmpty)
        #expect(bench.newest?.episode.levelHeld == true)
        bench.time += 10_000
        bench.report(device: device + 20)
        #expect(bench.newest?.episode.levelHeld == false)
    }

    /// A start with the clock a day ahead does not know of the closed incident, and cannot take the bit from it.
    @Test func aBitBelongsToTheNewestPressThatHadIt() throws {
        func engine(_ restored: [Incident], _ bench: borrowing Bench, firstID: Int) -> IncidentEngine {
            let ids = makeIDs()
            for _ in 1..<firstID { _ = ids() }
            return IncidentEngine(
                rules: .example, restored: restored, bootID: "boot-1", now: bench.now, makeID: ids)
        }
        var bench = Bench()
        bench.report(sos)
        try bench.operate(.close(disposition: "helped", reason: ""))
        let first = bench.newest
        let older = try #require(first)
        bench.engine = engine([], bench, firstID: 2)
        bench.time += 10_000
        bench.report(sos)
        bench.time += 10_000
        bench.report()
        let second = bench.engine.openIncidents.first
        let newer = try #require(second)
        try bench.operate(.close(disposition: "helped", reason: ""), on: newer.id)
        let third = bench.engine.incident(newer.id)
        bench.engine = engine([older, try #require(third)], bench, firstID: 3)
        bench.time += 60_000
        #expect(bench.report(sos).told == ["opened:dispatch-120,care-hub,siren"])
    }

    @Test func afterTakingOverItRaisesAttentionAgain() throws {
        var bench = Bench()
        bench.report(sos)
        bench.time += 60_000
        bench.report()
        try bench.operate(.acknowledge(reason: ""))
        bench.time += 600_000
        #expect(bench.report(sos, device: 10).told == ["escalated:dispatch-120,care-hub,siren"])
    }

    /// The reports without the bit seem older than the last one with it.
    @Test(arguments: [true, false], [true, false])
    func aClockSetBackWhileTheBitIsHeldEndsThePressAllTheSame(runs: Bool, isClearedTwice: Bool) throws {
        var bench = Bench()
        bench.time = 1_000_000
        bench.report(sos)
        try bench.operate(.acknowledge(reason: ""))
        bench.time += 10_000
        bench.report(device: 100)
        bench.time += 10_000
        if isClearedTwice {
            bench.report(device: runs ? 110 : 100)
            #expect(bench.newest?.episode.levelHeld == false)
            bench.time += 10_000
        }
        let seconds: Int64 = !runs ? 100 : isClearedTwice ? 120 : 110
        #expect(bench.report(sos, device: seconds).told == ["escalated:dispatch-120,care-hub,siren"])
        #expect(bench.newest?.presses == 2)
        bench.time += 10_000
        #expect(bench.report(sos, device: runs ? seconds + 10 : 100).told.isEmpty)
    }

    @Test func lateCopiesOfReportsWithoutTheBitDoNotEndThePress() throws {
        var bench = Bench()
        bench.time = 1_000_000
        bench.report(sos, sequence: 500)
        try bench.operate(.acknowledge(reason: ""))
        // A burst that waited for the network, and one of them once more.
        for (device, sequence) in [(900, 490), (910, 491), (920, 492), (900, 490)] as [(Int64, Int)] {
            bench.time += 400
            bench.report(device: device, sequence: sequence)
        }
        #expect(bench.newest?.episode.levelHeld == true)
        bench.time += 10_000
        #expect(bench.report(sos).told.isEmpty)
        #expect(bench.newest?.state == .acknowledged)
    }

    @Test func overtakenDatagramsAreOnePress() throws {
        var bench = Bench()
        bench.report(sos, bearer: .udp)
        try bench.operate(.close(disposition: "helped", reason: ""))
        bench.time += 10_000
        bench.report(device: 10, bearer: .udp)
        bench.time += 100
        bench.report(sos, device: 9, bearer: .udp)
        #expect(bench.known.count == 1)
    }

    @Test func placesFollowTheirArrival() throws {
        func place(_ latitude: Double) -> Position {
            Position(valid: true, latitudeDegrees: latitude, longitudeDegrees: 112)
        }
        var bench = Bench()
        bench.report(sos, position: place(28.1))
        bench.time += 10_000
        bench.report(sos, device: -86_400, position: place(28.2))
        #expect(bench.newest?.position?.latitudeDegrees == 28.2)
        // Ahead as well: the place must not stand still until the time has come.
        bench.time += 10_000
        bench.report(sos, device: 290, position: place(28.3))
        bench.time += 10_000
        bench.report(sos, position: place(28.4))
        #expect(bench.newest?.position?.latitudeDegrees == 28.4)
        // Stored ones are as old as they say.
        bench.report(device: 5, stored: true, position: place(28.5))
        #expect(bench.newest?.position?.latitudeDegrees == 28.4)
    }
}

/// A press that was kept on the terminal, by its time, in a frame that does not say so.
@Suite struct LateByTimeTests {
    @Test(arguments: [(Int64(-901), true, true), (-901, false, false), (-700, true, false)])
    func onlyARightClockMakesItLate(device: Int64, clockIsRight: Bool, isLate: Bool) throws {
        var bench = Bench()
        let decision = bench.report(sos, device: device, clockIsRight: clockIsRight)
        #expect(bench.newest?.late == isLate)
        #expect(decision.told == [isLate ? "opened:care-hub,siren" : "opened:dispatch-120,care-hub,siren"])
    }

    @Test func aPressOfNowReaches120AtOnce() {
        var bench = Bench()
        bench.report(sos, device: -3600, clockIsRight: true)
        bench.time += 1000
        #expect(bench.report(sos, clockIsRight: true).told.first == "escalated:dispatch-120")
    }

    /// The clock was right until it was set back on the same connection: as soon as that is seen no longer, 120 hears.
    @Test func aClockFoundWrongReleases120() {
        var bench = Bench()
        bench.report(sos, device: -3600, clockIsRight: true)
        bench.time += 10_000
        #expect(bench.report(sos, device: -3590, clockIsRight: false).told.first == "escalated:dispatch-120")
    }

    @Test func anAncientTimeIsAnUnsetClock() {
        var bench = Bench()
        bench.report(sos, device: -86_400 * 400, clockIsRight: true)
        #expect(bench.newest?.late == false)
    }
}
