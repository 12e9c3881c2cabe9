import Glibc
import Reactor
import Testing

/// What a handler was told, sent to the test's thread.
enum Event: Sendable, Equatable {
    case opened(Connection, ConnectionOrigin)
    case handshakeFailed(UInt32, String)
    case received(Connection, [UInt8])
    case endOfInput(Connection)
    case closed(Connection, CloseReason)
    case connectionTimer(Connection)
    case timer(UInt64)
    case datagram(Connection, SocketAddress, [UInt8])
    case serial(UInt32, SerialLineState)
    case draining
    case stopped
    case mail(Int)
}

/// A handler that reports everything; what it does with bytes is given by closures, which run on the loop's thread.
final class Recorder: ConnectionHandler {
    let events: Mailbox<Event>
    var onOpened: (Connection, EventLoop) -> Void = { _, _ in }
    var onReceived: (Connection, [UInt8], EventLoop) -> Int = { _, bytes, _ in bytes.count }
    var onClosed: (Connection, EventLoop) -> Void = { _, _ in }
    var onTimer: (Connection, EventLoop) -> Void = { _, _ in }
    var onDatagram: (Connection, SocketAddress, [UInt8], EventLoop) -> Void = { _, _, _, _ in }
    var onEndOfWakeUp: (EventLoop) -> Void = { _ in }
    var keepsOpen = false
    var drained: () -> Bool = { true }

    init(_ events: Mailbox<Event>) {
        self.events = events
    }

    private func report(_ event: Event) {
        if !events.post(event) { Issue.record("the test's own mailbox is full") }
    }

    func opened(_ connection: Connection, from origin: ConnectionOrigin, on loop: EventLoop) {
        report(.opened(connection, origin))
        onOpened(connection, loop)
    }

    func handshakeFailed(tag: UInt32, peer: SocketAddress, detail: String, on loop: EventLoop) {
        report(.handshakeFailed(tag, detail))
    }

    func received(_ connection: Connection, bytes: Span<UInt8>, on loop: EventLoop) -> Int {
        let copy = bytes.withUnsafeBufferPointer { Array($0) }
        report(.received(connection, copy))
        return onReceived(connection, copy, loop)
    }

    func keepsOpenAfterEndOfInput(_ connection: Connection, on loop: EventLoop) -> Bool {
        report(.endOfInput(connection))
        return keepsOpen
    }

    func closed(_ connection: Connection, reason: CloseReason, on loop: EventLoop) {
        onClosed(connection, loop)
        report(.closed(connection, reason))
    }

    func timer(_ connection: Connection, on loop: EventLoop) {
        onTimer(connection, loop)
        report(.connectionTimer(connection))
    }

    func timer(token: UInt64, on loop: EventLoop) {
        report(.timer(token))
    }

    func datagram(_ socket: Connection, from peer: SocketAddress, bytes: Span<UInt8>, on loop: EventLoop) {
        let copy = bytes.withUnsafeBufferPointer { Array($0) }
        onDatagram(socket, peer, copy, loop)
        report(.datagram(socket, peer, copy))
    }

    func serialLine(tag: UInt32, changedTo state: SerialLineState, on loop: EventLoop) {
        report(.serial(tag, state))
    }

    func endOfWakeUp(on loop: EventLoop) {
        onEndOfWakeUp(loop)
    }

    func draining(on loop: EventLoop) {
        report(.draining)
    }

    func isDrained(on loop: EventLoop) -> Bool {
        drained()
    }

    func stopped(on loop: EventLoop) {
        report(.stopped)
    }
}

/// A reactor thread with its recorder; stopped when the test lets it go.
final class TestLoop {
    static let patienceMilliseconds: Int32 = 10_000

    let thread: ReactorThread
    private let events: Mailbox<Event>
    var mailbox: Mailbox<Event> { events }
    private var pending: [Event] = []

    /// `setUp` runs on the loop's thread.
    init(
        limits: ReactorLimits = ReactorLimits(), census: ConnectionCensus? = nil,
        setUp: @escaping @Sendable (EventLoop, Recorder) throws -> Void
    ) throws {
        let events = try Mailbox<Event>(name: "events", capacity: 100_000)
        self.events = events
        self.thread = try ReactorThread.start(name: "test loop", limits: limits, census: census) { loop in
            let recorder = Recorder(events)
            try setUp(loop, recorder)
            return recorder
        }
    }

    deinit {
        thread.stop(drainMilliseconds: 0)
        thread.waitUntilStopped(milliseconds: Self.patienceMilliseconds)
    }

    /// The next event that `body` turns into something, skipping the others; nil, and an issue, when none comes.
    func next<Result>(
        _ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: (Event) -> Result?
    ) -> Result? {
        while true {
            while !pending.isEmpty {
                if let result = body(pending.removeFirst()) { return result }
            }
            guard events.wait(milliseconds: Self.patienceMilliseconds) else {
                Issue.record("no \(what)", sourceLocation: sourceLocation)
                return nil
            }
            var fresh: [Event] = []
            events.drain(maximum: .max) { fresh.append($0) }
            pending = fresh
        }
    }

    func nextOpened() -> Connection? {
        next("opened") { if case .opened(let connection, _) = $0 { connection } else { nil } }
    }

    func nextReceived() -> [UInt8]? {
        next("received") { if case .received(_, let bytes) = $0 { bytes } else { nil } }
    }

    func nextClosed() -> CloseReason? {
        next("closed") { if case .closed(_, let reason) = $0 { reason } else { nil } }
    }

    /// Runs on the loop's thread and returns what `body` returned.
    func onLoop<Result: Sendable>(_ body: @escaping @Sendable (EventLoop) -> Result) throws -> Result {
        let answers = try Mailbox<Result>(name: "answer", capacity: 2)
        #expect(thread.execute { loop in _ = answers.post(body(loop)) })
        try #require(answers.wait(milliseconds: Self.patienceMilliseconds))
        var answer: Result?
        answers.drain(maximum: 1) { answer = $0 }
        return try #require(answer)
    }
}

/// A blocking TCP client with a receive time-out.
final class Client {
    let descriptor: Int32

    /// Takes over `descriptor`, an unconnected socket, when it is given.
    init(_ address: SocketAddress, descriptor given: Int32? = nil, receiveBuffer: Int32? = nil) throws {
        descriptor = given ?? socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        if var receiveBuffer { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, 4) }
        var peer = sockaddr_in()
        peer.sin_family = sa_family_t(AF_INET)
        peer.sin_addr.s_addr = UInt32(truncatingIfNeeded: address.low).bigEndian
        peer.sin_port = address.port.bigEndian
        let result = withUnsafePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result != 0 { throw ReactorError(operation: "connect to \(address)", code: errno) }
    }

    deinit {
        Glibc.close(descriptor)
    }

    func send(_ bytes: [UInt8]) {
        #expect(Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
    }

    /// Receives until `count` bytes are there or the peer has ended.
    func receive(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < count {
            let got = recv(descriptor, &room, min(room.count, count - bytes.count), 0)
            if got <= 0 { break }
            bytes += room[0..<got]
        }
        return bytes
    }

    /// Sends a byte and waits for the same; false when the peer has closed instead.
    func echoes(_ byte: UInt8) -> Bool {
        _ = Glibc.send(descriptor, [byte], 1, Int32(MSG_NOSIGNAL))
        return receive(1) == [byte]
    }

    func receiveToEnd() -> Int {
        var total = 0
        var room = [UInt8](repeating: 0, count: 65_536)
        while true {
            let got = recv(descriptor, &room, room.count, 0)
            if got <= 0 { return total }
            total += got
        }
    }

    func endOutput() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Closes with a reset instead of an orderly end.
    func resetOnClose() {
        var hard = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size))
    }
}

let loopback = SocketAddress(ipv4: 0x7F00_0001, port: 0)
