import GRDB
import IncidentCore
public import TerminalModel

/// A stretch of time during which a terminal belonged to a person.
public struct Holding: Sendable, Equatable {
    public var terminal: TerminalID
    public var since: Timestamp
    /// nil: still.
    public var until: Timestamp?

    public init(terminal: TerminalID, since: Timestamp, until: Timestamp?) {
        self.terminal = terminal
        self.since = since
        self.until = until
    }
}

extension IncidentStore {
    /// Incidents that one transaction forgets, so that an alarm waits briefly only.
    private static let incidentsAtOnce = 20

    /// Forgets a person: the card, the terminals' assignment, what they were told, and in closed incidents everything that
    /// says who or where. That an incident happened, and when who acted, stays for the reports.
    ///
    /// The stretches of time stay until `forgetHoldings`, so that an erasure that was interrupted can be done again.
    /// - Returns: whose positions and messages have to leave (`TrackStore.erase`, `MessageStore.erase`).
    /// - Throws: `refused` while an incident of the person is open; SQLite's codes.
    public func erase(person: String, now: Timestamp) throws(StoreError) -> [Holding] {
        try storing {
            let holdings = try writer.write { database in
                let open = try Int.fetchOne(
                    database, sql: "SELECT count(*) FROM incidents WHERE person = ? AND closed_at IS NULL",
                    arguments: [person])
                guard open == 0 else {
                    throw StoreError(.refused, "person \(person) has an open incident; close it first")
                }
                return try Self.forgetCard(of: person, database)
            }
            while try writer.write({ try Self.forgetIncidents(of: person, $0) }) {}
            return holdings
        }
    }

    /// The last step of an erasure: nothing says any more which terminals the person had, also not in the log.
    ///
    /// - Throws: `busy` when a reader keeps the log; SQLite's codes.
    public func forgetHoldings(of person: String) throws(StoreError) {
        try storing {
            try writer.write { try $0.execute(sql: "DELETE FROM holders WHERE person = ?", arguments: [person]) }
        }
        try emptyLog()
    }

    private static func forgetCard(of person: String, _ database: Database) throws -> [Holding] {
        for sql in [
            """
            DELETE FROM commands WHERE EXISTS (SELECT 1 FROM holders WHERE person = ?
                AND holders.terminal = commands.terminal AND since <= created_at
                AND (until IS NULL OR created_at < until))
            """,
            "DELETE FROM fence_states WHERE terminal IN (SELECT terminal FROM terminals WHERE person = ?)",
            "UPDATE terminals SET person = NULL WHERE person = ?",
            "UPDATE audit SET detail = '' WHERE action = 'assign_terminal' AND detail LIKE '% to ' || ?",
            "UPDATE audit SET detail = '' WHERE action = 'test_press' AND detail = ?",
            "DELETE FROM test_windows WHERE person = ?",
            "DELETE FROM care_contacts WHERE person = ?",
            "DELETE FROM people WHERE id = ?",
        ] {
            try database.execute(sql: sql, arguments: [person])
        }
        return try Row.fetchAll(
            database, sql: "SELECT terminal, since, until FROM holders WHERE person = ?", arguments: [person]
        ).compactMap { row -> Holding? in
            guard let terminal = TerminalID(row[0] as String) else { return nil }
            return Holding(
                terminal: terminal, since: Timestamp(milliseconds: row[1]),
                until: (row[2] as Int64?).map(Timestamp.init(milliseconds:)))
        }
    }

    /// Forgets some closed incidents. True when there may be more.
    private static func forgetIncidents(of person: String, _ database: Database) throws -> Bool {
        let rows = try Row.fetchAll(
            database,
            sql: "SELECT id, snapshot FROM incidents WHERE person = ? AND closed_at IS NOT NULL LIMIT ?",
            arguments: [person, incidentsAtOnce])
        for row in rows {
            let id: String = row[0]
            var incident = try ColumnJSON.value(Incident.self, row[1])
            incident.person = nil
            incident.position = nil
            try database.apply(.change(IncidentChange(incident: incident)))
            for sql in [
                "DELETE FROM evidence WHERE incident = ?",
                "DELETE FROM outbox WHERE incident = ?",
                "DELETE FROM events WHERE incident = ?",
                "UPDATE attempts SET evidence = '' WHERE incident = ?",
                "UPDATE timeline SET detail = '' WHERE incident = ?",
                "DELETE FROM commands WHERE incident = ?",
            ] {
                try database.execute(sql: sql, arguments: [id])
            }
        }
        return rows.count == incidentsAtOnce
    }
}
