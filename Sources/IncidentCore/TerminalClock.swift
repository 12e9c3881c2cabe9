public import TerminalModel

/// What live reports prove of a terminal's clock.
///
/// Receive time orders everything; a device time is a claim (promise P8). Only where the clock was seen right a moment
/// ago, an old claim says that the report is old, and not that the clock is wrong.
public enum TerminalClock {
    /// A live report that claims a time this close to its reception shows a right clock.
    public static let rightMilliseconds: Int64 = 120_000
    /// On the same connection a clock that was right counts as right for this long.
    public static let recentMilliseconds: Int64 = 600_000
    /// A terminal that states the time of its last fix seems to stand still: by then its age is at most this.
    public static let standingMilliseconds = recentMilliseconds + rightMilliseconds

    /// True when the claim of a live report shows a right clock.
    public static func isRight(_ claimed: Timestamp, received: Timestamp) -> Bool {
        let (age, hasOverflown) = received.milliseconds.subtractingReportingOverflow(claimed.milliseconds)
        return !hasOverflown && age.magnitude <= UInt64(rightMilliseconds)
    }
}
