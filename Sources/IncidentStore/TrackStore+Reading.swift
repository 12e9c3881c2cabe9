import Foundation
import GRDB
public import TerminalModel

extension TrackStore {
    /// Most points that one query returns.
    public static let maximumPoints = 10_000
    /// Rows deleted in one transaction when a track is erased, so that new positions wait briefly only.
    static let eraseRows = 500

    /// The track of one terminal in receive time, newest first; at most `limit` points of `from`...`to`.
    ///
    /// - Throws: SQLite's codes.
    public func track(
        of terminal: TerminalID, from: Timestamp, to: Timestamp, limit: Int = maximumPoints
    ) throws(StoreError) -> [TrackPoint] {
        let limit = min(max(limit, 1), Self.maximumPoints)
        guard from <= to else { return [] }
        let days = try days().filter { TrackDay(from) <= $0 && $0 <= TrackDay(to) }
        return try storing {
            var points: [TrackPoint] = []
            for day in days.reversed() where points.count < limit {
                let open = openFile(day)
                try reading(day) { pool in
                    try pool.read { database in
                        var next = try open.map { $0.head(of: terminal) } ?? Self.head(of: terminal, database)
                        let statement = try database.cachedStatement(sql: "SELECT * FROM positions WHERE id = ?")
                        while let id = next, points.count < limit {
                            guard let row = try Row.fetchOne(statement, arguments: [id]) else { break }
                            let point = TrackPoint(terminal: terminal, row: row)
                            guard point.received >= from else { break }
                            let isErased = row["alarms"] == TrackPoint.erasedMark
                            if point.received <= to, !isErased { points.append(point) }
                            next = row["previous"]
                        }
                    }
                }
            }
            return points
        }
    }

    /// Removes the positions of these terminals in these stretches of time from all files.
    ///
    /// It searches whole files, since an erasure has to be complete; new positions go on being written meanwhile.
    /// - Throws: SQLite's codes.
    public func erase(_ holdings: [Holding]) throws(StoreError) {
        let days = try days()
        for holding in holdings {
            let last = holding.until.map { TrackDay($0) }
            for day in days where day >= TrackDay(holding.since) && last.map({ day <= $0 }) ?? true {
                try storing { try erase(holding, day) }
            }
        }
    }

    private func erase(_ holding: Holding, _ day: TrackDay) throws {
        let key = holding.terminal.withKeyBytes { Data($0) }
        let ids = try reading(day) { pool in
            try pool.read { database in
                try Int64.fetchAll(
                    database, sql: "SELECT id FROM positions WHERE terminal = ? AND received BETWEEN ? AND ?",
                    arguments: [key, holding.since.milliseconds, holding.until?.milliseconds ?? Int64.max])
            }
        }
        guard !ids.isEmpty else { return }
        let open = openFile(day)
        let writer =
            try open?.writer
            ?? DatabaseFile.writer(path: path(of: day), label: "tracks-\(day)-erase", migrator: TrackSchema.migrator)
        for start in stride(from: 0, to: ids.count, by: Self.eraseRows) {
            try writer.write { database in
                // The rows are emptied, not deleted, so that the chain to older rows of another holder stays whole.
                let statement = try database.cachedStatement(
                    sql: """
                        UPDATE positions SET device = NULL, sequence = NULL, flags = 0, latitude = NULL,
                            longitude = NULL, altitude_m = NULL, speed_tenth_kmh = NULL, course_deg = NULL,
                            satellites = NULL, hdop_tenth = NULL, accuracy_m = NULL, battery_percent = NULL,
                            alarms = \(TrackPoint.erasedMark)
                        WHERE id = ?
                        """)
                for id in ids[start..<min(start + Self.eraseRows, ids.count)] {
                    try statement.execute(arguments: [id])
                }
            }
        }
        try writer.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        if open == nil { try writer.close() }
    }

    /// The newest row of a terminal in a file that nobody writes: the checkpoint, and what came after it.
    private static func head(of terminal: TerminalID, _ database: Database) throws -> Int64? {
        let key = terminal.withKeyBytes { Data($0) }
        return try Int64.fetchOne(
            database,
            sql: """
                SELECT max(id) FROM (SELECT id FROM heads WHERE terminal = ? UNION ALL
                    SELECT id FROM positions WHERE id > (SELECT through FROM progress) AND terminal = ?)
                """, arguments: [key, key])
    }
}

extension TrackPoint {
    /// In the `alarms` column: the row was erased and only links the rows before it.
    static let erasedMark = -1

    fileprivate init(terminal: TerminalID, row: Row) {
        let flags = TrackFlags(rawValue: row["flags"])
        func degrees(_ name: String) -> Double? { (row[name] as Int64?).map { Double($0) / 1e7 } }
        func tenths(_ name: String) -> Double? { (row[name] as Int64?).map { Double($0) / 10 } }
        self.init(
            terminal: terminal, received: Timestamp(milliseconds: row["received"]),
            deviceTime: (row["device"] as Int64?).map(Timestamp.init(milliseconds:)), sequence: row["sequence"],
            historical: flags.isHistorical,
            position: Position(
                valid: flags.isValid, latitudeDegrees: degrees("latitude"), longitudeDegrees: degrees("longitude"),
                altitudeMetres: row["altitude_m"], speedKilometresPerHour: tenths("speed_tenth_kmh"),
                courseDegrees: row["course_deg"], satellites: row["satellites"], hdop: tenths("hdop_tenth"),
                accuracyMetres: row["accuracy_m"], source: flags.source),
            alarms: AlarmSet(rawValue: UInt64(bitPattern: row["alarms"])), batteryPercent: row["battery_percent"])
    }
}
