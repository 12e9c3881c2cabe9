import AlarmPipeline
import Glibc
import Logging
import Reactor
import Synchronization
import TerminalModel
import TerminalProtocols
import TerminalSession

@testable import TerminalTransport

/// The terminal plane with a list in place of the pipeline.
final class Gateway: Sendable {
    let transport: TerminalTransport
    let sink = ListSink()
    let port: UInt16

    /// Where the other listeners of `more` are bound, in their order.
    let morePorts: [UInt16]

    init(
        lines: [TerminalLine] = [], threads: Int = 2, limits: SessionLimits = SessionLimits(), port: UInt16 = 0,
        more: [TerminalListener] = [], inherited: [Int32] = [],
        transport kind: TerminalListener.Transport = .tcp, protocols: [ProtocolName] = [.jt808],
        maximumDatagramPeers: Int = 1000
    ) throws {
        let known = TerminalDirectory([TerminalID("17700000101")!: KnownTerminal()])
        let environment = SessionEnvironment(
            directory: known, limits: limits, makeAuthCode: { "CODE" }, digest: { Array($0.utf8) })
        var reactor = ReactorLimits()
        reactor.maximumConnections = 256
        var configuration = TransportConfiguration(
            listeners: [
                TerminalListener(
                    address: SocketAddress("127.0.0.1", port: port)!, transport: kind, protocols: protocols)
            ] + more, threads: threads, limits: reactor, inherited: inherited, drainMilliseconds: 50)
        configuration.maximumDatagramPeers = maximumDatagramPeers
        transport = try TerminalTransport(
            configuration: configuration,
            environment: environment, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let ports = try transport.start(sink: sink) { [sink] in sink.lineChanged($0, $1) }.map(\.port)
        for (number, line) in lines.enumerated() { transport.open(UInt32(number), line) }
        self.port = ports[0]
        morePorts = Array(ports.dropFirst())
    }

    deinit { transport.stop() }
}

extension TerminalListener {
    /// A port of JT/T 808 on the loopback, 0 for one that is free.
    static func local(_ port: UInt16, filter: (any StreamFilterSource)? = nil) -> TerminalListener {
        TerminalListener(
            address: SocketAddress("127.0.0.1", port: port)!, protocols: [.jt808], filterSource: filter)
    }
}

/// Keeps what the loops hand over and wakes whoever waits for more.
final class ListSink: ReportSink, Sendable {
    private let items = Mutex<[IngestItem]>([])
    private let lines = Mutex<[TerminalLineEvent]>([])
    private let bell: (read: Int32, write: Int32)

    init() {
        var ends: [Int32] = [0, 0]
        pipe(&ends)
        bell = (ends[0], ends[1])
    }

    func ingest(_ new: [IngestItem]) -> Int {
        items.withLock { $0 += new }
        var byte: UInt8 = 1
        write(bell.write, &byte, 1)
        return new.count
    }

    func lineChanged(_ line: UInt32, _ event: TerminalLineEvent) {
        lines.withLock { $0.append(event) }
        var byte: UInt8 = 1
        write(bell.write, &byte, 1)
    }

    /// What has happened on serial lines.
    var lineEvents: [TerminalLineEvent] { lines.withLock { $0 } }

    var all: [IngestItem] { items.withLock { $0 } }

    var reports: [(InboundReport, ReplyTicket)] {
        all.compactMap { item in
            if case .report(let report, let ticket) = item { (report, ticket) } else { nil }
        }
    }

    /// Waits until the condition holds for what has come, at most five seconds.
    func wait(until holds: ([IngestItem]) -> Bool) -> Bool {
        for _ in 0..<500 {
            if holds(all) { return true }
            var waiting = pollfd(fd: bell.read, events: Int16(POLLIN), revents: 0)
            if poll(&waiting, 1, 10) > 0 {
                var byte: UInt8 = 0
                read(bell.read, &byte, 1)
            }
        }
        return holds(all)
    }
}

/// One end of a byte stream: a socket or the master of a pseudo-terminal.
final class Wire {
    let descriptor: Int32

    init(descriptor: Int32) { self.descriptor = descriptor }

    convenience init(connectingTo port: UInt16, over transport: TerminalListener.Transport = .tcp) {
        let type = transport == .tcp ? SOCK_STREAM : SOCK_DGRAM
        let descriptor = socket(AF_INET, Int32(type.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        self.init(descriptor: descriptor)
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) {
        _ = write(descriptor, bytes, bytes.count)
    }

    /// Makes the coming close a reset, as of a terminal that lost its network.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Reads what arrives within the time, at least one chunk; empty at the end of the stream or when nothing came.
    func read(milliseconds: Int32 = 5_000) -> [UInt8]? {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, milliseconds) > 0 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        return count > 0 ? Array(buffer[0..<count]) : []
    }
}

enum Frames {
    static let phone = JT808Phone(TerminalID("17700000101")!)

    static func encode(_ message: JT808Message, flowID: UInt16, phone: JT808Phone = phone) -> [UInt8] {
        var flow = flowID
        return JT808Codec.encode(message, phone: phone, flowID: &flow).flatMap { $0 }
    }

    static func sos(flowID: UInt16, hasFix: Bool = true) -> [UInt8] {
        let basic = JT808BasicLocation(
            alarmFlags: 1, status: hasFix ? JT808Status.fixed : 0, latitude: 28_234_567, longitude: 112_987_654,
            altitude: 57,
            speed: 0, direction: 0, time: JT808Time(Timestamp(seconds: 1_773_454_200), utcOffsetMinutes: 480))
        return encode(.location(JT808Location(basic: basic)), flowID: flowID)
    }

    static func message(_ bytes: [UInt8]) throws -> JT808Message {
        var framer = JT808Framer()
        var cursor = JT808Framer.Cursor()
        guard case .frame(let run) = framer.next(in: bytes.span, at: &cursor) else {
            return .unknown(id: 0, JT808Bytes(bytes))
        }
        return try JT808Codec.decode(JT808Frame(checking: framer.contents(of: run, in: bytes.span))).message
    }
}
