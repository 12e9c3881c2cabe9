import Glibc
import Reactor
import Testing

@Suite struct StreamTests {
    @Test func echoesBytes() throws {
        let socket = try ListeningSocket(binding: loopback, limits: ReactorLimits())
        let loop = try TestLoop { loop, recorder in
            try loop.listen(socket, tag: 7)
            recorder.onReceived = { connection, bytes, loop in
                loop.write(connection, bytes)
                return bytes.count
            }
        }
        let client = try Client(socket.address)
        let origin = loop.next("opened") { if case .opened(_, let origin) = $0 { origin } else { nil } }
        guard case .accepted(tag: 7, let peer) = origin else {
            Issue.record("origin \(String(describing: origin))")
            return
        }
        #expect(peer.host == "127.0.0.1")
        client.send([1, 2, 3])
        #expect(client.receive(3) == [1, 2, 3])
        client.endOutput()
        #expect(loop.nextClosed() == .endOfInput)
        #expect(client.receiveToEnd() == 0)
        #expect(try loop.onLoop { $0.counters.connectionsOpen } == 0)
    }

    @Test func handsSplitFramesOverAgainJoined() throws {
        let socket = try ListeningSocket(binding: loopback, limits: ReactorLimits())
        let loop = try TestLoop { loop, recorder in
            try loop.listen(socket, tag: 0)
            // Frames of four bytes.
            recorder.onReceived = { _, bytes, _ in bytes.count / 4 * 4 }
        }
        let client = try Client(socket.address)
        let connection = try #require(loop.nextOpened())
        client.send([1, 2, 3])
        #expect(loop.nextReceived() == [1, 2, 3])
        #expect(try loop.onLoop { $0.partialBytes(connection) } == 3)
        client.send([4, 5])
        #expect(loop.nextReceived() == [1, 2, 3, 4, 5])
        client.send([6, 7, 8])
        #expect(loop.nextReceived() == [5, 6, 7, 8])
        #expect(try loop.onLoop { $0.partialBytes(connection) } == 0)
        #expect(try loop.onLoop { $0.counters.partialBytes } == 0)
    }

    @Test func closesWhenAFrameNeverEnds() throws {
        var limits = ReactorLimits()
        limits.maximumPartialBytes = 1000
        let socket = try ListeningSocket(binding: loopback, limits: limits)
        let loop = try TestLoop(limits: limits) { loop, recorder in
            try loop.listen(socket, tag: 0)
            recorder.onReceived = { _, _, _ in 0 }
        }
        let client = try Client(socket.address)
        client.send([UInt8](repeating: 1, count: 1000))
        #expect(loop.nextReceived()?.count == 1000)
        #expect(try loop.onLoop { $0.counters.partialBytes } == 1000)
        client.send([2])
        #expect(loop.nextClosed() == .partialTooLong)
        #expect(try loop.onLoop { $0.counters.partialBytes } == 0)
        #expect(try loop.onLoop { $0.counters.closedPartialTooLong } == 1)
    }

    @Test func allPartialFramesTogetherAreBounded() throws {
        var limits = ReactorLimits()
        limits.maximumPartialBytesTotal = 600
        let socket = try ListeningSocket(binding: loopback, limits: limits)
        let loop = try TestLoop(limits: limits) { loop, recorder in
            try loop.listen(socket, tag: 0)
            recorder.onReceived = { _, _, _ in 0 }
        }
        let clients = try (0..<3).map { _ in try Client(socket.address) }
        for client in clients {
            client.send([1])
            _ = loop.nextReceived()
        }
        #expect(loop.nextClosed() == .memoryLimit)
        #expect(try loop.onLoop { $0.counters.partialBytes } == 512)
    }

    @Test func closesAPeerThatNeverReadsWithBoundedMemory() throws {
        var limits = ReactorLimits()
        limits.maximumQueuedBytes = 20_000
        let socket = try ListeningSocket(binding: loopback, limits: limits)
        let loop = try TestLoop(limits: limits) { loop, _ in try loop.listen(socket, tag: 0) }
        let client = try Client(socket.address, receiveBuffer: 4096)
        let connection = try #require(loop.nextOpened())
        var highest: UInt64 = 0
        var accepted = true
        var rounds = 0
        while accepted, rounds < 1000 {
            rounds += 1
            let (written, held) = try loop.onLoop { loop in
                (loop.write(connection, [UInt8](repeating: 9, count: 10_000)), loop.counters.queuedBytes)
            }
            accepted = written
            highest = max(highest, held)
        }
        #expect(loop.nextClosed() == .slowPeer)
        #expect(highest <= 20_000)
        #expect(try loop.onLoop { $0.counters.closedSlowPeer } == 1)
        #expect(try loop.onLoop { $0.counters.queuedBytes } == 0)
        withExtendedLifetime(client) {}
    }

    @Test func goesOnWithPartialWritesWhenThePeerReads() throws {
        var limits = ReactorLimits()
        limits.maximumQueuedBytes = 4 << 20
        let socket = try ListeningSocket(binding: loopback, limits: limits)
        let loop = try TestLoop(limits: limits) { loop, _ in try loop.listen(socket, tag: 0) }
        let client = try Client(socket.address, receiveBuffer: 4096)
        let connection = try #require(loop.nextOpened())
        let bytes = (0..<3 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let waiting = try loop.onLoop { $0.write(connection, bytes) }
        #expect(waiting)
        // The second write comes while the first waits for room and must not overtake it.
        #expect(try loop.onLoop { $0.write(connection, [1, 2, 3]) })
        #expect(client.receive(bytes.count + 3) == bytes + [1, 2, 3])
        #expect(try loop.onLoop { $0.queuedBytes(connection) } == 0)
        #expect(try loop.onLoop { $0.counters.writes } > 1)
    }

    @Test func gathersTheAnswersOfOneWakeUpIntoOneWrite() throws {
        let socket = try ListeningSocket(binding: loopback, limits: ReactorLimits())
        let loop = try TestLoop { loop, recorder in
            try loop.listen(socket, tag: 0)
            recorder.onReceived = { connection, bytes, loop in
                for byte in bytes { loop.write(connection, [byte, 0]) }
                return bytes.count
            }
        }
        let client = try Client(socket.address)
        client.send([UInt8](repeating: 7, count: 100))
        #expect(client.receive(200).count == 200)
        let counters = try loop.onLoop { $0.counters }
        #expect(counters.writes == counters.reads)
    }

    @Test func aStaleHandleDoesNoHarm() throws {
        let socket = try ListeningSocket(binding: loopback, limits: ReactorLimits())
        let loop = try TestLoop { loop, _ in try loop.listen(socket, tag: 0) }
        let old: Connection
        do {
            let client = try Client(socket.address)
            old = try #require(loop.nextOpened())
            client.endOutput()
            #expect(loop.nextClosed() == .endOfInput)
        }
        let client = try Client(socket.address)
        let new = try #require(loop.nextOpened())
        #expect(new.index == old.index)
        #expect(new != old)
        let harmed = try loop.onLoop { loop in
            let written = loop.write(old, [1])
            let armed = loop.setTimer(old, afterMilliseconds: 0)
            loop.pauseReading(old)
            loop.resumeReading(old)
            loop.cancelTimer(old)
            loop.removeSource(old)
            loop.close(old, reason: .requested(code: 1))
            return written || armed || loop.isOpen(old) || !loop.isOpen(new)
        }
        #expect(!harmed)
        #expect(try loop.onLoop { $0.write(new, [42]) })
        #expect(client.receive(1) == [42])
    }

    @Test func reportsAReset() throws {
        let socket = try ListeningSocket(binding: loopback, limits: ReactorLimits())
        let loop = try TestLoop { loop, _ in try loop.listen(socket, tag: 0) }
        do {
            let client = try Client(socket.address)
            _ = try #require(loop.nextOpened())
            client.resetOnClose()
        }
        #expect(loop.nextClosed() == .failed(code: ECONNRESET))
    }

    @Test func readsWhatAPeerSentBeforeItWasGone() throws {
        let socket = try ListeningSocket(binding: loopback, limits: ReactorLimits())
        let loop = try TestLoop { loop, _ in try loop.listen(socket, tag: 0) }
        let connection: Connection
        let goOn = try Mailbox<Int>(name: "go on", capacity: 2)
        let running = try Mailbox<Int>(name: "running", capacity: 2)
        do {
            let client = try Client(socket.address)
            connection = try #require(loop.nextOpened())
            // The loop stands still until the peer has sent and reset, then writes before it reads.
            #expect(
                loop.thread.execute { loop in
                    _ = running.post(1)
                    _ = goOn.wait(milliseconds: 10_000)
                    loop.write(connection, [1])
                })
            #expect(running.wait(milliseconds: 10_000))
            client.send([5, 6, 7])
            client.resetOnClose()
        }
        #expect(goOn.post(1))
        #expect(loop.nextReceived() == [5, 6, 7])
        guard case .failed = loop.nextClosed() else {
            Issue.record("not closed as failed")
            return
        }
    }

    @Test func aPeerThatEndedItsSideStillGetsItsAnswer() throws {
        let socket = try ListeningSocket(binding: loopback, limits: ReactorLimits())
        let loop = try TestLoop { loop, recorder in
            try loop.listen(socket, tag: 0)
            recorder.keepsOpen = true
        }
        let client = try Client(socket.address)
        let connection = try #require(loop.nextOpened())
        client.send([1])
        client.endOutput()
        let ended = loop.next("end of input") { if case .endOfInput(let found) = $0 { found } else { nil } }
        #expect(ended == connection)
        let before = try loop.onLoop { $0.counters.wakeUps }
        for _ in 0..<20 { _ = try loop.onLoop { $0.nowMilliseconds } }
        let woken = try loop.onLoop { $0.counters.wakeUps } - before
        #expect(woken <= 42, "the ended side keeps the loop awake")
        try loop.onLoop { loop in
            loop.write(connection, [9])
            loop.close(connection, reason: .requested(code: 3))
        }
        #expect(client.receive(2) == [9])
        #expect(loop.nextClosed() == .requested(code: 3))
    }

    @Test func aPausedConnectionIsNotReadAndLosesNothing() throws {
        let socket = try ListeningSocket(binding: loopback, limits: ReactorLimits())
        let loop = try TestLoop { loop, recorder in
            try loop.listen(socket, tag: 0)
            nonisolated(unsafe) var calls = 0
            recorder.onReceived = { connection, bytes, loop in
                calls += 1
                if calls == 1 { loop.pauseReading(connection) }
                return bytes.count == 1 ? 0 : bytes.count
            }
        }
        let connection: Connection
        do {
            let client = try Client(socket.address)
            connection = try #require(loop.nextOpened())
            client.send([1])
            #expect(loop.nextReceived() == [1])
            client.send([2, 3])
            client.resetOnClose()
        }
        // Gone while paused: neither closed yet nor spinning.
        let before = try loop.onLoop { $0.counters.wakeUps }
        for _ in 0..<20 { _ = try loop.onLoop { $0.nowMilliseconds } }
        #expect(try loop.onLoop { $0.counters.wakeUps } - before <= 44)
        #expect(try loop.onLoop { $0.isOpen(connection) })
        try loop.onLoop { $0.resumeReading(connection) }
        #expect(loop.nextReceived() == [1], "kept bytes are handed over again without new ones")
        #expect(loop.nextReceived() == [1, 2, 3])
        #expect(loop.nextClosed() == .failed(code: ECONNRESET))
    }

    @Test func connectsAndReportsARefusal() throws {
        let socket = try ListeningSocket(binding: loopback, limits: ReactorLimits())
        let gone = try ListeningSocket(binding: loopback, limits: ReactorLimits())
        gone.close()
        let loop = try TestLoop { loop, recorder in
            try loop.listen(socket, tag: 1)
            recorder.onReceived = { connection, bytes, loop in
                if bytes == [1] { loop.write(connection, [2]) }
                return bytes.count
            }
            _ = try loop.connect(to: gone.address, tag: 6)
        }
        #expect(
            loop.next("refusal") { if case .closed(_, let reason) = $0 { reason } else { nil } }
                == .failed(code: ECONNREFUSED))
        let second = try TestLoop { loop, recorder in
            _ = try loop.connect(to: socket.address, from: SocketAddress(ipv4: 0x7F01_0203, port: 0), tag: 5)
            recorder.onOpened = { connection, loop in loop.write(connection, [1]) }
        }
        let origin = second.next("opened") { if case .opened(_, let origin) = $0 { origin } else { nil } }
        #expect(origin == .connected(tag: 5, peer: socket.address))
        let host = loop.next("accepted") {
            if case .opened(_, .accepted(_, let peer)) = $0, peer.low == 0x7F01_0203 { peer.host } else { nil }
        }
        #expect(host == "127.1.2.3")
        #expect(second.nextReceived() == [2])
    }

    /// Frames are a length byte and that many bytes; the seed is fixed, so a failure repeats.
    @Test func everyFrameComesBackHoweverTheStreamIsCut() throws {
        let socket = try ListeningSocket(binding: loopback, limits: ReactorLimits())
        let loop = try TestLoop { loop, recorder in
            try loop.listen(socket, tag: 0)
            recorder.onReceived = { connection, bytes, loop in
                var start = 0
                while start < bytes.count, bytes.count - start > Int(bytes[start]) {
                    let end = start + 1 + Int(bytes[start])
                    loop.write(connection, Array(bytes[start..<end]))
                    start = end
                }
                return start
            }
        }
        var random = SeededGenerator(state: 7)
        let clients = try (0..<10).map { _ in try Client(socket.address) }
        var streams = clients.map { _ in
            (0..<40).flatMap { _ in
                let count = UInt8.random(in: 0...255, using: &random)
                return [count] + (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            }
        }
        let expected = streams
        while let index = streams.indices.filter({ !streams[$0].isEmpty }).randomElement(using: &random) {
            let count = min(streams[index].count, Int.random(in: 1...400, using: &random))
            clients[index].send(Array(streams[index].prefix(count)))
            streams[index].removeFirst(count)
        }
        for (client, stream) in zip(clients, expected) { #expect(client.receive(stream.count) == stream) }
        let counters = try loop.onLoop { $0.counters }
        #expect(counters.partialBytes == 0)
        #expect(counters.queuedBytes == 0)
    }
}
