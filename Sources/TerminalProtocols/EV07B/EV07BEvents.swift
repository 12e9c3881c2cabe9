public import TerminalModel
import WireBytes

extension EV07BFrame {
    /// Who reports: the IMEI that data and service frames begin with, nil where none is stated.
    public var terminal: TerminalID? {
        guard command == .data || command == .services else { return nil }
        var walk = blocks
        while let block = walk.next() {
            guard block.key == EV07BKey.identity else { continue }
            return EV07BIdentity.terminal(walk.bytes.extracting(block.value))
        }
        return nil
    }

    /// What the frame says, in the words that all protocols share: one event a record, a reading and a call, at least one.
    ///
    /// - Parameters:
    ///   - terminal: who speaks on this connection; frames that state nobody do not tell.
    ///   - profile: what is known of the terminal.
    ///   - received: when the last byte had been read; without it a wrong clock can hardly be told.
    public func events(
        terminal: TerminalID, profile: EV07BProfile = .standard, received: Timestamp? = nil
    ) -> [TerminalEvent] {
        var events: [TerminalEvent] = []
        forEachEvent(terminal: terminal, profile: profile, received: received) { events.append($0) }
        return events
    }

    /// The event of a report with a single record straight from the frame; nil for anything else.
    ///
    /// It equals the only event of `events` and touches the heap only for what needs it (alarms, cells, Wi-Fi, extras).
    public func locationEvent(
        terminal: TerminalID, profile: EV07BProfile = .standard, received: Timestamp? = nil
    ) -> TerminalEvent? {
        guard command == .data else { return nil }
        var only: TerminalEvent?
        var count = 0
        forEachEvent(terminal: terminal, profile: profile, received: received) { event in
            if count == 0, event.kind == .report { only = event }
            count += 1
        }
        return count == 1 ? only : nil
    }

    private func forEachEvent(
        terminal: TerminalID, profile: EV07BProfile, received: Timestamp?, _ body: (TerminalEvent) -> Void
    ) {
        let maker = EV07BEventMaker(
            header: header, command: command, terminal: terminal, profile: profile, received: received)
        switch command {
        case .data, .services:
            var normaliser = EV07BNormaliser(maker: maker)
            normaliser.read(blocks, body)
        default: body(maker.single(blocks))
        }
    }
}

/// Makes the events of one frame: what all of them share.
struct EV07BEventMaker {
    let header: EV07BHeader
    let command: EV07BCommand
    let terminal: TerminalID
    let profile: EV07BProfile
    let received: Timestamp?

    func event(_ kind: EventKind) -> TerminalEvent {
        TerminalEvent(
            protocolName: .ev07b, terminal: terminal, message: command.message, sequence: Int(header.sequence),
            received: received, kind: kind)
    }

    /// The event of a frame that is no report.
    func single(_ blocks: consuming EV07BBlockWalk) -> TerminalEvent {
        switch command {
        case .control:
            while let block = blocks.next() {
                guard block.key == EV07BControl.text.rawValue else { continue }
                var event = event(.text)
                var input = EV07BValueReader(blocks.bytes.extracting(block.value), key: block.key)
                event.text = EV07BSpeech(parsing: &input).text
                return event
            }
            return event(.other)
        case .configuration: return event(header.isAcknowledgementWanted ? .other : .reply)
        case .response:
            var event = event(.reply)
            if let block = blocks.next() { event.extras = [("result", Hex.text([block.key]))] }
            return event
        default: return event(.other)
        }
    }

    /// What the clock of the terminal claims; nil when it was never set or is plainly wrong (section 12).
    ///
    /// The raw value of such a time goes to the extras of the event.
    func setTime(_ seconds: UInt32, of event: inout TerminalEvent) {
        if let time = time(seconds) {
            event.deviceTime = time
        } else {
            event.extras.append(("time", Hex.text((0..<4).map { UInt8(truncatingIfNeeded: seconds >> ($0 * 8)) })))
        }
    }

    private func time(_ seconds: UInt32) -> Timestamp? {
        guard seconds >= EV07B.earliestSetClock else { return nil }
        let time = Timestamp(seconds: Int64(seconds))
        guard let received else { return time }
        let age = received.milliseconds - time.milliseconds
        guard age <= EV07B.maximumAgeMilliseconds, age >= -EV07B.maximumFutureMilliseconds else { return nil }
        return time
    }
}

/// Groups the blocks of a report into records and turns them into events (section 9).
///
/// A status opens a record and the position keys behind it belong to it; position keys before any status form a record
/// without a time. An alarm belongs to the record that is open, else to the next one. Readings and calls have times of their
/// own and become events of their own. What is said beside them goes with the next record.
struct EV07BNormaliser {
    let maker: EV07BEventMaker
    private var record: EV07BRecord?
    /// Alarms in front of the record they belong to.
    private var waiting: [EV07BAlarmGroup] = []
    private var beside = Beside()
    private var isHistorical = false
    private var count = 0

    /// What a frame says outside its records.
    private struct Beside {
        var isHeartbeat = false
        var batteryPercent: Int?
        var batteryVolts: Double?
        var iccid: String?
        var extras: [(name: String, hex: String)] = []

        var isEmpty: Bool {
            !isHeartbeat && batteryPercent == nil && batteryVolts == nil && iccid == nil && extras.isEmpty
        }
    }

    init(maker: EV07BEventMaker) {
        self.maker = maker
    }

    mutating func read(_ blocks: consuming EV07BBlockWalk, _ body: (TerminalEvent) -> Void) {
        while let block = blocks.next() { take(block.key, blocks.bytes.extracting(block.value), body) }
        let rest = blocks.bytes.extracting(blocks.offset..<blocks.bytes.count)
        if !rest.isEmpty { broken(rest) }
        if record != nil {
            for group in waiting { record?.add(group) }
            waiting.removeAll()
        }
        close(body)
        for group in waiting { emit(event(of: group), body) }
        if count == 0 || !beside.isEmpty { emit(maker.event(beside.isHeartbeat ? .heartbeat : .other), body) }
    }

    /// A body that breaks off: an alarm whose flags are there is stated all the same (promise P2).
    private mutating func broken(_ rest: Span<UInt8>) {
        beside.extras.append(("trailing", Hex.text(rest)))
        if rest.count >= 2 + EV07BAlarm.minimumByteCount, rest[0] > 1, rest[1] == EV07BKey.alarm {
            alarm(rest.extracting(droppingFirst: 2))
        }
    }

    private mutating func emit(_ event: consuming TerminalEvent, _ body: (TerminalEvent) -> Void) {
        event.batteryPercent = event.batteryPercent ?? beside.batteryPercent
        event.batteryVolts = beside.batteryVolts
        event.iccid = beside.iccid
        if !beside.extras.isEmpty { event.extras += beside.extras }
        beside = Beside()
        Self.makeUnique(&event.extras)
        if isHistorical { event.historical = true }
        count += 1
        body(event)
    }

    /// A second extra of a name is called `0x28#2`: names of the extras are unique.
    private static func makeUnique(_ extras: inout [(name: String, hex: String)]) {
        guard extras.count > 1 else { return }
        var seen: [String: Int] = [:]
        for index in extras.indices {
            let number = seen[extras[index].name, default: 0] + 1
            seen[extras[index].name] = number
            if number > 1 { extras[index].name += "#\(number)" }
        }
    }

    // MARK: Blocks

    private mutating func take(_ key: UInt8, _ value: Span<UInt8>, _ body: (TerminalEvent) -> Void) {
        switch key {
        case EV07BKey.identity: break
        case EV07BKey.alarm: alarm(value)
        case EV07BKey.status:
            close(body)
            record = EV07BRecord(status: read(value, key))
            // A status that is cut short states no battery.
            record?.isStatusWhole = value.count >= EV07BStatus.minimumByteCount
            for group in waiting { record?.add(group) }
            waiting.removeAll()
        case EV07BKey.iccid: beside.iccid = (read(value, key) as EV07BText).text
        case EV07BKey.heartbeat:
            beside.isHeartbeat = true
            beside.batteryPercent = (read(value, key) as EV07BHeartbeat).batteryPercent.flatMap(Self.percent)
        case _ where EV07BKey.isPosition(key):
            if record == nil { record = EV07BRecord(status: nil) }
            record?.take(key, value)
        default:
            if maker.command == .data { takeData(key, value, body) }
        }
    }

    /// Keys that mean something else, or nothing, in a service frame.
    private mutating func takeData(_ key: UInt8, _ value: Span<UInt8>, _ body: (TerminalEvent) -> Void) {
        switch key {
        case EV07BKey.historical: isHistorical = true
        case EV07BKey.battery:
            let battery: EV07BBattery = read(value, key)
            beside.batteryPercent = Self.percent(battery.percent)
            if battery.millivolts > 0 { beside.batteryVolts = Double(battery.millivolts) / 1000 }
        case EV07BKey.call: timed((read(value, key) as EV07BCall).time, key, value, body)
        case EV07BKey.barking: timed((read(value, key) as EV07BBarking).time, key, value, body)
        case EV07BKey.steps:
            for count in (read(value, key) as EV07BCounts).counts {
                emit(event(at: count.time) { $0.steps = Int(count.value) }, body)
            }
        case EV07BKey.heartRate, EV07BKey.bloodOxygen:
            for reading in (read(value, key) as EV07BReadings).readings where reading.isValid {
                let value = Int(reading.value)
                emit(
                    event(at: reading.time) {
                        if key == EV07BKey.heartRate {
                            $0.heartRateBeatsPerMinute = value
                        } else if value <= 100 {
                            $0.bloodOxygenPercent = value
                        }
                    }, body)
            }
        default:
            if record == nil { beside.extras.append(EV07BRecord.extra(key, value)) }
            record?.extras.append(EV07BRecord.extra(key, value))
        }
    }

    private func read<Value: EV07BValue>(_ value: Span<UInt8>, _ key: UInt8) -> Value {
        var input = EV07BValueReader(value, key: key)
        return Value(parsing: &input)
    }

    static func percent(_ value: UInt8) -> Int? { value <= 100 ? Int(value) : nil }

    private func event(at seconds: UInt32, _ set: (inout TerminalEvent) -> Void) -> TerminalEvent {
        var event = maker.event(.other)
        maker.setTime(seconds, of: &event)
        set(&event)
        return event
    }

    /// A block with a time and nothing that the event has a member for.
    private mutating func timed(
        _ seconds: UInt32, _ key: UInt8, _ value: Span<UInt8>, _ body: (TerminalEvent) -> Void
    ) {
        var event = maker.event(.other)
        maker.setTime(seconds, of: &event)
        event.extras.append(EV07BRecord.extra(key, value))
        emit(event, body)
    }

    // MARK: Alarms

    private mutating func alarm(_ value: Span<UInt8>) {
        let alarm: EV07BAlarm = read(value, EV07BKey.alarm)
        var group = EV07BAlarmGroup(time: alarm.time, extras: [EV07BRecord.extra(EV07BKey.alarm, value)])
        maker.profile.alarms.forEach(in: alarm) { stated in
            group.alarms.insert(stated.kind)
            if let key = stated.key { group.keys.append(key) }
        }
        if record == nil { waiting.append(group) }
        record?.add(group)
    }

    private func event(of group: EV07BAlarmGroup) -> TerminalEvent {
        var event = maker.event(.alarm)
        if let time = group.time { maker.setTime(time, of: &event) }
        group.apply(to: &event)
        return event
    }

    // MARK: Records

    /// The events of the record that ends here.
    ///
    /// The first alarm and the position are one event, at the time of the alarm, so that whoever hears of it learns at once
    /// where. When the position has another time, it follows once more with that one; further alarms follow by themselves.
    private mutating func close(_ body: (TerminalEvent) -> Void) {
        guard let closed = record.take() else { return }
        var event = maker.event(closed.hasPosition ? .report : .heartbeat)
        closed.apply(to: &event)
        guard let first = closed.alarm else {
            if let status = closed.status { maker.setTime(status.time, of: &event) }
            emit(event, body)
            return
        }
        let position = event
        if !closed.hasPosition { event.kind = .alarm }
        if let time = first.time { maker.setTime(time, of: &event) }
        first.apply(to: &event)
        emit(event, body)
        for group in closed.furtherAlarms {
            var further = self.event(of: group)
            further.historical = event.historical
            emit(further, body)
        }
        if closed.hasPosition, let status = closed.status, let time = first.time, time != status.time {
            var again = position
            maker.setTime(status.time, of: &again)
            emit(again, body)
        }
    }
}

/// The alarms of a record that happened at one time.
struct EV07BAlarmGroup {
    /// UTC seconds; nil is the time of the record.
    var time: UInt32?
    var alarms = AlarmSet()
    var keys: [Int] = []
    var extras: [(name: String, hex: String)]

    func apply(to event: inout TerminalEvent) {
        event.alarms = alarms
        event.keys = keys
        event.extras += extras
    }
}

/// What the blocks of one record say.
struct EV07BRecord {
    let status: EV07BStatus?
    var isStatusWhole = true
    private(set) var hasPosition = false
    private(set) var alarm: EV07BAlarmGroup?
    /// Alarms of the same record at other times.
    private(set) var furtherAlarms: [EV07BAlarmGroup] = []
    private var gps: EV07BGPS?
    private var place: Place?
    private var cells: [CellTower] = []
    private var wifi: [WiFiAccessPoint] = []
    var extras: [(name: String, hex: String)] = []

    /// Where something is that the terminal hears, or thinks it is itself.
    private struct Place {
        var point: EV07BPoint
        var source: Position.Source
        var accuracyMetres: Int?
        var altitudeMetres: Int?
        /// What has been set up by a person beats what was estimated.
        var isSurveyed: Bool
        var signal: Int

        func isBetter(than other: Place?) -> Bool {
            guard let other else { return true }
            if isSurveyed != other.isSurveyed { return isSurveyed }
            return signal > other.signal
        }
    }

    init(status: EV07BStatus?) {
        self.status = status
    }

    static func extra(_ key: UInt8, _ value: Span<UInt8>) -> (name: String, hex: String) {
        (Hex.number(key, digits: 2), Hex.text(value))
    }

    mutating func add(_ group: EV07BAlarmGroup) {
        var group = group
        group.time = group.time ?? status?.time
        guard let first = alarm else {
            alarm = group
            return
        }
        if first.time == group.time {
            alarm?.alarms.formUnion(group.alarms)
            alarm?.keys += group.keys
            alarm?.extras += group.extras
        } else {
            furtherAlarms.append(group)
        }
    }

    mutating func take(_ key: UInt8, _ value: Span<UInt8>) {
        hasPosition = true
        var input = EV07BValueReader(value, key: key)
        switch key {
        case EV07BKey.gps: gps = EV07BGPS(parsing: &input)
        case EV07BKey.gsmCells, EV07BKey.lteCells, EV07BKey.lteCellsWide: add(EV07BCells(parsing: &input))
        case EV07BKey.wifi, EV07BKey.namedWiFi: add(EV07BWiFi(parsing: &input))
        case EV07BKey.bluetooth:
            let station = EV07BBluetooth(parsing: &input)
            offer(station.point, .beacon, signal: Int(Int8.min))
            extras.append(Self.extra(key, value))
        case EV07BKey.bluetoothPosition, EV07BKey.smartPosition:
            let area = EV07BArea(parsing: &input)
            guard value.count >= EV07BArea.minimumByteCount else { break }
            let isStation = key == EV07BKey.bluetoothPosition
            offer(
                area.point, isStation ? .beacon : .wifi, accuracyMetres: area.radiusMetres,
                altitudeMetres: Int(area.height), isSurveyed: isStation, signal: Int(Int8.min))
            if isStation { extras.append(Self.extra(key, value)) }
        default:
            let beacon = EV07BBeacon(parsing: &input)
            offer(
                beacon.point, beacon.kind == .homeWiFi ? .wifi : .beacon, signal: Int(beacon.signal))
            extras.append(Self.extra(key, value))
        }
    }

    private mutating func offer(
        _ point: EV07BPoint?, _ source: Position.Source, accuracyMetres: Int? = nil, altitudeMetres: Int? = nil,
        isSurveyed: Bool = true, signal: Int
    ) {
        guard let point, point.isPlace else { return }
        let offered = Place(
            point: point, source: source, accuracyMetres: accuracyMetres, altitudeMetres: altitudeMetres,
            isSurveyed: isSurveyed, signal: signal)
        if offered.isBetter(than: place) { place = offered }
    }

    private mutating func add(_ list: EV07BCells) {
        for cell in list.cells {
            cells.append(
                CellTower(
                    mobileCountryCode: Int(list.country), mobileNetworkCode: Int(list.network),
                    locationAreaCode: Int(cell.area), cellIdentity: Int(cell.identity),
                    // A positive number is a receive level and no dBm.
                    signalDecibelMilliwatts: cell.level < 0 ? Int(cell.level) : nil))
        }
    }

    private mutating func add(_ list: EV07BWiFi) {
        for point in list.accessPoints {
            wifi.append(
                WiFiAccessPoint(
                    address: point.address, signalDecibelMilliwatts: point.signal < 0 ? Int(point.signal) : nil))
        }
    }

    /// Everything but time and alarms.
    func apply(to event: inout TerminalEvent) {
        event.position = position
        event.cells = cells
        event.wifi = wifi
        event.extras = extras
        guard let status else { return }
        event.historical = status.isHistorical
        guard isStatusWhole else { return }
        event.charging = status.isCharging
        event.moving = status.isMoving
        event.signalPercent = status.signal * 100 / 31
        if status.battery <= 100 { event.batteryPercent = status.battery }
    }

    /// A fix of the terminal's own, else a place of something it hears, else an estimate, else what it knew last (section 9).
    private var position: Position? {
        if let gps, let fix = Self.position(gps, hasFix: status?.hasFix ?? true), fix.valid { return fix }
        if let place {
            return Position(
                valid: true, latitudeDegrees: place.point.latitudeDegrees,
                longitudeDegrees: place.point.longitudeDegrees,
                altitudeMetres: place.altitudeMetres, accuracyMetres: place.accuracyMetres, source: place.source)
        }
        return gps.flatMap { Self.position($0, hasFix: status?.hasFix ?? true) }
    }

    private static func position(_ gps: EV07BGPS, hasFix: Bool) -> Position? {
        let point = gps.point
        let isPlace = point.isPlace
        return Position(
            valid: hasFix && gps.hdop > 0 && isPlace, latitudeDegrees: isPlace ? point.latitudeDegrees : nil,
            longitudeDegrees: isPlace ? point.longitudeDegrees : nil, altitudeMetres: Int(gps.altitude),
            speedKilometresPerHour: gps.speed <= EV07BGPS.maximumSpeed ? Double(gps.speed) : nil,
            courseDegrees: gps.direction <= 360 ? Int(gps.direction % 360) : nil, satellites: Int(gps.satellites),
            hdop: gps.hdop > 0 ? Double(gps.hdop) / 10 : nil)
    }
}
