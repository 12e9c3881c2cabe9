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
        /// The newest row of each terminal.
        var heads: [TerminalID: Int64] = [:]
        var lastID: Int64 = 0
        /// Terminals whose newest row is not in the `heads` table yet.
        var dirty: Set<TerminalID> = []
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
        let (heads, lastID) = try writer.read { try Self.heads($0) }
        reader = try DatabaseFile.readers(path: path, label: "tracks-\(day)-read")
        state = Mutex(State(heads: heads, lastID: lastID))
    }

    /// The newest row of a terminal, nil when there is none.
    func head(of terminal: TerminalID) -> Int64? {
        state.withLock { $0.heads[terminal] }
    }

    /// Writes all points in one transaction and returns when they are on the disk.
    func append(_ points: [TrackPoint], willCommit: (@Sendable () throws -> Void)?) throws {
        // Only this thread changes the state, so the copy of what it needs cannot become old while it writes.
        var lastID = state.withLock(\.lastID)
        var heads: [TerminalID: Int64] = [:]
        try writer.write { database in
            let statement = try database.cachedStatement(sql: TrackRowWriter.sql)
            for point in points {
                let sinceMidnight = point.received.milliseconds - day.start.milliseconds
                lastID = max(lastID + 1, sinceMidnight << Self.serialBits)
                let previous = heads[point.terminal] ?? head(of: point.terminal)
                let row = TrackRowWriter(statement: statement.sqliteStatement, connection: database.sqliteConnection)
                try row.insert(point, id: lastID, previous: previous)
                heads[point.terminal] = lastID
            }
            try willCommit?()
        }
        let isCheckpointDue = state.withLock { state in
            state.heads.merge(heads) { $1 }
            state.dirty.formUnion(heads.keys)
            state.lastID = lastID
            state.rowsSinceCheckpoint += points.count
            return state.rowsSinceCheckpoint >= Self.checkpointRows
        }
        if isCheckpointDue { try checkpointHeads() }
    }

    /// Writes the newest rows of all terminals that changed, so that the next start need not search for them.
    func checkpointHeads() throws {
        let (changed, through) = state.withLock { state in
            (state.dirty.sorted().map { ($0, state.heads[$0] ?? 0) }, state.lastID)
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
            state.dirty.removeAll(keepingCapacity: true)
            state.rowsSinceCheckpoint = 0
        }
    }

    func close() throws {
        try checkpointHeads()
        try reader.close()
        try writer.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        try writer.close()
    }

    /// The newest row of each terminal: the checkpoint, and what was written after it.
    private static func heads(_ database: Database) throws -> ([TerminalID: Int64], Int64) {
        var heads: [TerminalID: Int64] = [:]
        var last: Int64 = 0
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT terminal, id FROM heads
                UNION ALL
                SELECT terminal, id FROM positions WHERE id > (SELECT through FROM progress)
                """)
        while let row = try rows.next() {
            let id: Int64 = row[1]
            last = max(last, id)
            try row.withUnsafeData(atIndex: 0) { data in
                guard let data else { return }
                let terminal = data.withUnsafeBytes { TerminalID(keyBytes: $0) }
                heads[terminal] = max(heads[terminal] ?? 0, id)
            }
        }
        last = max(last, try Int64.fetchOne(database, sql: "SELECT max(id) FROM positions") ?? 0)
        return (heads, last)
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
    let rawValue: Int64

    init(rawValue: Int64) { self.rawValue = rawValue }

    init(_ point: TrackPoint) {
        let source = Position.Source.allCases.firstIndex(of: point.position.source) ?? 0
        rawValue = (point.position.valid ? 1 : 0) | (point.historical ? 2 : 0) | Int64(source) << 4
    }

    var isValid: Bool { rawValue & 1 != 0 }
    var isHistorical: Bool { rawValue & 2 != 0 }
    var source: Position.Source {
        let index = Int(rawValue >> 4)
        return Position.Source.allCases.indices.contains(index) ? Position.Source.allCases[index] : .gnss
    }
}
