import Foundation
import GRDB
import Geofencing
import TerminalModel

/// The tables of `incidents.sqlite`; a migration that has been released is never changed.
///
/// Times are milliseconds since 1970 UTC. Identities are text as on every interface, so that the file can be read with
/// the `sqlite3` shell.
enum IncidentSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 people, terminals, incidents, outbox") { database in
            for statement in Self.first { try database.execute(sql: statement) }
        }
        migrator.registerMigration("2 messages, media") { database in
            for statement in Self.second { try database.execute(sql: statement) }
        }
        // `MessageStore` has copied them into its own file before this file is opened.
        migrator.registerMigration("3 messages leave") { database in
            for table in ["terminal_states", "messages", "media"] { try database.execute(sql: "DROP TABLE \(table)") }
        }
        migrator.registerMigration("4 fences as plans") { try Self.makePlans($0) }
        migrator.registerMigration("5 figures of supervision") { database in
            for statement in Self.supervision { try database.execute(sql: statement) }
        }
        migrator.registerMigration("6 test presses") { database in
            for statement in Self.testPresses { try database.execute(sql: statement) }
        }
        migrator.registerMigration("7 reminders") { database in
            for statement in Self.care { try database.execute(sql: statement) }
        }
        return migrator
    }

    private static let first = [
        """
        CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, card TEXT NOT NULL) WITHOUT ROWID
        """,
        // digest_new is the code handed out last whose use has not been seen yet, digest_used the good one before it.
        """
        CREATE TABLE terminals (
            terminal TEXT PRIMARY KEY NOT NULL, listed INTEGER NOT NULL DEFAULT 0, person TEXT,
            model TEXT NOT NULL DEFAULT '', utc_offset_minutes INTEGER NOT NULL DEFAULT 480,
            trusted_by_id INTEGER NOT NULL DEFAULT 0, protocol TEXT, maker TEXT, registered_model TEXT,
            serial_number TEXT, digest_used BLOB, digest_new BLOB, registered_at INTEGER) WITHOUT ROWID
        """,
        "CREATE INDEX terminals_person ON terminals(person) WHERE person IS NOT NULL",
        // Who held a terminal when: says whose positions a stretch of a track is.
        """
        CREATE TABLE holders (
            terminal TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER, person TEXT NOT NULL,
            PRIMARY KEY (terminal, since)) WITHOUT ROWID
        """,
        "CREATE INDEX holders_person ON holders(person)",
        "CREATE TABLE fences (id TEXT PRIMARY KEY NOT NULL, fence TEXT NOT NULL) WITHOUT ROWID",
        """
        CREATE TABLE fence_states (
            terminal TEXT NOT NULL, fence TEXT NOT NULL, state TEXT NOT NULL,
            PRIMARY KEY (terminal, fence)) WITHOUT ROWID
        """,
        """
        CREATE TABLE incidents (
            id TEXT PRIMARY KEY NOT NULL, state TEXT NOT NULL, service TEXT NOT NULL, terminal TEXT NOT NULL,
            person TEXT, opened_at INTEGER NOT NULL, acknowledged_at INTEGER, closed_at INTEGER,
            snapshot TEXT NOT NULL)
        """,
        "CREATE INDEX incidents_open ON incidents(opened_at) WHERE closed_at IS NULL",
        "CREATE INDEX incidents_closed ON incidents(closed_at) WHERE closed_at IS NOT NULL",
        "CREATE INDEX incidents_opened ON incidents(opened_at)",
        "CREATE INDEX incidents_terminal ON incidents(terminal, opened_at)",
        "CREATE INDEX incidents_person ON incidents(person, opened_at)",
        """
        CREATE TABLE timeline (
            id INTEGER PRIMARY KEY, incident TEXT NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL,
            actor TEXT NOT NULL, detail TEXT NOT NULL)
        """,
        "CREATE INDEX timeline_incident ON timeline(incident)",
        """
        CREATE TABLE evidence (
            id INTEGER PRIMARY KEY, incident TEXT NOT NULL, at INTEGER NOT NULL, protocol TEXT NOT NULL,
            peer TEXT NOT NULL, bearer TEXT NOT NULL, frame BLOB NOT NULL, event TEXT NOT NULL)
        """,
        "CREATE INDEX evidence_incident ON evidence(incident)",
        """
        CREATE TABLE events (id TEXT PRIMARY KEY NOT NULL, incident TEXT NOT NULL, notice TEXT NOT NULL) WITHOUT ROWID
        """,
        "CREATE INDEX events_incident ON events(incident)",
        // state: pending, accepted, gave_up, stopped.
        """
        CREATE TABLE outbox (
            event TEXT NOT NULL, target TEXT NOT NULL, incident TEXT NOT NULL, state TEXT NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0, next_attempt_at INTEGER NOT NULL,
            PRIMARY KEY (event, target)) WITHOUT ROWID
        """,
        "CREATE INDEX outbox_pending ON outbox(next_attempt_at) WHERE state = 'pending'",
        "CREATE INDEX outbox_incident ON outbox(incident)",
        // Attempts in a row that ended alike share one line: an endless retry stays one line.
        """
        CREATE TABLE attempts (
            id INTEGER PRIMARY KEY, event TEXT NOT NULL, target TEXT NOT NULL, incident TEXT NOT NULL,
            first_attempt INTEGER NOT NULL, last_attempt INTEGER NOT NULL, started_at INTEGER NOT NULL,
            ended_at INTEGER NOT NULL, outcome TEXT NOT NULL, evidence TEXT NOT NULL)
        """,
        "CREATE INDEX attempts_incident ON attempts(incident)",
        "CREATE INDEX attempts_event ON attempts(event, target)",
        """
        CREATE TABLE commands (
            id INTEGER PRIMARY KEY, terminal TEXT NOT NULL, name TEXT NOT NULL, arguments TEXT NOT NULL,
            incident TEXT, by TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
            state TEXT NOT NULL, reason TEXT, updated_at INTEGER NOT NULL)
        """,
        "CREATE INDEX commands_terminal ON commands(terminal, id)",
        "CREATE INDEX commands_waiting ON commands(id) WHERE state IN ('queued', 'sent')",
        "CREATE TABLE settings (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID",
        """
        CREATE TABLE audit (
            id INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, unix_user TEXT NOT NULL,
            action TEXT NOT NULL, detail TEXT NOT NULL)
        """,
        """
        CREATE TABLE terminal_states (
            terminal TEXT PRIMARY KEY NOT NULL, last_seen INTEGER NOT NULL, event TEXT) WITHOUT ROWID
        """,
    ]
}

extension IncidentSchema {
    /// What terminals say that is neither a position nor an incident, and what they send with it.
    private static let second = [
        """
        CREATE TABLE messages (
            id INTEGER PRIMARY KEY, terminal TEXT NOT NULL, received INTEGER NOT NULL, kind TEXT NOT NULL,
            event TEXT NOT NULL)
        """,
        "CREATE INDEX messages_terminal ON messages(terminal, received)",
        """
        CREATE TABLE media (
            id INTEGER PRIMARY KEY, terminal TEXT NOT NULL, received INTEGER NOT NULL, media_id INTEGER NOT NULL,
            type INTEGER NOT NULL, format INTEGER NOT NULL, event_code INTEGER NOT NULL, data BLOB NOT NULL)
        """,
        "CREATE INDEX media_terminal ON media(terminal, received)",
    ]
}

extension IncidentSchema {
    /// When a human first answered, by when it is due and how often it was found overdue stand in columns, for reports.
    private static let supervision = [
        "ALTER TABLE incidents ADD COLUMN answered_at INTEGER",
        "ALTER TABLE incidents ADD COLUMN due_at INTEGER",
        "ALTER TABLE incidents ADD COLUMN times_overdue INTEGER NOT NULL DEFAULT 0",
        """
        UPDATE incidents SET answered_at = acknowledged_at,
            due_at = CAST(strftime('%s', json_extract(snapshot, '$.dueAt')) AS INTEGER) * 1000
        """,
    ]
}

extension IncidentSchema {
    /// What a start reads in bulk stands in columns: a fence ready for deciding, and how terminals stand to fences.
    ///
    /// A fence that cannot be read keeps its row without a plan, and is named at each start.
    private static func makePlans(_ database: Database) throws {
        try database.execute(sql: "ALTER TABLE fences ADD COLUMN plan BLOB")
        for row in try Row.fetchAll(database, sql: "SELECT id, fence FROM fences") {
            guard let fence = try? ColumnJSON.value(Fence.self, row[1]) else { continue }
            try database.execute(
                sql: "UPDATE fences SET plan = ? WHERE id = ?",
                arguments: [Data(FencePlan(fence).bytes), row[0] as String])
        }
        let states = try String.fetchAll(database, sql: "SELECT state FROM fence_states")
        try database.execute(sql: "DROP TABLE fence_states")
        try database.execute(
            sql: """
                CREATE TABLE fence_states (
                    terminal TEXT NOT NULL, fence TEXT NOT NULL, inside INTEGER NOT NULL, since INTEGER NOT NULL,
                    PRIMARY KEY (terminal, fence)) WITHOUT ROWID
                """)
        for text in states {
            guard let state = try? ColumnJSON.value(FenceState.self, text) else { continue }
            try database.execute(
                sql: "INSERT OR REPLACE INTO fence_states (terminal, fence, inside, since) VALUES (?, ?, ?, ?)",
                arguments: [
                    state.terminal.description, state.fence, state.isInside, state.since.milliseconds,
                ])
        }
    }
}

/// The tables of `messages.sqlite`.
enum MessageSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 last words, messages, media") { database in
            for statement in Self.first { try database.execute(sql: statement) }
        }
        return migrator
    }

    private static let first = [
        """
        CREATE TABLE terminal_states (
            terminal TEXT PRIMARY KEY NOT NULL, last_seen INTEGER NOT NULL, event TEXT) WITHOUT ROWID
        """,
        """
        CREATE TABLE messages (
            id INTEGER PRIMARY KEY, terminal TEXT NOT NULL, received INTEGER NOT NULL, kind TEXT NOT NULL,
            event TEXT NOT NULL)
        """,
        "CREATE INDEX messages_terminal ON messages(terminal, received)",
        // For retention.
        "CREATE INDEX messages_received ON messages(received)",
        """
        CREATE TABLE media (
            id INTEGER PRIMARY KEY, terminal TEXT NOT NULL, received INTEGER NOT NULL, media_id INTEGER NOT NULL,
            type INTEGER NOT NULL, format INTEGER NOT NULL, event_code INTEGER NOT NULL, data BLOB NOT NULL)
        """,
        "CREATE INDEX media_terminal ON media(terminal, received)",
        "CREATE INDEX media_received ON media(received)",
    ]
}

/// The tables of one day's `tracks-YYYYMMDD.sqlite`.
///
/// Rows are only ever appended: `id` is the millisecond of the day and a running number, and each row names the row
/// before it of the same terminal. So the hot insert touches one page, and one terminal's day is read by walking back
/// from its newest row, without a secondary index. `heads` is a checkpoint of the newest rows, true up to `through`.
enum TrackSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 positions") { database in
            // terminal: the digits as bytes, most significant first, without leading zero bytes: hex(terminal) shows
            // them. latitude, longitude: 1e-7 degrees. flags: 1 valid, 2 historical, then the source from bit 4.
            try database.execute(
                sql: """
                    CREATE TABLE positions (
                        id INTEGER PRIMARY KEY, terminal BLOB NOT NULL, previous INTEGER, received INTEGER NOT NULL,
                        device INTEGER, sequence INTEGER, flags INTEGER NOT NULL, latitude INTEGER, longitude INTEGER,
                        altitude_m INTEGER, speed_tenth_kmh INTEGER, course_deg INTEGER, satellites INTEGER,
                        hdop_tenth INTEGER, accuracy_m INTEGER, battery_percent INTEGER,
                        alarms INTEGER NOT NULL DEFAULT 0)
                    """)
            try database.execute(
                sql: "CREATE TABLE heads (terminal BLOB PRIMARY KEY NOT NULL, id INTEGER NOT NULL) WITHOUT ROWID")
            try database.execute(
                sql: "CREATE TABLE progress (one INTEGER PRIMARY KEY CHECK (one = 1), through INTEGER NOT NULL)")
            try database.execute(sql: "INSERT INTO progress VALUES (1, 0)")
        }
        return migrator
    }
}
