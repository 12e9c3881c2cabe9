import Glibc
import Synchronization
import Testing

@testable import HostDevices

/// Ports and events that a test chooses; `descriptor` is a pipe that has a byte for each event.
private final class ListedPorts: SerialPortSource, Sendable {
    let ports = Mutex<[SerialAdapter]>([])
    private let events = Mutex<[SerialPortEvent]>([])
    private let ends: (read: Int32, write: Int32)

    init(_ adapters: [SerialAdapter]) {
        ports.withLock { $0 = adapters }
        var made: [Int32] = [-1, -1]
        _ = pipe(&made)
        ends = (made[0], made[1])
    }

    deinit {
        close(ends.read)
        close(ends.write)
    }

    var descriptor: Int32? { ends.read }
    func list() -> [SerialAdapter] { ports.withLock { $0 } }

    func next() -> SerialPortEvent? {
        events.withLock { events in
            guard !events.isEmpty else { return nil }
            var byte: UInt8 = 0
            _ = read(ends.read, &byte, 1)
            return events.removeFirst()
        }
    }

    func happen(_ event: SerialPortEvent) {
        events.withLock { $0.append(event) }
        _ = write(ends.write, [0], 1)
    }
}

private func port(_ number: Int, serial: String = "A") -> SerialAdapter {
    SerialAdapter(systemPath: "/sys/\(number)", node: "/dev/ttyUSB\(number)", serialNumber: serial)
}

/// `NETLINK_KOBJECT_UEVENT`, which Swift does not see.
private let kernelEvents: Int32 = 15

/// A message to everybody who listens to udev.
private func sendToUdevGroup(_ sender: Int32, _ bytes: [UInt8]) -> Int {
    // sockaddr_nl: family 2, padding 2, port 4, groups 4; 2 is udev's.
    var address: [UInt8] = [UInt8(AF_NETLINK), 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0]
    return address.withUnsafeMutableBytes { raw in
        raw.withMemoryRebound(to: sockaddr.self) { sendto(sender, bytes, bytes.count, 0, $0.baseAddress, 12) }
    }
}

/// Changes as they come, without ticks.
private final class Changes: Sendable {
    private let stream = AsyncStream.makeStream(of: SerialPortChange.self)
    let watch = SerialPortWatch()

    init(_ source: ListedPorts) {
        watch.start({ source }) { [stream] change in
            if change != .tick { stream.continuation.yield(change) }
        }
    }

    deinit { watch.stop() }

    func next(_ count: Int) async -> [SerialPortChange] {
        var found: [SerialPortChange] = []
        for await change in stream.stream {
            found.append(change)
            if found.count == count { break }
        }
        return found
    }
}

@Suite struct SerialPortWatchTests {
    @Test(.timeLimit(.minutes(1))) func whatIsThereThenWhatHappens() async {
        let source = ListedPorts([port(0)])
        let changes = Changes(source)
        #expect(await changes.next(1) == [.seen(port(0))])
        source.happen(.seen(port(1)))
        source.happen(.removed(systemPath: "/sys/0"))
        #expect(await changes.next(2) == [.seen(port(1)), .removed(systemPath: "/sys/0")])
    }

    /// The kernel dropped events (ENOBUFS): one port went, one came, one changed, and none of that was told.
    @Test(.timeLimit(.minutes(1))) func lostEventsAreMadeUpForByANewList() async {
        let source = ListedPorts([port(0), port(1), port(2)])
        let changes = Changes(source)
        _ = await changes.next(3)
        source.ports.withLock { $0 = [port(1), port(2, serial: "B"), port(3)] }
        source.happen(.overrun)
        #expect(
            await changes.next(3) == [.removed(systemPath: "/sys/0"), .seen(port(2, serial: "B")), .seen(port(3))])
        #expect(changes.watch.overruns == 1)
    }

    /// More events than the socket holds, sent as udev sends them: the kernel says ENOBUFS, and everything is listed again.
    @Test(.enabled(if: geteuid() == 0, "only root may speak for udev"), .timeLimit(.minutes(1)))
    func theKernelDropsEvents() async throws {
        let sender = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue), kernelEvents)
        try #require(sender >= 0)
        defer { close(sender) }
        let source = try #require(UdevPorts(receiveBufferBytes: 4096))
        #expect(source.next() == nil)
        for _ in 0..<200 { try #require(sendToUdevGroup(sender, [UInt8](repeating: 0x78, count: 512)) == 512) }
        #expect(source.next() == .overrun)
        // And in the watch, which has its own socket: all that was lost shows in one more list.
        let watch = SerialPortWatch()
        defer { watch.stop() }
        watch.start({ UdevPorts(receiveBufferBytes: 4096) }) { _ in }
        for _ in 0..<500 where watch.overruns == 0 {
            for _ in 0..<200 { _ = sendToUdevGroup(sender, [UInt8](repeating: 0x78, count: 512)) }
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(watch.overruns > 0)
    }

    /// This machine's own ports, whatever they are: nothing crashes, and consoles are not among them.
    @Test func libudevListsThePortsOfThisMachine() throws {
        let source = try #require(UdevPorts())
        for adapter in source.list() {
            #expect(adapter.node.hasPrefix("/dev/"))
            #expect(adapter.node.wholeMatch(of: /\/dev\/tty[0-9]*/) == nil)
        }
        while source.next() != nil {}
    }
}
