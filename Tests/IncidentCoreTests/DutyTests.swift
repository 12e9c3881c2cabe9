import IncidentCore
import TerminalModel
import Testing

/// Midnight in Changsha (UTC+8) that begins Saturday, 14 March 2026.
private let midnight = Timestamp("2026-03-13T16:00:00Z")!
private let hour: Int64 = 3_600_000

private func window(_ from: Int, _ to: Int, _ days: Set<Weekday> = Set(Weekday.allCases)) -> DayWindow {
    DayWindow(days: days, fromMinute: from * 60, toMinute: to * 60)
}

@Suite struct DayWindowTests {
    /// Start, end, days; then hours after the midnight that begins Saturday at which it holds and at which not.
    private static let cases: [(DayWindow, [Int64], [Int64])] = [
        (window(8, 20), [8, 19, 32], [7, 20, 0]),
        (window(22, 7), [0, 6, 22, 30], [7, 21, 31]),
        (window(22, 7, [.friday]), [0, 6, -2], [22, 30]),
        (window(22, 7, [.saturday]), [22, 30], [0, 6, 46]),
        (window(8, 20, [.sunday]), [32], [8, 56]),
        (window(0, 0, [.saturday]), [0, 23], [-1, 24]),
        (window(6, 6, [.saturday]), [6, 29], [5, 30]),
    ]

    @Test(arguments: cases)
    func holds(window: DayWindow, inside: [Int64], outside: [Int64]) {
        for value in inside {
            #expect(window.contains(midnight.adding(milliseconds: value * hour), utcOffsetMinutes: 480), "\(value)")
        }
        for value in outside {
            #expect(!window.contains(midnight.adding(milliseconds: value * hour), utcOffsetMinutes: 480), "\(value)")
        }
    }

    private static let lengths: [(DayWindow, Int64, Int64)] = [
        (window(8, 20), 10, 10 * hour), (window(22, 7), 23, 8 * hour), (window(22, 7), 6, hour),
        (window(6, 6), 7, 23 * hour),
    ]

    @Test(arguments: lengths)
    func saysHowLongItLasts(window: DayWindow, at: Int64, left: Int64) {
        let time = midnight.adding(milliseconds: at * hour)
        #expect(window.millisecondsLeft(at: time, utcOffsetMinutes: 480) == left)
        #expect(!window.contains(time.adding(milliseconds: left), utcOffsetMinutes: 480) || window.fromMinute == 360)
    }

    @Test func timesBefore1970AreRoundedDown() {
        // 30 December 1969 was a Tuesday.
        let time = Timestamp(milliseconds: -86_400_000 - 3_600_000)
        #expect(window(23, 0, [.tuesday]).contains(time, utcOffsetMinutes: 0))
        #expect(!window(23, 0, [.wednesday]).contains(time, utcOffsetMinutes: 0))
    }
}

@Suite struct DutyRosterTests {
    private let roster = DutyRoster(
        name: "on-duty",
        shifts: [
            .init(target: "furong-night", districts: ["furong"], hours: window(20, 8)),
            .init(target: "furong-day", districts: ["furong", "yuelu"]),
            .init(target: "weekend", hours: window(0, 0, [.saturday, .sunday])),
        ], fallback: "care-hub")

    private static let cases: [(String?, Int64, String)] = [
        ("furong", 2, "furong-night"), ("furong", 12, "furong-day"), ("yuelu", 2, "furong-day"),
        ("tianxin", 2, "weekend"), (nil, 12, "weekend"), ("tianxin", 48, "care-hub"), (nil, -1, "care-hub"),
    ]

    @Test(arguments: cases)
    func firstShiftThatFitsIsOnDuty(district: String?, at: Int64, target: String) {
        let time = midnight.adding(milliseconds: at * hour)
        #expect(roster.target(district: district, at: time, utcOffsetMinutes: 480) == target)
    }

    /// The one on duty at the time of each step is told; with the shift the next round goes to the next one.
    @Test func ladderTellsWhoIsOnDutyThen() {
        var rules = IncidentRules.example
        rules.policies[0].steps = [PolicyStep(afterMilliseconds: 0, targets: ["on-duty", "siren"])]
        rules.policies[0].repeatMilliseconds = 1_800_000
        rules.rosters = [
            DutyRoster(
                name: "on-duty", shifts: [.init(target: "family", districts: ["furong"], hours: window(10, 11))],
                fallback: "care-hub")
        ]
        var bench = Bench(rules)
        bench.person?.district = "furong"
        // The test starts at 10:10:12 on the site's clock.
        #expect(bench.report(AlarmSet(.sos)).told == ["opened:family,siren"])
        let told = bench.run(seconds: 3600).flatMap(\.deliveries).map(\.targets)
        #expect(told == [["family", "siren"], ["care-hub", "siren"]])
    }

    @Test func withoutAPersonTheFallbackIsOnDuty() {
        var rules = IncidentRules.example
        rules.policies[0].steps = [PolicyStep(afterMilliseconds: 0, targets: ["on-duty"])]
        rules.rosters = [
            DutyRoster(name: "on-duty", shifts: [.init(target: "family", districts: ["furong"])], fallback: "care-hub")
        ]
        var bench = Bench(rules)
        bench.person = nil
        bench.trust = .unknown
        #expect(bench.report(AlarmSet(.sos)).told == ["opened:care-hub"])
    }
}

@Suite struct QuietHoursTests {
    /// The test starts at 10:10:12 on the site's clock.
    private func rules(_ hours: DayWindow...) -> IncidentRules {
        var rules = IncidentRules.example
        for index in rules.policies.indices { rules.policies[index].quietHours = hours }
        return rules
    }

    @Test func ladderWaitsForTheirEnd() throws {
        var bench = Bench(rules(window(9, 12)))
        let opened = bench.condition(.lowBattery(percent: 9))
        #expect(opened.told.isEmpty)
        #expect(opened.entries == [.opened, .waits])
        #expect(bench.run(seconds: 6587).isEmpty)
        #expect(bench.run(seconds: 1).flatMap(\.deliveries).map(\.targets) == [["care-hub"]])
    }

    @Test func roundsThatWouldStartInThemWait() {
        var bench = Bench(rules(window(11, 12)))
        #expect(bench.condition(.lowBattery(percent: 9)).told == ["opened:care-hub"])
        let changes = bench.run(seconds: 7200)
        #expect(changes.flatMap(\.entries).count { $0.kind == .waits } == 1)
        // Rounds of two minutes: 24 more before 11 o'clock, then from 12 o'clock on.
        let rounds = changes.flatMap(\.deliveries).map(\.notice.at)
        let eleven = midnight.adding(milliseconds: 11 * hour)
        let twelve = midnight.adding(milliseconds: 12 * hour)
        #expect(rounds.count { $0 < eleven } == 24)
        #expect(rounds.first { $0 >= eleven } == twelve)
    }

    @Test func anSOSHasNone() {
        var bench = Bench(rules(window(0, 0)))
        #expect(bench.report(AlarmSet(.sos)).told == ["opened:dispatch-120,care-hub,siren"])
    }

    @Test func restartKeepsTheWait() throws {
        var bench = Bench(rules(window(9, 12)))
        bench.condition(.lowBattery(percent: 9))
        bench.time += 60_000
        try bench.restart(bootID: "boot-2")
        let wait = untilNoon(bench.now)
        #expect(bench.engine.nextDeadlineMonotonicMilliseconds == bench.now.monotonicMilliseconds + wait)
        #expect(bench.run(seconds: 6500).isEmpty)
        #expect(bench.run(seconds: 60).flatMap(\.deliveries).count == 1)
    }

    private func untilNoon(_ now: Moment) -> Int64 {
        midnight.adding(milliseconds: 12 * hour).milliseconds - now.wall.milliseconds
    }
}

@Suite struct ContactTargetTests {
    private func rules(_ audience: Audience) -> IncidentRules {
        var rules = IncidentRules.example
        rules.targets[3].audience = audience
        return rules
    }

    private let daughter = Contact(name: "Wang Fang", phone: "0731-0000102", relation: "daughter", isGuardian: true)
    private let neighbour = Contact(name: "Li", phone: "0731 0000103")
    private let joker = Contact(name: "Joker", phone: "1 2 0", isGuardian: true)

    @Test func onlyNumbersThatMayBeDialledAreHandedOut() {
        var person = Person.wang
        person.contacts = [daughter, neighbour, joker]
        #expect(person.recipients(.contacts).map(\.phone) == ["07310000102", "07310000103"])
        #expect(person.recipients(.guardians).map(\.name) == ["Wang Fang"])
        #expect(person.recipients(.centre).isEmpty)
    }

    @Test(arguments: [Audience.contacts, .guardians])
    func aTargetWithoutRecipientsIsWithheldUntilTheCardNamesOne(audience: Audience) {
        var bench = Bench(rules(audience))
        bench.person?.contacts = audience == .guardians ? [neighbour, joker] : [joker]
        bench.report(AlarmSet(.sos))
        let first = bench.run(seconds: 60)
        #expect(first.flatMap(\.entries).first { $0.kind == .withheld }?.detail.contains("no ") == true)
        #expect(!first.flatMap(\.deliveries).flatMap(\.targets).contains("family"))
        bench.person?.contacts = [daughter]
        #expect(bench.run(seconds: 60).flatMap(\.deliveries).flatMap(\.targets).contains("family"))
    }

    /// Promise P2: with nobody else in the policy, the centres hear of it.
    @Test func nobodyIsNotAnAnswer() {
        var rules = rules(.contacts)
        rules.policies[0].steps = [PolicyStep(afterMilliseconds: 0, targets: ["family"])]
        var bench = Bench(rules)
        #expect(bench.report(AlarmSet(.sos)).told == ["opened:care-hub,siren"])
    }
}

/// What is shown beforehand is what then happens.
@Suite struct LadderRehearsalTests {
    private let quiet = window(9, 12)

    private var rules: IncidentRules {
        var rules = IncidentRules.example
        rules.isCommissioned = false
        rules.policies[1].quietHours = [quiet]
        rules.policies[1].steps.append(PolicyStep(afterMilliseconds: 30_000, targets: ["on-duty"]))
        rules.rosters = [
            DutyRoster(name: "on-duty", shifts: [.init(target: "family", hours: window(11, 13))], fallback: "siren")
        ]
        return rules
    }

    @Test(arguments: [Service.emergency, .lifeAssistance, .fenceWatch, .careContact])
    func isWhatHappens(service: Service) throws {
        let rehearsal = LadderRehearsal(rules, service: service, person: .wang, at: start)
        var bench = Bench(rules)
        switch service {
        case .emergency: bench.report(AlarmSet(.sos))
        case .lifeAssistance: bench.report(keys: [2])
        case .fenceWatch:
            bench.condition(.fenceCrossed(fence: "f", name: "", entered: false, isViolation: true, at: start))
        default:
            #expect(rehearsal.isFallback)
            #expect(rehearsal.rows.map(\.target) == ["care-hub", "siren", "family"])
            #expect(rehearsal.rows.map(\.afterMilliseconds) == [0, 0, 0])
            return
        }
        bench.run(seconds: 7200)
        let happened = bench.decisions.flatMap(\.changes).flatMap(\.deliveries).filter { $0.notice.round == 1 }
            .flatMap { delivery in
                delivery.targets.map { "\(delivery.notice.at) \(delivery.notice.step) \($0)" }
            }
        let shown = rehearsal.rows.filter { $0.outcome == .told }.map { "\($0.at) \($0.step ?? -1) \($0.target ?? "")" }
        #expect(!happened.isEmpty)
        #expect(shown == happened)
        let withheld = bench.decisions.flatMap(\.changes).flatMap(\.entries).filter { $0.kind == .withheld }
        #expect(rehearsal.rows.filter { $0.outcome == .withheld }.map(\.detail) == withheld.map(\.detail))
        #expect(rehearsal.rows.contains { $0.outcome == .waits } == (service == .lifeAssistance))
        #expect(rehearsal.repeatMilliseconds == rules.policies.first { $0.service == service }?.repeatMilliseconds)
    }
}
