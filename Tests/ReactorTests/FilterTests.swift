import Reactor
import Testing

/// A filter that wants a word before it lets bytes pass, and turns each byte over.
private final class TurningFilter: StreamFilter {
    static let password: [UInt8] = [1, 2, 3]
    static let mask: UInt8 = 0x5A
    static let farewell: [UInt8] = [0xEE]
    /// A byte that no peer may send, and one that says that nothing follows.
    static let broken: UInt8 = 0xFE
    static let end: UInt8 = 0xFD

    private var word: [UInt8] = []
    private var isReady = false

    func received(_ bytes: Span<UInt8>, into step: inout FilterStep) {
        for index in 0..<bytes.count {
            let byte = bytes[index]
            if !isReady {
                word.append(byte)
                guard word.count == Self.password.count else { continue }
                guard word == Self.password else {
                    step.failure = "wrong word"
                    return
                }
                isReady = true
                step.isReady = true
                step.outward.append(0)
            } else if byte == Self.broken {
                step.failure = "broken"
                return
            } else if byte == Self.end {
                step.inputEnded = true
            } else {
                step.inward.append(byte ^ Self.mask)
            }
        }
    }

    func send(_ bytes: Span<UInt8>, into step: inout FilterStep) {
        for index in 0..<bytes.count { step.outward.append(bytes[index] ^ Self.mask) }
    }

    func end(into step: inout FilterStep) {
        step.outward += Self.farewell
    }
}

@Suite struct FilterTests {
    /// Echoes; uses only whole pairs of bytes, so that an odd one is kept behind the filter.
    private func start(_ limits: ReactorLimits = ReactorLimits()) throws -> (TestLoop, SocketAddress) {
        let socket = try ListeningSocket(binding: loopback, limits: limits)
        let loop = try TestLoop(limits: limits) { loop, recorder in
            try loop.listen(socket, tag: 3) { TurningFilter() }
            recorder.keepsOpen = true
            recorder.onReceived = { connection, bytes, loop in
                let used = bytes.count & ~1
                loop.write(connection, Array(bytes[..<used]))
                return used
            }
        }
        return (loop, socket.address)
    }

    private func turned(_ bytes: [UInt8]) -> [UInt8] { bytes.map { $0 ^ TurningFilter.mask } }

    @Test func theHandlerSeesWhatTheFilterLetsPass() throws {
        let (loop, address) = try start()
        let client = try Client(address)
        client.send([1, 2])
        _ = try loop.onLoop { $0.nowMilliseconds }
        client.send([3] + turned([7, 8, 9]))
        let first = loop.next("first event") { $0 }
        guard case .opened(let connection, .accepted(tag: 3, peer: _)) = first else {
            Issue.record("\(String(describing: first)) before the connection was opened")
            return
        }
        #expect(loop.nextReceived() == [7, 8, 9])
        #expect(client.receive(3) == [0] + turned([7, 8]))
        #expect(try loop.onLoop { $0.partialBytes(connection) } == 1)
        client.send(turned([10]))
        #expect(loop.nextReceived() == [9, 10])
        #expect(client.receive(2) == turned([9, 10]))
        try loop.onLoop { $0.close(connection, reason: .requested(code: 1)) }
        #expect(client.receive(2) == TurningFilter.farewell)
        #expect(try loop.onLoop { $0.counters.handshakesCompleted } == 1)
    }

    @Test func moreThanOneReadGoesThrough() throws {
        var limits = ReactorLimits()
        limits.readBytes = 64
        let (loop, address) = try start(limits)
        let client = try Client(address)
        let bytes = (0..<2000).map { UInt8($0 % 200) }
        client.send(TurningFilter.password + turned(bytes).filter { $0 < TurningFilter.end })
        let sent = bytes.filter { $0 ^ TurningFilter.mask < TurningFilter.end }
        #expect(client.receive(1 + sent.count & ~1) == [0] + turned(Array(sent[..<(sent.count & ~1)])))
        withExtendedLifetime(loop) {}
    }

    @Test func anEndInsideTheFilterIsTheEndOfInput() throws {
        let (loop, address) = try start()
        let client = try Client(address)
        client.send(TurningFilter.password + [TurningFilter.end])
        let ended = loop.next("end of input") { if case .endOfInput(let connection) = $0 { connection } else { nil } }
        let connection = try #require(ended)
        #expect(try loop.onLoop { $0.write(connection, [4, 5]) })
        #expect(client.receive(3) == [0] + turned([4, 5]))
    }

    @Test func aRefusedPeerIsNeverOpened() throws {
        let (loop, address) = try start()
        let client = try Client(address)
        client.send([9, 9, 9])
        let detail = loop.next("failed handshake") { if case .handshakeFailed(_, let text) = $0 { text } else { nil } }
        #expect(detail == "wrong word")
        #expect(client.receive(2) == TurningFilter.farewell)
        let gone = try Client(address)
        gone.endOutput()
        #expect(
            loop.next("failed handshake") { if case .handshakeFailed(3, let text) = $0 { text } else { nil } }
                == "ended by the peer")
        let counters = try loop.onLoop { $0.counters }
        #expect(counters.handshakesFailed == 2)
        #expect(counters.connectionsOpen == 0)
    }

    @Test func aHandshakeHasALimitOfTime() throws {
        var limits = ReactorLimits()
        limits.handshakeMilliseconds = 30
        let (loop, address) = try start(limits)
        let client = try Client(address)
        client.send([1])
        #expect(client.receive(2) == TurningFilter.farewell)
        #expect(
            loop.next("failed handshake") { if case .handshakeFailed(_, let text) = $0 { text } else { nil } }
                == "not finished within 30 ms")
        #expect(try loop.onLoop { $0.counters.handshakesTimedOut } == 1)
        // The limit ends with the handshake.
        let other = try Client(address)
        other.send(TurningFilter.password)
        let connection = try #require(loop.nextOpened())
        try loop.onLoop { loop in _ = loop.schedule(afterMilliseconds: 60, token: 1) }
        #expect(loop.next("timer") { $0 == .timer(1) ? true : nil } == true)
        #expect(try loop.onLoop { $0.isOpen(connection) })
    }

    @Test func whatBreaksTheFilterClosesTheConnection() throws {
        let (loop, address) = try start()
        let client = try Client(address)
        client.send(TurningFilter.password + turned([6, 6]) + [TurningFilter.broken])
        #expect(loop.nextReceived() == [6, 6])
        #expect(loop.nextClosed() == .filterFailed)
        #expect(client.receive(4) == [0] + turned([6, 6]) + TurningFilter.farewell)
        #expect(try loop.onLoop { $0.counters.closedFilterFailed } == 1)
    }
}
