import Foundation
import GRDB
import GRDBSQLite
import Synchronization
import TerminalModel

/// One day's track file while it is being written. `append` is called by one thread at a time, `head` by any.
final class TrackDayFile: Sendable {
    /// Rows between two checkpoints of the heads. After a crash at most so many rows are read again at the start.
    static let checkpointRows = 500_000
    /// The running number of rows within one millisecond in the low bits of a row's id.
    static let serialBits: Int64 = 16

    private struct State {
        var heads = HeadTable()
        /// The newest row when the `heads` table was last written.
        var savedThrough: Int64 = 0
        var rowsSinceCheckpoint = 0
    }

    let day: TrackDay
    let path: String
    let writer: DatabaseQueue
    let reader: DatabasePool
    private let state: Mutex<State>

    init(day: TrackDay, path: String) throws {
        self.day = day
        self.path = path
        writer = try DatabaseFile.writer(path: path, label: "tracks-\(day)", migrator: TrackSchema.migrator)
        let (heads, savedThrough) = try writer.read { try Self.heads($0) }
        reader = try DatabaseFile.readers(path: path, label: "tracks-\(day)-read")
        state = Mutex(State(heads: heads, savedThrough: savedThrough))
    }

    /// The newest row of a terminal that is on the disk, nil when there is none.
    func head(of terminal: TerminalID) -> Int64? {
        state.withLock { $0.heads.committedRow(of: terminal) }
    }

    /// Writes the points of this day in one transaction and returns when they are on the disk.
    ///
    /// - Parameters:
    ///   - count: So many points there are, of this day and of others.
    ///   - point: Gives one of them.
    func append(
        _ count: Int, willCommit: (@Sendable () throws -> Void)?, _ point: (Int) -> TrackPoint
    ) throws {
        state.withLock { $0.heads.reserve(count) }
        var written = 0
        do {
            try writer.write { database in
                let statement = try database.cachedStatement(sql: TrackRowWriter.sql)
                let row = TrackRowWriter(statement: statement.sqliteStatement, connection: database.sqliteConnection)
                for index in 0..<count {
                    let point = point(index)
                    guard day.contains(point.received) else { continue }
                    let (id, previous) = nextRow(point)
                    try row.insert(point, id: id, previous: previous)
                    written += 1
                }
                try willCommit?()
            }
        } catch {
            state.withLock { $0.heads.rollBack() }
            throw error
        }
        let isCheckpointDue = state.withLock { state in
            state.heads.commit()
            state.rowsSinceCheckpoint += written
            return state.rowsSinceCheckpoint >= Self.checkpointRows
        }
        if isCheckpointDue { try checkpointHeads() }
    }

    private func nextRow(_ point: TrackPoint) -> (id: Int64, previous: Int64?) {
        let sinceMidnight = point.received.milliseconds - day.start.milliseconds
        return state.withLock { state in
            let id = max(state.heads.last + 1, sinceMidnight << Self.serialBits)
            return (id, state.heads.append(id, of: point.terminal))
        }
    }

    /// Writes the newest rows of all terminals that changed, so that the next start need not search for them.
    func checkpointHeads() throws {
        let (changed, through) = state.withLock { state in
            (state.heads.changed(since: state.savedThrough), state.heads.lastCommitted)
        }
        guard !changed.isEmpty else { return }
        try writer.write { database in
            let statement = try database.cachedStatement(
                sql: "INSERT OR REPLACE INTO heads (terminal, id) VALUES (?, ?)")
            for (terminal, id) in changed {
                try statement.execute(arguments: [terminal.withKeyBytes { Data($0) }, id])
            }
            try database.execute(sql: "UPDATE progress SET through = ?", arguments: [through])
        }
        state.withLock { state in
            state.savedThrough = through
            state.rowsSinceCheckpoint = 0
        }
    }

    func close() throws {
        try checkpointHeads()
        try reader.close()
        try writer.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        try writer.close()
    }

    /// The newest row of each terminal: the checkpoint, and what was written after it; and how far that checkpoint goes.
    private static func heads(_ database: Database) throws -> (HeadTable, savedThrough: Int64) {
        var heads = HeadTable()
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT terminal, id FROM heads
                UNION ALL
                SELECT terminal, id FROM positions WHERE id > (SELECT through FROM progress)
                """)
        while let row = try rows.next() {
            let id: Int64 = row[1]
            try row.withUnsafeData(atIndex: 0) { data in
                guard let data else { return }
                heads.restore(id, of: data.withUnsafeBytes { TerminalID(keyBytes: $0) })
            }
        }
        heads.noteLast(try Int64.fetchOne(database, sql: "SELECT max(id) FROM positions") ?? 0)
        return (heads, try Int64.fetchOne(database, sql: "SELECT through FROM progress") ?? 0)
    }
}

/// Binds one point to the hot insert.
struct TrackRowWriter {
    static let sql = """
        INSERT OR IGNORE INTO positions (id, terminal, previous, received, device, sequence, flags, latitude, longitude,
            altitude_m, speed_tenth_kmh, course_deg, satellites, hdop_tenth, accuracy_m, battery_percent, alarms)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """

    let statement: OpaquePointer
    let connection: OpaquePointer?

    func insert(_ point: TrackPoint, id: Int64, previous: Int64?) throws {
        let position = point.position
        bind(1, id)
        bind(3, previous)
        bind(4, point.received.milliseconds)
        bind(5, point.deviceTime?.milliseconds)
        bind(6, point.sequence.map(Int64.init))
        bind(7, TrackFlags(point).rawValue)
        bind(8, scaled(position.latitudeDegrees, 1e7))
        bind(9, scaled(position.longitudeDegrees, 1e7))
        bind(10, position.altitudeMetres.map(Int64.init))
        bind(11, scaled(position.speedKilometresPerHour, 10))
        bind(12, position.courseDegrees.map(Int64.init))
        bind(13, position.satellites.map(Int64.init))
        bind(14, scaled(position.hdop, 10))
        bind(15, position.accuracyMetres.map(Int64.init))
        bind(16, point.batteryPercent.map(Int64.init))
        bind(17, Int64(bitPattern: point.alarms.rawValue))
        let result = point.terminal.withKeyBytes { bytes in
            // The statement reads the bytes during the step only, so they need not be copied.
            sqlite3_bind_blob(statement, 2, bytes.baseAddress, Int32(bytes.count), nil)
            return sqlite3_step(statement)
        }
        sqlite3_reset(statement)
        guard result == SQLITE_DONE else {
            throw DatabaseError(
                resultCode: ResultCode(rawValue: result),
                message: connection.map { String(cString: sqlite3_errmsg($0)) })
        }
    }

    private func bind(_ index: Int32, _ value: Int64?) {
        if let value { sqlite3_bind_int64(statement, index, value) } else { sqlite3_bind_null(statement, index) }
    }

    /// nil for what no integer can hold.
    private func scaled(_ value: Double?, _ factor: Double) -> Int64? {
        value.flatMap { Int64(exactly: ($0 * factor).rounded()) }
    }
}

/// The `flags` column: bit 0 valid, bit 1 historical, from bit 4 the source.
struct TrackFlags {
    /// The number of a source is its place here, which is in the files.
    private static let sources = Position.Source.allCases

    let rawValue: Int64

    init(rawValue: Int64) { self.rawValue = rawValue }

    init(_ point: TrackPoint) {
        let source = Self.sources.firstIndex(of: point.position.source) ?? 0
        rawValue = (point.position.valid ? 1 : 0) | (point.historical ? 2 : 0) | Int64(source) << 4
    }

    var isValid: Bool { rawValue & 1 != 0 }
    var isHistorical: Bool { rawValue & 2 != 0 }
    var source: Position.Source {
        let index = Int(rawValue >> 4)
        return Self.sources.indices.contains(index) ? Self.sources[index] : .gnss
    }
}
