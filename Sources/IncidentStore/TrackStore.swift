import Foundation
import GRDB
import Synchronization
public import TerminalModel

/// The positions of all terminals, one file a UTC day: `tracks-YYYYMMDD.sqlite`.
///
/// One thread writes; any thread reads. Old days leave as whole files.
public final class TrackStore: Sendable {
    /// Days open for writing at once: today, and yesterday for what was received before midnight and is written after.
    static let maximumOpenDays = 2

    private struct State {
        var open: [TrackDay: TrackDayFile] = [:]
        var setAside: [SetAsideFile] = []
    }

    public let directory: String
    private let willCommit: (@Sendable () throws -> Void)?
    private let state = Mutex(State())

    /// Uses an existing or creatable directory; files appear with the first position of a day.
    ///
    /// - Parameters:
    ///   - directory: Where the day files are.
    ///   - now: Opens today's file at once, so that trouble shows at the start.
    ///   - willCommit: Called inside each transaction directly before COMMIT; what it throws makes the commit fail.
    /// - Throws: `cannot_open`, `read_only`, `disk_full`, `io_error`, `not_synchronous`.
    public init(
        directory: String, now: Timestamp, willCommit: (@Sendable () throws -> Void)? = nil
    ) throws(StoreError) {
        self.directory = directory
        self.willCommit = willCommit
        try storing {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            _ = try file(for: TrackDay(now), seen: now)
        }
    }

    /// Day files that were damaged and moved out of the way since the start.
    public var setAside: [SetAsideFile] { state.withLock(\.setAside) }

    /// Writes all points, one transaction a day file, and returns when they are on the disk.
    ///
    /// A day file that turns out damaged is set aside and the points go into a new one.
    /// - Parameters:
    ///   - count: So many points there are.
    ///   - point: Gives one of them, so that they need not be copied into an array.
    /// - Throws: SQLite's codes; then what was received on some day of the group may be stored and the rest not.
    public func write(_ count: Int, _ point: (Int) -> TrackPoint) throws(StoreError) {
        guard count > 0 else { return }
        let latest = point(count - 1).received
        for day in Self.days(count, point) {
            try storing {
                let open = try file(for: day, seen: latest)
                do {
                    try open.append(count, willCommit: willCommit, point)
                } catch let error as DatabaseError where StoreError(error).code == .corrupt {
                    try replaceDamaged(open, reason: StoreError(error).description, at: latest)
                    try file(for: day, seen: latest).append(count, willCommit: willCommit, point)
                }
            }
        }
    }

    public func write(_ points: [TrackPoint]) throws(StoreError) {
        try write(points.count) { points[$0] }
    }

    /// The days of the points, oldest first; nearly always one.
    private static func days(_ count: Int, _ point: (Int) -> TrackPoint) -> [TrackDay] {
        var days: [TrackDay] = []
        for index in 0..<count {
            let time = point(index).received
            if !days.contains(where: { $0.contains(time) }) { days.append(TrackDay(time)) }
        }
        return days.sorted()
    }

    /// What `PRAGMA synchronous` reads back on the writing connections; each must be 2 (FULL).
    /// - Throws: SQLite's codes.
    public func synchronousLevels() throws(StoreError) -> [Int] {
        try storing {
            try openFiles.map { try $0.writer.writeWithoutTransaction { try DatabaseFile.synchronousLevel($0) } }
        }
    }

    /// The days that have a file, oldest first.
    /// - Throws: `io_error` when the directory cannot be read.
    public func days() throws(StoreError) -> [TrackDay] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: directory).compactMap { name in
                guard name.hasPrefix("tracks-"), name.hasSuffix(".sqlite") else { return nil }
                return TrackDay(name.dropFirst("tracks-".count).dropLast(".sqlite".count))
            }.sorted()
        } catch {
            throw StoreError(.inputOutput, "\(error)")
        }
    }

    /// Deletes the files of all days before the one given.
    ///
    /// - Returns: the days that left.
    /// - Throws: `io_error` when a file cannot be removed.
    @discardableResult
    public func removeDays(before day: TrackDay) throws(StoreError) -> [TrackDay] {
        let old = try days().filter { $0 < day }
        for day in old {
            let open = state.withLock { $0.open.removeValue(forKey: day) }
            try storing { try open?.close() }
            do {
                for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: path(of: day) + suffix)
                {
                    try FileManager.default.removeItem(atPath: path(of: day) + suffix)
                }
            } catch {
                throw StoreError(.inputOutput, "\(error)")
            }
        }
        return old
    }

    /// Copies all days into another directory, each consistent in itself.
    /// - Throws: `refused` when a copy exists already, `disk_full`, `io_error`.
    public func backUp(to directory: String) throws(StoreError) {
        let days = try days()
        try storing {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            for day in days {
                let copy = directory + "/" + (path(of: day) as NSString).lastPathComponent
                try reading(day) { try DatabaseFile.copy(from: $0, to: copy) }
            }
        }
    }

    /// Closes all files; the store is of no use afterwards.
    /// - Throws: SQLite's codes; the contents are safe all the same.
    public func close() throws(StoreError) {
        let files = state.withLock { state in
            defer { state.open = [:] }
            return Array(state.open.values)
        }
        try storing { for file in files { try file.close() } }
    }

    // MARK: Files

    func path(of day: TrackDay) -> String { "\(directory)/tracks-\(day).sqlite" }

    var openFiles: [TrackDayFile] {
        state.withLock { state in state.open.values.sorted { $0.day < $1.day } }
    }

    func openFile(_ day: TrackDay) -> TrackDayFile? {
        state.withLock { $0.open[day] }
    }

    /// Gives the body a connection for reading a day that exists; days that are not written to are opened for the time.
    func reading<Result>(_ day: TrackDay, _ body: (DatabasePool) throws -> Result) throws -> Result {
        if let open = openFile(day) { return try body(open.reader) }
        let pool = try DatabaseFile.readers(path: path(of: day), label: "tracks-\(day)-read")
        let result = Swift.Result { try body(pool) }
        try pool.close()
        return try result.get()
    }

    /// The day's file, opened when it is not; only the writing thread calls it.
    func file(for day: TrackDay, seen now: Timestamp) throws -> TrackDayFile {
        if let open = openFile(day) { return open }
        let path = path(of: day)
        let opened: TrackDayFile
        do {
            opened = try TrackDayFile(day: day, path: path)
        } catch let error as DatabaseError where StoreError(error).code == .corrupt {
            let kept = try DatabaseFile.setAside(path: path, reason: StoreError(error).description, at: now)
            state.withLock { $0.setAside.append(kept) }
            opened = try TrackDayFile(day: day, path: path)
        }
        let old = state.withLock { state in
            state.open[day] = opened
            return state.open.keys.sorted().dropLast(Self.maximumOpenDays).filter { $0 != day }
                .compactMap { state.open.removeValue(forKey: $0) }
        }
        for file in old { try file.close() }
        return opened
    }

    private func replaceDamaged(_ file: TrackDayFile, reason: String, at time: Timestamp) throws {
        state.withLock { _ = $0.open.removeValue(forKey: file.day) }
        try? file.reader.close()
        try? file.writer.close()
        let kept = try DatabaseFile.setAside(path: file.path, reason: reason, at: time)
        state.withLock { $0.setAside.append(kept) }
    }
}
