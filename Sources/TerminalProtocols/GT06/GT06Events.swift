public import TerminalModel
import WireBytes

/// What a connection knows of the terminal that speaks on it: GT06 names the terminal at login and never again.
///
/// It turns frames into events and carries from one to the next who speaks, in which zone the clock runs and which alarm
/// stands in the state bits of the heartbeats.
public struct GT06Link: Sendable, Equatable {
    /// In which zone the terminal's times are meant (section 5.1).
    public enum Zone: UInt8, Sendable {
        /// No live report has shown it yet.
        case undecided
        case utc
        /// The terminal's local time.
        case local
        /// A live report fitted neither: taken for UTC until one fits, and flagged.
        case doubtful
    }

    /// 0 until a terminal has logged in.
    public private(set) var terminal = TerminalID(nibbles: 0)
    public private(set) var isLoggedIn = false
    public private(set) var zone = Zone.undecided
    private var loginOffsetMinutes: Int16?
    /// The alarm that the state bits show since it was last raised.
    private var standing: AlarmKind?

    public init() {}

    /// A device time further ahead of the receive time than this is that of a clock that was never set.
    static let maximumFutureMilliseconds: Int64 = 86_400_000

    /// Takes over who speaks; what is known of the same terminal's clock stays.
    public mutating func logIn(_ login: GT06Login) {
        let offset = login.utcOffsetMinutes.map { Int16($0) }
        if !isLoggedIn || login.terminal != terminal {
            self = GT06Link()
        } else if let offset, offset != loginOffsetMinutes {
            zone = .undecided
        }
        terminal = login.terminal
        isLoggedIn = true
        if let offset { loginOffsetMinutes = offset }
    }

    /// What the frame says, in the words that all protocols share: one event.
    ///
    /// An alarm in the state bits of a heartbeat stands there until it is cleared; only its coming is reported.
    ///
    /// - Parameters:
    ///   - profile: what is known of the terminal.
    ///   - received: when the last byte had been read; without it the zone cannot be found out.
    public mutating func events(
        _ packet: GT06Packet, profile: GT06Profile = .standard, received: Timestamp? = nil
    ) -> [TerminalEvent] {
        if case .login(let login) = packet.message { logIn(login) }
        if case .lookAlike(.login(let imei, _)) = packet.message { logIn(GT06Login(imeiNibbles: imei)) }
        var event = TerminalEvent(
            protocolName: .gt06, terminal: terminal, message: .number(UInt16(packet.number)),
            sequence: packet.serial.map(Int.init), received: received, kind: .other)
        fill(&event, packet.message, profile)
        if !packet.trailing.isEmpty { event.extras.append(("trailing", Hex.text(packet.trailing))) }
        return [event]
    }

    /// The event of a plain location straight from the frame, without a message in between; nil for anything else.
    ///
    /// It equals the event of the decoded message and touches the heap only for the cell.
    public mutating func locationEvent(
        _ frame: borrowing GT06Frame, profile: GT06Profile = .standard, received: Timestamp? = nil
    ) -> TerminalEvent? {
        let number = frame.number
        guard number == 0x12 || GT06Location.hasTrailer(number), frame.form != .lookAlike else { return nil }
        let content = frame.content
        let place = GT06Position.byteCount
        guard let gps = GT06Position(content), gps.isPlausible,
            let cell = GT06Cell.byteCount(number, in: content, at: place)
        else { return nil }
        let left = content.count - place - cell
        var trailer: GT06Location.Trailer?
        if GT06Location.hasTrailer(number) {
            guard left == 3 || left == 7 else { return nil }
            let at = place + cell
            trailer = GT06Location.Trailer(
                accessory: content[at], uploadMode: content[at + 1], reupload: content[at + 2],
                mileage: left == 7 ? content.uint32BE(at: at + 3) : nil)
        } else if left != 0 {
            return nil
        }
        var event = TerminalEvent(
            protocolName: .gt06, terminal: terminal, message: .number(UInt16(number)),
            sequence: frame.serial.map(Int.init), received: received, kind: .report)
        let location = GT06Location(
            gps: gps, cell: GT06Cell(content, at: place, number: number), trailer: trailer)
        fill(&event, location, profile)
        return event
    }

    /// An alarm of this link was not kept: one that stands in the state bits is said again with the next heartbeat.
    public mutating func forgetStandingAlarm() {
        standing = nil
    }

    // MARK: Time

    /// Decides the zone by a live report, and gives its time.
    private mutating func deviceTime(
        _ time: GT06Time, of event: TerminalEvent, _ profile: GT06Profile
    ) -> Timestamp? {
        decideZone(time, event, profile)
        guard let claimed = time.timestamp(utcOffsetMinutes: offset(event.message, profile)) else { return nil }
        if let received = event.received,
            claimed.milliseconds - received.milliseconds > Self.maximumFutureMilliseconds
        {
            return nil
        }
        return claimed
    }

    private mutating func decideZone(_ time: GT06Time, _ event: TerminalEvent, _ profile: GT06Profile) {
        guard zone == .undecided || zone == .doubtful, !event.historical,
            let received = event.received, let utc = time.timestamp(utcOffsetMinutes: 0)
        else { return }
        func fits(_ offset: Int) -> Bool {
            let claimed = utc.adding(milliseconds: Int64(offset) * -60_000)
            return abs(claimed.milliseconds - received.milliseconds) <= GT06.zoneToleranceMilliseconds
        }
        if fits(0) {
            zone = .utc
        } else if fits(localOffset(profile)) {
            zone = .local
        } else {
            zone = .doubtful
        }
    }

    /// Minutes east of UTC. Until a report has shown it the manuals say: the oldest messages state the terminal's local
    /// time, the newer ones UTC.
    private func offset(_ message: MessageName, _ profile: GT06Profile) -> Int {
        switch zone {
        case .utc, .doubtful: return 0
        case .local: return localOffset(profile)
        case .undecided:
            switch message {
            case .number(0x10), .number(0x11), .number(0x12), .number(0x16): return localOffset(profile)
            default: return 0
            }
        }
    }

    /// The offset of the login, or what the site says where that has none.
    private func localOffset(_ profile: GT06Profile) -> Int {
        loginOffsetMinutes.map { Int($0) } ?? profile.utcOffsetMinutes
    }

    // MARK: Parts that several messages share

    private mutating func fill(_ event: inout TerminalEvent, _ gps: GT06Position, _ profile: GT06Profile) {
        event.position = Position(gps)
        event.deviceTime = deviceTime(gps.time, of: event, profile)
        if zone == .doubtful, !event.historical, event.deviceTime != nil {
            event.extras.append(("clock_doubtful", "01"))
        }
    }

    private mutating func fill(_ event: inout TerminalEvent, _ location: GT06Location, _ profile: GT06Profile) {
        event.kind = .report
        event.historical = location.trailer?.reupload == 1
        fill(&event, location.gps, profile)
        if let cell = location.cell, let tower = CellTower(cell) { event.cells = [tower] }
        guard let trailer = location.trailer else { return }
        if trailer.accessory != 0 { event.extras.append(("acc", Hex.text([trailer.accessory]))) }
        if trailer.uploadMode != 0 { event.extras.append(("upload_mode", Hex.text([trailer.uploadMode]))) }
        if let mileage = trailer.mileage {
            event.extras.append(("mileage", String(Hex.number(mileage, digits: 8).dropFirst(2))))
        }
    }

    private mutating func fill(_ event: inout TerminalEvent, _ status: GT06Status, _ profile: GT06Profile) {
        event.charging = status.information & GT06Power.charging != 0
        event.signalPercent = GT06Power.signalPercent(status.signal)
        switch status.power {
        case .level(let level): event.batteryPercent = GT06Power.batteryPercent(level)
        case .pair(let high, let low): event.batteryPercent = GT06Power.batteryPercent(pair: high, low)
        case .voltage(let voltage): event.batteryVolts = Double(voltage) / 100
        }
        let kind = profile.alarms.kind(code: status.alarm, information: status.information)
        raise(kind, code: status.alarm, &event)
    }

    /// An alarm message states one alarm; the code stays beside it where the name does not tell it.
    private mutating func raise(_ kind: AlarmKind?, code: UInt8, _ event: inout TerminalEvent) {
        standing = kind
        if let kind { event.alarms.insert(kind) }
        if code != 0 { event.extras.append(("alarm", Hex.text([code]))) }
    }

    /// The state bits of a heartbeat: an alarm in them is reported when it comes.
    private mutating func heartbeat(_ event: inout TerminalEvent, _ information: UInt8, _ profile: GT06Profile) {
        event.kind = .heartbeat
        event.charging = information & GT06Power.charging != 0
        let kind = profile.alarms.kind(information: information)
        defer { standing = kind }
        guard let kind, kind != standing else { return }
        event.kind = .alarm
        event.alarms.insert(kind)
    }

    // MARK: Messages

    private mutating func fill(_ event: inout TerminalEvent, _ message: GT06Message, _ profile: GT06Profile) {
        switch message {
        case .location(_, let body): fill(&event, body, profile)
        case .alarm(_, let body):
            event.kind = .report
            fill(&event, body.gps, profile)
            if let cell = body.cell, let tower = CellTower(cell) { event.cells = [tower] }
            fill(&event, body.status, profile)
            if let fence = body.fence, fence != 0xFF { event.extras.append(("fence", Hex.text([fence]))) }
            if let card = body.card {
                event.extras.append(("card", String(Hex.number(card, digits: 16).dropFirst(2))))
            }
        case .cellAlarm(_, let body):
            event.kind = .alarm
            if let tower = CellTower(body.cell) { event.cells = [tower] }
            fill(&event, body.status, profile)
        case .heartbeat(let body):
            heartbeat(&event, body.information, profile)
            event.batteryPercent = body.battery.flatMap(GT06Power.batteryPercent)
            event.signalPercent = body.signal.flatMap(GT06Power.signalPercent)
            if !body.extra.isEmpty { event.extras.append(("extension", Hex.text(body.extra))) }
        case .voltageHeartbeat(let body):
            heartbeat(&event, body.information, profile)
            event.batteryVolts = Double(body.voltage) / 100
            event.signalPercent = GT06Power.signalPercent(body.signal)
        case .moduleHeartbeat(let body):
            heartbeat(&event, body.information, profile)
            for module in body.modules {
                event.extras.append((Hex.number(module.id, digits: 4), Hex.text(module.value)))
            }
        case .cells(_, let body):
            event.kind = .report
            event.deviceTime = deviceTime(body.time, of: event, profile)
            event.cells = body.cells.map { CellTower($0, of: body) }
            event.wifi = (body.accessPoints ?? []).map(WiFiAccessPoint.init)
        case .unreadableAlarm(_, let body): fill(&event, unreadable: body, profile)
        case .addressRequest(_, let body): fill(&event, body, profile)
        default: fillRest(&event, message, profile)
        }
    }

    /// What kind of alarm it is cannot be read, so it is an SOS until somebody has looked (promises P2 and P9). Of the content
    /// counts what surely fits: a GPS block in front (section 11).
    private mutating func fill(_ event: inout TerminalEvent, unreadable body: GT06Bytes, _ profile: GT06Profile) {
        event.kind = .alarm
        if GT06Message.hasPosition(event.message), let gps = GT06Position(body.bytes.span), gps.isPlausible {
            event.kind = .report
            fill(&event, gps, profile)
        }
        event.alarms.insert(.sos)
        event.extras.append(("content", Hex.text(body.bytes)))
    }

    private mutating func fillRest(_ event: inout TerminalEvent, _ message: GT06Message, _ profile: GT06Profile) {
        switch message {
        case .login(let login):
            event.kind = .login
            event.imei = login.imei
            if let type = login.typeCode {
                event.extras.append(("type", String(Hex.number(type, digits: 4).dropFirst(2))))
            }
        case .reply(_, let body):
            event.kind = .reply
            event.text = body.text
            event.position = GT06PositionText.position(body.text)
        case .information(let body): fill(&event, body)
        case .unknown(_, let body):
            if !body.bytes.isEmpty { event.extras.append(("content", Hex.text(body.bytes))) }
        case .lookAlike(let body): fill(&event, body, profile)
        default: break
        }
    }

    private mutating func fill(_ event: inout TerminalEvent, _ request: GT06AddressRequest, _ profile: GT06Profile) {
        event.kind = .report
        switch request.place {
        case .gps(let gps): fill(&event, gps, profile)
        case .cell(let cell): if let tower = CellTower(cell) { event.cells = [tower] }
        }
        if let alarm = request.alarm, alarm != 0 { raise(profile.alarms[alarm], code: alarm, &event) }
    }

    private func fill(_ event: inout TerminalEvent, _ information: GT06Information) {
        switch information {
        case .voltage(let voltage): event.externalVolts = Double(voltage) / 100
        case .text(_, let text): event.text = text
        case .identity(let imei, _, let iccid):
            event.imei = GT06Login(imeiNibbles: imei).imei
            event.iccid = Hex.text(iccid)
        case .other(_, let body): event.extras.append(("content", Hex.text(body.bytes)))
        }
        event.extras.append(("sub_type", Hex.text([information.type])))
    }

    // MARK: The look-alike family

    private mutating func fill(_ event: inout TerminalEvent, _ message: GT06LookAlike, _ profile: GT06Profile) {
        switch message {
        case .login(let imei, _):
            event.kind = .login
            event.imei = GT06Login(imeiNibbles: imei).imei
        case .heartbeat(let gps):
            event.kind = .heartbeat
            if let gps { fill(&event, gps, profile) }
        case .position(let body):
            event.kind = .report
            event.historical = body.isStored
            fill(&event, body.gps, profile)
            event.position?.altitudeMetres = body.altitude.map(Int.init)
            let bits = body.alarms ?? 0
            if bits & GT06LookAlikePosition.Alarm.vibration != 0 { event.alarms.insert(.vibration) }
            if bits & GT06LookAlikePosition.Alarm.overspeed != 0 { event.alarms.insert(.overspeed) }
            if bits & GT06LookAlikePosition.Alarm.lowPower != 0 { event.alarms.insert(.lowBattery) }
        case .status(let body):
            event.kind = .heartbeat
            event.batteryPercent = body.bytes.first.flatMap { $0 <= 100 ? Int($0) : nil }
            if !body.bytes.isEmpty { event.extras.append(("content", Hex.text(body.bytes))) }
        case .cells(_, let body):
            event.kind = .report
            event.deviceTime = deviceTime(body.binaryTime, of: event, profile)
            event.cells = body.cells.map { CellTower($0, of: body) }
            event.wifi = body.accessPoints.map(WiFiAccessPoint.init)
        case .alarm(let number, let body):
            event.kind = .alarm
            event.alarms.insert(number == GT06Framer.LookAlike.sos ? .sos : .vibration)
            if !body.bytes.isEmpty { event.extras.append(("content", Hex.text(body.bytes))) }
        case .unknown(_, let body):
            if !body.bytes.isEmpty { event.extras.append(("content", Hex.text(body.bytes))) }
        case .timeRequest, .loginReply, .time, .echo: break
        }
    }
}
