import CoreMetrics
import Synchronization
public import TerminalModel

/// Keeps a terminal that repeats one mistake from filling the log: one line a minute for each terminal and code.
///
/// Never ask it about incidents: an SOS is always logged. Thread-safe; holds a lock for one table access.
public final class LogLimiter: Sendable {
    public enum Admission: Sendable, Equatable {
        /// Write the line and say that this many before it were left out.
        case write(suppressed: Int)
        case suppress
    }

    /// Beyond this many pairs, further terminals share one entry a code (promise P6).
    public static let maximumEntries = 10_000

    private struct Pair: Hashable {
        var terminal: TerminalID?
        var code: ErrorCode
    }

    private struct Entry {
        var writtenAt: Int64
        var suppressed: Int
    }

    private let intervalMilliseconds: Int64
    private let entries = Mutex<[Pair: Entry]>([:])
    private let suppressedTotal = GatewayMetric.logLinesSuppressed.counter()

    /// - Parameter intervalMilliseconds: between two written lines of one terminal and code, 0 or more.
    public init(intervalMilliseconds: Int64 = 60_000) {
        self.intervalMilliseconds = intervalMilliseconds
    }

    /// Decides on one line; the time is the monotonic clock's.
    public func admit(_ code: ErrorCode, terminal: TerminalID?, at monotonicMilliseconds: Int64) -> Admission {
        entries.withLock { entries in
            var pair = Pair(terminal: terminal, code: code)
            if entries[pair] == nil, entries.count >= Self.maximumEntries {
                let interval = intervalMilliseconds
                entries = entries.filter { monotonicMilliseconds - $0.value.writtenAt < interval }
                if entries.count >= Self.maximumEntries { pair.terminal = nil }
            }
            guard let entry = entries[pair] else {
                entries[pair] = Entry(writtenAt: monotonicMilliseconds, suppressed: 0)
                return .write(suppressed: 0)
            }
            if monotonicMilliseconds - entry.writtenAt >= intervalMilliseconds {
                entries[pair] = Entry(writtenAt: monotonicMilliseconds, suppressed: 0)
                return .write(suppressed: entry.suppressed)
            }
            entries[pair]?.suppressed += 1
            suppressedTotal.increment()
            return .suppress
        }
    }
}
