import Foundation
import GRDB
import IncidentCore
public import TerminalModel

/// `incidents.sqlite`: people, terminals, fences, incidents, the outbox, commands and what humans did.
///
/// One connection writes, used by the pipeline's committing thread and by nobody else at the same time; readers have
/// connections of their own and never delay it. A `write` has returned only when everything in it is on the disk, and none
/// pays for moving the write-ahead log into the file: `moveLog` does that on another thread.
public final class IncidentStore: Sendable {
    public struct Options: Sendable {
        /// Called inside each transaction directly before COMMIT; what it throws makes the commit fail. For tests that
        /// prove what happens then.
        public var willCommit: (@Sendable () throws -> Void)?
        /// The same for `messages.sqlite`.
        public var willCommitMessages: (@Sendable () throws -> Void)?
        /// Called before a person's card is read for a decision. For tests of a disk that hangs.
        public var willReadCard: (@Sendable () -> Void)?
        /// Room that a full disk gives back for alarms.
        public var reserve: DiskReserve?
        /// Called when a write waited for nothing but the disk, with the number of writes in the transaction.
        public var didCommit: (@Sendable (Int) -> Void)?

        public init(
            willCommit: (@Sendable () throws -> Void)? = nil,
            willCommitMessages: (@Sendable () throws -> Void)? = nil, didCommit: (@Sendable (Int) -> Void)? = nil,
            willReadCard: (@Sendable () -> Void)? = nil, reserve: DiskReserve? = nil
        ) {
            self.willCommit = willCommit
            self.willCommitMessages = willCommitMessages
            self.willReadCard = willReadCard
            self.reserve = reserve
            self.didCommit = didCommit
        }
    }

    public static let fileName = "incidents.sqlite"

    public let directory: String
    public let path: String
    /// What opening found damaged and moved out of the way; to be shown to the administrator until somebody looked.
    public let setAside: [SetAsideFile]
    let writer: DatabaseQueue
    let readers: DatabasePool
    public let options: Options
    /// What terminals say beside positions and alarms, in a file of its own.
    public let messages: MessageStore
    private let log: WriteAheadLog

    /// Opens or creates `incidents.sqlite` and `messages.sqlite` in an existing or creatable directory and brings its schema up to date.
    ///
    /// A file that SQLite calls damaged or no database is set aside under a new name and an empty one takes its place;
    /// `setAside` then says so.
    /// - Throws: `cannot_open`, `read_only`, `disk_full`, `io_error`, or `not_synchronous` when the file would not be
    ///   synced at each commit.
    public init(directory: String, now: Timestamp, options: Options = Options()) throws(StoreError) {
        self.directory = directory
        self.path = directory + "/" + Self.fileName
        self.options = options
        let path = self.path
        (writer, readers, messages, setAside) = try storing {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            let messages = try MessageStore(
                directory: directory, now: now, willCommit: options.willCommitMessages)
            do {
                let (writer, readers) = try Self.open(path, messages)
                return (writer, readers, messages, messages.setAside)
            } catch let error as DatabaseError where StoreError(error).code == .corrupt {
                let kept = try DatabaseFile.setAside(path: path, reason: StoreError(error).description, at: now)
                let (writer, readers) = try Self.open(path, messages)
                return (writer, readers, messages, messages.setAside + [kept])
            }
        }
        log = try storing { [writer] in try WriteAheadLog(path: path, label: "incidents-log", writer: writer) }
    }

    private static func open(_ path: String, _ messages: MessageStore) throws -> (DatabaseQueue, DatabasePool) {
        let writer = try DatabaseFile.writer(path: path, label: "incidents", migrator: IncidentSchema.migrator)
        // A damaged page of what the gateway cannot start without must show now, not at the first alarm.
        try writer.read { database in
            for table in ["incidents_open", "outbox_pending", "commands_waiting"] {
                let name = String(table[..<(table.firstIndex(of: "_") ?? table.endIndex)])
                let sql = "SELECT count(*) FROM \(name) INDEXED BY \(table) WHERE \(Self.condition(ofIndex: table))"
                _ = try Int.fetchOne(database, sql: sql)
            }
        }
        return (writer, try DatabaseFile.readers(path: path, label: "incidents-read", attached: messages.path))
    }

    private static func condition(ofIndex name: String) -> String {
        switch name {
        case "incidents_open": "closed_at IS NULL"
        case "outbox_pending": "state = 'pending'"
        default: "state IN ('queued', 'sent')"
        }
    }

    /// Writes everything in one transaction, in order, and returns when it is on the disk.
    ///
    /// A full disk gets the reserve back, and the same writes are tried once more.
    ///
    /// - Throws: `disk_full`, `io_error`, `busy`, `corrupt` and the other codes of SQLite; then nothing of it is stored
    ///   and the same writes may be tried again.
    public func write(_ writes: [StoreWrite]) throws(StoreError) {
        guard !writes.isEmpty else { return }
        do {
            try commit(writes)
        } catch {
            guard error.code == .diskFull, options.reserve?.release() == true else { throw error }
            try commit(writes)
        }
        options.didCommit?(writes.count)
    }

    private func commit(_ writes: [StoreWrite]) throws(StoreError) {
        try storing {
            try writer.write { database in
                for write in writes { try database.apply(write) }
                try options.willCommit?()
            }
        }
    }

    /// The write-ahead log has become long enough for `moveLog`.
    public var isLogDue: Bool { log.isDue || messages.log.isDue }

    /// Moves the write-ahead logs of both files into them by connections of their own; writing and reading go on.
    /// - Throws: SQLite's codes; the log keeps everything then.
    public func moveLog() throws(StoreError) {
        try storing { for log in [log, messages.log] where log.isDue { try log.move() } }
    }

    /// Cuts the write-ahead log off, so that nothing that was removed lies on in it. Not for the committing thread.
    /// - Throws: `busy` when a reader keeps it; SQLite's codes.
    func emptyLog() throws(StoreError) { try log.emptyPatiently() }

    /// What `PRAGMA synchronous` reads back on the writing connection; 2 is FULL.
    /// - Throws: SQLite's codes.
    public func synchronousLevel() throws(StoreError) -> Int {
        try storing { try writer.writeWithoutTransaction { try DatabaseFile.synchronousLevel($0) } }
    }

    /// Limits the file to this many pages of 4 KiB, so that a full disk can be produced at will; nil lifts the limit.
    /// - Throws: SQLite's codes.
    package func limitPages(_ count: Int?) throws(StoreError) {
        try storing {
            try writer.writeWithoutTransaction {
                _ = try Int.fetchOne($0, sql: "PRAGMA max_page_count = \(count ?? 1_073_741_823)")
            }
        }
    }

    /// Copies the present contents of both files into another directory, synced, while writing goes on.
    ///
    /// - Throws: `refused` when the copy exists already, `disk_full`, `io_error`.
    public func backUp(to directory: String) throws(StoreError) {
        try storing {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try DatabaseFile.copy(from: readers, to: directory + "/" + Self.fileName)
            try messages.backUp(to: directory)
        }
    }

    /// Moves the write-ahead log into the file and closes all connections; the store is of no use afterwards.
    /// - Throws: SQLite's codes; the contents are safe all the same.
    public func close() throws(StoreError) {
        try storing {
            try readers.close()
            try log.close()
            try writer.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
            try writer.close()
            try messages.close()
        }
    }
}
