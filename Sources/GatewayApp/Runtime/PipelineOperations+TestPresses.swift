import AlarmPipeline
import ControlAPI
import GatewayTelemetry
import IncidentCore
import IncidentStore
import Logging
import TerminalModel

/// Who is due for a test.
enum TestPressDue {
    /// Whoever was tested last before this time is due; nil: nobody ever is.
    static func before(_ now: Timestamp, days: Int) -> Timestamp? {
        days == 0 ? nil : now.adding(milliseconds: -Int64(days) * 86_400_000)
    }
}

extension PipelineOperations {
    func testPress(of person: String, minutes: Int?, by actor: Operator) async throws -> TestPressView {
        let now = clock.now().wall
        let window = minutes.map {
            TestWindow(
                person: person, startedAt: now, startedBy: actor.id, until: now.adding(milliseconds: Int64($0) * 60_000)
            )
        }
        try await answering { try await pipeline.setTestWindow(window, of: person, by: actor) }
        health.logger.notice(
            window == nil
                ? "An announced test press was taken back"
                : "A test press was announced: it reaches no emergency service",
            metadata: .keyed([.operatorID: "\(actor.id)", .operatorUser: "\(actor.unixUser)"]))
        guard let view = try await testPress(of: person) else { throw Problem.notFound("person \"\(person)\"") }
        return view
    }

    func testPress(of person: String) async throws -> TestPressView? {
        try await answering {
            guard let found = try pipeline.store.testedPerson(person) else { return nil }
            var view = TestPressView(found, dueBefore: try await dueBefore)
            view.window = try await pipeline.testWindow(of: person).map {
                TestPressView.Window(
                    startedBy: $0.window.startedBy, startedAt: $0.window.startedAt, until: $0.window.until,
                    pressed: $0.isUsed)
            }
            return view
        }
    }

    func testPresses(_ query: TestPressQuery) async throws -> TestPressPage {
        // As elsewhere, what is no `next` of a page has nothing behind it.
        let after = query.after.map(TestCursor.init)
        if after == .some(nil) { return TestPressPage(people: [], next: nil) }
        return try await answering {
            let before = try await dueBefore
            // Where nobody is ever due, nobody is in that list and everybody in the other.
            if query.due == true, before == nil { return TestPressPage(people: [], next: nil) }
            let found = try await onThread { [store = pipeline.store] in
                try store.testedPeople(
                    before: query.due == true ? before : nil, since: query.due == false ? before : nil,
                    group: query.group, after: after ?? nil, limit: query.limit + 1)
            }
            let page = found.prefix(query.limit)
            return TestPressPage(
                people: page.map { TestPressView($0, dueBefore: before) },
                next: found.count > query.limit ? page.last.map { TestCursor(after: $0).description } : nil)
        }
    }

    /// nil where nobody is ever due.
    func testPressFigures() async throws -> TestPressFigures? {
        guard let before = try await dueBefore else { return nil }
        let counts = try await onThread { [store = pipeline.store] in try store.testsDue(before: before) }
        return TestPressFigures(days: try await pipeline.rules().testPressDays, due: counts.due, never: counts.never)
    }

    private var dueBefore: Timestamp? {
        get async throws {
            TestPressDue.before(clock.now().wall, days: try await pipeline.rules().testPressDays)
        }
    }
}

extension TestPressView {
    init(_ person: TestedPerson, dueBefore: Timestamp?) {
        let isDue = dueBefore.map { (person.last?.at ?? Timestamp(milliseconds: 0)) < $0 } ?? false
        self.init(person: person.id, personName: person.name, due: isDue)
        last = person.last.map {
            Last(
                terminal: $0.terminal.description, at: $0.at, acknowledgedBy: $0.acknowledgedBy,
                secondsToAcknowledgement: $0.secondsToAcknowledgement, accepted: $0.accepted)
        }
    }
}
