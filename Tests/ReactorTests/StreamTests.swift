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
        #expect(loop.thread.counters.connectionsOpen == 0)
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
}
