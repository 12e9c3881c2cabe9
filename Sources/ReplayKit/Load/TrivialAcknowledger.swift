public import Reactor
public import TerminalProtocols

/// A gateway that only acknowledges: what a generator is measured against, and the other side of tests.
///
/// It decodes nothing but headers and stores nothing.
public final class TrivialAcknowledger: ConnectionHandler {
    /// How a frame is answered.
    public enum Answer: Sendable {
        case acknowledge(result: UInt8)
        /// 0x8100 with this code for a registration.
        case register(code: String)
        /// Nothing is said.
        case silence
        case close
        /// These bytes.
        case bytes([UInt8])
    }

    private let answer: @Sendable (JT808Header, [UInt8]) -> Answer
    private var cursors: [Connection: JT808Framer.Cursor] = [:]
    private var framer = JT808Framer()
    private var flowID: UInt16 = 0

    /// - Parameter answer: the answer to a frame with this header and body.
    public init(answer: @escaping @Sendable (JT808Header, [UInt8]) -> Answer) {
        self.answer = answer
    }

    /// Listens on a port of loopback that the system chooses.
    public static func start(
        isDatagram: Bool = false,
        answer: @escaping @Sendable (JT808Header, [UInt8]) -> Answer = { header, _ in
            header.messageID == 0x0100 ? .register(code: "CODE") : .acknowledge(result: 0)
        }
    ) throws -> (thread: ReactorThread, address: SocketAddress) {
        var limits = ReactorLimits()
        limits.maximumDatagramBytes = 2048
        let loopback = SocketAddress(ipv4: 0x7F00_0001, port: 0)
        if isDatagram {
            let socket = try DatagramSocket(binding: loopback)
            let thread = try ReactorThread.start(name: "acknowledger", limits: limits) { loop in
                try loop.receive(socket, tag: 0)
                return TrivialAcknowledger(answer: answer)
            }
            return (thread, socket.address)
        }
        let socket = try ListeningSocket(binding: loopback, limits: limits)
        let thread = try ReactorThread.start(name: "acknowledger", limits: limits) { loop in
            try loop.listen(socket, tag: 0)
            return TrivialAcknowledger(answer: answer)
        }
        return (thread, socket.address)
    }

    public func opened(_ connection: Connection, from origin: ConnectionOrigin, on loop: EventLoop) {
        cursors[connection] = JT808Framer.Cursor()
    }

    public func closed(_ connection: Connection, reason: CloseReason, on loop: EventLoop) {
        cursors[connection] = nil
    }

    public func received(_ connection: Connection, bytes: Span<UInt8>, on loop: EventLoop) -> Int {
        var cursor = cursors[connection] ?? JT808Framer.Cursor()
        let used = read(bytes, &cursor) { frame in
            switch frame {
            case .close: loop.close(connection, reason: .requested(code: 0))
            case .send(let bytes): loop.write(connection, bytes)
            }
        }
        cursor.dropped(used)
        cursors[connection] = cursor
        return used
    }

    public func datagram(_ socket: Connection, from peer: SocketAddress, bytes: Span<UInt8>, on loop: EventLoop) {
        var cursor = JT808Framer.Cursor()
        _ = read(bytes, &cursor) { reply in
            if case .send(let bytes) = reply { loop.send(bytes, to: peer, from: socket) }
        }
    }

    private enum Reply {
        case send([UInt8])
        case close
    }

    /// Answers every frame and returns how many bytes are done with.
    private func read(_ bytes: Span<UInt8>, _ cursor: inout JT808Framer.Cursor, _ reply: (Reply) -> Void) -> Int {
        while true {
            switch framer.next(in: bytes, at: &cursor) {
            case .needMore(let droppable): return droppable
            case .rejected: continue
            case .frame(let run):
                guard let frame = try? JT808Frame(checking: framer.contents(of: run, in: bytes)) else { continue }
                let header = frame.header
                respond(to: header, Self.copy(frame.body), reply)
            }
        }
    }

    private static func copy(_ bytes: Span<UInt8>) -> [UInt8] {
        bytes.withUnsafeBufferPointer { Array($0) }
    }

    private func respond(to header: JT808Header, _ body: [UInt8], _ reply: (Reply) -> Void) {
        let message: JT808Message
        switch answer(header, body) {
        case .silence: return
        case .close: return reply(.close)
        case .bytes(let bytes): return reply(.send(bytes))
        case .register(let code):
            message = .registrationReply(JT808RegistrationReply(flowID: header.flowID, result: 0, authCode: code))
        case .acknowledge(let result):
            message = .platformResponse(
                JT808Response(
                    flowID: header.flowID, messageID: header.messageID, result: .init(rawValue: result)))
        }
        for bytes in JT808Codec.encode(message, phone: header.phone, flowID: &flowID) { reply(.send(bytes)) }
    }
}
