import Foundation
import GRDB
import TerminalModel

/// A damaged file that was moved out of the way, never deleted.
public struct SetAsideFile: Sendable, Equatable {
    public var original: String
    public var keptAs: String
    public var reason: String
}

/// Opens SQLite files the one way this project opens them.
enum DatabaseFile {
    /// How long a statement waits for a lock that a reader or a copy holds. One writer a file makes this rare.
    static let busyTimeoutSeconds = 5.0
    /// What a write-ahead log keeps of its size once it has been copied into the file.
    static let maximumIdleLogBytes = 64 << 20
    /// Readers at once for the status socket.
    static let maximumReaders = 4

    /// Opens the one writing connection of a file: WAL, `synchronous=FULL`, schema up to date.
    ///
    /// GRDB sets `synchronous=NORMAL` after its own preparation, therefore FULL is set here afterwards and read back.
    static func writer(path: String, label: String, migrator: DatabaseMigrator) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.label = label
        configuration.busyMode = .timeout(busyTimeoutSeconds)
        configuration.foreignKeysEnabled = false
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { try makeSynchronous($0) }
        try migrator.migrate(queue)
        try queue.writeWithoutTransaction { try makeSynchronous($0) }
        // Opening may have committed without a sync, before FULL was set. A commit behind it whose sync fails is written
        // again, what came before it is not: so all of the log has to be on the disk before the first commit of ours.
        try queue.writeWithoutTransaction { _ = try $0.checkpoint(.passive) }
        return queue
    }

    /// - Throws: `not_synchronous` when FULL does not read back.
    static func makeSynchronous(_ database: Database) throws {
        try database.execute(sql: "PRAGMA synchronous = FULL")
        // What is erased must not lie on in the free space of a page.
        try database.execute(sql: "PRAGMA secure_delete = ON")
        // A long copy lets the log grow; afterwards the space comes back.
        try database.execute(sql: "PRAGMA journal_size_limit = \(maximumIdleLogBytes)")
        let level = try synchronousLevel(database)
        guard level == 2 else {
            throw StoreError(.notSynchronous, "PRAGMA synchronous reads back \(level), expected 2")
        }
    }

    static func synchronousLevel(_ database: Database) throws -> Int {
        try Int.fetchOne(database, sql: "PRAGMA synchronous") ?? -1
    }

    /// Read-only connections on a file that a writer has open.
    ///
    /// - Parameter attached: another file whose tables they read as if they were in this one.
    static func readers(path: String, label: String, attached: String? = nil) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.label = label
        configuration.busyMode = .timeout(busyTimeoutSeconds)
        configuration.maximumReaderCount = maximumReaders
        if let attached {
            configuration.prepareDatabase {
                try $0.execute(sql: "ATTACH DATABASE ? AS attached", arguments: [attached])
            }
        }
        return try DatabasePool(path: path, configuration: configuration)
    }

    /// Renames a damaged file with its write-ahead log to `NAME.damaged-TIME`.
    static func setAside(path: String, reason: String, at time: Timestamp) throws -> SetAsideFile {
        let files = FileManager.default
        let stamp = time.description.filter { $0 != ":" && $0 != "-" && $0 != "." }
        var kept = "\(path).damaged-\(stamp)"
        var number = 1
        while files.fileExists(atPath: kept) {
            number += 1
            kept = "\(path).damaged-\(stamp)-\(number)"
        }
        try files.moveItem(atPath: path, toPath: kept)
        for suffix in ["-wal", "-shm"] where files.fileExists(atPath: path + suffix) {
            try files.moveItem(atPath: path + suffix, toPath: kept + suffix)
        }
        return SetAsideFile(original: path, keptAs: kept, reason: reason)
    }

    /// Copies the present contents of a database into a new file and syncs it, while the writer goes on.
    static func copy(from reader: some DatabaseReader, to path: String) throws {
        let files = FileManager.default
        let partial = path + ".partial"
        if files.fileExists(atPath: partial) { try files.removeItem(atPath: partial) }
        try reader.unsafeRead { try $0.execute(sql: "VACUUM INTO ?", arguments: [partial]) }
        if files.fileExists(atPath: path) {
            throw StoreError(.refused, "\(path) exists; a backup never overwrites")
        }
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: partial))
        try handle.synchronize()
        try handle.close()
        try files.moveItem(atPath: partial, toPath: path)
    }
}
