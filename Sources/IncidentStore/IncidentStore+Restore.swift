import Foundation
import GRDB
public import Geofencing
public import IncidentCore
import Synchronization
public import TerminalModel

/// A terminal as the site listed it or as it registered.
public struct TerminalRecord: Sendable, Equatable {
    public var assignment: TerminalAssignment
    /// The site has listed it; false for a terminal that only registered itself.
    public var listed: Bool
    /// SHA-256 digests of the codes that are good, the newest last.
    public var authCodeDigests: [[UInt8]]
    /// What the terminal said of itself when it registered.
    public var registeredModel: String?
    public var lastSeen: Timestamp?

    public init(
        assignment: TerminalAssignment, listed: Bool, authCodeDigests: [[UInt8]] = [], registeredModel: String? = nil,
        lastSeen: Timestamp? = nil
    ) {
        self.assignment = assignment
        self.listed = listed
        self.authCodeDigests = authCodeDigests
        self.registeredModel = registeredModel
        self.lastSeen = lastSeen
    }
}

/// An outbox row that still has to be delivered.
public struct PendingDelivery: Sendable, Equatable {
    public var notice: Notice
    public var target: String
    /// Attempts made so far.
    public var attempts: Int
    public var nextAttemptAt: Timestamp

    public init(notice: Notice, target: String, attempts: Int, nextAttemptAt: Timestamp) {
        self.notice = notice
        self.target = target
        self.attempts = attempts
        self.nextAttemptAt = nextAttemptAt
    }
}

/// What the pipeline needs before it can go on where the last run ended.
public struct RestoredState: Sendable {
    /// Open ones, and those closed within the time asked for (a held alarm bit may still belong to them).
    public var incidents: [Incident] = []
    public var fences: [FencePlan] = []
    public var outbox: [PendingDelivery] = []
    /// Queued or sent, not yet expired by their own clock.
    public var commands: [CommandRecord] = []
    public var lastCommandID: Int64 = 0
    public var settings: [String: String] = [:]
    /// Announced test presses whose time is not over.
    public var testWindows: [TestWindow] = []
    /// Reminders that wait for an answer.
    public var care: [CareRecord] = []
    /// Rows that could not be read and were left out, for the log; the row stays in its table.
    public var unreadable: [String] = []
}

extension IncidentStore {
    /// Closed incidents that a restart still needs, as long as the engine remembers them.
    public static let restoredClosedMilliseconds = Int64(IncidentEngine.closedMemorySeconds) * 1000

    /// Reads what is needed to go on, but for terminals and how they stand to fences, which are read one by one. One
    /// unreadable row is left out and named, it never stops the start.
    ///
    /// - Throws: SQLite's codes.
    public func restore(now: Timestamp) throws(StoreError) -> RestoredState {
        let care = try openCare()
        return try storing {
            try readers.read { database in
                var state = RestoredState()
                state.care = care
                try Self.restoreIncidents(database, now: now, into: &state)
                try Self.restoreFences(database, into: &state)
                try Self.restoreOutbox(database, into: &state)
                for row in try Row.fetchAll(
                    database, sql: "SELECT * FROM commands WHERE state IN ('queued', 'sent') ORDER BY id")
                {
                    Self.reading("command \(row["id"] as Int64)", into: &state.unreadable) {
                        state.commands.append(try CommandRecord(row: row))
                    }
                }
                state.lastCommandID = try Int64.fetchOne(database, sql: "SELECT max(id) FROM commands") ?? 0
                try Self.restoreTestWindows(database, now: now, into: &state)
                for row in try Row.fetchAll(database, sql: "SELECT key, value FROM settings") {
                    state.settings[row[0]] = row[1]
                }
                return state
            }
        }
    }

    /// All terminals that were listed or have registered, without when they were last heard.
    ///
    /// - Returns: ids that cannot be read.
    /// - Throws: SQLite's codes.
    public func forEachTerminal(_ body: (TerminalRecord) -> Void) throws(StoreError) -> [String] {
        try storing {
            try readers.read { database in
                var unreadable: [String] = []
                let sql = """
                    SELECT terminal, listed, person, model, utc_offset_minutes, trusted_by_id, digest_used, digest_new,
                        registered_model
                    FROM terminals
                    """
                try database.forEachRow(sql) { row in
                    guard let terminal = row.terminal(0) else {
                        unreadable.append("terminal \(row.text(0) ?? "")")
                        return
                    }
                    body(
                        TerminalRecord(
                            assignment: TerminalAssignment(
                                terminal: terminal, person: row.text(2), model: row.text(3) ?? "",
                                utcOffsetMinutes: Int(row.integer(4) ?? 480), trustedByID: row.integer(5) == 1),
                            listed: row.integer(1) == 1,
                            authCodeDigests: [row.bytes(6), row.bytes(7)].compactMap { $0 },
                            registeredModel: row.text(8)))
                }
                return unreadable
            }
        }
    }

    /// How all terminals stand to fences.
    ///
    /// - Throws: SQLite's codes.
    public func forEachFenceState(_ body: (FenceStateRecord) -> Void) throws(StoreError) {
        try storing {
            try readers.read { database in
                try database.forEachRow("SELECT terminal, fence, inside, since FROM fence_states") { row in
                    guard let terminal = row.terminal(0), let fence = row.text(1) else { return }
                    body(
                        FenceStateRecord(
                            terminal: terminal, fence: fence, isInside: row.integer(2) == 1,
                            since: Timestamp(milliseconds: row.integer(3) ?? 0)))
                }
            }
        }
    }

    /// When terminals were last heard, in groups of at most `groupSize`.
    ///
    /// - Throws: SQLite's codes.
    public func forEachLastSeen(
        groupSize: Int, _ body: ([(TerminalID, Timestamp)]) -> Void
    ) throws(StoreError) {
        try storing {
            try readers.read { database in
                var group: [(TerminalID, Timestamp)] = []
                try database.forEachRow("SELECT terminal, last_seen FROM terminal_states") { row in
                    guard let terminal = row.terminal(0), let time = row.integer(1) else { return }
                    group.append((terminal, Timestamp(milliseconds: time)))
                    if group.count == groupSize {
                        body(group)
                        group = []
                    }
                }
                if !group.isEmpty { body(group) }
            }
        }
    }

    private static func reading(_ what: String, into unreadable: inout [String], _ body: () throws -> Void) {
        do { try body() } catch { unreadable.append("\(what): \(error)") }
    }

    private static func restoreIncidents(
        _ database: Database, now: Timestamp, into state: inout RestoredState
    ) throws {
        let since = now.milliseconds - Self.restoredClosedMilliseconds
        let snapshots = """
            SELECT id, snapshot, rowid FROM incidents WHERE closed_at IS NULL
            UNION ALL SELECT id, snapshot, rowid FROM incidents WHERE closed_at >= ?
            """
        var rows: [(id: String, text: String, number: Int64)] = []
        try database.forEachRow(snapshots, [since]) {
            rows.append(($0.text(0) ?? "", $0.text(1) ?? "", $0.integer(2) ?? 0))
        }
        // In the order in which they were opened, which no jump of the clock changes.
        rows.sort { $0.number < $1.number }
        for (row, incident) in zip(rows, ColumnJSON.values(Incident.self, rows.map(\.text))) {
            reading("incident \(row.id)", into: &state.unreadable) { state.incidents.append(try incident.get()) }
        }
    }

    private static func restoreFences(_ database: Database, into state: inout RestoredState) throws {
        try database.forEachRow("SELECT id, plan, CASE WHEN plan IS NULL THEN fence END FROM fences") { row in
            let id = row.text(0) ?? ""
            if let bytes = row.bytes(1), let plan = FencePlan(id: id, bytes: bytes) {
                state.fences.append(plan)
                return
            }
            reading("fence \(id)", into: &state.unreadable) {
                let text =
                    try row.text(2)
                    ?? String.fetchOne(database, sql: "SELECT fence FROM fences WHERE id = ?", arguments: [id]) ?? ""
                state.fences.append(FencePlan(try ColumnJSON.value(Fence.self, text)))
            }
        }
    }

    private static func restoreOutbox(_ database: Database, into state: inout RestoredState) throws {
        let sql = """
            SELECT events.id, events.notice, outbox.target, outbox.attempts, outbox.next_attempt_at
            FROM outbox JOIN events ON events.id = outbox.event WHERE outbox.state = 'pending'
            ORDER BY outbox.next_attempt_at, events.id
            """
        var rows: [(id: String, target: String, attempts: Int, nextAttemptAt: Timestamp)] = []
        var texts: [String] = []
        try database.forEachRow(sql) { row in
            rows.append(
                (
                    row.text(0) ?? "", row.text(2) ?? "", Int(row.integer(3) ?? 0),
                    Timestamp(milliseconds: row.integer(4) ?? 0)
                ))
            texts.append(row.text(1) ?? "")
        }
        for (row, notice) in zip(rows, ColumnJSON.values(Notice.self, texts)) {
            reading("event \(row.id)", into: &state.unreadable) {
                state.outbox.append(
                    PendingDelivery(
                        notice: try notice.get(), target: row.target, attempts: row.attempts,
                        nextAttemptAt: row.nextAttemptAt))
            }
        }
    }
}

extension TerminalRecord {
    /// From the columns of `terminalColumns`; nil when the id is no terminal id.
    init?(row: Row) {
        guard let terminal = TerminalID(row[0] as String) else { return nil }
        let digests = [row[6] as Data?, row[7] as Data?].compactMap { $0.map { [UInt8]($0) } }
        self.init(
            assignment: TerminalAssignment(
                terminal: terminal, person: row[2], model: row[3], utcOffsetMinutes: row[4], trustedByID: row[5]),
            listed: row[1], authCodeDigests: digests, registeredModel: row[8],
            lastSeen: (row[9] as Int64?).map(Timestamp.init(milliseconds:)))
    }
}

extension CommandRecord {
    init(row: Row) throws {
        let id: Int64 = row["id"]
        let name: String = row["name"]
        guard let terminal = TerminalID(row["terminal"] as String) else {
            throw StoreError(.unreadable, "command \(id) names no terminal")
        }
        self.init(
            id: id, terminal: terminal,
            command: try ColumnJSON.value(CommandArguments.self, row["arguments"]).command(named: name),
            incident: (row["incident"] as String?).flatMap { IncidentID($0) }, by: row["by"],
            createdAt: Timestamp(milliseconds: row["created_at"]),
            expiresAt: Timestamp(milliseconds: row["expires_at"]),
            outcome: CommandOutcome(name: row["state"], reason: row["reason"]))
        updatedAt = Timestamp(milliseconds: row["updated_at"])
    }
}
