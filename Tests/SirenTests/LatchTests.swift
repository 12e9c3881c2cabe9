import Foundation
import SirenLatch
import TerminalModel
import Testing

/// The files through which gateway and siren speak.
struct LatchTests {
    private let fresh: FreshDirectory
    private let boot = BootTime(bootID: "boot-a", milliseconds: 1_000_000)
    private let at = Timestamp(milliseconds: 1_773_454_212_031)

    init() throws { fresh = try FreshDirectory() }

    private var directory: LatchDirectory { fresh.latch }

    private func latch() throws -> Latch {
        guard case .set(let latch) = directory.latch() else {
            throw LatchError(action: "find", path: directory.path, errno: ENOENT)
        }
        return latch
    }

    private func overwrite(_ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: directory.path + "/latch"))
    }

    @Test func nothingStandsThereUntilTheGatewaySetsIt() throws {
        #expect(directory.latch() == .clear)
        try directory.set(incidents: ["A1"], isNewPress: true, at: at, now: boot)
        #expect(try latch() == Latch(generation: 1, at: at, since: boot, incidents: ["A1"]))
        try directory.clear()
        #expect(directory.latch() == .clear)
        try directory.clear()
    }

    @Test func aLatchKeepsItsStartAndCountsPresses() throws {
        try directory.set(incidents: ["A1"], isNewPress: true, at: at, now: boot)
        let later = boot.adding(milliseconds: 5_000)
        try directory.set(
            incidents: ["A1", "B2"], isNewPress: true, at: at.adding(milliseconds: 5_000), now: later)
        #expect(try latch() == Latch(generation: 2, at: at, since: boot, incidents: ["A1", "B2"]))
        try directory.set(incidents: ["B2"], isNewPress: false, at: at, now: later)
        #expect(try latch().generation == 2)
    }

    @Test(arguments: ["", "generation\n", "generation x\n", "at 2026-03-14T02:10:12.031Z\n", "\u{0}\u{0}\u{0}"])
    func aDamagedLatchSounds(content: String) throws {
        try overwrite(content)
        guard case .damaged = directory.latch() else {
            Issue.record("found \(directory.latch())")
            return
        }
    }

    @Test func aLatchMayBeWrittenByHand() throws {
        try overwrite("generation 9\nsomething else\n")
        #expect(try latch().generation == 9)
    }

    @Test func numbersThatAHandWroteEndNeitherGatewayNorSiren() throws {
        let farthest = BootTime(bootID: "boot-a", milliseconds: .min)
        try directory.set(incidents: ["A1"], isNewPress: true, at: at, now: boot)
        try overwrite("generation 18446744073709551615\nboot boot-a\nsince -9223372036854775808\n")
        try directory.set(incidents: ["A1"], isNewPress: true, at: at, now: boot)
        #expect(try latch().generation == 0)
        #expect(try latch().since == farthest)
        #expect(boot.milliseconds(since: farthest) == nil)
    }

    @Test func aLatchThatCannotBeReadSounds() throws {
        try FileManager.default.createDirectory(atPath: directory.path + "/latch", withIntermediateDirectories: false)
        guard case .damaged = directory.latch() else {
            Issue.record("found \(directory.latch())")
            return
        }
    }

    @Test func aRestIsBoundedAndCannotBeProlonged() throws {
        #expect(try directory.silence(for: 60_000, by: "li.na", now: boot) == .notSounding)
        try directory.set(incidents: [], isNewPress: true, at: at, now: boot)
        guard case .given(let silence) = try directory.silence(for: 600_000, by: "li.na", now: boot) else {
            Issue.record("refused")
            return
        }
        #expect(silence.until.milliseconds == boot.milliseconds + 120_000)
        let latch = try latch()
        #expect(silence.covers(latch, at: boot.adding(milliseconds: 119_999)))
        #expect(!silence.covers(latch, at: boot.adding(milliseconds: 120_000)))
        #expect(
            try directory.silence(for: 1_000, by: "li.na", now: boot.adding(milliseconds: 125_000))
                == .tooSoon(milliseconds: 5_000))
        guard case .given = try directory.silence(for: 1_000, by: "li.na", now: boot.adding(milliseconds: 130_000))
        else {
            Issue.record("refused")
            return
        }
    }

    @Test func aNewPressOrANewBootEndsARest() throws {
        try directory.set(incidents: [], isNewPress: true, at: at, now: boot)
        _ = try directory.silence(for: 60_000, by: "li.na", now: boot)
        let silence = try #require(directory.silence())
        #expect(silence.covers(try latch(), at: boot))
        #expect(!silence.covers(try latch(), at: BootTime(bootID: "boot-b", milliseconds: 1_000_000)))
        try directory.set(incidents: [], isNewPress: true, at: at, now: boot)
        #expect(!silence.covers(try latch(), at: boot))
    }

    @Test func aRestOfAnEarlierLatchDoesNotFitTheNext() throws {
        try directory.set(incidents: [], isNewPress: true, at: at, now: boot)
        _ = try directory.silence(for: 120_000, by: "li.na", now: boot)
        try directory.clear()
        try directory.set(incidents: [], isNewPress: true, at: at, now: boot)
        #expect(!(try #require(directory.silence())).covers(try latch(), at: boot))
    }

    @Test func aRestThatClaimsToLastForEverIsNone() throws {
        try directory.set(incidents: [], isNewPress: true, at: at, now: boot)
        try Data("generation 1\nboot boot-a\nuntil 9000000000\nby x\n".utf8)
            .write(to: URL(filePath: directory.path + "/silence"))
        #expect(!(try #require(directory.silence())).covers(try latch(), at: boot))
    }

    @Test func anAcknowledgementAtTheSirenIsWrittenDownForTheGateway() throws {
        #expect(try directory.acknowledge(by: "li.na", unixUser: "root", reason: "x", at: at).isEmpty)
        #expect(directory.acknowledgements().isEmpty)
        try directory.set(incidents: ["A1", "B2"], isNewPress: true, at: at, now: boot)
        #expect(
            try directory.acknowledge(by: "li.na", unixUser: "root", reason: "on\tmy way\n", at: at) == ["A1", "B2"])
        #expect(directory.latch() == .clear)
        let written = directory.acknowledgements()
        #expect(
            written == [
                LatchAcknowledgement(
                    at: at, by: "li.na", unixUser: "root", reason: "on my way ", incidents: ["A1", "B2"])
            ])
        try directory.forget(written)
        #expect(directory.acknowledgements().isEmpty)
    }

    @Test func aLockThatStaysHeldDoesNotMuteTheSiren() throws {
        let descriptor = open(directory.path + "/lock", O_RDWR | O_CREAT, 0o660)
        defer { close(descriptor) }
        #expect(flock(descriptor, LOCK_EX) == 0)
        try directory.set(incidents: ["A1"], isNewPress: true, at: at, now: boot)
        #expect(try latch().incidents == ["A1"])
    }

    @Test func aSelfTestIsTold() throws {
        #expect(directory.selfTest() == nil)
        let test = SelfTest(at: at, outputs: ["alsa default"], failures: ["cannot be opened:\nno device"])
        try directory.write(test)
        #expect(
            directory.selfTest()
                == SelfTest(at: at, outputs: ["alsa default"], failures: ["cannot be opened: no device"]))
    }

    @Test func whatCannotBeWrittenSaysSo() throws {
        let nowhere = LatchDirectory(path: "/nonexistent/siren")
        #expect(throws: LatchError(action: "open", path: "/nonexistent/siren/lock", errno: ENOENT)) {
            try nowhere.set(incidents: [], isNewPress: true, at: at, now: boot)
        }
    }
}
