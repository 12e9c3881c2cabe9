import TerminalModel
import WireBytes

/// Takes one frame apart for a person, also a broken one, and says where it is wrong.
struct EV07BExplainer {
    private let profile: EV07BProfile
    private var rows: [ExplainedField] = []

    static func explain(_ bytes: [UInt8], profile: EV07BProfile) -> [ExplainedField] {
        var explainer = EV07BExplainer(profile: profile)
        explainer.frame(bytes)
        return explainer.rows
    }

    private init(profile: EV07BProfile) {
        self.profile = profile
    }

    private mutating func add(
        _ offset: Int, _ bytes: some Sequence<UInt8>, _ field: String, _ value: String = "", _ meaning: String = "",
        wrong: Bool = false
    ) {
        rows.append(
            ExplainedField(
                offset: offset, bytes: Array(bytes), field: field, value: value, meaning: meaning, isWrong: wrong))
    }

    // MARK: Header

    private mutating func frame(_ bytes: [UInt8]) {
        if bytes.first == EV07B.encryptedMarker {
            let meaning = "a5 begins an encrypted envelope: cannot be read without the key"
            add(0, bytes, "envelope", "", meaning, wrong: true)
            return
        }
        guard let first = Self.start(of: bytes) else {
            add(0, bytes, "frame", "", "no marker ab: not EV07B", wrong: true)
            return
        }
        if first > 0 { add(0, bytes[..<first], "noise", "", "bytes before the marker", wrong: true) }
        add(first, [EV07B.marker], "marker", "", "start")
        guard bytes.count - first >= EV07B.headerByteCount else {
            let meaning = "\(bytes.count - first) bytes, a header has \(EV07B.headerByteCount)"
            add(first + 1, bytes[(first + 1)...], "header", "", meaning, wrong: true)
            return
        }
        header(bytes, first)
    }

    /// The first marker where a whole frame stands, else the first of all.
    private static func start(of bytes: [UInt8]) -> Int? {
        var cursor = EV07BFramer.Cursor()
        let framer = EV07BFramer()
        while true {
            switch framer.next(in: bytes.span, at: &cursor) {
            case .frame(let range): return range.lowerBound
            case .rejected(_, let range): return range.lowerBound
            case .needMore: return bytes.firstIndex(of: EV07B.marker)
            }
        }
    }

    private mutating func header(_ bytes: [UInt8], _ first: Int) {
        let header = EV07BHeader(properties: bytes[first + 1], sequence: bytes.span.uint16LE(at: first + 6))
        let isEncrypted = header.properties >> 6 != 0
        add(
            first + 1, [header.properties], "properties", Hex.number(header.properties, digits: 2),
            EV07BNames.properties(header), wrong: isEncrypted || header.version == 1)
        let length = Int(bytes.span.uint16LE(at: first + 2))
        let there = bytes.count - first - EV07B.headerByteCount
        let isPossible = length >= 1 && length <= EV07B.maximumBodyBytes
        let lengthMeaning =
            !isPossible
            ? "outside 1...\(EV07B.maximumBodyBytes)" : length > there ? "but \(there) bytes follow" : "bytes of body"
        add(
            first + 2, bytes[first + 2..<first + 4], "length", "\(length)", lengthMeaning,
            wrong: !isPossible || length > there)
        let body = Array(bytes[(first + EV07B.headerByteCount)...].prefix(isPossible ? length : there))
        let found = bytes.span.uint16LE(at: first + 4)
        let right = CRC16.xmodem(body.span)
        add(
            first + 4, bytes[first + 4..<first + 6], "checksum", Hex.number(found, digits: 4),
            found == right ? "CRC-16/XMODEM of the body" : "wrong, the CRC is \(Hex.number(right, digits: 4))",
            wrong: found != right)
        add(first + 6, bytes[first + 6..<first + 8], "sequence", "\(header.sequence)")
        let base = first + EV07B.headerByteCount
        if isEncrypted {
            add(base, body, "body", "", "encrypted: cannot be read without the key", wrong: true)
        } else {
            self.body(body, base)
        }
        let rest = bytes[(base + body.count)...]
        if !rest.isEmpty { add(base + body.count, rest, "rest", "", "bytes behind the frame") }
    }

    // MARK: Body

    private mutating func body(_ body: [UInt8], _ base: Int) {
        guard let first = body.first else { return }
        let command = EV07BCommand(rawValue: first)
        add(base, [first], "command", Hex.number(first, digits: 2), EV07BNames.command(command))
        let span = body.span
        var walk = EV07BBlockWalk(span.extracting(droppingFirst: 1), command: command)
        while let block = walk.next() {
            let start = base + 1 + block.value.lowerBound
            let value = walk.bytes.extracting(block.value)
            title(block, value, start - 2, command, lengthByte: walk.bytes[block.value.lowerBound - 2])
            if let row = EV07BRow.find(block.key, in: command) {
                self.value(value, row, start)
            } else if !value.isEmpty {
                add(start, value.array, "data")
            }
        }
        guard walk.offset < walk.bytes.count else { return }
        add(
            base + 1 + walk.offset, walk.bytes.extracting(walk.offset..<walk.bytes.count).array, "rest of the blocks",
            "",
            walk.bytes[walk.offset] == 0 ? "a block of length 0" : "a block runs past the end of the body", wrong: true)
    }

    private mutating func title(
        _ block: EV07BBlockWalk.Block, _ value: Span<UInt8>, _ offset: Int, _ command: EV07BCommand, lengthByte: UInt8
    ) {
        let row = EV07BRow.find(block.key, in: command)
        var meaning = row?.name ?? "key that is not known"
        if command == .response { meaning = "result: \(EV07BResult(rawValue: block.key).name)" }
        let missing = (row?.minimumByteCount ?? 0) - value.count
        // A value may be left out altogether where it is asked for.
        let isShort = missing > 0 && (command == .data || !value.isEmpty)
        if isShort { meaning += ", \(missing) bytes short" }
        add(
            offset, [lengthByte, block.key], "block \(Hex.number(block.key, digits: 2))", "\(value.count) bytes",
            meaning, wrong: isShort)
    }

    private mutating func value(_ value: Span<UInt8>, _ row: EV07BRow, _ start: Int) {
        let trace = FieldTrace()
        var input = EV07BValueReader(value, key: row.key, base: start, trace: trace)
        _ = row.type.init(parsing: &input)
        for entry in trace.entries {
            let bytes = value.extracting(entry.offset - start..<entry.offset - start + entry.count).array
            let (text, meaning) = Self.value(entry, bytes, profile)
            add(entry.offset, bytes, entry.field, text, meaning)
        }
        let end = value.count - input.remaining
        guard end < value.count else { return }
        add(start + end, value.extracting(end..<value.count).array, "tail", "", "bytes behind the last field")
    }

    private static let signed: Set<String> = [
        "level", "signal", "signal at 1 m", "altitude", "height", "quarter hours", "temperature",
    ]
    private static let units: [String: String] = [
        "speed": "km/h", "direction": "degrees", "altitude": "m", "mileage": "m", "signal": "dBm",
        "signal at 1 m": "dBm", "battery percent": "%", "battery millivolts": "mV", "interval": "s", "duration": "s",
        "heartbeat interval": "s, bit 31 enable", "upload interval": "s", "upload interval at rest": "s",
        "hold time": "s", "height": "m", "low threshold": "%", "second threshold": "%",
    ]

    private static func value(
        _ entry: FieldTrace.Entry, _ bytes: [UInt8], _ profile: EV07BProfile
    ) -> (String, String) {
        guard !entry.isText else { return (String(decoding: bytes, as: UTF8.self), "") }
        guard bytes.count <= 4 else {
            guard entry.field.hasPrefix("mac"), bytes.count == 6 else { return ("", "") }
            let address = entry.field == "mac" ? bytes : bytes.reversed()
            return (EV07BNames.address(address.reduce(0) { $0 << 8 | UInt64($1) }), "")
        }
        let number = bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
        let unit = units[entry.field] ?? ""
        switch entry.field {
        case "latitude", "longitude":
            return (String(Double(Int32(bitPattern: number)) / EV07B.degreeScale), "degrees")
        case "hdop": return (String(Double(number) / 10), number == 0 ? "no fix" : "")
        case "temperature": return (String(Double(Int16(truncatingIfNeeded: number)) / 10), "degrees Celsius")
        case "time", "alarm time":
            let isSet = number >= EV07B.earliestSetClock
            return (
                "\(Timestamp(seconds: Int64(number)))", isSet ? "" : "not a time of a clock that was set"
            )
        case "status": return (Hex.number(number, digits: 8), EV07BNames.status(number))
        case "alarm flags":
            return (Hex.number(number, digits: 8), EV07BNames.alarms(EV07BAlarm(flags: number), profile.alarms))
        case "extended flags":
            let alarm = EV07BAlarm(flags: 0, time: 0, extendedFlags: number)
            return (Hex.number(number, digits: 8), EV07BNames.alarms(alarm, profile.alarms))
        case "data": return (Hex.text(bytes), "")
        case _ where signed.contains(entry.field):
            let shift = UInt32(32 - 8 * bytes.count)
            return ("\(Int32(bitPattern: number << shift) >> Int32(shift))", unit)
        default: return ("\(number)", unit)
        }
    }
}
