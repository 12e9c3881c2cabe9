import TerminalModel
import TerminalProtocols
import Testing

@testable import ReplayKit

/// What the simulated terminals say is what the gateway's own decoder understands.
@Suite struct LoadDialectTests {
    private static let terminal: UInt64 = 990_000_000_012

    @Test(arguments: LoadDialects.names)
    func framesAreReportsOfTheirTerminal(_ name: ProtocolName) throws {
        let dialect = try LoadDialects.make(name)
        dialect.setTime(wallMilliseconds: 1_773_454_212_000)
        var decoder = try #require(ProtocolRegistration.named(name)).makeDecoder()
        if dialect.logsIn {
            dialect.makeLogin(terminal: Self.terminal, serial: 7)
            let login = try #require(decoder.decode(frame: dialect.wire).first?.events.first)
            #expect(login.terminal.description == "990000000012")
        }
        for serial: UInt16 in [0, 1, 0x7E, 0x7D, 0x7D7E, 0xABAB, 65_535] {
            for isSOS in [false, true] {
                dialect.makeReport(terminal: Self.terminal, serial: serial, isSOS: isSOS)
                let events = decoder.feed(stream: dialect.wire).flatMap(\.events)
                let event = try #require(events.first { $0.position != nil }, "serial \(serial)")
                #expect(event.terminal.description == "990000000012")
                #expect(event.deviceTime == Timestamp(milliseconds: 1_773_454_212_000))
                #expect(event.alarms.kinds.map(\.name) == (isSOS ? ["sos"] : []))
                #expect(event.position?.valid == true)
            }
        }
    }

    @Test func numbersAreDigits() {
        #expect(LoadDialects.nibbles(990_000_000_012) == 0x9900_0000_0012)
        #expect(LoadDialects.number(nibbles: 0x9900_0000_0012) == 990_000_000_012)
        #expect(LoadDialects.number(nibbles: 0x9A) == nil)
    }

    /// Answers cut at every place, and behind noise.
    @Test func answersOfJT808AreRead() throws {
        let phone = JT808Phone(nibbles: 0x9900_0000_0012, isLong: false)
        var flowID: UInt16 = 0x7E
        func frame(_ message: JT808Message) -> [UInt8] {
            JT808Codec.encode(message, phone: phone, flowID: &flowID).flatMap { $0 }
        }
        let frames =
            frame(.registrationReply(JT808RegistrationReply(flowID: 1, result: 0, authCode: "CODE")))
            + frame(.registrationReply(JT808RegistrationReply(flowID: 2, result: 3, authCode: nil)))
            + frame(.platformResponse(JT808Response(flowID: 0x7D7E, messageID: 0x0200, result: .ok)))
            + frame(.platformResponse(JT808Response(flowID: 4, messageID: 0x0200, result: .init(rawValue: 4))))
            + frame(.platformResponse(JT808Response(flowID: 5, messageID: 0x0200, result: .init(rawValue: 1))))
            + frame(.queryLocation(JT808Bytes()))
        let expected: [LoadAnswer] = [
            .challenge(code: "CODE"), .refused(serial: 2, result: 3), .taken(serial: 0x7D7E), .taken(serial: 4),
            .refused(serial: 5, result: 1), .command,
        ]
        for cut in 0...frames.count {
            let dialect = JT808Dialect()
            var answers: [LoadAnswer] = []
            var rest: [UInt8] = []
            for part in [frames[..<cut], frames[cut...]] {
                rest += part
                let used = dialect.read(rest.span) { terminal, answer in
                    #expect(terminal == Self.terminal)
                    answers.append(answer)
                }
                rest.removeFirst(used)
            }
            #expect(answers == expected, "cut at \(cut)")
        }
    }

    /// Answers cut at every place; they name no terminal.
    @Test func answersOfEV07BAreRead() {
        func frame(_ message: EV07BMessage, _ sequence: UInt16, properties: UInt8 = 0) -> [UInt8] {
            EV07BCodec.encode(message, header: EV07BHeader(properties: properties, sequence: sequence))
        }
        let frames =
            frame(.response(.ok), 0xABAB) + frame(.time(Timestamp(seconds: 1_773_454_212)), 2)
            + frame(.response(.outOfService), 3) + frame(.locate, 4, properties: 0x10)
        let expected: [LoadAnswer] = [
            .taken(serial: 0xABAB), .taken(serial: 2), .refused(serial: 3, result: 0x30), .command,
        ]
        for cut in 0...frames.count {
            let dialect = EV07BDialect()
            var answers: [LoadAnswer] = []
            var rest: [UInt8] = []
            for part in [frames[..<cut], frames[cut...]] {
                rest += part
                let used = dialect.read(rest.span) { terminal, answer in
                    #expect(terminal == nil)
                    answers.append(answer)
                }
                rest.removeFirst(used)
            }
            #expect(answers == expected, "cut at \(cut)")
            dialect.makeReply(terminal: Self.terminal, serial: 9)
            #expect(dialect.wire == frame(.response(.ok), 4))
        }
    }
}
