import TerminalModel
import Testing
import WireBytes

@testable import TerminalProtocols

struct WatchCodecTests {
    private let header = WatchHeader(maker: "3G", id: WatchID(TerminalID(nibbles: 0x1000000003)))

    /// Every down-frame of the corpus from plain values.
    @Test func commandsEncodeToTheDocumentsBytes() throws {
        let zj = WatchHeader(
            maker: "ZJ", id: WatchID(TerminalID(nibbles: 0x999910000000037), digitCount: 15), index: 0x34)
        let now = try #require(Timestamp("2026-03-14T01:15:31Z"))
        let cases: [(String, WatchHeader, WatchMessage)] = [
            ("link-keep-reply", header, .linkKeep(WatchLinkKeep())),
            ("alarm-reply", header, .plain(WatchValues("AL"))),
            (
                "zj-link-keep-reply", zj, .linkKeep(WatchLinkKeep(settingClock: now, utcOffsetMinutes: 480))
            ),
            ("voice-up-reply", header, .result(WatchResult(keyword: "TK", result: 1))),
            ("locate-now", header, .plain(WatchValues("CR"))),
            ("upload-interval", header, .setting(WatchSetting("UPLOAD", 300))),
            ("sos-numbers", header, .numbers(WatchNumbers("SOS", ["073100000001", "073100000002", ""]))),
            ("call", header, .numbers(WatchNumbers("CALL", ["073100000001"]))),
            ("monitor", header, .numbers(WatchNumbers("MONITOR", ["073100000002"]))),
            ("message-utf16", header, .shownText(WatchShownText(text: "请回电"))),
            ("fall-switch", header, .fallDetection(WatchFallDetection(enabled: true, call: true))),
        ]
        for (name, header, message) in cases {
            #expect(WatchCodec.encode(message, header: header) == wire(name), "\(name)")
        }
        #expect(
            Set(cases.map(\.0)) == Set(WatchCorpusTests.frames.filter { $0.direction == "down" }.map(\.name)))
    }

    private func wire(_ name: String) -> [UInt8]? {
        WatchCorpusTests.frames.first { $0.name == name }?.bytes
    }

    private func decode(_ bytes: [UInt8]) throws -> WatchPacket {
        let frame = try WatchFrame(checking: bytes.span)
        return try WatchCodec.decode(frame)
    }

    /// Every recorded frame means the same after it was written anew.
    @Test func everyFrameOfTheCorpusSurvivesTheWayThereAndBack() throws {
        for item in WatchCorpusTests.frames {
            let packet = try decode(item.bytes)
            let again = try decode(WatchCodec.encode(packet.message, header: packet.header))
            #expect(again.message == packet.message, "\(item.name)")
            #expect(again.lengthMismatch == 0, "\(item.name)")
        }
    }

    @Test func everyMessageSurvivesTheWayThereAndBack() throws {
        var random = SplitMix(seed: 3)
        for keyword in WatchRandomMessage.keywords {
            for _ in 0..<200 {
                let message = WatchRandomMessage.make(keyword, &random)
                let header = WatchRandomMessage.header(&random)
                let bytes = WatchCodec.encode(message, header: header)
                let packet = try decode(bytes)
                #expect(packet.message == message, "\(String(decoding: bytes, as: UTF8.self))")
                var expected = header
                expected.declaredLength = packet.header.declaredLength
                #expect(packet.header == expected)
                #expect(packet.lengthMismatch == 0)
            }
        }
    }

    /// No kind of message is left out above.
    @Test func everyKindOfMessageIsTried() {
        var random = SplitMix(seed: 4)
        var kinds = Set<String>()
        for keyword in WatchRandomMessage.keywords {
            kinds.insert(String(describing: type(of: WatchRandomMessage.make(keyword, &random).body)))
        }
        #expect(
            kinds == [
                "WatchLinkKeep", "WatchReport", "WatchVoice", "WatchVoiceChunk", "WatchPicture", "WatchCapabilities",
                "WatchBloodPressure", "WatchHeartRate", "WatchOxygen", "WatchTemperature", "WatchIdentity",
                "WatchResult",
                "WatchSetting", "WatchNumbers", "WatchFallDetection", "WatchShownText", "WatchPhoneBook",
                "WatchReminders", "WatchLocale", "WatchServer", "WatchAccessPointName", "WatchClock", "WatchValues",
            ])
    }

    @Test func whatIsSaidCannotEndTheFrame() {
        let message = WatchMessage.numbers(WatchNumbers("CALL", ["1]\r\n[3G*1000000003*0002*CR],2"]))
        #expect(
            String(decoding: WatchCodec.encode(message, header: header), as: UTF8.self)
                == "[3G*1000000003*001C*CALL,13G*1000000003*0002*CR2]")
    }

    @Test func escapesTakeEveryReservedByte() throws {
        let audio = Array(UInt8.min...UInt8.max)
        let message = WatchMessage.voice(WatchVoice(audio: audio))
        let bytes = WatchCodec.encode(message, header: header)
        #expect(bytes.count == 20 + 3 + 256 + 5 + 1)
        #expect(bytes.filter { $0 == 0x5B || $0 == 0x5D }.count == 2)
        #expect(try decode(bytes).message == message)
    }

    @Test func contentIsNeverLongerThanItsLengthCanSay() throws {
        let bytes = WatchCodec.encode(content: [UInt8](repeating: 0x41, count: 70_000), header: header)
        #expect(bytes.count == 20 + 65_535 + 1)
        let long = WatchMessage.voice(WatchVoice(audio: [UInt8](repeating: 0x23, count: 65_532)))
        #expect(try decode(WatchCodec.encode(long, header: header)).message == long)
    }
}
