import AlarmPipeline
import Glibc
import Reactor
import TerminalModel
import TerminalProtocols
import TerminalSession
import Testing

@testable import TerminalTransport

/// A filter that is ready after one byte and turns all others over.
private final class TurningSource: StreamFilterSource {
    static let mask: UInt8 = 0x33

    private final class Filter: StreamFilter {
        private var isReady = false

        func received(_ bytes: Span<UInt8>, into step: inout FilterStep) {
            for index in (isReady ? 0 : 1)..<bytes.count { step.inward.append(bytes[index] ^ TurningSource.mask) }
            isReady = true
            step.isReady = true
        }

        func send(_ bytes: Span<UInt8>, into step: inout FilterStep) {
            for index in 0..<bytes.count { step.outward.append(bytes[index] ^ TurningSource.mask) }
        }

        func end(into step: inout FilterStep) {}
    }

    func makeFilters() -> () -> (any StreamFilter)? { { Filter() } }
}

private func turned(_ bytes: [UInt8]?) -> [UInt8]? { bytes?.map { $0 ^ TurningSource.mask } }

private func freePort() throws -> UInt16 {
    let socket = try ListeningSocket(binding: SocketAddress(ipv4: 0x7F00_0001, port: 0), limits: ReactorLimits())
    defer { socket.close() }
    return socket.address.port
}

@Suite struct ListenerChangeTests {
    private func heartbeat(_ flowID: UInt16) -> [UInt8] {
        Frames.encode(.heartbeat(JT808Bytes()), flowID: flowID)
    }

    /// True when the terminal's heartbeat is answered.
    private func answers(_ wire: Wire, _ flowID: UInt16) -> Bool {
        wire.send(heartbeat(flowID))
        return wire.read()?.isEmpty == false
    }

    @Test func aFilteredPortServesTheSameSessions() throws {
        let gateway = try Gateway(threads: 1, more: [.local(0, filter: TurningSource())])
        let wire = Wire(connectingTo: gateway.morePorts[0])
        wire.send([0])
        wire.send(Frames.sos(flowID: 7).map { $0 ^ TurningSource.mask })
        #expect(gateway.sink.wait { _ in gateway.sink.reports.count == 1 })
        let (report, ticket) = try #require(gateway.sink.reports.first)
        #expect(report.bearer == .tcp)
        #expect(report.frame == Frames.sos(flowID: 7))
        gateway.transport.deliver([IngestResult(ticket: ticket, outcome: .stored, isAlarm: true)])
        let answer = try Frames.message(try #require(turned(wire.read())))
        #expect(answer == .platformResponse(.init(flowID: 7, messageID: 0x0200, result: .alarmConfirmed)))
    }

    @Test func theNewestConnectionWinsAcrossFilteredAndPlainPorts() throws {
        let gateway = try Gateway(more: [.local(0, filter: TurningSource())])
        let plain = Wire(connectingTo: gateway.port)
        #expect(answers(plain, 1))
        let filtered = Wire(connectingTo: gateway.morePorts[0])
        filtered.send([0] + heartbeat(2).map { $0 ^ TurningSource.mask })
        #expect(filtered.read()?.isEmpty == false)
        #expect(plain.read() == [], "the older connection ends")
        let again = Wire(connectingTo: gateway.port)
        #expect(answers(again, 3))
        #expect(filtered.read() == [])
    }

    @Test func portsComeAndGoWhileConnectionsStay() throws {
        let gateway = try Gateway()
        let kept = Wire(connectingTo: gateway.port)
        #expect(answers(kept, 1))
        let added = try freePort()
        let ports = try gateway.transport.replace(listeners: [.local(0), .local(added)]).map(\.port)
        #expect(ports == [gateway.port, added])
        // Every loop has its own socket of the new port.
        for _ in 0..<8 {
            let probe = Wire(connectingTo: added)
            #expect(answers(probe, 2))
        }
        let late = Wire(connectingTo: added)
        #expect(answers(late, 3))
        #expect(try gateway.transport.replace(listeners: [.local(added)]).map(\.port) == [added])
        #expect(answers(late, 4))
        var refused = false
        for _ in 0..<200 where !refused {
            let wire = Wire(connectingTo: gateway.port)
            refused = wire.read(milliseconds: 10) == []
        }
        #expect(refused, "the removed port still answers")
        #expect(answers(late, 5))
    }

    @Test func aPortThatIsTakenChangesNothing() throws {
        let gateway = try Gateway()
        let other = try Gateway()
        let free = try freePort()
        #expect(throws: ReactorError.self) {
            try gateway.transport.replace(listeners: [.local(free), .local(other.port)])
        }
        #expect(answers(Wire(connectingTo: gateway.port), 1))
        // Nothing was left open by the attempt.
        #expect(try gateway.transport.replace(listeners: [.local(0), .local(free)]).count == 2)
        #expect(throws: TransportChangeError.self) {
            try gateway.transport.replace(listeners: [.local(0), .local(free, filter: TurningSource())])
        }
    }

    @Test func anInheritedPortIsServedByEveryLoopAndOutlivesTheGateway() throws {
        let manager = try ListeningSocket(binding: SocketAddress(ipv4: 0x7F00_0001, port: 0), limits: ReactorLimits())
        defer { manager.close() }
        for _ in 0..<2 {
            let gateway = try Gateway(port: manager.address.port, inherited: [dup(manager.descriptor)])
            #expect(gateway.port == manager.address.port)
            #expect(answers(Wire(connectingTo: gateway.port), 1))
            gateway.transport.stop()
        }
        let waiting = Wire(connectingTo: manager.address.port)
        waiting.send(heartbeat(2))
        let next = try Gateway(port: manager.address.port, inherited: [dup(manager.descriptor)])
        #expect(waiting.read()?.isEmpty == false)
        // Removed and added again by reloads.
        #expect(try next.transport.replace(listeners: []) == [])
        #expect(try next.transport.replace(listeners: [.local(manager.address.port)]).count == 1)
        #expect(answers(Wire(connectingTo: manager.address.port), 3))
    }

    @Test func datagramsWaitOnAnInheritedPort() throws {
        let manager = try DatagramSocket(binding: SocketAddress(ipv4: 0x7F00_0001, port: 0))
        defer { manager.close() }
        let waiting = Wire(connectingTo: manager.address.port, over: .udp)
        waiting.send(heartbeat(1))
        let gateway = try Gateway(port: manager.address.port, inherited: [dup(manager.descriptor)], transport: .udp)
        #expect(waiting.read()?.isEmpty == false)
        #expect(answers(waiting, 2))
        gateway.transport.stop()
        waiting.send(heartbeat(3))
        let next = try Gateway(port: manager.address.port, inherited: [dup(manager.descriptor)], transport: .udp)
        #expect(waiting.read()?.isEmpty == false)
        #expect(next.sink.wait { items in items.contains { if case .online = $0 { true } else { false } } })
    }

    @Test func newLimitsHoldForNewConnections() throws {
        let gateway = try Gateway()
        let first = Wire(connectingTo: gateway.port)
        #expect(answers(first, 1))
        var limits = ReactorLimits()
        limits.maximumConnections = 256
        limits.maximumConnectionsPerPeer = 1
        gateway.transport.replace(limits: limits)
        #expect(Wire(connectingTo: gateway.port).read() == [])
        #expect(answers(first, 2))
        // A loop publishes its counters when it has nothing more to do.
        #expect(
            gateway.sink.wait { _ in gateway.transport.counters.reduce(0) { $0 + $1.connectionsRefusedPeer } == 1 })
    }
}
