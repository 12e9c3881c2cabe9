import TerminalModel
import WireBytes

@testable import TerminalProtocols

/// Random messages of every kind, within what the wire can carry.
enum JT808RandomMessage {
    static let ids: [UInt16] = [
        0x0001, 0x0002, 0x0003, 0x0004, 0x0005, 0x0100, 0x0102, 0x0104, 0x0107, 0x0108, 0x0109, 0x0200, 0x0201, 0x0210,
        0x0301, 0x0302, 0x0303, 0x0500, 0x0506, 0x0608, 0x0704, 0x0800, 0x0801, 0x0802, 0x0805, 0x0900, 0x0901, 0x1007,
        0x1300, 0x6006, 0x8001, 0x8003, 0x8004, 0x8100, 0x8103, 0x8104, 0x8105, 0x8106, 0x8107, 0x8108, 0x8109, 0x8201,
        0x8202, 0x8203, 0x8204, 0x8300, 0x8301, 0x8302, 0x8303, 0x8304, 0x8400, 0x8401, 0x8600, 0x8601, 0x8602, 0x8603,
        0x8604, 0x8605, 0x8606, 0x8607, 0x8608, 0x8800, 0x8801, 0x8802, 0x8803, 0x8804, 0x8805, 0x8900,
    ]

    static func make(_ id: UInt16, _ edition: JT808Edition, _ random: inout SplitMix) -> JT808Message {
        id < 0x8000 ? uplink(id, edition, &random) : downlink(id, edition, &random)
    }

    /// Letters that GBK has, never a space or zero at the end.
    static func text(_ maximumBytes: Int, _ random: inout SplitMix) -> String {
        let letters = Array("0123456789PAXYZ-好请回电中心测湖南~}")
        var result = ""
        var bytes = 0
        for _ in 0..<random.below(maximumBytes + 1) {
            let letter = letters[random.below(letters.count)]
            bytes += letter.isASCII ? 1 : 2
            guard bytes <= maximumBytes else { break }
            result.append(letter)
        }
        return result
    }

    private static func list<Value>(
        _ maximum: Int, _ random: inout SplitMix, _ make: (inout SplitMix) -> Value
    ) -> [Value] {
        (0..<random.below(maximum + 1)).map { _ in make(&random) }
    }

    static func time(_ random: inout SplitMix) -> JT808Time {
        JT808Time(Timestamp(seconds: 1_000_000_000 + Int64(random.below(1_000_000_000))), utcOffsetMinutes: 480)
    }

    static func basic(_ random: inout SplitMix) -> JT808BasicLocation {
        JT808BasicLocation(
            alarmFlags: random.dword(), status: random.dword(), latitude: random.dword(), longitude: random.dword(),
            altitude: Int16(truncatingIfNeeded: random.next()), speed: random.word(), direction: random.word(),
            time: time(&random))
    }

    static func location(_ random: inout SplitMix) -> JT808Location {
        let items = list(6, &random) { random in (id: random.byte(), value: random.bytes(random.below(20))) }
        return JT808Location(basic: basic(&random), items: items)
    }

    private static func parameters(_ random: inout SplitMix) -> [JT808Parameter] {
        list(40, &random) { JT808Parameter(id: $0.dword(), value: $0.bytes($0.below(60))) }
    }

    private static func uplink(_ id: UInt16, _ edition: JT808Edition, _ random: inout SplitMix) -> JT808Message {
        switch id {
        case 0x0001: return .terminalResponse(response(&random))
        case 0x0002: return .heartbeat(JT808Bytes(random.bytes(random.below(4))))
        case 0x0003: return .logOut(JT808Bytes())
        case 0x0004: return .serverTimeQuery(JT808Bytes())
        case 0x0005: return .terminalResendRequest(resend(&random))
        case 0x0100:
            return .registration(
                JT808Registration(
                    province: random.word(), city: random.word(), maker: text(5, &random), model: text(8, &random),
                    terminalID: text(7, &random), plateColour: random.byte(), plate: text(9, &random),
                    edition: edition))
        case 0x0102:
            return .authentication(
                edition == .v2019
                    ? JT808Authentication(
                        authCode: text(20, &random), imei: "999910000000045", softwareVersion: text(20, &random))
                    : JT808Authentication(authCode: text(20, &random)))
        case 0x0104:
            return .parameterReply(JT808ParameterReply(flowID: random.word(), parameters: parameters(&random)))
        case 0x0107:
            return .attributeReply(
                JT808Attributes(
                    terminalType: random.word(), maker: text(5, &random), model: text(20, &random),
                    terminalID: text(7, &random), iccid: "8986001234567890123f", hardwareVersion: text(30, &random),
                    firmwareVersion: text(30, &random), gnssBits: random.byte(), networkBits: random.byte()))
        case 0x0108: return .upgradeResult(JT808UpgradeResult(type: random.byte(), result: random.byte()))
        case 0x0109: return .timeSyncRequest(JT808Bytes())
        case 0x0200: return .location(location(&random))
        case 0x0201: return .locationReply(JT808LocationReply(flowID: random.word(), location: location(&random)))
        case 0x0210: return .vendorBatch(.battery(percent: random.byte(), time: time(&random)))
        case 0x0301: return .event(JT808EventReport(eventID: random.byte()))
        case 0x0302: return .answer(JT808Answer(flowID: random.word(), answerID: random.byte()))
        case 0x0303: return .subscription(JT808Subscription(type: random.byte(), flag: random.byte()))
        case 0x0500:
            return .vehicleControlReply(JT808LocationReply(flowID: random.word(), location: location(&random)))
        case 0x0506: return .vendorHeartbeat0506(JT808Bytes(random.bytes(random.below(9))))
        case 0x0608:
            return .areaReply(
                JT808AreaReply(type: random.byte(), count: random.dword(), data: random.bytes(random.below(40))))
        case 0x0704:
            return .batch(JT808Batch(type: random.byte(), items: list(30, &random) { location(&$0) }))
        case 0x1007: return .vendorHeartbeat1007(JT808Bytes(random.bytes(random.below(9))))
        case 0x1300: return .unicodeAnswer(JT808UnicodeAnswer(flowID: random.word(), text: text(40, &random)))
        case 0x6006: return .textAnswer(JT808TextAnswer(flag: random.byte(), text: text(60, &random)))
        default: return media(id, edition, &random)
        }
    }

    private static func media(_ id: UInt16, _ edition: JT808Edition, _ random: inout SplitMix) -> JT808Message {
        let about = JT808MediaEvent(
            mediaID: random.dword(), type: random.byte(), format: random.byte(), event: random.byte(),
            channel: random.byte())
        switch id {
        case 0x0800: return .mediaEvent(about)
        case 0x0801:
            return .media(
                JT808Media(
                    about: about, location: edition == .v2011 ? nil : basic(&random),
                    data: random.bytes(random.below(2500))))
        case 0x0802:
            return .mediaSearchReply(
                JT808MediaSearchReply(
                    flowID: random.word(),
                    items: list(40, &random) {
                        .init(
                            mediaID: $0.dword(), type: $0.byte(), channel: $0.byte(), event: $0.byte(),
                            location: basic(&$0))
                    }))
        case 0x0805:
            return .cameraReply(
                JT808CameraReply(flowID: random.word(), result: 0, mediaIDs: list(5, &random) { $0.dword() }))
        case 0x0900:
            return .transparentUp(JT808Transparent(type: random.byte(), data: random.bytes(random.below(99))))
        default: return .compressed(JT808Compressed(data: random.bytes(random.below(99))))
        }
    }

    private static func response(_ random: inout SplitMix) -> JT808Response {
        JT808Response(
            flowID: random.word(), messageID: random.word(), result: .init(rawValue: UInt8(random.below(5))))
    }

    private static func resend(_ random: inout SplitMix) -> JT808ResendRequest {
        JT808ResendRequest(firstFlowID: random.word(), indexes: list(9, &random) { $0.word() })
    }

    private static func downlink(_ id: UInt16, _ edition: JT808Edition, _ random: inout SplitMix) -> JT808Message {
        switch id {
        case 0x8001: return .platformResponse(response(&random))
        case 0x8003: return .platformResendRequest(resend(&random))
        case 0x8004: return .serverTime(JT808ServerTime(time: time(&random)))
        case 0x8100:
            return .registrationReply(
                JT808RegistrationReply(flowID: random.word(), result: 0, authCode: text(20, &random)))
        case 0x8103: return .setParameters(JT808ParameterList(parameters(&random)))
        case 0x8104: return .queryParameters(JT808Bytes())
        case 0x8105: return .control(JT808Control(command: random.byte(), parameters: text(40, &random)))
        case 0x8106: return .queryNamedParameters(JT808NamedParameters(ids: list(9, &random) { $0.dword() }))
        case 0x8107: return .queryAttributes(JT808Bytes())
        case 0x8108:
            return .upgrade(
                JT808Upgrade(
                    type: random.byte(), maker: text(5, &random), version: text(20, &random),
                    data: random.bytes(random.below(1500))))
        case 0x8109:
            return .timeSyncReply(
                JT808TimeSync(time: Timestamp(seconds: Int64(random.below(2_000_000_000))), result: random.byte()))
        case 0x8201: return .queryLocation(JT808Bytes())
        case 0x8202:
            return .track(
                JT808Tracking(intervalSeconds: UInt16(random.below(3)), validitySeconds: random.dword()))
        case 0x8203:
            return .confirmAlarm(JT808AlarmConfirmation(alarmFlowID: random.word(), alarmTypes: random.dword()))
        case 0x8204: return .linkCheck(JT808Bytes())
        case 0x8300:
            return .text(
                JT808Text(
                    flags: random.byte(), type: edition == .v2019 ? random.byte() : nil, text: text(1200, &random)))
        case 0x8400: return .callBack(JT808CallBack(listen: random.below(2) == 1, phone: text(20, &random)))
        case 0x8401:
            return .phoneBook(
                JT808PhoneBook(
                    setting: UInt8(random.below(4)),
                    contacts: list(9, &random) {
                        .init(flag: $0.byte(), phone: text(20, &$0), name: text(20, &$0))
                    }))
        case 0x8800...0x88FF: return mediaCommand(id, &random)
        case 0x8600...0x86FF: return area(id, edition, &random)
        case 0x8900: return .transparentDown(JT808Transparent(type: random.byte(), data: random.bytes(9)))
        default: return menu(id, &random)
        }
    }

    private static func menu(_ id: UInt16, _ random: inout SplitMix) -> JT808Message {
        switch id {
        case 0x8301:
            return .eventList(
                JT808EventList(
                    setting: UInt8(1 + random.below(4)),
                    items: list(5, &random) { .init(id: $0.byte(), text: text(20, &$0)) }))
        case 0x8302:
            return .question(
                JT808Question(
                    flags: random.byte(), question: text(60, &random),
                    answers: list(5, &random) { .init(id: $0.byte(), text: text(20, &$0)) }))
        case 0x8303:
            return .informationMenu(
                JT808InformationMenu(
                    setting: UInt8(1 + random.below(3)),
                    items: list(5, &random) { .init(type: $0.byte(), name: text(20, &$0)) }))
        default: return .information(JT808Information(type: random.byte(), text: text(200, &random)))
        }
    }

    private static func mediaCommand(_ id: UInt16, _ random: inout SplitMix) -> JT808Message {
        let search = JT808MediaSearch(
            type: random.byte(), channel: random.byte(), event: random.byte(), start: time(&random),
            end: time(&random))
        switch id {
        case 0x8800:
            return .mediaAcknowledgement(
                JT808MediaAcknowledgement(mediaID: random.dword(), missing: list(9, &random) { $0.word() }))
        case 0x8801:
            return .takePicture(
                JT808TakePicture(
                    channel: random.byte(), command: random.word(), intervalSeconds: random.word(),
                    settings: random.bytes(7)))
        case 0x8802: return .mediaSearch(search)
        case 0x8803: return .mediaUpload(JT808MediaUpload(search: search, delete: random.byte()))
        case 0x8804:
            return .record(
                JT808Recording(
                    command: random.byte(), seconds: random.word(), save: random.byte(), sampling: random.byte()))
        default: return .fetchMedia(JT808FetchMedia(mediaID: random.dword(), delete: random.byte()))
        }
    }

    private static func point(_ random: inout SplitMix) -> JT808Point {
        JT808Point(
            latitude: UInt32(random.below(90_000_000)), longitude: UInt32(random.below(180_000_000)))
    }

    private static func rules(_ edition: JT808Edition, _ random: inout SplitMix) -> JT808AreaRules {
        var rules = JT808AreaRules()
        if random.below(2) == 0 {
            rules.start = time(&random)
            rules.end = time(&random)
        }
        if random.below(2) == 0 {
            rules.speedKilometresPerHour = random.word()
            rules.speedSeconds = random.byte()
            if edition == .v2019 { rules.nightSpeedKilometresPerHour = random.word() }
        }
        if edition == .v2019 { rules.name = text(20, &random) }
        return rules
    }

    private static func area(_ id: UInt16, _ edition: JT808Edition, _ random: inout SplitMix) -> JT808Message {
        let deletion = JT808AreaDeletion(ids: list(9, &random) { $0.dword() })
        let setting = UInt8(random.below(3))
        switch id {
        case 0x8600:
            return .circles(
                JT808Circles(
                    setting: setting,
                    areas: list(5, &random) {
                        .init(
                            id: $0.dword(), attributes: $0.word(), centre: point(&$0), radiusMetres: $0.dword(),
                            rules: rules(edition, &$0))
                    }))
        case 0x8602:
            return .rectangles(
                JT808Rectangles(
                    setting: setting,
                    areas: list(5, &random) {
                        .init(
                            id: $0.dword(), attributes: $0.word(), upperLeft: point(&$0), lowerRight: point(&$0),
                            rules: rules(edition, &$0))
                    }))
        case 0x8604:
            return .polygon(
                JT808Polygon(
                    id: random.dword(), attributes: random.word(), points: list(200, &random) { point(&$0) },
                    rules: rules(edition, &random)))
        case 0x8606: return .route(route(edition, &random))
        case 0x8601: return .deleteCircles(deletion)
        case 0x8603: return .deleteRectangles(deletion)
        case 0x8605: return .deletePolygons(deletion)
        case 0x8607: return .deleteRoutes(deletion)
        default: return .queryAreas(JT808AreaQuery(type: random.byte(), ids: deletion.ids))
        }
    }

    private static func route(_ edition: JT808Edition, _ random: inout SplitMix) -> JT808Route {
        let points = list(9, &random) { random in
            var point = JT808Route.Point(
                id: random.dword(), segmentID: random.dword(), place: point(&random), widthMetres: random.byte(),
                attributes: random.byte())
            if point.attributes & 1 != 0 {
                point.longestSeconds = random.word()
                point.shortestSeconds = random.word()
            }
            if point.attributes & 2 != 0 {
                point.speedKilometresPerHour = random.word()
                point.speedSeconds = random.byte()
                if edition == .v2019 { point.nightSpeedKilometresPerHour = random.word() }
            }
            return point
        }
        let timed = random.below(2) == 0
        return JT808Route(
            id: random.dword(), attributes: random.word(), points: points, start: timed ? time(&random) : nil,
            end: timed ? time(&random) : nil, name: edition == .v2019 ? text(20, &random) : nil)
    }
}
