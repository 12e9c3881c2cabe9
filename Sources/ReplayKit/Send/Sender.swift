internal import Reactor
internal import TerminalModel
internal import TerminalProtocols

/// What the sender's thread tells the one that prints.
enum SendReport: Sendable {
    case outcome(SendOutcome)
    /// A frame of the platform that answers nothing that was sent.
    case unasked(String)
    case finished
}

/// Plays lanes on one event loop.
final class Sender: ConnectionHandler {
    private let options: SendOptions
    private let reports: Mailbox<SendReport>
    private var lanes: [SendLane]
    private var laneOfConnection: [Connection: Int] = [:]
    private var framer = JT808Framer()
    /// When the first lane began to play; recorded times count from here.
    private var startNanoseconds: Int64?
    private var endedLanes = 0
    private var unaskedRoom: Int

    init(lanes: [SendLane], options: SendOptions, reports: Mailbox<SendReport>, unaskedRoom: Int) {
        self.lanes = lanes
        self.unaskedRoom = unaskedRoom
        self.options = options
        self.reports = reports
    }

    /// Opens the connections; to be called while the loop is being set up.
    func start(on loop: EventLoop) {
        switch options.target {
        case .serial(let serial):
            loop.addSerialLine(serial, tag: 0)
        case .tcp(let target):
            for index in lanes.indices {
                do throws(ReactorError) {
                    let connection = try loop.connect(to: target.address, tag: UInt32(index))
                    laneOfConnection[connection] = index
                } catch {
                    end(index, because: error.description, on: loop)
                }
            }
        }
    }

    func opened(_ connection: Connection, from origin: ConnectionOrigin, on loop: EventLoop) {
        let index = laneOfConnection[connection] ?? 0
        laneOfConnection[connection] = index
        lanes[index].connection = connection
        lanes[index].state = .registering
        register(index, on: loop)
    }

    func closed(_ connection: Connection, reason: CloseReason, on loop: EventLoop) {
        guard let index = laneOfConnection.removeValue(forKey: connection) else { return }
        end(index, because: Self.text(reason), on: loop)
    }

    func serialLine(tag: UInt32, changedTo state: SerialLineState, on loop: EventLoop) {
        if case .waiting(let fault, _) = state, lanes[0].state == .opening {
            end(0, because: "\(fault)", on: loop)
        }
    }

    func timer(token: UInt64, on loop: EventLoop) {
        lanes[Int(token)].timer = nil
        advance(Int(token), on: loop)
    }

    func received(_ connection: Connection, bytes: Span<UInt8>, on loop: EventLoop) -> Int {
        guard let index = laneOfConnection[connection] else { return bytes.count }
        var cursor = lanes[index].cursor
        while true {
            switch framer.next(in: bytes, at: &cursor) {
            case .needMore(let droppable):
                cursor.dropped(droppable)
                lanes[index].cursor = cursor
                advance(index, on: loop)
                return droppable
            case .rejected(let error, _):
                report(.unasked("broken frame: \(error)"))
            case .frame(let run):
                do throws(DecodeError) {
                    let packet = try JT808Codec.decode(JT808Frame(checking: framer.contents(of: run, in: bytes)))
                    answered(index, by: packet, on: loop)
                } catch {
                    report(.unasked("broken frame: \(error)"))
                }
            }
        }
    }
}

extension Sender {
    private func answered(_ index: Int, by packet: JT808Packet, on loop: EventLoop) {
        let now = MonotonicClock.nanoseconds
        let (found, result) = lanes[index].take(packet.header, packet.message)
        for pending in found {
            report(pending, .acknowledged(nanoseconds: now - pending.sentNanoseconds, result: result))
        }
        guard let first = found.first else {
            return report(.unasked("\(packet.header.message) flow \(packet.header.flowID)"))
        }
        guard lanes[index].state == .registering else { return }
        if result != 0 {
            end(index, because: "the platform refused \(first.header.message) with result \(result)", on: loop)
        } else if case .registrationReply(let reply) = packet.message {
            let message = JT808Message.authentication(JT808Authentication(authCode: reply.authCode ?? ""))
            sendOwn(index, message, phone: first.header.phone, on: loop)
        } else {
            lanes[index].registrations.removeFirst()
            register(index, on: loop)
        }
    }

    /// Registers the lane's next terminal, or begins to play when there is none left.
    private func register(_ index: Int, on loop: EventLoop) {
        guard let next = lanes[index].registrations.first else {
            lanes[index].state = .playing
            if startNanoseconds == nil { startNanoseconds = MonotonicClock.nanoseconds }
            return advance(index, on: loop)
        }
        if let recorded = next.recorded {
            send(index, recorded, on: loop)
        } else {
            let body = JT808Registration(
                province: 0, city: 0, maker: "YDT", model: "replay", terminalID: String(next.phone.text.suffix(7)),
                edition: next.phone.isLong ? .v2019 : .v2013)
            sendOwn(index, .registration(body), phone: next.phone, on: loop)
        }
        advance(index, on: loop)
    }

    private func sendOwn(_ index: Int, _ message: JT808Message, phone: JT808Phone, on loop: EventLoop) {
        let flowID = lanes[index].flowID
        let name = if case .registration = message { "registration" } else { "authentication" }
        let messageID: UInt16 = if case .registration = message { 0x0100 } else { 0x0102 }
        for bytes in JT808Codec.encode(message, phone: phone, flowID: &lanes[index].flowID) {
            let header = JT808Header(messageID: messageID, phone: phone, flowID: flowID)
            send(
                index, ReplayFrame(source: name, timeMilliseconds: nil, bytes: bytes, header: header, mediaID: nil),
                on: loop)
        }
    }

    private func send(_ index: Int, _ frame: ReplayFrame, on loop: EventLoop) {
        guard let connection = lanes[index].connection, loop.write(connection, frame.bytes) else {
            return report(frame, .notSent("the connection does not take it"))
        }
        guard let header = frame.header, SendLane.needsAnswer(header) else { return report(frame, .needsNoAnswer) }
        lanes[index].pending.append(
            SendLane.Pending(
                source: frame.source, header: header, mediaID: frame.mediaID,
                sentNanoseconds: MonotonicClock.nanoseconds))
    }

    /// Gives up what waited too long, sends what is due, and sets the timer for what comes next.
    private func advance(_ index: Int, on loop: EventLoop) {
        guard lanes[index].state == .playing || lanes[index].state == .registering else { return }
        let now = MonotonicClock.nanoseconds
        let timeout = options.timeoutMilliseconds * 1_000_000
        let overdue = lanes[index].pending.filter { now - $0.sentNanoseconds >= timeout }
        if !overdue.isEmpty {
            lanes[index].pending.removeAll { now - $0.sentNanoseconds >= timeout }
            for pending in overdue {
                report(pending, .notAcknowledged("no answer within \(options.timeoutMilliseconds) ms"))
            }
            if lanes[index].state == .registering {
                return end(index, because: "the registration was not answered", on: loop)
            }
        }
        var next = lanes[index].pending.first.map { $0.sentNanoseconds + timeout }
        if lanes[index].state == .playing {
            while lanes[index].nextFrame < lanes[index].frames.count {
                let due = dueNanoseconds(index)
                guard let due, due <= now else {
                    next = [next, due].compactMap { $0 }.min()
                    break
                }
                let frame = lanes[index].frames[lanes[index].nextFrame]
                lanes[index].nextFrame += 1
                send(index, frame, on: loop)
            }
            if lanes[index].nextFrame == lanes[index].frames.count, lanes[index].pending.isEmpty {
                return end(index, because: nil, on: loop)
            }
            next = next ?? lanes[index].pending.first.map { $0.sentNanoseconds + timeout }
        }
        if let timer = lanes[index].timer { loop.cancel(timer) }
        lanes[index].timer = next.flatMap {
            loop.schedule(afterMilliseconds: max(1, ($0 - now + 999_999) / 1_000_000), token: UInt64(index))
        }
    }

    /// When the lane's next frame is to be sent; nil while it waits for an answer.
    private func dueNanoseconds(_ index: Int) -> Int64? {
        let lane = lanes[index]
        switch options.speed {
        case .acknowledged:
            return lane.pending.isEmpty ? 0 : nil
        case .recorded(let factor):
            // A frame without a time follows the one before it at once.
            guard let start = startNanoseconds, let time = lane.frames[lane.nextFrame].timeMilliseconds else {
                return 0
            }
            return start + Int64(Double(time - lane.originMilliseconds) * 1_000_000 / factor)
        }
    }

    /// Ends a lane; nil when everything in it is done.
    private func end(_ index: Int, because reason: String?, on loop: EventLoop) {
        guard lanes[index].state != .ended else { return }
        lanes[index].state = .ended
        if let timer = lanes[index].timer { loop.cancel(timer) }
        for pending in lanes[index].pending { report(pending, .notAcknowledged(reason ?? "the end")) }
        for frame in lanes[index].frames[lanes[index].nextFrame...] { report(frame, .notSent(reason ?? "the end")) }
        lanes[index].pending = []
        if let connection = lanes[index].connection { loop.close(connection, reason: .requested(code: 0)) }
        endedLanes += 1
        if endedLanes == lanes.count { report(.finished) }
    }

    private func report(_ frame: ReplayFrame, _ result: SendOutcome.Result) {
        report(.outcome(Self.outcome(frame.source, frame.header, result)))
    }

    private func report(_ pending: SendLane.Pending, _ result: SendOutcome.Result) {
        report(.outcome(Self.outcome(pending.source, pending.header, result)))
    }

    private func report(_ report: SendReport) {
        // The mailbox has room for every frame, and for so many answers that nobody asked for.
        if case .unasked = report {
            guard unaskedRoom > 0 else { return }
            unaskedRoom -= 1
        }
        _ = reports.post(report)
    }

    private static func outcome(
        _ source: String, _ header: JT808Header?, _ result: SendOutcome.Result
    ) -> SendOutcome {
        SendOutcome(
            source: source, message: header?.message.description, terminal: header?.phone.terminal.description,
            flowID: header.map { Int($0.flowID) }, result: result)
    }

    private static func text(_ reason: CloseReason) -> String {
        switch reason {
        case .endOfInput: "the other side closed the connection"
        case .failed(let code): ReactorError(operation: "connection", code: code).description
        case .hangUp: "the line hung up"
        default: "the connection ended"
        }
    }
}
