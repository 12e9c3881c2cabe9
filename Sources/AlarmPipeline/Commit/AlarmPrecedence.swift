import Synchronization

/// Lets the lanes beside the alarms stand back from the disk while an alarm is being committed.
///
/// Files of their own are not enough: they meet again at the one disk, and a sync that is under way cannot be overtaken.
/// So none is begun beside an alarm's, and an alarm waits for one sync at most.
final class AlarmPrecedence: Sendable {
    /// A disk that alarms keep busy without end gets the other lanes' groups so often all the same.
    let longestMilliseconds: Int64

    private let isCommitting = Atomic<Bool>(false)
    private let lanes = Mutex<[Doorbell]>([])

    init(longestMilliseconds: Int64 = 200) { self.longestMilliseconds = longestMilliseconds }

    /// The bell of one more lane; it rings when the alarms are on the disk.
    func join() -> Doorbell {
        let bell = Doorbell()
        lanes.withLock { $0.append(bell) }
        return bell
    }

    func begin() { isCommitting.store(true, ordering: .releasing) }

    func end() {
        isCommitting.store(false, ordering: .releasing)
        for bell in lanes.withLock({ $0 }) { bell.ring() }
    }

    /// Returns when no alarm is being committed, or after the longest time. True when it had to wait.
    func standBack(_ bell: Doorbell) -> Bool {
        guard isCommitting.load(ordering: .acquiring) else { return false }
        let start = ContinuousClock.now
        var left = longestMilliseconds
        while left > 0, isCommitting.load(ordering: .acquiring) {
            bell.wait(milliseconds: left)
            left = longestMilliseconds - Int64((ContinuousClock.now - start) / .milliseconds(1))
        }
        return true
    }
}
