import TerminalModel
import WireBytes

// Items that list what a terminal hears: cells and Wi-Fi access points; and vendor items that carry alarms.

extension JT808ItemReader {
    /// Where the parts of one cell stand, per item.
    private struct CellLayout {
        /// Bytes in front of the cells that hold country and network, 0 when each cell has its own.
        var shared = 0
        /// Bytes of the network code.
        var network = 1
        var area: Int
        var identity: Int
        /// The area follows the identity.
        var identityFirst = false

        var entry: Int { (shared > 0 ? 0 : 2 + network) + area + identity + 1 }
    }

    /// True when the cells were taken; the item's form follows from its id and length.
    func cells(_ id: UInt8, _ value: Span<UInt8>, _ event: inout TerminalEvent) -> Bool {
        let count = value.count
        guard count > 0 else { return false }
        switch id {
        case 0x53, 0x5D:
            let stated = Int(value[0])
            for layout in [CellLayout(area: 2, identity: 2), CellLayout(area: 2, identity: 4)]
            where count == 1 + stated * layout.entry && (id == 0x53 || layout.identity == 4) {
                return take(layout, value.extracting(1..<count), &event)
            }
            return false
        case 0xF0 where count % 13 == 0:
            return take(CellLayout(network: 2, area: 4, identity: 4, identityFirst: true), value, &event)
        case 0xE1 where count > 4:
            let rest = count - 4
            let area = rest % 7 == 0 || rest % 7 == 6 && rest % 8 != 0 ? 2 : 3
            guard area == 2 || rest % 8 == 0 else { return false }
            return take(CellLayout(shared: 4, network: 2, area: area, identity: 4), value, &event)
        case 0xEB:
            let country = count > 3 ? value.uint16BE(at: 0) : 0
            guard count > 3, (count - 3) % 5 == 0, country > 200, country < 1000 else {
                vendorList(value, &event)
                return false
            }
            return take(CellLayout(shared: 3, network: 1, area: 2, identity: 2), value, &event)
        default: return false
        }
    }

    private func take(_ layout: CellLayout, _ value: Span<UInt8>, _ event: inout TerminalEvent) -> Bool {
        var input = ByteReader(value)
        var country = 0
        var network = 0
        if layout.shared > 0 {
            country = Int(input.uint16BE() ?? 0)
            network = number(&input, layout.network)
        }
        // The last signal may be missing, so the rest of a cell decides that there is one more.
        while input.remaining >= layout.entry - 1 {
            if layout.shared == 0 {
                country = Int(input.uint16BE() ?? 0)
                network = number(&input, layout.network)
            }
            let first = number(&input, layout.identityFirst ? layout.identity : layout.area)
            let second = number(&input, layout.identityFirst ? layout.area : layout.identity)
            let area = layout.identityFirst ? second : first
            let identity = layout.identityFirst ? first : second
            event.cells.append(
                CellTower(
                    mobileCountryCode: country, mobileNetworkCode: network, locationAreaCode: area,
                    cellIdentity: identity, signalDecibelMilliwatts: input.uint8().flatMap(Self.decibelMilliwatts)))
        }
        return true
    }

    private func number(_ input: inout ByteReader, _ bytes: Int) -> Int {
        var value = 0
        for _ in 0..<bytes { value = value << 8 | Int(input.uint8() ?? 0) }
        return value
    }

    /// Most devices send a signed number of dBm, some its absolute value; 0 is none.
    static func decibelMilliwatts(_ value: UInt8) -> Int? {
        value == 0 ? nil : value >= 0x80 ? Int(Int8(bitPattern: value)) : -Int(value)
    }

    /// 0x54: count, then entries of address 6 and signal 1; the others are entries alone.
    func wifi(_ id: UInt8, _ value: Span<UInt8>, _ event: inout TerminalEvent) -> Bool {
        let start = id == 0x54 ? 1 : 0
        guard value.count >= start, (value.count - start) % 7 == 0 else { return false }
        if id == 0x54, Int(value[0]) * 7 != value.count - 1 { return false }
        for offset in stride(from: start, to: value.count, by: 7) {
            event.wifi.append(
                WiFiAccessPoint(
                    address: value.uint48BE(at: offset),
                    signalDecibelMilliwatts: Self.decibelMilliwatts(value[offset + 6])))
        }
        return true
    }

    /// 0xEB as a list of length 2 (type and value), type 2, value.
    private func vendorList(_ value: Span<UInt8>, _ event: inout TerminalEvent) {
        var input = ByteReader(value)
        while let length = input.uint16BE(), length >= 2, let range = input.skip(Int(length)) {
            let entry = value.extracting(range)
            let body = entry.extracting(droppingFirst: 2)
            switch (entry.uint16BE(at: 0), body.count) {
            case (0x002D, 2): event.batteryVolts = event.batteryVolts ?? Double(body.uint16BE(at: 0)) / 1000
            case (0x00A8, 1), (0x00E1, 1):
                if body[0] <= 100 { event.batteryPercent = event.batteryPercent ?? Int(body[0]) }
            case (0x00B2, 10): event.iccid = event.iccid ?? JT808Normaliser.iccid(Hex.text(body))
            case (0x00B9, _): wifiText(GBK.text(body), &event)
            case (0x00C6, 1):
                if readsAlarms, body[0] == 3 || body[0] == 4 { event.alarms.insert(AlarmKind.lowBattery) }
            case (0x00CE, 2): event.externalVolts = event.externalVolts ?? Double(body.uint16BE(at: 0)) / 100
            default: break
            }
        }
    }

    /// `mac,rssi,mac,rssi...`, the address with or without colons.
    private func wifiText(_ text: String, _ event: inout TerminalEvent) {
        let parts = text.split(separator: ",")
        for index in stride(from: 0, to: parts.count - 1, by: 2) {
            guard let bytes = Hex.bytes(parts[index]), bytes.count == 6, let signal = Int(parts[index + 1]) else {
                return
            }
            event.wifi.append(
                WiFiAccessPoint(address: bytes.span.uint48BE(at: 0), signalDecibelMilliwatts: signal))
        }
    }

    // MARK: Alarms in vendor items

    /// Adds the alarms that a vendor item states (section 8.4).
    func alarms(_ id: UInt8, _ value: Span<UInt8>, _ event: inout TerminalEvent) {
        switch (id, value.count) {
        case (0xE7, 8):
            let word = value.uint16BE(at: 0)
            if word & 1 != 0 { event.alarms.insert(AlarmKind.vibration) }
            if word & 0xE != 0 { event.alarms.insert(AlarmKind.sos) }
        case (0xE8, 2...):
            if let kind = Self.cameraEvents[value.uint16BE(at: 0)] { event.alarms.insert(kind) }
        case (0xF4, 2):
            let word = value.uint16BE(at: 0)
            if word & 0xF != 0 { event.alarms.insert(AlarmKind.driving) }
            if word & 1 << 4 != 0 { event.alarms.insert(AlarmKind.collision) }
            if word & 1 << 5 != 0 { event.alarms.insert(AlarmKind.rollover) }
        case (0xFA, 4):
            let word = value.uint32BE(at: 0)
            for (bits, kind) in Self.trackerBits where word & bits != 0 { event.alarms.insert(kind) }
        default: break
        }
    }

    /// 0xE8, first word.
    private static let cameraEvents: [UInt16: AlarmKind] = [
        0x0C01: .sos, 0x0C02: .lowBattery, 0x0C0F: .lowBattery, 0x0C0E: .powerCut, 0x0C12: .tamper,
        0x0408: .fenceEnter, 0x0409: .fenceExit,
    ]

    /// 0xFA. Deep sleep, ignition and the armed state are no alarms.
    private static let trackerBits: [(UInt32, AlarmKind)] = [
        (1 << 0, .vibration), (1 << 1, .removed), (1 << 3 | 1 << 4 | 1 << 5, .driving), (1 << 8, .lowBattery),
        (1 << 9 | 1 << 10, .powerOff),
    ]
}
