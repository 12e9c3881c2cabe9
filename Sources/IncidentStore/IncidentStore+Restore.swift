import Foundation
import GRDB
public import IncidentCore
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
    public var terminals: [TerminalRecord] = []
    public var fences: [FenceRecord] = []
    public var fenceStates: [FenceStateRecord] = []
    public var outbox: [PendingDelivery] = []
    /// Queued or sent, not yet expired by their own clock.
    public var commands: [CommandRecord] = []
    public var lastCommandID: Int64 = 0
    public var settings: [String: String] = [:]
    /// Rows that could not be read and were left out, for the log; the row stays in its table.
    public var unreadable: [String] = []
}

extension IncidentStore {
    /// Closed incidents that a restart still needs, as long as the engine remembers them.
    public static let restoredClosedMilliseconds = Int64(IncidentEngine.closedMemorySeconds) * 1000

    /// Reads everything needed to go on. One unreadable row is left out and named, it never stops the start.
    ///
    /// - Throws: SQLite's codes.
    public func restore(now: Timestamp) throws(StoreError) -> RestoredState {
        try storing {
            try readers.read { database in
                var state = RestoredState()
                let since = now.milliseconds - Self.restoredClosedMilliseconds
                let snapshots = """
                    SELECT id, snapshot FROM incidents WHERE closed_at IS NULL
                    UNION ALL SELECT id, snapshot FROM incidents WHERE closed_at >= ?
                    """
                for row in try Row.fetchAll(database, sql: snapshots, arguments: [since]) {
                    Self.reading("incident \(row[0] as String)", into: &state.unreadable) {
                        state.incidents.append(try ColumnJSON.value(Incident.self, row[1]))
                    }
                }
                state.incidents.sort { ($0.openedAt, $0.id) < ($1.openedAt, $1.id) }
                try Self.restoreTerminals(database, into: &state)
                try Self.restoreOutbox(database, into: &state)
                for row in try Row.fetchAll(
                    database, sql: "SELECT * FROM commands WHERE state IN ('queued', 'sent') ORDER BY id")
                {
                    Self.reading("command \(row["id"] as Int64)", into: &state.unreadable) {
                        state.commands.append(try CommandRecord(row: row))
                    }
                }
                state.lastCommandID = try Int64.fetchOne(database, sql: "SELECT max(id) FROM commands") ?? 0
                for row in try Row.fetchAll(database, sql: "SELECT key, value FROM settings") {
                    state.settings[row[0]] = row[1]
                }
                return state
            }
        }
    }

    private static func reading(_ what: String, into unreadable: inout [String], _ body: () throws -> Void) {
        do { try body() } catch { unreadable.append("\(what): \(error)") }
    }

    private static func restoreTerminals(_ database: Database, into state: inout RestoredState) throws {
        let sql = """
            SELECT terminals.terminal, listed, person, model, utc_offset_minutes, trusted_by_id, digest_used, digest_new,
                registered_model, last_seen
            FROM terminals LEFT JOIN terminal_states ON terminal_states.terminal = terminals.terminal
            """
        let rows = try Row.fetchCursor(database, sql: sql)
        while let row = try rows.next() {
            guard let record = TerminalRecord(row: row) else {
                state.unreadable.append("terminal \(row[0] as String)")
                continue
            }
            state.terminals.append(record)
        }
        for row in try Row.fetchAll(database, sql: "SELECT id, fence FROM fences") {
            state.fences.append(FenceRecord(id: row[0], json: row[1]))
        }
        let states = try Row.fetchCursor(database, sql: "SELECT terminal, fence, state FROM fence_states")
        while let row = try states.next() {
            guard let terminal = TerminalID(row[0] as String) else { continue }
            state.fenceStates.append(FenceStateRecord(terminal: terminal, fence: row[1], json: row[2]))
        }
    }

    private static func restoreOutbox(_ database: Database, into state: inout RestoredState) throws {
        let sql = """
            SELECT events.id, events.notice, outbox.target, outbox.attempts, outbox.next_attempt_at
            FROM outbox JOIN events ON events.id = outbox.event WHERE outbox.state = 'pending'
            ORDER BY outbox.next_attempt_at, events.id
            """
        for row in try Row.fetchAll(database, sql: sql) {
            reading("event \(row[0] as String)", into: &state.unreadable) {
                state.outbox.append(
                    PendingDelivery(
                        notice: try ColumnJSON.value(Notice.self, row[1]), target: row[2], attempts: row[3],
                        nextAttemptAt: Timestamp(milliseconds: row[4])))
            }
        }
    }
}

extension TerminalRecord {
    /// From the columns of `restoreTerminals`; nil when the id is no terminal id.
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
