import Foundation
import SirenLatch
import SirenPlayer
import Synchronization
import TerminalModel
import Testing

/// What sounds when, and that one output never waits for another.
struct SirenPlayerTests {
    private let at = Timestamp(milliseconds: 1_773_454_212_031)

    @Test func yelpsForAMinuteThenWails() throws {
        let directoryOwner = try FreshDirectory()
        defer { withExtendedLifetime(directoryOwner) {} }
        let directory = directoryOwner.latch
        let control = SirenControl(directories: [directory])
        let now = BootTime(bootID: "a", milliseconds: 5_000_000)
        #expect(control.sound(at: now) == nil)
        try directory.set(incidents: [], isNewPress: true, at: at, now: now)
        #expect(control.sound(at: now) == .yelp)
        #expect(control.sound(at: now.adding(milliseconds: 59_999)) == .yelp)
        #expect(control.sound(at: now.adding(milliseconds: 60_000)) == .wail)
        #expect(control.sound(at: BootTime(bootID: "b", milliseconds: 1)) == .wail)
        _ = try directory.silence(for: 1_000, by: "x", now: now)
        #expect(control.sound(at: now) == nil)
        #expect(control.sound(at: now.adding(milliseconds: 1_001)) == .yelp)
    }

    @Test func eitherDirectoryIsEnough() throws {
        let durableOwner = try FreshDirectory()
        defer { withExtendedLifetime(durableOwner) {} }
        let durable = durableOwner.latch
        let volatileOwner = try FreshDirectory()
        defer { withExtendedLifetime(volatileOwner) {} }
        let volatile = volatileOwner.latch
        let control = SirenControl(directories: [durable, volatile, LatchDirectory(path: "/nonexistent")])
        let now = BootTime.now()
        try volatile.set(incidents: [], isNewPress: true, at: at, now: now)
        #expect(control.sound(at: now) == .yelp)
        try Data("broken".utf8).write(to: URL(filePath: durable.path + "/latch"))
        try volatile.clear()
        #expect(control.sound(at: now) == .yelp)
    }

    /// Notes what it was asked to play; may fail or hang.
    private final class Probe: SirenOutput {
        enum Manner { case works, fails, hangs }
        let name: String
        let manner: Manner
        let heard = Mutex<[SirenSound?]>([])

        init(_ name: String, _ manner: Manner) {
            self.name = name
            self.manner = manner
        }

        func step(_ sound: SirenSound?) throws(SirenOutputError) {
            heard.withLock { $0.append(sound) }
            switch manner {
            case .works: usleep(5_000)
            case .fails: if sound != nil { throw SirenOutputError("broken") } else { usleep(5_000) }
            case .hangs: usleep(60_000_000)
            }
        }

        func selfTest() throws(SirenOutputError) {
            if manner == .fails { throw SirenOutputError("broken") }
        }

        func stop() { heard.withLock { $0.append(nil) } }
    }

    @Test func oneOutputThatHangsOrFailsSilencesNoOther() async throws {
        let directoryOwner = try FreshDirectory()
        defer { withExtendedLifetime(directoryOwner) {} }
        let directory = directoryOwner.latch
        try directory.set(incidents: [], isNewPress: true, at: at, now: .now())
        let probes = [Probe("hangs", .hangs), Probe("fails", .fails), Probe("works", .works)]
        let reports = Mutex<[SirenPlayer.Report]>([])
        let works = AsyncStream<Void>.makeStream()
        let player = SirenPlayer(control: SirenControl(directories: [directory]), outputs: probes) { report in
            reports.withLock { $0.append(report) }
            if case .failed = report { works.continuation.yield() }
        }
        let running = Thread { player.run() }
        running.start()
        for await _ in works.stream { break }
        while probes[2].heard.withLock({ !$0.contains(.yelp) }) { await Task.yield() }
        player.stop()
        #expect(reports.withLock { $0.contains(.failed(output: "fails", why: "broken")) })
        #expect(reports.withLock { $0.contains(.started(.yelp)) })
    }

    @Test func aSelfTestNamesWhatCannotBeHeard() throws {
        let directoryOwner = try FreshDirectory()
        defer { withExtendedLifetime(directoryOwner) {} }
        let directory = directoryOwner.latch
        let player = SirenPlayer(
            control: SirenControl(directories: [directory]), outputs: [Probe("a", .works), Probe("b", .fails)],
            testRecord: directory
        ) { _ in }
        let test = player.selfTest()
        #expect(test.outputs == ["a", "b"])
        #expect(test.failures == ["broken"])
        #expect(directory.selfTest() == test)
    }

    /// A real card is not there; ALSA's own "null" device is a real device of the library.
    @Test func playsOnALSA() throws {
        let output = ALSAOutput(device: "null", mixer: "null")
        try output.step(.yelp)
        try output.step(.wail)
        try output.step(nil)
        try output.selfTest()
        output.stop()
    }

    @Test func aCardThatIsNotThereSaysSo() {
        let output = ALSAOutput(device: "hw:CARD=NotThere", mixer: "hw:CARD=NotThere")
        #expect(throws: SirenOutputError.self) { try output.step(.yelp) }
        #expect(throws: Never.self) { try output.step(nil) }
    }

    @Test func aCommandIsCalledOnceForOnAndOnceForOff() throws {
        let directoryOwner = try FreshDirectory()
        defer { withExtendedLifetime(directoryOwner) {} }
        let directory = directoryOwner.latch
        let program = directory.path + "/relay"
        try Data("#!/bin/sh\necho $1 >> \(directory.path)/calls\n".utf8).write(to: URL(filePath: program))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        let output = CommandOutput(program: program)
        for sound in [nil, SirenSound.yelp, .yelp, .wail, nil, nil] { try output.step(sound) }
        let calls = try String(contentsOfFile: directory.path + "/calls", encoding: .utf8)
        #expect(calls == "off\non\noff\n")
    }

    @Test func aCommandThatFailsIsTriedAgain() throws {
        let output = CommandOutput(program: "/bin/false")
        #expect(throws: SirenOutputError("/bin/false on failed with status 1")) { try output.step(.yelp) }
    }
}
