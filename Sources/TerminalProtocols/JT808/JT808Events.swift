public import TerminalModel
import WireBytes

extension JT808Packet {
    /// What the frame says, in the words that all protocols share; a batch gives one event an item, everything else one.
    ///
    /// A package that completed a message gives the events of that message.
    ///
    /// - Parameters:
    ///   - profile: what is known of the terminal.
    ///   - received: when the last byte had been read; without it a time in the future cannot be told.
    public func events(profile: JT808Profile = .standard, received: Timestamp? = nil) -> [TerminalEvent] {
        JT808Normaliser(header: header, profile: profile, received: received).events(assembled?.message ?? message)
    }
}

extension JT808Message {
    /// The same for a message whose frame is gone.
    public func events(
        header: JT808Header, profile: JT808Profile = .standard, received: Timestamp? = nil
    ) -> [TerminalEvent] {
        JT808Normaliser(header: header, profile: profile, received: received).events(self)
    }
}

extension JT808Frame {
    /// The event of a plain location report straight from the frame, without a message in between; nil for anything else.
    ///
    /// It equals the event of the decoded message and touches the heap only for what needs it (cells, Wi-Fi, extras).
    public func locationEvent(profile: JT808Profile = .standard, received: Timestamp? = nil) -> TerminalEvent? {
        guard header.messageID == 0x0200, header.encryption == 0, !header.isPart,
            let basic = JT808BasicLocation(body)
        else { return nil }
        let normaliser = JT808Normaliser(header: header, profile: profile, received: received)
        return normaliser.location(basic, items: body.extracting(droppingFirst: JT808BasicLocation.byteCount))
    }
}

/// Turns messages of one frame into events (sections 8, 12 and 12.3).
struct JT808Normaliser {
    /// A device time further ahead of the receive time than this is that of a clock that was never set (section 12.3).
    static let maximumFutureMilliseconds: Int64 = 86_400_000

    let header: JT808Header
    let profile: JT808Profile
    let received: Timestamp?

    func events(_ message: JT808Message) -> [TerminalEvent] {
        switch message {
        case .location(let body): return [location(body)]
        case .locationReply(let body), .vehicleControlReply(let body): return [location(body.location)]
        case .batch(let body): return batch(body)
        case .vendorBatch(let body): return vendorBatch(body)
        default: return [single(message)]
        }
    }

    private func event(_ kind: EventKind) -> TerminalEvent {
        TerminalEvent(
            protocolName: .jt808, terminal: header.phone.terminal, message: header.message,
            sequence: Int(header.flowID), received: received, kind: kind)
    }

    // MARK: Positions

    func location(_ body: JT808Location) -> TerminalEvent {
        guard !body.isTruncated else {
            var event = event(.alarm)
            event.alarms = profile.alarms.alarms(flags: body.basic.alarmFlags, crossing: nil)
            event.extras = [("truncated", Hex.text(body.itemBytes))]
            return event
        }
        return location(body.basic, items: body.itemBytes.span)
    }

    func location(_ basic: JT808BasicLocation, items: Span<UInt8>) -> TerminalEvent {
        var event = event(.report)
        var position = self.position(basic)
        event.deviceTime = deviceTime(basic.time)
        if header.is2019 { event.moving = basic.status & JT808Status.moving != 0 }
        var reader = JT808ItemReader(readsAlarms: profile.alarms.readsVendorItems)
        reader.read(items, into: &event)
        position.satellites = reader.satellites
        event.position = position
        event.alarms.formUnion(profile.alarms.alarms(flags: basic.alarmFlags, crossing: reader.crossing))
        return event
    }

    private func position(_ basic: JT808BasicLocation) -> Position {
        let latitude = basic.latitudeDegrees
        let longitude = basic.longitudeDegrees
        // Zero coordinates are what a receiver without a fix shows; they are no place.
        let place = latitude != nil && longitude != nil && !(basic.latitude == 0 && basic.longitude == 0)
        return Position(
            valid: basic.hasFix && place && basic.status & JT808Status.obfuscated == 0,
            latitudeDegrees: place ? latitude : nil, longitudeDegrees: place ? longitude : nil,
            altitudeMetres: Int(basic.altitude),
            speedKilometresPerHour: basic.speed == .max ? nil : Double(basic.speed) / 10,
            courseDegrees: Int(basic.direction % 360))
    }

    private func deviceTime(_ time: JT808Time) -> Timestamp? {
        guard let claimed = time.timestamp(utcOffsetMinutes: profile.utcOffsetMinutes) else { return nil }
        if let received, claimed.milliseconds - received.milliseconds > Self.maximumFutureMilliseconds { return nil }
        return claimed
    }

    private func batch(_ batch: JT808Batch) -> [TerminalEvent] {
        let events = batch.items.map { item in
            var event = location(item)
            event.historical = batch.type == 1
            return event
        }
        return events.isEmpty ? [event(.other)] : events
    }

    private func vendorBatch(_ batch: JT808VendorBatch) -> [TerminalEvent] {
        switch batch {
        case .battery(let percent, let time):
            var event = event(.other)
            event.batteryPercent = percent <= 100 ? Int(percent) : nil
            event.deviceTime = deviceTime(time)
            return [event]
        case .locations(_, let items) where !items.isEmpty: return items.map(location)
        case .locations, .other: return [event(.other)]
        }
    }

    // MARK: Everything else

    private func single(_ message: JT808Message) -> TerminalEvent {
        switch message {
        case .registration, .authentication: return login(message)
        case .heartbeat(let body): return heartbeat(body)
        case .vendorHeartbeat0506, .vendorHeartbeat1007: return event(.heartbeat)
        case .logOut: return event(.logout)
        case .event(let body):
            var event = event(.key)
            event.keys = [Int(body.eventID)]
            return event
        case .textAnswer(let body):
            var event = event(.text)
            event.text = body.text
            return event
        case .mediaEvent(let body): return media(body, location: nil)
        case .media(let body): return media(body.about, location: body.location)
        case .part(let id, let part): return self.part(id, part)
        case .transparentUp(let body):
            var event = event(.other)
            event.extras = [(Hex.number(body.type, digits: 2), Hex.text(body.data))]
            return event
        default: return reply(message)
        }
    }

    /// One package of several. The first package of a location report already states its alarms, which are not kept
    /// waiting for the rest of the items.
    private func part(_ id: UInt16, _ part: JT808Part) -> TerminalEvent {
        guard id == 0x0200, header.package?.index == 1, let basic = JT808BasicLocation(part.bytes.span) else {
            return event(id == 0x0801 ? .media : .other)
        }
        return location(basic, items: [UInt8]().span)
    }

    private func reply(_ message: JT808Message) -> TerminalEvent {
        switch message {
        case .terminalResponse, .parameterReply, .upgradeResult, .areaReply, .mediaSearchReply, .cameraReply:
            return event(.reply)
        case .attributeReply(let body):
            var event = event(.reply)
            event.iccid = Self.iccid(body.iccid)
            return event
        case .answer(let body):
            var event = event(.reply)
            event.extras = [("answer", Hex.text([body.answerID]))]
            return event
        case .unicodeAnswer(let body):
            var event = event(.reply)
            event.text = body.text
            return event
        default: return event(.other)
        }
    }

    private func login(_ message: JT808Message) -> TerminalEvent {
        var event = event(.login)
        if case .authentication(let body) = message { event.imei = body.imei }
        return event
    }

    /// Some trackers put battery percent, signal and status into the heartbeat (section 7).
    private func heartbeat(_ body: JT808Bytes) -> TerminalEvent {
        var event = event(.heartbeat)
        guard body.bytes.count == 3 else {
            if !body.bytes.isEmpty { event.extras = [("body", Hex.text(body.bytes))] }
            return event
        }
        if body.bytes[0] <= 100 { event.batteryPercent = Int(body.bytes[0]) }
        event.signalPercent = JT808ItemReader.signalPercent(body.bytes[1])
        event.extras = [("status", Hex.text([body.bytes[2]]))]
        return event
    }

    /// A recording; the location in it is that of the moment it was taken, so its alarms are historical.
    private func media(_ about: JT808MediaEvent, location: JT808BasicLocation?) -> TerminalEvent {
        var result = event(.media)
        if let location {
            result = self.location(location, items: [UInt8]().span)
            result.kind = .media
            result.historical = true
        }
        var identity = ByteWriter()
        identity.uint32BE(about.mediaID)
        result.extras = [
            ("media_id", Hex.text(identity.bytes)), ("media_type", Hex.text([about.type])),
            ("media_event", Hex.text([about.event])),
        ]
        return result
    }

    /// Without the filler F that makes an odd number of digits even; nil when nothing but zeros is there.
    static func iccid(_ digits: String) -> String? {
        var text = digits[...]
        while text.last == "f" { text.removeLast() }
        return text.contains { $0 != "0" } ? String(text) : nil
    }
}
