import IncidentCore
import IncidentStore
import TerminalModel
import Testing

@testable import AlarmPipeline

/// The room of one target when strangers call without end (promises P2 and P6).
@Suite struct TargetQueueTests {
    private let limits: TargetQueue.Limits = {
        var limits = TargetQueue.Limits()
        limits.inFlight = 4
        limits.ordinaryInFlight = 2
        limits.queued = 10
        return limits
    }()

    private func notice(
        _ incident: Int, _ number: Int, _ kind: Notice.Kind = .escalated, isStranger: Bool = true
    ) -> PendingDelivery {
        var of = Incident(
            id: IncidentID(rawValue: UInt64(incident)), service: .emergency,
            terminal: TerminalID(nibbles: UInt128(incident)), person: isStranger ? nil : "p1",
            trust: isStranger ? .unknown : .byID, causes: ["sos"], openedAt: Timestamp(seconds: 1))
        of.lastEventNumber = number
        let notice = Notice(kind: kind, at: Timestamp(seconds: 1), incident: of, person: nil)
        return PendingDelivery(notice: notice, target: "hub", attempts: 0, nextAttemptAt: notice.at)
    }

    private func queue() -> TargetQueue {
        var queue = TargetQueue()
        queue.channel = FakeChannel("hub")
        return queue
    }

    private func start(_ queue: inout TargetQueue) -> TargetQueue.Item? {
        guard let item = queue.next(now: 0, limits: limits) else { return nil }
        let moment = Moment(wall: Timestamp(seconds: 1), monotonicMilliseconds: 0)
        queue.started(item.notice.identifier, .init(token: 1, task: Task {}, startedAt: moment))
        return item
    }

    @Test func roundsOfOneIncidentDoNotPileUp() {
        var queue = queue()
        #expect(queue.add(notice(1, 1, .opened), due: 0, limits: limits) == [])
        for round in 2...100 { #expect(queue.add(notice(1, round), due: 0, limits: limits) != nil) }
        #expect(queue.queuedCount == 2)
        #expect(start(&queue)?.notice.kind == .opened)
        #expect(start(&queue)?.notice.incident.lastEventNumber == 100)
    }

    @Test func strangersLeaveRoomForThoseWhoAreKnown() {
        var queue = queue()
        for incident in 1...100 { _ = queue.add(notice(incident, 1, .opened), due: 0, limits: limits) }
        #expect(queue.queuedCount == 15)
        #expect(queue.overflowed == 85)
        #expect(queue.add(notice(1000, 1, .opened, isStranger: false), due: 0, limits: limits) == [])
        // And the first place.
        #expect(start(&queue)?.notice.incident.id.rawValue == 1000)
    }

    @Test func strangersNeverHoldAllPlaces() {
        var queue = queue()
        for incident in 1...10 { _ = queue.add(notice(incident, 1, .opened), due: 0, limits: limits) }
        for _ in 1...3 { #expect(start(&queue) != nil) }
        #expect(start(&queue) == nil)
        _ = queue.add(notice(1000, 1, .opened, isStranger: false), due: 0, limits: limits)
        #expect(start(&queue)?.notice.incident.id.rawValue == 1000)
    }

    @Test func knownPeopleDoNotStarveStrangersEither() {
        var queue = queue()
        for incident in 1...10 {
            _ = queue.add(notice(incident, 1, .opened, isStranger: false), due: 0, limits: limits)
        }
        _ = queue.add(notice(1000, 1, .opened), due: 0, limits: limits)
        var order: [UInt64] = []
        while let item = start(&queue) {
            order.append(item.notice.incident.id.rawValue)
            _ = queue.ended(item.notice.identifier, token: 1)
            queue.remove(item.notice.identifier)
        }
        #expect(order.count == 11)
        #expect(order.firstIndex(of: 1000) == 7)
    }

    @Test func aTakeoverEndsOnlyWhatWasBeforeIt() {
        var queue = queue()
        _ = queue.add(notice(1, 1, .opened), due: 0, limits: limits)
        _ = queue.add(notice(1, 5), due: 0, limits: limits)
        queue.stopRaising(TakenOver(incident: IncidentID(rawValue: 1), through: 3))
        #expect(queue.items.keys.sorted() == ["inc_0000000000000001_5"])
    }
}
