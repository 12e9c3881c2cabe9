import Foundation
import GRDB
public import TerminalModel

/// One thing to remember of what a terminal said beside positions and alarms.
public enum MessageWrite: Sendable {
    case message(MessageRecord)
    case terminalState(TerminalStateRecord)
    /// The last words of a terminal leave.
    case forget(TerminalID)
}

/// `messages.sqlite`: the last words of each terminal, and what they say and send that is neither position nor alarm.
///
/// It is a file of its own so that an alarm's commit never stands behind a picture. One connection writes; the readers of
/// `IncidentStore` read it with their own.
public final class MessageStore: Sendable {
    public static let fileName = "messages.sqlite"
    /// Rows that leave in one transaction, so that what is written meanwhile waits briefly only.
    static let rowsAtOnce = 500
    /// The same for pictures and sound, each of which may be a quarter of a megabyte.
    static let mediaAtOnce = 20

    public let path: String
    let setAside: [SetAsideFile]
    private let writer: DatabaseQueue
    let log: WriteAheadLog
    private let willCommit: (@Sendable () throws -> Void)?

    /// Opens or creates the file; what stood in `incidents.sqlite` in earlier versions is copied out of it.
    init(directory: String, now: Timestamp, willCommit: (@Sendable () throws -> Void)?) throws {
        let path = directory + "/" + Self.fileName
        self.path = path
        self.willCommit = willCommit
        do {
            writer = try Self.open(path)
            setAside = []
        } catch let error as DatabaseError where StoreError(error).code == .corrupt {
            setAside = [try DatabaseFile.setAside(path: path, reason: StoreError(error).description, at: now)]
            writer = try Self.open(path)
        }
        log = try WriteAheadLog(path: path, label: "messages-log", writer: writer)
        try adopt(directory + "/" + IncidentStore.fileName)
    }

    private static func open(_ path: String) throws -> DatabaseQueue {
        try DatabaseFile.writer(path: path, label: "messages", migrator: MessageSchema.migrator)
    }

    /// Copies the tables that stood in `incidents.sqlite` up to version 2 of its schema, which version 3 drops. A row that
    /// an interrupted start has copied already is left alone.
    private func adopt(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        try writer.writeWithoutTransaction { database in
            do {
                try database.execute(sql: "ATTACH DATABASE ? AS old", arguments: [path])
            } catch let error as DatabaseError where StoreError(error).code == .corrupt {
                // Whoever opens that file says so and sets it aside.
                return
            }
            let tables = try String.fetchAll(
                database,
                sql: """
                    SELECT name FROM old.sqlite_master
                    WHERE type = 'table' AND name IN ('terminal_states', 'messages', 'media')
                    """)
            try database.inTransaction(.immediate) {
                for table in tables {
                    try database.execute(sql: "INSERT OR IGNORE INTO main.\(table) SELECT * FROM old.\(table)")
                }
                return .commit
            }
            try database.execute(sql: "DETACH DATABASE old")
        }
    }

    /// Writes everything in one transaction, in order, and returns when it is on the disk.
    ///
    /// - Throws: SQLite's codes; then nothing of it is stored.
    public func write(_ writes: some Sequence<MessageWrite>) throws(StoreError) {
        try storing {
            try writer.write { database in
                for write in writes { try database.apply(write) }
                try willCommit?()
            }
        }
    }

    /// What `PRAGMA synchronous` reads back on the writing connection; 2 is FULL.
    /// - Throws: SQLite's codes.
    public func synchronousLevel() throws(StoreError) -> Int {
        try storing { try writer.writeWithoutTransaction { try DatabaseFile.synchronousLevel($0) } }
    }

    /// Removes messages and media that were received before the time given. Last words stay: they are one row a terminal.
    ///
    /// - Returns: how many rows left.
    /// - Throws: SQLite's codes; what had left by then is gone.
    @discardableResult
    public func removeReceived(before time: Timestamp) throws(StoreError) -> Int {
        try storing { try removeEverywhere("received < ?", [time.milliseconds]) }
    }

    /// Removes what these terminals said in these stretches of time, and their last words, also from the log.
    ///
    /// - Throws: `busy` when readers keep the log; SQLite's codes.
    public func erase(_ holdings: [Holding]) throws(StoreError) {
        try storing {
            for holding in holdings {
                let terminal = holding.terminal.description
                let until = holding.until?.milliseconds ?? .max
                _ = try removeEverywhere(
                    "terminal = ? AND received >= ? AND received < ?", [terminal, holding.since.milliseconds, until])
                try writer.write { database in
                    try database.execute(
                        sql: "DELETE FROM terminal_states WHERE terminal = ? AND last_seen >= ? AND last_seen < ?",
                        arguments: [terminal, holding.since.milliseconds, until])
                }
            }
        }
        try log.emptyPatiently()
    }

    private func removeEverywhere(_ condition: String, _ arguments: StatementArguments) throws -> Int {
        var removed = 0
        for (table, limit) in [("messages", Self.rowsAtOnce), ("media", Self.mediaAtOnce)] {
            let sql = "DELETE FROM \(table) WHERE id IN (SELECT id FROM \(table) WHERE \(condition) LIMIT \(limit))"
            var count: Int
            repeat {
                count = try writer.write { database in
                    try database.cachedStatement(sql: sql).execute(arguments: arguments)
                    return database.changesCount
                }
                removed += count
            } while count == limit
        }
        return removed
    }

    /// Copies the present contents into another directory, synced, while writing goes on.
    func backUp(to directory: String) throws {
        let readers = try DatabaseFile.readers(path: path, label: "messages-copy")
        let result = Result { try DatabaseFile.copy(from: readers, to: directory + "/" + Self.fileName) }
        try readers.close()
        try result.get()
    }

    func close() throws {
        try log.close()
        try writer.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        try writer.close()
    }
}

extension Database {
    func apply(_ write: MessageWrite) throws {
        switch write {
        case .message(let record): try apply(record)
        case .terminalState(let record):
            try run(
                """
                INSERT INTO terminal_states (terminal, last_seen, event) VALUES (?, ?, ?)
                ON CONFLICT (terminal) DO UPDATE SET last_seen = excluded.last_seen,
                    event = coalesce(excluded.event, event)
                """, [record.terminal.description, record.lastSeen.milliseconds, record.event])
        case .forget(let terminal):
            try run("DELETE FROM terminal_states WHERE terminal = ?", [terminal.description])
        }
    }

    private func apply(_ record: MessageRecord) throws {
        let terminal = record.terminal.description
        let received = record.received.milliseconds
        try run(
            "INSERT INTO messages (terminal, received, kind, event) VALUES (?, ?, ?, ?)",
            [terminal, received, record.kind.rawValue, record.event])
        guard let media = record.media else { return }
        try run(
            """
            INSERT INTO media (terminal, received, media_id, type, format, event_code, data) VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [
                terminal, received, Int64(media.mediaID), Int64(media.type), Int64(media.format),
                Int64(media.eventCode), Data(media.data),
            ])
    }
}
