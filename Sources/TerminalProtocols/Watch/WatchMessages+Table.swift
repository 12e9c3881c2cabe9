import TerminalModel

// One row a keyword: reading, and the body behind the case.

extension WatchMessage {
    /// Reads what stands behind a keyword. Fields that are not what the keyword asks for are kept as they are.
    init(parsing input: inout WatchFieldReader) {
        var attempt = input
        if let message = Self.typed(&attempt), attempt.isAtEnd {
            self = message
            input = attempt
        } else {
            self = .plain(WatchValues(parsing: &input))
        }
    }

    @_lifetime(input: copy input)
    private static func typed(_ input: inout WatchFieldReader) -> WatchMessage? {
        let keyword = input.keyword.uppercased()
        if keyword == "LK" { return WatchLinkKeep(parsing: &input).map(linkKeep) }
        guard !input.isAtEnd else { return nil }
        switch WatchKeyword.family(keyword.utf8) {
        case .position, .alarm: return WatchReport(parsing: &input).map(report)
        case .other: break
        }
        return uplink(keyword, &input) ?? downlink(keyword, &input)
    }

    @_lifetime(input: copy input)
    private static func uplink(_ keyword: String, _ input: inout WatchFieldReader) -> WatchMessage? {
        switch keyword {
        case "WT", "WT_FUTR", "WG", "WAD": WatchReport(parsing: &input).map(report)
        case "TK", "TK2": outcome(&input) ?? WatchVoice(parsing: &input).map(voice)
        case "JXTK": WatchVoiceChunk(parsing: &input).map(voiceChunk)
        case "IMG": WatchPicture(parsing: &input).map(picture)
        case "CONFIG": outcome(&input) ?? WatchCapabilities(parsing: &input).map(capabilities)
        case "BPHRT", "BLOOD": WatchBloodPressure(parsing: &input).map(bloodPressure)
        case "PULSE", "HEART": WatchHeartRate(parsing: &input).map(heartRate)
        case "OXYGEN": outcome(&input) ?? WatchOxygen(parsing: &input).map(oxygen)
        case "BTEMP2", "TEMP": WatchTemperature(parsing: &input).map(temperature)
        case "ICCID", "RYIMEI", "VERNO", "TS": WatchIdentity(parsing: &input).map(identity)
        default: nil
        }
    }

    @_lifetime(input: copy input)
    private static func downlink(_ keyword: String, _ input: inout WatchFieldReader) -> WatchMessage? {
        switch keyword {
        case "INIT", "JXTKR": outcome(&input)
        case "SOS", "SOS1", "SOS2", "SOS3", "CENTER", "CALL", "MONITOR", "WHITELIST1", "WHITELIST2", "ACALL":
            WatchNumbers(parsing: &input).map(numbers)
        case "FALLDOWN": WatchFallDetection(parsing: &input).map(fallDetection)
        case "MESSAGE": WatchShownText(parsing: &input).map(shownText)
        case "PHB", "PHB2", "PHBX", "PHBX2", "PHL", "DPHBX": WatchPhoneBook(parsing: &input).map(phoneBook)
        case "REMIND": WatchReminders(parsing: &input).map(reminders)
        case "LZ": WatchLocale(parsing: &input).map(locale)
        case "IP": WatchServer(parsing: &input).map(server)
        case "APN": WatchAccessPointName(parsing: &input).map(accessPointName)
        case "TIME": WatchClock(parsing: &input).map(time)
        default: WatchSetting.member(of: keyword) == nil ? nil : WatchSetting(parsing: &input).map(setting)
        }
    }

    /// 0 or 1 and nothing else; moves nothing when something else stands there.
    @_lifetime(input: copy input)
    private static func outcome(_ input: inout WatchFieldReader) -> WatchMessage? {
        var attempt = input
        guard let result = WatchResult(parsing: &attempt) else { return nil }
        input = attempt
        return .result(result)
    }

    /// What stands behind the case.
    var body: any WatchBody {
        switch self {
        case .linkKeep(let body): body
        case .report(let body): body
        case .voice(let body): body
        case .voiceChunk(let body): body
        case .picture(let body): body
        case .capabilities(let body): body
        case .bloodPressure(let body): body
        case .heartRate(let body): body
        case .oxygen(let body): body
        case .temperature(let body): body
        case .identity(let body): body
        case .result(let body): body
        case .setting(let body): body
        case .numbers(let body): body
        case .fallDetection(let body): body
        case .shownText(let body): body
        case .phoneBook(let body): body
        case .reminders(let body): body
        case .locale(let body): body
        case .server(let body): body
        case .accessPointName(let body): body
        case .time(let body): body
        case .plain(let body): body
        }
    }

    /// As it stands on the wire.
    public var keyword: String { body.keyword }
}
