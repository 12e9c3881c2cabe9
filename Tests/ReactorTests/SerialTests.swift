import CReactor
import Glibc
import Reactor
import Testing

/// A pseudo-terminal: the test is the device behind the line.
private final class PseudoTerminal {
    let controller: Int32
    let path: String

    init() throws {
        var name = [CChar](repeating: 0, count: 64)
        controller = reactor_open_pseudo_terminal(&name, name.count)
        path = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
        guard controller >= 0 else { throw ReactorError(operation: "open a pseudo-terminal", code: -controller) }
    }

    deinit {
        close(controller)
    }

    func send(_ bytes: [UInt8]) {
        #expect(write(controller, bytes, bytes.count) == bytes.count)
    }

    func receive(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var got = 0
        while got < count {
            var waiting = pollfd(fd: controller, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 10_000) == 1 else { break }
            let more = bytes.withUnsafeMutableBytes { read(controller, $0.baseAddress?.advanced(by: got), count - got) }
            if more <= 0 { break }
            got += more
        }
        return Array(bytes[0..<got])
    }
}

/// A directory with a link that stands for `/dev/serial/by-id/…`.
private final class DeviceLink {
    let directory: String
    var path: String { "\(directory)/line" }

    init() throws {
        var template = Array("/tmp/reactor-serial-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw ReactorError(operation: "mkdtemp", code: errno) }
        directory = String(cString: made)
    }

    deinit {
        unlink(path)
        rmdir(directory)
    }

    func point(to target: String?) throws {
        unlink(path)
        if let target { try #require(symlink(target, path) == 0) }
    }
}

/// One after the other: a dead pseudo-terminal's path may come back as that of the next test.
@Suite(.serialized) struct SerialTests {
    private func state(_ loop: TestLoop) -> SerialLineState? {
        loop.next("state of the line") { if case .serial(3, let state) = $0 { state } else { nil } }
    }

    private func quickLimits() -> ReactorLimits {
        var limits = ReactorLimits()
        limits.serialRetryFirstMilliseconds = 10
        limits.serialRetryMaximumMilliseconds = 40
        return limits
    }

    @Test func carriesEveryByteBothWays() throws {
        let device = try PseudoTerminal()
        let path = device.path
        let loop = try TestLoop { loop, recorder in
            #expect(loop.addSerialLine(SerialOptions(path: path, baud: 9600), tag: 3))
            #expect(!loop.addSerialLine(SerialOptions(path: path), tag: 3), "the tag is taken")
            recorder.onReceived = { connection, bytes, loop in
                guard bytes.count >= 256 else { return 0 }
                loop.write(connection, bytes)
                return bytes.count
            }
        }
        let origin = loop.next("opened") { if case .opened(_, let origin) = $0 { origin } else { nil } }
        #expect(origin == .serial(tag: 3))
        guard case .opened = state(loop) else {
            Issue.record("not opened")
            return
        }
        let everyByte = (0...255).map { UInt8($0) }
        device.send(everyByte)
        #expect(device.receive(256) == everyByte)
        #expect(try loop.onLoop { $0.counters.serialOpened } == 1)
    }

    @Test(arguments: [
        (SerialOptions.Parity.none, 1, 8, 1200, B1200), (.odd, 2, 7, 9600, B9600), (.even, 1, 8, 921_600, B921600),
    ])
    func setsTheLineUp(_ parity: SerialOptions.Parity, stop: Int, data: Int, baud: Int, speed: Int32) throws {
        let device = try PseudoTerminal()
        let options = SerialOptions(path: device.path, baud: baud, dataBits: data, parity: parity, stopBits: stop)
        let loop = try TestLoop { loop, _ in loop.addSerialLine(options, tag: 3) }
        _ = state(loop)
        var line = termios()
        #expect(tcgetattr(device.controller, &line) == 0)
        #expect(cfgetospeed(&line) == speed_t(speed))
        #expect((line.c_cflag & tcflag_t(CSTOPB) != 0) == (stop == 2))
        #expect((line.c_cflag & tcflag_t(PARODD) != 0) == (parity == .odd))
        #expect(line.c_lflag & tcflag_t(ICANON | ECHO | ISIG) == 0)
        #expect(line.c_iflag & tcflag_t(IXON | ICRNL | ISTRIP) == 0)
        #expect(line.c_oflag & tcflag_t(OPOST) == 0)
    }

    @Test func opensADeviceAgainThatHungUpAndCameBack() throws {
        let link = try DeviceLink()
        let path = link.path
        var device: PseudoTerminal? = try PseudoTerminal()
        try link.point(to: device?.path)
        let loop = try TestLoop(limits: quickLimits()) { loop, _ in
            loop.addSerialLine(SerialOptions(path: path), tag: 3)
        }
        let first = try #require(loop.nextOpened())
        device?.send([1, 2])
        #expect(loop.nextReceived() == [1, 2])
        try link.point(to: nil)
        device = nil
        #expect(loop.nextClosed() == .hangUp)
        #expect(state(loop) == .waiting(.hungUp, pauseMilliseconds: 10))
        #expect(state(loop) == .waiting(.refused(code: ENOENT), pauseMilliseconds: 20))
        device = try PseudoTerminal()
        try link.point(to: device?.path)
        let second = try #require(loop.nextOpened())
        #expect(second != first)
        device?.send([3])
        #expect(loop.nextReceived() == [3])
        #expect(try loop.onLoop { $0.write(second, [4]) && !$0.write(first, [5]) })
        #expect(device?.receive(1) == [4])
        // It has worked, so the pauses start again; the next device opens but gives nothing, so they grow.
        let waits: (Event) -> Int64? = { if case .serial(_, .waiting(_, let pause)) = $0 { pause } else { nil } }
        try link.point(to: nil)
        device = nil
        #expect(loop.next("pause", waits) == 10)
        device = try PseudoTerminal()
        try link.point(to: device?.path)
        #expect(loop.nextOpened() != nil)
        try link.point(to: nil)
        device = nil
        #expect(try #require(loop.next("pause", waits)) > 10)
    }

    @Test func waitsLongerAndLongerForAMissingDevice() throws {
        let link = try DeviceLink()
        let path = link.path
        let loop = try TestLoop(limits: quickLimits()) { loop, _ in
            loop.addSerialLine(SerialOptions(path: path), tag: 3)
        }
        let fault = SerialLineFault.refused(code: ENOENT)
        for pause: Int64 in [10, 20, 40, 40] {
            #expect(state(loop) == .waiting(fault, pauseMilliseconds: pause))
        }
        #expect(try loop.onLoop { $0.serialLineState(tag: 3) } == .waiting(fault, pauseMilliseconds: 40))
        #expect(try loop.onLoop { $0.counters.serialOpenFailures } >= 4)
        try loop.onLoop { $0.removeSerialLine(tag: 3) }
        #expect(loop.next("removed") { if case .serial(_, .removed) = $0 { true } else { nil } } == true)
        #expect(try loop.onLoop { $0.serialLineState(tag: 3) } == nil)
    }

    @Test func aReportedDeviceIsOpenedAtOnce() throws {
        let link = try DeviceLink()
        let path = link.path
        // With the default pauses: half a second, which this test does not wait for.
        var limits = ReactorLimits()
        limits.serialRetryFirstMilliseconds = 10_000_000
        let loop = try TestLoop(limits: limits) { loop, _ in loop.addSerialLine(SerialOptions(path: path), tag: 3) }
        _ = state(loop)
        let device = try PseudoTerminal()
        try link.point(to: device.path)
        try loop.onLoop { $0.retrySerialLine(tag: 3) }
        guard case .opened(let connection) = state(loop) else {
            Issue.record("not opened")
            return
        }
        try loop.onLoop { $0.removeSerialLine(tag: 3) }
        #expect(state(loop) == .removed)
        #expect(loop.nextClosed() == .requested(code: 0))
        #expect(try loop.onLoop { !$0.isOpen(connection) })
    }

    @Test(arguments: [
        (SerialOptions(path: "/dev/null"), ENOTTY),
        (SerialOptions(path: "/dev/ptmx", baud: 12_345), EINVAL),
    ])
    func saysWhyALineCannotBeUsed(_ options: SerialOptions, _ expected: Int32) throws {
        let loop = try TestLoop { loop, _ in loop.addSerialLine(options, tag: 3) }
        #expect(state(loop) == .waiting(.refused(code: expected), pauseMilliseconds: 500))
    }

    @Test func aLineThatSomebodyElseWorksOnIsLeftAlone() throws {
        let device = try PseudoTerminal()
        let other = open(device.path, O_RDWR | O_NOCTTY)
        #expect(flock(other, LOCK_EX) == 0)
        let path = device.path
        let loop = try TestLoop(limits: quickLimits()) { loop, _ in
            loop.addSerialLine(SerialOptions(path: path), tag: 3)
        }
        let fault = SerialLineFault.refused(code: EBUSY)
        #expect(state(loop) == .waiting(fault, pauseMilliseconds: 10))
        var line = termios()
        #expect(tcgetattr(device.controller, &line) == 0)
        #expect(line.c_lflag & tcflag_t(ICANON) != 0, "the line was changed under somebody's hands")
        close(other)
        #expect(loop.nextOpened() != nil, "not opened when the other one was done")
        // And now it is ours, for root too.
        let third = open(path, O_RDWR | O_NOCTTY)
        #expect(third < 0 || flock(third, LOCK_EX | LOCK_NB) != 0)
        if third >= 0 { close(third) }
    }

    @Test func aLineThatTakesAnothersPlaceWaitsUntilThatHasLetGo() throws {
        let device = try PseudoTerminal()
        let path = device.path
        let loop = try TestLoop { loop, _ in loop.addSerialLine(SerialOptions(path: path), tag: 3) }
        #expect(loop.nextOpened() != nil)
        try loop.onLoop { loop in
            loop.removeSerialLine(tag: 3)
            #expect(loop.addSerialLine(SerialOptions(path: path, baud: 9600), tag: 4))
        }
        #expect(loop.nextOpened() != nil)
        #expect(try loop.onLoop { $0.counters.serialOpenFailures } == 0)
        withExtendedLifetime(device) {}
    }

    @Test func theRateChangesOnAnOpenLine() throws {
        let device = try PseudoTerminal()
        let path = device.path
        let loop = try TestLoop(limits: quickLimits()) { loop, _ in
            loop.addSerialLine(SerialOptions(path: path, baud: 9600, isHalfDuplex: true), tag: 3)
        }
        #expect(loop.nextOpened() != nil)
        #expect(try loop.onLoop { $0.setBaud(57_600, ofSerialLine: 3) })
        var line = termios()
        #expect(tcgetattr(device.controller, &line) == 0)
        #expect(cfgetospeed(&line) == speed_t(B57600))
        #expect(try loop.onLoop { !$0.setBaud(12_345, ofSerialLine: 3) && !$0.setBaud(9600, ofSerialLine: 4) })
        withExtendedLifetime(device) {}
    }

    @Test func aLineThatIsClosedByTheHandlerComesBack() throws {
        let device = try PseudoTerminal()
        let path = device.path
        let loop = try TestLoop(limits: quickLimits()) { loop, _ in
            loop.addSerialLine(SerialOptions(path: path), tag: 3)
        }
        let first = try #require(loop.nextOpened())
        try loop.onLoop { $0.close(first, reason: .requested(code: 8)) }
        #expect(loop.nextClosed() == .requested(code: 8))
        let second = try #require(loop.nextOpened())
        #expect(second != first)
        withExtendedLifetime(device) {}
    }
}
