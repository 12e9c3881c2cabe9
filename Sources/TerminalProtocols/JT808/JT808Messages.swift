import TerminalModel
import WireBytes

/// The body of one kind of message: read, written and shown by the same type.
protocol JT808Body: Sendable, Equatable {
    /// - Parameter edition: nil where neither header nor profile tells 2011 from 2013.
    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError)
    func write(to output: inout ByteWriter, edition: JT808Edition)
    /// The members of `body` in the shape of the corpus.
    var fields: JSONObject { get }
}

/// Every message of section 6 that a personal terminal can send or be sent, and whatever else arrives as bytes.
public enum JT808Message: Sendable, Equatable {
    // Terminal to platform.
    case terminalResponse(JT808Response)
    case heartbeat(JT808Bytes)
    case logOut(JT808Bytes)
    case serverTimeQuery(JT808Bytes)
    case terminalResendRequest(JT808ResendRequest)
    case registration(JT808Registration)
    case authentication(JT808Authentication)
    case parameterReply(JT808ParameterReply)
    case attributeReply(JT808Attributes)
    case upgradeResult(JT808UpgradeResult)
    case location(JT808Location)
    case locationReply(JT808LocationReply)
    case event(JT808EventReport)
    case answer(JT808Answer)
    case subscription(JT808Subscription)
    case vehicleControlReply(JT808LocationReply)
    case areaReply(JT808AreaReply)
    case batch(JT808Batch)
    case mediaEvent(JT808MediaEvent)
    case media(JT808Media)
    case mediaSearchReply(JT808MediaSearchReply)
    case cameraReply(JT808CameraReply)
    case transparentUp(JT808Transparent)
    case compressed(JT808Compressed)
    // Terminal to platform, outside the standard.
    case timeSyncRequest(JT808Bytes)
    case vendorBatch(JT808VendorBatch)
    case textAnswer(JT808TextAnswer)
    case unicodeAnswer(JT808UnicodeAnswer)
    case vendorHeartbeat0506(JT808Bytes)
    case vendorHeartbeat1007(JT808Bytes)
    // Platform to terminal.
    case platformResponse(JT808Response)
    case platformResendRequest(JT808ResendRequest)
    case serverTime(JT808ServerTime)
    case registrationReply(JT808RegistrationReply)
    case setParameters(JT808ParameterList)
    case queryParameters(JT808Bytes)
    case control(JT808Control)
    case queryNamedParameters(JT808NamedParameters)
    case queryAttributes(JT808Bytes)
    case upgrade(JT808Upgrade)
    case queryLocation(JT808Bytes)
    case track(JT808Tracking)
    case confirmAlarm(JT808AlarmConfirmation)
    case linkCheck(JT808Bytes)
    case text(JT808Text)
    case eventList(JT808EventList)
    case question(JT808Question)
    case informationMenu(JT808InformationMenu)
    case information(JT808Information)
    case callBack(JT808CallBack)
    case phoneBook(JT808PhoneBook)
    case circles(JT808Circles)
    case rectangles(JT808Rectangles)
    case polygon(JT808Polygon)
    case route(JT808Route)
    case deleteCircles(JT808AreaDeletion)
    case deleteRectangles(JT808AreaDeletion)
    case deletePolygons(JT808AreaDeletion)
    case deleteRoutes(JT808AreaDeletion)
    case queryAreas(JT808AreaQuery)
    case mediaAcknowledgement(JT808MediaAcknowledgement)
    case takePicture(JT808TakePicture)
    case mediaSearch(JT808MediaSearch)
    case mediaUpload(JT808MediaUpload)
    case record(JT808Recording)
    case fetchMedia(JT808FetchMedia)
    case transparentDown(JT808Transparent)
    case timeSyncReply(JT808TimeSync)
    // Anything else.
    /// One package of several; the message appears with the last one.
    case part(id: UInt16, JT808Part)
    case unknown(id: UInt16, JT808Bytes)
}

/// One frame, decoded.
public struct JT808Packet: Sendable, Equatable {
    public var header: JT808Header
    public var checkCode: UInt8
    /// The header declares another body length than the body has; seen on real devices, which still want their answer.
    public var lengthMismatch: Bool
    public var message: JT808Message
    /// Bytes behind the fields of the body that its layout does not explain.
    public var trailing: [UInt8]
    /// The message that this package completed, when the frame was the last missing one of several.
    public var assembled: JT808Assembled?

    public init(
        header: JT808Header, checkCode: UInt8, lengthMismatch: Bool = false, message: JT808Message,
        trailing: [UInt8] = []
    ) {
        self.header = header
        self.checkCode = checkCode
        self.lengthMismatch = lengthMismatch
        self.message = message
        self.trailing = trailing
    }
}

/// A message put together from its packages.
public struct JT808Assembled: Sendable, Equatable {
    /// The flow id of package 1.
    public var firstFlowID: UInt16
    public var message: JT808Message
    public var trailing: [UInt8]

    public init(firstFlowID: UInt16, message: JT808Message, trailing: [UInt8] = []) {
        self.firstFlowID = firstFlowID
        self.message = message
        self.trailing = trailing
    }
}

/// A body whose bytes are kept as they are: messages that are empty by the standard but may carry vendor bytes, and
/// messages that are not known.
public struct JT808Bytes: JT808Body {
    public var bytes: [UInt8]

    public init(_ bytes: [UInt8] = []) { self.bytes = bytes }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        bytes = input.rest()
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.append(bytes)
    }

    var fields: JSONObject {
        var object = JSONObject()
        if !bytes.isEmpty { object.set("hex", Hex.text(bytes)) }
        return object
    }
}

/// The body of one package of several.
public struct JT808Part: JT808Body {
    public var bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        bytes = input.rest()
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.append(bytes)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("partHex", Hex.text(bytes))
        return object
    }
}
