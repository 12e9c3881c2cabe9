import TerminalModel
import WireBytes

/// Takes one frame apart for a person, also a broken one, and says where it is wrong.
struct JT808Explainer {
    private let profile: JT808Profile
    private var rows: [ExplainedField] = []

    static func explain(_ bytes: [UInt8], profile: JT808Profile) -> [ExplainedField] {
        var explainer = JT808Explainer(profile: profile)
        explainer.frame(bytes)
        return explainer.rows
    }

    private init(profile: JT808Profile) {
        self.profile = profile
    }

    private mutating func add(
        _ offset: Int, _ bytes: [UInt8], _ field: String, _ value: String = "", _ meaning: String = "",
        wrong: Bool = false
    ) {
        rows.append(
            ExplainedField(
                offset: offset, bytes: bytes, field: field, value: value, meaning: meaning, isWrong: wrong))
    }

    // MARK: Flags and escapes

    private mutating func frame(_ bytes: [UInt8]) {
        guard let first = bytes.firstIndex(of: JT808.flag) else {
            add(0, bytes, "frame", "", "no flag 7e: not JT/T 808", wrong: true)
            return
        }
        if first > 0 { add(0, Array(bytes[..<first]), "noise", "", "bytes before the first flag", wrong: true) }
        add(0, [JT808.flag], "flag", "", "start")
        let start = bytes[first...].firstIndex { $0 != JT808.flag } ?? bytes.endIndex
        let end = bytes[start...].firstIndex(of: JT808.flag) ?? bytes.endIndex
        let plain = unescape(Array(bytes[start..<end]))
        run(plain)
        if end == bytes.endIndex {
            add(1 + plain.count, [], "flag", "", "the frame does not end: 7e is missing", wrong: true)
            return
        }
        add(1 + plain.count, [JT808.flag], "flag", "", "end")
        let rest = bytes[(end + 1)...].drop { $0 == JT808.flag }
        if !rest.isEmpty { add(2 + plain.count, Array(rest), "rest", "", "bytes behind the frame") }
    }

    /// Takes the escapes out; a pair that does not exist is shown and kept as it is.
    private mutating func unescape(_ bytes: [UInt8]) -> [UInt8] {
        var plain: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let next = index + 1 < bytes.count ? bytes[index + 1] : 0
            switch (bytes[index], next) {
            case (JT808.escape, 1), (JT808.escape, 2):
                plain.append(0x7C + next)
                index += 1
            case (JT808.escape, _):
                add(
                    1 + plain.count, Array(bytes[index..<min(bytes.count, index + 2)]), "escape", "",
                    "7d is followed by neither 01 nor 02", wrong: true)
                plain.append(bytes[index])
            default: plain.append(bytes[index])
            }
            index += 1
        }
        return plain
    }

    // MARK: Header

    private mutating func run(_ plain: [UInt8]) {
        guard plain.count >= JT808.minimumRunBytes else {
            let meaning = "\(plain.count) bytes between flags, at least \(JT808.minimumRunBytes) are needed"
            add(1, plain, "frame", "", meaning, wrong: true)
            return
        }
        // With the check code made right, everything else can be read as usual.
        var repaired = plain
        let found = plain[plain.count - 1]
        let right = ByteScan.xor(plain.span) ^ found
        repaired[plain.count - 1] = right
        do throws(DecodeError) {
            let frame = try JT808Frame(checking: repaired.span)
            header(frame)
            body(frame)
        } catch {
            add(error.offset, plain, error.field, "", "expected \(error.expected), found \(error.found)", wrong: true)
        }
        let meaning = found == right ? "XOR of everything between the flags" : "wrong, the XOR is \(Hex.text([right]))"
        add(plain.count, [found], "check code", "\(found)", meaning, wrong: found != right)
    }

    private mutating func header(_ frame: borrowing JT808Frame) {
        let header = frame.header
        let bytes = frame.bytes
        func part(_ offset: Int, _ count: Int) -> [UInt8] { bytes.extracting(offset..<offset + count).array }
        add(1, part(0, 2), "message id", header.message.description, JT808Names.message(header.messageID))
        var notes = ["body length \(header.declaredBodyLength)"]
        if header.is2019 { notes.append("2019 header") }
        if header.package != nil { notes.append("sub-package") }
        notes.append(header.encryption == 0 ? "no encryption" : "encryption method \(header.encryption)")
        if frame.lengthMismatch { notes.append("but \(bytes.count - 1 - frame.headerByteCount) bytes are there") }
        add(
            3, part(2, 2), "attributes", Hex.number(header.attributes, digits: 4), notes.joined(separator: ", "),
            wrong: frame.lengthMismatch || header.encryption != 0)
        var offset = 4
        if header.is2019 {
            add(1 + offset, part(offset, 1), "protocol version", "\(header.protocolVersion)")
            offset += 1
        }
        let size = header.is2019 ? 10 : 6
        add(
            1 + offset, part(offset, size), "terminal phone", header.phone.text,
            "terminal \(header.phone.terminal)")
        offset += size
        add(1 + offset, part(offset, 2), "flow id", "\(header.flowID)")
        guard let package = header.package else { return }
        let good = package.index > 0 && package.index <= package.total
        add(1 + offset + 2, part(offset + 2, 2), "package total", "\(package.total)", wrong: package.total == 0)
        add(
            1 + offset + 4, part(offset + 4, 2), "package index", "\(package.index)",
            good ? "" : "outside 1...\(package.total)", wrong: !good)
    }

    // MARK: Body

    private mutating func body(_ frame: borrowing JT808Frame) {
        let header = frame.header
        let base = 1 + frame.headerByteCount
        let body = frame.body.array
        guard header.encryption == 0 else {
            add(base, body, "body", "", "encrypted: cannot be read without the key", wrong: true)
            return
        }
        guard !header.isPart else {
            add(base, body, "body part", "", "one package of several")
            return
        }
        let trace = FieldTrace()
        var failure: DecodeError?
        do throws(DecodeError) {
            _ = try JT808Codec.message(
                header.messageID, body: body.span, base: base, edition: header.edition(profile), trace: trace)
        } catch {
            failure = error
        }
        for entry in trace.entries {
            let start = entry.offset - base
            let bytes = Array(body[start..<start + entry.count])
            switch entry.field {
            case "location" where bytes.count == JT808BasicLocation.byteCount: location(bytes, entry.offset)
            case "items": items(bytes, entry.offset)
            case "trailing": add(entry.offset, bytes, "trailing", "", "bytes behind the last field")
            default:
                let (value, meaning) = self.value(entry, bytes)
                add(entry.offset, bytes, entry.field, value, meaning)
            }
        }
        guard let failure else { return }
        let start = min(body.count, max(0, failure.offset - base))
        add(
            failure.offset, Array(body[start...]), failure.field, "",
            "expected \(failure.expected), found \(failure.found)", wrong: true)
    }

    private func value(_ entry: FieldTrace.Entry, _ bytes: [UInt8]) -> (String, String) {
        guard !entry.isText else { return (GBK.text(bytes.span.extracting(0..<Self.textEnd(bytes))), "") }
        guard bytes.count <= 4 else {
            let isTime = bytes.count == 6 && ["start", "end", "time"].contains(entry.field)
            return (isTime ? JT808Time(rawValue: bytes.span.uint48BE(at: 0)).text(zone: "") ?? "" : "", "")
        }
        let number = bytes.reduce(0) { $0 << 8 | Int($1) }
        switch entry.field {
        case "latitude", "longitude": return (String(Double(number) / 1_000_000), "degrees")
        case "ackId": return ("\(number)", JT808Names.message(UInt16(truncatingIfNeeded: number)))
        case "result": return ("\(number)", JT808Names.result(number))
        case "parameterId": return (Hex.number(UInt32(number), digits: 4), "")
        case "alarmTypes", "alarmFlags":
            return (Hex.number(UInt32(number), digits: 8), JT808Names.alarms(UInt32(number), profile.alarms))
        default: return ("\(number)", "")
        }
    }

    private static func textEnd(_ bytes: [UInt8]) -> Int {
        (bytes.lastIndex { $0 != 0 } ?? -1) + 1
    }

    private mutating func location(_ bytes: [UInt8], _ offset: Int) {
        guard let basic = JT808BasicLocation(bytes.span) else { return }
        func part(_ start: Int, _ count: Int) -> [UInt8] { Array(bytes[start..<start + count]) }
        add(
            offset, part(0, 4), "alarm flags", Hex.number(basic.alarmFlags, digits: 8),
            JT808Names.alarms(basic.alarmFlags, profile.alarms))
        add(
            offset + 4, part(4, 4), "status", Hex.number(basic.status, digits: 8), JT808Names.status(basic.status))
        let latitude = basic.latitudeDegrees
        let longitude = basic.longitudeDegrees
        add(
            offset + 8, part(8, 4), "latitude", latitude.map { String($0) } ?? "\(basic.latitude)",
            latitude == nil ? "outside -90...90" : "degrees", wrong: latitude == nil)
        add(
            offset + 12, part(12, 4), "longitude", longitude.map { String($0) } ?? "\(basic.longitude)",
            longitude == nil ? "outside -180...180" : "degrees", wrong: longitude == nil)
        add(offset + 16, part(16, 2), "altitude", "\(basic.altitude)", "m")
        add(
            offset + 18, part(18, 2), "speed", basic.speed == .max ? "unknown" : String(Double(basic.speed) / 10),
            "km/h")
        add(
            offset + 20, part(20, 2), "direction", "\(basic.direction)",
            basic.direction < 360 ? "degrees" : "degrees, taken modulo 360")
        let time = basic.time.timestamp(utcOffsetMinutes: profile.utcOffsetMinutes)
        add(
            offset + 22, part(22, 6), "time", basic.time.text(zone: "") ?? Hex.text(part(22, 6)),
            time.map { "\($0)" } ?? "not a time of a clock that was set", wrong: time == nil)
    }

    private mutating func items(_ bytes: [UInt8], _ offset: Int) {
        var walk = JT808ItemWalk(bytes.span)
        while let item = walk.next() {
            let start = item.value.lowerBound - 2
            let value = Array(bytes[item.value])
            let number = value.count <= 4 ? "\(value.reduce(0) { $0 << 8 | Int($1) })" : Hex.text(value)
            add(
                offset + start, Array(bytes[start..<item.value.upperBound]),
                "item \(Hex.number(item.id, digits: 2))", value.isEmpty ? "" : number,
                JT808Names.items[item.id] ?? "item that is not known")
        }
        guard walk.offset < bytes.count else { return }
        add(
            offset + walk.offset, Array(bytes[walk.offset...]), "rest of the items", "",
            walk.endedCleanly ? "padding" : "an item runs past the end of the body", wrong: !walk.endedCleanly)
    }
}
