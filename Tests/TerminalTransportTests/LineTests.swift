import AlarmPipeline
import Glibc
import Reactor
import TerminalModel
import TerminalProtocols
import Testing

@testable import TerminalTransport

@Suite struct LineListeningTests {
    private func listening(_ bauds: [Int], first: Int = 9600) -> LineListening {
        LineListening(
            TerminalLine(options: SerialOptions(path: "/dev/x", baud: first), protocols: [.jt808], bauds: bauds))
    }

    @Test func onlyNoiseLeadsToTheNextRate() {
        var line = listening([9600, 38_400, 115_200])
        #expect(line.received(bytes: 40, frames: 0, now: 0) == .nothing)
        #expect(line.received(bytes: 40, frames: 0, now: 1_999) == .nothing)
        #expect(line.received(bytes: 40, frames: 0, now: 2_000) == .tryBaud(38_400))
        #expect(line.received(bytes: 1_023, frames: 0, now: 2_001) == .nothing)
        #expect(line.received(bytes: 1, frames: 0, now: 2_002) == .tryBaud(115_200))
        #expect(line.received(bytes: 1_024, frames: 0, now: 2_003) == .tryBaud(9600), "not round again")
    }

    @Test func aGoodFrameEndsTheSearchUntilTheLineIsOpenedAgain() {
        var line = listening([9600, 38_400])
        #expect(line.received(bytes: 40, frames: 1, now: 0) == .heard)
        #expect(line.received(bytes: 5_000, frames: 0, now: 60_000) == .nothing)
        #expect(line.received(bytes: 40, frames: 1, now: 60_500) == .heard)
        #expect(line.received(bytes: 40, frames: 1, now: 61_499) == .nothing, "told more than once a second")
        #expect(line.received(bytes: 40, frames: 1, now: 61_500) == .heard)
        line.opened()
        #expect(line.received(bytes: 5_000, frames: 0, now: 62_000) == .tryBaud(38_400))
    }

    @Test func oneRateIsNeverChanged() {
        var line = listening([])
        #expect(line.received(bytes: 50_000, frames: 0, now: 0) == .nothing)
        #expect(line.received(bytes: 50_000, frames: 0, now: 60_000) == .nothing)
    }
}

@Suite(.serialized) struct LineTests {
    private func pseudoTerminal() -> (master: Int32, path: String) {
        var master: Int32 = 0
        var slave: Int32 = 0
        var name = [CChar](repeating: 0, count: 128)
        #expect(openpty(&master, &slave, &name, nil, nil) == 0)
        close(slave)
        return (master, String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
    }

    @Test func linesComeAndGoWhileTheGatewayRuns() throws {
        let gateway = try Gateway()
        let (master, path) = pseudoTerminal()
        let wire = Wire(descriptor: master)
        gateway.transport.open(7, TerminalLine(options: SerialOptions(path: path), protocols: [.jt808]))
        #expect(gateway.sink.wait { _ in gateway.sink.lineEvents == [.opened] })
        wire.send(Frames.encode(.heartbeat(JT808Bytes()), flowID: 1))
        #expect(gateway.sink.wait { _ in gateway.sink.lineEvents.contains(.heard(baud: 115_200)) })
        gateway.transport.close(7)
        #expect(gateway.sink.wait { _ in gateway.sink.lineEvents.last == .closed })
        gateway.transport.open(8, TerminalLine(options: SerialOptions(path: path), protocols: [.jt808]))
        #expect(gateway.sink.wait { _ in gateway.sink.lineEvents.last == .opened })
    }

    @Test func theRateIsFoundOnTheLine() throws {
        let gateway = try Gateway()
        let (master, path) = pseudoTerminal()
        let wire = Wire(descriptor: master)
        gateway.transport.open(
            7,
            TerminalLine(
                options: SerialOptions(path: path, baud: 9600), protocols: [.jt808], bauds: [9600, 57_600]))
        #expect(gateway.sink.wait { _ in gateway.sink.lineEvents == [.opened] })
        // What another rate looks like: bytes without a frame.
        wire.send([UInt8](repeating: 0xF0, count: 1_500))
        #expect(
            gateway.sink.wait { _ in
                var line = termios()
                return tcgetattr(master, &line) == 0 && cfgetospeed(&line) == speed_t(B57600)
            })
        wire.send(Frames.sos(flowID: 3))
        #expect(gateway.sink.wait { _ in gateway.sink.lineEvents.contains(.heard(baud: 57_600)) })
        #expect(gateway.sink.wait { _ in gateway.sink.reports.contains { $0.0.bearer == .serial } })
    }

    @Test(arguments: [true, false]) func aPagerBesideTheGatewayIsWhereTheGatewayIs(isBeside: Bool) throws {
        let gateway = try Gateway()
        let (master, path) = pseudoTerminal()
        let wire = Wire(descriptor: master)
        let changsha = Position(
            valid: true, latitudeDegrees: 28.23, longitudeDegrees: 112.94, accuracyMetres: 9, source: .gateway)
        gateway.transport.setGatewayPosition(changsha)
        gateway.transport.open(
            7,
            TerminalLine(options: SerialOptions(path: path), protocols: [.jt808], isBesideGateway: isBeside))
        #expect(gateway.sink.wait { _ in gateway.sink.lineEvents == [.opened] })
        wire.send(Frames.sos(flowID: 3, hasFix: false))
        #expect(gateway.sink.wait { _ in !gateway.sink.reports.isEmpty })
        let position = try #require(gateway.sink.reports[0].0.event.position)
        #expect((position == changsha) == isBeside)
        #expect(position.valid == isBeside)
        // A fix of its own is never replaced, and what the gateway does not know any more is not told.
        wire.send(Frames.sos(flowID: 4, hasFix: true))
        #expect(gateway.sink.wait { _ in gateway.sink.reports.count == 2 })
        #expect(gateway.sink.reports[1].0.event.position?.source == .gnss)
        gateway.transport.setGatewayPosition(nil)
        // What the loop tells of the next order shows that it has taken the one before.
        gateway.transport.open(
            8, TerminalLine(options: SerialOptions(path: "/nonexistent"), protocols: [.jt808]))
        #expect(gateway.sink.wait { _ in gateway.sink.lineEvents.contains(.waiting(.refused(code: ENOENT))) })
        wire.send(Frames.sos(flowID: 5, hasFix: false))
        #expect(gateway.sink.wait { _ in gateway.sink.reports.count == 3 })
        #expect(gateway.sink.reports[2].0.event.position?.valid == false)
    }
}
