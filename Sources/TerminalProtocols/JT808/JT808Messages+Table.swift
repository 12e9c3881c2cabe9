import TerminalModel
import WireBytes

// One row a message, in the order of the ids: reading, identity, and the body behind the case.

extension JT808Message {
    /// Reads the body of message `id`; ids that are not known keep their bytes.
    init(id: UInt16, parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        if id < 0x8000 {
            self = try Self.uplink(id, &input, edition)
        } else {
            self = try Self.downlink(id, &input, edition)
        }
    }

    private static func uplink(
        _ id: UInt16, _ input: inout FieldReader, _ edition: JT808Edition?
    ) throws(DecodeError) -> JT808Message {
        switch id {
        case 0x0001: .terminalResponse(try JT808Response(parsing: &input, edition: edition))
        case 0x0002: .heartbeat(try JT808Bytes(parsing: &input, edition: edition))
        case 0x0003: .logOut(try JT808Bytes(parsing: &input, edition: edition))
        case 0x0004: .serverTimeQuery(try JT808Bytes(parsing: &input, edition: edition))
        case 0x0005: .terminalResendRequest(try JT808ResendRequest(parsing: &input, edition: edition))
        case 0x0100: .registration(try JT808Registration(parsing: &input, edition: edition))
        case 0x0102: .authentication(try JT808Authentication(parsing: &input, edition: edition))
        case 0x0104: .parameterReply(try JT808ParameterReply(parsing: &input, edition: edition))
        case 0x0107: .attributeReply(try JT808Attributes(parsing: &input, edition: edition))
        case 0x0108: .upgradeResult(try JT808UpgradeResult(parsing: &input, edition: edition))
        case 0x0109: .timeSyncRequest(try JT808Bytes(parsing: &input, edition: edition))
        case 0x0200: .location(try JT808Location(parsing: &input, edition: edition))
        case 0x0201: .locationReply(try JT808LocationReply(parsing: &input, edition: edition))
        case 0x0210: .vendorBatch(try JT808VendorBatch(parsing: &input, edition: edition))
        case 0x0301: .event(try JT808EventReport(parsing: &input, edition: edition))
        case 0x0302: .answer(try JT808Answer(parsing: &input, edition: edition))
        case 0x0303: .subscription(try JT808Subscription(parsing: &input, edition: edition))
        case 0x0500: .vehicleControlReply(try JT808LocationReply(parsing: &input, edition: edition))
        case 0x0506: .vendorHeartbeat0506(try JT808Bytes(parsing: &input, edition: edition))
        case 0x0608: .areaReply(try JT808AreaReply(parsing: &input, edition: edition))
        case 0x0704: .batch(try JT808Batch(parsing: &input, edition: edition))
        case 0x0800: .mediaEvent(try JT808MediaEvent(parsing: &input, edition: edition))
        case 0x0801: .media(try JT808Media(parsing: &input, edition: edition))
        case 0x0802: .mediaSearchReply(try JT808MediaSearchReply(parsing: &input, edition: edition))
        case 0x0805: .cameraReply(try JT808CameraReply(parsing: &input, edition: edition))
        case 0x0900: .transparentUp(try JT808Transparent(parsing: &input, edition: edition))
        case 0x0901: .compressed(try JT808Compressed(parsing: &input, edition: edition))
        case 0x1007: .vendorHeartbeat1007(try JT808Bytes(parsing: &input, edition: edition))
        case 0x1300: .unicodeAnswer(try JT808UnicodeAnswer(parsing: &input, edition: edition))
        case 0x6006: .textAnswer(try JT808TextAnswer(parsing: &input, edition: edition))
        default: .unknown(id: id, JT808Bytes(input.rest()))
        }
    }

    private static func downlink(
        _ id: UInt16, _ input: inout FieldReader, _ edition: JT808Edition?
    ) throws(DecodeError) -> JT808Message {
        switch id {
        case 0x8001: .platformResponse(try JT808Response(parsing: &input, edition: edition))
        case 0x8003: .platformResendRequest(try JT808ResendRequest(parsing: &input, edition: edition))
        case 0x8004: .serverTime(try JT808ServerTime(parsing: &input, edition: edition))
        case 0x8100: .registrationReply(try JT808RegistrationReply(parsing: &input, edition: edition))
        case 0x8103: .setParameters(try JT808ParameterList(parsing: &input, edition: edition))
        case 0x8104: .queryParameters(try JT808Bytes(parsing: &input, edition: edition))
        case 0x8105: .control(try JT808Control(parsing: &input, edition: edition))
        case 0x8106: .queryNamedParameters(try JT808NamedParameters(parsing: &input, edition: edition))
        case 0x8107: .queryAttributes(try JT808Bytes(parsing: &input, edition: edition))
        case 0x8108: .upgrade(try JT808Upgrade(parsing: &input, edition: edition))
        case 0x8109: .timeSyncReply(try JT808TimeSync(parsing: &input, edition: edition))
        case 0x8201: .queryLocation(try JT808Bytes(parsing: &input, edition: edition))
        case 0x8202: .track(try JT808Tracking(parsing: &input, edition: edition))
        case 0x8203: .confirmAlarm(try JT808AlarmConfirmation(parsing: &input, edition: edition))
        case 0x8204: .linkCheck(try JT808Bytes(parsing: &input, edition: edition))
        case 0x8300: .text(try JT808Text(parsing: &input, edition: edition))
        case 0x8301: .eventList(try JT808EventList(parsing: &input, edition: edition))
        case 0x8302: .question(try JT808Question(parsing: &input, edition: edition))
        case 0x8303: .informationMenu(try JT808InformationMenu(parsing: &input, edition: edition))
        case 0x8304: .information(try JT808Information(parsing: &input, edition: edition))
        case 0x8400: .callBack(try JT808CallBack(parsing: &input, edition: edition))
        case 0x8401: .phoneBook(try JT808PhoneBook(parsing: &input, edition: edition))
        case 0x8600: .circles(try JT808Circles(parsing: &input, edition: edition))
        case 0x8601: .deleteCircles(try JT808AreaDeletion(parsing: &input, edition: edition))
        case 0x8602: .rectangles(try JT808Rectangles(parsing: &input, edition: edition))
        case 0x8603: .deleteRectangles(try JT808AreaDeletion(parsing: &input, edition: edition))
        case 0x8604: .polygon(try JT808Polygon(parsing: &input, edition: edition))
        case 0x8605: .deletePolygons(try JT808AreaDeletion(parsing: &input, edition: edition))
        case 0x8606: .route(try JT808Route(parsing: &input, edition: edition))
        case 0x8607: .deleteRoutes(try JT808AreaDeletion(parsing: &input, edition: edition))
        case 0x8608: .queryAreas(try JT808AreaQuery(parsing: &input, edition: edition))
        case 0x8800: .mediaAcknowledgement(try JT808MediaAcknowledgement(parsing: &input, edition: edition))
        case 0x8801: .takePicture(try JT808TakePicture(parsing: &input, edition: edition))
        case 0x8802: .mediaSearch(try JT808MediaSearch(parsing: &input, edition: edition))
        case 0x8803: .mediaUpload(try JT808MediaUpload(parsing: &input, edition: edition))
        case 0x8804: .record(try JT808Recording(parsing: &input, edition: edition))
        case 0x8805: .fetchMedia(try JT808FetchMedia(parsing: &input, edition: edition))
        case 0x8900: .transparentDown(try JT808Transparent(parsing: &input, edition: edition))
        default: .unknown(id: id, JT808Bytes(input.rest()))
        }
    }

    /// The message id on the wire.
    public var id: UInt16 {
        switch self {
        case .terminalResponse: 0x0001
        case .heartbeat: 0x0002
        case .logOut: 0x0003
        case .serverTimeQuery: 0x0004
        case .terminalResendRequest: 0x0005
        case .registration: 0x0100
        case .authentication: 0x0102
        case .parameterReply: 0x0104
        case .attributeReply: 0x0107
        case .upgradeResult: 0x0108
        case .timeSyncRequest: 0x0109
        case .location: 0x0200
        case .locationReply: 0x0201
        case .vendorBatch: 0x0210
        case .event: 0x0301
        case .answer: 0x0302
        case .subscription: 0x0303
        case .vehicleControlReply: 0x0500
        case .vendorHeartbeat0506: 0x0506
        case .areaReply: 0x0608
        case .batch: 0x0704
        case .mediaEvent: 0x0800
        case .media: 0x0801
        case .mediaSearchReply: 0x0802
        case .cameraReply: 0x0805
        case .transparentUp: 0x0900
        case .compressed: 0x0901
        case .vendorHeartbeat1007: 0x1007
        case .unicodeAnswer: 0x1300
        case .textAnswer: 0x6006
        case .platformResponse: 0x8001
        case .platformResendRequest: 0x8003
        case .serverTime: 0x8004
        case .registrationReply: 0x8100
        case .setParameters: 0x8103
        case .queryParameters: 0x8104
        case .control: 0x8105
        case .queryNamedParameters: 0x8106
        case .queryAttributes: 0x8107
        case .upgrade: 0x8108
        case .timeSyncReply: 0x8109
        case .queryLocation: 0x8201
        case .track: 0x8202
        case .confirmAlarm: 0x8203
        case .linkCheck: 0x8204
        case .text: 0x8300
        case .eventList: 0x8301
        case .question: 0x8302
        case .informationMenu: 0x8303
        case .information: 0x8304
        case .callBack: 0x8400
        case .phoneBook: 0x8401
        case .circles: 0x8600
        case .deleteCircles: 0x8601
        case .rectangles: 0x8602
        case .deleteRectangles: 0x8603
        case .polygon: 0x8604
        case .deletePolygons: 0x8605
        case .route: 0x8606
        case .deleteRoutes: 0x8607
        case .queryAreas: 0x8608
        case .mediaAcknowledgement: 0x8800
        case .takePicture: 0x8801
        case .mediaSearch: 0x8802
        case .mediaUpload: 0x8803
        case .record: 0x8804
        case .fetchMedia: 0x8805
        case .transparentDown: 0x8900
        case .part(let id, _), .unknown(let id, _): id
        }
    }

    var body: any JT808Body {
        switch self {
        case .terminalResponse(let body): body
        case .heartbeat(let body): body
        case .logOut(let body): body
        case .serverTimeQuery(let body): body
        case .terminalResendRequest(let body): body
        case .registration(let body): body
        case .authentication(let body): body
        case .parameterReply(let body): body
        case .attributeReply(let body): body
        case .upgradeResult(let body): body
        case .timeSyncRequest(let body): body
        case .location(let body): body
        case .locationReply(let body): body
        case .vendorBatch(let body): body
        case .event(let body): body
        case .answer(let body): body
        case .subscription(let body): body
        case .vehicleControlReply(let body): body
        case .vendorHeartbeat0506(let body): body
        case .areaReply(let body): body
        case .batch(let body): body
        case .mediaEvent(let body): body
        case .media(let body): body
        case .mediaSearchReply(let body): body
        case .cameraReply(let body): body
        case .transparentUp(let body): body
        case .compressed(let body): body
        case .vendorHeartbeat1007(let body): body
        case .unicodeAnswer(let body): body
        case .textAnswer(let body): body
        case .platformResponse(let body): body
        case .platformResendRequest(let body): body
        case .serverTime(let body): body
        case .registrationReply(let body): body
        case .setParameters(let body): body
        case .queryParameters(let body): body
        case .control(let body): body
        case .queryNamedParameters(let body): body
        case .queryAttributes(let body): body
        case .upgrade(let body): body
        case .timeSyncReply(let body): body
        case .queryLocation(let body): body
        case .track(let body): body
        case .confirmAlarm(let body): body
        case .linkCheck(let body): body
        case .text(let body): body
        case .eventList(let body): body
        case .question(let body): body
        case .informationMenu(let body): body
        case .information(let body): body
        case .callBack(let body): body
        case .phoneBook(let body): body
        case .circles(let body): body
        case .deleteCircles(let body): body
        case .rectangles(let body): body
        case .deleteRectangles(let body): body
        case .polygon(let body): body
        case .deletePolygons(let body): body
        case .route(let body): body
        case .deleteRoutes(let body): body
        case .queryAreas(let body): body
        case .mediaAcknowledgement(let body): body
        case .takePicture(let body): body
        case .mediaSearch(let body): body
        case .mediaUpload(let body): body
        case .record(let body): body
        case .fetchMedia(let body): body
        case .transparentDown(let body): body
        case .part(_, let body): body
        case .unknown(_, let body): body
        }
    }
}
