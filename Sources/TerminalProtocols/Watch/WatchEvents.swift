public import TerminalModel
import WireBytes

extension WatchPacket {
    /// What the frame says, in the words that all protocols share: always one event.
    ///
    /// The index of the header is no message counter, so that events have no sequence: it belongs to one question and its
    /// answer, and a watch that repeats an alarm may count on.
    ///
    /// - Parameters:
    ///   - profile: what is known of the terminal.
    ///   - received: when the last byte had been read; without it a time in the future cannot be told.
    public func event(profile: WatchProfile = .standard, received: Timestamp? = nil) -> TerminalEvent {
        WatchNormaliser(terminal: header.id.terminal, profile: profile, received: received).event(message)
    }
}

extension WatchMessage {
    /// The alarms that the frame states; nil for a frame that is no alarm.
    ///
    /// A keyword alone is the answer of a platform. An alarm that breaks off before its status is still one (section 6).
    func alarms(_ table: WatchAlarms) -> AlarmSet? {
        switch self {
        case .report(let body) where body.isAlarm: table.alarms(status: body.fix.status)
        case .plain(let body) where !body.values.isEmpty && WatchKeyword.family(body.keyword.utf8) == .alarm:
            table.alarms(status: nil)
        default: nil
        }
    }
}

/// Turns the message of one frame into an event (sections 5 to 7 and 10).
struct WatchNormaliser {
    /// A device time further ahead of the receive time than this is that of a clock that was never set.
    static let maximumFutureMilliseconds: Int64 = 86_400_000
    /// Faster is no measurement (section 5).
    static let plausibleSpeed: ClosedRange<Double> = 0...300

    let terminal: TerminalID
    let profile: WatchProfile
    let received: Timestamp?

    func event(_ message: WatchMessage) -> TerminalEvent {
        switch message {
        case .report(let body): return report(body)
        case .linkKeep(let body): return heartbeat(body)
        case .voice(let body): return media(body.keyword, type: 1, bytes: body.audio.count)
        case .voiceChunk(let body):
            var event = media(body.keyword, type: 1, bytes: body.audio.count)
            event.extras.append(("part", Hex.text([UInt8(clamping: body.index), UInt8(clamping: body.count)])))
            return event
        case .picture(let body): return media(body.keyword, type: 0, bytes: body.image.count)
        case .bloodPressure, .heartRate, .oxygen, .temperature: return health(message)
        case .capabilities(let body):
            var event = event(.other, body.keyword)
            event.iccid = body.items.first { $0.key.uppercased() == "ICCID" }?.value.flatMap(Self.number)
            return event
        case .identity(let body): return identity(body)
        case .plain(let body): return plain(body, message)
        case .shownText(let body):
            var event = event(.reply, body.keyword)
            event.text = body.text
            return event
        case .result(let body) where body.keyword.uppercased() == "INIT": return event(.login, body.keyword)
        case .result, .setting, .numbers, .fallDetection, .phoneBook, .reminders, .locale, .server, .accessPointName,
            .time:
            return event(.reply, message.keyword)
        }
    }

    private func event(_ kind: EventKind, _ keyword: String) -> TerminalEvent {
        TerminalEvent(
            protocolName: .watch, terminal: terminal, message: .word(keyword), sequence: nil, received: received,
            kind: kind)
    }

    // MARK: Positions

    private func report(_ body: WatchReport) -> TerminalEvent {
        let fix = body.fix
        var event = event(.report, body.keyword)
        event.historical = body.isStored
        event.deviceTime = deviceTime(fix.time)
        event.position = position(fix, body.surroundings)
        if body.isAlarm { event.alarms = profile.alarms.alarms(status: fix.status) }
        event.batteryPercent = Self.battery(fix.battery)
        event.signalPercent = fix.signal.flatMap { (0...100).contains($0) ? $0 : nil }
        event.steps = fix.steps.flatMap { $0 >= 0 ? $0 : nil }
        if let status = fix.status, status != 0 {
            event.extras = [("status", String(Hex.number(status, digits: 8).dropFirst(2)))]
        }
        surround(&event, body.surroundings)
        return event
    }

    private func position(_ fix: WatchFix, _ surroundings: WatchSurroundings) -> Position {
        let latitude = fix.latitudeDegrees
        let longitude = fix.longitudeDegrees
        // Zero coordinates are what a receiver without a fix shows; they are no place.
        let place = latitude != nil && longitude != nil && !(latitude == 0 && longitude == 0)
        let speed = fix.speed?.value
        let course = fix.course?.value
        return Position(
            valid: fix.hasFix && place, latitudeDegrees: place ? latitude : nil,
            longitudeDegrees: place ? longitude : nil,
            // -1 stands for none on some models.
            altitudeMetres: Self.rounded(fix.altitude).flatMap { $0 == -1 ? nil : $0 },
            speedKilometresPerHour: speed.flatMap { Self.plausibleSpeed.contains($0) ? $0 : nil },
            courseDegrees: course.flatMap { (0...360).contains($0) ? Int($0.rounded()) % 360 : nil },
            satellites: fix.satellites.flatMap { (0...255).contains($0) ? $0 : nil },
            accuracyMetres: Self.rounded(surroundings.accuracy).flatMap { $0 > 0 ? $0 : nil })
    }

    private func surround(_ event: inout TerminalEvent, _ surroundings: WatchSurroundings) {
        if !surroundings.cells.isEmpty, let country = surroundings.mobileCountryCode,
            let network = surroundings.mobileNetworkCode
        {
            event.cells = surroundings.cells.map {
                CellTower(
                    mobileCountryCode: country, mobileNetworkCode: network, locationAreaCode: $0.area,
                    cellIdentity: $0.identity, signalDecibelMilliwatts: nil)
            }
        }
        guard !surroundings.wifi.isEmpty else { return }
        event.wifi = surroundings.wifi.map {
            WiFiAccessPoint(address: $0.address, signalDecibelMilliwatts: $0.signal)
        }
    }

    /// A clock that was never set claims nothing.
    private func deviceTime(_ time: WatchTime?) -> Timestamp? {
        guard let time, 2000 + Int(time.year) >= Watch.firstYear, let claimed = time.timestamp else { return nil }
        if let received, claimed.milliseconds - received.milliseconds > Self.maximumFutureMilliseconds { return nil }
        return claimed
    }

    private static func rounded(_ number: WatchDecimal?) -> Int? {
        guard let value = number?.value.rounded(), abs(value) < 1_000_000 else { return nil }
        return Int(value)
    }

    /// 0 and above 100: unknown (section 10).
    private static func battery(_ percent: Int?) -> Int? {
        percent.flatMap { (1...100).contains($0) ? $0 : nil }
    }

    // MARK: Everything else

    private func heartbeat(_ body: WatchLinkKeep) -> TerminalEvent {
        // With date and time it is the platform's answer.
        if case .clock = body.content { return event(.reply, body.keyword) }
        var event = event(.heartbeat, body.keyword)
        switch body.content {
        case .state(let steps, _, let battery, _):
            event.steps = steps.flatMap { $0 >= 0 ? $0 : nil }
            event.batteryPercent = Self.battery(battery)
        case .battery(_, let battery): event.batteryPercent = Self.battery(battery)
        case .none, .clock: break
        }
        return event
    }

    private func media(_ keyword: String, type: UInt8, bytes: Int) -> TerminalEvent {
        var event = event(.media, keyword)
        event.extras = [
            ("media_type", Hex.text([type])),
            ("media_bytes", String(Hex.number(UInt32(clamping: bytes), digits: 8).dropFirst(2))),
        ]
        return event
    }

    /// A measurement of 0 is none.
    private func health(_ message: WatchMessage) -> TerminalEvent {
        var event = event(.other, message.keyword)
        switch message {
        case .bloodPressure(let body):
            if let systolic = Self.plausible(body.systolic), let diastolic = Self.plausible(body.diastolic) {
                event.bloodPressure = BloodPressure(systolicMillimetres: systolic, diastolicMillimetres: diastolic)
            }
            event.heartRateBeatsPerMinute = Self.plausible(body.heartRate)
        case .heartRate(let body): event.heartRateBeatsPerMinute = Self.plausible(body.heartRate)
        case .oxygen(let body): event.bloodOxygenPercent = Self.battery(body.saturation)
        case .temperature(let body):
            // Type 0 of btemp2 is a watch that is not worn.
            let value = body.temperature.value
            if body.type != 0, (20...50).contains(value) { event.temperatureCelsius = value }
        default: break
        }
        return event
    }

    private static func plausible(_ value: Int?) -> Int? {
        value.flatMap { (1...300).contains($0) ? $0 : nil }
    }

    private func identity(_ body: WatchIdentity) -> TerminalEvent {
        var event = event(.reply, body.keyword)
        switch body.keyword.uppercased() {
        case "ICCID": event.iccid = Self.number(body.text)
        case "RYIMEI": event.imei = Self.number(body.text)
        default: event.text = body.text
        }
        return event
    }

    /// The first run of at least 14 digits or letters of a card or terminal number.
    private static func number(_ text: String) -> String? {
        text.split { !$0.isASCII || !($0.isHexDigit) }.first { $0.count >= 14 }.map(String.init)
    }

    private func plain(_ body: WatchValues, _ message: WatchMessage) -> TerminalEvent {
        if let alarms = message.alarms(profile.alarms) {
            var event = event(.alarm, body.keyword)
            event.alarms = alarms
            event.extras = [("truncated", Hex.text(Array(body.values.joined(separator: ",").utf8)))]
            return event
        }
        let keyword = body.keyword.uppercased()
        switch keyword {
        case "INIT": return event(.login, body.keyword)
        case "TKQ", "TKQ2", "TK", "TK2", "TIME", "LGZONE", "PHLQ", "SOSQ", "REMINDQ", "SCHEDULEQ", "PPQ", "PP", "WT",
            "WT_FUTR", "WAD", "WG", "CONFIG", "JXTK", "IMG":
            return event(.other, body.keyword)
        default: break
        }
        var event = event(Self.commands.contains(keyword) ? .reply : .other, body.keyword)
        if !body.values.isEmpty {
            event.extras = [("values", Hex.text(Array(body.values.joined(separator: ",").utf8)))]
        }
        return event
    }

    /// Commands that a watch answers with the same keyword (section 8).
    private static let commands: Set<String> = [
        "CR", "UPLOAD", "SOS", "SOS1", "SOS2", "SOS3", "CENTER", "CALL", "MONITOR", "SOSSMS", "LOWBAT", "REMOVE",
        "REMOVESMS", "FALLDOWN", "LSSET", "FIND", "MESSAGE", "FLOWER", "REMIND", "TAKEPILLS", "SILENCETIME",
        "SILENCETIME2", "WALKTIME", "SLEEPTIME", "PEDO", "PHB", "PHB2", "PHBX", "PHBX2", "PHL", "DPHBX", "WHITELIST1",
        "WHITELIST2", "DEVREFUSEPHONESWITCH", "ACALL", "PROFILE", "HRTSTART", "HEALTHAUTOSET", "BODYTEMP", "BODYTEMP2",
        "RCAPTURE", "LZ", "IP", "APN", "VERNO", "TS", "WIFICUR", "WIFISEARCH", "WIFISET", "WIFIDEL", "PW", "RESET",
        "POWEROFF", "FACTORY", "BOOTOFF", "GPS", "APPLOCK", "UPGRADE", "AL", "BPHRT", "OXYGEN", "BTEMP2", "ICCID",
        "RYIMEI",
    ]
}
