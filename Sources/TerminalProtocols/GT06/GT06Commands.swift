public import TerminalModel

/// The texts by which a model is asked for things.
///
/// `{seconds}`, `{duration}`, `{number}` and `{text}` stand for what the command carries. The protocol has no command of its
/// own for a message, a call back or "help is coming", and models differ in what they offer instead: nothing is assumed that
/// would make a terminal ring or dial by surprise. The machine's acknowledgement of an alarm is all that every model shows.
///
/// Source: section 8.
public struct GT06CommandTexts: Sendable, Equatable {
    /// What every model is expected to know; an empty text means that it cannot be asked.
    private static let document = ["locate": "WHERE#", "report-interval": "TIMER,{seconds}#"]
    /// The name of a call back that only listens in.
    public static let listenIn = "listen-in"
    /// What texts can be stated for, sorted.
    public static let names = [
        "call-back", "confirm-alarm", listenIn, "locate", "message", "report-interval", "track",
    ]

    /// Texts that differ from the document's, by the name of the command; shared by all terminals of a model.
    private let overrides: [String: String]

    public init(overrides: [String: String] = [:]) {
        self.overrides = overrides
    }

    public static let standard = GT06CommandTexts()

    /// The text that asks for `command`, nil when the model cannot be asked for it or the text does not fit a frame.
    public func text(for command: TerminalCommand) -> String? {
        let values: [String: String] =
            switch command {
            case .reportInterval(let seconds): ["seconds": "\(seconds)"]
            case .track(let interval, let duration): ["seconds": "\(interval)", "duration": "\(duration)"]
            case .callBack(let number, _): ["number": number]
            case .message(let text, _): ["text": text]
            default: [:]
            }
        var name = command.name
        if case .callBack(_, listen: true) = command { name = Self.listenIn }
        let text = fill(overrides[name] ?? Self.document[name] ?? "", values)
        guard !text.isEmpty, text.utf8.count <= GT06Command.maximumTextBytes else { return nil }
        return text
    }

    /// A value cannot end the command and begin another.
    private static func harmless(_ value: String) -> String {
        value.filter { $0 != "#" && $0 >= " " && $0 != "\u{7F}" }
    }

    private func fill(_ template: String, _ values: [String: String]) -> String {
        var result = ""
        var rest = template[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            result += rest[..<open]
            let name = rest[rest.index(after: open)..<close]
            result += values[String(name)].map(Self.harmless) ?? String(rest[open...close])
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }
}

extension GT06CommandTexts {
    /// `SOS,A,...#`: the numbers that the SOS key dials, at most three; each has passed the dial guard (promise P7).
    public static func sosNumbers(_ numbers: [String]) -> String {
        "SOS,A,\(numbers.prefix(3).joined(separator: ","))#"
    }

    /// `CENTER,A,...#`: the number of the centre; it has passed the dial guard.
    public static func centreNumber(_ number: String) -> String {
        "CENTER,A,\(number)#"
    }

    /// `HBT,...#`: minutes between heartbeats.
    public static func heartbeatInterval(minutes: Int) -> String {
        "HBT,\(minutes)#"
    }
}

extension GT06Message {
    /// True when the number is that of an alarm.
    public static func isAlarm(_ number: UInt8) -> Bool {
        switch number {
        case 0x16, 0x19, 0x26, 0x27, 0x95, 0xA3, 0xA4, 0xA5: true
        default: false
        }
    }

    /// True when the terminal waits for an acknowledgement of this number and sends again without one (section 9).
    public static func isAcknowledged(_ number: UInt8) -> Bool {
        switch number {
        case 0x01, 0x13, 0x16, 0x19, 0x23, 0x26, 0x27, 0x36, 0x8A, 0x95, 0xA3, 0xA4, 0xA5: true
        default: false
        }
    }
}

extension GT06Reply {
    /// True when the terminal says that it could not do what it was asked.
    public var isRefusal: Bool {
        let words = text.lowercased()
        return ["error", "fail", "invalid", "unknown command"].contains { words.contains($0) }
    }
}
