import TerminalModel
import Testing

@testable import IncidentCore

private func moment(_ seconds: Int64) -> Moment {
    Moment(wall: start.adding(milliseconds: seconds * 1000), monotonicMilliseconds: 50_000_000 + seconds * 1000)
}

/// Many terminals at once are one incident, and nobody's silence is swallowed.
@Suite struct MassEventWatchTests {
    /// A watch with the clock that the test turns; silence counts from one hour, so it is held back for three minutes.
    private struct Run {
        var watch: MassEventWatch
        var seconds: Int64 = 0
        var connected = 100
        var news: [String] = []
        var alone: [UInt32] = []

        init(_ rules: MassEventRules = MassEventRules()) {
            watch = MassEventWatch(rules: rules, silenceSeconds: 3600, now: moment(0))
        }

        mutating func silence(_ numbers: ClosedRange<UInt32>) {
            for number in numbers { watch.fellSilent(number, since: moment(seconds - 3600).wall, now: moment(seconds)) }
            look()
        }

        mutating func heard(_ numbers: ClosedRange<UInt32>) {
            for number in numbers { watch.heardAgain(number) }
            look()
        }

        mutating func look() {
            let findings = watch.advance(connected: connected, now: moment(seconds))
            news += findings.news.map { "\($0.kind.rawValue) \($0.count)\($0.isEnd ? " end" : "")" }
            alone += findings.alone.map(\.number).sorted()
        }

        mutating func turn(to end: Int64) {
            while let next = watch.nextDeadlineMonotonicMilliseconds, next <= moment(end).monotonicMilliseconds {
                seconds = max(seconds, (next - 50_000_000 + 999) / 1000)
                look()
            }
            seconds = end
            look()
        }
    }

    @Test func fewAreIncidentsOfTheirOwnAfterAMoment() {
        var run = Run()
        run.silence(1...19)
        #expect(run.alone == [])
        run.turn(to: 179)
        #expect(run.alone == [])
        run.turn(to: 180)
        #expect(run.alone == Array(1...19))
        #expect(run.news == [])
        #expect(run.watch.nextDeadlineMonotonicMilliseconds == nil)
    }

    @Test func whoIsHeardMeanwhileIsNoIncident() {
        var run = Run()
        run.silence(1...3)
        run.heard(2...2)
        run.turn(to: 400)
        #expect(run.alone == [1, 3])
    }

    @Test func manyAreOne() {
        var run = Run()
        run.silence(1...10)
        run.turn(to: 100)
        run.silence(11...20)
        #expect(run.news == ["mass_silence 20"])
        // The next ones join; a doubling is told, not each of them.
        run.silence(21...39)
        run.silence(40...40)
        run.turn(to: 7200)
        #expect(run.news == ["mass_silence 20", "mass_silence 40"])
        #expect(run.alone == [])
        #expect(run.watch.silentTogether == 40)
    }

    @Test func theShareOfThoseConnectedCounts() {
        var run = Run()
        run.connected = 2000
        run.silence(1...100)
        #expect(run.news == [], "5 % of 2100 are 105")
        run.silence(101...106)
        #expect(run.news == ["mass_silence 106"])
    }

    /// The others came back: those that did not are not swallowed.
    @Test func whoStaysSilentGetsAnIncident() {
        var run = Run()
        run.silence(1...50)
        run.turn(to: 1000)
        run.heard(1...30)
        run.turn(to: 2000)
        #expect(run.alone == [], "20 are still enough for one event")
        run.heard(31...45)
        run.turn(to: 2299)
        #expect(run.alone == [], "a last window to come back")
        run.heard(46...46)
        run.turn(to: 2300)
        #expect(run.alone == [47, 48, 49, 50])
        #expect(run.news == ["mass_silence 50", "mass_silence 4 end"])
        // From here on silence is judged anew.
        run.silence(60...61)
        run.turn(to: 3000)
        #expect(run.alone == [47, 48, 49, 50, 60, 61])
    }

    @Test func closingByAHumanSwallowsNobody() {
        var run = Run()
        run.silence(1...30)
        run.heard(1...5)
        run.watch.incidentClosed(now: moment(0))
        run.turn(to: 599)
        #expect(run.news == ["mass_silence 30"])
        run.turn(to: 600)
        #expect(run.news == ["mass_silence 30", "mass_silence 25"], "as many are still silent: told again")
        run.heard(6...20)
        run.watch.incidentClosed(now: moment(600))
        run.turn(to: 1400)
        #expect(run.alone == Array(21...30))
    }

    @Test func withoutTheRuleEachIsAnIncidentAtOnce() {
        var run = Run(MassEventRules(terminals: 0))
        run.silence(1...500)
        #expect(run.alone == Array(1...500))
        #expect(run.news == [])
    }

    @Test func turnedOffInTheMidstNobodyIsSwallowed() {
        var run = Run()
        run.silence(1...30)
        run.watch.rules.terminals = 0
        run.look()
        #expect(run.alone == Array(1...30))
    }

    @Test func lostConnectionsAndThoseThatComeBack() {
        var run = Run()
        run.turn(to: 600)
        run.connected = 475
        for number in 1...20 { run.watch.disconnected(UInt32(number)) }
        run.look()
        #expect(run.news == [], "5 % of 495 are 25")
        // One terminal that comes and goes is one.
        for _ in 0..<100 { run.watch.disconnected(7) }
        run.look()
        #expect(run.news == [])
        for number in 21...25 { run.watch.disconnected(UInt32(number)) }
        run.look()
        for number in 1...30 { run.watch.reconnected(UInt32(number)) }
        run.look()
        #expect(run.news == ["mass_disconnect 25", "mass_reconnect 30"])
        run.turn(to: 1500)
        #expect(run.news.suffix(2) == ["mass_disconnect 0 end", "mass_reconnect 0 end"])
        run.turn(to: 2000)
        #expect(run.watch.nextDeadlineMonotonicMilliseconds == nil)
    }

    /// A start learns what is usual before it judges, so that a restart of the gateway is no event.
    @Test func aStartIsNoEvent() {
        var run = Run()
        for number in 1...500 { run.watch.reconnected(UInt32(number)) }
        run.turn(to: 599)
        #expect(run.news == [])
    }

    /// Watches that connect every ten minutes, say their word and leave.
    @Test func whatIsUsualIsNoEvent() {
        var run = Run()
        run.connected = 40
        for minute in 0..<120 {
            for number in 0..<100 {
                run.watch.reconnected(UInt32(minute % 10 * 100 + number))
                run.watch.disconnected(UInt32(minute % 10 * 100 + number))
            }
            run.turn(to: Int64(minute + 1) * 60)
        }
        #expect(run.news == [])
        // Far more than usual is.
        for number in 2000...8000 { run.watch.disconnected(UInt32(number)) }
        run.look()
        #expect(run.news.count == 1)
    }
}

/// The incident that stands for many.
@Suite struct MassEventTests {
    @Test func oneIncidentStandsForAllCauses() throws {
        var bench = Bench()
        let first = bench.keep(
            bench.engine.massEvent(.disconnect, "30 lost", affected: 30, isEnd: false, now: bench.now))
        #expect(first.told == ["opened:care-hub,siren,family"])
        let incident = try required(bench.newest)
        #expect(incident.terminal == .site && incident.service == .securityAlarm && incident.person == nil)
        #expect(incident.causes == ["mass_disconnect"] && incident.affected == 30)
        let second = bench.keep(
            bench.engine.massEvent(.silence, "60 silent", affected: 60, isEnd: false, now: bench.now))
        #expect(second.told == ["updated:care-hub,siren,family"])
        let end = bench.keep(bench.engine.massEvent(.silence, "over", affected: 2, isEnd: true, now: bench.now))
        #expect(end.told == [] && end.entry(.note)?.detail == "over")
        #expect(bench.known.count == 1)
        #expect(bench.newest?.causes == ["mass_disconnect", "mass_silence"] && bench.newest?.affected == 60)
        // Taking over says nothing to any terminal, and only a human closes.
        #expect(try bench.operate(.acknowledge(reason: "the operator is called")).commands.isEmpty)
        #expect(bench.newest?.state == .acknowledged)
        try bench.operate(.close(disposition: "repaired", reason: ""))
        #expect(
            bench.keep(bench.engine.massEvent(.reconnect, "over", affected: 0, isEnd: true, now: bench.now)).isEmpty)
        bench.decisions.append(bench.engine.massEvent(.reconnect, "40", affected: 40, isEnd: false, now: bench.now))
        #expect(bench.known.count == 2)
    }

    @Test func itOutlivesARestart() throws {
        var bench = Bench()
        bench.decisions.append(bench.engine.massEvent(.silence, "30", affected: 30, isEnd: false, now: bench.now))
        try bench.restart()
        bench.decisions.append(bench.engine.massEvent(.silence, "40", affected: 40, isEnd: false, now: bench.now))
        #expect(bench.known.count == 1)
        #expect(bench.newest?.affected == 40)
    }
}
