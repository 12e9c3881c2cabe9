import TerminalModel
import WireBytes

/// English names of commands and bits, for people who read a frame.
enum EV07BNames {
    /// Section 4.
    static func command(_ command: EV07BCommand) -> String {
        switch command {
        case .data: "data"
        case .configuration: "configuration"
        case .services: "services"
        case .control: "system control"
        case .debug: "debug"
        case .password: "password check"
        case .firmware: "firmware update"
        case .response: "response"
        case .factoryTest: "factory test"
        default: "command that is not known"
        }
    }

    static func properties(_ header: EV07BHeader) -> String {
        var notes = ["version \(header.version)"]
        if header.version == 1 { notes.append("the revised edition, which cannot be read") }
        if header.isAcknowledgementWanted { notes.append("acknowledgement wanted") }
        if header.isError { notes.append("error") }
        let encryption = header.properties >> 6
        notes.append(encryption == 0 ? "no encryption" : "encryption method \(encryption)")
        return notes.joined(separator: ", ")
    }

    /// Section 8.
    private static let statusBits: [(Int, String)] = [
        (0, "GPS"), (1, "Wi-Fi"), (2, "GSM"), (3, "Bluetooth"), (4, "charging"), (5, "charged full"), (6, "reboot"),
        (7, "historical"), (8, "AGPS"), (9, "motion"), (10, "smart location"), (11, "beacon"),
        (12, "Bluetooth connected"), (13, "fall detection on"), (14, "home Wi-Fi"), (15, "at home"),
    ]

    static func status(_ word: UInt32) -> String {
        var names = statusBits.filter { word & 1 << UInt32($0.0) != 0 }.map(\.1)
        names.append("work mode \(word >> 16 & 7)")
        names.append("signal \(word >> 19 & 31)")
        names.append("battery \(word >> 24) %")
        return names.joined(separator: ", ")
    }

    static func alarms(_ alarm: EV07BAlarm, _ table: EV07BAlarms) -> String {
        var names: [String] = []
        table.forEach(in: alarm) { names.append("bit \($0.bit) \($0.name)") }
        return names.isEmpty ? "no alarm" : names.joined(separator: ", ")
    }

    /// `0a:1b:2c:3d:4e:5f`
    static func address(_ address: UInt64) -> String {
        (0..<6).map { Hex.text([UInt8(truncatingIfNeeded: address >> UInt64(40 - 8 * $0))]) }.joined(separator: ":")
    }
}
