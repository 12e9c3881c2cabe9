import AlarmPipeline
import Foundation
import IncidentCore
import IncidentStore
import Logging
import Synchronization
import TerminalModel

/// Time stands still until a test moves it.
final class ManualClock: PipelineClock {
    static let start = Timestamp(milliseconds: 1_773_489_600_000)
    private let milliseconds = Mutex<Int64>(0)

    func now() -> Moment {
        let passed = milliseconds.withLock { $0 }
        return Moment(
            wall: Self.start.adding(milliseconds: passed), monotonicMilliseconds: 1_000_000 + passed)
    }

    func advance(_ by: Int64) { milliseconds.withLock { $0 += by } }
}

/// Something that threads change and a test waits for: every change wakes it, nothing polls.
final class Watched<Value: Sendable>: Sendable {
    private struct State {
        var value: Value
        var waiters: [(id: Int, isReached: @Sendable (Value) -> Bool, continuation: CheckedContinuation<Bool, Never>)] =
            []
        var nextID = 0
    }

    private let state: Mutex<State>

    init(_ value: Value) { state = Mutex(State(value: value)) }

    var value: Value { state.withLock(\.value) }

    func change(_ body: (inout Value) -> Void) {
        let reached = state.withLock { state in
            body(&state.value)
            let value = state.value
            let reached = state.waiters.filter { $0.isReached(value) }
            state.waiters.removeAll { waiter in reached.contains { $0.id == waiter.id } }
            return reached.map(\.continuation)
        }
        for continuation in reached { continuation.resume(returning: true) }
    }

    /// True when the condition came about; false after ten seconds, which only a broken build takes.
    func wait(_ isReached: @escaping @Sendable (Value) -> Bool) async -> Bool {
        await withCheckedContinuation { continuation in
            let id: Int? = state.withLock { state in
                guard !isReached(state.value) else { return nil }
                state.nextID += 1
                state.waiters.append((state.nextID, isReached, continuation))
                return state.nextID
            }
            guard let id else { return continuation.resume(returning: true) }
            DispatchQueue.global().asyncAfter(deadline: .now() + 10) { [self] in
                let late = state.withLock { state in
                    let index = state.waiters.firstIndex { $0.id == id }
                    return index.map { state.waiters.remove(at: $0).continuation }
                }
                late?.resume(returning: false)
            }
        }
    }
}

/// Collects what the pipeline tells the terminals.
final class FakePlane: TerminalPlane {
    let results = Watched<[IngestResult]>([])
    let orders = Watched<[DownlinkOrder]>([])
    /// Called with each group of results on the pipeline's thread, before anything else can happen.
    let onResults = Mutex<(@Sendable ([IngestResult]) -> Void)?>(nil)

    func deliver(_ results: [IngestResult]) {
        onResults.withLock { $0 }?(results)
        self.results.change { $0 += results }
    }

    func deliver(_ orders: [DownlinkOrder]) { self.orders.change { $0 += orders } }

    func outcome(of request: UInt32) -> IngestResult.Outcome? {
        results.value.last { $0.ticket.request == request }?.outcome
    }
}

/// A target whose answers a test decides.
final class FakeChannel: EscalationChannel {
    struct Sent: Sendable {
        var notice: Notice
        var attempt: Int
    }

    let target: String
    let sent = Watched<[Sent]>([])
    private let answer: Watched<DeliveryResult?>

    /// - Parameter answer: nil: never answers until `answers` is called.
    init(_ target: String, _ answer: DeliveryResult? = .accepted(evidence: "200")) {
        self.target = target
        self.answer = Watched(answer)
    }

    func answers(_ result: DeliveryResult?) { answer.change { $0 = result } }

    func send(_ notice: Notice, attempt: Int) async -> DeliveryResult {
        sent.change { $0.append(Sent(notice: notice, attempt: attempt)) }
        _ = await answer.wait { $0 != nil }
        return answer.value ?? .retry(reason: "never answered", afterMilliseconds: nil)
    }

    var kinds: [Notice.Kind] { sent.value.map(\.notice.kind) }
}

/// Makes commits fail, or hang, while a test wants it.
final class FaultSwitch: Sendable {
    private struct State {
        var isFailing = false
        var failFrom: Int?
        var gate: DispatchSemaphore?
    }
    private let state = Mutex(State())
    /// Transactions that have come as far as their commit.
    let entered = Watched(0)
    /// Those that are on the disk.
    let commits = Watched(0)

    func fail(_ isFailing: Bool) { state.withLock { $0.isFailing = isFailing } }

    /// The transaction with this number, counted from 1, and those after it fail; nil ends that.
    func fail(from number: Int?) { state.withLock { $0.failFrom = number } }

    /// Every commit waits until `release`.
    func hold() { state.withLock { $0.gate = DispatchSemaphore(value: 0) } }

    func release() {
        state.withLock { state in
            state.gate?.signal()
            state.gate = nil
        }
    }

    var willCommit: @Sendable () throws -> Void {
        { [self] in
            entered.change { $0 += 1 }
            let gate = state.withLock(\.gate)
            gate?.wait()
            gate?.signal()
            let number = entered.value
            if state.withLock({ $0.isFailing || number >= $0.failFrom ?? .max }) {
                throw StoreError(.inputOutput, "injected")
            }
        }
    }
}

/// One gateway without terminals and network, on files of its own.
final class Site {
    let path: String
    let clock = ManualClock()
    let plane = FakePlane()
    let fault = FaultSwitch()
    let trackFault = FaultSwitch()
    let messageFault = FaultSwitch()
    /// Holds the reading of cards.
    let cardFault = FaultSwitch()
    let directory = TerminalDirectory()
    let hub: FakeChannel
    let dispatch: FakeChannel
    private(set) var pipeline: AlarmPipeline
    private let nextRequest = Mutex<UInt32>(0)

    static let terminal = TerminalID(nibbles: 0x1770_0000_101)
    static let actor = Operator(id: "li", unixUser: "root")

    static var rules: IncidentRules {
        IncidentRules(
            policies: [
                Policy(
                    service: .emergency, steps: [PolicyStep(afterMilliseconds: 0, targets: ["dispatch", "hub"])],
                    repeatMilliseconds: 60_000)
            ],
            targets: [
                TargetFacts(name: "dispatch", isEmergencyService: true),
                TargetFacts(name: "hub", isEmergencyService: false),
            ], isCommissioned: true)
    }

    init(
        path: String? = nil, hub: FakeChannel = FakeChannel("hub"), dispatch: FakeChannel = FakeChannel("dispatch"),
        configure: (inout PipelineConfiguration) -> Void = { _ in }
    ) throws {
        self.path = path ?? FileManager.default.temporaryDirectory.path + "/pipeline-\(UUID().uuidString)"
        self.hub = hub
        self.dispatch = dispatch
        let now = clock.now().wall
        let readCard = cardFault.willCommit
        let store = try IncidentStore(
            directory: self.path, now: now,
            options: .init(
                willCommit: fault.willCommit, willCommitMessages: messageFault.willCommit,
                didCommit: { [fault] _ in fault.commits.change { $0 += 1 } },
                willReadCard: { try? readCard() }))
        let tracks = try TrackStore(directory: self.path, now: now, willCommit: trackFault.willCommit)
        if path == nil {
            var person = Person(id: "p1", name: "Sample")
            person.consentsToAutomatic120 = true
            try store.write([
                .person(person),
                .assignment(TerminalAssignment(terminal: Self.terminal, person: "p1"), at: now),
            ])
        }
        var configuration = PipelineConfiguration(rules: Self.rules, bootID: "boot")
        configuration.jitter = { 1 }
        configure(&configuration)
        pipeline = try AlarmPipeline(
            configuration: configuration, store: store, tracks: tracks, directory: directory, plane: plane,
            channels: [hub, dispatch], clock: clock,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        pipeline.start()
    }

    /// Stops, and forgets the files unless they go on to be used.
    func stop(keepFiles: Bool = false) async throws {
        await pipeline.stop()
        try pipeline.store.close()
        try pipeline.tracks.close()
        if !keepFiles { try FileManager.default.removeItem(atPath: path) }
    }

    func advance(_ milliseconds: Int64) {
        clock.advance(milliseconds)
        pipeline.clockChanged()
    }

    /// Hands a report in and returns its request number.
    @discardableResult
    func report(
        _ alarms: AlarmSet = [], sequence: Int = 1, terminal: TerminalID = Site.terminal, latitude: Double? = 28.2,
        keys: [Int] = [], kind: EventKind = .report
    ) -> UInt32 {
        let ticket = ticket()
        pipeline.ingest([.report(inbound(alarms, sequence, terminal, latitude, keys, kind), ticket)])
        return ticket.request
    }

    func ticket() -> ReplyTicket {
        let request = nextRequest.withLock { number in
            number += 1
            return number
        }
        return ReplyTicket(loop: 0, connection: 1, request: request)
    }

    func inbound(
        _ alarms: AlarmSet, _ sequence: Int, _ terminal: TerminalID, _ latitude: Double?, _ keys: [Int],
        _ kind: EventKind
    ) -> InboundReport {
        let now = clock.now().wall
        var event = TerminalEvent(
            protocolName: .jt808, terminal: terminal, message: .number(0x0200), sequence: sequence, received: now,
            kind: kind)
        event.deviceTime = now.adding(milliseconds: -1000)
        event.alarms = alarms
        event.keys = keys
        if let latitude {
            event.position = Position(
                valid: true, latitudeDegrees: latitude, longitudeDegrees: 112.9, accuracyMetres: 5)
        }
        return InboundReport(
            event: event, trust: .verified, bearer: .tcp, peer: "127.0.0.1:5",
            frame: [0x7E, UInt8(sequence & 255), 0x7E])
    }

    /// Waits for the answer to a request.
    func answer(to request: UInt32) async -> IngestResult.Outcome? {
        _ = await plane.results.wait { $0.contains { $0.ticket.request == request } }
        return plane.outcome(of: request)
    }

    func incidents() throws -> [Incident] { try pipeline.store.incidents(IncidentFilter()) }
}

extension AlarmSet {
    static let sos: AlarmSet = [AlarmSet(AlarmKind.sos)]
}
