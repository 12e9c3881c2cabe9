/// How long a lane waits for more before it commits, from the load and from what a commit costs on this disk.
///
/// A lane with little to write never waits. A busy one waits a moment, so that a commit is shared by many rows. Where a
/// commit takes long because the disk is slow, it waits several times as long, so that the disk is free most of the time
/// for whoever has an alarm; the groups become bigger, and never more rows wait than the lane's limit.
struct CommitWindow: Sendable {
    /// Rows in a group up to which the lane counts as idle.
    static let idleRows = 2
    /// A busy lane keeps the disk for one part in so many.
    static let partsPerCommit = 5.0
    static let longestMilliseconds = 100.0
    /// How much the newest commit counts in the mean.
    private static let weight = 0.125

    /// What a busy lane waits at least; 0: it waits for nothing but a slow disk.
    let busyMilliseconds: Int64
    /// The mean time of a commit on this disk.
    private(set) var commitMilliseconds = 0.0
    private var lastRows = 0

    init(busyMilliseconds: Int64) { self.busyMilliseconds = busyMilliseconds }

    mutating func committed(rows: Int, in duration: Duration) {
        let milliseconds = duration / .milliseconds(1)
        commitMilliseconds += (milliseconds - commitMilliseconds) * (commitMilliseconds == 0 ? 1 : Self.weight)
        lastRows = rows
    }

    /// To wait before the next commit.
    var milliseconds: Int64 {
        guard lastRows > Self.idleRows else { return 0 }
        return max(busyMilliseconds, restMilliseconds)
    }

    /// What a commit has to leave the disk to others before the next, from the time that it takes.
    var restMilliseconds: Int64 {
        Int64(min((Self.partsPerCommit - 1) * commitMilliseconds, Self.longestMilliseconds))
    }
}
