import Foundation
import TerminalModel
import TerminalProtocols
import Testing

@testable import ReplayKit

/// Every frame of the corpus, made anonymous.
@Suite struct AnonymiseTests {
    private struct Case {
        let name: String
        let bytes: [UInt8]
    }

    private static let folders: [ProtocolName: String] = [
        .dc09: "DC09", .ev07b: "EV07B", .gt06: "GT06", .jt808: "JT808", .watch: "Watch",
    ]

    private static func corpus(_ name: ProtocolName) throws -> [Case] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Corpus/\(folders[name] ?? "")/frames.jsonl")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line in
            guard let object = jsonObject(String(line)), let name = object["name"] as? String,
                let hex = object["hex"] as? String
            else { return nil }
            let digits = Array(hex.utf8)
            let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
                UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
            }
            return Case(name: name, bytes: bytes)
        }
    }

    private static func record(_ name: ProtocolName, _ bytes: [UInt8], session: String = "a") -> CaptureRecord {
        CaptureRecord(
            time: Timestamp(milliseconds: 1_773_454_212_000), session: session, direction: .incoming,
            peer: "192.0.2.7:40112", protocolName: name, bytes: bytes)
    }

    private static func events(_ name: ProtocolName, _ frames: [[UInt8]]) throws -> [TerminalEvent] {
        var decoder = try #require(ProtocolRegistration.named(name)).makeDecoder()
        return frames.flatMap { frame in
            decoder.decode(frame: frame).flatMap { decoded in
                #expect(decoded.error == nil, "\(String(describing: decoded.error))")
                return decoded.events
            }
        }
    }

    @Test(arguments: ReplayDialects.names)
    func alarmsStayAndPeopleGo(_ name: ProtocolName) throws {
        var anonymiser = CaptureAnonymiser()
        let cases = try Self.corpus(name)
        var kept = 0
        for one in cases {
            guard let shown = anonymiser.anonymise(Self.record(name, one.bytes)) else { continue }
            kept += 1
            #expect(shown.peer == "peer-1" && shown.session == "session-1")
            let before = try Self.events(name, [one.bytes])
            let after = try Self.events(name, [shown.bytes])
            #expect(before.map(\.kind) == after.map(\.kind), "\(one.name)")
            #expect(before.map(\.alarms.kinds) == after.map(\.alarms.kinds), "\(one.name)")
            #expect(before.map(\.sequence) == after.map(\.sequence), "\(one.name)")
            for (old, new) in zip(before, after) {
                if old.terminal.nibbles > 0xFFFF { #expect(old.terminal != new.terminal, "\(one.name)") }
                if let time = old.deviceTime { #expect(new.deviceTime.map { $0 < time } == true, "\(one.name)") }
                guard let place = old.position, place.valid, let moved = new.position else { continue }
                #expect(moved.valid, "\(one.name)")
                #expect(abs((moved.latitudeDegrees ?? 0) - (place.latitudeDegrees ?? 0)) > 0.4, "\(one.name)")
            }
        }
        // The corpus has few frames that are nothing but settings and texts.
        #expect(kept * 2 > cases.count, "\(kept) of \(cases.count): \(anonymiser.counts)")
        #expect(anonymiser.counts.frames == kept)
        #expect(anonymiser.counts.droppedFrames.values.reduce(0, +) == cases.count - kept)
    }

    /// The distance between two places and two times is what it was.
    @Test func tracksKeepTheirShape() {
        let pseudonyms = Pseudonyms()
        let (first, second) = (
            pseudonyms.moved(latitudeE7: 282_345_670, longitudeE7: 1_129_876_540),
            pseudonyms.moved(latitudeE7: 282_345_680, longitudeE7: 1_129_876_640)
        )
        #expect(second.latitudeE7 - first.latitudeE7 == 10 && second.longitudeE7 - first.longitudeE7 == 100)
        #expect(first.latitudeE7 != 282_345_670)
        #expect(pseudonyms.moved(latitudeE7: 0, longitudeE7: 0) == (0, 0))
        let east = pseudonyms.moved(latitudeE7: 0, longitudeE7: 1_799_999_999).longitudeE7
        #expect(abs(east) <= 1_800_000_000)
        let time = Timestamp(milliseconds: 1_773_454_212_031)
        #expect(pseudonyms.moved(time) < time)
        #expect((time.milliseconds - pseudonyms.moved(time).milliseconds) % 1000 == 0)
    }

    @Test func onePseudonymForOneOriginal() {
        let pseudonyms = Pseudonyms()
        let short = pseudonyms.number("17700000101")
        #expect(short != "17700000101" && short.count == 11 && short.first != "0")
        #expect(pseudonyms.number("00000000017700000101") == "000000000" + short)
        #expect(pseudonyms.word("17700000101") == short)
        #expect(pseudonyms.number("000") == "000")
        let word = pseudonyms.word("PA-0001 张")
        #expect(word.count == 9 && word.hasSuffix(" 某") && word.dropFirst(2).first == "-")
        #expect(pseudonyms.word("PA-0001 张") == word)
        let radio = pseudonyms.radioAddress(0x0A1B_2C3D_4E5F)
        #expect(radio == pseudonyms.radioAddress(0x0A1B_2C3D_4E5F))
        #expect(radio >> 40 & 3 == 2)
        #expect(pseudonyms.withoutNumbers("PT-100") == "PT-100")
        #expect(pseudonyms.withoutNumbers("PT-999910") != "PT-999910")
        #expect(Pseudonyms().number("17700000101") != short)
        // Many ids stay as many.
        #expect(Set((10_000..<12_000).map { pseudonyms.number("\($0)") }).count == 2000)
    }

    @Test func whatIsNotUnderstoodIsDroppedAndCounted() {
        var anonymiser = CaptureAnonymiser()
        // A picture, a broken frame, a text of a watch, a keyword that nobody knows, and no protocol at all.
        let phone = JT808Phone(nibbles: 0x1770_0000_0101, isLong: false)
        var flowID: UInt16 = 1
        let media = JT808Codec.encode(
            body: [UInt8](repeating: 7, count: 40), messageID: 0x0801, phone: phone, flowID: &flowID)[0]
        #expect(anonymiser.anonymise(Self.record(.jt808, media)) == nil)
        #expect(anonymiser.anonymise(Self.record(.gt06, [0x78, 0x78, 5, 1, 0, 1, 0, 0, 0x0D, 0x0A])) == nil)
        #expect(anonymiser.anonymise(Self.record(.watch, Array("[3G*1000000003*000C*MESSAGE,4F60]".utf8))) == nil)
        #expect(anonymiser.anonymise(Self.record(.watch, Array("[3G*1000000003*0009*ZHANGSAN1]".utf8))) == nil)
        var unknown = Self.record(.jt808, media)
        unknown.protocolName = nil
        #expect(anonymiser.anonymise(unknown) == nil)
        #expect(anonymiser.counts.frames == 0)
        #expect(anonymiser.counts.droppedFrames["jt808 0x0801"] == 1)
        #expect(anonymiser.counts.droppedFrames["gt06 broken"] == 1)
        #expect(anonymiser.counts.droppedFrames["watch unknown keyword"] == 1)
        #expect(anonymiser.counts.droppedFrames["unknown protocol"] == 1)
        #expect(anonymiser.counts.droppedFrames.values.reduce(0, +) == 5)
    }

    /// Who, where and when are told by every part of a panel's frame.
    @Test func framesOfPanelsKeepTheirCodesAlone() throws {
        var anonymiser = CaptureAnonymiser()
        let time = DC09Time(Timestamp(milliseconds: 1_773_454_212_000))
        let packet = DC09Packet(
            DC09Header(.sia, sequence: 7, receiver: "55", linePrefix: "C0FFEE", account: "1A2B3C"),
            dataAccount: "#1A2B3C",
            message: .sia(DC09SIAData("Nti02:50/id4711/ri03/QA007^Zhang^|AZhang San, Lu 5")),
            extended: [
                DC09ExtendedData("I", "Zhang San"), DC09ExtendedData("M", "0A1B2C3D4E5F"),
                DC09ExtendedData("H", time.text),
            ],
            time: time)
        let found = anonymiser.anonymise(Self.record(.dc09, DC09Codec.encode(packet)))
        let shown = try #require(found).bytes
        let text = String(decoding: shown, as: UTF8.self)
        for secret in ["1A2B3C", "C0FFEE", "R55", "Zhang", "4711", "02:50", "0A1B2C3D4E5F", time.text] {
            #expect(!text.contains(secret), "\(secret) in \(text)")
        }
        #expect(text.contains("|Nri03/QA007]"))
        // Cipher text may say anything.
        var sealed = packet.header
        sealed.isEncrypted = true
        let cipher = DC09Cipher(encrypt: { $0 }, decrypt: { $0 })
        let frame = DC09Codec.encode(DC09Packet(sealed, message: .empty, time: time), cipher: cipher)
        #expect(anonymiser.anonymise(Self.record(.dc09, frame)) == nil)
        #expect(anonymiser.counts.droppedFrames["dc09 SIA-DCS"] == 1)
        #expect(anonymiser.counts.droppedParts["dc09 SIA-DCS text"] == 1)
    }

    /// An item of a maker may hold anything, cells too; one of the standard must have its length.
    @Test func itemsOfMakersAreDropped() throws {
        var anonymiser = CaptureAnonymiser()
        let location = JT808Location(
            basic: JT808BasicLocation(
                status: 2, latitude: 28_234_567, longitude: 112_987_654, time: JT808Time(rawValue: 0)),
            items: [(0x30, [20]), (0x31, [1, 2, 3]), (0xE1, [1, 2, 3, 4])])
        var flowID: UInt16 = 9
        let frame = JT808Codec.encode(
            .location(location), phone: JT808Phone(nibbles: 0x1770_0000_0101, isLong: false), flowID: &flowID)[0]
        let kept = anonymiser.anonymise(Self.record(.jt808, frame))
        let shown = try #require(kept)
        let event = try #require(try Self.events(.jt808, [shown.bytes]).first)
        #expect(event.position?.satellites == nil && event.sequence == 9)
        #expect(anonymiser.counts.droppedParts == ["jt808 0x0200 item 0x31": 1, "jt808 0x0200 item 0xe1": 1])
    }
}
