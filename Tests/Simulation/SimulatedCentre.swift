import AlarmPipeline
import IncidentCore
import TerminalModel

/// The targets, which answer late, wrongly, twice or not at all, and the operators behind the hub.
final class SimulatedCentre: @unchecked Sendable {
    static let repeatMilliseconds: Int64 = 60_000
    static let names = ["dispatch", "hub", "family"]

    private unowned let simulation: Simulation
    private var downUntil: [String: Int64] = [:]
    private var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    private var nextWait = 0
    /// Incidents that the hub has heard of and not yet closed.
    private(set) var open: Set<IncidentID> = []

    init(_ simulation: Simulation) { self.simulation = simulation }

    var isAtRest: Bool { open.isEmpty }

    func begin() {
        if !simulation.setting.isCalm { for name in Self.names { planOutage(name) } }
    }

    func channels(life: Int) -> [any EscalationChannel] {
        Self.names.map { SimulatedChannel(target: $0, simulation: simulation, life: life) }
    }

    private func planOutage(_ name: String) {
        simulation.after(simulation.random.next(60_000...1_500_000)) { [self] in
            guard !simulation.isQuiet else { return }
            let length = simulation.random.next(1000...200_000)
            downUntil[name] = simulation.time + length
            if name == "hub" { simulation.ledger.disturbed(at: simulation.time + length) }
            simulation.tell("\(name) is away for \(length)")
            planOutage(name)
        }
    }

    // MARK: Attempts

    func take(_ notice: Notice, at target: String, life: Int) async -> DeliveryResult {
        guard simulation.isAlive(life) else { return .retry(reason: "gone", afterMilliseconds: nil) }
        simulation.tell(
            "\(target) \(notice.kind.rawValue) \(notice.identifier) of \(notice.incident.terminal)"
                + (notice.durable ? "" : ", not durable"))
        simulation.ledger.attempted(notice, at: target, time: simulation.time)
        var isReached = simulation.isQuiet || (downUntil[target] ?? 0) <= simulation.time
        var isAnswered = isReached
        var delay = simulation.random.next(5...1500)
        if !simulation.isQuiet {
            switch simulation.random.next(0...99) {
            case 0..<4: isReached = false
            case 4..<8: isAnswered = false
            case 8:
                delay = 120_000
                if target == "hub" { simulation.ledger.disturbed(at: simulation.time + 65_000) }
            default: break
            }
        }
        if isReached { heard(notice, at: target) }
        await pause(delay)
        return isReached && isAnswered
            ? .accepted(evidence: "200") : .retry(reason: "no answer", afterMilliseconds: nil)
    }

    private func pause(_ milliseconds: Int64) async {
        nextWait += 1
        let number = nextWait
        await withCheckedContinuation { continuation in
            waiting[number] = continuation
            simulation.after(milliseconds) { [self] in waiting.removeValue(forKey: number)?.resume() }
        }
    }

    /// At a crash: nobody waits for the end of an attempt any more.
    func cutAttempts() {
        for (_, continuation) in waiting.sorted(by: { $0.key < $1.key }) { continuation.resume() }
        waiting = [:]
    }

    // MARK: Operators

    private func heard(_ notice: Notice, at target: String) {
        simulation.ledger.heard(notice, at: target)
        let id = notice.incident.id
        guard target == "hub", notice.raisesAlarmAtHub, open.insert(id).inserted else { return }
        plan(.acknowledge(reason: "heard"), id, within: simulation.random.next(2000...120_000))
    }

    private func plan(_ action: OperatorAction, _ id: IncidentID, within milliseconds: Int64) {
        simulation.after(milliseconds) { [self] in attempt(action, id) }
    }

    private func attempt(_ action: OperatorAction, _ id: IncidentID) {
        guard let pipeline = simulation.pipeline, simulation.isAlive(simulation.life) else {
            return plan(action, id, within: 3000)
        }
        let life = simulation.life
        simulation.ledger.asked(action, of: id)
        simulation.tell("operator \(action) \(id)")
        // What a call promised and a crash took away is tried again.
        simulation.after(20_000) { [self] in
            if simulation.life != life, open.contains(id), !done.contains(Step(id, action)) { attempt(action, id) }
        }
        Task(executorPreference: simulation.executor) { [self] in
            do {
                let incident = try await pipeline.operate(action, on: id, by: Operator(id: "li", unixUser: "root"))
                guard simulation.isAlive(life) else { return }
                simulation.tell("operator got \(incident.state)")
                simulation.ledger.promised(action, of: id)
                next(after: action, id)
            } catch let error as OperatorError {
                guard simulation.isAlive(life) else { return }
                simulation.tell("operator was refused \(error)")
                refused(error, action, id)
            } catch {
                guard simulation.isAlive(life) else { return }
                simulation.tell("operator failed \(error)")
                plan(action, id, within: 3000)
            }
        }
    }

    /// It is closed, but perhaps only in memory: whoever was told so looks again for a while, in case a crash takes it back.
    private func lookAgain(_ action: OperatorAction, _ id: IncidentID) {
        let before = looks[id] ?? (simulation.life, 0)
        let count = before.life == simulation.life ? before.count + 1 : 1
        looks[id] = (simulation.life, count)
        if count <= 5 { plan(action, id, within: 10_000) } else { leave(id) }
    }

    private struct Step: Hashable {
        var id: IncidentID
        var name: String
        init(_ id: IncidentID, _ action: OperatorAction) {
            self.id = id
            name = "\(action)"
        }
    }
    private var done: Set<Step> = []
    private var looks: [IncidentID: (life: Int, count: Int)] = [:]

    private func next(after action: OperatorAction, _ id: IncidentID) {
        guard done.insert(Step(id, action)).inserted else { return }
        switch action {
        case .acknowledge:
            if simulation.random.happens(20) {
                plan(
                    .handOver(to: "Wang", dueAt: nil, reason: "goes there"), id,
                    within: simulation.random.next(1000...60_000))
            } else {
                plan(.close(disposition: "helped", reason: "well"), id, within: simulation.random.next(1000...60_000))
            }
        case .handOver:
            plan(.close(disposition: "helped", reason: "well"), id, within: simulation.random.next(1000...200_000))
        default: leave(id)
        }
    }

    /// Nothing is left to do for it. Should it call again, because a closing that was not durable is gone, it is taken up again.
    private func leave(_ id: IncidentID) {
        open.remove(id)
        done = done.filter { $0.id != id }
    }

    /// An incident that was never durable is not there after a crash: its terminal sends again and gets a new one.
    private func refused(_ error: OperatorError, _ action: OperatorAction, _ id: IncidentID) {
        switch error {
        case .unknownIncident:
            simulation.ledger.missed(id)
            leave(id)
        case .alreadyClosed: lookAgain(action, id)
        default: next(after: action, id)
        }
    }
}

/// Each attempt of a life is one task; answers of an earlier life are not heard.
private struct SimulatedChannel: EscalationChannel {
    let target: String
    let simulation: Simulation
    let life: Int

    func send(_ notice: Notice, attempt: Int) async -> DeliveryResult {
        await simulation.centre.take(notice, at: target, life: life)
    }
}

extension Notice {
    var raisesAlarmAtHub: Bool {
        switch kind {
        case .opened, .updated, .escalated: true
        default: false
        }
    }
}
