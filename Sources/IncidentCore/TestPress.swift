public import TerminalModel

/// A time in which the first press of one person's terminals is a test that goes the whole way, siren and hubs included, but never
/// to an emergency service (promise P7).
///
/// It ends by itself, and only what a person presses takes part: a fall, smoke or duress is real at any time.
public struct TestWindow: Sendable, Equatable, Codable {
    public static let maximumMinutes = 60
    public static let usualMinutes = 10
    /// Announced at once; more than a site's operators can watch.
    public static let maximumAnnounced = 10_000

    public var person: String
    public var startedAt: Timestamp
    public var startedBy: String
    public var until: Timestamp

    public init(person: String, startedAt: Timestamp, startedBy: String, until: Timestamp) {
        self.person = person
        self.startedAt = startedAt
        self.startedBy = startedBy
        self.until = until
    }

    /// False before its start too, as a drill: with a clock that was set back a press is real.
    public func isOn(at now: Timestamp) -> Bool { startedAt <= now && now < until }
}

/// What an incident that began as a test press has shown so far.
public struct TestPress: Sendable, Equatable, Codable {
    /// The window that it belongs to.
    public var windowStartedAt: Timestamp
    /// Targets that accepted news of it, each once.
    public var accepted: [String]
    /// A hub has it and a human has answered: terminal, way and hub work.
    public var isProven: Bool

    init(windowStartedAt: Timestamp) {
        self.windowStartedAt = windowStartedAt
        accepted = []
        isProven = false
    }
}

/// A person's last test that was handed to a hub and answered by a human.
public struct TestResult: Sendable, Equatable, Codable {
    public var terminal: TerminalID
    /// When it was pressed.
    public var at: Timestamp
    public var acknowledgedBy: String
    public var secondsToAcknowledgement: Int
    /// The targets that accepted it.
    public var accepted: [String]

    public init(
        terminal: TerminalID, at: Timestamp, acknowledgedBy: String, secondsToAcknowledgement: Int, accepted: [String]
    ) {
        self.terminal = terminal
        self.at = at
        self.acknowledgedBy = acknowledgedBy
        self.secondsToAcknowledgement = secondsToAcknowledgement
        self.accepted = accepted
    }
}

extension Incident {
    /// It is a test press now: no human and no further press has made it real.
    public var isTest: Bool { testPress != nil && isDrill == true }

    /// What the test has proven; nil while it has not, and for what is no test.
    public var testResult: TestResult? {
        guard let testPress, testPress.isProven, let answeredAt else { return nil }
        return TestResult(
            terminal: terminal, at: openedAt, acknowledgedBy: acknowledgedBy ?? "",
            secondsToAcknowledgement: Int(max(0, answeredAt.milliseconds &- openedAt.milliseconds) / 1000),
            accepted: testPress.accepted)
    }

    /// Nothing but presses of a person's hand opened it: not a fall, smoke or duress.
    fileprivate var isPressed: Bool { causes.allSatisfy(["sos", "help", "key"].contains) }
}

extension IncidentEngine {
    /// Announces a test, in place of one that was announced before, or takes it back (nil).
    public mutating func setTestWindow(_ window: TestWindow?, of person: String, now: Moment) {
        testWindows = testWindows.filter { now.wall < $0.value.window.until }
        testWindows[person] = window.map { ($0, false) }
    }

    /// Goes on with what the last run left. A window whose test was pressed is not open for another.
    public mutating func restoreTestWindows(_ windows: [TestWindow]) {
        for window in windows { testWindows[window.person] = (window, false) }
        for incident in incidents.values {
            guard let test = incident.testPress, let person = incident.person,
                testWindows[person]?.window.startedAt == test.windowStartedAt
            else { continue }
            testWindows[person]?.isUsed = true
        }
    }

    /// The window of a person, and whether its test was pressed already; nil when none is on.
    public func testWindow(of person: String, at now: Timestamp) -> (window: TestWindow, isUsed: Bool)? {
        testWindows[person].flatMap { $0.window.isOn(at: now) ? $0 : nil }
    }

    /// How many windows are announced and not over.
    public func announcedTests(at now: Timestamp) -> Int { testWindows.values.count { now < $0.window.until } }

    /// An open emergency or test of one of these terminals: a press now would belong to it.
    public func reasonAgainstTest(of terminals: [TerminalID]) -> IncidentID? {
        for id in terminals.flatMap({ byTerminal[$0] ?? [] }) {
            guard let incident = incidents[id], incident.state.isOpen else { continue }
            if incident.service.isLifeSafety || incident.isTest { return id }
        }
        return nil
    }

    /// Marks the first press in a window as the test; the window has served then.
    ///
    /// - Parameter pressedAt: as for `markDrill`.
    mutating func markTest(_ draft: inout Draft, pressedAt: Timestamp?, now: Moment) {
        guard let person = draft.person?.id, let (window, isUsed) = testWindow(of: person, at: now.wall), !isUsed,
            draft.incident.isPressed, let pressedAt, window.isOn(at: pressedAt)
        else { return }
        testWindows[person]?.isUsed = true
        draft.incident.isDrill = true
        draft.incident.testPress = TestPress(windowStartedAt: window.startedAt)
        draft.write(
            .note, by: "gateway",
            "test press announced by \(window.startedBy) until \(window.until): no emergency service hears of it",
            at: now.wall)
    }

    /// A further press still belongs to the test: its window is on, and nothing but presses has come.
    func isStillTest(_ incident: Incident, now: Moment) -> Bool {
        guard let test = incident.testPress, incident.isPressed, let person = incident.person,
            let known = testWindow(of: person, at: now.wall)
        else { return false }
        return known.window.startedAt == test.windowStartedAt
    }

    /// Notes that a target has the test, once for each.
    func noteAcceptance(by target: String, of draft: inout Draft, now: Moment) {
        guard draft.incident.isTest, draft.incident.testPress?.accepted.contains(target) == false else { return }
        draft.incident.testPress?.accepted.append(target)
        proveTest(&draft, now: now)
    }

    /// The test is passed when a hub has it and a human has answered, in whichever order.
    func proveTest(_ draft: inout Draft, now: Moment) {
        guard draft.incident.isTest, let test = draft.incident.testPress, !test.isProven,
            draft.incident.answeredAt != nil
        else { return }
        let hasHub = rules.targets.contains {
            $0.audience == .centre && !$0.isEmergencyService && test.accepted.contains($0.name)
        }
        guard hasHub else {
            draft.write(.note, by: "gateway", "the test is not passed yet: no hub has accepted it", at: now.wall)
            return
        }
        draft.incident.testPress?.isProven = true
        let seconds = draft.incident.testResult?.secondsToAcknowledgement ?? 0
        draft.write(
            .note, by: "gateway",
            "test passed: answered after \(seconds) s, accepted by \(test.accepted.joined(separator: ", "))",
            at: now.wall)
    }
}
