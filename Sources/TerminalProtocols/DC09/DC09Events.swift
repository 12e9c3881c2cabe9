public import TerminalModel
import WireBytes

extension DC09Packet {
    /// What the frame says, in the words that all protocols share: always one event.
    ///
    /// Its device time is when it happened, where the panel says so, else when the frame was sent. What happened well before it was
    /// sent, and what a panel calls old, had been stored. Event, group and zone stay in `extras` in the digits of the wire, SIA codes
    /// as their bytes, and extended data that have no place of their own under their letter.
    ///
    /// - Parameters:
    ///   - profile: what is known of the panel.
    ///   - received: when the last byte had been read; without it a time in the future cannot be told.
    public func event(profile: DC09Profile = .standard, received: Timestamp? = nil) -> TerminalEvent {
        let (alarms, isTest) = alarms(profile.alarms)
        let position = Position(x: value(of: "X"), y: value(of: "Y"))
        var event = TerminalEvent(
            protocolName: .dc09, terminal: header.terminal, message: .word(header.identifier.name),
            sequence: header.sequence.map(Int.init), received: received,
            kind: kind(alarms, isTest: isTest, hasPosition: position != nil))
        let happened = value(of: "H").flatMap { DC09Time($0) }?.timestamp
        let sent = time?.timestamp
        event.deviceTime = Self.plausible(happened ?? sent, received)
        if let happened, let sent, sent.milliseconds - happened.milliseconds > DC09.storedMilliseconds {
            event.historical = true
        }
        if case .sia(let data) = message, data.isOld { event.historical = true }
        event.position = position
        event.alarms = alarms
        event.text = text
        event.extras = extras
        return event
    }

    private func kind(_ alarms: AlarmSet, isTest: Bool, hasPosition: Bool) -> EventKind {
        if header.identifier.isAnswer { return .reply }
        if hasPosition { return .report }
        if !alarms.isEmpty { return .alarm }
        return header.identifier == .null || isTest ? .heartbeat : .other
    }

    private static func plausible(_ time: Timestamp?, _ received: Timestamp?) -> Timestamp? {
        guard let time, let received else { return time }
        return time.milliseconds - received.milliseconds > DC09.maximumFutureMilliseconds ? nil : time
    }

    /// The value of the first extended data with this letter.
    func value(of identifier: Character) -> ArraySlice<UInt8>? {
        extended.first { $0.identifier == identifier.asciiValue }?.value
    }

    /// The alarm text, else the texts among SIA codes.
    private var text: String? {
        var texts = extended.filter { $0.identifier == 0x49 }.map(\.text)
        if texts.isEmpty, case .sia(let data) = message { texts = data.texts }
        let text = texts.joined(separator: " ")
        return text.isEmpty ? nil : text
    }

    /// Letters that have a member of the event, or say nothing for it.
    private static let placed: Set<UInt8> = [0x48, 0x49, 0x58, 0x59]

    private var extras: [(name: String, hex: String)] {
        var extras: [(name: String, hex: String)] = []
        if let account = header.account, TerminalID(account) == nil {
            extras.append(("account", Hex.text(Array(account.utf8))))
        }
        switch message {
        case .contactID(let event):
            extras.append(("event", DC09Text.hex(UInt64(event.qualifier) << 12 | UInt64(event.event), 4).lowercased()))
            extras.append(("group", DC09Text.hex(UInt64(event.group), 2).lowercased()))
            extras.append(("zone", DC09Text.hex(UInt64(event.zone), 4).lowercased()))
        case .sia(let data): extras.append(("sia", Hex.text(data.bytes)))
        case .other(let data): extras.append(("data", Hex.text(data)))
        case .empty: break
        }
        for item in extended {
            guard let identifier = item.identifier, DC09Text.isAlphanumeric(identifier),
                !Self.placed.contains(identifier)
            else { continue }
            let name = DC09Text.ascii([identifier])
            if !extras.contains(where: { $0.name == name }) { extras.append((name, Hex.text(Array(item.value)))) }
        }
        return extras
    }
}

extension Position {
    /// From extended data: `112E56.328840` and `28N13.692540`. Nil when one of them is missing or impossible (section 1.6).
    fileprivate init?(x: ArraySlice<UInt8>?, y: ArraySlice<UInt8>?) {
        guard let x, let y, let longitude = DC09Coordinate.degrees(x, "E", "W", limit: 180),
            let latitude = DC09Coordinate.degrees(y, "N", "S", limit: 90)
        else { return nil }
        let isPlace = longitude != 0 || latitude != 0
        self.init(
            valid: isPlace, latitudeDegrees: isPlace ? latitude : nil, longitudeDegrees: isPlace ? longitude : nil)
    }
}

/// Coordinates as extended data state them: degrees, the letter of the hemisphere, minutes with decimals. Source: section 1.6.
public enum DC09Coordinate {
    /// Degrees with their sign; nil for anything else.
    static func degrees(
        _ text: ArraySlice<UInt8>, _ positive: Character, _ negative: Character, limit: Double
    ) -> Double? {
        guard let place = text.firstIndex(where: { $0 == positive.asciiValue || $0 == negative.asciiValue }),
            let degrees = UInt16(DC09Text.ascii(text[..<place])), place - text.startIndex <= 3
        else { return nil }
        let rest = text[(place + 1)...]
        guard (1...24).contains(rest.count), rest.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E }),
            let minutes = Double(DC09Text.ascii(rest)), minutes < 60
        else { return nil }
        let value = Double(degrees) + minutes / 60
        guard value <= limit else { return nil }
        // A millionth of a minute is two millimetres: more places are the noise of the division.
        let rounded = (value * 100_000_000).rounded() / 100_000_000
        return text[place] == positive.asciiValue ? rounded : -rounded
    }

    /// Extended data for a place: `X` and `Y`, minutes with six decimals that carry into the degrees when they round to 60.
    public static func extended(latitudeDegrees: Double, longitudeDegrees: Double) -> [DC09ExtendedData] {
        [
            DC09ExtendedData("X", text(longitudeDegrees, "E", "W", digits: 3)),
            DC09ExtendedData("Y", text(latitudeDegrees, "N", "S", digits: 2)),
        ]
    }

    private static func text(_ degrees: Double, _ positive: String, _ negative: String, digits: Int) -> String {
        let millionths = Int((min(abs(degrees), 180) * 60_000_000).rounded())
        func padded(_ value: Int, _ width: Int) -> String {
            String(repeating: "0", count: max(0, width - String(value).count)) + String(value)
        }
        let (whole, rest) = millionths.quotientAndRemainder(dividingBy: 60_000_000)
        return padded(whole, digits) + (degrees < 0 ? negative : positive) + padded(rest / 1_000_000, 2) + "."
            + padded(rest % 1_000_000, 6)
    }
}
