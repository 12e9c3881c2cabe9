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
    /// One for each lane.
    private let dialects: [any ReplayDialect]
    private var laneOfConnection: [Connection: Int] = [:]
    /// When the first lane began to play; recorded times count from here.
    private var startNanoseconds: Int64?
    private var endedLanes = 0
    private var unaskedRoom: Int

    /// - Throws: `ReplayFailure` for a lane whose protocol cannot be played.
    init(
        lanes: [SendLane], options: SendOptions, reports: Mailbox<SendReport>, unaskedRoom: Int
    ) throws(ReplayFailure) {
        var dialects: [any ReplayDialect] = []
        for lane in lanes { dialects.append(try ReplayDialects.make(lane.protocolName)) }
        self.dialects = dialects
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
        case .udp(let target):
            for index in lanes.indices {
                do throws(ReactorError) {
                    let socket = try DatagramSocket(binding: target.address.anyLocal)
                    begin(index, try loop.receive(socket, tag: UInt32(index)), on: loop)
                } catch {
                    end(index, because: error.description, on: loop)
                }
            }
        }
    }

    func opened(_ connection: Connection, from origin: ConnectionOrigin, on loop: EventLoop) {
        begin(laneOfConnection[connection] ?? 0, connection, on: loop)
    }

    private func begin(_ index: Int, _ connection: Connection, on loop: EventLoop) {
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
        return hear(index, bytes, on: loop)
    }

    func datagram(_ socket: Connection, from peer: SocketAddress, bytes: Span<UInt8>, on loop: EventLoop) {
        guard let index = laneOfConnection[socket] else { return }
        _ = hear(index, bytes, on: loop)
    }
}

extension Sender {
    private func hear(_ index: Int, _ bytes: Span<UInt8>, on loop: EventLoop) -> Int {
        let used = dialects[index].hear(bytes) { heard in
            switch heard {
            case .answer(let answer): take(index, answer, on: loop)
            case .message(let head), .echo(let head):
                report(.unasked("\(head.message) serial \(head.serial.map(String.init) ?? "-")"))
            case .broken(let error): report(.unasked("broken frame: \(error)"))
            }
        }
        advance(index, on: loop)
        return used
    }

    private func take(_ index: Int, _ answer: ReplayAnswer, on loop: EventLoop) {
        let now = MonotonicClock.nanoseconds
        let found = lanes[index].take(answer)
        for pending in found {
            let time = now - pending.sentNanoseconds
            report(
                pending.frame,
                answer.isTaken
                    ? .acknowledged(nanoseconds: time, result: answer.result)
                    : .refused(nanoseconds: time, result: answer.result))
        }
        guard let first = found.first else {
            let message = answer.key.message.map { " to \($0)" } ?? ""
            return report(.unasked("answer\(message) serial \(answer.key.serial.map(String.init) ?? "-")"))
        }
        guard lanes[index].state == .registering else { return }
        if !answer.isTaken {
            let message = first.frame.head?.message.description ?? "a message"
            end(index, because: "the platform refused \(message) with result \(answer.result)", on: loop)
        } else if let code = answer.code {
            authenticate(index, like: first.frame.bytes, code: code, on: loop)
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
        } else if let bytes = dialects[index].registration(like: next.example, serial: lanes[index].serial) {
            sendOwn(index, "registration", bytes, on: loop)
        }
        advance(index, on: loop)
    }

    private func authenticate(_ index: Int, like frame: [UInt8], code: String, on loop: EventLoop) {
        guard let bytes = dialects[index].authentication(like: frame, code: code, serial: lanes[index].serial) else {
            return
        }
        sendOwn(index, "authentication", bytes, on: loop)
    }

    private func sendOwn(_ index: Int, _ name: String, _ bytes: [UInt8], on loop: EventLoop) {
        lanes[index].serial &+= 1
        var frame = ReplayFrame(source: name, timeMilliseconds: nil, bytes: bytes)
        frame.head = dialects[index].head(of: bytes)
        send(index, frame, on: loop)
    }

    private func send(_ index: Int, _ frame: ReplayFrame, on loop: EventLoop) {
        let bytes = dialects[index].restamped(
            frame.bytes, now: Timestamp(milliseconds: MonotonicClock.wallMilliseconds))
        guard let connection = lanes[index].connection, write(bytes, connection, on: loop) else {
            return report(frame, .notSent("the connection does not take it"))
        }
        // Read again, so that the dialect of this lane knows who speaks and of which family the answers will be.
        _ = dialects[index].head(of: frame.bytes)
        guard let awaited = frame.head?.awaited else { return report(frame, .needsNoAnswer) }
        lanes[index].pending.append(
            SendLane.Pending(frame: frame, awaited: awaited, sentNanoseconds: MonotonicClock.nanoseconds))
    }

    private func write(_ bytes: [UInt8], _ connection: Connection, on loop: EventLoop) -> Bool {
        if case .udp(let target) = options.target { return loop.send(bytes, to: target.address, from: connection) }
        return loop.write(connection, bytes)
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
                report(pending.frame, .notAcknowledged("no answer within \(options.timeoutMilliseconds) ms"))
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
        for pending in lanes[index].pending { report(pending.frame, .notAcknowledged(reason ?? "the end")) }
        for frame in lanes[index].frames[lanes[index].nextFrame...] { report(frame, .notSent(reason ?? "the end")) }
        lanes[index].pending = []
        if let connection = lanes[index].connection { close(connection, on: loop) }
        endedLanes += 1
        if endedLanes == lanes.count { report(.finished) }
    }

    private func close(_ connection: Connection, on loop: EventLoop) {
        guard case .udp = options.target else { return loop.close(connection, reason: .requested(code: 0)) }
        laneOfConnection[connection] = nil
        loop.removeSource(connection)
    }

    private func report(_ frame: ReplayFrame, _ result: SendOutcome.Result) {
        report(
            .outcome(
                SendOutcome(
                    source: frame.source, message: frame.head?.message.description,
                    terminal: frame.head?.terminal?.description, serial: frame.head?.serial.map { Int($0) },
                    result: result)))
    }

    private func report(_ report: SendReport) {
        // The mailbox has room for every frame, and for so many answers that nobody asked for.
        if case .unasked = report {
            guard unaskedRoom > 0 else { return }
            unaskedRoom -= 1
        }
        _ = reports.post(report)
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
