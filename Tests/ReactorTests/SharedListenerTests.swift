import Glibc
import Reactor
import Testing

/// One listening socket in the hands of several threads, or of one process after another, as under socket activation.
@Suite struct SharedListenerTests {
    private func echo(_ sockets: [ListeningSocket], limits: ReactorLimits = ReactorLimits()) throws -> TestLoop {
        try TestLoop(limits: limits) { loop, recorder in
            for socket in sockets { try loop.listen(socket, tag: 0) }
            recorder.onReceived = { connection, bytes, loop in
                loop.write(connection, bytes)
                return bytes.count
            }
        }
    }

    /// A socket as a service manager holds it, and what it hands to a process.
    private func inherited() throws -> (manager: ListeningSocket, given: ListeningSocket) {
        let manager = try ListeningSocket(binding: loopback, limits: ReactorLimits())
        let given = try ListeningSocket(adopting: dup(manager.descriptor), limits: ReactorLimits())
        #expect(given.isShared && !manager.isShared)
        return (manager, given)
    }

    @Test func severalLoopsAcceptFromIt() throws {
        let (manager, given) = try inherited()
        defer { manager.close() }
        let loops = try [echo([ListeningSocket(duplicating: given)]), echo([given])]
        // While the first stands still the other one has to take what comes.
        let goOn = try Mailbox<Int>(name: "go on", capacity: 2)
        let stands = try Mailbox<Int>(name: "stands", capacity: 2)
        #expect(
            loops[0].thread.execute { _ in
                _ = stands.post(1)
                _ = goOn.wait(milliseconds: 10_000)
            })
        #expect(stands.wait(milliseconds: 10_000))
        for _ in 0..<20 { #expect(try Client(manager.address).echoes(1)) }
        #expect(goOn.post(1))
        let accepted = try loops.map { try $0.onLoop { $0.counters.connectionsAccepted } }
        #expect(accepted == [0, 20])
    }

    @Test func connectionsWaitWhileNobodyListens() throws {
        let (manager, given) = try inherited()
        defer { manager.close() }
        let first = try echo([given])
        let client = try Client(manager.address)
        #expect(client.echoes(1))
        first.thread.stop(drainMilliseconds: 1_000)
        #expect(first.thread.waitUntilStopped(milliseconds: 10_000))
        #expect(client.receive(1) == [], "connections of the old process end with it")
        let waiting = try (0..<50).map { number in
            let client = try Client(manager.address)
            client.send([UInt8(number)])
            return client
        }
        let second = try echo([ListeningSocket(adopting: dup(manager.descriptor), limits: ReactorLimits())])
        for (number, client) in waiting.enumerated() { #expect(client.receive(1) == [UInt8(number)]) }
        #expect(try second.onLoop { $0.counters.connectionsAccepted } == 50)
    }

    @Test func aRemovedOneIsNotReportedAnyMore() throws {
        let (manager, given) = try inherited()
        defer { manager.close() }
        let loop = try TestLoop { loop, _ in
            let listener = try loop.listen(given, tag: 0)
            loop.removeSource(listener)
        }
        let client = try Client(manager.address)
        _ = loop.thread.execute { loop in _ = loop.schedule(afterMilliseconds: 50, token: 1) }
        #expect(loop.next("timer") { $0 == .timer(1) ? true : nil } == true)
        #expect(try loop.onLoop { $0.counters.wakeUps } < 10)
        #expect(try loop.onLoop { $0.counters.staleEvents } == 0)
        withExtendedLifetime(client) {}
    }

    @Test func itRestsWhenThereIsNoDescriptorAndGoesOn() async {
        await #expect(processExitsWith: .success) {
            var limits = ReactorLimits()
            limits.acceptPauseMilliseconds = 20
            let manager = try ListeningSocket(binding: loopback, limits: limits)
            let given = try ListeningSocket(adopting: dup(manager.descriptor), limits: limits)
            let loop = try TestLoop(limits: limits) { loop, recorder in
                try loop.listen(given, tag: 0)
                recorder.onReceived = { connection, bytes, loop in
                    loop.write(connection, bytes)
                    return bytes.count
                }
            }
            let unused = (0..<4).map { _ in Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
            let highest = try #require(unused.max())
            var room = rlimit(rlim_cur: rlim_t(highest + 2), rlim_max: rlim_t(1000))
            try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &room) == 0)
            let clients = try unused.map { try Client(manager.address, descriptor: $0) }
            let answers = clients.map { $0.echoes(1) }
            // Other threads of the process may take the one descriptor that is left.
            #expect(answers.contains(false))
            room.rlim_cur = 1000
            try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &room) == 0)
            #expect(try Client(manager.address).echoes(2))
            #expect(loop.thread.counters.acceptPauses >= 1)
            exit(EXIT_SUCCESS)
        }
    }

    @Test func theCensusCountsOverAllLoops() throws {
        var limits = ReactorLimits()
        limits.maximumConnections = 4
        limits.maximumConnectionsPerPeer = 3
        let census = ConnectionCensus(limits)
        let sockets = try (0..<2).map { _ in try ListeningSocket(binding: loopback, limits: limits) }
        let loops = try sockets.map { socket in
            try TestLoop(limits: limits, census: census) { loop, recorder in
                try loop.listen(socket, tag: 0)
                recorder.onReceived = { connection, bytes, loop in
                    loop.write(connection, bytes)
                    return bytes.count
                }
            }
        }
        func client(_ loop: Int) throws -> Client { try Client(sockets[loop].address) }
        var clients = try [client(0), client(1), client(0)]
        for one in clients { #expect(one.echoes(1)) }
        #expect(try !client(1).echoes(1), "the fourth of one address")
        #expect(try loops[1].onLoop { $0.counters.connectionsRefusedPeer } == 1)

        limits.maximumConnectionsPerPeer = 10
        census.change(to: limits)
        clients.append(try client(1))
        #expect(clients[3].echoes(1))
        #expect(try !client(0).echoes(1), "the fifth in all")
        #expect(try loops[0].onLoop { $0.counters.connectionsRefusedFull } == 1)

        clients.removeFirst()
        #expect(loops[0].nextClosed() == .endOfInput)
        #expect(try client(1).echoes(1))
    }
}
