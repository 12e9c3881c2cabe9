import GRDB
public import IncidentCore
public import TerminalModel

/// Which reminders are asked for; members that are nil ask for all.
public struct CareFilter: Sendable, Equatable {
    public var schedule: String?
    public var person: String?
    public var state: CareRecord.State?
    /// Due at or after.
    public var from: Timestamp?
    /// Due before.
    public var to: Timestamp?
    /// The last one shown.
    public var after: CareKey?
    public var limit = 100

    public init() {}
}

extension IncidentSchema {
    static let care = [
        """
        CREATE TABLE care_contacts (
            schedule TEXT NOT NULL, due_at INTEGER NOT NULL, person TEXT NOT NULL, terminal TEXT, state TEXT NOT NULL,
            text TEXT NOT NULL, confirm TEXT NOT NULL, answer_within INTEGER NOT NULL, attempts INTEGER NOT NULL,
            maximum_attempts INTEGER NOT NULL, command INTEGER, answer_by INTEGER NOT NULL, sent_at INTEGER,
            settled_at INTEGER, detail TEXT NOT NULL,
            PRIMARY KEY (due_at, schedule, person)) WITHOUT ROWID
        """,
        "CREATE INDEX care_contacts_open ON care_contacts(answer_by) WHERE state IN ('queued', 'sent')",
        "CREATE INDEX care_contacts_person ON care_contacts(person, due_at)",
    ]
}

extension IncidentStore {
    /// The cards of people after `after`, in the order of their ids, whom a schedule names and whom nobody has asked yet
    /// at that time.
    ///
    /// - Throws: SQLite's codes.
    public func peopleToRemind(
        _ schedule: CareSchedule, dueAt: Timestamp, after: String, limit: Int
    ) throws(StoreError) -> [Person] {
        let (groups, people) = (schedule.groups, schedule.people)
        let sql = """
            SELECT card FROM people WHERE id > ?
                AND (id IN (SELECT value FROM json_each(?)) OR EXISTS (
                    SELECT 1 FROM json_each(card, '$.groups') WHERE value IN (SELECT value FROM json_each(?))))
                AND NOT EXISTS (SELECT 1 FROM care_contacts
                    WHERE due_at = ? AND schedule = ? AND care_contacts.person = people.id)
            ORDER BY id LIMIT ?
            """
        return try storing {
            try readers.read { database in
                try String.fetchAll(
                    database, sql: sql,
                    arguments: [
                        after, try ColumnJSON.text(people), try ColumnJSON.text(groups), dueAt.milliseconds,
                        schedule.name, limit,
                    ]
                ).map { try ColumnJSON.value(Person.self, $0) }
            }
        }
    }

    /// Reminders that are not settled, for a start.
    ///
    /// - Throws: SQLite's codes.
    public func openCare() throws(StoreError) -> [CareRecord] {
        try storing {
            try readers.read { database in
                try Row.fetchAll(
                    database, sql: "SELECT * FROM care_contacts WHERE state IN ('queued', 'sent') ORDER BY answer_by"
                ).compactMap(CareRecord.init(row:))
            }
        }
    }

    /// The latest due first.
    ///
    /// - Throws: SQLite's codes.
    public func care(_ filter: CareFilter) throws(StoreError) -> [CareRecord] {
        var conditions: [String] = []
        var arguments: StatementArguments = []
        func add(_ condition: String, _ value: (any DatabaseValueConvertible)?) {
            guard let value else { return }
            conditions.append(condition)
            arguments += [value]
        }
        add("schedule = ?", filter.schedule)
        add("person = ?", filter.person)
        add("state = ?", filter.state?.rawValue)
        add("due_at >= ?", filter.from?.milliseconds)
        add("due_at < ?", filter.to?.milliseconds)
        if let after = filter.after {
            conditions.append("(-due_at, schedule, person) > (?, ?, ?)")
            arguments += [-after.dueAt.milliseconds, after.schedule, after.person]
            add("due_at <= ?", after.dueAt.milliseconds)
        }
        let filtering = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        let limit = min(max(filter.limit, 1), IncidentFilter.maximumLimit + 1)
        let sql = """
            SELECT * FROM care_contacts \(filtering) ORDER BY due_at DESC, schedule, person LIMIT \(limit)
            """
        return try storing {
            try readers.read { database in
                try Row.fetchAll(database, sql: sql, arguments: arguments).compactMap(CareRecord.init(row:))
            }
        }
    }

    /// What was written for a setting; nil when it is not there.
    ///
    /// - Throws: SQLite's codes.
    public func setting(_ key: String) throws(StoreError) -> String? {
        try storing {
            try readers.read {
                try String.fetchOne($0, sql: "SELECT value FROM settings WHERE key = ?", arguments: [key])
            }
        }
    }
}

extension Database {
    func apply(_ record: CareRecord) throws {
        try run(
            """
            INSERT OR REPLACE INTO care_contacts (schedule, due_at, person, terminal, state, text, confirm,
                answer_within, attempts, maximum_attempts, command, answer_by, sent_at, settled_at, detail)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                record.key.schedule, record.key.dueAt.milliseconds, record.key.person, record.terminal?.description,
                record.state.rawValue, record.text, record.confirmation.rawValue, record.answerWithinSeconds,
                record.attempts, record.maximumAttempts, record.command, record.answerBy.milliseconds,
                record.sentAt?.milliseconds, record.settledAt?.milliseconds, record.detail,
            ])
    }
}

extension CareRecord {
    fileprivate init?(row: Row) {
        guard let state = State(rawValue: row["state"]),
            let confirmation = CareConfirmation(rawValue: row["confirm"])
        else { return nil }
        self.init(
            key: CareKey(
                schedule: row["schedule"], dueAt: Timestamp(milliseconds: row["due_at"]), person: row["person"]),
            terminal: (row["terminal"] as String?).flatMap { TerminalID($0) }, state: state, text: row["text"],
            confirmation: confirmation, answerWithinSeconds: row["answer_within"], attempts: row["attempts"],
            maximumAttempts: row["maximum_attempts"], command: row["command"],
            answerBy: Timestamp(milliseconds: row["answer_by"]),
            sentAt: (row["sent_at"] as Int64?).map(Timestamp.init(milliseconds:)),
            settledAt: (row["settled_at"] as Int64?).map(Timestamp.init(milliseconds:)), detail: row["detail"])
    }
}
