import TerminalModel
import Testing
import WireBytes

@testable import TerminalProtocols

struct DC09CodecTests {
    private func packet(_ bytes: [UInt8], cipher: DC09Cipher? = nil) throws -> DC09Packet {
        let frame = try DC09Frame(checking: bytes.span)
        return try DC09Codec.decode(frame, cipher: cipher)
    }

    @Test func theSumIsThatOfTheDocument() {
        let check = Array("123456789".utf8)
        #expect(CRC16.arc(check.span) == 0xBB3D)
        // Entry 100 of the table, which one edition misprints.
        let hundred: [UInt8] = [100]
        #expect(CRC16.arc(hundred.span) == 0xEB01)
    }

    /// Every packet is written, read and written again.
    @Test(arguments: [false, true]) func everyPacketGoesThereAndBack(isEncrypted: Bool) throws {
        var random = SplitMix(seed: 91)
        let cipher = isEncrypted ? DC09RandomPacket.cipher : nil
        for _ in 0..<1000 {
            let value = DC09RandomPacket.make(&random, isEncrypted: isEncrypted)
            let bytes = DC09Codec.encode(value, cipher: cipher)
            let read = try packet(bytes, cipher: cipher)
            #expect(read == value)
            #expect(DC09Framer.speaker(in: bytes.span) == value.header.terminal)
        }
    }

    /// Answers from plain values are the document's bytes.
    @Test func answersAreTheDocumentsBytes() throws {
        func corpus(_ name: String) throws -> [UInt8] {
            try #require(DC09CorpusTests.frames.first { $0.name == name }).bytes
        }
        let sos = try packet(corpus("sos-contact-id"))
        let now = try #require(Timestamp("2026-03-01T02:30:45Z"))
        #expect(DC09Codec.encode(.acknowledging(sos.header, now: now)) == (try corpus("ack")))
        #expect(DC09Codec.encode(.unable(sos.header)) == (try corpus("duh")))
        #expect(DC09Codec.encode(.refusingTime(now: now)) == (try corpus("nak-ours")))
    }

    /// The sender's side: the document's frames from plain values.
    @Test func framesFromPlainValues() throws {
        let header = DC09Header(.contactID, sequence: 1, account: "100001")
        let now = try #require(Timestamp("2026-03-01T02:30:45Z"))
        let place = DC09Coordinate.extended(latitudeDegrees: 28.228209, longitudeDegrees: 112.938814)
        let sos = DC09Packet(
            header, dataAccount: "#100001", message: .contactID(DC09ContactID(.new, event: 0x101, zone: 1)),
            extended: place, time: DC09Time(now))
        let expected = try #require(DC09CorpusTests.frames.first { $0.name == "sos-contact-id" }).bytes
        #expect(DC09Codec.encode(sos) == expected)
    }

    @Test func minutesThatRoundToSixtyCarry() {
        func texts(_ latitude: Double, _ longitude: Double) -> [String] {
            DC09Coordinate.extended(latitudeDegrees: latitude, longitudeDegrees: longitude).map(\.text)
        }
        #expect(texts(28.99999999999, -112.99999999999) == ["113W00.000000", "29N00.000000"])
        #expect(texts(-0.5, 0) == ["000E00.000000", "00S30.000000"])
    }

    @Test func texts() {
        // What would end a bracket, or is not ASCII, cannot be sent.
        #expect(DC09ExtendedData("I", "a[b]|\"c\u{4F60}").text == "Ia b   c ".dropFirst())
    }

    // MARK: Encryption

    @Test func paddingMakesWholeBlocks() throws {
        for length in 0..<40 {
            let header = DC09Header(.sia, isEncrypted: true, sequence: 1, account: "100001")
            let packet = DC09Packet(
                header, message: .sia(DC09SIAData("N" + String(repeating: "x", count: length))),
                time: DC09Time(Timestamp(seconds: 1_772_332_245)))
            var asked: [Int] = []
            let bytes = DC09Codec.encode(packet, cipher: DC09RandomPacket.cipher) { count in
                asked.append(count)
                return DC09Codec.randomPadding(count)
            }
            #expect(asked.count == 1 && (1...16).contains(asked.first ?? 0))
            let frame = try DC09Frame(checking: bytes.span)
            #expect(frame.body.count % 32 == 0)
            let opened = try DC09Codec.decode(frame, cipher: DC09RandomPacket.cipher)
            #expect(opened == packet)
        }
        #expect(DC09Codec.randomPadding(4096).allSatisfy { $0 != 0x7C && $0 != 0x5B && $0 != 0x5D })
    }

    /// Section 1.3: the bar may be missing where the data are empty.
    @Test func paddingEndsAtTheBarOrTheBracket() {
        func data(_ text: String) -> String {
            let clear = Array(text.utf8)
            return String(decoding: clear[DC09Codec.padding(of: clear)...], as: UTF8.self)
        }
        #expect(data("pad|]_t") == "]_t")
        #expect(data("pad]_t") == "]_t")
        #expect(data("0000000000000000|Nri1/WA000]_t") == "Nri1/WA000]_t")
        #expect(data("pad|#1|NRR|Atest]") == "#1|NRR|Atest]")
        #expect(data("pad]x|y") == "]x|y")
    }

    /// A key that does not fit opens nothing, whatever it makes of the bytes.
    @Test func wrongKeysAreRefused() throws {
        var random = SplitMix(seed: 92)
        var opened = 0
        for _ in 0..<1000 {
            let value = DC09RandomPacket.make(&random, isEncrypted: true)
            let bytes = DC09Codec.encode(value, cipher: DC09RandomPacket.cipher)
            let frame = try DC09Frame(checking: bytes.span)
            let noise = random.bytes(frame.body.count / 2)
            let wrong = DC09Cipher(encrypt: { $0 }, decrypt: { _ in noise })
            do {
                _ = try DC09Codec.decode(frame, cipher: wrong)
                opened += 1
            } catch {
                #expect(error.code == .badIntegrity || error.code == .badValue)
            }
        }
        #expect(opened == 0)
    }

    // MARK: Time

    @Test(arguments: [
        (-41, false), (-40, true), (0, true), (20, true), (21, false), (86_400, false),
    ])
    func theWindowOfTheClock(seconds: Int64, isTimely: Bool) {
        let now = Timestamp(seconds: 1_772_332_245)
        let header = DC09Header(.null, sequence: 0, account: "1")
        let packet = DC09Packet(
            header, message: .empty, time: DC09Time(now.adding(milliseconds: seconds * 1000)))
        #expect(packet.isTimely(now: now) == isTimely)
        #expect(DC09Packet(header, message: .empty).isTimely(now: now))
    }

    @Test func aTimeOfNoCalendarIsNeverTimely() throws {
        let bytes = DC09Codec.framed(Array("\"NULL\"0000L0#1[]_25:00:00,01-01-2026".utf8))
        let isTimely = try packet(bytes).isTimely(now: Timestamp(seconds: 1_772_332_245))
        #expect(!isTimely)
    }
}
