import TerminalModel

/// Names of numbers for people.
enum GT06Names {
    static func message(_ number: UInt8, _ form: GT06Form) -> String {
        (form == .lookAlike ? lookAlike[number] : regular[number]) ?? "message that is not known"
    }

    private static let regular: [UInt8: String] = [
        0x01: "login", 0x10: "GPS", 0x11: "GPS and cell", 0x12: "location", 0x13: "heartbeat",
        0x15: "reply to a command", 0x16: "alarm", 0x17: "address in Chinese", 0x18: "cells", 0x19: "cell alarm",
        0x1A: "address request", 0x21: "reply to a command", 0x22: "location", 0x23: "heartbeat",
        0x24: "cells", 0x26: "alarm", 0x27: "alarm with fence", 0x28: "cells", 0x2A: "address request",
        0x2C: "cells and Wi-Fi", 0x2E: "cells", 0x36: "heartbeat with modules", 0x70: "modular report",
        0x80: "command", 0x81: "command", 0x82: "command", 0x8A: "time", 0x94: "information", 0x95: "camera alarm",
        0x97: "address in English", 0x9B: "serial pass-through", 0xA0: "4G location", 0xA1: "4G cells",
        0xA2: "4G cells and Wi-Fi", 0xA3: "4G alarm", 0xA4: "4G alarm with fence", 0xA5: "4G cell alarm",
        0xA7: "4G address request",
    ]

    private static let lookAlike: [UInt8: String] = [
        0x01: "login", 0x08: "heartbeat", 0x10: "position", 0x11: "stored position", 0x13: "status",
        0x17: "cells and Wi-Fi", 0x18: "cells and Wi-Fi", 0x19: "cells and Wi-Fi", 0x1A: "cells and Wi-Fi",
        0x30: "time", 0x69: "cells and Wi-Fi", 0x94: "vibration alarm", 0x99: "SOS alarm",
    ]

    static func alarm(_ code: UInt8, _ alarms: GT06Alarms) -> String {
        code == 0 ? "none, or in the terminal information" : alarms[code]?.name ?? "means nothing here"
    }

    static func information(_ bits: UInt8, _ alarms: GT06Alarms) -> String {
        var notes: [String] = []
        if bits & 0x80 != 0 { notes.append("power cut off") }
        if bits & 0x40 != 0 { notes.append("GPS on") }
        if let kind = alarms.kind(information: bits) { notes.append("alarm \(kind.name)") }
        if bits & GT06Power.charging != 0 { notes.append("charging") }
        if bits & 0x02 != 0 { notes.append("ACC high") }
        if bits & 0x01 != 0 { notes.append("armed") }
        return notes.joined(separator: ", ")
    }

    static func uploadMode(_ mode: UInt8) -> String {
        let names = [
            "timed", "distance", "turn", "ACC change", "last fix at rest", "last fix before losing the network",
            "ephemeris forced", "key pressed", "after power-up", "unused", "static, time updated", "Wi-Fi located",
            "located on command", "static, last fix", "GPS doubled", "left tracking mode",
        ]
        return Int(mode) < names.count ? names[Int(mode)] : ""
    }
}
