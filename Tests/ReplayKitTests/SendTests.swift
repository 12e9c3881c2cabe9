import Foundation
import Glibc
import Reactor
import Synchronization
import TerminalProtocols
import Testing

@testable import ReplayKit

/// What an in-test gateway was sent.
final class Log: Sendable {
    private let stored = Mutex<[(header: JT808Header, body: [UInt8])]>([])

    func append(_ header: JT808Header, _ body: [UInt8]) {
        stored.withLock { $0.append((header, body)) }
    }

    var messages: [UInt16] { stored.withLock { $0.map(\.header.messageID) } }
    var phones: Set<String> { stored.withLock { Set($0.map(\.header.phone.text)) } }
    func body(of message: UInt16) -> [UInt8]? {
        stored.withLock { $0.first { $0.header.messageID == message }?.body }
    }
}

@Suite struct SendTests {
    private static let heartbeat = "7e000200000177000001010003777e"
    private static let registration =
        "7e0100002d0177000001010001002b0064504154535450412d31303000000000000000000000000000005041303031303102b2e2413030303031587e"
    private static let authentication = "7e0102000a017700000101000250412d415554482d3031657e"
    private static let registrationReply = "7e8100000d017700000101000100010050412d415554482d3031e27e"

    private func send(
        _ text: String, to address: SocketAddress, _ change: (inout SendOptions) -> Void = { _ in }
    ) throws -> (SendSummary, String) {
        var options = SendOptions(
            target: .tcp(NetworkTarget(address)), speed: .acknowledged, timeoutMilliseconds: 100)
        change(&options)
        let input = try TemporaryFile(text)
        let output = try TemporaryFile("")
        let descriptor = open(output.path, O_WRONLY)
        defer { close(descriptor) }
        let summary = try Sending.run(paths: [input.path], options: options, output: descriptor)
        return (summary, try String(contentsOfFile: output.path, encoding: .utf8))
    }

    private func gateway(
        _ answer: @escaping @Sendable (JT808Header, [UInt8]) -> TrivialAcknowledger.Answer
    ) throws -> (Log, SocketAddress, ReactorThread) {
        let log = Log()
        let (thread, address) = try TrivialAcknowledger.start { header, body in
            log.append(header, body)
            return answer(header, body)
        }
        return (log, address, thread)
    }

    @Test func everyUplinkExampleIsAcknowledged() throws {
        let (log, address, thread) = try gateway { header, _ in
            header.messageID == 0x0100 ? .register(code: "C") : .acknowledge(result: 0)
        }
        defer { thread.stop(drainMilliseconds: 0) }
        let (summary, text) = try send(Example.frames.map(\.hex).joined(separator: "\n"), to: address)
        #expect(summary.isComplete, "\(text)")
        #expect(!log.messages.contains { $0 >= 0x8000 })
        #expect(summary.acknowledged > 10 && summary.needNoAnswer >= 1)
    }

    @Test func whatIsNotAnsweredIsListedAndTheRestGoesOn() throws {
        let (log, address, thread) = try gateway { header, _ in
            switch header.flowID {
            case 3: .silence
            case 2: .acknowledge(result: 1)
            default: .acknowledge(result: 4)
            }
        }
        defer { thread.stop(drainMilliseconds: 0) }
        let last = "7e0200001c0177000001010006000000000004000e01fe8295042dffc002080000005a260314000000fb7e"
        let (summary, text) = try send("\(Self.heartbeat)\n\(Self.authentication)\n\(last)\n", to: address)
        #expect(summary.acknowledged == 1 && summary.refused == 1 && summary.notAcknowledged == 1)
        #expect(!summary.isComplete)
        #expect(text.contains("not acknowledged: no answer within 100 ms"))
        #expect(log.messages == [0x0002, 0x0102, 0x0200])
    }

    @Test func anAnswerBelongsToItsFlowID() throws {
        let (_, address, thread) = try gateway { header, _ in
            header.flowID == 4 ? .acknowledge(result: 0) : .silence
        }
        defer { thread.stop(drainMilliseconds: 0) }
        let next = "7e00020000017700000101000470" + "7e"
        let (summary, text) = try send("\(Self.heartbeat)\n\(next)\n", to: address) { $0.speed = .recorded(1) }
        #expect(summary.acknowledged == 1 && summary.notAcknowledged == 1, "\(text)")
    }

    @Test func registrationUsesTheCodeThatIsHandedOut() throws {
        let (log, address, thread) = try gateway { header, body in
            switch header.messageID {
            case 0x0100: .register(code: "fresh")
            case 0x0102: .acknowledge(result: body == Array("fresh".utf8) ? 0 : 1)
            default: .acknowledge(result: 0)
            }
        }
        defer { thread.stop(drainMilliseconds: 0) }
        let recorded = [Self.registration, Self.registrationReply, Self.authentication, Self.heartbeat]
        let (summary, text) = try send(recorded.joined(separator: "\n"), to: address) { $0.registers = true }
        #expect(summary.isComplete && summary.acknowledged == 3, "\(text)")
        #expect(log.messages == [0x0100, 0x0102, 0x0002])
        #expect(log.body(of: 0x0100)?.count == 45)
        let (without, _) = try send(Self.heartbeat, to: address) { $0.registers = true }
        #expect(without.isComplete && without.acknowledged == 3)
        let (wrong, _) = try send(Self.authentication, to: address)
        #expect(wrong.refused == 1)
    }

    @Test func recordedTimesAreKept() throws {
        let (_, address, thread) = try gateway { _, _ in .acknowledge(result: 0) }
        defer { thread.stop(drainMilliseconds: 0) }
        let text = """
            2026-03-14T02:10:12Z \(Self.heartbeat)
            2026-03-14T02:10:12.400Z \(Self.authentication)
            """
        let before = MonotonicClock.nanoseconds
        let (summary, _) = try send(text, to: address) { $0.speed = .recorded(2) }
        let milliseconds = (MonotonicClock.nanoseconds - before) / 1_000_000
        #expect(summary.isComplete)
        #expect(milliseconds >= 199)
    }

    @Test func aClosedConnectionAndARefusedOneAreSaid() throws {
        let (_, address, thread) = try gateway { _, _ in .close }
        let (summary, text) = try send("\(Self.heartbeat)\n\(Self.authentication)", to: address)
        #expect(summary.notAcknowledged == 1 && summary.notSent == 1)
        #expect(text.contains("closed the connection"))
        thread.stop(drainMilliseconds: 0)
        thread.waitUntilStopped()
        let (nobody, refused) = try send(Self.heartbeat, to: address)
        #expect(nobody.notSent == 1)
        #expect(refused.contains("Connection refused"), "\(refused)")
    }

    @Test func mediaIsAcknowledgedByItsOwnAnswer() throws {
        let parts = Example.frames.filter { $0.name.hasPrefix("multimedia-part") }.map(\.hex)
        let answer = try #require(Example.frames.first { $0.name == "multimedia-ack" })
        let bytes = answer.bytes
        let (_, address, thread) = try gateway { header, _ in
            header.package?.index == 2 ? .bytes(bytes) : .silence
        }
        defer { thread.stop(drainMilliseconds: 0) }
        let (summary, text) = try send(parts.joined(separator: "\n"), to: address) { $0.speed = .recorded(1) }
        #expect(summary.isComplete && summary.acknowledged == 2, "\(text)")
    }

    @Test func aSerialLineWorksToo() throws {
        var (master, slave): (Int32, Int32) = (-1, -1)
        try #require(openpty(&master, &slave, nil, nil, nil) == 0)
        defer {
            close(master)
            close(slave)
        }
        let path = try #require(ttyname(slave).map { String(cString: $0) })
        var flowID: UInt16 = 0
        let phone = try #require(JT808Phone("17700000101"))
        let answers = JT808Codec.encode(
            .platformResponse(JT808Response(flowID: 3, messageID: 2, result: .ok)), phone: phone, flowID: &flowID)
        let input = try TemporaryFile(Self.heartbeat)
        let output = try TemporaryFile("")
        let descriptor = open(output.path, O_WRONLY)
        defer { close(descriptor) }
        let options = SendOptions(target: .serial(SerialOptions(path: path)), speed: .acknowledged)
        let echo = Thread { [master] in
            var room = [UInt8](repeating: 0, count: 256)
            guard read(master, &room, room.count) > 0 else { return }
            for answer in answers { _ = write(master, answer, answer.count) }
        }
        echo.start()
        let summary = try Sending.run(paths: [input.path], options: options, output: descriptor)
        #expect(summary.isComplete && summary.acknowledged == 1)
    }

    @Test func theToolTellsByItsStatus() throws {
        let (_, address, thread) = try gateway { header, _ in
            header.messageID == 0x0002 ? .acknowledge(result: 0) : .silence
        }
        defer { thread.stop(drainMilliseconds: 0) }
        let good = try TemporaryFile("# a recording\n@0 \(Self.heartbeat)\n")
        let bad = try TemporaryFile(Self.authentication)
        #expect(try ToolRun("send", "--tcp", "\(address)", good.path).status == 0)
        #expect(try ToolRun("send", "--tcp", "\(address)", "--timeout", "50", good.path, bad.path).status == 3)
        #expect(try ToolRun("send", "--tcp", "nonsense", good.path).status == 2)
        #expect(try ToolRun("send", good.path).status == 2)
        #expect(try ToolRun("send", "--tcp", "\(address)", "--speed", "0", good.path).status == 2)
    }
}

extension JT808Phone {
    fileprivate init?(_ digits: String) {
        guard let nibbles = UInt128(digits, radix: 16) else { return nil }
        self.init(nibbles: nibbles, isLong: false)
    }
}
