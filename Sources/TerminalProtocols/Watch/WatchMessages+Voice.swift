import TerminalModel
import WireBytes

/// Escapes of the binary part of voice and pictures: `7D` and 01 for `}`, 02 `[`, 03 `]`, 04 `,`, 05 `*` (section 3).
enum WatchEscapes {
    private static let raw: [UInt8] = [0x7D, 0x5B, 0x5D, 0x2C, 0x2A]

    static func escaped(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + bytes.count / 16)
        for byte in bytes {
            if let index = raw.firstIndex(of: byte) {
                output.append(Watch.escape)
                output.append(UInt8(index + 1))
            } else {
                output.append(byte)
            }
        }
        return output
    }

    /// A `7D` before anything else is kept with what follows it, and told.
    static func unescaped(_ bytes: Span<UInt8>) -> (bytes: [UInt8], isDamaged: Bool) {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var isDamaged = false
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            guard byte == Watch.escape else {
                output.append(byte)
                continue
            }
            if index < bytes.count, case 1...5 = bytes[index] {
                output.append(raw[Int(bytes[index]) - 1])
                index += 1
            } else {
                output.append(byte)
                isDamaged = true
            }
        }
        return (output, isDamaged)
    }
}

/// TK, TK2: sound in AMR, from its `#!AMR` header on. Sample: `voice-up`. Source: section 9.
public struct WatchVoice: WatchBody {
    public var keyword: String
    /// Unescaped.
    public var audio: [UInt8]
    /// An escape on the wire was none of the list.
    public var isDamaged: Bool

    public init(keyword: String = "TK", audio: [UInt8]) {
        self.keyword = keyword
        self.audio = audio
        isDamaged = false
    }

    init?(parsing input: inout WatchFieldReader) {
        guard !input.isAtEnd else { return nil }
        keyword = input.keyword
        (audio, isDamaged) = WatchEscapes.unescaped(input.rest("audio", isText: false))
    }

    func write(to output: inout WatchContentWriter) {
        output.field(raw: WatchEscapes.escaped(audio))
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("audioHex", Hex.text(audio))
        if isDamaged { object.set("badEscape", true) }
        return object
    }
}

/// JXTK: one piece of a longer sound, 1,024 raw bytes but for the last. Source: section 9.
///
///     JXTK, flag, name, index from 1, count, sound
public struct WatchVoiceChunk: WatchBody {
    public var keyword: String
    public var flag: String
    public var name: String
    /// Counts from 1.
    public var index: Int
    public var count: Int
    /// Unescaped.
    public var audio: [UInt8]
    /// An escape on the wire was none of the list.
    public var isDamaged: Bool

    public init(keyword: String = "JXTK", flag: String, name: String, index: Int, count: Int, audio: [UInt8]) {
        self.keyword = keyword
        self.flag = flag
        self.name = name
        self.index = index
        self.count = count
        self.audio = audio
        isDamaged = false
    }

    init?(parsing input: inout WatchFieldReader) {
        keyword = input.keyword
        flag = input.text("flag")
        name = input.text("name")
        guard let index = input.int("index"), let count = input.int("count"), !input.isAtEnd else { return nil }
        self.index = index
        self.count = count
        (audio, isDamaged) = WatchEscapes.unescaped(input.rest("audio", isText: false))
    }

    func write(to output: inout WatchContentWriter) {
        output.fields([flag, name, String(index), String(count)])
        output.field(raw: WatchEscapes.escaped(audio))
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("flag", flag)
        object.set("name", name)
        object.set("part", index)
        object.set("parts", count)
        object.set("audioHex", Hex.text(audio))
        if isDamaged { object.set("badEscape", true) }
        return object
    }
}

/// img: what made it, `yymmddhhmmss`, JPEG. Source: section 9.
public struct WatchPicture: WatchBody {
    public var keyword: String
    public var source: String
    public var time: String
    /// JPEG, unescaped.
    public var image: [UInt8]
    /// An escape on the wire was none of the list.
    public var isDamaged: Bool

    public init(keyword: String = "img", source: String = "5", time: String, image: [UInt8]) {
        self.keyword = keyword
        self.source = source
        self.time = time
        self.image = image
        isDamaged = false
    }

    init?(parsing input: inout WatchFieldReader) {
        guard input.fieldCount(upTo: 3) == 3 else { return nil }
        keyword = input.keyword
        source = input.text("source")
        time = input.text("time")
        (image, isDamaged) = WatchEscapes.unescaped(input.rest("image", isText: false))
    }

    func write(to output: inout WatchContentWriter) {
        output.fields([source, time])
        output.field(raw: WatchEscapes.escaped(image))
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("source", source)
        object.set("time", time)
        object.set("imageHex", Hex.text(image))
        if isDamaged { object.set("badEscape", true) }
        return object
    }
}

/// `TK`, `TK2`, `JXTKR`, `INIT`, `CONFIG`, `oxygen` with 1 for done and 0 for not. Sample: `voice-up-reply`. Source: section 4.
public struct WatchResult: WatchBody {
    public var keyword: String
    /// 0 or 1.
    public var result: Int

    public init(keyword: String, result: Int) {
        self.keyword = keyword
        self.result = result
    }

    init?(parsing input: inout WatchFieldReader) {
        keyword = input.keyword
        let field = input.next("result")
        guard field.count == 1, case 0x30...0x31 = field[0], input.isAtEnd else { return nil }
        result = Int(field[0] & 1)
    }

    func write(to output: inout WatchContentWriter) {
        output.field(result)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("result", result)
        return object
    }
}
