internal import TerminalModel
internal import TerminalProtocols

/// JT/T 808: ids, codes, plates, texts, places, times. Pictures, sound, parameters and data of makers are dropped.
final class JT808Anonymiser: FrameAnonymiser {
    /// Additional items that hold numbers about the terminal itself or the platform's fences, and how many bytes they have:
    /// mileage, fuel, speed, manual alarm, overspeed, area, route, signals, inputs.
    private static let harmlessItems: [UInt8: Set<Int>] = [
        0x01: [4], 0x02: [2], 0x03: [2], 0x04: [2], 0x11: [1, 5], 0x12: [6], 0x13: [7], 0x25: [4], 0x2A: [2], 0x2B: [4],
        0x30: [1], 0x31: [1],
    ]

    private let pseudonyms: Pseudonyms
    private var dropped: [String] = []

    init(_ pseudonyms: Pseudonyms) {
        self.pseudonyms = pseudonyms
    }

    func anonymise(_ bytes: [UInt8]) -> AnonymousFrame {
        var framer = JT808Framer()
        var cursor = JT808Framer.Cursor()
        while true {
            switch framer.next(in: bytes.span, at: &cursor) {
            case .needMore: return .dropped("broken")
            case .rejected: continue
            case .frame(let run):
                do throws(DecodeError) {
                    let frame = try JT808Frame(checking: framer.contents(of: run, in: bytes.span))
                    return anonymise(try JT808Codec.decode(frame))
                } catch {
                    return .dropped(error.message?.description ?? "broken")
                }
            }
        }
    }

    private func anonymise(_ packet: JT808Packet) -> AnonymousFrame {
        let header = packet.header
        let name = header.message.description
        guard let message = message(packet.message) else { return .dropped(name) }
        var parts = dropped.map { "\(name) \($0)" }
        dropped = []
        if !packet.trailing.isEmpty { parts.append("\(name) trailing") }
        let phone = JT808Phone(pseudonyms.terminal(header.phone.terminal), isLong: header.phone.isLong)
        var flowID = header.flowID
        var edition: JT808Edition?
        if case .registration(let body) = packet.message { edition = body.edition }
        let frames = JT808Codec.encode(
            message, phone: phone, protocolVersion: header.protocolVersion, edition: edition, flowID: &flowID)
        return .kept(frames.flatMap { $0 }, droppedParts: parts)
    }

    /// The message without anything personal; nil for one that is not understood well enough.
    private func message(_ message: JT808Message) -> JT808Message? {
        switch message {
        case .terminalResponse, .platformResponse, .event, .queryLocation, .track, .confirmAlarm, .mediaAcknowledgement,
            .terminalResendRequest, .platformResendRequest:
            return message
        case .heartbeat: return .heartbeat(JT808Bytes())
        case .logOut: return .logOut(JT808Bytes())
        case .serverTimeQuery: return .serverTimeQuery(JT808Bytes())
        case .timeSyncRequest: return .timeSyncRequest(JT808Bytes())
        case .linkCheck: return .linkCheck(JT808Bytes())
        case .serverTime(let body):
            return .serverTime(JT808ServerTime(time: moved(body.time)))
        case .timeSyncReply(let body):
            return body.time.map { .timeSyncReply(JT808TimeSync(time: pseudonyms.moved($0), result: body.result)) }
        case .registration(var body):
            body.province = 0
            body.city = 0
            body.maker = pseudonyms.withoutNumbers(body.maker)
            body.model = pseudonyms.withoutNumbers(body.model)
            body.terminalID = pseudonyms.word(body.terminalID)
            body.plate = pseudonyms.word(body.plate)
            return .registration(body)
        case .registrationReply(var body):
            body.authCode = body.authCode.map { pseudonyms.word($0) }
            return .registrationReply(body)
        case .authentication(var body):
            body.authCode = pseudonyms.word(body.authCode)
            body.imei = body.imei.map { pseudonyms.word($0) }
            body.softwareVersion = body.softwareVersion.map { pseudonyms.withoutNumbers($0) }
            return .authentication(body)
        case .location(let body): return .location(location(body))
        case .locationReply(var body):
            body.location = location(body.location)
            return .locationReply(body)
        case .batch(var body):
            body.items = body.items.map { location($0) }
            return .batch(body)
        case .text(var body):
            body.text = pseudonyms.word(body.text)
            return .text(body)
        default: return nil
        }
    }

    private func location(_ body: JT808Location) -> JT808Location {
        var basic = body.basic
        let isSouth = basic.status & JT808Status.south != 0
        let isWest = basic.status & JT808Status.west != 0
        let (latitude, longitude) = pseudonyms.moved(
            latitudeE7: Int(basic.latitude) * (isSouth ? -10 : 10),
            longitudeE7: Int(basic.longitude) * (isWest ? -10 : 10))
        basic.latitude = UInt32((latitude / 10).magnitude)
        basic.longitude = UInt32((longitude / 10).magnitude)
        basic.status = basic.status & ~(JT808Status.south | JT808Status.west)
        if latitude < 0 { basic.status |= JT808Status.south }
        if longitude < 0 { basic.status |= JT808Status.west }
        basic.time = moved(basic.time)
        var items: [(id: UInt8, value: [UInt8])] = []
        var walk = JT808ItemWalk(body.itemBytes.span)
        while let item = walk.next() {
            guard Self.harmlessItems[item.id]?.contains(item.value.count) == true else {
                dropped.append("item 0x" + (item.id < 16 ? "0" : "") + String(item.id, radix: 16))
                continue
            }
            items.append((item.id, Array(body.itemBytes[item.value])))
        }
        if !walk.endedCleanly { dropped.append("broken item") }
        return JT808Location(basic: basic, items: items)
    }

    /// A time that means none stays none.
    private func moved(_ time: JT808Time) -> JT808Time {
        guard let known = time.timestamp(utcOffsetMinutes: 0) else { return JT808Time(rawValue: 0) }
        return JT808Time(pseudonyms.moved(known), utcOffsetMinutes: 0)
    }
}
