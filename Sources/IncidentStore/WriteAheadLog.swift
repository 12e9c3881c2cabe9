import Foundation
import GRDB
import GRDBSQLite
import Synchronization

/// The write-ahead log of one file, moved into the file by a connection of its own, so that no commit has to.
///
/// SQLite's own way is that the commit that makes the log long moves it, two syncs and many writes more than its own.
/// Here the writer does that only when the log has become far too long, because the other connection cannot keep up.
final class WriteAheadLog: Sendable {
    /// Pages of 4 KiB from which on it is worth moving them.
    static let duePages = 4000
    /// Pages after which the writer moves them itself, once each time.
    static let longestPages = 16_384
    private static let attempts = 100
    private static let pauseSeconds = 0.05

    private let pages = Atomic<Int>(0)
    private let movedPages = Atomic<Int>(0)
    private let path: String
    private let connection: DatabaseQueue

    /// - Parameter writer: the connection whose commits make the log longer.
    init(path: String, label: String, writer: DatabaseQueue) throws {
        self.path = path
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.label = label
        // It gives way to whoever else is at the log and comes again.
        configuration.busyMode = .immediateError
        connection = try DatabaseQueue(path: path, configuration: configuration)
        let context = Unmanaged.passUnretained(self).toOpaque()
        writer.writeWithoutTransaction { database in
            _ = sqlite3_wal_hook(
                database.sqliteConnection,
                { context, connection, _, pages in
                    guard let context else { return SQLITE_OK }
                    let log = Unmanaged<WriteAheadLog>.fromOpaque(context).takeUnretainedValue()
                    if log.hasGrown(to: Int(pages)) {
                        sqlite3_wal_checkpoint_v2(connection, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
                    }
                    return SQLITE_OK
                }, context)
        }
    }

    /// The commit that just ended left so many pages. True when it has to move them itself.
    private func hasGrown(to count: Int) -> Bool {
        let before = pages.exchange(count, ordering: .relaxed)
        if count < before { movedPages.store(0, ordering: .relaxed) }
        return count / Self.longestPages > before / Self.longestPages
    }

    /// Enough has gathered since the last time.
    var isDue: Bool {
        pages.load(ordering: .relaxed) - movedPages.load(ordering: .relaxed) >= Self.duePages
    }

    /// Moves what is committed and no reader still needs. The writer goes on meanwhile.
    func move() throws {
        let before = pages.load(ordering: .relaxed)
        try connection.writeWithoutTransaction { _ = try $0.checkpoint(.passive) }
        movedPages.store(before, ordering: .relaxed)
    }

    /// Moves everything and cuts the log off, so that nothing old lies on in it.
    ///
    /// - Returns: false while a reader or the writer is at it; then it may be tried again.
    func empty() throws -> Bool {
        do {
            try connection.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
            return true
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            return false
        }
    }

    /// Empties the log as soon as readers let it, within some seconds.
    ///
    /// - Throws: `busy` when they do not.
    func emptyPatiently() throws(StoreError) {
        for _ in 0..<Self.attempts {
            if try storing({ try empty() }) { return }
            Thread.sleep(forTimeInterval: Self.pauseSeconds)
        }
        throw StoreError(.busy, "somebody reads \(path) without end; its log still holds what was removed, try again")
    }

    /// - Precondition: the writer commits no more.
    func close() throws { try connection.close() }
}
