import Foundation
import Geofencing
import IncidentCore
import IncidentStore
import TerminalModel
import Testing

@testable import AlarmPipeline

/// What is erased is in no file any more, whatever a query would say.
@Suite struct EraseTests {
    /// One person with unmistakable words and numbers, and everything that a gateway can come to know of them.
    private struct Traces {
        let person: Person
        let terminal: TerminalID
        let latitude: Double
        let picture: [UInt8]
        let fence: String

        init(_ id: String, name: String, digits: String, terminal: TerminalID, latitude: Double, seed: UInt32) {
            var person = Person(id: id, name: name)
            person.phone = "139" + digits
            person.address = name + "的家"
            person.contacts = [Contact(name: name + "的女儿", phone: "138" + digits, isGuardian: true)]
            self.person = person
            self.terminal = terminal
            self.latitude = latitude
            var state = seed
            picture = (0..<4000).map { _ in
                state = state &* 1_664_525 &+ 1_013_904_223
                return UInt8(truncatingIfNeeded: state >> 24)
            }
            fence = "home-" + id
        }

        /// What must not be found: text, decimal coordinates, and the four bytes of the coordinate in a track's row.
        var needles: [String: Data] {
            let scaled = UInt32((latitude * 1e7).rounded()).bigEndian
            return [
                "name": Data(person.name.utf8), "phone": Data(person.phone.utf8),
                "contact's phone": Data(person.contacts[0].phone.utf8), "latitude": Data("\(latitude)".utf8),
                "latitude in a track": withUnsafeBytes(of: scaled) { Data($0) },
                "picture": Data(picture.prefix(64)),
            ]
        }
    }

    private static let erased = Traces(
        "p7", name: "王桂英赵", digits: "00077319", terminal: TerminalID(nibbles: 0x1770_0000_777), latitude: 28.1934567,
        seed: 11)
    private static let other = Traces(
        "p8", name: "刘长松钱", digits: "00088427", terminal: TerminalID(nibbles: 0x1770_0000_888), latitude: 28.3198765,
        seed: 99)

    private func live(_ traces: Traces, on site: Site) async throws {
        let pipeline = site.pipeline
        let fence = try Fence(
            id: traces.fence, name: traces.person.address,
            shape: .circle(
                centre: Coordinate(latitudeDegrees: traces.latitude, longitudeDegrees: 112.9), radiusMetres: 300),
            rule: .both, scope: .persons([traces.person.id]))
        try await pipeline.importRecords(
            people: [traces.person], assignments: [], fences: [fence], by: Site.actor)
        try await pipeline.assign(
            TerminalAssignment(terminal: traces.terminal, person: traces.person.id), by: Site.actor)
        site.advance(1000)
        let sos = site.report(.sos, sequence: 1, terminal: traces.terminal, latitude: traces.latitude)
        #expect(await site.answer(to: sos) == .stored)
        let position = site.report(sequence: 2, terminal: traces.terminal, latitude: traces.latitude)
        #expect(await site.answer(to: position) == .stored)
        var word = site.inbound([], 3, traces.terminal, traces.latitude, [], .text)
        word.event.text = "我是" + traces.person.name
        word.media = InboundMedia(id: 7, type: 0, format: 0, eventCode: 2, data: traces.picture)
        let ticket = site.ticket()
        pipeline.ingest([.report(word, ticket)])
        #expect(await site.answer(to: ticket.request) == .stored)
        _ = try await pipeline.submit(
            .message(text: traces.person.name + "请吃药", urgent: false), to: traces.terminal, by: Site.actor,
            lifetimeSeconds: 60)
        let id = try #require(try site.incidents().first { $0.terminal == traces.terminal }?.id)
        _ = try await pipeline.operate(.note(text: "called " + traces.person.phone), on: id, by: Site.actor)
        _ = try await pipeline.operate(.acknowledge(reason: "on the way"), on: id, by: Site.actor)
        _ = try await pipeline.operate(
            .close(disposition: "helped", reason: traces.person.name + " is well"), on: id, by: Site.actor)
        // The terminals' last words are written.
        let before = site.messageFault.entered.value
        site.advance(3000)
        #expect(await site.messageFault.entered.wait { $0 > before })
    }

    /// The needles that some file holds, each with the name of the file.
    private func found(_ traces: Traces, in path: String) throws -> [String: String] {
        var found: [String: String] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)"))
            for (what, needle) in traces.needles where bytes.range(of: needle) != nil { found[what] = name }
        }
        return found
    }

    @Test func nothingOfAnErasedPersonIsInTheFiles() async throws {
        let site = try Site()
        try await live(Self.erased, on: site)
        try await live(Self.other, on: site)
        // All of it can be found before, so that the search is worth something.
        #expect(try Set(found(Self.erased, in: site.path).keys) == Set(Self.erased.needles.keys))

        try await site.pipeline.erase(person: Self.erased.person.id, by: Site.actor)
        var left = try found(Self.erased, in: site.path)
        #expect(left.isEmpty, "while the gateway runs: \(left)")
        #expect(try Set(found(Self.other, in: site.path).keys) == Set(Self.other.needles.keys))
        try await site.stop(keepFiles: true)
        left = try found(Self.erased, in: site.path)
        #expect(left.isEmpty, "after it has stopped: \(left)")
        #expect(try Set(found(Self.other, in: site.path).keys) == Set(Self.other.needles.keys))
        try FileManager.default.removeItem(atPath: site.path)
    }

    /// A fence for several people stays for the others.
    @Test func aSharedFenceStaysForTheOthers() async throws {
        let site = try Site()
        let fence = try Fence(
            id: "park",
            shape: .circle(centre: Coordinate(latitudeDegrees: 28, longitudeDegrees: 112), radiusMetres: 300),
            rule: .both, scope: .persons(["p7", "p8"]))
        try await site.pipeline.importRecords(
            people: [Self.erased.person, Self.other.person], assignments: [], fences: [fence], by: Site.actor)
        try await site.pipeline.erase(person: "p7", by: Site.actor)
        let stored = try #require(try site.pipeline.store.fences().first)
        #expect(try JSONDecoder().decode(Fence.self, from: Data(stored.utf8)).scope == .persons(["p8"]))
        try await site.pipeline.erase(person: "p8", by: Site.actor)
        #expect(try site.pipeline.store.fences().isEmpty)
        try await site.stop()
    }
}
