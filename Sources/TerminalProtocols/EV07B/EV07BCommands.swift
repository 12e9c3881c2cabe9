public import TerminalModel

/// Orders of command 04 without a value, and the two with one. Source: section 11.
public enum EV07BControl: UInt8, Sendable, CaseIterable {
    case eraseRecords = 0x10
    case factoryReset = 0x11
    case reboot = 0x12
    /// The terminal rings until it is found.
    case findMe = 0x13
    case powerOff = 0x14
    case scanBluetooth = 0x16
    case scanBeacons = 0x19
    case setWiFiAutomatically = 0x1A
    case scanWiFi = 0x1B
    /// Carries `EV07BSpeech`.
    case text = 0x1F
    /// Carries the address as text.
    case firmwareAddress = 0x30
    case measureHeartRate = 0x31

    /// The message of an order without a value.
    public var message: EV07BMessage { EV07BMessage(.control, [EV07BBlock(key: rawValue)]) }
}

extension EV07BMessage {
    /// Asks for one position. Sample: `locate-now`.
    public static let locate = EV07BMessage(.data, [EV07BBlock(key: EV07BKey.locateOnce)])

    /// Asks for positions at the interval and for the time of setting 0x45.
    public static let locateContinuously = EV07BMessage(.data, [EV07BBlock(key: EV07BKey.locateContinuously)])

    /// Asks for the values of settings; no keys ask for all. Sample: `read-config`.
    public static func readSettings(_ keys: [UInt8] = []) -> EV07BMessage {
        EV07BMessage(.configuration, [EV07BBlock(key: EV07BMessage.readKey, bytes: keys)])
    }

    /// Writes settings.
    public static func set(_ blocks: EV07BBlock...) -> EV07BMessage {
        EV07BMessage(.configuration, blocks)
    }

    /// The platform's clock, the answer to a request for the time. Sample: `service-time-reply`.
    public static func time(_ now: Timestamp) -> EV07BMessage {
        let seconds = UInt32(clamping: now.milliseconds / 1000)
        return EV07BMessage(.services, [EV07BBlock(key: EV07BKey.time, EV07BClock(seconds: seconds))])
    }

    /// Spoken by the terminal.
    public static func speech(_ text: String) -> EV07BMessage {
        // What does not fit one block is cut between two letters.
        var spoken = text
        while spoken.utf8.count >= EV07BBlock.maximumValueBytes { spoken.removeLast() }
        return EV07BMessage(.control, [EV07BBlock(key: EV07BControl.text.rawValue, EV07BSpeech(text: spoken))])
    }

    static let readKey: UInt8 = 0xF0

    /// How the platform can get a terminal to do something.
    public enum Asking: Sendable, Equatable {
        /// These messages, in this order.
        case messages([EV07BMessage])
        /// The protocol has no way; the reason is for people.
        case impossible(String)
    }

    /// Between two heartbeats of a terminal whose intervals are set: far below every limit on silence.
    public static let heartbeatSeconds: UInt32 = 270

    /// The messages that ask a terminal for `command`.
    public static func asking(_ command: TerminalCommand) -> Asking {
        switch command {
        case .locate: .messages([.locate])
        case .message(let text, _): .messages([.speech(text)])
        case .callBack:
            .impossible(
                "EV07B has no key that makes a terminal dial: ring its SIM, with auto-answer or listen-in set (setting 0x33)"
            )
        case .reportInterval(let seconds): .messages([reportInterval(seconds)])
        case .track(let interval, let duration): .messages(track(interval, duration))
        case .confirmAlarm:
            .impossible("EV07B has no confirmation of an alarm by a human; what is spoken takes its place")
        case .find: .messages([EV07BControl.findMe.message])
        case .restart: .messages([EV07BControl.reboot.message])
        case .powerOff: .messages([EV07BControl.powerOff.message])
        case .fallDetection(let isOn): .messages([fallDetection(isOn)])
        case .setNumbers(.sos, let numbers): authorisedNumbers(numbers)
        case .setNumbers(.centre, _), .setNumbers(.family, _), .setNumbers(.monitor, _):
            .impossible("EV07B keeps one list of numbers, which its SOS key dials: set them as SOS numbers")
        }
    }

    /// The terminal's list has this many places. Source: section 11, setting 0x30.
    static let numberSlots = 10
    /// The middle of 1...9; the document names no default.
    private static let fallLevel: UInt8 = 5

    private static func fallDetection(_ isOn: Bool) -> EV07BMessage {
        .set(EV07BBlock(key: 0x56, EV07BFall(level: fallLevel, isAlwaysOn: false, dials: false, isEnabled: isOn)))
    }

    /// Fills the list from its first place; what it held in the others is taken away.
    private static func authorisedNumbers(_ numbers: [String]) -> Asking {
        guard numbers.count <= numberSlots else {
            return .impossible("EV07B keeps \(numberSlots) numbers, found \(numbers.count)")
        }
        let blocks = (0..<numberSlots).map { slot in
            let number = slot < numbers.count ? numbers[slot] : ""
            return EV07BBlock(key: 0x30, EV07BNumberSlot(slot: UInt8(slot), number: number, isEnabled: !number.isEmpty))
        }
        return .messages([EV07BMessage(.configuration, blocks)])
    }

    private static func reportInterval(_ seconds: Int) -> EV07BMessage {
        let interval = UInt32(clamping: max(1, seconds))
        return .set(
            EV07BBlock(
                key: 0x44,
                EV07BIntervals(
                    heartbeatSeconds: heartbeatSeconds, uploadSeconds: interval, idleUploadSeconds: interval)))
    }

    /// An interval of 0 ends tracking: positions for one second take the place of what is under way.
    private static func track(_ interval: Int, _ duration: Int) -> [EV07BMessage] {
        let setting =
            interval > 0
            ? EV07BContinuousLocating(
                intervalSeconds: UInt16(clamping: interval), durationSeconds: UInt16(clamping: max(1, duration)))
            : EV07BContinuousLocating(intervalSeconds: 1, durationSeconds: 1)
        return [.set(EV07BBlock(key: 0x45, setting)), .locateContinuously]
    }
}

/// What the platform has to say to a frame of a terminal once it has been taken care of. Source: sections 5 and 10.
public enum EV07BReply: Sendable, Equatable {
    case nothing
    case result(EV07BResult)
    /// The platform's clock.
    case time

    /// The reply that a frame asks for.
    ///
    /// Requests are answered whether or not the header asks for it; everything else only when it does.
    public init(to frame: borrowing EV07BFrame) {
        let acknowledges = frame.header.isAcknowledgementWanted && frame.command != .response
        self = acknowledges ? .result(.ok) : .nothing
        if frame.command == .services, let request = Self.request(in: frame.blocks) { self = request }
    }

    /// The time goes before everything, since the clock of the terminal depends on it; then what may come later.
    private static func request(in blocks: consuming EV07BBlockWalk) -> EV07BReply? {
        var reply: EV07BReply?
        while let block = blocks.next() {
            switch block.key {
            case EV07BKey.time: return .time
            case EV07BKey.gsmCells, EV07BKey.wifi: reply = .result(.positionNotReady)
            case EV07BKey.address, EV07BKey.weather, EV07BKey.forecast: reply = reply ?? .result(.unsupported)
            case EV07BKey.identity, EV07BKey.alarm, EV07BKey.iccid, EV07BKey.heartbeat, EV07BKey.status: break
            default: reply = reply ?? .result(.noSuchService)
            }
        }
        return reply
    }

    /// The message that says it, nil for nothing.
    public func message(now: Timestamp) -> EV07BMessage? {
        switch self {
        case .nothing: nil
        case .result(let result): .response(result)
        case .time: .time(now)
        }
    }
}
