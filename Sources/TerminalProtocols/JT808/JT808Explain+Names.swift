import TerminalModel

/// English names of messages, items and bits, for people who read a frame.
enum JT808Names {
    /// Section 6.
    static func message(_ id: UInt16) -> String {
        messages[id] ?? (id < 0x8000 ? "message from the terminal that is not known" : "command that is not known")
    }

    private static let messages: [UInt16: String] = [
        0x0001: "terminal general response", 0x0002: "heartbeat", 0x0003: "log out", 0x0004: "query server time",
        0x0005: "terminal asks for missing packages", 0x0100: "register", 0x0102: "authenticate",
        0x0104: "parameter query response", 0x0107: "attribute query response", 0x0108: "upgrade result",
        0x0109: "time synchronisation request (vendor)", 0x0200: "location report", 0x0201: "location query response",
        0x0210: "batch of locations (vendor)", 0x0301: "event report", 0x0302: "answer to a question",
        0x0303: "information subscribe or cancel", 0x0500: "vehicle control response", 0x0506: "heartbeat (vendor)",
        0x0608: "area query response", 0x0700: "drive-recorder data", 0x0701: "electronic waybill",
        0x0702: "driver identity", 0x0704: "batch of stored locations", 0x0705: "CAN data",
        0x0800: "multimedia event", 0x0801: "multimedia data", 0x0802: "stored-media search response",
        0x0805: "camera command response", 0x0900: "transparent data up", 0x0901: "compressed data",
        0x0A00: "terminal RSA key", 0x1007: "heartbeat (vendor)", 0x1300: "text answer (vendor)",
        0x6006: "text answer (vendor)", 0x8001: "platform general response", 0x8003: "ask for missing packages",
        0x8004: "server time", 0x8100: "register response", 0x8103: "set parameters", 0x8104: "query all parameters",
        0x8105: "terminal control", 0x8106: "query named parameters", 0x8107: "query attributes",
        0x8108: "upgrade package", 0x8109: "time synchronisation (vendor)", 0x8201: "query location",
        0x8202: "temporary tracking", 0x8203: "confirm alarm by hand", 0x8204: "link check", 0x8300: "text message",
        0x8301: "event list", 0x8302: "question", 0x8303: "information menu", 0x8304: "information service",
        0x8400: "call back", 0x8401: "set phone book", 0x8500: "vehicle control", 0x8600: "set circles",
        0x8601: "delete circles", 0x8602: "set rectangles", 0x8603: "delete rectangles", 0x8604: "set polygon",
        0x8605: "delete polygons", 0x8606: "set route", 0x8607: "delete routes", 0x8608: "query areas",
        0x8700: "recorder collect", 0x8701: "recorder set", 0x8702: "ask driver identity",
        0x8800: "multimedia acknowledgement", 0x8801: "take picture", 0x8802: "stored-media search",
        0x8803: "stored-media upload", 0x8804: "record sound", 0x8805: "fetch one recording",
        0x8900: "transparent data down", 0x8A00: "platform RSA key",
    ]

    /// Sections 8.3 and 8.4.
    static let items: [UInt8: String] = [
        0x01: "mileage, 0.1 km", 0x02: "fuel, 0.1 l", 0x03: "recorder speed, 0.1 km/h",
        0x04: "alarm event to confirm by hand", 0x05: "tyre pressures", 0x06: "cabin temperature or battery percent",
        0x07: "satellites by system", 0x11: "overspeed area", 0x12: "area entered or left", 0x13: "segment time",
        0x25: "vehicle signals", 0x2A: "input/output state", 0x2B: "analogue inputs", 0x30: "radio signal strength",
        0x31: "satellites used", 0x51: "temperatures (vendor)", 0x53: "2G cells (vendor)",
        0x54: "Wi-Fi access points (vendor)", 0x56: "battery (vendor)", 0x57: "alarm words (vendor)",
        0x58: "humidity (vendor)", 0x5D: "4G cells (vendor)", 0x61: "external voltage, 0.01 V (vendor)",
        0x68: "battery, 0.01 % (vendor)", 0x69: "battery voltage, 0.01 V (vendor)", 0xD4: "battery percent (vendor)",
        0xE0: "length of the vendor items", 0xE1: "battery percent or cells (vendor)", 0xE2: "firmware (vendor)",
        0xE3: "battery (vendor)", 0xE4: "charge state and battery (vendor)", 0xE7: "alarm words (vendor)",
        0xE8: "event (vendor)", 0xE9: "battery percent (vendor)", 0xEB: "cells or list (vendor)",
        0xEC: "Wi-Fi access points (vendor)", 0xF0: "cells (vendor)", 0xF1: "ICCID or voltage (vendor)",
        0xF4: "Wi-Fi access points or alarms (vendor)", 0xF6: "modes or IMEI (vendor)", 0xF7: "battery (vendor)",
        0xF8: "steps (vendor)", 0xFA: "alarm bits (vendor)", 0xFB: "battery and supply (vendor)",
        0xFE: "battery percent (vendor)",
    ]

    /// Section 8.2: name of each bit when it is set.
    private static let statusBits: [(Int, String)] = [
        (0, "ACC on"), (1, "fix valid"), (2, "south"), (3, "west"), (4, "out of service"),
        (5, "coordinates obfuscated"), (6, "collision braking warning"), (7, "lane departure warning"),
        (8, "load bit 8"), (9, "load bit 9"), (10, "oil cut"), (11, "circuit cut"), (12, "doors locked"),
        (13, "door 1 open"), (14, "door 2 open"), (15, "door 3 open"), (16, "door 4 open"), (17, "door 5 open"),
        (18, "GPS used"), (19, "BeiDou used"), (20, "GLONASS used"), (21, "Galileo used"), (22, "moving"),
    ]

    static func status(_ word: UInt32) -> String {
        var names = statusBits.filter { word & 1 << UInt32($0.0) != 0 }.map(\.1)
        if word & JT808Status.fixed == 0 { names.insert("no fix", at: 0) }
        for bit in 23..<32 where word & 1 << UInt32(bit) != 0 { names.append("reserved bit \(bit)") }
        return names.joined(separator: ", ")
    }

    static func alarms(_ word: UInt32, _ table: JT808Alarms) -> String {
        guard word != 0 else { return "no alarm" }
        return (0..<32).filter { word & 1 << UInt32($0) != 0 }
            .map { "bit \($0) \(table[$0]?.name ?? "without meaning")" }.joined(separator: ", ")
    }

    private static let results = ["ok", "failed", "bad message", "not supported", "alarm handling confirmed"]

    static func result(_ value: Int) -> String {
        results.indices.contains(value) ? results[value] : "not defined"
    }
}
