import TerminalModel
import WireBytes

/// Reads the additional items of a location report into an event, by id and length (sections 8.3 and 8.4).
///
/// An item that has no member of its own in the event, or whose member is taken already, goes to `extras` in wire order.
struct JT808ItemReader {
    /// False for models whose vendor items mean something else: then they raise no alarms.
    let readsAlarms: Bool
    /// What item 0x12 says of alarm bits 20 and 21.
    private(set) var crossing: AlarmKind?
    private(set) var satellites: Int?

    init(readsAlarms: Bool) {
        self.readsAlarms = readsAlarms
    }

    mutating func read(_ bytes: Span<UInt8>, into event: inout TerminalEvent) {
        var walk = JT808ItemWalk(bytes)
        while let item = walk.next() {
            let value = bytes.extracting(item.value)
            if !take(item.id, value, &event), !event.addItem(item.id, value) {
                let name = Self.free(Hex.number(item.id, digits: 2), event.extras)
                event.extras.append((name, Hex.text(value)))
            }
        }
        guard !walk.endedCleanly else { return }
        if bytes.count == Self.fixedTailBytes {
            event.extras.removeAll()
            readFixedTail(bytes, &event)
        } else {
            event.extras.append(("trailing", Hex.text(bytes.extracting(walk.offset..<bytes.count))))
        }
    }

    /// The name itself, or `0x53#2` for the second item of that id: names of the extras are unique.
    private static func free(_ name: String, _ extras: [(name: String, hex: String)]) -> String {
        guard !extras.isEmpty, extras.contains(where: { $0.name == name }) else { return name }
        var number = 2
        while extras.contains(where: { $0.name == "\(name)#\(number)" }) { number += 1 }
        return "\(name)#\(number)"
    }

    /// True when the event now holds what the item says.
    private mutating func take(_ id: UInt8, _ value: Span<UInt8>, _ event: inout TerminalEvent) -> Bool {
        let count = value.count
        switch (id, count) {
        case (0x30, 1): return set(&event.signalPercent, Self.signalPercent(value[0]))
        case (0x31, 1): return set(&satellites, Int(value[0]))
        case (0x12, 6):
            crossing = value[5] == 0 ? .fenceEnter : .fenceExit
            return false
        case (0x06, 1), (0xFE, 1): return percent(value[0], &event)
        case (0xD4, 1), (0xE9, 1), (0xE1, 1):
            // FF means charging and no percentage.
            return value[0] == 0xFF ? set(&event.charging, true) : percent(value[0], &event)
        case (0x56, 2): return levelAndPercent(value, &event)
        case (0x61, 2): return set(&event.externalVolts, Self.hundredths(value.uint16BE(at: 0)))
        case (0x68, 2):
            let value = value.uint16BE(at: 0)
            return value <= 10_000 && set(&event.batteryPercent, Int(value / 100))
        case (0x69, 2): return set(&event.batteryVolts, Self.hundredths(value.uint16BE(at: 0)))
        case (0x53, _), (0x5D, _), (0xF0, _), (0xE1, _), (0xEB, _): return cells(id, value, &event)
        case (0x54, _), (0xEC, _), (0xF4, 7...): return wifi(id, value, &event)
        case (0xE0..., _): return vendor(id, value, &event)
        default: return false
        }
    }

    private func vendor(_ id: UInt8, _ value: Span<UInt8>, _ event: inout TerminalEvent) -> Bool {
        let count = value.count
        switch (id, count) {
        case (0xE3, 6):
            let volts = set(&event.batteryVolts, Self.hundredths(value.uint16BE(at: 2)))
            return percent(value[1], &event) && volts
        case (0xE4, 2):
            let charging = set(&event.charging, value[0] == 0)
            return percent(value[1], &event) && charging
        case (0xF1, 20): return set(&event.iccid, Self.digits(value))
        case (0xF1, 4): return set(&event.externalVolts, Double(value.uint32BE(at: 0)) / 1000)
        case (0xF6, 4):
            return set(&event.charging, value[3] & 3 == 1) && false
        case (0xF6, 8): return set(&event.imei, Self.imei(value))
        case (0xF7, 6...):
            let volts = set(&event.batteryVolts, Double(value.uint32BE(at: 0)) / 1000)
            let charging = set(&event.charging, value[4] == 2 || value[4] == 3)
            return percent(value[5], &event) && volts && charging
        case (0xF7, 4...): return set(&event.batteryVolts, Double(value.uint32BE(at: 0)) / 1000)
        case (0xF8, 2): return set(&event.steps, Int(value.uint16BE(at: 0)))
        case (0xFB, 4):
            let volts = set(&event.externalVolts, Self.hundredths(value.uint16BE(at: 1)))
            let charging = set(&event.charging, value[3] != 0)
            return percent(value[0], &event) && volts && charging
        default:
            // Alarm items keep their raw form in the extras: their remaining bits have no name here.
            if readsAlarms { alarms(id, value, &event) }
            return false
        }
    }

    // MARK: Battery and signal

    /// Takes a value for a member that is still empty; false leaves the item to the extras.
    private func set<Value>(_ member: inout Value?, _ value: Value?) -> Bool {
        guard member == nil, let value else { return false }
        member = value
        return true
    }

    private func percent(_ value: UInt8, _ event: inout TerminalEvent) -> Bool {
        value <= 100 && set(&event.batteryPercent, Int(value))
    }

    /// 0x56: level 0 to 10, then percent; a percent of 0 or above 100 is not supported by the device.
    private func levelAndPercent(_ value: Span<UInt8>, _ event: inout TerminalEvent) -> Bool {
        if (1...100).contains(value[1]) { return percent(value[1], &event) }
        return value[0] <= 10 && percent(value[0] * 10, &event)
    }

    /// CSQ 0 to 31 in percent; 99 and everything else is unknown.
    static func signalPercent(_ value: UInt8) -> Int? {
        value <= 31 ? Int(value) * 100 / 31 : nil
    }

    private static func hundredths(_ value: UInt16) -> Double {
        Double(value) / 100
    }

    // MARK: Identities

    private static func digits(_ value: Span<UInt8>) -> String? {
        for index in 0..<value.count where !(0x30...0x39).contains(value[index]) { return nil }
        return GBK.text(value)
    }

    /// Eight BCD bytes with one leading zero; asset trackers use the same item for something else.
    private static func imei(_ value: Span<UInt8>) -> String? {
        let text = Hex.text(value)
        guard text.first == "0", text.allSatisfy(\.isNumber), text.contains(where: { $0 != "0" }) else { return nil }
        return String(text.dropFirst())
    }

    // MARK: Older trackers

    /// Instead of items some older trackers send exactly this many bytes (section 8.4, end).
    private static let fixedTailBytes = 18

    /// unused 4 | mileage 4 km | battery 2, 0.1 V | area 4 | signal 1 | reserved 3
    private func readFixedTail(_ bytes: Span<UInt8>, _ event: inout TerminalEvent) {
        event.extras.append(("mileage_km", String(bytes.uint32BE(at: 4))))
        _ = set(&event.batteryVolts, Double(bytes.uint16BE(at: 8)) / 10)
        _ = set(&event.signalPercent, Self.signalPercent(bytes[14]))
        event.extras.append(("tail", Hex.text(bytes)))
    }
}
