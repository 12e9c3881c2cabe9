import CoreMetrics
import GatewayTelemetry
import IncidentStore
import Logging
import Synchronization
import TerminalModel

/// What the files need beside being written, on a thread of its own: the log of `incidents.sqlite` moved into the file, and
/// an eye on the room that the disk has left.
final class StoreUpkeep: Sendable {
    static let pauseMilliseconds: Int64 = 500

    let thread = WorkerThread(name: "ydt-upkeep")
    private let store: IncidentStore
    private let precedence: AlarmPrecedence
    private let alarmsAreDone: Doorbell
    private let clock: any PipelineClock
    private let logger: Logger
    private let level = Mutex(DiskSpace.Level.enough)
    private let free = GatewayMetric.storeFree.gauge()
    private let reserve = GatewayMetric.storeReserve.gauge()

    init(store: IncidentStore, precedence: AlarmPrecedence, clock: any PipelineClock, logger: Logger) {
        self.store = store
        self.precedence = precedence
        self.clock = clock
        self.logger = logger
        alarmsAreDone = precedence.join()
    }

    func start() {
        thread.start { [self] in
            thread.atTheDisk { turn() }
            return Self.pauseMilliseconds
        } last: {
        }
    }

    func stop() { thread.stop() }

    private func turn() {
        if let reserve = store.options.reserve { look(at: reserve) }
        guard store.isLogDue else { return }
        do {
            try precedence.inTurn(alarmsAreDone) { () throws(StoreError) in try store.moveLog() }
        } catch {
            // The next commit that finds the log far too long moves it itself, and fails if it cannot.
            logger.warning(
                "The log of a database cannot be moved into its file",
                metadata: .keyed([.errorCode: "\(error.code.rawValue)", .errorDetail: "\(error.message)"]))
        }
    }

    private func look(at reserve: DiskReserve) {
        let space = reserve.look(now: clock.now().wall)
        free.set(Double(space.free))
        self.reserve.set(Double(space.reserve))
        let was = level.withLock { level in
            defer { level = space.level }
            return level
        }
        guard was != space.level else { return }
        let facts: Logger.Metadata = .keyed([
            .errorCode: "\(ErrorCode.storeLow.rawValue)", .storeFreeBytes: "\(space.free)",
        ])
        switch space.level {
        case .enough: logger.notice("The disk has room again", metadata: facts)
        case .low: logger.warning("The disk is nearly full", metadata: facts)
        case .alarmsOnly:
            logger.critical(
                "The disk is full but for what is kept for alarms: positions are not stored any more", metadata: facts)
        }
    }
}
