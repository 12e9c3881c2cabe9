public import TerminalModel

/// The texts by which a model is asked for things.
///
/// `{seconds}`, `{duration}`, `{number}`, `{numbers}` and `{text}` stand for what the command carries. The protocol has no
/// command of its own for a message, a call back or "help is coming", and models differ in what they offer instead: nothing
/// is assumed that would make a terminal dial by surprise. The machine's acknowledgement of an alarm is all that every model
/// shows.
///
/// Source: section 8.
public struct GT06CommandTexts: Sendable, Equatable {
    /// What every model is expected to know; an empty text means that it cannot be asked.
    private static let document = [
        "locate": "WHERE#", "report-interval": "TIMER,{seconds}#", "find": "FIND#", "restart": "RESET#",
        "set-sos-numbers": "SOS,A,{numbers}#", "set-centre-number": "CENTER,A,{numbers}#",
        "clear-centre-number": "CENTER,D#",
    ]
    /// What texts can be stated for, sorted.
    public static let names = [
        "call-back", "clear-centre-number", "clear-sos-numbers", "confirm-alarm", "fall-off", "fall-on", "find",
        "listen-in", "locate", "message", "power-off", "report-interval", "restart", "set-centre-number",
        "set-family-numbers", "set-monitor-number", "set-sos-numbers", "track",
    ]
    /// A terminal keeps three SOS numbers.
    private static let maximumSOSNumbers = 3

    /// Texts that differ from the document's, by name; shared by all terminals of a model.
    private let overrides: [String: String]

    public init(overrides: [String: String] = [:]) {
        self.overrides = overrides
    }

    public static let standard = GT06CommandTexts()

    /// The text that asks for `command`, nil when the model cannot be asked for it or the text does not fit a frame.
    public func text(for command: TerminalCommand) -> String? {
        let (name, values) = Self.parts(of: command)
        let text = fill(overrides[name] ?? Self.document[name] ?? "", values)
        guard !text.isEmpty, text.utf8.count <= GT06Command.maximumTextBytes else { return nil }
        return text
    }

    /// Which text says the command, and what is filled in.
    private static func parts(of command: TerminalCommand) -> (name: String, values: [String: String]) {
        switch command {
        case .reportInterval(let seconds): (command.name, ["seconds": "\(seconds)"])
        case .track(let interval, let duration): (command.name, ["seconds": "\(interval)", "duration": "\(duration)"])
        case .callBack(let number, let isListening): (isListening ? "listen-in" : command.name, ["number": number])
        case .message(let text, _): (command.name, ["text": text])
        case .fallDetection(let isOn): (isOn ? "fall-on" : "fall-off", [:])
        case .setNumbers(let purpose, let numbers):
            (name(of: purpose, numbers.count), ["numbers": numbers.joined(separator: ",")])
        case .locate, .confirmAlarm, .find, .restart, .powerOff: (command.name, [:])
        }
    }

    /// No name, and so no text, for more numbers than a terminal keeps.
    private static func name(of purpose: NumberPurpose, _ count: Int) -> String {
        switch purpose {
        case .sos where count == 0: "clear-sos-numbers"
        case .sos: count <= maximumSOSNumbers ? "set-sos-numbers" : ""
        case .centre where count == 0: "clear-centre-number"
        case .centre: count == 1 ? "set-centre-number" : ""
        case .family: count > 0 ? "set-family-numbers" : ""
        case .monitor: count == 1 ? "set-monitor-number" : ""
        }
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

extension GT06Message {
    /// True when the number is that of an alarm.
    public static func isAlarm(_ number: UInt8) -> Bool {
        switch number {
        case 0x16, 0x19, 0x26, 0x27, 0x95, 0xA3, 0xA4, 0xA5: true
        default: false
        }
    }

    /// True for the alarms that begin with a GPS block (section 7.6).
    static func hasPosition(_ alarm: MessageName) -> Bool {
        switch alarm {
        case .number(0x16), .number(0x26), .number(0x27), .number(0xA3), .number(0xA4): true
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

/// What answers a message.
public enum GT06Answer: Sendable {
    /// The protocol has no answer to this message.
    case none
    case acknowledge(number: UInt8, serial: UInt16)
    /// The look-alike family wants to hear this back.
    case lookAlike(GT06LookAlike)
}

extension GT06Packet {
    /// What the terminal wants to hear about this message (sections 7.14 and 9). Messages that are not known are
    /// acknowledged too, so that a terminal does not repeat them for ever.
    public var platformAnswer: GT06Answer {
        switch message {
        case .lookAlike(.position(let body)): .lookAlike(.echo(number, Self.bytes(body.gps.time.rawValue)))
        case .lookAlike(.cells(_, let body)): .lookAlike(.echo(number, Self.bytes(body.time)))
        case .lookAlike(.status(let body)): .lookAlike(.echo(number, body.bytes))
        case .lookAlike: .none
        case .unknown: acknowledgement
        default: GT06Message.isAcknowledged(number) ? acknowledgement : .none
        }
    }

    private var acknowledgement: GT06Answer {
        serial.map { .acknowledge(number: number, serial: $0) } ?? .none
    }

    private static func bytes(_ time: UInt64) -> [UInt8] {
        (0..<6).map { UInt8(truncatingIfNeeded: time >> UInt64(40 - $0 * 8)) }
    }
}

extension GT06Reply {
    /// True when the terminal says that it could not do what it was asked.
    public var isRefusal: Bool {
        let words = text.lowercased()
        return ["error", "fail", "invalid", "unknown command"].contains { words.contains($0) }
    }
}
