import GRDB
import IncidentCore
import TerminalModel
import Testing

@testable import IncidentStore

/// Who was tested when, and who is due.
@Suite struct TestPressTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func open() throws -> IncidentStore {
        try IncidentStore(directory: directory.path, now: Sample.noon)
    }

    private func people(_ ids: [String], groups: [String] = []) -> [StoreWrite] {
        ids.enumerated().flatMap { index, id -> [StoreWrite] in
            var person = Person(id: id, name: "name of \(id)")
            person.groups = groups
            let terminal = TerminalID(nibbles: UInt128(0x9000 + id.hashValue & 0xFFFF) << 32 | UInt128(index))
            return [
                .person(person),
                .assignment(TerminalAssignment(terminal: terminal, person: id), at: Sample.noon),
            ]
        }
    }

    /// A test that was passed, as the engine leaves it.
    private func passed(_ person: String, at time: Timestamp, number: UInt64 = 1) throws -> StoreWrite {
        var incident = Sample.incident(number, person: person, openedAt: time)
        incident.answeredAt = time.adding(milliseconds: 42_000)
        incident.acknowledgedBy = "li"
        incident.isDrill = true
        incident.testPress = try ColumnJSON.value(
            TestPress.self,
            #"{"windowStartedAt":"2026-03-14T11:00:00Z","accepted":["hub"],"isProven":true}"#)
        return .change(IncidentChange(incident: incident))
    }

    private func due(
        _ store: IncidentStore, group: String? = nil, before: Timestamp = Sample.later(1000)
    ) throws -> [String] {
        var found: [String] = []
        var cursor: TestCursor?
        // Pages of two, and one person more than fits tells of another page.
        while true {
            let page = try store.testedPeople(before: before, group: group, after: cursor, limit: 3)
            found += page.prefix(2).map(\.id)
            guard page.count == 3 else { return found }
            let next: TestCursor = try #require(TestCursor(TestCursor(after: page[1]).description))
            cursor = next
        }
    }

    @Test func thoseNeverTestedComeFirst() throws {
        let store = try open()
        try store.write(people(["a", "b", "c"], groups: ["alone"]) + people(["d", "e.f", "g"], groups: ["disabled"]))
        try store.write([.person(Person(id: "0", name: "no terminal"))])
        try store.write([
            try passed("a", at: Sample.later(500)), try passed("b", at: Sample.later(100), number: 2),
            try passed("d", at: Sample.later(2000), number: 3),
        ])
        #expect(try due(store) == ["c", "e.f", "g", "b", "a"])
        #expect(try due(store, group: "alone") == ["c", "b", "a"])
        #expect(try due(store, group: "nobody") == [])
        #expect(try due(store, before: Sample.later(100)) == ["c", "e.f", "g"])
        #expect(try store.testedPeople(before: nil, since: Sample.later(1000), limit: 10).map(\.id) == ["d"])
        let counts = try store.testsDue(before: Sample.later(1000))
        #expect(counts.due == 5 && counts.never == 3)
        #expect(
            try store.testedPerson("a")?.last
                == TestResult(
                    terminal: Sample.terminal, at: Sample.later(500), acknowledgedBy: "li",
                    secondsToAcknowledgement: 42, accepted: ["hub"]))
        // A card that is stored again keeps the test, and an older test that changes once more does not take its place.
        try store.write(people(["a"]) + [try passed("a", at: Sample.later(50), number: 9)])
        #expect(try store.testedPerson("a")?.last?.at == Sample.later(500))
        try store.close()
    }

    @Test func whoIsDueIsReadOffTheIndex() throws {
        let store = try open()
        let plan = try store.readers.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    EXPLAIN QUERY PLAN SELECT id FROM people
                    WHERE EXISTS (SELECT 1 FROM terminals WHERE person = people.id) AND tested_at < 1
                        AND (tested_at, id) > (0, 'a') ORDER BY tested_at, id LIMIT 5
                    """
            ).map { $0["detail"] as String }
        }
        #expect(plan.contains { $0.contains("SEARCH people") && $0.contains("people_tested") }, "\(plan)")
        #expect(!plan.contains { $0.contains("TEMP B-TREE") }, "\(plan)")
        try store.close()
    }

    @Test func announcementsOutliveARestartUntilTheyAreOver() throws {
        var store = try open()
        let windows = ["a", "b"].enumerated().map { index, person in
            TestWindow(
                person: person, startedAt: Sample.noon, startedBy: "li", until: Sample.later(600 + 600 * Int64(index)))
        }
        try store.write(windows.map { .testWindow($0, person: $0.person, at: Sample.noon) })
        try store.close()
        store = try open()
        #expect(try store.restore(now: Sample.later(10)).testWindows == windows)
        #expect(try store.restore(now: Sample.later(600)).testWindows == [windows[1]])
        try store.write([.testWindow(nil, person: "b", at: Sample.later(20))])
        #expect(try store.restore(now: Sample.later(30)).testWindows == [windows[0]])
        try store.close()
    }

    @Test func erasingAPersonRemovesTheTests() throws {
        let store = try open()
        try store.write(people(["a", "b"]))
        var closed = Sample.incident(1, person: "a")
        closed.closedAt = Sample.later(60)
        closed.state = .closed
        let window = TestWindow(
            person: "a", startedAt: Sample.noon, startedBy: "li", until: Sample.later(600))
        try store.write([
            .change(IncidentChange(incident: closed)), .testWindow(window, person: "a", at: Sample.noon),
            .audit(
                AuditEntry(
                    at: Sample.noon, actor: Operator(id: "li", unixUser: "root"), action: "test_press", detail: "a")),
        ])
        _ = try store.erase(person: "a", now: Sample.later(100))
        #expect(try store.restore(now: Sample.noon).testWindows.isEmpty)
        #expect(try store.testedPerson("a") == nil)
        #expect(try store.audit().map(\.detail) == [""])
        #expect(try due(store) == ["b"])
        try store.close()
    }

    /// From version 5 of the file, which knew nothing of tests.
    @Test func peopleOfAnEarlierVersionWereNeverTested() throws {
        let old = try DatabaseQueue(path: directory.path + "/" + IncidentStore.fileName)
        try IncidentSchema.migrator.migrate(old, upTo: "5 figures of supervision")
        try old.write { database in
            try database.execute(
                sql: "INSERT INTO people (id, name, card) VALUES ('a', 'A', ?)",
                arguments: [try ColumnJSON.text(Person(id: "a", name: "A"))])
        }
        try old.close()
        let store = try open()
        #expect(try store.testedPerson("a") == TestedPerson(id: "a", name: "A", last: nil))
        try store.close()
    }
}
