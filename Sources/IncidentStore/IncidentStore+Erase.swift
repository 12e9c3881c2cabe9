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
    /// Forgets a person: the card, the terminals' assignment and last words, and in closed incidents everything that
    /// says who or where. That an incident happened, and when who acted, stays for the reports.
    ///
    /// - Returns: whose positions have to leave the track files (`TrackStore.erase`).
    /// - Throws: `refused` while an incident of the person is open; SQLite's codes.
    public func erase(person: String, now: Timestamp) throws(StoreError) -> [Holding] {
        try storing {
            try writer.write { database in
                let open = try Int.fetchOne(
                    database, sql: "SELECT count(*) FROM incidents WHERE person = ? AND closed_at IS NULL",
                    arguments: [person])
                guard open == 0 else {
                    throw StoreError(.refused, "person \(person) has an open incident; close it first")
                }
                let holdings = try Row.fetchAll(
                    database, sql: "SELECT terminal, since, until FROM holders WHERE person = ?", arguments: [person]
                ).compactMap { row -> Holding? in
                    guard let terminal = TerminalID(row[0] as String) else { return nil }
                    return Holding(
                        terminal: terminal, since: Timestamp(milliseconds: row[1]),
                        until: (row[2] as Int64?).map(Timestamp.init(milliseconds:)))
                }
                try Self.forgetIncidents(of: person, database)
                for table in ["messages", "media"] {
                    try database.execute(
                        sql: """
                            DELETE FROM \(table) WHERE EXISTS (SELECT 1 FROM holders WHERE person = ?
                                AND holders.terminal = \(table).terminal AND since <= received
                                AND (until IS NULL OR received < until))
                            """, arguments: [person])
                }
                for sql in [
                    """
                    DELETE FROM terminal_states WHERE terminal IN (SELECT terminal FROM terminals WHERE person = ?)
                    """,
                    """
                    DELETE FROM fence_states WHERE terminal IN (SELECT terminal FROM terminals WHERE person = ?)
                    """,
                    "UPDATE terminals SET person = NULL WHERE person = ?",
                    "DELETE FROM holders WHERE person = ?",
                    "DELETE FROM people WHERE id = ?",
                ] {
                    try database.execute(sql: sql, arguments: [person])
                }
                return holdings
            }
        }
    }

    private static func forgetIncidents(of person: String, _ database: Database) throws {
        let rows = try Row.fetchAll(
            database, sql: "SELECT id, snapshot FROM incidents WHERE person = ?", arguments: [person])
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
    }
}
