import Foundation
import Glibc
import Synchronization
public import TerminalModel

/// How much room the disk of the state directory has.
public struct DiskSpace: Sendable, Equatable {
    public enum Level: String, Sendable, CaseIterable {
        case enough
        /// Somebody should make room.
        case low
        /// What is left is for alarms: positions and messages are not stored and not acknowledged.
        case alarmsOnly = "alarms_only"
    }

    public var level: Level
    /// What the gateway may still use, in bytes.
    public var free: Int64
    /// What the reserve file holds now, in bytes.
    public var reserve: Int64
    /// Since when the level is what it is.
    public var since: Timestamp
}

/// Keeps room on the disk for alarms: a file that holds space, and gives it back when there is none left.
///
/// Positions and messages stop when the free space falls below the size of the reserve, so they cannot use it up. When a
/// commit of alarms finds the disk full all the same, because others filled it, the reserve goes and the commit is tried
/// again. The file comes back when there is room.
public final class DiskReserve: Sendable {
    public static let fileName = "reserve"
    /// On a small disk the reserve and the warning are these parts of the whole.
    static let largestReservePart: Int64 = 16
    static let largestWarningPart: Int64 = 8

    private struct State {
        var held: Int64 = 0
        var space: DiskSpace
    }

    public let path: String
    private let directory: String
    private let wantedBytes: Int64
    private let warningBytes: Int64
    private let state: Mutex<State>
    private let alarmsOnly = Atomic<Bool>(false)

    /// - Parameters:
    ///   - directory: An existing one; the file is `reserve` in it.
    ///   - bytes: What it shall hold; 0 for no reserve.
    ///   - warningBytes: Free space below which the level is `low`; 0 for no warning.
    public init(directory: String, bytes: Int64, warningBytes: Int64, now: Timestamp) {
        self.directory = directory
        path = directory + "/" + Self.fileName
        let total = Self.room(directory)?.total ?? .max
        wantedBytes = min(bytes, total / Self.largestReservePart)
        self.warningBytes = min(warningBytes, total / Self.largestWarningPart)
        let held = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int64
        state = Mutex(
            State(held: held ?? 0, space: DiskSpace(level: .enough, free: 0, reserve: held ?? 0, since: now)))
        look(now: now)
    }

    /// What is left is for alarms: positions and messages have to wait.
    public var isForAlarmsOnly: Bool { alarmsOnly.load(ordering: .relaxed) }

    public var space: DiskSpace { state.withLock(\.space) }

    /// Gives the space back. False when there was none, so that trying again is of no use.
    public func release() -> Bool {
        state.withLock { state in
            guard state.held > 0, unlink(path) == 0 else { return false }
            state.held = 0
            state.space.reserve = 0
            return true
        }
    }

    /// Measures, and fills the reserve again when there is room; to be called every second or so.
    @discardableResult
    public func look(now: Timestamp) -> DiskSpace {
        state.withLock { state in
            guard var free = Self.room(directory)?.free else { return state.space }
            // So much stays free beside a new reserve that positions go on.
            if state.held < wantedBytes, free >= wantedBytes - state.held + goesOnBytes {
                state.held = hold() ? wantedBytes : 0
                free = Self.room(directory)?.free ?? free
            }
            let level = level(free, was: state.space.level)
            if level != state.space.level { state.space.since = now }
            state.space.level = level
            state.space.free = free
            state.space.reserve = state.held
            alarmsOnly.store(level == .alarmsOnly, ordering: .relaxed)
            return state.space
        }
    }

    /// Positions that stopped go on only when there is clearly room again.
    private var goesOnBytes: Int64 { wantedBytes + wantedBytes / 2 }

    private func level(_ free: Int64, was: DiskSpace.Level) -> DiskSpace.Level {
        let stopsBelow = was == .alarmsOnly ? goesOnBytes : wantedBytes
        if free < stopsBelow { return .alarmsOnly }
        return free < warningBytes ? .low : .enough
    }

    private func hold() -> Bool {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { return false }
        defer { Glibc.close(descriptor) }
        guard posix_fallocate(descriptor, 0, off_t(wantedBytes)) == 0 else {
            unlink(path)
            return false
        }
        return true
    }

    private static func room(_ directory: String) -> (free: Int64, total: Int64)? {
        var facts = statvfs()
        guard statvfs(directory, &facts) == 0 else { return nil }
        let unit = Int64(facts.f_frsize)
        return (Int64(facts.f_bavail) * unit, Int64(facts.f_blocks) * unit)
    }
}
