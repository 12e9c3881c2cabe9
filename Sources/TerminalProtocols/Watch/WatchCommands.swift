public import TerminalModel

extension WatchMessage {
    /// The message that asks a watch for `command`; the watch answers with the same keyword.
    ///
    /// - Returns: nil when the protocol has no such thing: nothing tells a watch that a human has taken an alarm over; the
    ///   text of the acknowledgement does.
    public static func asking(_ command: TerminalCommand) -> WatchMessage? {
        switch command {
        // Reports every 20 s for about 3 minutes; a longer period asks again (see `trackingMilliseconds`).
        case .locate, .track: .plain(WatchValues("CR"))
        case .message(let text, _): .shownText(WatchShownText(text: text))
        case .callBack(let number, let listen): .numbers(WatchNumbers(listen ? "MONITOR" : "CALL", [number]))
        case .reportInterval(let seconds): .setting(WatchSetting("UPLOAD", min(max(seconds, 60), 65_535)))
        case .find: .plain(WatchValues("FIND"))
        case .setNumbers(let purpose, let numbers): setting(numbers, for: purpose)
        // The second switch lets the watch call the centre by itself after a fall, which is for the centre to decide.
        case .fallDetection(let isOn): .plain(WatchValues("FALLDOWN", [isOn ? "1" : "0", "0"]))
        case .restart: .plain(WatchValues("RESET"))
        case .powerOff: .plain(WatchValues("POWEROFF"))
        case .confirmAlarm: nil
        }
    }

    /// A watch holds three SOS numbers and one of the centre, empty ones clear; `MONITOR` dials at once and stores nothing, and
    /// the family stands in the phone book with names that are not known here.
    private static func setting(_ numbers: [String], for purpose: NumberPurpose) -> WatchMessage? {
        switch purpose {
        case .sos where numbers.count <= 3:
            .numbers(WatchNumbers("SOS", numbers + [String](repeating: "", count: 3 - numbers.count)))
        case .centre where numbers.count <= 1: .numbers(WatchNumbers("CENTER", [numbers.first ?? ""]))
        case .sos, .centre, .family, .monitor: nil
        }
    }

    /// How long a watch reports fast after `CR` before it returns to its interval by itself (section 8).
    public static let trackingMilliseconds: Int64 = 180_000

    /// The answer that the platform owes a watch, nil for none (section 4).
    ///
    /// Answers to commands are never answered, or both sides would go on for ever (section 10). A question whose answer
    /// depends on what became of it, such as a voice message, is answered as done.
    ///
    /// - Parameter profile: its offset is that of the clock of ZJ watches, which `LK` sets.
    public func platformReply(header: WatchHeader, profile: WatchProfile, now: Timestamp) -> WatchMessage? {
        switch self {
        case .linkKeep(let body):
            // The answer of another platform, in a loop.
            if case .clock = body.content { return nil }
            guard header.maker == Self.clockedMaker else { return .linkKeep(WatchLinkKeep()) }
            return .linkKeep(WatchLinkKeep(settingClock: now, utcOffsetMinutes: profile.utcOffsetMinutes))
        case .report(let body): return body.isAlarm ? .plain(WatchValues("AL")) : nil
        case .voice(let body): return .result(WatchResult(keyword: body.keyword, result: 1))
        case .voiceChunk: return .result(WatchResult(keyword: "JXTKR", result: 1))
        case .capabilities(let body): return .result(WatchResult(keyword: body.keyword, result: 1))
        case .bloodPressure(let body):
            return body.keyword.uppercased() == "BPHRT" ? .plain(WatchValues(body.keyword)) : nil
        case .temperature(let body):
            return body.keyword.uppercased() == "BTEMP2" ? .plain(WatchValues(body.keyword)) : nil
        case .oxygen(let body): return .result(WatchResult(keyword: body.keyword, result: 1))
        // Whatever INIT brings, a watch waits for its answer.
        case .result(let body) where body.keyword.uppercased() == "INIT":
            return .result(WatchResult(keyword: body.keyword, result: 1))
        case .plain(let body): return plainReply(body, now: now)
        default: return nil
        }
    }

    /// "ZJ"
    private static let clockedMaker: UInt16 = 0x5A4A

    private func plainReply(_ body: WatchValues, now: Timestamp) -> WatchMessage? {
        switch body.keyword.uppercased() {
        case "INIT": .result(WatchResult(keyword: body.keyword, result: 1))
        case "TKQ", "TKQ2": .plain(WatchValues(body.keyword))
        case "TIME" where body.values.isEmpty: .time(WatchClock(now))
        case let keyword where !body.values.isEmpty && WatchKeyword.family(keyword.utf8) == .alarm:
            .plain(WatchValues("AL"))
        default: nil
        }
    }
}
