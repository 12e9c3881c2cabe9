import AlarmFormats
import Foundation
import TerminalModel
import TerminalProtocols
import Testing
import WireBytes

/// One line of `Tests/Corpus/Escalation/dc09.jsonl`: what the document's tool checked.
struct DC09Vector: Decodable, Sendable, CustomTestStringConvertible {
    var group: String
    var name: String
    var frame: String?
    var hex: String?
    var key: String?
    var clear: String?
    var plain: String?
    var cipher: String?
    var text: String?

    var testDescription: String { name }

    static func all() throws -> [DC09Vector] {
        try Corpus.lines("dc09").map { try JSONDecoder().decode(DC09Vector.self, from: $0) }
    }

    static func frames() throws -> [DC09Vector] {
        try all().filter { $0.group == "dc09" && $0.frame != nil || $0.group == "cid" }
    }

    var bytes: [UInt8] {
        if let text { return Array(text.utf8) + [0x0D] }
        return Array((frame ?? "").replacing("<LF>", with: "\n").replacing("<CR>", with: "\r").utf8)
    }
}

@Suite struct DC09KeyTests {
    @Test func vectorsAreThere() throws {
        #expect(try DC09Vector.frames().count == 28)
        #expect(try DC09Vector.all().filter { $0.group == "aes" }.count == 3)
    }

    /// One block under a zero IV is plain AES.
    @Test(arguments: try DC09Vector.all().filter { $0.group == "aes" }) func aes(vector: DC09Vector) throws {
        let key = try DC09Key("hex:" + #require(vector.key))
        let plain = try #require(vector.plain.flatMap { Hex.bytes($0) })
        let sealed = try #require(vector.cipher.flatMap { Hex.bytes($0) })
        #expect(key.cipher.encrypt(plain) == sealed)
        #expect(key.cipher.decrypt(sealed) == plain)
    }

    /// Every frame of the document parses, and is written again byte for byte.
    @Test(arguments: try DC09Vector.frames()) func everyFrameOfTheDocument(vector: DC09Vector) throws {
        if let hex = vector.hex { #expect(Hex.bytes(hex) == vector.bytes) }
        let frame = try DC09Frame(checking: vector.bytes.span)
        guard frame.header.isEncrypted else {
            let packet = try DC09Codec.decode(frame)
            #expect(DC09Codec.encode(packet) == vector.bytes)
            return
        }
        #expect(Self.refusal(vector.bytes, nil)?.code == .unsupported)
        guard let text = vector.key else {
            // Captured ones of a panel whose key is sixteen times A; the second leaves the bar out, as section 1.3 tells.
            let packet = try DC09Codec.decode(frame, cipher: DC09Key("text:AAAAAAAAAAAAAAAA").cipher)
            let isNull = packet.header.identifier == .null
            #expect(packet.message == (isNull ? .empty : .sia(DC09SIAData("Nri1/WA000"))))
            #expect(packet.time?.text == (isNull ? "18:24:52,07-05-2020" : "16:04:02,07-09-2020"))
            return
        }
        let key = try DC09Key("hex:" + text)
        let packet = try DC09Codec.decode(frame, cipher: key.cipher)
        let padding = Array((vector.clear ?? "").utf8.prefix { $0 != 0x7C })
        let again = DC09Codec.encode(packet, cipher: key.cipher) { count in
            #expect(count == padding.count)
            return padding
        }
        #expect(again == Self.upperCased(vector.bytes))
        let wrong = try DC09Key("text:0000000000000000")
        #expect(Self.refusal(vector.bytes, wrong) != nil)
    }

    /// The published example has its cipher text in lower case, which changes its sum too.
    private static func upperCased(_ bytes: [UInt8]) -> [UInt8] {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.contains(where: \.isLowercase) else { return bytes }
        return DC09Codec.framed(Array(text.dropFirst(9).dropLast().uppercased().utf8))
    }

    @Test func theFlippedBitIsRefused() throws {
        let vector = try #require(try DC09Vector.all().first { $0.name.contains("NEGATIVE") })
        let bytes = try #require(vector.hex.flatMap { Hex.bytes($0) })
        #expect(Self.refusal(bytes, nil)?.field == "crc")
    }

    private static func refusal(_ bytes: [UInt8], _ key: DC09Key?) -> DecodeError? {
        do {
            let frame = try DC09Frame(checking: bytes.span)
            _ = try DC09Codec.decode(frame, cipher: key?.cipher)
            return nil
        } catch {
            return error
        }
    }

    // MARK: Keys

    @Test func keysAreReadInTheFormThatIsSaid() throws {
        let asText = try DC09Key("text:0123456789ABCDEF0123456789ABCDEF")
        let asHex = try DC09Key("hex:0123456789ABCDEF0123456789ABCDEF")
        let block = [UInt8](repeating: 7, count: 16)
        #expect(asText.cipher.encrypt(block) != asHex.cipher.encrypt(block))
        for wrong in ["0123456789ABCDEF", "hex:0123", "text:short", "hex:zz", "", "text:"] {
            let problem = #expect(throws: DC09Key.Problem.self, "\(wrong)") { try DC09Key(wrong) }
            #expect(problem?.description.contains("0123456789") == false)
        }
    }

    @Test func keyTables() throws {
        let table = try DC09KeyTable(
            "# keys\n\n100001 hex:00112233445566778899aabbccddeeff\r\n0AB2\ttext:0123456789ABCDEF\n")
        let account = try #require(TerminalID("100001"))
        #expect(table.cipher(of: account) != nil)
        #expect(table.cipher(of: try #require(TerminalID("ab2"))) != nil)
        #expect(table.cipher(of: try #require(TerminalID("2"))) == nil)
        let common = try DC09KeyTable("* text:0123456789ABCDEF")
        #expect(common.cipher(of: account) != nil)
        for (text, line) in [
            ("100001", 1), ("# x\n100001 hex:0", 2), ("1 text:0123456789ABCDEF\n1 text:0123456789ABCDEF", 2),
            ("* text:0123456789ABCDEF\n* text:0123456789ABCDEF", 2), ("12345678901234567 text:0123456789ABCDEF", 1),
        ] {
            let problem = #expect(throws: DC09KeyTable.Problem.self, "\(text)") { try DC09KeyTable(text) }
            #expect(problem?.line == line)
        }
    }
}
