import Foundation
import TerminalModel

extension Timestamp {
    static func now() -> Timestamp {
        Timestamp(milliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded()))
    }
}

/// The day of a self-test in local time.
enum TestDay {
    /// Today's date once the hour has come; nil before it, or when there is no hour.
    static func today(atOrAfter hour: Int?) -> String? {
        guard let hour else { return nil }
        var now = time(nil)
        var parts = tm()
        localtime_r(&now, &parts)
        guard Int(parts.tm_hour) >= hour else { return nil }
        return "\(parts.tm_year + 1900)-\(parts.tm_mon + 1)-\(parts.tm_mday)"
    }
}
