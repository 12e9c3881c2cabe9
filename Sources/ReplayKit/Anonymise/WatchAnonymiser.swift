internal import TerminalModel
internal import TerminalProtocols

/// Watches: ids, places, times, cells, access points. Voice, pictures, texts, numbers and settings are dropped.
final class WatchAnonymiser: FrameAnonymiser {
    private static let degreesE7 = 10_000_000.0
    /// Digits behind the point that a coordinate gets.
    private static let fractionDigits = 6

    private let pseudonyms: Pseudonyms
    private var dropped: [String] = []

    init(_ pseudonyms: Pseudonyms) {
        self.pseudonyms = pseudonyms
    }

    func anonymise(_ bytes: [UInt8]) -> AnonymousFrame {
        let framer = WatchFramer()
        var cursor = WatchFramer.Cursor()
        while true {
            switch framer.next(in: bytes.span, at: &cursor) {
            case .needMore: return .dropped("broken")
            case .rejected: continue
            case .frame(let range):
                do throws(DecodeError) {
                    let frame = try WatchFrame(checking: bytes.span.extracting(range))
                    return anonymise(try WatchCodec.decode(frame))
                } catch {
                    return .dropped("broken")
                }
            }
        }
    }

    private func anonymise(_ packet: WatchPacket) -> AnonymousFrame {
        guard Self.isHarmless(packet.message) else { return .dropped("unknown keyword") }
        let keyword = packet.message.keyword
        guard let message = message(packet.message) else { return .dropped(keyword) }
        let parts = dropped.map { "\(keyword) \($0)" }
        dropped = []
        var header = packet.header
        header.id = WatchID(pseudonyms.terminal(header.id.terminal), digitCount: Int(header.id.digitCount))
        return .kept(WatchCodec.encode(message, header: header), droppedParts: parts)
    }

    /// Keywords that say everything without fields. One that nobody knows may be anything, a name too.
    private static let keywords: Set<String> = [
        "AL", "CR", "FIND", "INIT", "LK", "POWEROFF", "RESET", "TIME", "TKQ", "TKQ2", "BPHRT", "BTEMP2", "CONFIG",
    ]
    /// What a report calls itself is short.
    private static let maximumReportKeyword = 8

    private static func isHarmless(_ message: WatchMessage) -> Bool {
        switch message {
        case .report(let body):
            body.keyword.count <= maximumReportKeyword
                && body.keyword.allSatisfy { $0.isASCII && ($0.isLetter || $0 == "_" || $0 == "2") }
        case .plain(let body): keywords.contains(body.keyword.uppercased())
        default: true
        }
    }

    private func message(_ message: WatchMessage) -> WatchMessage? {
        switch message {
        case .linkKeep(let body): return linkKeep(body).map { .linkKeep($0) }
        case .report(var body):
            if body.language?.utf8.count ?? 0 > 2 { body.language = nil }
            body.fix = moved(body.fix)
            body.surroundings = replaced(body.surroundings)
            return .report(body)
        case .heartRate, .oxygen, .temperature, .result: return message
        case .bloodPressure(var body):
            if !body.wearer.isEmpty { dropped.append("wearer") }
            body.wearer = []
            return .bloodPressure(body)
        case .time(let body):
            return .time(WatchClock(keyword: body.keyword, pseudonyms.moved(Timestamp(seconds: Int64(body.seconds)))))
        // A keyword alone says no more than what it is; what stands behind one may be anything.
        case .plain(let body):
            if !body.values.isEmpty { dropped.append("values") }
            return .plain(WatchValues(body.keyword))
        default: return nil
        }
    }

    private func linkKeep(_ body: WatchLinkKeep) -> WatchLinkKeep? {
        var body = body
        switch body.content {
        case .none: break
        case .state(let steps, let tumbles, let battery, let more):
            if !more.isEmpty { dropped.append("more") }
            body.content = .state(steps: steps, tumbles: tumbles, battery: battery, more: [])
        case .battery(_, let battery): body.content = .battery(unknown: "0", battery: battery)
        case .clock(let date, let time):
            guard let known = Timestamp("\(date)T\(time)Z") else { return nil }
            return WatchLinkKeep(settingClock: pseudonyms.moved(known), utcOffsetMinutes: 0)
        }
        return body
    }

    private func moved(_ fix: WatchFix) -> WatchFix {
        var fix = fix
        // A date that was never set stays none.
        fix.time = fix.time.flatMap(\.timestamp).map { WatchTime(pseudonyms.moved($0)) }
        guard let latitude = fix.latitudeDegrees, let longitude = fix.longitudeDegrees else {
            fix.latitude = nil
            fix.longitude = nil
            return fix
        }
        let (north, east) = pseudonyms.moved(
            latitudeE7: Int((latitude * Self.degreesE7).rounded()),
            longitudeE7: Int((longitude * Self.degreesE7).rounded()))
        fix.latitude = WatchDecimal(digits: Int64(abs(north) / 10), fractionDigits: Self.fractionDigits)
        fix.latitudeHemisphere = north < 0 ? .south : .north
        fix.longitude = WatchDecimal(digits: Int64(abs(east) / 10), fractionDigits: Self.fractionDigits)
        fix.longitudeHemisphere = east < 0 ? .west : .east
        return fix
    }

    private func replaced(_ surroundings: WatchSurroundings) -> WatchSurroundings {
        var replaced = surroundings
        if !replaced.unexplained.isEmpty { dropped.append("unexplained fields") }
        replaced.unexplained = []
        for index in replaced.cells.indices {
            let cell = replaced.cells[index]
            replaced.cells[index].area = code(cell.area, of: "area", bits: 16)
            replaced.cells[index].identity = code(cell.identity, of: "cell", bits: 28)
        }
        for index in replaced.wifi.indices {
            replaced.wifi[index].address = pseudonyms.radioAddress(replaced.wifi[index].address)
            replaced.wifi[index].name = pseudonyms.word(replaced.wifi[index].name)
        }
        return replaced
    }

    private func code(_ value: Int, of kind: String, bits: Int) -> Int {
        guard value > 0 else { return value }
        return Int(pseudonyms.code(UInt64(value), of: kind, bits: bits))
    }
}
