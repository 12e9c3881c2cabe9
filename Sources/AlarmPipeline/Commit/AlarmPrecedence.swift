import Synchronization

/// Lets the lanes beside the alarms stand back from the disk while an alarm waits for it.
///
/// Files of their own are not enough: they meet again at the one disk, and a sync that is under way cannot be overtaken.
/// So the other lanes have one turn between them, and none begins beside an alarm: it waits for one sync at most.
final class AlarmPrecedence: Sendable {
    /// A disk that alarms keep busy without end gets a group of the other lanes so often all the same.
    let longestMilliseconds: Int64

    private let isAlarmWaiting = Atomic<Bool>(false)
    private let lanes = Mutex<[Doorbell]>([])
    private let turn = Mutex(())

    init(longestMilliseconds: Int64 = 200) { self.longestMilliseconds = longestMilliseconds }

    /// The bell of one more lane; it rings when the alarms are on the disk.
    func join() -> Doorbell {
        let bell = Doorbell()
        lanes.withLock { $0.append(bell) }
        return bell
    }

    /// An alarm waits to be committed.
    func begin() { isAlarmWaiting.store(true, ordering: .releasing) }

    /// No alarm waits any more.
    func end() {
        guard isAlarmWaiting.exchange(false, ordering: .acquiringAndReleasing) else { return }
        for bell in lanes.withLock({ $0 }) { bell.ring() }
    }

    /// Runs what uses the disk when no other lane does and no alarm waits, or after the longest time.
    ///
    /// - Returns: whether it had to stand back.
    @discardableResult
    func inTurn<Failure: Error>(_ bell: Doorbell, _ body: () throws(Failure) -> Void) throws(Failure) -> Bool {
        try turn.withLock { _ throws(Failure) in
            let stoodBack = standBack(bell)
            try body()
            return stoodBack
        }
    }

    private func standBack(_ bell: Doorbell) -> Bool {
        guard isAlarmWaiting.load(ordering: .acquiring), !SteppedThreads.isOn else { return false }
        let start = ContinuousClock.now
        var left = longestMilliseconds
        while left > 0, isAlarmWaiting.load(ordering: .acquiring) {
            bell.wait(milliseconds: left)
            left = longestMilliseconds - Int64((ContinuousClock.now - start) / .milliseconds(1))
        }
        return true
    }
}
