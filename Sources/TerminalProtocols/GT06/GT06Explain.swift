import TerminalModel
import WireBytes

/// Takes one frame apart for a person, also a broken one, and says where it is wrong.
struct GT06Explainer {
    private let profile: GT06Profile
    private var rows: [ExplainedField] = []

    /// - Parameter isLookAlike: frames before this one were of the family without serial and CRC.
    static func explain(_ bytes: [UInt8], profile: GT06Profile, isLookAlike: Bool) -> [ExplainedField] {
        var explainer = GT06Explainer(profile: profile)
        explainer.input(bytes, isLookAlike: isLookAlike)
        return explainer.rows
    }

    private init(profile: GT06Profile) {
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

    private mutating func input(_ bytes: [UInt8], isLookAlike: Bool) {
        let start = GT06Framer.marker(in: bytes.span, from: 0)
        guard bytes.count - start >= 2 else {
            add(0, bytes, "frame", "", "neither 7878 nor 7979: not GT06", wrong: true)
            return
        }
        if start > 0 { add(0, Array(bytes[..<start]), "noise", "", "bytes before the start", wrong: true) }
        let rest = Array(bytes[start...])
        let end = Self.frameEnd(rest, isLookAlike: isLookAlike)
        frame(Array(rest[..<end.count]), base: start, form: end.form)
        if end.count < rest.count {
            add(start + end.count, Array(rest[end.count...]), "rest", "", "bytes behind the frame")
        }
    }

    /// How much of the bytes is the frame: what a framer would take, else what the length says, else everything.
    private static func frameEnd(_ bytes: [UInt8], isLookAlike: Bool) -> (count: Int, form: GT06Form) {
        var cursor = GT06Framer.Cursor(mode: isLookAlike ? .lookAlike : .undecided)
        if bytes.count >= 4, case .frame(let run) = GT06Framer.verdict(bytes.span, 0, &cursor) {
            return (run.range.upperBound, run.form)
        }
        let form: GT06Form = bytes[0] == GT06.longMarker ? .long : isLookAlike ? .lookAlike : .short
        let total = GT06Framer.declaredTotal(bytes)
        return (min(bytes.count, total ?? bytes.count), form)
    }

    // MARK: Envelope

    private mutating func frame(_ bytes: [UInt8], base: Int, form: GT06Form) {
        let head = form == .long ? 5 : 4
        let tail = form == .lookAlike ? 2 : 6
        add(
            base, Array(bytes.prefix(2)), "start", form.name,
            form == .long ? "length of two bytes" : "length of one byte")
        guard bytes.count >= head + tail else {
            add(
                base + 2, Array(bytes.dropFirst(2)), "frame", "",
                "\(bytes.count) bytes, at least \(head + tail) are needed", wrong: true)
            return
        }
        let view = GT06Frame(checked: bytes.span, form: form)
        length(view, base)
        add(
            base + head - 1, [view.number], "number", Hex.number(view.number, digits: 2),
            GT06Names.message(view.number, form))
        content(view, base)
        ending(bytes, base, form)
    }

    private mutating func length(_ frame: borrowing GT06Frame, _ base: Int) {
        let size = frame.form == .long ? 2 : 1
        let bytes = frame.bytes.extracting(2..<2 + size).array
        var meaning = "counts number, content, serial and CRC"
        if frame.form == .lookAlike { meaning = "bytes of the content, or access points" }
        if frame.lengthMismatch { meaning += "; there are \(frame.bytes.count - 4 - size)" }
        add(base + 2, bytes, "length", "\(frame.declaredLength)", meaning, wrong: frame.lengthMismatch)
    }

    private mutating func ending(_ bytes: [UInt8], _ base: Int, _ form: GT06Form) {
        let count = bytes.count
        if form != .lookAlike {
            let serial = Array(bytes[count - 6..<count - 4])
            add(base + count - 6, serial, "serial", "\(Int(serial[0]) << 8 | Int(serial[1]))")
            let found = Array(bytes[count - 4..<count - 2])
            let sum = CRC16.x25(bytes.span.extracting(2..<count - 4))
            let right = [UInt8(sum >> 8), UInt8(truncatingIfNeeded: sum)]
            let isRight = found == right
            add(
                base + count - 4, found, "crc", Hex.text(found),
                isRight ? "CRC-16/X-25 of length to serial" : "wrong, the CRC is \(Hex.text(right))", wrong: !isRight)
        }
        let stop = Array(bytes[(count - 2)...])
        let isRight = stop == [0x0D, 0x0A]
        add(base + count - 2, stop, "stop", "", isRight ? "end" : "the frame does not end in 0d0a", wrong: !isRight)
    }

    // MARK: Content

    private mutating func content(_ frame: borrowing GT06Frame, _ base: Int) {
        let trace = FieldTrace()
        var failure: DecodeError?
        do throws(DecodeError) {
            _ = try GT06Codec.message(frame, trace: trace)
        } catch {
            failure = error
        }
        let bytes = frame.bytes.array
        for entry in trace.entries {
            let part = Array(bytes[entry.offset..<entry.offset + entry.count])
            switch entry.field {
            case "gps": gps(part, base + entry.offset)
            case "trailing": add(base + entry.offset, part, "trailing", "", "bytes behind the last field")
            default:
                let (value, meaning) = value(entry, part, frame.number)
                add(base + entry.offset, part, entry.field, value, meaning)
            }
        }
        guard let failure else { return }
        let end = frame.contentOffset + frame.content.count
        add(
            base + failure.offset, Array(bytes[min(failure.offset, end)..<end]), failure.field, "",
            "expected \(failure.expected), found \(failure.found)", wrong: true)
    }

    private func value(_ entry: FieldTrace.Entry, _ bytes: [UInt8], _ number: UInt8) -> (String, String) {
        let value = bytes.count <= 8 ? bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } : 0
        switch entry.field {
        case "imei", "imsi": return (GT06Login(imeiNibbles: value).imei, "")
        case "iccid": return (Hex.text(bytes), "")
        case "zone":
            let login = GT06Login(imeiNibbles: 0, typeCode: 0, zone: UInt16(truncatingIfNeeded: value))
            let offset = login.utcOffsetMinutes.map { "\($0) minutes east of UTC" } ?? "no time zone"
            return (Hex.number(value, digits: 4), "\(offset), language \(value & 3)")
        case "time": return (GT06Time(rawValue: value).text, "")
        case "text", "command", "name", "phone": return (GT06Text.plain(bytes), "")
        case "terminalInfo": return (Hex.number(value, digits: 2), GT06Names.information(UInt8(value), profile.alarms))
        case "alarm": return (Hex.number(value, digits: 2), GT06Names.alarm(UInt8(value), profile.alarms))
        case "batteryLevel": return ("\(value)", GT06Power.batteryPercent(UInt8(value)).map { "\($0) %" } ?? "")
        case "gsm": return ("\(value)", GT06Power.signalPercent(UInt8(value)).map { "\($0) %" } ?? "")
        case "voltage": return (String(Double(value) / 100), "V")
        case "signal": return ("\(value)", GT06Power.decibelMilliwatts(UInt8(value)).map { "\($0) dBm" } ?? "none")
        case "mcc": return ("\(value & 0x7FFF)", value & 0x8000 != 0 ? "the mnc has two bytes" : "")
        case "lac", "cellId", "mac", "type", "typeCode", "serverFlag", "card":
            return (Hex.number(value, digits: bytes.count * 2), "")
        case "fence": return ("\(value)", value == 0xFF ? "no fence alarm" : "number of the fence")
        case "uploadMode": return ("\(value)", GT06Names.uploadMode(UInt8(value)))
        case "reupload": return ("\(value)", value == 1 ? "stored on the terminal before" : "live")
        case "acc": return ("\(value)", value == 0 ? "low" : "high")
        case "content", "extension", "module": return (bytes.count <= 8 ? Hex.text(bytes) : "", "")
        default: return (bytes.count <= 8 ? "\(value)" : "", "")
        }
    }

    private mutating func gps(_ bytes: [UInt8], _ offset: Int) {
        guard let gps = GT06Position(bytes.span) else { return }
        func part(_ start: Int, _ count: Int) -> [UInt8] { Array(bytes[start..<start + count]) }
        let time = gps.time.timestamp(utcOffsetMinutes: 0)
        add(
            offset, part(0, 6), "time", gps.time.text,
            time == nil ? "not a time of a clock that was set" : "UTC, or the time of the zone of the login",
            wrong: time == nil && !gps.time.isUnset)
        add(
            offset + 6, part(6, 1), "gps length, satellites", "\(gps.lengthAndSatellites >> 4), \(gps.satellites)",
            gps.lengthAndSatellites >> 4 == 0 ? "no GPS information" : "")
        let latitude = gps.latitudeDegrees
        let longitude = gps.longitudeDegrees
        add(
            offset + 7, part(7, 4), "latitude", latitude.map { String($0) } ?? "\(gps.latitude)",
            latitude == nil ? "above 162,000,000" : "degrees", wrong: latitude == nil)
        add(
            offset + 11, part(11, 4), "longitude", longitude.map { String($0) } ?? "\(gps.longitude)",
            longitude == nil ? "above 324,000,000" : "degrees", wrong: longitude == nil)
        add(offset + 15, part(15, 1), "speed", "\(gps.speed)", "km/h")
        let halves = [
            gps.course & GT06Position.Flag.north != 0 ? "north" : "south",
            gps.course & GT06Position.Flag.west != 0 ? "west" : "east", gps.isFixed ? "fixed" : "not fixed",
        ]
        add(
            offset + 16, part(16, 2), "course", "\(gps.courseDegrees)",
            "degrees, " + halves.joined(separator: ", "), wrong: gps.courseDegrees > 359)
    }
}
