import AlarmPipeline
import Glibc
import TerminalModel
import TerminalProtocols
import TerminalSession
import Testing

@testable import TerminalTransport

@Suite("Terminals over UDP")
struct DatagramTests {
    private static func offline(_ items: [IngestItem]) -> [String] {
        items.compactMap { if case .offline(_, .udp, let reason, _) = $0 { reason } else { nil } }
    }

    private static func online(_ items: [IngestItem]) -> Int {
        items.count { if case .online(_, .udp, _, _, _) = $0 { true } else { false } }
    }

    @Test("An SOS is acknowledged to where it came from, after its result and not before")
    func sos() throws {
        let gateway = try Gateway(transport: .udp)
        let wire = Wire(connectingTo: gateway.port, over: .udp)
        wire.send(Frames.sos(flowID: 7))
        #expect(gateway.sink.wait { _ in gateway.sink.reports.count == 1 })
        let (report, ticket) = try #require(gateway.sink.reports.first)
        #expect(report.bearer == .udp)
        #expect(report.frame == Frames.sos(flowID: 7))
        #expect(wire.read(milliseconds: 50) == nil, "an answer left before the result")
        gateway.transport.deliver([IngestResult(ticket: ticket, outcome: .stored, isAlarm: true)])
        let answer = try Frames.message(try #require(wire.read()))
        #expect(answer == .platformResponse(.init(flowID: 7, messageID: 0x0200, result: .alarmConfirmed)))
    }

    @Test("Garbage makes nobody known and is not answered; nor does half a frame wait for its rest")
    func garbage() throws {
        let gateway = try Gateway(threads: 1, transport: .udp)
        let wire = Wire(connectingTo: gateway.port, over: .udp)
        let sos = Frames.sos(flowID: 7)
        wire.send([1, 2, 3])
        wire.send([])
        wire.send([0x7E])
        var broken = sos
        broken[20] ^= 1
        wire.send(broken)
        wire.send(Array(sos.prefix(30)))
        wire.send(Array(sos.dropFirst(30)))
        #expect(wire.read(milliseconds: 100) == nil)
        #expect(gateway.sink.all.isEmpty)
        // A known peer gains nothing by halves either, and its next frame is read whole.
        wire.send(Frames.encode(.heartbeat(JT808Bytes()), flowID: 1))
        #expect(wire.read()?.isEmpty == false)
        wire.send(Array(sos.prefix(30)))
        wire.send(Array(sos.dropFirst(30)))
        wire.send(sos)
        #expect(gateway.sink.wait { _ in gateway.sink.reports.count { $0.0.event.kind == .report } == 1 })
    }

    @Test("Strangers take nobody's place, whatever they send")
    func strangers() throws {
        let gateway = try Gateway(threads: 1, transport: .udp, maximumDatagramPeers: 1)
        let wire = Wire(connectingTo: gateway.port, over: .udp)
        let heartbeat = Frames.encode(.heartbeat(JT808Bytes()), flowID: 1)
        wire.send(heartbeat)
        #expect(wire.read()?.isEmpty == false)
        var broken = heartbeat
        broken[5] ^= 1
        for bytes in [[], [0x7E, 1, 2, 3, 0x7E], broken, Array(heartbeat.dropLast())] {
            Wire(connectingTo: gateway.port, over: .udp).send(bytes)
        }
        wire.send(heartbeat)
        #expect(wire.read()?.isEmpty == false)
        #expect(Self.offline(gateway.sink.all).isEmpty)
        #expect(Self.online(gateway.sink.all) == 1)
    }

    @Test("Many terminals behind one address are each served, answered and commanded")
    func sharedAddress() throws {
        let gateway = try Gateway(threads: 1, transport: .udp)
        let wire = Wire(connectingTo: gateway.port, over: .udp)
        let phones = (1...100).map { JT808Phone(nibbles: UInt128($0), isLong: false) }
        for round in 0..<2 as Range<UInt16> {
            for phone in phones {
                wire.send(Frames.encode(.heartbeat(JT808Bytes()), flowID: round, phone: phone))
                let answer = try #require(wire.read())
                #expect(
                    Array(answer[5..<11])
                        == Array(Frames.encode(.heartbeat(JT808Bytes()), flowID: 0, phone: phone)[5..<11]))
            }
        }
        #expect(Self.online(gateway.sink.all) == 100)
        #expect(Self.offline(gateway.sink.all).isEmpty)
        gateway.transport.deliver([
            DownlinkOrder(id: 9, terminal: phones[3].terminal, command: .locate, expiresMonotonicMilliseconds: .max)
        ])
        let command = try #require(wire.read())
        #expect(try Frames.message(command) == .queryLocation(JT808Bytes()))
        #expect(command[10] == 4)
    }

    @Test("A terminal that comes from another address is answered there alone", arguments: [1, 4])
    func newAddress(threads: Int) throws {
        let gateway = try Gateway(threads: threads, transport: .udp)
        let heartbeat = Frames.encode(.heartbeat(JT808Bytes()), flowID: 1)
        let old = Wire(connectingTo: gateway.port, over: .udp)
        old.send(heartbeat)
        #expect(old.read()?.isEmpty == false)
        let new = Wire(connectingTo: gateway.port, over: .udp)
        new.send(heartbeat)
        #expect(new.read()?.isEmpty == false)
        let order = DownlinkOrder(
            id: 9, terminal: Frames.phone.terminal, command: .locate, expiresMonotonicMilliseconds: .max)
        // On several threads the old place hears of the new one by mail.
        if threads > 1 { usleep(100_000) }
        gateway.transport.deliver([order])
        #expect(try Frames.message(try #require(new.read())) == .queryLocation(JT808Bytes()))
        #expect(old.read(milliseconds: 50) == nil)
        // Somebody else's garbage from the old address changes nothing.
        old.send([0x7E, 1, 2, 3, 0x7E])
        gateway.transport.deliver([
            DownlinkOrder(
                id: 10, terminal: Frames.phone.terminal, command: .restart, expiresMonotonicMilliseconds: .max)
        ])
        new.send(Frames.encode(.terminalResponse(.init(flowID: 1, messageID: 0x8201, result: .failed)), flowID: 2))
        #expect(try Frames.message(try #require(new.read())) == .control(JT808Control(command: 4)))
        #expect(old.read(milliseconds: 50) == nil)
    }

    @Test("An unanswered command is repeated in its time")
    func repetition() throws {
        var limits = SessionLimits()
        limits.commandTimeoutMilliseconds = 40
        let gateway = try Gateway(threads: 1, limits: limits, transport: .udp)
        // The round over all peers takes half a minute for these; a command does not wait for it.
        let others = (1...120).map { number in
            let wire = Wire(connectingTo: gateway.port, over: .udp)
            let phone = JT808Phone(nibbles: UInt128(number), isLong: false)
            wire.send(Frames.encode(.heartbeat(JT808Bytes()), flowID: 1, phone: phone))
            return wire
        }
        for other in others { #expect(other.read()?.isEmpty == false) }
        let wire = Wire(connectingTo: gateway.port, over: .udp)
        wire.send(Frames.encode(.heartbeat(JT808Bytes()), flowID: 1))
        _ = wire.read()
        gateway.transport.deliver([
            DownlinkOrder(
                id: 9, terminal: Frames.phone.terminal, command: .locate, expiresMonotonicMilliseconds: .max)
        ])
        let first = try #require(wire.read())
        #expect(wire.read() == first)
    }

    // MARK: - Protocols whose frames do not name their terminal

    private static func gt06Login(_ imei: UInt64, serial: UInt16) -> [UInt8] {
        GT06Codec.encode(.login(GT06Login(imeiNibbles: imei)), serial: serial)
    }

    private static func gt06SOS(serial: UInt16) -> [UInt8] {
        let cell = GT06Cell(countryCode: 460, networkCode: 0, areaCode: 1, identity: 2)
        let status = GT06Status(information: 0x44, power: .level(5), signal: 3, alarm: 1)
        return GT06Codec.encode(.cellAlarm(0x19, GT06CellAlarm(cell: cell, status: status)), serial: serial)
    }

    private static let pendant: UInt64 = 0x0999_9100_0000_0011

    @Test("An SOS before a login is one of nobody, and its sender stays unknown until it logs in")
    func sosBeforeLogin() throws {
        let gateway = try Gateway(threads: 1, transport: .udp, protocols: [.gt06])
        let wire = Wire(connectingTo: gateway.port, over: .udp)
        wire.send(Self.gt06SOS(serial: 1))
        #expect(gateway.sink.wait { _ in gateway.sink.reports.count == 1 })
        let (report, ticket) = try #require(gateway.sink.reports.first)
        #expect(report.event.alarms.contains(.sos))
        #expect(report.trust == .unknown)
        #expect(report.frame == Self.gt06SOS(serial: 1))
        #expect(ticket.request == 0, "nobody is answered")
        #expect(Self.online(gateway.sink.all) == 0)
        // What is none is not kept.
        wire.send(GT06Codec.encode(.heartbeat(GT06Heartbeat(information: 0x40)), serial: 2))
        wire.send(Self.gt06Login(Self.pendant, serial: 3))
        #expect(wire.read() == GT06Codec.acknowledgement(0x01, serial: 3))
        wire.send(Self.gt06SOS(serial: 4))
        #expect(gateway.sink.wait { _ in gateway.sink.reports.contains { $0.0.event.sequence == 4 } })
        #expect(!gateway.sink.reports.contains { $0.0.event.sequence == 2 })
        let own = try #require(gateway.sink.reports.last)
        #expect(own.0.event.terminal == TerminalID(nibbles: UInt128(Self.pendant)))
        #expect(own.1.request != 0)
    }

    @Test("An address that was silent for the idle limit is nobody's, also before the sweep has come by")
    func reusedAddress() throws {
        var limits = SessionLimits()
        limits.idleMilliseconds = 60
        let gateway = try Gateway(threads: 1, limits: limits, transport: .udp, protocols: [.gt06])
        let wire = Wire(connectingTo: gateway.port, over: .udp)
        wire.send(Self.gt06Login(Self.pendant, serial: 1))
        #expect(wire.read()?.isEmpty == false)
        usleep(120_000)
        wire.send(Self.gt06SOS(serial: 2))
        #expect(gateway.sink.wait { _ in gateway.sink.reports.contains { $0.0.event.sequence == 2 } })
        let report = try #require(gateway.sink.reports.last).0
        #expect(report.event.terminal != TerminalID(nibbles: UInt128(Self.pendant)))
        #expect(report.trust == .unknown)
        #expect(Self.offline(gateway.sink.all) == ["idle"])
    }

    @Test("A silent peer ends at the idle limit, and above the number of peers the one silent longest")
    func ends() throws {
        var limits = SessionLimits()
        limits.idleMilliseconds = 60
        let idle = try Gateway(limits: limits, transport: .udp)
        let wire = Wire(connectingTo: idle.port, over: .udp)
        wire.send(Frames.encode(.heartbeat(JT808Bytes()), flowID: 1))
        #expect(idle.sink.wait { Self.offline($0) == ["idle"] })

        let few = try Gateway(threads: 1, transport: .udp, maximumDatagramPeers: 2)
        var wires: [Wire] = []
        for number in 1...3 as ClosedRange<UInt128> {
            let wire = Wire(connectingTo: few.port, over: .udp)
            wire.send(
                Frames.encode(
                    .heartbeat(JT808Bytes()), flowID: 1, phone: JT808Phone(nibbles: number, isLong: false)))
            #expect(wire.read()?.isEmpty == false)
            wires.append(wire)
            usleep(5_000)
        }
        #expect(few.sink.wait { Self.offline($0).count == 1 && Self.online($0) == 3 })
        guard case .offline(let terminal, _, _, _)? = few.sink.all.first(where: { Self.offline([$0]).count == 1 })
        else {
            return
        }
        #expect(terminal == TerminalID(nibbles: 1))
    }
}

@Suite("Flat table")
struct FlatTableTests {
    @Test("Agrees with a dictionary over many random changes, with keys that crowd", arguments: [0, 1, 2] as [UInt64])
    func agrees(seed: UInt64) {
        var table = FlatTable(seed: seed)
        var dictionary: [UInt128: UInt64] = [:]
        var state = seed &+ 0x9E37_79B9_7F4A_7C15
        func random(_ below: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % below
        }
        for step in 0..<20_000 {
            let key = UInt128(random(400)) << (random(2) == 0 ? 0 : 64)
            if random(3) == 0 {
                table[key] = nil
                dictionary[key] = nil
            } else {
                table[key] = UInt64(step + 1)
                dictionary[key] = UInt64(step + 1)
            }
            let other = UInt128(random(400))
            #expect(table[other] == dictionary[other])
        }
        #expect(table.count == dictionary.count)
        for (key, value) in dictionary { #expect(table[key] == value) }
    }
}
