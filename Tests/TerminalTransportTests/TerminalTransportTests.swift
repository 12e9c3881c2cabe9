import AlarmPipeline
import Glibc
import Reactor
import TerminalModel
import TerminalProtocols
import TerminalSession
import Testing

@testable import TerminalTransport

@Suite("Terminal transport")
struct TerminalTransportTests {
    @Test("An SOS reaches the sink, its result reaches the terminal, and nothing before")
    func sosOverTCP() throws {
        let gateway = try Gateway()
        let wire = Wire(connectingTo: gateway.port)
        let frame = Frames.sos(flowID: 7)
        wire.send(Array(frame.prefix(20)))
        wire.send(Array(frame.dropFirst(20)))
        #expect(gateway.sink.wait { _ in gateway.sink.reports.count == 1 })
        let (report, ticket) = try #require(gateway.sink.reports.first)
        #expect(report.event.alarms.contains(.sos))
        #expect(report.frame == frame)
        #expect(report.bearer == .tcp)
        #expect(wire.read(milliseconds: 50) == nil, "an answer left before the result")
        gateway.transport.deliver([IngestResult(ticket: ticket, outcome: .stored, isAlarm: true)])
        let answer = try Frames.message(try #require(wire.read()))
        #expect(answer == .platformResponse(.init(flowID: 7, messageID: 0x0200, result: .alarmConfirmed)))
    }

    @Test("A terminal that ends its side after an SOS still hears the acknowledgement")
    func halfClosed() throws {
        let gateway = try Gateway()
        let wire = Wire(connectingTo: gateway.port)
        wire.send(Frames.sos(flowID: 7))
        shutdown(wire.descriptor, Int32(SHUT_WR))
        #expect(gateway.sink.wait { _ in gateway.sink.reports.count == 1 })
        let (_, ticket) = try #require(gateway.sink.reports.first)
        gateway.transport.deliver([IngestResult(ticket: ticket, outcome: .stored)])
        let answer = try Frames.message(try #require(wire.read()))
        #expect(answer == .platformResponse(.init(flowID: 7, messageID: 0x0200, result: .ok)))
        #expect(wire.read() == [], "the connection ends once the answer is out")
    }

    @Test("A failed result is silence")
    func failedResult() throws {
        let gateway = try Gateway()
        let wire = Wire(connectingTo: gateway.port)
        wire.send(Frames.sos(flowID: 7))
        #expect(gateway.sink.wait { _ in gateway.sink.reports.count == 1 })
        let (_, ticket) = try #require(gateway.sink.reports.first)
        gateway.transport.deliver([IngestResult(ticket: ticket, outcome: .failed)])
        wire.send(Frames.encode(.heartbeat(JT808Bytes()), flowID: 8))
        let answer = try Frames.message(try #require(wire.read()))
        #expect(answer == .platformResponse(.init(flowID: 8, messageID: 0x0002, result: .ok)))
    }

    @Test("A result for a connection that has ended harms nobody")
    func staleResult() throws {
        let gateway = try Gateway(threads: 1)
        var wire: Wire? = Wire(connectingTo: gateway.port)
        wire?.send(Frames.sos(flowID: 7))
        #expect(gateway.sink.wait { _ in gateway.sink.reports.count == 1 })
        let (_, ticket) = try #require(gateway.sink.reports.first)
        wire?.reset()
        wire = nil
        #expect(
            gateway.sink.wait { items in
                items.contains { if case .offline = $0 { true } else { false } }
            })
        let next = Wire(connectingTo: gateway.port)
        gateway.transport.deliver([IngestResult(ticket: ticket, outcome: .stored)])
        next.send(Frames.encode(.heartbeat(JT808Bytes()), flowID: 8))
        let answer = try Frames.message(try #require(next.read()))
        #expect(answer == .platformResponse(.init(flowID: 8, messageID: 0x0002, result: .ok)))
    }

    @Test("The newest connection of a terminal wins, also on another thread", arguments: [1, 4])
    func newestWins(threads: Int) throws {
        let gateway = try Gateway(threads: threads)
        var wires: [Wire] = []
        for flow in 0..<UInt16(6) {
            let wire = Wire(connectingTo: gateway.port)
            wire.send(Frames.encode(.heartbeat(JT808Bytes()), flowID: flow))
            #expect(wire.read()?.isEmpty == false)
            for old in wires { #expect(old.read() == []) }
            wires = [wire]
        }
    }

    @Test("A command goes out on the terminal's connection and its outcome comes back")
    func command() throws {
        let gateway = try Gateway()
        let wire = Wire(connectingTo: gateway.port)
        wire.send(Frames.encode(.heartbeat(JT808Bytes()), flowID: 1))
        _ = wire.read()
        let terminal = Frames.phone.terminal
        gateway.transport.deliver([
            DownlinkOrder(id: 9, terminal: terminal, command: .locate, expiresMonotonicMilliseconds: .max)
        ])
        #expect(try Frames.message(try #require(wire.read())) == .queryLocation(JT808Bytes()))
        wire.send(
            Frames.encode(.terminalResponse(.init(flowID: 1, messageID: 0x8201, result: .failed)), flowID: 2))
        #expect(
            gateway.sink.wait { items in
                items.contains {
                    if case .command(9, .failed(reason: "terminal failed"), _) = $0 { true } else { false }
                }
            })
    }

    @Test("A command goes over the bearer that it names and no other")
    func bearer() throws {
        let udp = TerminalListener(
            address: try #require(SocketAddress("127.0.0.1", port: 0)), transport: .udp, protocols: [.jt808])
        let gateway = try Gateway(threads: 4, more: [udp])
        let stream = Wire(connectingTo: gateway.port)
        stream.send(Frames.encode(.heartbeat(JT808Bytes()), flowID: 1))
        #expect(stream.read()?.isEmpty == false)
        let datagrams = Wire(connectingTo: gateway.morePorts[0], over: .udp)
        datagrams.send(Frames.encode(.heartbeat(JT808Bytes()), flowID: 2))
        #expect(datagrams.read()?.isEmpty == false)
        for (bearer, wire, other) in [(Bearer.udp, datagrams, stream), (.tcp, stream, datagrams)] {
            gateway.transport.deliver([
                DownlinkOrder(
                    id: 9, terminal: Frames.phone.terminal, command: .locate, expiresMonotonicMilliseconds: .max,
                    bearer: bearer)
            ])
            #expect(try Frames.message(try #require(wire.read())) == .queryLocation(JT808Bytes()))
            #expect(other.read(milliseconds: 50) == nil, "a second copy over another bearer than \(bearer)")
        }
        // Where it is not, nothing is sent: the pipeline hears that it has left and asks for another way.
        gateway.transport.deliver([
            DownlinkOrder(
                id: 10, terminal: Frames.phone.terminal, command: .restart, expiresMonotonicMilliseconds: .max,
                bearer: .serial)
        ])
        #expect(stream.read(milliseconds: 50) == nil)
        #expect(datagrams.read(milliseconds: 50) == nil)
    }

    @Test("An older identification on another thread does not end the newest connection", arguments: [1, 4])
    func olderIdentification(threads: Int) throws {
        let gateway = try Gateway(threads: threads)
        let older = gateway.transport.nextIdentification()
        let wire = Wire(connectingTo: gateway.port)
        wire.send(Frames.encode(.heartbeat(JT808Bytes()), flowID: 1))
        #expect(wire.read()?.isEmpty == false)
        let nowhere = UInt16.max
        gateway.transport.displaced(Frames.phone.terminal, .tcp, older, from: nowhere)
        wire.send(Frames.encode(.heartbeat(JT808Bytes()), flowID: 2))
        #expect(wire.read()?.isEmpty == false, "the newest connection was closed")
        gateway.transport.displaced(
            Frames.phone.terminal, .tcp, gateway.transport.nextIdentification(), from: nowhere)
        #expect(wire.read() == [])
    }

    @Test("A peer that says nothing is closed at the first-frame limit")
    func firstFrameLimit() throws {
        var limits = SessionLimits()
        limits.firstFrameMilliseconds = 30
        let gateway = try Gateway(limits: limits)
        #expect(Wire(connectingTo: gateway.port).read() == [])
    }

    @Test("A port that another gateway answers on is not shared with it", arguments: [1, 2])
    func portIsTaken(threads: Int) throws {
        let gateway = try Gateway(threads: 2)
        let error = #expect(throws: ReactorError.self) { try Gateway(threads: threads, port: gateway.port) }
        #expect(error.map { "\($0)" }?.contains("in use") == true)
    }

    @Test("An SOS over a pseudo-terminal is acknowledged on it, and the terminal may be on TCP as well")
    func serialLine() throws {
        var master: Int32 = 0
        var slave: Int32 = 0
        var name = [CChar](repeating: 0, count: 128)
        #expect(openpty(&master, &slave, &name, nil, nil) == 0)
        let path = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        let line = TerminalLine(options: SerialOptions(path: path, baud: 115_200), protocols: [.jt808])
        let gateway = try Gateway(lines: [line])
        let wire = Wire(descriptor: master)
        let socket = Wire(connectingTo: gateway.port)
        socket.send(Frames.encode(.heartbeat(JT808Bytes()), flowID: 1))
        _ = socket.read()
        #expect(gateway.sink.wait { _ in gateway.sink.lineEvents == [.opened] })
        close(slave)
        wire.send(Frames.sos(flowID: 3))
        #expect(gateway.sink.wait { _ in gateway.sink.reports.contains { $0.0.bearer == .serial } })
        let (_, ticket) = try #require(gateway.sink.reports.first { $0.0.bearer == .serial })
        gateway.transport.deliver([IngestResult(ticket: ticket, outcome: .stored)])
        let answer = try Frames.message(try #require(wire.read()))
        #expect(answer == .platformResponse(.init(flowID: 3, messageID: 0x0200, result: .ok)))
        socket.send(Frames.encode(.heartbeat(JT808Bytes()), flowID: 2))
        #expect(socket.read()?.isEmpty == false, "the connection over TCP was closed by the one over serial")
    }
}
