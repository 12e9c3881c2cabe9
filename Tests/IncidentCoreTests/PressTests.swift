import IncidentCore
import TerminalModel
import Testing

private let sos = AlarmSet(.sos)

/// DESIGN section 6: what a press is, and promises P2 and P8.
@Suite struct PressTests {
    @Test func pressOpensAtOnceWithTheFirstStep() throws {
        var bench = Bench()
        let decision = bench.report(sos)
        #expect(decision.told == ["opened:dispatch-120,care-hub,siren"])
        let change = try required(decision.changes.first)
        #expect(change.incident.service == .emergency)
        #expect(change.incident.causes == ["sos"])
        #expect(change.incident.state == .open)
        #expect(change.incident.person == "p1")
        #expect(change.evidence?.frame == [0x7E, 0x7E])
        #expect(change.deliveries.first?.notice.identifier == "inc_0000000000000001_1")
        #expect(decision.commands.isEmpty)
    }

    @Test func ordinaryReportsDecideNothing() {
        var bench = Bench()
        #expect(bench.report().isEmpty)
        #expect(bench.report([.init(.lowBattery)]).isEmpty)
    }

    @Test func heldBitIsOnePressAndNeverSoundsAgain() throws {
        var bench = Bench()
        bench.report(sos)
        try bench.operate(.acknowledge(reason: ""))
        for _ in 0..<100 {
            bench.time += 10_000
            #expect(bench.report(sos).told.isEmpty)
        }
        #expect(bench.known.count == 1)
        #expect(bench.newest?.state == .acknowledged)
        #expect(bench.newest?.presses == 1)
        let rows = bench.decisions.flatMap(\.changes).flatMap(\.entries).filter { $0.kind == .attached }
        #expect(rows.count <= 10)
    }

    @Test func newPressWhileOpenRaisesAttentionAgain() throws {
        var bench = Bench()
        bench.report(sos)
        try bench.operate(.acknowledge(reason: "calling her"))
        bench.time += 5000
        bench.report()
        bench.time += 5000
        let decision = bench.report(sos)
        #expect(decision.told == ["escalated:dispatch-120,care-hub,siren"])
        #expect(bench.known.count == 1)
        #expect(bench.newest?.state == .open)
        #expect(bench.newest?.presses == 2)
        #expect(bench.newest?.acknowledgedBy == nil)
        #expect(bench.engine.nextDeadlineMonotonicMilliseconds == bench.now.monotonicMilliseconds + 20_000)
    }

    @Test func furtherEventsRaiseAtMostOnceAMinuteButAreNotLost() throws {
        var bench = Bench()
        #expect(bench.report(keys: [2], device: .some(nil), kind: .key).told == ["opened:care-hub"])
        try bench.operate(.acknowledge(reason: ""))
        bench.time += 100_000
        #expect(bench.report(keys: [2], device: .some(nil), kind: .key).told == ["escalated:care-hub"])
        try bench.operate(.acknowledge(reason: ""))
        bench.time += 10_000
        #expect(bench.report(keys: [3], device: .some(nil), kind: .key).told.isEmpty)
        #expect(bench.newest?.state == .acknowledged)
        #expect(bench.newest?.presses == 3)
        let later = bench.run(seconds: 50)
        #expect(later.flatMap(\.deliveries).map(\.notice.kind) == [.escalated])
        #expect(bench.newest?.state == .open)
        #expect(bench.newest?.keys == [2, 3])
        #expect(bench.known.count == 1)
    }

    @Test func pressAfterClosingIsANewIncident() throws {
        var bench = Bench()
        bench.report(sos)
        try bench.operate(.close(disposition: "helped", reason: ""))
        bench.time += 5000
        bench.report()
        bench.time += 5000
        #expect(bench.report(sos).told == ["opened:dispatch-120,care-hub,siren"])
        #expect(bench.known.count == 2)
    }

    @Test func stillHeldTenMinutesAfterClosingIsANewPress() throws {
        var bench = Bench()
        bench.report(sos)
        try bench.operate(.close(disposition: "helped", reason: ""))
        bench.time += 599_000
        bench.report(sos)
        #expect(bench.known.count == 1)
        bench.time += 1000
        #expect(bench.report(sos).told == ["opened:dispatch-120,care-hub,siren"])
        #expect(bench.known.count == 2)
        bench.time += 5000
        bench.report(sos)
        #expect(bench.known.count == 2)
    }

    @Test(arguments: [true, false], [true, false])
    func retransmissionAttachesHoweverLate(isClosed: Bool, isRestarted: Bool) throws {
        var bench = Bench()
        bench.report(sos, device: 0, sequence: 77)
        bench.time += 20_000
        bench.report()
        if isClosed { try bench.operate(.close(disposition: "helped", reason: "")) }
        bench.time += 3600 * 1000
        if isRestarted { try bench.restart() }
        let decision = bench.report(sos, device: 0, sequence: 77, stored: true, again: !isRestarted)
        #expect(decision.told.isEmpty)
        #expect(decision.entries == [.attached])
        #expect(bench.known.count == 1)
        #expect(bench.newest?.presses == 1)
    }

    @Test func keyRetransmittedAfterARestartDoesNotDouble() throws {
        var bench = Bench()
        bench.report(keys: [1], device: .some(nil), sequence: 9, kind: .key)
        try bench.restart()
        bench.time += 15_000
        #expect(bench.report(keys: [1], device: .some(nil), sequence: 9, kind: .key).entries == [.attached])
        #expect(bench.newest?.presses == 1)
        // Counters start again at power-on: the same number much later is a press.
        bench.time += 300_000
        bench.report(keys: [1], device: .some(nil), sequence: 9, kind: .key)
        #expect(bench.newest?.presses == 2)
    }

    @Test func samePressOverTwoBearersIsOneIncident() throws {
        var bench = Bench()
        bench.report(sos, device: 0, sequence: 5)
        let second = bench.report(sos, device: 0, sequence: 900, bearer: .serial)
        #expect(second.entries == [.attached])
        #expect(second.entry(.attached)?.detail.contains("serial") == true)
        try bench.operate(.close(disposition: "helped", reason: ""))
        bench.time += 60_000
        bench.report()
        bench.report(sos, device: 0, sequence: 901, bearer: .serial)
        #expect(bench.known.count == 1)
    }

    @Test func olderReportWithoutTheBitDoesNotEndThePress() throws {
        var bench = Bench()
        bench.time = 100_000
        bench.report(sos)
        try bench.operate(.acknowledge(reason: ""))
        bench.report(device: 40)
        bench.report(device: 40, stored: true)
        bench.report(device: .some(nil), stored: true)
        #expect(bench.newest?.episode.levelHeld == true)
        #expect(bench.report(sos).told.isEmpty)
        #expect(bench.newest?.state == .acknowledged)
        bench.time += 10_000
        bench.report()
        #expect(bench.newest?.episode.levelHeld == false)
    }

    @Test(
        "A broken clock is never muted and ends its own presses",
        arguments: [.some(nil), .some(1_000_000_000), .some(-860_000_000), .some(-28_800), .some(28_800)] as [Int64??])
    func brokenClock(offset: Int64??) throws {
        var bench = Bench()
        func device(_ bench: borrowing Bench) -> Int64?? {
            switch offset {
            case .some(.some(let seconds)): .some(seconds + bench.time / 1000)
            default: .some(nil)
            }
        }
        #expect(bench.report(sos, device: device(bench)).told == ["opened:dispatch-120,care-hub,siren"])
        #expect(bench.newest?.late == false)
        try bench.operate(.acknowledge(reason: ""))
        bench.time += 10_000
        bench.report(sos, device: device(bench))
        #expect(bench.newest?.state == .acknowledged)
        bench.time += 10_000
        bench.report(device: device(bench))
        bench.time += 70_000
        #expect(bench.report(sos, device: device(bench)).told == ["escalated:dispatch-120,care-hub,siren"])
        try bench.operate(.close(disposition: "helped", reason: ""))
        bench.time += 10_000
        bench.report(device: device(bench))
        bench.time += 10_000
        bench.report(sos, device: device(bench))
        #expect(bench.known.count == 2)
    }

    /// A believable clock that stands still, as of a terminal that states the time of its last fix.
    @Test(arguments: [true, false])
    func pressesUnderAStandingClockAreToldApartByArrival(isClosedBetween: Bool) throws {
        var bench = Bench()
        bench.report(sos, device: -60)
        bench.time += 10_000
        bench.report(device: -60)
        if isClosedBetween { try bench.operate(.close(disposition: "helped", reason: "")) }
        bench.time += 10_000
        bench.report(sos, device: -60)
        if isClosedBetween {
            #expect(bench.known.count == 2)
        } else {
            #expect(bench.known.count == 1)
            #expect(bench.newest?.presses == 2)
        }
        // Held on, it is the same press.
        bench.time += 10_000
        #expect(bench.report(sos, device: -60).told.isEmpty)
    }

    /// Its answer to a question states the present time and no alarm; its reports go on standing still.
    @Test func anAnswerBetweenMutesNoPressUnderAStandingClock() {
        var bench = Bench()
        bench.report(sos, device: -60)
        bench.report(device: 0)
        bench.time += 10_000
        bench.report(device: -60)
        bench.time += 10_000
        bench.report(sos, device: -60)
        #expect(bench.newest?.presses == 2)
    }

    @Test func sameStuckTimeAndCounterAfterPowerOnIsAPress() throws {
        var bench = Bench()
        bench.report(sos, device: -860_000_000, sequence: 2)
        try bench.operate(.close(disposition: "helped", reason: ""))
        bench.time += 480_000
        bench.report(device: -860_000_000, sequence: 1)
        bench.report(sos, device: -860_000_000, sequence: 2)
        #expect(bench.known.count == 2)
    }

    @Test func noFixAndZeroCoordinatesOpenAllTheSame() {
        var bench = Bench()
        let zero = Position(valid: false, latitudeDegrees: 0, longitudeDegrees: 0)
        #expect(bench.report(sos, position: zero).told.count == 1)
        var other = Bench()
        #expect(other.report(sos, position: Position(valid: true, latitudeDegrees: .nan)).told.count == 1)
        #expect(other.newest?.position == nil)
    }

    @Test func fallAndSOSAreOneEmergency() {
        var bench = Bench()
        bench.report(AlarmSet(.fall))
        bench.time += 5000
        bench.report([AlarmSet(.fall), sos])
        #expect(bench.known.count == 1)
        #expect(bench.newest?.causes == ["fall", "sos"])
        #expect(bench.newest?.presses == 2)
    }

    @Test(arguments: [
        (AlarmKind.help, Service.lifeAssistance), (.removed, .securityAlarm), (.tamper, .securityAlarm),
        (.powerCut, .securityAlarm), (.fall, .emergency), (.sos, .emergency), (.fenceExit, .fenceWatch),
    ])
    func services(kind: AlarmKind, service: Service) {
        var bench = Bench()
        #expect(bench.report(AlarmSet(kind)).changes.map(\.incident.service) == [service])
        #expect(bench.newest?.causes == [kind.name])
    }

    @Test func cancelIsOnlyANote() {
        var bench = Bench()
        bench.report(sos)
        let decision = bench.report(AlarmSet(.sosCleared))
        #expect(decision.entry(.cancelClaimed) != nil)
        #expect(decision.told == ["cancelled:care-hub,siren"])
        #expect(bench.newest?.state == .open)
        #expect(bench.engine.nextDeadlineMonotonicMilliseconds != nil)
    }
}
