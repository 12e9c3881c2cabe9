import TerminalModel
import TerminalProtocols
import Testing

@testable import ReplayKit

/// A frame of a terminal awaits exactly the answer that the protocol gives it.
@Suite struct ReplayDialectTests {
    private static func answers(_ bytes: [UInt8], _ dialect: any ReplayDialect) -> [ReplayAnswer] {
        var answers: [ReplayAnswer] = []
        let used = dialect.hear(bytes.span) { heard in
            if case .answer(let answer) = heard { answers.append(answer) }
        }
        #expect(used == bytes.count)
        return answers
    }

    /// The one answer in `bytes` is the one that `frame` awaits.
    private static func isAnswered(_ frame: [UInt8], by bytes: [UInt8], _ dialect: any ReplayDialect) throws -> Bool {
        let awaited = try #require(dialect.head(of: frame)?.awaited)
        let found = answers(bytes, dialect)
        try #require(found.count == 1)
        return found[0].key.answers(awaited)
    }

    @Test(arguments: ReplayDialects.names)
    func whatIsNoFrameHasNoHead(_ name: ProtocolName) throws {
        let dialect = try ReplayDialects.make(name)
        #expect(dialect.name == name)
        #expect(dialect.head(of: []) == nil)
        #expect(dialect.head(of: [0x7E, 0x78, 0x78, 0x05, 0xAB, 0x5B, 0x33]) == nil)
    }

    @Test func gt06AnswersByNumberAndSerial() throws {
        let dialect = GT06ReplayDialect()
        let login = GT06Codec.encode(.login(GT06Login(imeiNibbles: 0x1234, typeCode: 0, zone: 1)), serial: 5)
        #expect(try Self.isAnswered(login, by: GT06Codec.acknowledgement(0x01, serial: 5), dialect))
        #expect(try !Self.isAnswered(login, by: GT06Codec.acknowledgement(0x01, serial: 6), dialect))
        #expect(try !Self.isAnswered(login, by: GT06Codec.acknowledgement(0x13, serial: 5), dialect))
        // Positions have no answer, and the terminal is that of the login.
        let position = GT06Codec.frame(0x12, [UInt8](repeating: 0, count: 26), serial: 6)
        let head = try #require(dialect.head(of: position))
        #expect(head.awaited == nil && head.terminal?.description == "1234")
        #expect(try #require(dialect.head(of: GT06Codec.acknowledgement(0x01, serial: 5))).isFromPlatform)
    }

    @Test func theLookAlikeFamilyAnswersWithTypeAndTime() throws {
        let dialect = GT06ReplayDialect()
        let login = GT06Codec.encode(.lookAlike(.login(imeiNibbles: 0x9999_1000_0000_0112, version: 1)), serial: 0)
        let yes = GT06Codec.encode(.lookAlike(.loginReply(accepted: true)), serial: 0)
        let no = GT06Codec.encode(.lookAlike(.loginReply(accepted: false)), serial: 0)
        #expect(try Self.isAnswered(login, by: yes, dialect))
        #expect(Self.answers(no, dialect).map(\.isTaken) == [false])
        let status = GT06Codec.encode(.lookAlike(.status(GT06Bytes([80, 1, 8, 5]))), serial: 0)
        #expect(
            try Self.isAnswered(
                status, by: GT06Codec.encode(.lookAlike(.echo(0x13, [80, 1, 8, 5])), serial: 0), dialect))
        #expect(
            try !Self.isAnswered(
                status, by: GT06Codec.encode(.lookAlike(.echo(0x13, [80, 1, 8, 6])), serial: 0), dialect))
    }

    @Test func ev07bAnswersBySequence() throws {
        let dialect = EV07BReplayDialect()
        let report = EV07BCodec.encode(
            EV07BMessage(.data, [EV07BBlock(key: EV07BKey.identity, EV07BIdentity(imei: "999910000000029"))]),
            header: EV07BHeader(properties: 0x10, sequence: 7))
        func response(_ result: EV07BResult, _ sequence: UInt16) -> [UInt8] {
            EV07BCodec.encode(.response(result), header: EV07BHeader(properties: 0, sequence: sequence))
        }
        #expect(try Self.isAnswered(report, by: response(.ok, 7), dialect))
        #expect(try !Self.isAnswered(report, by: response(.ok, 8), dialect))
        #expect(Self.answers(response(.outOfService, 7), dialect).map(\.isTaken) == [false])
        #expect(dialect.head(of: report)?.terminal?.description == "999910000000029")
        // Nobody asked for an answer.
        #expect(dialect.head(of: response(.ok, 7))?.awaited == nil)
    }

    @Test func watchesAnswerWithKeywordIdAndIndex() throws {
        let dialect = WatchReplayDialect()
        func frame(_ text: String) -> [UInt8] { Array(text.utf8) }
        let alarm = frame("[3G*1000000003*0007*0004*AL,1]")
        #expect(try Self.isAnswered(alarm, by: frame("[3G*1000000003*0007*0002*AL]"), dialect))
        #expect(try !Self.isAnswered(alarm, by: frame("[3G*1000000003*0008*0002*AL]"), dialect))
        #expect(try !Self.isAnswered(alarm, by: frame("[3G*1000000004*0007*0002*AL]"), dialect))
        #expect(try !Self.isAnswered(alarm, by: frame("[3G*1000000003*0007*0002*LK]"), dialect))
        // Without an index the keyword decides.
        #expect(
            try Self.isAnswered(
                frame("[3G*1000000003*0002*LK]"), by: frame("[3G*1000000003*0002*LK]"), dialect))
        #expect(Self.answers(frame("[3G*1000000003*0002*CR]"), dialect).isEmpty)
        let chunk = frame("[3G*1000000003*0016*LK,2026-03-14,10:10:11]")
        #expect(dialect.head(of: chunk)?.isFromPlatform == true)
    }

    @Test func anAnswerEndsTheOldestThatFits() throws {
        func frame(_ source: String, _ serial: UInt16?) -> SendLane.Pending {
            SendLane.Pending(
                frame: ReplayFrame(source: source, timeMilliseconds: nil, bytes: []),
                awaited: AnswerKey(message: .word("LK"), serial: serial), sentNanoseconds: 0)
        }
        var lane = SendLane(protocolName: .watch, frames: [], registrations: [], originMilliseconds: 0)
        lane.pending = [frame("first", nil), frame("second", nil)]
        #expect(lane.take(ReplayAnswer(key: AnswerKey(message: .word("LK")))).map(\.frame.source) == ["first"])
        #expect(lane.take(ReplayAnswer(key: AnswerKey(message: .word("AL")))).isEmpty)
        #expect(lane.pending.map(\.frame.source) == ["second"])
    }
}
