import AlarmPipeline
import Foundation
import IncidentCore
import Logging
import SirenLatch
import Synchronization
import TerminalModel
import Testing

@testable import GatewayApp

/// The latch as the open incidents want it, and what humans say at the siren (promises P3 and P4).
@Suite struct SirenKeeperTests {
    private final class Desk: Sendable {
        let calls = Mutex(LifeSafetyCalls())
        let acknowledged = Mutex<[IncidentID]>([])
        let hasStepped = Mutex(false)
    }

    private let one = IncidentID(rawValue: 1)

    private func keeper(_ desk: Desk, _ directory: LatchDirectory) -> SirenKeeper {
        let memory = LatchDirectory(path: directory.path + "-memory")
        try? FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
        try? FileManager.default.createDirectory(atPath: memory.path, withIntermediateDirectories: true)
        return SirenKeeper(
            durable: directory, volatile: memory,
            incidents: .init(
                calls: { desk.calls.withLock { $0 } }, isTakenOver: { _ in true },
                acknowledge: { id, _, _ in
                    desk.acknowledged.withLock { $0.append(id) }
                    desk.calls.withLock { $0 = LifeSafetyCalls() }
                }),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    /// A FIFO that nobody reads in the place of the file to be written: opening it never returns.
    @Test func aHangingDiskDoesNotKeepTheSirenQuiet() throws {
        let (desk, latch) = (Desk(), directory())
        let keeper = keeper(desk, latch)
        let hanging = latch.path + "/latch.new"
        #expect(mkfifo(hanging, 0o600) == 0)
        desk.calls.withLock {
            $0 = LifeSafetyCalls(incidents: [one], presses: 1, calledAt: [one: Timestamp(seconds: 100)])
        }
        let stepping = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            keeper.step()
            desk.hasStepped.withLock { $0 = true }
            stepping.signal()
        }
        let memory = LatchDirectory(path: latch.path + "-memory")
        let deadline = Date() + 5
        while memory.latch() == .clear, Date() < deadline { usleep(5000) }
        #expect(memory.latch() != .clear)
        let hasStepped = desk.hasStepped.withLock { $0 }
        #expect(!hasStepped, "the disk did not hang")
        // A reader lets the step go on and end.
        let reader = open(hanging, O_RDONLY | O_NONBLOCK)
        stepping.wait()
        close(reader)
    }

    private func directory() -> LatchDirectory {
        LatchDirectory(path: FileManager.default.temporaryDirectory.path + "/keeper-\(UUID().uuidString)")
    }

    @Test func takingOverAtTheSirenReachesTheIncident() throws {
        let (desk, latch) = (Desk(), directory())
        let keeper = keeper(desk, latch)
        desk.calls.withLock {
            $0 = LifeSafetyCalls(incidents: [one], presses: 1, calledAt: [one: Timestamp(seconds: 100)])
        }
        keeper.step()
        #expect(latch.latch() != .clear)
        #expect(
            try latch.acknowledge(by: "li", unixUser: "hub", reason: "on my way", at: Timestamp(seconds: 101))
                == [one.description])
        keeper.step()
        #expect(desk.acknowledged.withLock { $0 } == [one])
        #expect(latch.acknowledgements().isEmpty)
        keeper.step()
        #expect(latch.latch() == .clear)
    }

    @Test func whatWasTakenOverBeforeAFurtherPressDoesNotAnswerIt() throws {
        let (desk, latch) = (Desk(), directory())
        let keeper = keeper(desk, latch)
        desk.calls.withLock {
            $0 = LifeSafetyCalls(incidents: [one], presses: 1, calledAt: [one: Timestamp(seconds: 100)])
        }
        keeper.step()
        _ = try latch.acknowledge(by: "li", unixUser: "hub", reason: "on my way", at: Timestamp(seconds: 101))
        desk.calls.withLock {
            $0 = LifeSafetyCalls(incidents: [one], presses: 2, calledAt: [one: Timestamp(seconds: 102)])
        }
        keeper.step()
        let acknowledged = desk.acknowledged.withLock { $0 }
        #expect(acknowledged.isEmpty)
        guard case .set(let set) = latch.latch() else {
            Issue.record("the latch is clear")
            return
        }
        #expect(set.incidents == [one.description])
        // The line is done with: it must not answer anything later either.
        #expect(latch.acknowledgements().isEmpty)
    }
}
