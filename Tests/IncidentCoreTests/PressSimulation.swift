import Foundation
import IncidentCore
import TerminalModel
import Testing

/// A terminal, a bad network, an operator and a gateway that is restarted, from one seed.
///
/// The gateway's store keeps what decisions hold and nothing else: a restart starts from that.
struct PressSimulation: ~Copyable {
    struct Frame {
        var sent: Int64
        var arrives: Int64
        var press: Int?
        var sequence: Int
        var stored = false
        var again = false
        var bearer = Bearer.tcp
    }

    var random: SplitMix
    var engine: IncidentEngine
    var store: [IncidentID: Incident] = [:]
    var frames: [Frame] = []
    /// Where each press was found to belong.
    var homes: [Int: Set<IncidentID>] = [:]
    /// The frames of each press and what became of them.
    var stories: [Int: [String]] = [:]
    var problems: [String] = []
    private var numbers: [IncidentID: Int] = [:]
    private var nextID: UInt64 = 1
    private var presses = 0
    private var lastRestart = Int64.min

    static let end: Int64 = 7_200_000

    init(seed: UInt64) {
        random = SplitMix(state: seed)
        engine = Self.engine([], at: 0, firstID: 1)
        plan()
    }

    static func engine(_ restored: [Incident], at time: Int64, firstID: UInt64) -> IncidentEngine {
        let ids = makeIDs()
        for _ in 1..<firstID { _ = ids() }
        return IncidentEngine(
            rules: .example, restored: restored, bootID: "boot-1", now: moment(time), makeID: ids)
    }

    static func moment(_ time: Int64) -> Moment {
        Moment(wall: start.adding(milliseconds: time), monotonicMilliseconds: 1000 + time)
    }

    /// Presses of 5 s to 4 min, at least 2 min apart, a report every 10 s and at each change. No two reports share a
    /// second of the terminal's clock: which of them is newer only their order of arrival would tell.
    private mutating func plan() {
        var sequence = 0
        var time: Int64 = 3000
        var sent: [Frame] = []
        while time < Self.end {
            let pressed = time + random.next(12...90) * 10_000 + 5000
            let released = pressed + random.next(0...23) * 10_000 + 5000
            var times = Array(stride(from: time, to: pressed, by: 10_000)).map { ($0, Int?.none) }
            times += stride(from: pressed, to: released, by: 10_000).map { ($0, presses) }
            for (at, press) in times {
                sequence += 1
                sent.append(Frame(sent: at, arrives: at, press: press, sequence: sequence))
            }
            presses += 1
            time = released
        }
        sent.append(Frame(sent: time, arrives: time, press: nil, sequence: sequence + 1))
        var lastPress: Int?
        for frame in sent {
            // The first report after a press comes through at once: without it nobody can tell two presses apart.
            let isFirstAfter = frame.press == nil && lastPress != nil
            lastPress = frame.press
            var arriving = frame
            if isFirstAfter {
                arriving.arrives += random.next(0...900)
            } else if random.next(0...99) < 15 {
                // No network: stored, and told up to an hour later.
                arriving.stored = true
                arriving.sequence += 40_000
                arriving.arrives += random.next(1000...3_600_000)
            } else {
                arriving.arrives += random.next(0...900)
            }
            frames.append(arriving)
            while random.next(0...99) < 20 {
                var copy = arriving
                let isLate = random.next(0...1) == 1
                copy.again = random.next(0...1) == 0
                copy.bearer = random.next(0...2) == 0 ? .serial : .tcp
                // Under a number of its own a live report is known by its time only, and so not for long (promise P8).
                let latest: Int64 = copy.bearer == .serial && !copy.stored ? 110_000 : 900_000
                copy.arrives += random.next(10...(isLate ? latest : 5000))
                if copy.bearer == .serial { copy.sequence += 20_000 }
                frames.append(copy)
            }
        }
        frames.sort { ($0.arrives, $0.sequence) < ($1.arrives, $1.sequence) }
    }

    mutating func run() {
        var last: Int64 = 0
        for frame in frames {
            climb(from: last, to: frame.arrives)
            last = frame.arrives
            if random.next(0...999) < 12 { restart(at: last) }
            if random.next(0...99) < 6 { operate(at: last) }
            deliver(frame)
            check(at: last)
        }
        for press in 0..<presses where homes[press] != nil && homes[press]?.count != 1 {
            problems.append(
                "press \(press) is in \(homes[press]?.count ?? 0) incidents: "
                    + (stories[press] ?? []).joined(separator: ", "))
        }
    }

    private mutating func deliver(_ frame: Frame) {
        let now = Self.moment(frame.arrives)
        var event = TerminalEvent(
            protocolName: .jt808, terminal: pendant, message: .number(0x0200), sequence: frame.sequence,
            received: now.wall, kind: .report, historical: frame.stored)
        event.deviceTime = Timestamp(milliseconds: (start.milliseconds + frame.sent) / 1000 * 1000)
        if frame.press != nil { event.alarms.insert(.sos) }
        let report = InboundReport(
            event: event, trust: .verified, bearer: frame.bearer, peer: "peer", frame: [1], retransmission: frame.again)
        let decision = engine.report(report, person: .wang, now: now)
        keep(decision)
        guard let press = frame.press else { return }
        // Frames of a held bit are not stored one by one: a late live copy of one from before a restart may be a press.
        if !frame.stored, frame.sent < lastRestart, frame.arrives - frame.sent > 120_000 { return }
        let touched = decision.changes.filter { change in
            change.entries.contains { [.opened, .attached, .raisedAgain].contains($0.kind) }
        }
        let isNew = homes[press] == nil
        if touched.count > 1 { problems.append("a frame of press \(press) touched \(touched.count) incidents") }
        for change in touched {
            homes[press, default: []].insert(change.incident.id)
            stories[press, default: []].append(
                "\(frame.sent) at \(frame.arrives)\(frame.stored ? " stored" : "")"
                    + " \(change.entries[0].kind.rawValue) \(change.incident.id.rawValue) \(change.incident.state)")
        }
        guard isNew, !frame.stored, !frame.again, frame.bearer == .tcp else { return }
        // The first news of a press that goes on: somebody must be waited for.
        guard let home = homes[press]?.first, let incident = engine.incident(home), incident.state.awaitsHuman else {
            problems.append("press \(press) at \(frame.sent) was muted")
            return
        }
    }

    private mutating func keep(_ decision: Decision) {
        for change in decision.changes {
            store[change.incident.id] = change.incident
            nextID = max(nextID, change.incident.id.rawValue + 1)
            for delivery in change.deliveries {
                let number = delivery.notice.incident.lastEventNumber
                let expected = numbers[change.incident.id, default: 0] + 1
                if number != expected { problems.append("fact \(number) instead of \(expected)") }
                numbers[change.incident.id] = number
            }
        }
    }

    private mutating func climb(from: Int64, to: Int64) {
        while let next = engine.nextDeadlineMonotonicMilliseconds, next - 1000 <= to {
            let decision = engine.advance(now: Self.moment(max(from, next - 1000))) { _ in .wang }
            if decision.isEmpty { problems.append("a deadline without anything to do") }
            keep(decision)
        }
    }

    private mutating func restart(at time: Int64) {
        lastRestart = time
        do {
            let data = try JSONEncoder().encode(store.values.sorted { $0.id < $1.id })
            let restored = try JSONDecoder().decode([Incident].self, from: data)
            engine = Self.engine(restored, at: time, firstID: nextID)
        } catch {
            problems.append("the store cannot be read: \(error)")
        }
    }

    private mutating func operate(at time: Int64) {
        guard let incident = engine.openIncidents.first else { return }
        let action: OperatorAction =
            random.next(0...2) == 0 || !incident.state.awaitsHuman
            ? .close(disposition: "helped", reason: "") : .acknowledge(reason: "")
        do {
            keep(
                try engine.operate(
                    action, on: incident.id, by: Operator(id: "op", unixUser: ""), people: { _ in .wang },
                    now: Self.moment(time)))
        } catch {
            problems.append("\(error)")
        }
    }

    private mutating func check(at time: Int64) {
        for incident in engine.openIncidents where incident.state.awaitsHuman {
            guard let ladder = incident.ladder, let next = engine.nextDeadlineMonotonicMilliseconds,
                next <= ladder.deadlineMonotonicMilliseconds
            else {
                problems.append("incident \(incident.id) waits without a deadline at \(time)")
                continue
            }
        }
    }
}

/// A small seeded generator, the same on every run.
struct SplitMix {
    var state: UInt64

    mutating func next(_ range: ClosedRange<Int64>) -> Int64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        z ^= z >> 31
        return range.lowerBound + Int64(z % UInt64(range.upperBound - range.lowerBound + 1))
    }
}

@Suite struct SimulationTests {
    @Test("Every press is in one incident, none is muted", arguments: UInt64(1)...12)
    func simulate(seed: UInt64) {
        var simulation = PressSimulation(seed: seed)
        simulation.run()
        let problems = simulation.problems
        let found = simulation.homes.count
        #expect(problems.isEmpty, "seed \(seed): \(problems.prefix(5).joined(separator: "; "))")
        #expect(found >= 5)
    }
}
