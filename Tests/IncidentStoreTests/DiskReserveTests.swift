import Foundation
import IncidentStore
import Testing

@Suite struct DiskReserveTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func size(_ reserve: DiskReserve) -> Int64 {
        let attributes = try? FileManager.default.attributesOfItem(atPath: reserve.path)
        return attributes?[.size] as? Int64 ?? -1
    }

    @Test func itHoldsSpaceGivesItBackOnceAndTakesItAgain() throws {
        let bytes: Int64 = 1 << 20
        let reserve = DiskReserve(directory: directory.path, bytes: bytes, warningBytes: 0, now: Sample.noon)
        #expect(size(reserve) == bytes && reserve.space.reserve == bytes)
        #expect(reserve.space.level == .enough && !reserve.isForAlarmsOnly)
        #expect(reserve.release())
        #expect(size(reserve) == -1 && reserve.space.reserve == 0)
        #expect(!reserve.release())
        #expect(reserve.look(now: Sample.later(1)).reserve == bytes)
        #expect(size(reserve) == bytes)
    }

    @Test func theNextStartFindsWhatIsHeld() throws {
        let bytes: Int64 = 1 << 20
        _ = DiskReserve(directory: directory.path, bytes: bytes, warningBytes: 0, now: Sample.noon)
        let next = DiskReserve(directory: directory.path, bytes: bytes, warningBytes: 0, now: Sample.noon)
        #expect(next.space.reserve == bytes)
        #expect(next.release())
    }

    @Test func withoutAReserveNothingIsHeldAndNothingStops() throws {
        let reserve = DiskReserve(directory: directory.path, bytes: 0, warningBytes: 0, now: Sample.noon)
        #expect(size(reserve) == -1)
        #expect(!reserve.release() && reserve.space.level == .enough)
    }

    /// More than any disk has is cut to a part of it, so the disk is below the warning and not below the reserve.
    @Test func aDiskBelowTheWarningIsLow() throws {
        let reserve = DiskReserve(directory: directory.path, bytes: 0, warningBytes: .max, now: Sample.noon)
        let space = reserve.look(now: Sample.later(1))
        var facts = statvfs()
        #expect(statvfs(directory.path, &facts) == 0)
        let isLow = facts.f_bavail < facts.f_blocks / 8
        #expect(space.level == (isLow ? .low : .enough))
    }
}
