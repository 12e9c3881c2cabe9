import WireBytes

/// One row a key: its name and its layout. Source: sections 6, 10 and 11.
struct EV07BRow: Sendable {
    let key: UInt8
    let name: String
    let type: any EV07BValue.Type
    /// A shorter value is incomplete.
    let minimumByteCount: Int

    init(_ key: UInt8, _ name: String, _ type: any EV07BValue.Type, atLeast minimum: Int? = nil) {
        self.key = key
        self.name = name
        self.type = type
        minimumByteCount = minimum ?? type.minimumByteCount
    }

    /// The row of a key in frames of a command, nil for keys that are not known.
    static func find(_ key: UInt8, in command: EV07BCommand) -> EV07BRow? {
        tables[command]?[key]
    }

    /// Every row of the document, by command and key.
    static let tables: [EV07BCommand: [UInt8: EV07BRow]] = [
        .data: byKey(data), .services: byKey(services), .configuration: byKey(configuration),
        .control: byKey(control), .password: byKey(password), .firmware: byKey(firmware),
    ]

    private static func byKey(_ rows: [EV07BRow]) -> [UInt8: EV07BRow] {
        Dictionary(uniqueKeysWithValues: rows.map { ($0.key, $0) })
    }

    private static let data = [
        EV07BRow(0x01, "IMEI", EV07BIdentity.self),
        EV07BRow(0x02, "alarm", EV07BAlarm.self),
        EV07BRow(0x04, "ICCID", EV07BText.self),
        EV07BRow(0x10, "heartbeat", EV07BHeartbeat.self),
        EV07BRow(0x11, "historical marker", EV07BBytes.self),
        EV07BRow(0x12, "locate once", EV07BBytes.self),
        EV07BRow(0x13, "locate continuously", EV07BBytes.self),
        EV07BRow(0x14, "battery", EV07BBattery.self),
        EV07BRow(0x19, "Wi-Fi with names", EV07BWiFi.self),
        EV07BRow(0x20, "GPS", EV07BGPS.self),
        EV07BRow(0x21, "GSM cells", EV07BCells.self),
        EV07BRow(0x22, "Wi-Fi", EV07BWiFi.self),
        EV07BRow(0x23, "Bluetooth location", EV07BBluetooth.self),
        EV07BRow(0x24, "status", EV07BStatus.self),
        EV07BRow(0x25, "call record", EV07BCall.self),
        EV07BRow(0x26, "Bluetooth location 2", EV07BArea.self, atLeast: 18),
        EV07BRow(0x27, "smart location", EV07BArea.self),
        EV07BRow(0x28, "beacon", EV07BBeacon.self, atLeast: 9),
        EV07BRow(0x29, "4G cells", EV07BCells.self),
        EV07BRow(0x2A, "home Wi-Fi", EV07BBeacon.self),
        EV07BRow(0x2B, "4G cells, wide network code", EV07BCells.self, atLeast: 4),
        EV07BRow(0x2C, "beacon 2", EV07BBeacon.self, atLeast: 10),
        EV07BRow(0x30, "steps", EV07BCounts.self),
        EV07BRow(0x31, "activity", EV07BCounts.self),
        EV07BRow(0x33, "beacon list", EV07BBytes.self),
        EV07BRow(0x34, "beacon list", EV07BBytes.self),
        EV07BRow(0x37, "barking", EV07BBarking.self),
        EV07BRow(0x40, "heart rate", EV07BReadings.self),
        EV07BRow(0x41, "blood oxygen", EV07BReadings.self),
        EV07BRow(0x60, "Bluetooth sensor", EV07BBytes.self),
        EV07BRow(0x61, "Bluetooth sensor", EV07BBytes.self),
        EV07BRow(0x62, "Bluetooth sensor", EV07BBytes.self),
        EV07BRow(0x63, "Bluetooth sensor", EV07BBytes.self),
        EV07BRow(0x64, "Bluetooth sensor", EV07BBytes.self),
        EV07BRow(0xF0, "log", EV07BText.self),
    ]

    private static let services = [
        EV07BRow(0x01, "IMEI", EV07BIdentity.self),
        EV07BRow(0x04, "ICCID", EV07BText.self),
        EV07BRow(0x10, "heartbeat", EV07BHeartbeat.self),
        EV07BRow(0x11, "address", EV07BPlace.self),
        EV07BRow(0x12, "time", EV07BClock.self),
        EV07BRow(0x13, "weather", EV07BBytes.self),
        EV07BRow(0x14, "weather forecast", EV07BBytes.self),
        EV07BRow(0x21, "location by cells", EV07BCells.self),
        EV07BRow(0x22, "location by Wi-Fi", EV07BWiFi.self),
        EV07BRow(0x24, "status", EV07BStatus.self),
    ]

    private static let control = [
        EV07BRow(0x10, "erase all records", EV07BBytes.self),
        EV07BRow(0x11, "factory reset", EV07BBytes.self),
        EV07BRow(0x12, "reboot", EV07BBytes.self),
        EV07BRow(0x13, "find me", EV07BBytes.self),
        EV07BRow(0x14, "power off", EV07BBytes.self),
        EV07BRow(0x16, "scan Bluetooth", EV07BBytes.self),
        EV07BRow(0x19, "scan beacons", EV07BBytes.self),
        EV07BRow(0x1A, "set Wi-Fi automatically", EV07BBytes.self),
        EV07BRow(0x1B, "scan Wi-Fi", EV07BBytes.self),
        EV07BRow(0x1F, "text or speech", EV07BSpeech.self),
        EV07BRow(0x30, "firmware address", EV07BText.self),
        EV07BRow(0x31, "measure heart rate", EV07BBytes.self),
    ]

    private static let password = [EV07BRow(0x0D, "password", EV07BPassword.self)]

    private static let firmware = [
        EV07BRow(0x10, "begin", EV07BBytes.self),
        EV07BRow(0x11, "firmware data", EV07BBytes.self),
        EV07BRow(0x12, "validate", EV07BBytes.self),
        EV07BRow(0x13, "state", EV07BBytes.self),
        EV07BRow(0x15, "packet size", EV07BBytes.self),
        EV07BRow(0x16, "request", EV07BBytes.self),
    ]

    private static let configuration = settings + (0x67...0x76).map { EV07BRow($0, "extra setting", EV07BBytes.self) }

    private static let settings = [
        EV07BRow(0x01, "module number", EV07BNumber.self, atLeast: 4),
        EV07BRow(0x02, "firmware version", EV07BNumber.self, atLeast: 4),
        EV07BRow(0x03, "IMEI", EV07BText.self),
        EV07BRow(0x04, "ICCID", EV07BText.self),
        EV07BRow(0x05, "Bluetooth address", EV07BBytes.self, atLeast: 6),
        EV07BRow(0x06, "settings time", EV07BNumber.self, atLeast: 4),
        EV07BRow(0x07, "run time", EV07BNumber.self, atLeast: 4),
        EV07BRow(0x08, "firmware information", EV07BBytes.self),
        EV07BRow(0x09, "mileage, m", EV07BNumber.self, atLeast: 4),
        EV07BRow(0x0A, "work mode", EV07BWorkMode.self),
        EV07BRow(0x0B, "alarm clock", EV07BAlarmClock.self),
        EV07BRow(0x0C, "do not disturb", EV07BDoNotDisturb.self),
        EV07BRow(0x0D, "password", EV07BPassword.self),
        EV07BRow(0x0E, "time zone", EV07BTimeZone.self),
        EV07BRow(0x0F, "switches", EV07BSwitches.self),
        EV07BRow(0x10, "ring volume", EV07BNumber.self),
        EV07BRow(0x11, "microphone volume", EV07BNumber.self),
        EV07BRow(0x12, "speaker volume", EV07BNumber.self),
        EV07BRow(0x13, "name", EV07BText.self),
        EV07BRow(0x14, "battery", EV07BBattery.self),
        EV07BRow(0x15, "Bluetooth location", EV07BPlace.self, atLeast: 8),
        EV07BRow(0x16, "white list entry", EV07BBytes.self),
        EV07BRow(0x17, "message link template", EV07BText.self),
        EV07BRow(0x18, "message link template 2", EV07BText.self),
        EV07BRow(0x19, "voice prompts", EV07BNumber.self, atLeast: 4),
        EV07BRow(0x1A, "firmware", EV07BText.self),
        EV07BRow(0x1B, "modem", EV07BText.self),
        EV07BRow(0x1C, "prompt volume", EV07BNumber.self),
        EV07BRow(0x1D, "AGPS location", EV07BAssistedPlace.self),
        EV07BRow(0x20, "SOS key", EV07BKeyFunction.self),
        EV07BRow(0x21, "call key 1", EV07BKeyFunction.self),
        EV07BRow(0x22, "call key 2", EV07BKeyFunction.self),
        EV07BRow(0x30, "authorised number", EV07BNumberSlot.self),
        EV07BRow(0x31, "message prefix", EV07BPrefix.self),
        EV07BRow(0x32, "SOS dialling", EV07BDialling.self),
        EV07BRow(0x33, "phone switches", EV07BPhoneSwitches.self),
        EV07BRow(0x40, "APN", EV07BText.self),
        EV07BRow(0x41, "APN user", EV07BText.self),
        EV07BRow(0x42, "APN password", EV07BText.self),
        EV07BRow(0x43, "server", EV07BServer.self),
        EV07BRow(0x44, "intervals", EV07BIntervals.self),
        EV07BRow(0x45, "continuous locating", EV07BContinuousLocating.self),
        EV07BRow(0x46, "heart-rate interval", EV07BNumber.self, atLeast: 4),
        EV07BRow(0x47, "own id", EV07BText.self),
        EV07BRow(0x48, "AES", EV07BBytes.self),
        EV07BRow(0x49, "AES key", EV07BBytes.self),
        EV07BRow(0x4A, "Wi-Fi list", EV07BBytes.self),
        EV07BRow(0x4E, "band", EV07BNumber.self),
        EV07BRow(0x4F, "network type", EV07BNumber.self),
        EV07BRow(0x50, "power alert", EV07BPowerAlert.self),
        EV07BRow(0x51, "fence", EV07BFence.self),
        EV07BRow(0x52, "motion alert", EV07BMotionAlert.self),
        EV07BRow(0x53, "no-motion alert", EV07BMotionAlert.self),
        EV07BRow(0x54, "overspeed alert", EV07BOverspeed.self),
        EV07BRow(0x55, "tilt alert", EV07BMotionAlert.self),
        EV07BRow(0x56, "fall detection", EV07BFall.self),
        EV07BRow(0x57, "welfare", EV07BBytes.self),
        EV07BRow(0x58, "alert notification", EV07BBytes.self),
        EV07BRow(0x59, "motion level", EV07BBytes.self),
        EV07BRow(0x5A, "geo detection", EV07BBytes.self),
        EV07BRow(0x61, "MSISDN", EV07BBytes.self),
        EV07BRow(0x62, "Wi-Fi white list", EV07BBytes.self),
        EV07BRow(0x63, "night mode", EV07BBytes.self),
        EV07BRow(0x64, "network information", EV07BBytes.self),
        EV07BRow(0x65, "network state", EV07BBytes.self),
        EV07BRow(0x66, "IMSI", EV07BBytes.self),
        EV07BRow(0xE0, "LED", EV07BBytes.self),
        EV07BRow(0xF0, "read", EV07BBytes.self),
    ]
}
