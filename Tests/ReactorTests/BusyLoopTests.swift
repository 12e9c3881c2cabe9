import Glibc
import Reactor
import Testing

/// What a loop does when more comes than it can serve at once.
@Suite struct BusyLoopTests {
    @Test func whoIsRecognisedIsServedBeforeNewcomers() throws {
        var limits = ReactorLimits()
        limits.newcomersPerWakeUp = 1
        let socket = try ListeningSocket(binding: loopback, limits: limits)
        let loop = try TestLoop(limits: limits) { loop, recorder in
            try loop.listen(socket, tag: 0)
            recorder.onReceived = { connection, bytes, loop in
                if bytes == [0] { loop.recognise(connection) }
                loop.write(connection, bytes)
                return bytes.count
            }
        }
        let known = try Client(socket.address)
        #expect(known.echoes(0))
        let newcomers = try (0..<8).map { _ in try Client(socket.address) }
        for _ in 0...newcomers.count { #expect(loop.nextOpened() != nil) }

        // All of them have said something, the known one last, before the loop looks.
        let goOn = try Mailbox<Int>(name: "go on", capacity: 2)
        #expect(loop.thread.execute { _ in _ = goOn.wait(milliseconds: 10_000) })
        for newcomer in newcomers { newcomer.send([1]) }
        known.send([2])
        #expect(goOn.post(1))
        let order = (0...newcomers.count).compactMap { _ in loop.nextReceived()?.first }
        #expect(order.count { $0 == 1 } == newcomers.count, "every newcomer is served")
        #expect(order.firstIndex(of: 2) ?? .max <= 1, "\(order)")
        for newcomer in newcomers { #expect(newcomer.receive(1) == [1]) }
        #expect(known.receive(1) == [2])
        #expect(known.echoes(3))
    }

    @Test func aBusyLoopIsWokenOnceInItsTime() throws {
        var limits = ReactorLimits()
        limits.gatherMicroseconds = 20_000
        let socket = try ListeningSocket(binding: loopback, limits: limits)
        let loop = try TestLoop(limits: limits) { loop, recorder in
            try loop.listen(socket, tag: 0)
            recorder.onReceived = { connection, bytes, loop in
                loop.write(connection, bytes)
                return bytes.count
            }
        }
        let client = try Client(socket.address)
        #expect(client.echoes(1))
        let before = loop.thread.counters.wakeUps
        let start = ContinuousClock.now
        for _ in 0..<500 {
            client.send([2])
            usleep(200)
        }
        #expect(client.receive(500).count == 500)
        let milliseconds = (ContinuousClock.now - start) / .milliseconds(1)
        let woken = Double(loop.thread.counters.wakeUps - before)
        #expect(woken <= milliseconds / 20 + 4, "\(woken) times in \(milliseconds) ms")
    }
}
