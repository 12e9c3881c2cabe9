import Glibc
import Reactor
import Testing

@Suite struct DatagramTests {
    private func echo(_ recorder: Recorder) {
        recorder.onDatagram = { socket, peer, bytes, loop in loop.send(bytes, to: peer, from: socket) }
    }

    /// Two loops talk to each other; the second one sends `bytes` and waits for answers.
    private func sender(to peer: SocketAddress, _ datagrams: [[UInt8]]) throws -> TestLoop {
        let socket = try DatagramSocket(binding: loopback)
        return try TestLoop { loop, _ in
            let source = try loop.receive(socket, tag: 0)
            for bytes in datagrams { #expect(loop.send(bytes, to: peer, from: source)) }
        }
    }

    @Test func echoesDatagrams() throws {
        let socket = try DatagramSocket(binding: loopback)
        let loop = try TestLoop { loop, recorder in
            try loop.receive(socket, tag: 0)
            self.echo(recorder)
        }
        let datagrams = (0..<100).map { [UInt8](repeating: UInt8($0), count: $0) }
        let sender = try sender(to: socket.address, datagrams)
        for expected in datagrams {
            let answer = sender.next("answer") {
                if case .datagram(_, let peer, let bytes) = $0 { (peer, bytes) } else { nil }
            }
            #expect(answer?.0 == socket.address)
            #expect(answer?.1 == expected)
        }
        #expect(try loop.onLoop { $0.counters.datagramsReceived } == 100)
        #expect(try loop.onLoop { $0.counters.datagramsSent } == 100)
    }

    @Test func datagramsWaitOnAnInheritedSocketForTheNextLoop() throws {
        let manager = try DatagramSocket(binding: loopback)
        defer { manager.close() }
        func serve() throws -> TestLoop {
            let socket = try DatagramSocket(duplicating: manager)
            return try TestLoop { loop, recorder in
                try loop.receive(socket, tag: 0)
                self.echo(recorder)
            }
        }
        let first = try serve()
        let early = try sender(to: manager.address, [[1]])
        func answer(to sender: TestLoop) -> [UInt8]? {
            sender.next("answer") { if case .datagram(_, _, let bytes) = $0 { bytes } else { nil } }
        }
        #expect(answer(to: early) == [1])
        first.thread.stop(drainMilliseconds: 1_000)
        #expect(first.thread.waitUntilStopped(milliseconds: 10_000))
        let between = try sender(to: manager.address, [[2], [3]])
        _ = try between.onLoop { $0.nowMilliseconds }
        let second = try serve()
        #expect(answer(to: between) == [2])
        #expect(answer(to: between) == [3])
        #expect(try second.onLoop { $0.counters.datagramsReceived } == 2)
    }

    @Test func dropsAndCountsADatagramThatIsTooLong() throws {
        var limits = ReactorLimits()
        limits.maximumDatagramBytes = 100
        let socket = try DatagramSocket(binding: loopback)
        let loop = try TestLoop(limits: limits) { loop, recorder in
            try loop.receive(socket, tag: 0)
            self.echo(recorder)
        }
        let sender = try sender(
            to: socket.address, [[UInt8](repeating: 1, count: 101), [UInt8](repeating: 2, count: 100)])
        let first: [UInt8]? = sender.next("answer") {
            if case .datagram(_, _, let bytes) = $0 { bytes } else { nil }
        }
        #expect(first == [UInt8](repeating: 2, count: 100))
        #expect(try loop.onLoop { $0.counters.datagramsTooLong } == 1)
    }

    @Test func anIPv6SocketAnswersIPv4Peers() throws {
        let any = try #require(SocketAddress("::", port: 0))
        guard let socket = try? DatagramSocket(binding: any) else { return }
        let loop = try TestLoop { loop, recorder in
            try loop.receive(socket, tag: 0)
            self.echo(recorder)
        }
        let peer = SocketAddress(ipv4: 0x7F00_0001, port: socket.address.port)
        let sender = try sender(to: peer, [[5, 6]])
        let answer: [UInt8]? = sender.next("answer") {
            if case .datagram(_, peer, let bytes) = $0 { bytes } else { nil }
        }
        #expect(answer == [5, 6])
        withExtendedLifetime(loop) {}
    }

    @Test func anUnreachablePeerDoesNotStopTheSocket() throws {
        let gone = try DatagramSocket(binding: loopback)
        gone.close()
        let socket = try DatagramSocket(binding: loopback)
        let loop = try TestLoop { loop, recorder in
            let source = try loop.receive(socket, tag: 0)
            self.echo(recorder)
            loop.send([1], to: gone.address, from: source)
            loop.send([2], to: gone.address, from: source)
        }
        let sender = try sender(to: socket.address, [[7]])
        let answer: [UInt8]? = sender.next("answer") {
            if case .datagram(_, _, let bytes) = $0 { bytes } else { nil }
        }
        #expect(answer == [7])
        withExtendedLifetime(loop) {}
    }

    @Test func aRemovedSocketRefusesToSend() throws {
        let socket = try DatagramSocket(binding: loopback)
        let loop = try TestLoop { _, _ in }
        let sent = try loop.onLoop { loop in
            guard let source = try? loop.receive(socket, tag: 0) else { return true }
            loop.removeSource(source)
            return loop.send([1], to: socket.address, from: source)
        }
        #expect(!sent)
    }
}
