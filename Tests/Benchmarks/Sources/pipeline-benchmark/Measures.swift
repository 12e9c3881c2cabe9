import AlarmPipeline
import CDecodeReference
import Foundation
import Geofencing
import IncidentCore
import IncidentStore
import TerminalModel

/// CPU and allocations of each thread for one plain position, in batches as reactor threads hand them over.
struct Positions {
    let terminals: Int
    static let batch = 64
    static let count = 1_000_000

    func run() async throws {
        let path = temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let now = wallClock()
        do {
            let store = try IncidentStore(directory: path, now: now)
            try District(terminals: terminals, fences: 0, incidents: 0).write(to: store)
            try store.close()
        }
        let site = try Site(directory: path, now: now)
        for index in 0..<terminals {
            site.pipeline.ingest([
                .online(
                    District.terminal(index), .tcp, peer: "127.0.0.1:5", protocolName: .jt808,
                    at: Moment(wall: now, monotonicMilliseconds: 0))
            ])
        }
        var sent = feed(site, 200_000, from: 0)
        let before = threadTimes()
        let allocations = reference_allocations()
        let start = nanoseconds()
        sent = feed(site, Self.count, from: sent)
        let elapsed = nanoseconds() - start
        let allocated = Double(reference_allocations() - allocations) / Double(Self.count)
        print("\(terminals) terminals, batches of \(Self.batch), \(site.plane.failures) refused")
        print("TerminalEvent \(MemoryLayout<TerminalEvent>.stride) B, IngestItem \(MemoryLayout<IngestItem>.stride) B")
        print("wall: \(shown(Double(elapsed) / Double(Self.count))) ns/position, allocations: \(shown(allocated))")
        for (name, time) in threadTimes().sorted(by: { $0.value > $1.value }) {
            let spent = time - (before[name] ?? 0)
            if spent > 1_000_000 { print("\(name): \(shown(Double(spent) / Double(Self.count))) ns/position") }
        }
        try await site.stop()
    }

    /// Hands positions over and waits now and then, so that nothing is refused.
    private func feed(_ site: Site, _ count: Int, from first: Int) -> Int {
        var items: [IngestItem] = []
        items.reserveCapacity(Self.batch)
        let end = first + count
        for index in first..<end {
            let terminal = index * 7919 % terminals
            items.append(
                report(
                    position(
                        of: District.terminal(terminal), at: District.place(terminal), index, received: wallClock()),
                    request: UInt32(index + 1)))
            guard items.count == Self.batch || index == end - 1 else { continue }
            site.pipeline.ingest(items)
            items.removeAll(keepingCapacity: true)
            if index % 20_000 < Self.batch { site.plane.wait(for: index - 20_000) }
        }
        site.plane.wait(for: end)
        return end
    }
}

/// Resident memory of the pipeline per terminal.
struct Memory {
    let terminals: Int

    func run() async throws {
        let path = temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let now = wallClock()
        do {
            let store = try IncidentStore(directory: path, now: now)
            try District(terminals: terminals, fences: 0, incidents: 0).write(to: store)
            try store.close()
        }
        reference_trim()
        let empty = residentBytes()
        let site = try Site(directory: path, now: now)
        reference_trim()
        let known = residentBytes()
        for index in 0..<terminals {
            let item = IngestItem.online(
                District.terminal(index), .udp, peer: .ipv4(0x0A00_0000 + UInt32(index), port: 40_000),
                protocolName: .jt808, at: Moment(wall: now, monotonicMilliseconds: 0))
            while site.pipeline.ingest([item]) == 0 { usleep(1000) }
        }
        _ = try await site.pipeline.sessions(of: [District.terminal(0)])
        reference_trim()
        let connected = residentBytes()
        for index in 0..<terminals {
            let event = position(of: District.terminal(index), at: District.place(index), index, received: now)
            while site.pipeline.ingest([report(event, request: UInt32(index + 1))]) == 0 { usleep(1000) }
        }
        site.plane.wait(for: terminals)
        reference_trim()
        let heard = residentBytes()
        func perTerminal(_ bytes: Int) -> String { shown(Double(bytes) / Double(terminals)) }
        print("\(terminals) terminals, resident bytes of each in the pipeline and its stores")
        print("known and absent:    \(perTerminal(known - empty))")
        print("connected:           \(perTerminal(connected - empty))")
        print("with a last position: \(perTerminal(heard - empty))")
        try await site.stop()
    }
}

/// One position against fences.
struct Fences {
    let count: Int

    func run() throws {
        let district = District(terminals: count, fences: count, incidents: 0)
        let plans = try (0..<count).map { FencePlan(try district.fence($0)) }
        let bytes = plans.map(\.bytes)
        var start = nanoseconds()
        let read = zip(plans, bytes).compactMap { FencePlan(id: $0.id, bytes: $1) }
        print("read: \(shown(Double(nanoseconds() - start) / Double(count))) ns/fence, \(read.count) read")
        start = nanoseconds()
        var engine = FenceEngine(read)
        print("prepare: \(shown(Double(nanoseconds() - start) / Double(count))) ns/fence")
        let now = Moment(wall: District.moment, monotonicMilliseconds: 0)
        for (name, withPerson) in [("district's", false), ("person's own and district's", true)] {
            for round in 0..<3 {
                var crossings = 0
                let positions = 500_000
                start = nanoseconds()
                for step in 0..<positions {
                    let index = step * 7919 % count
                    let place = District.place(index)
                    crossings +=
                        engine.evaluate(
                            terminal: District.terminal(1), number: UInt32(index),
                            position: Position(
                                valid: true, latitudeDegrees: place.latitudeDegrees,
                                longitudeDegrees: place.longitudeDegrees),
                            person: withPerson ? "p\(String(1_000_000 + index).dropFirst())" : nil, groups: [], now: now
                        ).count
                }
                let spent = Double(nanoseconds() - start) / Double(positions)
                _ = engine.takeChangedStates()
                if round > 0 {
                    print("\(name) fences of \(count): \(shown(spent)) ns/position, \(crossings) crossings")
                }
            }
        }
    }
}

/// From opening the store to the first frames that are decided and on the disk: one inside a forbidden fence, and an SOS
/// with its card.
struct Start {
    let directory: String

    func run() async throws {
        let start = nanoseconds()
        func passed() -> String { "\(shown(Double(nanoseconds() - start) / 1e6)) ms" }
        let known = TerminalDirectory()
        let site = try Site(directory: directory, now: wallClock(), directoryOfTerminals: known)
        print("restored: \(passed()), \(known.count) terminals, \(residentBytes() >> 20) MiB")
        // The first fence is the district's; terminal 1 has a fence of its own and leaves it.
        let leaving = District.terminal(1)
        let away = Coordinate(latitudeDegrees: 29, longitudeDegrees: 113.5)
        site.pipeline.ingest([report(position(of: leaving, at: away, 1, received: wallClock()), request: 1)])
        let entering = District.terminal(5)
        site.pipeline.ingest([
            report(position(of: entering, at: District.place(0), 1, received: wallClock()), request: 2)
        ])
        var event = position(of: District.terminal(9), at: District.place(9), 1, received: wallClock())
        event.alarms = AlarmSet(.sos)
        site.pipeline.ingest([report(event, request: 3)])
        site.plane.wait(for: 3)
        print("first frames acknowledged: \(passed()), \(site.plane.failures) refused, \(site.plane.alarms) alarm")
        var filter = IncidentFilter()
        filter.from = District.moment.adding(milliseconds: 1)
        let newest = try site.pipeline.store.incidents(filter)
        print(
            newest.map { "\($0.service.rawValue) of \($0.terminal), \($0.person ?? "nobody"): \($0.causes)" }
                .sorted().joined(separator: "\n"))
        print("open incidents: \(site.pipeline.health.openIncidents)")
        try await site.stop()
    }
}
