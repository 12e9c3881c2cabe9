import Synchronization

/// What a source of ports reports.
enum SerialPortEvent: Sendable, Equatable {
    /// Plugged in, or something about it has changed.
    case seen(SerialAdapter)
    case removed(systemPath: String)
    /// Events were lost: only a new list tells what is there.
    case overrun
}

/// Lists the serial ports and reports their changes; libudev, or a list in tests.
protocol SerialPortSource {
    func list() -> [SerialAdapter]
    /// The next event without waiting, nil when there is none.
    func next() -> SerialPortEvent?
    /// Readable when `next` has something; nil when no events come at all.
    var descriptor: Int32? { get }
}

/// What the watch tells, on its own thread.
public enum SerialPortChange: Sendable, Equatable {
    case seen(SerialAdapter)
    case removed(systemPath: String)
    /// Once a second, for what depends on time.
    case tick
}

/// Follows the serial ports of the machine on a thread of its own and opens none of them.
///
/// Everything that is there is reported at the start, then each change. Where no events come (a container without udev), and
/// after some were lost, ports are listed again and compared.
public final class SerialPortWatch: Sendable {
    /// A safety net under the events, in seconds: udev may be started after us.
    private static let listingSeconds = 30

    private let overrunCount = Atomic<Int>(0)
    private let thread = StoppableThread()

    /// Lists that were made because events were lost.
    public var overruns: Int { overrunCount.load(ordering: .relaxed) }

    public init() {}

    /// Begins to watch; `report` is called on the watch's thread alone.
    public func start(_ report: @escaping @Sendable (SerialPortChange) -> Void) {
        start({ UdevPorts() }, report)
    }

    func start(
        _ makeSource: @escaping @Sendable () -> (any SerialPortSource)?,
        _ report: @escaping @Sendable (SerialPortChange) -> Void
    ) {
        thread.start("ydt-devices") { [self] in
            if let source = makeSource() { follow(source, report) }
        }
    }

    /// Ends the thread and waits for it.
    public func stop() { thread.stop() }

    private func follow(_ source: any SerialPortSource, _ report: (SerialPortChange) -> Void) {
        var known: [String: SerialAdapter] = [:]
        func list() {
            let found = Dictionary(source.list().map { ($0.systemPath, $0) }) { first, _ in first }
            for path in known.keys.sorted() where found[path] == nil { report(.removed(systemPath: path)) }
            for (path, adapter) in found.sorted(by: { $0.key < $1.key }) where known[path] != adapter {
                report(.seen(adapter))
            }
            known = found
        }
        list()
        var ticks = 0
        var nextTick = ContinuousClock.now + .seconds(1)
        while !thread.isStopping {
            thread.bell.wait(source.descriptor, milliseconds: 1000)
            if ContinuousClock.now >= nextTick {
                nextTick = ContinuousClock.now + .seconds(1)
                ticks += 1
                if ticks % Self.listingSeconds == 0 { list() }
                report(.tick)
            }
            while let event = source.next() {
                switch event {
                case .seen(let adapter):
                    known[adapter.systemPath] = adapter
                    report(.seen(adapter))
                case .removed(let path):
                    known[path] = nil
                    report(.removed(systemPath: path))
                case .overrun:
                    overrunCount.add(1, ordering: .relaxed)
                    list()
                }
            }
        }
    }
}
