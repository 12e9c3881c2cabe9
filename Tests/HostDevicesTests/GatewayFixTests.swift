import HostDevices
import TerminalModel
import Testing

@Suite struct GatewayFixTests {
    /// Monotonic and wall time run together unless a test says otherwise.
    private func at(_ seconds: Double, wallOffset: Int64 = 0) -> Moment {
        let milliseconds = Int64(seconds * 1000)
        return Moment(
            wall: Timestamp(milliseconds: 1_773_454_200_000 + milliseconds + wallOffset),
            monotonicMilliseconds: milliseconds)
    }

    private func changsha(_ accuracy: Double? = 5) -> FixReport.Place {
        .init(latitudeDegrees: 28.23, longitudeDegrees: 112.94, altitudeMetres: 61.4, accuracyMetres: accuracy)
    }

    private func tracker() -> GatewayFixTracker {
        var tracker = GatewayFixTracker(staleSeconds: 10, clockWarningMilliseconds: 2_000, now: at(0).wall)
        tracker.connected(now: at(0))
        return tracker
    }

    private func report(_ name: String, _ place: FixReport.Place?, _ now: Moment, late: Int64 = 0) -> FixReport {
        FixReport(receiver: name, place: place, time: now.wall.adding(milliseconds: -late))
    }

    @Test func aFixIsLostAndComesBack() {
        var tracker = tracker()
        #expect(tracker.fix.state == .noFix)
        tracker.report(report("a", nil, at(1)), now: at(1))
        #expect(tracker.fix.state == .noFix)
        tracker.report(report("a", changsha(), at(2)), now: at(2))
        #expect(tracker.fix.state == .fix)
        let position = tracker.fix.currentPosition
        #expect(position?.latitudeDegrees == 28.23)
        #expect(position?.longitudeDegrees == 112.94)
        #expect(position?.altitudeMetres == 61)
        #expect(position?.accuracyMetres == 5)
        #expect(position?.source == .gateway)
        tracker.report(report("a", nil, at(3)), now: at(3))
        #expect(tracker.fix.state == .noFix)
        #expect(tracker.fix.currentPosition == nil)
        tracker.report(report("a", changsha(), at(4)), now: at(4))
        #expect(tracker.fix.state == .fix)
        #expect(tracker.fix.since == at(4).wall)
    }

    @Test func aFixThatIsNotRepeatedGoesStale() {
        var tracker = tracker()
        tracker.report(report("a", changsha(), at(1)), now: at(1))
        tracker.tick(now: at(11))
        #expect(tracker.fix.state == .fix)
        tracker.tick(now: at(11.5))
        #expect(tracker.fix.state == .stale)
        #expect(tracker.fix.currentPosition == nil)
        tracker.tick(now: at(60))
        #expect(tracker.fix.state == .stale)
        tracker.report(report("a", nil, at(61)), now: at(61))
        #expect(tracker.fix.state == .noFix)
        tracker.disconnected("gone", now: at(62))
        #expect(tracker.fix.state == .disconnected)
        tracker.tick(now: at(63))
        #expect(tracker.fix.state == .disconnected)
    }

    @Test(arguments: [(0.0, 0.0), (91.0, 10.0), (10.0, 181.0), (.nan, 10.0), (10.0, .infinity)])
    func impossiblePlacesAreNoFix(latitude: Double, longitude: Double) {
        var tracker = tracker()
        let place = FixReport.Place(latitudeDegrees: latitude, longitudeDegrees: longitude)
        tracker.report(report("a", place, at(1)), now: at(1))
        #expect(tracker.fix.state == .noFix)
    }

    @Test func ofSeveralReceiversTheBetterOneIsTakenAndKept() {
        var tracker = tracker()
        tracker.report(report("b", changsha(20), at(1)), now: at(1))
        tracker.report(report("a", changsha(15), at(1.1)), now: at(1.1))
        #expect(tracker.fix.receiver == "b", "two that are about equal took turns")
        tracker.report(report("a", changsha(9), at(2)), now: at(2))
        #expect(tracker.fix.receiver == "a")
        tracker.report(report("c", changsha(nil), at(2.5)), now: at(2.5))
        #expect(tracker.fix.receivers == ["a", "b", "c"])
        tracker.report(report("b", changsha(20), at(9)), now: at(9))
        // "a" falls silent, "b" goes on.
        tracker.report(report("b", changsha(20), at(13)), now: at(13))
        #expect(tracker.fix.receiver == "b")
        #expect(tracker.fix.state == .fix)
        tracker.report(report("b", nil, at(14)), now: at(14))
        #expect(tracker.fix.state == .noFix)
        for number in 0..<40 { tracker.report(report("r\(number)", nil, at(15)), now: at(15)) }
        #expect(tracker.fix.receivers.count == GatewayFixTracker.maximumReceivers)
    }

    @Test func theClockIsJudgedByTheMiddleOfSeveralReports() {
        var tracker = tracker()
        for second in 1...2 {
            tracker.report(report("a", changsha(), at(Double(second)), late: 300), now: at(Double(second)))
            #expect(tracker.fix.clock == .unknown)
        }
        tracker.report(report("a", changsha(), at(3), late: 300), now: at(3))
        #expect(tracker.fix.clock == .ok)
        #expect(tracker.fix.clockOffsetMilliseconds == 300)
        // One report jumps by a day.
        tracker.report(report("a", changsha(), at(4), late: 86_400_000), now: at(4))
        #expect(tracker.fix.clock == .ok)
        // Then it stays there: known after three reports.
        tracker.report(report("a", changsha(), at(5), late: 86_400_000), now: at(5))
        tracker.report(report("a", changsha(), at(6), late: 86_400_000), now: at(6))
        #expect(tracker.fix.clock == .warning)
        #expect(tracker.fix.clockOffsetMilliseconds == 86_400_000)
        for second in 7...9 {
            tracker.report(report("a", changsha(), at(Double(second)), late: 100), now: at(Double(second)))
        }
        #expect(tracker.fix.clock == .ok)
        // A clock that is slow is as bad as one that is fast.
        for second in 10...12 {
            tracker.report(report("a", changsha(), at(Double(second)), late: -2_001), now: at(Double(second)))
        }
        #expect(tracker.fix.clock == .warning)
        #expect(tracker.fix.clockOffsetMilliseconds == -2_001)
        tracker.tick(now: at(73))
        #expect(tracker.fix.clock == .unknown)
        #expect(tracker.fix.clockOffsetMilliseconds == nil)
    }

    @Test func timeWithoutAFixIsNotBelieved() {
        var tracker = tracker()
        for second in 1...5 {
            tracker.report(report("a", nil, at(Double(second)), late: 9_999), now: at(Double(second)))
        }
        #expect(tracker.fix.clock == .unknown)
    }

    @Test func withoutGpsdTheClockIsNotJudged() {
        var tracker = tracker()
        for second in 1...3 { tracker.report(report("a", changsha(), at(Double(second))), now: at(Double(second))) }
        #expect(tracker.fix.clock == .ok)
        tracker.disconnected("gone", now: at(4))
        #expect(tracker.fix.clock == .unknown)
    }
}
