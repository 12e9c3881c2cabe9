import AlarmPipeline
import Foundation
import GatewayTelemetry
import IncidentCore
import IncidentStore
import Logging
import SirenLatch
import Synchronization
import TerminalModel

/// Keeps the siren's latch as the open incidents want it, and brings what was acknowledged at the siren to them.
///
/// It only ever clears what humans have taken over: a latch that names an incident which the store does not know, after a
/// damaged database was set aside, goes on sounding until somebody acknowledges at the siren (promises P3, P4). The latch
/// stands twice, in memory and on disk: a disk that is full or hangs must not keep the siren quiet, and a power cut must
/// not either.
final class SirenKeeper: Sendable {
    /// So often the latch is compared with the incidents: a press sounds within a second, the siren's own look included.
    static let stepMilliseconds: UInt32 = 100

    /// What the keeper asks the pipeline.
    struct Incidents: Sendable {
        var calls: @Sendable () -> LifeSafetyCalls
        /// False while the incident may still wait for a human, true when it is known and does not; nil when unknown.
        var isTakenOver: @Sendable (IncidentID) -> Bool?
        var acknowledge: @Sendable (IncidentID, String, Operator) async -> Void
    }

    private struct State {
        var presses: UInt64?
        var isFailing = false
    }

    let durable: LatchDirectory
    private let volatile: LatchDirectory
    private let incidents: Incidents
    private let logger: Logger
    private let state = Mutex(State())
    private let isStopping = Atomic<Bool>(false)

    init(durable: LatchDirectory, volatile: LatchDirectory, incidents: Incidents, logger: Logger) {
        self.durable = durable
        self.volatile = volatile
        self.incidents = incidents
        self.logger = logger
    }

    /// Runs on a thread of its own, so that nothing slow elsewhere delays the siren.
    func start() {
        // Where the service manager has not made them: both programs write in them. What fails here fails again, and is
        // told, at the first latch.
        for directory in [durable, volatile] {
            try? FileManager.default.createDirectory(
                atPath: directory.path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o2770])
        }
        let thread = Thread { [self] in
            while !isStopping.load(ordering: .relaxed) {
                step()
                usleep(Self.stepMilliseconds * 1000)
            }
        }
        thread.name = "ydt-siren"
        thread.start()
    }

    /// The latch stays as it is: the siren goes on while the gateway is away.
    func stop() { isStopping.store(true, ordering: .relaxed) }

    func step() {
        let given = durable.acknowledgements() + volatile.acknowledgements()
        let calls = incidents.calls()
        let answered = Set(given.flatMap { Self.answered(by: $0, calls) })
        // The latch names no more than this; the longest waiting stand first.
        let waiting = calls.incidents.prefix(Latch.maximumIncidents).map(\.description)
            .filter { !answered.contains($0) }
        let wanted = waiting + leftovers(besides: answered.union(waiting))
        if wanted.isEmpty {
            clear()
        } else {
            set(wanted, presses: calls.presses)
        }
        if !given.isEmpty { apply(given, calls) }
    }

    /// The incidents that an acknowledgement is for: one that has called again since then is not answered by it (P4).
    private static func answered(by acknowledgement: LatchAcknowledgement, _ calls: LifeSafetyCalls) -> [String] {
        acknowledgement.incidents.filter { text in
            guard let calledAt = IncidentID(text).flatMap({ calls.calledAt[$0] }) else { return true }
            return calledAt <= acknowledgement.at
        }
    }

    // MARK: - Setting and clearing

    private func set(_ waiting: [String], presses: UInt64) {
        let isNewPress = state.withLock { state in
            defer { state.presses = presses }
            return state.presses != presses
        }
        let at = SystemClock.now().wall
        var isWritten = true
        // Memory first: writing to a disk may take for ever, and the siren looks at both.
        for directory in [volatile, durable] {
            do {
                try directory.set(incidents: waiting, isNewPress: isNewPress, at: at, now: .now())
            } catch {
                isWritten = false
                fails(error)
            }
        }
        if isWritten { works() }
    }

    /// What a latch names beside the present calls and is not known to be in a human's hands.
    private func leftovers(besides known: Set<String>) -> [String] {
        var found: [String] = []
        for directory in [durable, volatile] {
            guard case .set(let latch) = directory.latch() else { continue }
            found += latch.incidents.filter { text in
                guard !known.contains(text), !found.contains(text) else { return false }
                return IncidentID(text).map { incidents.isTakenOver($0) != true } ?? true
            }
        }
        return found
    }

    /// Ends the sound for incidents. A latch that names none was set by hand or is damaged: only a hand clears it.
    private func clear() {
        for directory in [durable, volatile] {
            guard case .set(let latch) = directory.latch(), !latch.incidents.isEmpty else { continue }
            do {
                try directory.clear()
            } catch {
                fails(error)
            }
        }
    }

    // MARK: - Acknowledgements at the siren

    private func apply(_ given: [LatchAcknowledgement], _ calls: LifeSafetyCalls) {
        let done = DispatchSemaphore(value: 0)
        Task { [incidents] in
            for acknowledgement in given {
                let actor = Operator(id: acknowledgement.by, unixUser: acknowledgement.unixUser)
                for id in Self.answered(by: acknowledgement, calls).compactMap({ IncidentID($0) }) {
                    await incidents.acknowledge(id, "at the siren: \(acknowledgement.reason)", actor)
                }
            }
            done.signal()
        }
        // A store that fails keeps them in their file; they are applied again at the next step.
        guard done.wait(timeout: .now() + 5) == .success else { return }
        let present = incidents.calls()
        let stillWaiting = Set(present.incidents.map(\.description))
        for directory in [durable, volatile] {
            let taken = directory.acknowledgements().filter { one in
                given.contains(one) && !Self.answered(by: one, present).contains { stillWaiting.contains($0) }
            }
            do {
                try directory.forget(taken)
            } catch {
                fails(error)
            }
        }
    }

    // MARK: - The log

    private func fails(_ error: LatchError) {
        let isFirst = state.withLock { state in
            defer { state.isFailing = true }
            return !state.isFailing
        }
        guard isFirst else { return }
        logger.critical(
            "The latch of the siren cannot be written",
            metadata: .keyed([
                .errorCode: "\(ErrorCode.sirenLatchFailed.rawValue)", .errorDetail: "\(error)",
            ]))
    }

    private func works() {
        let wasFailing = state.withLock { state in
            defer { state.isFailing = false }
            return state.isFailing
        }
        if wasFailing { logger.notice("The latch of the siren is written again") }
    }
}

extension SirenKeeper {
    /// The keeper of a site: the latch stands beside the databases and, in memory, beside the status socket.
    convenience init(
        _ site: GatewayConfiguration.General, pipeline: AlarmPipeline, store: IncidentStore, logger: Logger
    ) {
        let memory = URL(filePath: site.socketPath).deletingLastPathComponent().appending(path: "siren").path()
        self.init(
            durable: LatchDirectory(path: site.stateDirectory + "/siren"), volatile: LatchDirectory(path: memory),
            incidents: .init(
                calls: { pipeline.lifeSafetyCalls },
                isTakenOver: { id in
                    (try? store.history(of: id)).flatMap { $0 }.map { !$0.incident.state.awaitsHuman }
                },
                acknowledge: { id, reason, actor in
                    // One that a human has taken over meanwhile needs nothing more.
                    _ = try? await pipeline.operate(.acknowledge(reason: reason), on: id, by: actor)
                }),
            logger: logger)
    }
}
