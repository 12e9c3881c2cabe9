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

    @Test func dc09AnswersByAccountAndSequence() throws {
        let dialect = DC09ReplayDialect()
        let header = DC09Header(.contactID, sequence: 7, account: "990000000029")
        let packet = DC09Packet(
            header, dataAccount: "#990000000029", message: .contactID(DC09ContactID(.new, event: 0x101)),
            time: DC09Time(Timestamp(milliseconds: 1_773_454_212_000)))
        let event = DC09Codec.encode(packet)
        let now = Timestamp(milliseconds: 1_773_457_000_000)
        var other = header
        other.sequence = 8
        #expect(try Self.isAnswered(event, by: DC09Codec.encode(.acknowledging(header, now: now)), dialect))
        #expect(try !Self.isAnswered(event, by: DC09Codec.encode(.acknowledging(other, now: now)), dialect))
        other = header
        other.account = "990000000030"
        #expect(try !Self.isAnswered(event, by: DC09Codec.encode(.acknowledging(other, now: now)), dialect))
        // Who doubts the time names nobody, and who cannot use the frame does.
        #expect(try Self.isAnswered(event, by: DC09Codec.encode(.refusingTime(now: now)), dialect))
        #expect(try Self.isAnswered(event, by: DC09Codec.encode(.unable(header)), dialect))
        #expect(Self.answers(DC09Codec.encode(.unable(header)), dialect).map(\.isTaken) == [false])
        #expect(try #require(dialect.head(of: DC09Codec.encode(.unable(header)))).isFromPlatform)
        // A line is confirmed by a byte, which may stand beside frames.
        let line = Array("1001181101000015\r".utf8)
        #expect(try Self.isAnswered(line, by: [DC09.lineAcknowledgement], dialect))
        #expect(try !Self.isAnswered(event, by: [DC09.lineAcknowledgement], dialect))
        let both =
            [DC09.lineAcknowledgement] + DC09Codec.encode(.acknowledging(header, now: now)) + [DC09.lineAcknowledgement]
        #expect(Self.answers(both, dialect).count == 3)
    }

    /// Played again, a frame has the time of now and is else the same.
    @Test func framesOfPanelsAreStampedAgain() throws {
        let dialect = DC09ReplayDialect()
        let (then, now) = (Timestamp(milliseconds: 1_773_454_212_000), Timestamp(milliseconds: 1_773_999_999_000))
        var packet = DC09Packet(
            DC09Header(.sia, sequence: 7, account: "1234"), dataAccount: "#1234", message: .sia(DC09SIAData("NQA01")),
            extended: [DC09ExtendedData("H", DC09Time(then).text)], time: DC09Time(then))
        let recorded = DC09Codec.encode(packet)
        packet.time = DC09Time(now)
        #expect(dialect.restamped(recorded, now: now) == DC09Codec.encode(packet))
        packet.time = nil
        let without = DC09Codec.encode(packet)
        let line = Array("1001181101000015\r".utf8)
        for bytes in [without, line, [1, 2, 3], recorded + recorded] {
            #expect(dialect.restamped(bytes, now: now) == bytes)
        }
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
