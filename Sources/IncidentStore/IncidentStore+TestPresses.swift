import GRDB
public import IncidentCore
public import TerminalModel

extension IncidentSchema {
    /// When a person's terminal last passed a test stands in a column with an index, so that who is due is read off it;
    /// 0 for never, which sorts first.
    static let testPresses = [
        "ALTER TABLE people ADD COLUMN tested_at INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE people ADD COLUMN last_test TEXT",
        "CREATE INDEX people_tested ON people(tested_at)",
        """
        CREATE TABLE test_windows (
            person TEXT PRIMARY KEY NOT NULL, started_at INTEGER NOT NULL, started_by TEXT NOT NULL,
            until INTEGER NOT NULL) WITHOUT ROWID
        """,
    ]
}

extension Database {
    /// Announces a test press or takes it back, and lets those leave that are over.
    func apply(_ window: TestWindow?, of person: String, at now: Timestamp) throws {
        try run("DELETE FROM test_windows WHERE person = ? OR until <= ?", [person, now.milliseconds])
        guard let window else { return }
        try run(
            "INSERT INTO test_windows (person, started_at, started_by, until) VALUES (?, ?, ?, ?)",
            [person, window.startedAt.milliseconds, window.startedBy, window.until.milliseconds])
    }

    /// Keeps what a test has proven with the person; an older one does not take the place of a newer one.
    func keepTest(of incident: Incident) throws {
        guard let result = incident.testResult, let person = incident.person else { return }
        let time = result.at.milliseconds
        try run(
            "UPDATE people SET tested_at = ?, last_test = ? WHERE id = ? AND tested_at <= ?",
            [time, try ColumnJSON.text(result), person, time])
    }
}

/// A person with the last test that was passed.
public struct TestedPerson: Sendable, Equatable {
    public var id: String
    public var name: String
    /// nil: never.
    public var last: TestResult?

    public init(id: String, name: String, last: TestResult?) {
        self.id = id
        self.name = name
        self.last = last
    }
}

/// Where a page of people in the order of their tests ended. A person who is tested meanwhile moves no other.
public struct TestCursor: Sendable, Equatable, LosslessStringConvertible {
    /// Milliseconds since 1970; 0 for never.
    public var testedAt: Int64
    public var person: String

    public init(after person: TestedPerson) {
        testedAt = person.last?.at.milliseconds ?? 0
        self.person = person.id
    }

    /// Reads `TIME.PERSON`.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", maxSplits: 1)
        guard parts.count == 2, let time = Int64(parts[0]), time >= 0 else { return nil }
        testedAt = time
        person = String(parts[1])
    }

    public var description: String { "\(testedAt).\(person)" }
}

/// Reading for the status socket; each throws SQLite's codes.
extension IncidentStore {
    /// People who have a terminal, those never tested first, then the longest ago first.
    ///
    /// - Parameters:
    ///   - before: last tested before that time; nil: whenever.
    ///   - since: last tested at that time or later; nil: whenever, or never.
    public func testedPeople(
        before: Timestamp?, since: Timestamp? = nil, group: String? = nil, after: TestCursor? = nil, limit: Int
    ) throws(StoreError) -> [TestedPerson] {
        var conditions = ["EXISTS (SELECT 1 FROM terminals WHERE person = people.id)"]
        var arguments: StatementArguments = []
        func add(_ condition: String, _ values: [any DatabaseValueConvertible]?) {
            guard let values else { return }
            conditions.append(condition)
            arguments += StatementArguments(values)
        }
        add("tested_at < ?", before.map { [$0.milliseconds] })
        add("tested_at >= ?", since.map { [$0.milliseconds] })
        add("(tested_at, id) > (?, ?)", after.map { [$0.testedAt, $0.person] })
        add("EXISTS (SELECT 1 FROM json_each(card, '$.groups') WHERE value = ?)", group.map { [$0] })
        let sql = """
            SELECT id, name, last_test FROM people WHERE \(conditions.joined(separator: " AND "))
            ORDER BY tested_at, id LIMIT \(max(1, limit))
            """
        return try storing {
            try readers.read { database in
                try Row.fetchAll(database, sql: sql, arguments: arguments).map { try TestedPerson(row: $0) }
            }
        }
    }

    /// One person's last test; nil when there is no such person.
    public func testedPerson(_ id: String) throws(StoreError) -> TestedPerson? {
        try storing {
            try readers.read { database in
                try Row.fetchOne(database, sql: "SELECT id, name, last_test FROM people WHERE id = ?", arguments: [id])
                    .map { try TestedPerson(row: $0) }
            }
        }
    }

    /// People who have a terminal: how many were last tested before that time, and how many of those never.
    public func testsDue(before: Timestamp) throws(StoreError) -> (due: Int, never: Int) {
        try storing {
            try readers.read { database in
                func count(_ condition: String, _ arguments: StatementArguments = []) throws -> Int {
                    try Int.fetchOne(
                        database,
                        sql: """
                            SELECT count(*) FROM people
                            WHERE \(condition) AND EXISTS (SELECT 1 FROM terminals WHERE person = people.id)
                            """, arguments: arguments) ?? 0
                }
                return (try count("tested_at < ?", [before.milliseconds]), try count("tested_at = 0"))
            }
        }
    }

    static func restoreTestWindows(_ database: Database, now: Timestamp, into state: inout RestoredState) throws {
        let sql = "SELECT person, started_at, started_by, until FROM test_windows WHERE until > ?"
        state.testWindows = try Row.fetchAll(database, sql: sql, arguments: [now.milliseconds]).map { row in
            TestWindow(
                person: row[0], startedAt: Timestamp(milliseconds: row[1]), startedBy: row[2],
                until: Timestamp(milliseconds: row[3]))
        }
    }
}

extension TestedPerson {
    fileprivate init(row: Row) throws {
        let test: String? = row[2]
        self.init(id: row[0], name: row[1], last: try test.map { try ColumnJSON.value(TestResult.self, $0) })
    }
}
