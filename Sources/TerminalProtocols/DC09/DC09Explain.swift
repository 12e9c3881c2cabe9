import TerminalModel
import WireBytes

/// Takes one frame apart for a person, also a broken one, and says where it is wrong.
struct DC09Explainer {
    private let bytes: [UInt8]
    private let profile: DC09Profile
    private let cipher: @Sendable (TerminalID) -> DC09Cipher?
    private var rows: [ExplainedField] = []
    /// The first byte that no row has yet.
    private var offset = 0

    static func explain(
        _ bytes: [UInt8], profile: DC09Profile, cipher: @escaping @Sendable (TerminalID) -> DC09Cipher?
    ) -> [ExplainedField] {
        var explainer = DC09Explainer(bytes: bytes, profile: profile, cipher: cipher)
        explainer.frame()
        return explainer.rows
    }

    private init(
        bytes: [UInt8], profile: DC09Profile, cipher: @escaping @Sendable (TerminalID) -> DC09Cipher?
    ) {
        self.bytes = bytes
        self.profile = profile
        self.cipher = cipher
    }

    /// A row of everything up to `end`; none when nothing is there.
    private mutating func add(
        to end: Int, _ field: String, _ value: String? = nil, _ meaning: String = "", wrong: Bool = false
    ) {
        guard end > offset || wrong else { return }
        let end = max(end, offset)
        let part = Array(bytes[offset..<end])
        rows.append(
            ExplainedField(
                offset: offset, bytes: part, field: field, value: value ?? DC09Text.shown(part.span), meaning: meaning,
                isWrong: wrong))
        offset = end
    }

    private mutating func frame() {
        var cursor = DC09Framer.Cursor()
        switch DC09Framer().next(in: bytes.span, at: &cursor, isComplete: true) {
        case .needMore: add(to: bytes.count, "frame", "", "no frame", wrong: true)
        case .rejected(let error, let range):
            add(to: range.lowerBound, "noise", "", "ends of lines")
            add(to: range.upperBound, "frame", "", "expected \(error.expected)", wrong: true)
        case .frame(let range):
            add(to: range.lowerBound, "noise", "", "ends of lines")
            line(range)
        }
        add(
            to: bytes.count, "rest", "", "bytes behind the frame",
            wrong: !DC09Text.trimmed(bytes.span.extracting(offset..<bytes.count)).isEmpty)
    }

    private mutating func line(_ range: Range<Int>) {
        let line = Array(bytes[range])
        let inside = DC09Text.trimmed(line.span)
        let text = range.lowerBound + inside.lowerBound..<range.lowerBound + inside.upperBound
        add(to: text.lowerBound, "start", "", "LF")
        if DC09Text.isLine(bytes.span, text) { digits(text) } else { block(line, text) }
        add(to: range.upperBound, "end", "", "end of the line")
    }

    private mutating func digits(_ text: Range<Int>) {
        let start = text.lowerBound
        let line = Array(bytes[text])
        let event = DC09ContactID(line: line)
        add(to: start + 4, "account", nil, "of the panel")
        add(to: start + 6, "type", nil, "Contact ID")
        if let event { eventRows(event, [1, 4, 6, 9].map { start + 6 + $0 }) }
        let right = (try? DC09Frame(checking: line.span)) != nil
        add(
            to: text.upperBound, "check", nil, right ? "right" : "the sum of the digits is no multiple of 15",
            wrong: !right)
    }

    /// Qualifier, event, group and zone up to these offsets.
    private mutating func eventRows(_ event: DC09ContactID, _ ends: [Int]) {
        let isKnown = DC09ContactID.Qualifier(rawValue: event.qualifier)
        add(to: ends[0], "qualifier", nil, isKnown.map(DC09Names.qualifier) ?? "not known, read as new")
        add(to: ends[1], "event", nil, DC09Names.meaning(profile.alarms.meaning(of: event)))
        add(to: ends[2], "group", nil, "group or partition")
        add(to: ends[3], "zone", nil, "zone, or user")
    }

    private mutating func block(_ line: [UInt8], _ text: Range<Int>) {
        let content = text.lowerBound + DC09.prefixByteCount
        let computed = CRC16.arc(bytes.span.extracting(content..<text.upperBound))
        let sum = DC09Text.number(bytes.span, text, 0..<4)
        add(
            to: text.lowerBound + 4, "crc", nil,
            sum == computed ? "right" : "should be \(DC09Text.hex(UInt64(computed), 4))", wrong: sum != computed)
        let length = DC09Text.number(bytes.span, text, 4..<8).map(Int.init) ?? 0
        let found = text.upperBound - content
        add(
            to: content, "length", nil, length == found ? "\(length) bytes" : "\(length), but \(found) are there",
            wrong: length != found)
        var reader = DC09TextReader(bytes.span, content..<text.upperBound)
        do throws(DecodeError) {
            let header = try DC09Header(parsing: &reader)
            self.header(header, bracket: reader.offset - 1)
            header.isEncrypted ? sealed(header, text.upperBound) : body(header, text.upperBound)
        } catch {
            add(to: error.offset, "header")
            add(to: text.upperBound, error.field, nil, "expected \(error.expected)", wrong: true)
        }
    }

    private mutating func header(_ header: DC09Header, bracket: Int) {
        let name = header.identifier.name.utf8.count + (header.isEncrypted ? 3 : 2)
        add(
            to: offset + name, "id", nil,
            DC09Names.identifier(header.identifier) + (header.isEncrypted ? ", encrypted" : ""))
        add(to: offset + 4, "sequence", nil, "the answer repeats it")
        if let receiver = header.receiver { add(to: offset + 1 + receiver.utf8.count, "receiver") }
        if let prefix = header.linePrefix {
            add(to: offset + 1 + prefix.utf8.count, "prefix", nil, "line or account prefix")
        }
        add(to: bracket, "account", nil, "terminal \(header.terminal)")
        add(to: bracket + 1, "open", nil, "the data begin")
    }

    private mutating func sealed(_ header: DC09Header, _ end: Int) {
        let line = Array(bytes)
        guard let frame = try? DC09Frame(checking: line.span) else {
            add(to: end, "cipher", "", "cipher text of a frame that is not whole", wrong: true)
            return
        }
        do throws(DecodeError) {
            let packet = try DC09Codec.decode(frame, cipher: cipher(header.terminal))
            add(to: end, "cipher", packet.fields.text, "opened with the key of the account")
        } catch {
            add(to: end, "cipher", "", "expected \(error.expected), found \(error.found)", wrong: true)
        }
    }

    private mutating func body(_ header: DC09Header, _ end: Int) {
        guard let close = bytes[offset..<end].firstIndex(of: 0x5D) else {
            add(to: end, "data", nil, "no bracket ] ends the data", wrong: true)
            return
        }
        data(header, close)
        add(to: close + 1, "close", nil, "the data end")
        while offset < end, bytes[offset] == 0x5B, let close = bytes[offset..<end].firstIndex(of: 0x5D) {
            let item = DC09ExtendedData(bytes: Array(bytes[(offset + 1)..<close]))
            add(to: close + 1, "extended", nil, DC09Names.extended(item.identifier))
        }
        if offset < end, bytes[offset] == 0x5F {
            let last = min(end, offset + 1 + DC09Time.byteCount)
            let time = DC09Time(bytes[(offset + 1)..<last])
            if let time {
                add(to: last, "time", nil, time.timestamp?.description ?? "no time of any calendar")
            }
        }
        add(to: end, "trailing", nil, "nothing should stand here")
    }

    private mutating func data(_ header: DC09Header, _ close: Int) {
        if let bar = bytes[offset..<close].firstIndex(of: 0x7C),
            header.identifier != .sia || bytes[offset] == 0x23
                || bytes[offset..<bar].allSatisfy({ DC09Text.digit($0) != nil })
        {
            add(to: bar + 1, "account", nil, "repeated in the data")
        }
        let data = Array(bytes[offset..<close])
        switch header.identifier {
        case .contactID where !data.isEmpty:
            guard let event = DC09ContactID(data: data), data.count == 11 else {
                let isRead = DC09ContactID(data: data) != nil
                add(to: close, "event", nil, isRead ? "" : "expected an event such as 1101 00 001", wrong: !isRead)
                return
            }
            eventRows(event, [1, 4, 7, 11].map { offset + $0 })
        case .sia:
            let names = DC09SIAData(data).events.map {
                "\($0.code): \(DC09Names.meaning(profile.alarms.meaning(of: $0.code)))"
            }
            add(to: close, "data", nil, names.joined(separator: ", "))
        default: add(to: close, "data")
        }
    }
}

/// English names, for people who read a frame.
private enum DC09Names {
    static func identifier(_ identifier: DC09Identifier) -> String {
        switch identifier {
        case .contactID: "Contact ID"
        case .sia: "SIA codes"
        case .null: "sign of life"
        case .acknowledgement: "taken"
        case .refusal: "the time is wrong"
        case .unable: "sound but of no use"
        case .response: "taken, with data"
        case .line: "Contact ID line"
        case .other: "not known"
        }
    }

    static func qualifier(_ qualifier: DC09ContactID.Qualifier) -> String {
        switch qualifier {
        case .new: "new, or opened"
        case .restored: "over, or closed"
        case .present: "reported before and still so"
        }
    }

    static func meaning(_ meaning: DC09Alarms.Meaning) -> String {
        switch meaning {
        case .alarm(let kind): kind.name
        case .test: "test"
        case .nothing: "no alarm"
        }
    }

    private static let extended: [UInt8: String] = [
        0x41: "authentication hash", 0x43: "paths", 0x48: "when it happened", 0x49: "alarm text", 0x4A: "path used",
        0x4B: "key exchange", 0x4C: "location", 0x4D: "hardware address", 0x4E: "network address", 0x4F: "building",
        0x50: "programming data", 0x52: "room", 0x53: "site", 0x54: "trigger", 0x56: "verification",
        0x58: "longitude", 0x59: "latitude", 0x5A: "altitude",
    ]

    static func extended(_ identifier: UInt8?) -> String {
        identifier.flatMap { extended[$0] } ?? "not known"
    }
}
