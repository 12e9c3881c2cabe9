import IncidentCore
import TerminalModel
import Testing

private func moment(_ seconds: Int64) -> Moment {
    Moment(wall: start.adding(milliseconds: seconds * 1000), monotonicMilliseconds: 50_000_000 + seconds * 1000)
}

private func event(
    _ terminal: Int = 1, percent: Int? = nil, alarm: Bool = false, stored: Bool = false
) -> TerminalEvent {
    var event = TerminalEvent(
        protocolName: .jt808, terminal: TerminalID(nibbles: UInt128(terminal)), message: .number(0x0200), sequence: 1,
        kind: .report, historical: stored)
    event.batteryPercent = percent
    if alarm { event.alarms.insert(.lowBattery) }
    return event
}

@Suite struct BatteryTests {
    @Test func latchesAndClearsWithHysteresis() {
        var watch = ConditionWatch(lowBatteryPercent: 15, silence: SilenceLimits(), now: moment(0))
        let percents = [40, 16, 15, 14, 16, 24, 14, 25, 26, 3, 101]
        var found: [String] = []
        for percent in percents {
            for condition in watch.observe(event(percent: percent), of: 1, now: moment(0)) {
                found.append("\(percent) \(condition.isViolation ? "low" : "recovered")")
            }
        }
        #expect(found == ["15 low", "25 recovered", "3 low"])
    }

    @Test func alarmBitAloneAndStoredItems() {
        var watch = ConditionWatch(lowBatteryPercent: nil, silence: SilenceLimits(), now: moment(0))
        #expect(watch.observe(event(percent: 1), of: 1, now: moment(0)) == [])
        #expect(watch.observe(event(alarm: true, stored: true), of: 1, now: moment(0)) == [])
        #expect(watch.observe(event(alarm: true), of: 1, now: moment(0)) == [.lowBattery(percent: nil)])
        #expect(watch.observe(event(), of: 1, now: moment(10)) == [])
        #expect(watch.observe(event(alarm: true), of: 1, now: moment(20)) == [])
        #expect(watch.observe(event(), of: 1, now: moment(30)) == [])
        #expect(watch.observe(event(), of: 1, now: moment(629)) == [])
        #expect(watch.observe(event(), of: 1, now: moment(630)) == [.batteryRecovered(percent: nil)])
        #expect(watch.nextDeadlineMonotonicMilliseconds == nil)
    }

    @Test func seededLatchSaysNothingTwice() {
        var watch = ConditionWatch(lowBatteryPercent: 15, silence: SilenceLimits(), now: moment(0))
        watch.seed(1, lastSeen: start, hasLowBattery: true, now: moment(0))
        #expect(watch.observe(event(percent: 10), of: 1, now: moment(0)) == [])
        #expect(watch.observe(event(percent: 90), of: 1, now: moment(0)) == [.batteryRecovered(percent: 90)])
    }
}

@Suite struct SilenceTests {
    /// Calls `advance` as a clock would and tells who fell silent when.
    private func run(_ watch: inout ConditionWatch, until: Int64) -> [String] {
        var found: [String] = []
        while let next = watch.nextDeadlineMonotonicMilliseconds, next <= moment(until).monotonicMilliseconds {
            let now = moment((next - 50_000_000 + 999) / 1000)
            for (number, condition) in watch.advance(now: now) {
                found.append("\(number) \((now.monotonicMilliseconds - 50_000_000) / 1000) \(condition)")
            }
        }
        return found
    }

    @Test func eachSilenceIsNamedOnce() {
        var watch = ConditionWatch(lowBatteryPercent: nil, silence: SilenceLimits(seconds: 600), now: moment(0))
        _ = watch.observe(event(1), of: 1, now: moment(0))
        _ = watch.observe(event(2), of: 2, now: moment(0))
        _ = watch.observe(event(2), of: 2, now: moment(500))
        #expect(run(&watch, until: 5000).count == 2)
        #expect(watch.nextDeadlineMonotonicMilliseconds == nil)
        #expect(watch.observe(event(1), of: 1, now: moment(5000)) == [.heardAgain])
        #expect(watch.observe(event(1), of: 1, now: moment(5001)) == [])
        let again = run(&watch, until: 9000)
        #expect(again.count == 1)
        #expect(again[0].hasPrefix("1 56"))
        #expect(again[0].contains("\(start.adding(milliseconds: 5_001_000))"))
    }

    /// A panel repeats that a pendant is lost; once is enough, and over a restart too.
    @Test func aLostPendantIsNamedOnceUntilItIsBack() {
        var watch = ConditionWatch(lowBatteryPercent: nil, silence: SilenceLimits(), now: moment(0))
        func tell(_ alarms: AlarmSet, _ second: Int64, of number: UInt32 = 1) -> [Condition] {
            var event = event(1)
            event.alarms = alarms
            return watch.observe(event, of: number, now: moment(second))
        }
        #expect(tell([.init(.supervisionRestored)], 0) == [.supervisionRestored])
        #expect(tell([.init(.supervisionLost)], 1) == [.supervisionLost])
        #expect(tell([.init(.supervisionLost)], 2) == [])
        #expect(tell([.init(.supervisionLost)], 2, of: 2) == [.supervisionLost])
        watch.change(lowBatteryPercent: 15, silence: SilenceLimits(seconds: 600), now: moment(3))
        #expect(tell([.init(.supervisionLost)], 4) == [])
        #expect(tell([], 5) == [])
        #expect(tell([.init(.supervisionRestored)], 6) == [.supervisionRestored])
        #expect(tell([.init(.supervisionLost)], 7) == [.supervisionLost])
        watch.forget(1)
        #expect(tell([.init(.supervisionLost)], 8) == [.supervisionLost])
        watch.seed(3, lastSeen: start, lacksSupervision: true, now: moment(8))
        #expect(tell([.init(.supervisionLost)], 9, of: 3) == [])
        #expect(tell([.init(.supervisionRestored)], 10, of: 3) == [.supervisionRestored])
    }

    @Test func seededTerminalsGetAGraceAfterTheStart() {
        var watch = ConditionWatch(lowBatteryPercent: nil, silence: SilenceLimits(seconds: 1800), now: moment(0))
        watch.seed(1, lastSeen: start.adding(milliseconds: -90_000_000), now: moment(0))
        watch.seed(
            2, lastSeen: start.adding(milliseconds: -90_000_000), isSilent: true, now: moment(0))
        watch.seed(3, lastSeen: start.adding(milliseconds: -600_000), now: moment(0))
        watch.seed(4, lastSeen: start.adding(milliseconds: -600_000), now: moment(0))
        watch.forget(4)
        #expect(run(&watch, until: 599) == [])
        #expect(run(&watch, until: 700).map { $0.prefix(1) } == ["1"])
        #expect(run(&watch, until: 1199) == [])
        #expect(run(&watch, until: 4000).map { $0.prefix(1) } == ["3"])
        #expect(watch.observe(event(2), of: 2, now: moment(4000)) == [.heardAgain])
    }

    @Test func newLimitsKeepWhatWasReported() {
        var watch = ConditionWatch(lowBatteryPercent: 15, silence: SilenceLimits(seconds: 3600), now: moment(0))
        _ = watch.observe(event(1, percent: 10), of: 1, now: moment(0))
        _ = watch.observe(event(2, percent: 20), of: 2, now: moment(1000))
        _ = watch.observe(event(3), of: 3, now: moment(0))
        watch.forget(3)
        watch.change(lowBatteryPercent: 30, silence: SilenceLimits(seconds: 900), now: moment(1000))
        #expect(run(&watch, until: 1100).map { $0.prefix(1) } == ["1"])
        #expect(watch.observe(event(2, percent: 20), of: 2, now: moment(1100)) == [.lowBattery(percent: 20)])
        watch.change(lowBatteryPercent: 30, silence: SilenceLimits(seconds: 600), now: moment(1200))
        #expect(run(&watch, until: 1690) == [])
        #expect(run(&watch, until: 1800).map { $0.prefix(1) } == ["2"])
        #expect(watch.observe(event(1, percent: 10), of: 1, now: moment(1800)) == [.heardAgain])
        watch.change(lowBatteryPercent: 30, silence: SilenceLimits(), now: moment(1900))
        #expect(watch.nextDeadlineMonotonicMilliseconds == nil)
        #expect(watch.observe(event(2, percent: 40), of: 2, now: moment(1900)) == [.batteryRecovered(percent: 40)])
    }

    @Test func aNumberGivenToAnotherTerminalStartsAfresh() {
        var watch = ConditionWatch(lowBatteryPercent: 15, silence: SilenceLimits(seconds: 600), now: moment(0))
        _ = watch.observe(event(1, percent: 3), of: 1, now: moment(0))
        watch.forget(1)
        #expect(watch.observe(event(2, percent: 50), of: 1, now: moment(100)) == [])
        #expect(watch.observe(event(2, percent: 3), of: 1, now: moment(400)) == [.lowBattery(percent: 3)])
        let found = run(&watch, until: 5000)
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("1 100") == true, "\(found)")
        watch.forget(1)
        _ = watch.observe(event(2), of: 1, now: moment(5000))
        watch.forget(1)
        #expect(run(&watch, until: 9000) == [])
    }

    @Test func eachModelHasItsOwnLimit() {
        let limits = SilenceLimits(seconds: 3600, models: ["panel": 240, "bedside": 0, "watch": 86_400])
        var watch = ConditionWatch(lowBatteryPercent: nil, silence: limits, now: moment(0))
        for (number, model) in [(1, "panel"), (2, "bedside"), (3, "watch"), (4, "pendant"), (5, "panel")] {
            watch.setModel(model, of: UInt32(number))
            _ = watch.observe(event(number), of: UInt32(number), now: moment(0))
        }
        #expect(run(&watch, until: 239) == [])
        #expect(run(&watch, until: 250).map { $0.prefix(1) } == ["1", "5"])
        #expect(run(&watch, until: 3599) == [])
        #expect(run(&watch, until: 3610).map { $0.prefix(1) } == ["4"])
        #expect(run(&watch, until: 86_399) == [])
        #expect(run(&watch, until: 86_410).map { $0.prefix(1) } == ["3"])
        #expect(run(&watch, until: 200_000) == [])
        #expect(watch.observe(event(1), of: 1, now: moment(200_000)) == [.heardAgain])
        // What is due sooner under its new model is not left where it waits.
        _ = watch.observe(event(4), of: 4, now: moment(200_000))
        _ = watch.observe(event(2), of: 2, now: moment(200_000))
        watch.setModel("panel", of: 4)
        watch.setModel("panel", of: 2)
        watch.setModel("bedside", of: 1)
        #expect(run(&watch, until: 200_250).map { $0.prefix(1) }.sorted() == ["2", "4"])
        // A number that another terminal has now, and models under new limits.
        watch.forget(4)
        _ = watch.observe(event(4), of: 4, now: moment(200_250))
        watch.change(lowBatteryPercent: nil, silence: SilenceLimits(models: ["panel": 60]), now: moment(200_250))
        watch.setModel("panel", of: 5)
        watch.setModel("bedside", of: 1)
        _ = watch.observe(event(5), of: 5, now: moment(200_300))
        #expect(run(&watch, until: 300_000).map { $0.prefix(1) } == ["5"])
        #expect(watch.nextDeadlineMonotonicMilliseconds == nil)
    }

    @Test func longPauseMissesNobody() {
        var watch = ConditionWatch(lowBatteryPercent: nil, silence: SilenceLimits(seconds: 3600), now: moment(0))
        for terminal in 1...5000 {
            _ = watch.observe(event(terminal), of: UInt32(terminal), now: moment(Int64(terminal)))
        }
        #expect(watch.advance(now: moment(1_000_000)).count == 5000)
        #expect(watch.advance(now: moment(2_000_000)).isEmpty)
    }
}
