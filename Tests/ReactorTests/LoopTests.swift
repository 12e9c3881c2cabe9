import Glibc
import Reactor
import Testing

@Suite struct LoopTests {
    @Test func startThrowsWhatTheSetUpThrew() throws {
        struct Refusal: Error {}
        #expect(throws: Refusal.self) {
            try ReactorThread.start(name: "never") { _ in throw Refusal() }
        }
        let taken = try ListeningSocket(binding: loopback, limits: ReactorLimits())
        defer { taken.close() }
        let error = #expect(throws: ReactorError.self) {
            try ListeningSocket(binding: taken.address, limits: ReactorLimits())
        }
        #expect(error?.description == "bind tcp \(taken.address): Address already in use")
    }

    @Test func firesConnectionTimersAndTimersOfTheHandler() throws {
        let socket = try ListeningSocket(binding: loopback, limits: ReactorLimits())
        let loop = try TestLoop { loop, recorder in
            try loop.listen(socket, tag: 0)
            recorder.onOpened = { connection, loop in
                loop.setTimer(connection, afterMilliseconds: 60_000)
                loop.setTimer(connection, afterMilliseconds: 40)
                _ = loop.schedule(afterMilliseconds: 20, token: 1)
                _ = loop.schedule(afterMilliseconds: 60, token: 2)
                if let cancelled = loop.schedule(afterMilliseconds: 30, token: 3) { loop.cancel(cancelled) }
            }
            recorder.onTimer = { connection, loop in loop.close(connection, reason: .requested(code: 9)) }
        }
        let client = try Client(socket.address)
        let connection = try #require(loop.nextOpened())
        var seen: [Event] = []
        while seen.last != .timer(2), let event = loop.next("timer", { $0 }) { seen.append(event) }
        #expect(
            seen == [
                .timer(1), .connectionTimer(connection), .closed(connection, .requested(code: 9)), .timer(2),
            ])
        withExtendedLifetime(client) {}
    }

    @Test func aClosedConnectionTakesItsTimerAlong() throws {
        let socket = try ListeningSocket(binding: loopback, limits: ReactorLimits())
        let loop = try TestLoop { loop, recorder in
            try loop.listen(socket, tag: 0)
            recorder.onOpened = { connection, loop in
                loop.setTimer(connection, afterMilliseconds: 20)
                loop.close(connection, reason: .requested(code: 1))
            }
            recorder.onClosed = { _, loop in _ = loop.schedule(afterMilliseconds: 40, token: 1) }
        }
        let client = try Client(socket.address)
        let fired = loop.next("timer") {
            switch $0 {
            case .connectionTimer: true
            case .timer(1): false
            default: nil
            }
        }
        #expect(fired == false)
        withExtendedLifetime(client) {}
    }

    @Test func doesNotWakeUpForNothing() throws {
        let loop = try TestLoop { loop, _ in
            _ = loop.schedule(afterMilliseconds: 10_000_000, token: 1)
            _ = loop.schedule(afterMilliseconds: 150, token: 2)
        }
        let token: UInt64? = loop.next("timer") { if case .timer(let token) = $0 { token } else { nil } }
        #expect(token == 2)
        #expect(try loop.onLoop { $0.counters.wakeUps } <= 3)
    }

    @Test func boundsItsTimersAndCommands() throws {
        var limits = ReactorLimits()
        limits.maximumScheduledTimers = 2
        limits.maximumCommands = 3
        let loop = try TestLoop(limits: limits) { _, _ in }
        let armed = try loop.onLoop { loop in
            (0..<3).map { loop.schedule(afterMilliseconds: 60_000, token: $0) != nil }
        }
        #expect(armed == [true, true, false])
        let goOn = try Mailbox<Int>(name: "go on", capacity: 2)
        let running = try Mailbox<Int>(name: "running", capacity: 2)
        #expect(
            loop.thread.execute { _ in
                _ = running.post(1)
                _ = goOn.wait(milliseconds: 10_000)
            })
        #expect(running.wait(milliseconds: 10_000))
        #expect((0..<4).map { _ in loop.thread.execute { _ in } } == [true, true, true, false])
        #expect(goOn.post(1))
    }

    @Test func aMailboxCanBeAttachedAndRemovedWhileRunning() throws {
        let box = try Mailbox<Int>(name: "box", capacity: 10)
        let loop = try TestLoop { _, _ in }
        let events = loop.mailbox
        let source = try loop.onLoop { loop in
            try? loop.attach(box) { number, _ in _ = events.post(.mail(number)) }
        }
        #expect(box.post(1))
        #expect(loop.next("mail") { if case .mail(let number) = $0 { number } else { nil } } == 1)
        let added = try #require(source)
        try loop.onLoop { $0.removeSource(added) }
        #expect(box.post(2))
        _ = try loop.onLoop { $0.nowMilliseconds }
        #expect(box.count == 1)
    }

    @Test func everythingGatheredIsPassedOnBeforeTheLoopWaits() throws {
        let socket = try ListeningSocket(binding: loopback, limits: ReactorLimits())
        let batches = try Mailbox<[String]>(name: "batches", capacity: 100)
        let loop = try TestLoop { loop, recorder in
            try loop.listen(socket, tag: 0)
            nonisolated(unsafe) var gathered: [String] = []
            recorder.onReceived = { connection, bytes, loop in
                gathered.append("received")
                loop.close(connection, reason: .requested(code: 1))
                return bytes.count
            }
            recorder.onClosed = { _, _ in gathered.append("closed") }
            recorder.onEndOfWakeUp = { _ in
                if !gathered.isEmpty { _ = batches.post(gathered) }
                gathered = []
            }
        }
        let client = try Client(socket.address)
        client.send([1])
        var seen: [[String]] = []
        while seen.count < 2 {
            try #require(batches.wait(milliseconds: 10_000))
            batches.drain(maximum: 10) { seen.append($0) }
        }
        #expect(seen == [["received"], ["closed"]])
        withExtendedLifetime(loop) {}
    }

    @Test func stopWritesWhatIsQueued() throws {
        var limits = ReactorLimits()
        limits.maximumQueuedBytes = 4 << 20
        let socket = try ListeningSocket(binding: loopback, limits: limits)
        let loop = try TestLoop(limits: limits) { loop, _ in try loop.listen(socket, tag: 0) }
        let client = try Client(socket.address, receiveBuffer: 4096)
        let connection = try #require(loop.nextOpened())
        let count = 3 << 20
        #expect(try loop.onLoop { $0.write(connection, [UInt8](repeating: 5, count: count)) })
        loop.thread.stop(drainMilliseconds: 60_000)
        #expect(loop.next("draining") { $0 == .draining ? true : nil } == true)
        #expect(throws: (any Error).self) { try Client(socket.address) }
        #expect(client.receive(count + 1).count == count)
        #expect(loop.nextClosed() == .stopping)
        #expect(loop.thread.waitUntilStopped(milliseconds: 10_000))
        #expect(loop.thread.counters.connectionsOpen == 0)
    }

    @Test func stopHandsOverWhatHasArrivedAndReadsNoMore() throws {
        var limits = ReactorLimits()
        limits.acceptsPerWakeUp = 2
        let socket = try ListeningSocket(binding: loopback, limits: limits)
        let release = try Mailbox<Int>(name: "release", capacity: 2)
        let loop = try TestLoop(limits: limits) { loop, recorder in
            try loop.listen(socket, tag: 0)
            nonisolated(unsafe) var isDrained = false
            recorder.drained = { isDrained }
            recorder.onReceived = { connection, bytes, loop in
                loop.write(connection, bytes)
                return bytes.count
            }
            try loop.attach(release) { _, _ in isDrained = true }
        }
        let goOn = try Mailbox<Int>(name: "go on", capacity: 2)
        let old = try Client(socket.address)
        #expect(old.echoes(1))
        #expect(loop.thread.execute { _ in _ = goOn.wait(milliseconds: 10_000) })
        // All this comes before the loop has heard of the stop: bytes, and connections that nobody has accepted.
        old.send([2])
        let late = try (0..<8).map { number in
            let client = try Client(socket.address)
            client.send([10 + UInt8(number)])
            return client
        }
        loop.thread.stop(drainMilliseconds: 60_000)
        #expect(goOn.post(1))
        #expect(old.receive(1) == [2])
        for (number, client) in late.enumerated() { #expect(client.receive(1) == [10 + UInt8(number)]) }
        #expect(loop.next("draining") { $0 == .draining ? true : nil } == true)
        old.send([4])
        #expect(release.post(1))
        #expect(old.receive(1) == [], "a frame after the stop is not answered by half")
        #expect(loop.thread.waitUntilStopped(milliseconds: 10_000))
    }

    @Test func stopWaitsForTheHandlersAnswersButNotLongerThanAllowed() throws {
        let socket = try ListeningSocket(binding: loopback, limits: ReactorLimits())
        let commits = try Mailbox<Int>(name: "commits", capacity: 10)
        let loop = try TestLoop { loop, recorder in
            try loop.listen(socket, tag: 0)
            nonisolated(unsafe) var outstanding = 0
            nonisolated(unsafe) var last: Connection?
            recorder.onReceived = { connection, bytes, _ in
                outstanding += 1
                last = connection
                return bytes.count
            }
            recorder.drained = { outstanding == 0 }
            try loop.attach(commits) { _, loop in
                outstanding -= 1
                if let last { loop.write(last, [1]) }
            }
        }
        let client = try Client(socket.address)
        client.send([7])
        #expect(loop.nextReceived() == [7])
        loop.thread.stop(drainMilliseconds: 60_000)
        #expect(loop.next("draining") { $0 == .draining ? true : nil } == true)
        #expect(!loop.thread.waitUntilStopped(milliseconds: 0))
        #expect(commits.post(1))
        #expect(client.receive(2) == [1])
        #expect(loop.thread.waitUntilStopped(milliseconds: 10_000))

        let stubborn = try TestLoop { _, recorder in recorder.drained = { false } }
        stubborn.thread.stop(drainMilliseconds: 20)
        #expect(stubborn.next("stopped") { $0 == .stopped ? true : nil } == true)
        #expect(stubborn.thread.waitUntilStopped(milliseconds: 10_000))
    }
}
