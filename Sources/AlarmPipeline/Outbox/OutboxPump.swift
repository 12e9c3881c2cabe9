import CoreMetrics
import GatewayTelemetry
import IncidentCore
import IncidentStore
import Logging
import Synchronization
import TerminalModel

/// Carries notices to their targets and repeats what was not accepted: the one place where retries live.
///
/// One thread decides what is due; each attempt is a task of its own, so that no target waits for another.
final class OutboxPump: Sendable {
    /// What became of one attempt, for the incident's timeline and the outbox row.
    struct Report: Sendable {
        var attempt: DeliveryAttempt
        /// nil for a row that ended without an attempt.
        var outcome: AttemptOutcome?
    }

    private enum Input: Sendable {
        case add([PendingDelivery])
        case finished(target: String, event: String, token: UInt64, DeliveryResult)
        case stopRaising([TakenOver])
        case forget(person: String)
        case channels([any EscalationChannel])
    }

    /// Only the pump's thread uses what is in here; the mutex makes that visible to the compiler.
    private struct State {
        var targets: [String: TargetQueue] = [:]
        var nextToken: UInt64 = 0
    }

    let thread = WorkerThread(name: "ydt-outbox")
    private let inbox = Mutex<[Input]>([])
    private let state = Mutex(State())
    private let clock: any PipelineClock
    private let jitter: @Sendable () -> Double
    private let limits: TargetQueue.Limits
    private let report: @Sendable ([Report]) -> Void
    private let logger: Logger
    private let overflowedTotal = GatewayMetric.queueDropped.counter("outbox", "full")

    init(
        channels: [any EscalationChannel], clock: any PipelineClock, jitter: @escaping @Sendable () -> Double,
        limits: TargetQueue.Limits, logger: Logger, report: @escaping @Sendable ([Report]) -> Void
    ) {
        self.clock = clock
        self.jitter = jitter
        self.limits = limits
        self.report = report
        self.logger = logger
        inbox.withLock { $0.append(.channels(channels)) }
    }

    func start() {
        thread.start { [self] in
            turn()
        } last: { [self] in
            cancelAll()
        }
    }

    func stop() { thread.stop() }

    func add(_ deliveries: [PendingDelivery]) {
        if !deliveries.isEmpty { post(.add(deliveries)) }
    }

    func stopRaising(_ takenOver: [TakenOver]) {
        if !takenOver.isEmpty { post(.stopRaising(takenOver)) }
    }

    func forget(person: String) { post(.forget(person: person)) }

    /// Changes how targets are reached; what waits for a target waits on, also while it has no channel.
    func replaceChannels(_ channels: [any EscalationChannel]) { post(.channels(channels)) }

    var health: [TargetHealth] {
        state.withLock { state in
            state.targets.map { name, queue in
                TargetHealth(
                    target: name, hasChannel: queue.channel != nil, waiting: queue.queuedCount,
                    inFlight: queue.inFlightCount, lastAcceptedAt: queue.lastAcceptedAt,
                    lastFailure: queue.lastFailure, failuresInARow: queue.failuresInARow,
                    overflowed: queue.overflowed)
            }.sorted { $0.target < $1.target }
        }
    }

    private func post(_ input: Input) {
        inbox.withLock { $0.append(input) }
        thread.bell.ring()
    }

    // MARK: One turn

    private func turn() -> Int64 {
        let inputs = inbox.withLock { inbox in
            defer { inbox = [] }
            return inbox
        }
        let now = clock.now()
        var reports: [Report] = []
        let next = state.withLock { state in
            for input in inputs { take(input, now, &state, &reports) }
            giveUpWaiting(now, &state, &reports)
            for name in state.targets.keys { startDue(name, now, &state) }
            return state.targets.values.compactMap { $0.nextDue(limits: limits) }.min()
        }
        if !reports.isEmpty { report(reports) }
        return next.map { max(0, $0 - now.monotonicMilliseconds) } ?? WorkerThread.maximumSleepMilliseconds
    }

    private func take(_ input: Input, _ now: Moment, _ state: inout State, _ reports: inout [Report]) {
        switch input {
        case .add(let deliveries):
            for delivery in deliveries { add(delivery, now, &state, &reports) }
        case .finished(let target, let event, let token, let result):
            finish(target, event, token, result, now, &state, &reports)
        case .stopRaising(let takenOver):
            for name in state.targets.keys {
                for one in takenOver { state.targets[name]?.stopRaising(one) }
            }
        case .forget(let person):
            for name in state.targets.keys { state.targets[name]?.forget(person: person) }
        case .channels(let channels):
            for name in state.targets.keys { state.targets[name]?.channel = nil }
            for channel in channels { state.targets[channel.target, default: TargetQueue()].channel = channel }
        }
    }

    private func add(_ delivery: PendingDelivery, _ now: Moment, _ state: inout State, _ reports: inout [Report]) {
        let left = delivery.nextAttemptAt.milliseconds - now.wall.milliseconds
        let wait = min(max(0, left), RetrySchedule(delivery.notice).longestPauseMilliseconds)
        let due = delivery.attempts == 0 ? now.monotonicMilliseconds : now.monotonicMilliseconds + wait
        let isKnown = state.targets[delivery.target]?.channel != nil
        if !isKnown {
            logger.error(
                "A notice waits for a target that is not configured",
                metadata: .keyed([
                    .channelName: "\(delivery.target)", .errorCode: "\(ErrorCode.channelUnknown.rawValue)",
                ]))
        }
        let superseded = state.targets[delivery.target, default: TargetQueue()]
            .add(delivery, due: due, limits: limits)
        guard let superseded else {
            overflowedTotal.increment()
            logger.error(
                "Too many notices wait for one target; this one stays in the database until the next start",
                metadata: .keyed([
                    .channelName: "\(delivery.target)", .errorCode: "\(ErrorCode.queueFull.rawValue)",
                ]))
            return
        }
        for event in superseded {
            reports.append(
                Report(
                    attempt: DeliveryAttempt(
                        event: event, incident: delivery.notice.incident.id, target: delivery.target, attempt: 0,
                        startedAt: now.wall, endedAt: now.wall, outcome: "superseded",
                        evidence: delivery.notice.identifier, state: .stopped, nextAttemptAt: now.wall)))
        }
    }

    private func startDue(_ name: String, _ now: Moment, _ state: inout State) {
        while let item = state.targets[name]?.next(now: now.monotonicMilliseconds, limits: limits),
            let channel = state.targets[name]?.channel
        {
            state.nextToken += 1
            let token = state.nextToken
            let event = item.notice.identifier
            let task = Task(executorPreference: SteppedThreads.executor) { [self] in
                let result = await channel.send(item.notice, attempt: item.attempts + 1)
                post(.finished(target: name, event: event, token: token, result))
            }
            state.targets[name]?.started(event, .init(token: token, task: task, startedAt: now))
        }
    }

    private func giveUpWaiting(_ now: Moment, _ state: inout State, _ reports: inout [Report]) {
        for (name, queue) in state.targets {
            for (key, flight) in queue.overdue(now: now.monotonicMilliseconds, limits: limits) {
                flight.task.cancel()
                let result = DeliveryResult.retry(reason: "the channel did not answer", afterMilliseconds: nil)
                finish(name, key, flight.token, result, now, &state, &reports)
            }
        }
    }

    private func finish(
        _ target: String, _ event: String, _ token: UInt64, _ result: DeliveryResult, _ now: Moment,
        _ state: inout State, _ reports: inout [Report]
    ) {
        guard let flight = state.targets[target]?.flights[event],
            let item = state.targets[target]?.ended(event, token: token)
        else { return }
        var attempt = DeliveryAttempt(
            event: event, incident: item.notice.incident.id, target: target, attempt: item.attempts,
            startedAt: flight.startedAt.wall, endedAt: now.wall, outcome: "retry", evidence: "", state: .pending,
            nextAttemptAt: now.wall)
        let outcome: AttemptOutcome
        var handover: Int64?
        switch result {
        case .accepted(let evidence):
            (attempt.outcome, attempt.evidence, attempt.state) = ("accepted", evidence, .accepted)
            outcome = .accepted(evidence: evidence)
            handover = now.wall.milliseconds - item.notice.at.milliseconds
            state.targets[target]?.lastAcceptedAt = now.wall
            state.targets[target]?.failuresInARow = 0
        case .giveUp(let reason):
            (attempt.outcome, attempt.evidence, attempt.state) = ("gave_up", reason, .gaveUp)
            outcome = .gaveUp(reason: reason)
        case .retry(let reason, let asked):
            attempt.evidence = reason
            let pause = item.schedule.pauseMilliseconds(
                afterAttempts: item.attempts, asked: asked, jitter: jitter())
            if item.isStopped {
                attempt.state = .stopped
                outcome = .failed(reason: reason, retryInMilliseconds: nil)
            } else if let pause {
                attempt.nextAttemptAt = now.wall.adding(milliseconds: pause)
                state.targets[target]?.retry(event, due: now.monotonicMilliseconds + pause)
                outcome = .failed(reason: reason, retryInMilliseconds: Int(pause))
            } else {
                (attempt.outcome, attempt.state) = ("gave_up", .gaveUp)
                outcome = .gaveUp(reason: reason)
            }
        }
        if attempt.state != .accepted {
            state.targets[target]?.lastFailure = attempt.evidence
            state.targets[target]?.failuresInARow += 1
        }
        if attempt.state != .pending { state.targets[target]?.remove(event) }
        if item.notice.kind == .opened, let handover {
            GatewayMetric.alarmToHandover.timer().recordMilliseconds(max(0, handover))
        }
        reports.append(Report(attempt: attempt, outcome: outcome))
    }

    /// At the end of the process: rows of cut attempts are still pending in the database.
    private func cancelAll() {
        state.withLock { state in
            for queue in state.targets.values {
                for flight in queue.flights.values { flight.task.cancel() }
            }
        }
    }
}
