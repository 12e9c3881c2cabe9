import CReactor
import Glibc
import Reactor
import Testing

@Suite struct ListenerTests {
    @Test func acceptsABurstOfAThousand() throws {
        let socket = try ListeningSocket(binding: loopback, limits: ReactorLimits())
        let loop = try TestLoop { loop, recorder in
            try loop.listen(socket, tag: 0)
            recorder.onReceived = { connection, bytes, loop in
                loop.write(connection, bytes)
                return bytes.count
            }
        }
        // The loop stands still until all have connected.
        let goOn = try Mailbox<Int>(name: "go on", capacity: 2)
        #expect(loop.thread.execute { _ in _ = goOn.wait(milliseconds: 10_000) })
        let clients = try (0..<1000).map { number in
            let client = try Client(socket.address)
            client.send([UInt8(truncatingIfNeeded: number)])
            return client
        }
        #expect(goOn.post(1))
        for (number, client) in clients.enumerated() {
            #expect(client.receive(1) == [UInt8(truncatingIfNeeded: number)])
        }
        let counters = try loop.onLoop { $0.counters }
        #expect(counters.connectionsAccepted == 1000)
        #expect(counters.connectionsOpen == 1000)
    }

    @Test func refusesMoreThanItsTableHolds() throws {
        var limits = ReactorLimits()
        limits.maximumConnections = 2
        let socket = try ListeningSocket(binding: loopback, limits: limits)
        let loop = try TestLoop(limits: limits) { loop, _ in try loop.listen(socket, tag: 0) }
        var clients = try (0..<2).map { _ in try Client(socket.address) }
        _ = loop.nextOpened()
        _ = loop.nextOpened()
        let third = try Client(socket.address)
        #expect(third.receive(1) == [])
        #expect(try loop.onLoop { $0.counters.connectionsRefusedFull } == 1)
        clients.removeLast()
        #expect(loop.nextClosed() == .endOfInput)
        let fourth = try Client(socket.address)
        #expect(loop.nextOpened() != nil)
        withExtendedLifetime(fourth) {}
    }

    @Test func countsConnectionsPerPeer() throws {
        var limits = ReactorLimits()
        limits.maximumConnectionsPerPeer = 2
        let socket = try ListeningSocket(binding: loopback, limits: limits)
        let loop = try TestLoop(limits: limits) { loop, _ in try loop.listen(socket, tag: 0) }
        var clients = try (0..<2).map { _ in try Client(socket.address) }
        _ = loop.nextOpened()
        _ = loop.nextOpened()
        let third = try Client(socket.address)
        #expect(third.receive(1) == [])
        #expect(try loop.onLoop { $0.counters.connectionsRefusedPeer } == 1)
        let other = try TestLoop { loop, _ in
            _ = try loop.connect(to: socket.address, from: SocketAddress("127.9.9.9", port: 0), tag: 0)
        }
        #expect(loop.nextOpened() != nil, "another peer is not affected")
        clients.removeLast()
        #expect(loop.nextClosed() == .endOfInput)
        let fourth = try Client(socket.address)
        #expect(loop.nextOpened() != nil)
        withExtendedLifetime((fourth, other)) {}
    }

    @Test func survivesRunningOutOfDescriptors() async {
        await #expect(processExitsWith: .success) {
            var limits = ReactorLimits()
            limits.acceptPauseMilliseconds = 20
            let socket = try ListeningSocket(binding: loopback, limits: limits)
            let loop = try TestLoop(limits: limits) { loop, recorder in
                try loop.listen(socket, tag: 0)
                recorder.onReceived = { connection, bytes, loop in
                    loop.write(connection, bytes)
                    return bytes.count
                }
            }
            // Made while there are descriptors left.
            let answers = try Mailbox<ReactorCounters>(name: "answers", capacity: 2)
            // The clients take the lower descriptors, then the loop finds room for five connections.
            let unused = (0..<30).map { _ in Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
            let highest = try #require(unused.max())
            var room = rlimit(rlim_cur: rlim_t(highest + 6), rlim_max: rlim_t(highest + 6))
            try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &room) == 0)
            var clients = try unused.map { try Client(socket.address, descriptor: $0) }
            var answered: [Int] = []
            for (index, client) in clients.enumerated() where client.echoes(1) { answered.append(index) }
            #expect(answered == Array(0..<5))
            #expect(loop.thread.execute { loop in _ = answers.post(loop.counters) })
            try #require(answers.wait(milliseconds: 10_000))
            var full = ReactorCounters()
            answers.drain(maximum: 1) { full = $0 }
            #expect(full.connectionsOpen == 5)
            #expect(full.connectionsRefusedDescriptors == 25)
            #expect(full.acceptPauses >= 1)
            // One wake-up per pause and per frame, not a busy loop.
            #expect(full.wakeUps < 200)
            // With room again, service goes on by itself. Closing frees a descriptor on both sides.
            clients.removeAll()
            for _ in 0..<5 { #expect(loop.nextClosed() == .endOfInput) }
            let late = try Client(socket.address)
            #expect(late.echoes(2))
            exit(EXIT_SUCCESS)
        }
    }

    @Test func adoptsAListeningDescriptor() throws {
        let limits = ReactorLimits()
        let opened = try ListeningSocket(binding: loopback, limits: limits)
        // As a service manager hands it over: blocking and kept across exec.
        #expect(fcntl(opened.descriptor, F_SETFL, 0) == 0)
        let adopted = try ListeningSocket(adopting: opened.descriptor, limits: limits)
        #expect(adopted.address == opened.address)
        let loop = try TestLoop { loop, _ in try loop.listen(adopted, tag: 4) }
        let client = try Client(adopted.address)
        #expect(loop.nextOpened() != nil)
        #expect(throws: ReactorError.self) { try ListeningSocket(adopting: client.descriptor, limits: limits) }
        #expect(throws: ReactorError.self) { try DatagramSocket(adopting: client.descriptor) }
    }

    @Test func acceptedConnectionsHaveTheListenersOptions() throws {
        var limits = ReactorLimits()
        limits.keepaliveIdleSeconds = 77
        limits.unconfirmedMilliseconds = 12_345
        let socket = try ListeningSocket(binding: loopback, limits: limits)
        defer { socket.close() }
        let client = try Client(socket.address)
        var peer = reactor_address()
        #expect(reactor_poll(socket.descriptor, 10_000) == 1)
        let accepted = reactor_accept(socket.descriptor, &peer)
        try #require(accepted >= 0)
        defer { Glibc.close(accepted) }
        #expect(option(accepted, Int32(IPPROTO_TCP), TCP_NODELAY) == 1)
        #expect(option(accepted, SOL_SOCKET, SO_KEEPALIVE) == 1)
        #expect(option(accepted, Int32(IPPROTO_TCP), TCP_KEEPIDLE) == 77)
        #expect(option(accepted, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT) == 12_345)
        withExtendedLifetime(client) {}
    }

    private func option(_ descriptor: Int32, _ level: Int32, _ name: Int32) -> Int32 {
        var value: Int32 = -1
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, level, name, &value, &length)
        return value
    }

    @Test func severalLoopsShareOnePort() throws {
        let limits = ReactorLimits()
        let first = try ListeningSocket(binding: loopback, reusePort: true, limits: limits)
        let second = try ListeningSocket(binding: first.address, reusePort: true, limits: limits)
        let loops = try [first, second].map { socket in
            try TestLoop { loop, recorder in
                try loop.listen(socket, tag: 0)
                recorder.onReceived = { connection, bytes, loop in
                    loop.write(connection, bytes)
                    return bytes.count
                }
            }
        }
        let clients = try (0..<64).map { _ in try Client(first.address) }
        for client in clients { #expect(client.echoes(1)) }
        let accepted = try loops.map { try $0.onLoop { $0.counters.connectionsAccepted } }
        #expect(accepted.reduce(0, +) == 64)
        #expect(!accepted.contains(0), "64 connections all on one of two listeners")
    }

    @Test func servesBothFamiliesOnOneSocket() throws {
        let any = try #require(SocketAddress("::", port: 0))
        guard let socket = try? ListeningSocket(binding: any, limits: ReactorLimits()) else { return }
        let loop = try TestLoop { loop, _ in
            try loop.listen(socket, tag: 0)
            _ = try loop.connect(to: SocketAddress(ipv4: 0x7F00_0001, port: socket.address.port), tag: 1)
            if let six = SocketAddress("::1", port: socket.address.port) { _ = try? loop.connect(to: six, tag: 2) }
        }
        var hosts: Set<String> = []
        while hosts.count < 2 {
            let host: String? = loop.next("accepted") {
                switch $0 {
                case .opened(_, .accepted(_, let peer)): peer.host
                case .closed: "::1"
                default: nil
                }
            }
            try hosts.insert(#require(host))
        }
        #expect(hosts == ["127.0.0.1", "::1"])
    }

    @Test func removingAListenerKeepsItsConnections() throws {
        let socket = try ListeningSocket(binding: loopback, limits: ReactorLimits())
        let loop = try TestLoop { loop, recorder in
            let listener = try loop.listen(socket, tag: 0)
            recorder.onOpened = { _, loop in loop.removeSource(listener) }
            recorder.onReceived = { connection, bytes, loop in
                loop.write(connection, bytes)
                return bytes.count
            }
        }
        let client = try Client(socket.address)
        #expect(loop.nextOpened() != nil)
        _ = try loop.onLoop { $0.nowMilliseconds }
        #expect(throws: ReactorError.self) { try Client(socket.address) }
        #expect(client.echoes(3))
    }

    @Test func readsAndPrintsAddresses() throws {
        #expect(SocketAddress("10.0.0.1", port: 80)?.description == "10.0.0.1:80")
        #expect(SocketAddress("2001:db8::1", port: 80)?.description == "[2001:db8::1]:80")
        #expect(SocketAddress("localhost", port: 80) == nil)
        #expect(SocketAddress("10.0.0.1", port: 80) == SocketAddress(ipv4: 0x0A00_0001, port: 80))
    }
}
