import Foundation
import IncidentStore
import TerminalModel
import Testing

@Suite struct TrackStoreTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }
    static let other = TerminalID(nibbles: 0xFFFF_FFFF_FFFF_FFFF_FFFF)

    private func open(_ fault: FaultSwitch? = nil) throws -> TrackStore {
        try TrackStore(directory: directory.path, now: Sample.noon, willCommit: fault?.willCommit)
    }

    private func seconds(_ points: [TrackPoint]) -> [Int64] {
        points.map { ($0.received.milliseconds - Sample.noon.milliseconds) / 1000 }
    }

    private func track(_ store: TrackStore, _ terminal: TerminalID = Sample.terminal) throws -> [Int64] {
        seconds(try store.track(of: terminal, from: Sample.later(-200_000), to: Sample.later(200_000)))
    }

    @Test func pointsReadBackNewestFirst() throws {
        let store = try open()
        #expect(try store.synchronousLevels() == [2])
        try store.write([Sample.point(1), Sample.point(1, terminal: Self.other), Sample.point(2)])
        try store.write([Sample.point(3)])
        let points = try store.track(of: Sample.terminal, from: Sample.noon, to: Sample.later(9))
        #expect(points == [Sample.point(3), Sample.point(2), Sample.point(1)])
        #expect(try track(store, Self.other) == [1])
        let middle = try store.track(of: Sample.terminal, from: Sample.later(2), to: Sample.later(2))
        #expect(seconds(middle) == [2])
        #expect(seconds(try store.track(of: Sample.terminal, from: Sample.noon, to: Sample.later(9), limit: 1)) == [3])
    }

    @Test func aPositionWithoutCoordinatesIsKept() throws {
        let store = try open()
        var point = Sample.point(1)
        point.position = Position(valid: false)
        point.deviceTime = nil
        point.batteryPercent = nil
        try store.write([point])
        #expect(try store.track(of: Sample.terminal, from: Sample.noon, to: Sample.later(9)) == [point])
    }

    @Test func midnightOpensAnotherFileAndTracksSpanBoth() throws {
        let store = try open()
        try store.write([Sample.point(1), Sample.point(86_401)])
        try store.write([Sample.point(2), Sample.point(86_402)])
        #expect(try store.days().map(\.description) == ["20260314", "20260315"])
        #expect(try track(store) == [86_402, 86_401, 2, 1])
        try store.write([Sample.point(2 * 86_400 + 1)])
        #expect(try track(store) == [2 * 86_400 + 1, 86_402, 86_401, 2, 1])
    }

    @Test(arguments: [true, false]) func aRestartGoesOnWithTheChain(closedProperly: Bool) throws {
        var store: TrackStore? = try open()
        try store?.write([Sample.point(1), Sample.point(2)])
        if closedProperly { try store?.close() }
        store = nil
        let next = try open()
        try next.write([Sample.point(3)])
        #expect(try track(next) == [3, 2, 1])
    }

    @Test func aFailedCommitLeavesNothingAndTheChainWhole() throws {
        let fault = FaultSwitch()
        let store = try open(fault)
        try store.write([Sample.point(1)])
        fault.isOn = true
        #expect { try store.write([Sample.point(2)]) } throws: { ($0 as? StoreError)?.code == .inputOutput }
        fault.isOn = false
        try store.write([Sample.point(2), Sample.point(3)])
        #expect(try track(store) == [3, 2, 1])
    }

    @Test func retentionRemovesWholeFiles() throws {
        let store = try open()
        try store.write([Sample.point(1)])
        try store.write([Sample.point(86_401)])
        #expect(try store.removeDays(before: TrackDay(Sample.later(86_401))).map(\.description) == ["20260314"])
        #expect(directory.names.filter { $0.contains("20260314") }.isEmpty)
        #expect(try track(store) == [86_401])
    }

    @Test func erasingTakesOneHoldersStretchOnly() throws {
        let store = try open()
        try store.write((1...6).map { Sample.point($0) } + [Sample.point(3, terminal: Self.other)])
        try store.erase([Holding(terminal: Sample.terminal, since: Sample.later(3), until: Sample.later(4))])
        #expect(try track(store) == [6, 5, 2, 1])
        #expect(try track(store, Self.other) == [3])
    }

    @Test func aDamagedDayIsSetAside() throws {
        try directory.write(Array(repeating: 0x5A, count: 8192), to: "tracks-20260314.sqlite")
        let store = try open()
        #expect(store.setAside.count == 1)
        try store.write([Sample.point(1)])
        #expect(try track(store) == [1])
    }

    @Test func aBackupHasAllDays() throws {
        let store = try open()
        try store.write([Sample.point(1)])
        try store.write([Sample.point(86_401)])
        try store.backUp(to: directory.path + "/copy")
        let copy = try TrackStore(directory: directory.path + "/copy", now: Sample.noon)
        #expect(try track(copy) == [86_401, 1])
    }

    @Test func daysReadTheirOwnNames() {
        #expect(TrackDay("20260314")?.description == "20260314")
        #expect(TrackDay("20260332") == nil && TrackDay("2026031") == nil && TrackDay("2026-3-1") == nil)
        #expect(TrackDay(Timestamp(milliseconds: -1)).description == "19691231")
    }
}
