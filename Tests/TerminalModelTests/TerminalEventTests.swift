import TerminalModel
import Testing

@Suite struct TerminalEventTests {
    private func event(_ message: MessageName = .number(0x0200)) -> TerminalEvent {
        TerminalEvent(
            protocolName: .jt808, terminal: TerminalID(nibbles: 7), message: message, sequence: 1, kind: .report)
    }

    /// An event of a plain position crosses threads by value and stands in memory once a terminal.
    @Test func staysSmall() {
        #expect(MemoryLayout<Position>.stride == 48)
        #expect(MemoryLayout<TerminalEvent>.stride <= 144)
        #expect(MemoryLayout<TerminalEvent?>.stride == MemoryLayout<TerminalEvent>.stride)
    }

    @Test(arguments: [
        MessageName.number(0), .number(0xFFFF), .word(""), .word("UD2"), .word("SEVENCH"), .word("EIGHTCHR"),
        .word("时间时间"),
    ])
    func namesOfAnyLength(name: MessageName) {
        var event = event(name)
        #expect(event.message == name)
        event.message = .number(1)
        #expect(event.message == .number(1))
        event.message = name
        #expect(event.message == name)
    }

    @Test func copiesDoNotSeeEachOther() {
        var one = event()
        one.text = "a"
        one.cells = [
            CellTower(
                mobileCountryCode: 460, mobileNetworkCode: 0, locationAreaCode: 1, cellIdentity: 2,
                signalDecibelMilliwatts: nil)
        ]
        var two = one
        two.text = nil
        two.keys = [3]
        #expect(one.text == "a")
        #expect(one.keys.isEmpty)
        #expect(two.cells == one.cells)
        #expect(two.plain.isPlain)
        #expect(two.plain.cells.isEmpty)
    }

    @Test func absentIsNotZeroAndTheRangeIsKept() {
        var event = event()
        #expect(event.batteryPercent == nil && event.signalPercent == nil && event.charging == nil)
        event.batteryPercent = 0
        event.sequence = Int(UInt32.max)
        event.deviceTime = Timestamp(milliseconds: 0)
        #expect(event.batteryPercent == 0)
        #expect(event.sequence == Int(UInt32.max))
        #expect(event.deviceTime == Timestamp(milliseconds: 0))
        event.batteryPercent = nil
        #expect(event.batteryPercent == nil)
        #expect(event.isPlain)
        var position = Position(valid: true, latitudeDegrees: 0, longitudeDegrees: -180, altitudeMetres: -400)
        #expect(position.latitudeDegrees == 0 && position.longitudeDegrees == -180 && position.altitudeMetres == -400)
        #expect(position.hdop == nil && position.accuracyMetres == nil && position.courseDegrees == nil)
        position.accuracyMetres = .max
        #expect(position.accuracyMetres == Int(Int32.max))
        #expect(position == position)
    }

    @Test func shortItemsNeedNoMemoryAndReadTheSame() {
        var event = event()
        let mileage: [UInt8] = [0, 0, 1, 0xAB]
        let fuel: [UInt8] = [0, 9]
        var added = event.addItem(0x01, mileage.span)
        #expect(added)
        added = event.addItem(0x02, fuel.span)
        #expect(added)
        #expect(event.isPlain && event.hasExtras)
        #expect(event.extras.map(\.name) == ["0x01", "0x02"])
        #expect(event.extras.map(\.hex) == ["000001ab", "0009"])
        // The same number again, and what has no room, go the long way and keep the order.
        added = event.addItem(0x01, fuel.span)
        #expect(!added)
        added = event.addItem(0x03, mileage.span)
        #expect(!added)
        event.extras.append(("0x01#2", "0009"))
        added = event.addItem(0x05, [UInt8]().span)
        #expect(!added)
        #expect(event.extras.map(\.name) == ["0x01", "0x02", "0x01#2"])
        #expect(!event.isPlain)
    }
}
