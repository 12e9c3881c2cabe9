import Glibc
import HostDevices
import TerminalModel
import Testing

private func at(_ milliseconds: Int64) -> Moment {
    Moment(wall: Timestamp(milliseconds: 1_773_454_212_000 + milliseconds), monotonicMilliseconds: milliseconds)
}

private func adapter(
    _ node: String, serial: String? = "A1", port: String = "pci-0:usb-0:1:1.0", tags: [String] = [],
    links: [String] = [], interface: Int? = 0
) -> SerialAdapter {
    SerialAdapter(
        systemPath: "/sys/devices/\(port)/\(node)", node: "/dev/\(node)", links: links, vendorID: "1a86",
        productID: "7523", serialNumber: serial, interfaceNumber: interface, driver: "ch341", portPath: port, tags: tags
    )
}

private let pagers = DeviceRule(
    name: "pagers", source: .match(DeviceMatch(vendorID: "1a86", productID: "7523", serialNumber: "A1")),
    silentSeconds: 60)

private func line(_ actions: [DeviceAction]) -> DeviceLine? {
    for case .open(let line, _, _) in actions { return line }
    return nil
}

@Suite struct DeviceTableTests {
    private func table(_ rules: DeviceRule...) -> DeviceTable {
        var table = DeviceTable()
        _ = table.setRules(rules, now: at(0))
        return table
    }

    @Test func ourAdapterIsOpenedAndAStrangersIsNot() throws {
        var table = table(pagers)
        let actions = table.seen(adapter("ttyUSB0"), now: at(1))
        let ours = try #require(line(actions))
        #expect(actions == [.open(ours, path: "/dev/ttyUSB0", rule: "pagers")])
        #expect(table.seen(adapter("ttyUSB1", serial: "B2", port: "p2"), now: at(2)) == [])
        let stranger = try #require(table.all.first { $0.state == .notOurs })
        #expect(stranger.reason.contains("\"pagers\", which wants serial number A1, found B2"))
        #expect(table.removed(systemPath: stranger.adapter?.systemPath ?? "", now: at(3)) == [])
        #expect(table.all.count == 1)
    }

    @Test func anAdapterKeepsItsIdentityUnderAnotherName() throws {
        var table = table(pagers)
        let first = try #require(line(table.seen(adapter("ttyUSB0"), now: at(1))))
        table.changed(first, .opened, now: at(2))
        table.changed(first, .heard, now: at(51))
        #expect(table.all[0].firstFrameMilliseconds == 50)
        #expect(table.removed(systemPath: adapter("ttyUSB0").systemPath, now: at(100)) == [.close(first)])
        #expect(table.all[0].state == .unplugged)
        // Late news of a line that is closed already changes nothing.
        table.changed(first, .hungUp, now: at(101))
        #expect(table.all[0].state == .unplugged)
        let again = table.seen(adapter("ttyUSB7"), now: at(200))
        let second = try #require(line(again))
        #expect(again == [.open(second, path: "/dev/ttyUSB7", rule: "pagers")])
        #expect(second != first)
        table.changed(second, .opened, now: at(201))
        table.changed(second, .heard, now: at(230))
        #expect(table.all.count == 1)
        #expect(table.all[0].state == .open)
        #expect(table.all[0].counts == [.found: 2, .open: 2, .unplugged: 1])
        #expect(table.all[0].firstFrameMilliseconds == 30)
    }

    @Test(arguments: [nil, "0001"]) func identicalAdaptersAreToldApartByTheirSockets(serial: String?) throws {
        var table = table(DeviceRule(name: "all", source: .match(DeviceMatch(tag: "yidiantong"))))
        let one = adapter("ttyUSB0", serial: serial, port: "p1", tags: ["yidiantong"])
        let two = adapter("ttyUSB1", serial: serial, port: "p2", tags: ["yidiantong"])
        let lines = [table.seen(one, now: at(1)), table.seen(two, now: at(2))].compactMap(line)
        #expect(lines.count == 2)
        #expect(Set(table.all.map(\.identity)).count == 2)
        #expect(table.removed(systemPath: two.systemPath, now: at(3)) == [.close(lines[1])])
        #expect(table.all.filter { $0.state == .unplugged }.map(\.adapter?.portPath) == ["p2"])
    }

    @Test(arguments: [
        (EACCES, DeviceState.noPermission), (EPERM, .noPermission), (EBUSY, .busy), (ENOENT, .unplugged),
        (EINVAL, .failed),
    ])
    func refusalsHaveStates(_ code: Int32, _ state: DeviceState) throws {
        var table = table(pagers)
        let ours = try #require(line(table.seen(adapter("ttyUSB0"), now: at(1))))
        table.changed(ours, .opening, now: at(2))
        #expect(table.all[0].state == .opening)
        for attempt in 0..<3 as Range<Int64> {
            table.changed(ours, .refused(code: code, detail: "why"), now: at(3 + attempt))
        }
        #expect(table.all[0].state == state)
        #expect(table.all[0].reason == "why")
        #expect(table.all[0].counts[state] == 1, "an attempt in vain counts as the state again")
        #expect(table.takeTransitions().filter { $0.state == state }.count == 1)
        #expect(table.takeTransitions().isEmpty)
        // udev set the permissions later, or told of the device again: no need to wait for the pause.
        #expect(table.seen(adapter("ttyUSB0", links: ["/dev/x"]), now: at(9)) == [.retry(ours)])
        table.changed(ours, .opened, now: at(10))
        #expect(table.seen(adapter("ttyUSB0"), now: at(11)) == [])
    }

    @Test func anAdapterThatNeverAnswersIsSilent() throws {
        var table = table(pagers)
        let ours = try #require(line(table.seen(adapter("ttyUSB0"), now: at(1))))
        table.changed(ours, .opened, now: at(1000))
        table.tick(now: at(60_999))
        #expect(table.all[0].state == .open)
        table.tick(now: at(61_000))
        #expect(table.all[0].state == .silent)
        table.changed(ours, .heard, now: at(70_000))
        #expect(table.all[0].state == .open)
        table.tick(now: at(129_999))
        #expect(table.all[0].state == .open)
        table.tick(now: at(130_000))
        #expect(table.all[0].state == .silent)
        table.changed(ours, .hungUp, now: at(131_000))
        #expect(table.all[0].state == .hungUp)
        table.tick(now: at(999_000))
        #expect(table.all[0].state == .hungUp)
        table.changed(ours, .readFailed(detail: "Input/output error"), now: at(999_001))
        #expect(table.all[0].state == .readError)
    }

    @Test func aPathIsOpenedWithoutUdevAndTriedAgainWhenItsDeviceComes() throws {
        var table = DeviceTable()
        let rule = DeviceRule(name: "cradle", source: .path("/dev/serial/by-id/cradle"))
        let ours = try #require(line(table.setRules([rule], now: at(0))))
        table.changed(ours, .refused(code: ENOENT, detail: "No such file or directory"), now: at(1))
        #expect(table.all.map(\.state) == [.unplugged])
        let device = adapter("ttyUSB0", links: ["/dev/serial/by-id/cradle"])
        #expect(table.seen(device, now: at(2)) == [.retry(ours)])
        #expect(table.all.count == 1)
        #expect(table.all[0].adapter == device)
        #expect(table.removed(systemPath: device.systemPath, now: at(3)) == [])
        #expect(table.setRules([], now: at(4)) == [.close(ours)])
        #expect(table.all.isEmpty)
    }

    @Test func newRulesLeaveLinesAloneWhoseRuleStays() throws {
        var table = table(pagers)
        let ours = try #require(line(table.seen(adapter("ttyUSB0"), now: at(1))))
        let other = adapter("ttyUSB1", serial: "B2", port: "p2")
        _ = table.seen(other, now: at(2))
        let second = DeviceRule(name: "second", source: .match(DeviceMatch(serialNumber: "B2")))
        let actions = table.setRules([second, pagers], now: at(3))
        #expect(actions.count == 1)
        #expect(line(actions) != nil)
        var changed = pagers
        changed.silentSeconds = 5
        let more = table.setRules([second, changed], now: at(4))
        #expect(more.first == .close(ours))
        #expect(line(more) != nil)
        #expect(table.setRules([], now: at(5)).count == 2)
        #expect(table.all.map(\.state) == [.notOurs, .notOurs])
    }

    @Test func theTableIsBounded() {
        var table = table(DeviceRule(name: "all", source: .match(DeviceMatch(tag: "t"))))
        for number in 0..<400 {
            let one = adapter("ttyUSB\(number)", serial: "S\(number)", port: "p\(number)", tags: ["t"])
            _ = table.seen(one, now: at(Int64(number)))
            if number < 300 { _ = table.removed(systemPath: one.systemPath, now: at(Int64(number))) }
        }
        #expect(table.all.count == DeviceTable.maximumDevices)
        #expect(table.all.filter { $0.state != .unplugged }.count == 100)
        for number in 400..<800 {
            _ = table.seen(adapter("ttyUSB\(number)", serial: "S\(number)", port: "p", tags: ["t"]), now: at(900))
        }
        #expect(table.all.count == DeviceTable.maximumDevices)
        #expect(table.overflow == 244)
    }
}

@Suite struct DeviceMatchTests {
    @Test(arguments: [
        (DeviceMatch(), "neither"), (DeviceMatch(vendorID: "0403"), "neither"),
        (DeviceMatch(driver: "ch341"), "neither"),
        (DeviceMatch(interfaceNumber: 1, driver: "ftdi_sio"), "neither"),
        (DeviceMatch(vendorID: "1a86", productID: "7523"), "CH340"),
        (DeviceMatch(vendorID: "0403", productID: "6001", driver: "ftdi_sio"), "FT232"),
        (DeviceMatch(vendorID: "10c4", productID: "ea60", interfaceNumber: 0), "CP210x"),
        (DeviceMatch(vendorID: "067b", productID: "2303"), "PL2303"),
    ])
    func aBareChipIsTooWide(match: DeviceMatch, word: String) throws {
        #expect(try #require(match.tooWide).contains(word))
    }

    @Test(arguments: [
        DeviceMatch(serialNumber: "A1"), DeviceMatch(portPath: "1-1:1.0"), DeviceMatch(tag: "yidiantong"),
        DeviceMatch(vendorID: "1a86", productID: "7523", serialNumber: "A1"),
        DeviceMatch(vendorID: "1234", productID: "0001"),
    ])
    func whatSomebodyHasChosenIsNot(match: DeviceMatch) {
        #expect(match.tooWide == nil)
    }

    @Test func everyPartCounts() {
        let one = adapter("ttyUSB0", tags: ["a", "b"])
        let whole = DeviceMatch(
            vendorID: "1a86", productID: "7523", serialNumber: "A1", interfaceNumber: 0, driver: "ch341",
            portPath: "pci-0:usb-0:1:1.0", tag: "b")
        #expect(whole.differences(from: one) == [])
        let changes: [(WritableKeyPath<DeviceMatch, String?>, String)] = [
            (\.vendorID, "vendor x, found 1a86"), (\.productID, "product x, found 7523"),
            (\.serialNumber, "serial number x, found A1"), (\.driver, "driver x, found ch341"),
            (\.portPath, "port path x, found pci-0:usb-0:1:1.0"), (\.tag, "tag x, found a, b"),
        ]
        for (part, words) in changes {
            var match = whole
            match[keyPath: part] = "x"
            #expect(match.differences(from: one) == [words])
        }
        var match = whole
        match.interfaceNumber = 1
        #expect(match.differences(from: one) == ["interface 1, found 0"])
    }
}
