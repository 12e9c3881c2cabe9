internal import Histogram
internal import Reactor
internal import TerminalProtocols

/// What the generator's thread tells the one that paces it.
enum LoadReportStep: Sendable {
    /// Every terminal is connected or has failed.
    case ready
    /// Every report was answered, or waiting is over.
    case finished
}

/// Simulated terminals on one event loop.
final class LoadGenerator: ConnectionHandler {
    private enum Phase {
        case opening, waiting, running, draining, finished
    }

    /// Timers of the generator itself.
    private enum Token {
        static let drained: UInt64 = 1
        static let opening: UInt64 = 2
    }

    private let options: LoadOptions
    private let schedule: LoadSchedule
    private let steps: Mailbox<LoadReportStep>
    private let collected: LoadCollector
    private let firstTerminal: Int
    private var terminals: LoadTerminals
    /// The terminal behind a connection, by `Connection.index`.
    private var terminalOfSlot: [Int32] = []
    private var frames = LoadFrames()
    private var framer = JT808Framer()
    private var result = LoadResult()

    private var phase = Phase.opening
    private var nextToOpen = 0
    private var opening = 0
    private var startNanoseconds: Int64 = 0
    private var nextOrdinary = 0
    private var nextSOS = 0
    private var cpuAtStart: Int64 = 0

    init(options: LoadOptions, steps: Mailbox<LoadReportStep>, collected: LoadCollector) {
        self.options = options
        self.steps = steps
        self.collected = collected
        schedule = LoadSchedule(options)
        firstTerminal = options.ownTerminals.lowerBound
        terminals = LoadTerminals(options)
        startNanoseconds = MonotonicClock.nanoseconds
    }

    /// Begins to connect; to be called once the loop has its handler.
    func open(on loop: EventLoop) {
        let timeout = Int64(options.timeoutSeconds * 1000)
        _ = loop.schedule(afterMilliseconds: timeout, token: Token.opening)
        openMore(on: loop)
    }

    /// Takes the start time for granted and sends what is due from now on.
    func start(atNanoseconds start: Int64, on loop: EventLoop) {
        startNanoseconds = start
        cpuAtStart = MonotonicClock.threadCPUNanoseconds
        phase = .running
    }

    /// Sends everything whose time has come.
    func sendDue(on loop: EventLoop) {
        guard phase == .running else { return }
        let now = MonotonicClock.nanoseconds - startNanoseconds
        frames.setTime(wallMilliseconds: MonotonicClock.wallMilliseconds)
        // SOS first: where both are due at once, an ordinary report must not make it late.
        while let due = schedule.sos(nextSOS), due <= now {
            // A stride that shares no factor with the count reaches every terminal in turn, apart from the ordinary order.
            send(nextSOS &* 7919 % terminals.count, due: due, isSOS: true, on: loop)
            nextSOS += 1
        }
        while let due = schedule.ordinary(nextOrdinary), due <= now {
            send(nextOrdinary % terminals.count, due: due, isSOS: false, on: loop)
            nextOrdinary += 1
        }
        guard nextSOS == schedule.sosCount, nextOrdinary == schedule.ordinaryCount else { return }
        phase = .draining
        _ = loop.schedule(afterMilliseconds: Int64(options.timeoutSeconds * 1000), token: Token.drained)
        finishIfDrained()
    }

    private func send(_ terminal: Int, due: Int64, isSOS: Bool, on loop: EventLoop) {
        guard terminals.state[terminal] == .ready else {
            result[isSOS: isSOS].notSent += 1
            return
        }
        let flowID = terminals.flowID[terminal]
        terminals.flowID[terminal] &+= 1
        frames.makeReport(
            phone: LoadFrames.phone(options, firstTerminal + terminal), flowID: flowID, isSOS: isSOS)
        guard loop.write(terminals.connection[terminal], frames.wire.span) else {
            result[isSOS: isSOS].notSent += 1
            return
        }
        result[isSOS: isSOS].sent += 1
        let late = MonotonicClock.nanoseconds - startNanoseconds - due
        result.slip.record(UInt64(max(0, late / 1000)))
        terminals.remember(terminal, due: due, flowID: flowID, isSOS: isSOS)
    }

    private func finishIfDrained() {
        guard phase == .draining, terminals.inFlightCount == 0 else { return }
        finish()
    }

    private func finish() {
        guard phase != .finished else { return }
        phase = .finished
        let cpu = MonotonicClock.threadCPUNanoseconds - cpuAtStart
        let passed = max(1, MonotonicClock.nanoseconds - startNanoseconds)
        result.cpuMicroseconds = UInt64(max(0, cpu / 1000))
        result.busiestPerMille = UInt64(max(0, cpu * 1000 / passed))
        collected.result = result
        _ = steps.post(.finished)
    }

    func timer(token: UInt64, on loop: EventLoop) {
        switch token {
        case Token.drained: finish()
        case Token.opening where phase == .opening:
            // A timer of the loop sees each terminal at least once before its patience has doubled.
            let limit = MonotonicClock.nanoseconds - Int64(options.timeoutSeconds * 1e9)
            for terminal in 0..<terminals.count
            where terminals.state[terminal] != .ready && terminals.state[terminal] != .closed
                && terminals.since[terminal] < limit
            {
                fail(terminal, because: "a terminal's connection or registration was not answered in time")
                loop.close(terminals.connection[terminal], reason: .requested(code: 0))
            }
            openMore(on: loop)
            if phase == .opening { _ = loop.schedule(afterMilliseconds: 100, token: Token.opening) }
        default: break
        }
    }
}

// MARK: Set-up

extension LoadGenerator {
    private func openMore(on loop: EventLoop) {
        while phase == .opening, nextToOpen < terminals.count, opening < options.opening {
            let terminal = nextToOpen
            nextToOpen += 1
            opening += 1
            terminals.state[terminal] = .connecting
            terminals.since[terminal] = MonotonicClock.nanoseconds
            do throws(ReactorError) {
                let connection = try loop.connect(
                    to: collected.target, from: options.source(of: firstTerminal + terminal), tag: UInt32(terminal))
                terminals.connection[terminal] = connection
                while terminalOfSlot.count <= connection.index { terminalOfSlot.append(-1) }
                terminalOfSlot[connection.index] = Int32(terminal)
            } catch {
                fail(terminal, because: error.description)
            }
        }
        guard phase == .opening, nextToOpen == terminals.count, opening == 0 else { return }
        phase = .waiting
        result.setUpMicroseconds = UInt64((MonotonicClock.nanoseconds - startNanoseconds) / 1000)
        collected.result = result
        _ = steps.post(.ready)
    }

    private func fail(_ terminal: Int, because reason: String) {
        terminals.state[terminal] = .closed
        opening -= 1
        result.failed += 1
        result.firstError = result.firstError ?? reason
    }

    /// Ends one step of a terminal's set-up and returns how long it took.
    private func step(_ terminal: Int, to state: LoadTerminals.State) -> UInt64 {
        let now = MonotonicClock.nanoseconds
        defer { if state != .authenticating { terminals.since[terminal] = now } }
        terminals.state[terminal] = state
        return UInt64(max(0, (now - terminals.since[terminal]) / 1000))
    }

    func opened(_ connection: Connection, from origin: ConnectionOrigin, on loop: EventLoop) {
        let terminal = Int(terminalOfSlot[connection.index])
        result.connect.record(step(terminal, to: options.registers ? .registering : .ready))
        result.connected += 1
        guard options.registers else {
            opening -= 1
            return openMore(on: loop)
        }
        let phone = LoadFrames.phone(options, firstTerminal + terminal)
        let registration = JT808Registration(
            province: 43, city: 100, maker: "YDT", model: "load", terminalID: String(phone.text.suffix(7)),
            edition: .v2013)
        send(.registration(registration), terminal, on: loop)
    }

    private func send(_ message: JT808Message, _ terminal: Int, on loop: EventLoop) {
        let phone = LoadFrames.phone(options, firstTerminal + terminal)
        for bytes in JT808Codec.encode(message, phone: phone, flowID: &terminals.flowID[terminal]) {
            loop.write(terminals.connection[terminal], bytes)
        }
    }

    func closed(_ connection: Connection, reason: CloseReason, on loop: EventLoop) {
        let terminal = Int(terminalOfSlot[connection.index])
        terminalOfSlot[connection.index] = -1
        guard terminal >= 0, terminals.connection[terminal] == connection else { return }
        switch terminals.state[terminal] {
        case .closed: break
        case .ready:
            terminals.state[terminal] = .closed
            if phase != .finished, reason != .stopping {
                result.closed += 1
                result.firstError = result.firstError ?? "connection closed: \(reason)"
            }
        case .connecting, .registering, .authenticating:
            fail(terminal, because: text(reason))
        }
        openMore(on: loop)
    }

    private func text(_ reason: CloseReason) -> String {
        switch reason {
        case .endOfInput: "the gateway closed a connection during the set-up"
        case .failed(let code): ReactorError(operation: "connect to \(collected.target)", code: code).description
        default: "a connection ended during the set-up: \(reason)"
        }
    }
}

// MARK: Answers

extension LoadGenerator {
    func received(_ connection: Connection, bytes: Span<UInt8>, on loop: EventLoop) -> Int {
        let terminal = Int(terminalOfSlot[connection.index])
        guard terminal >= 0 else { return bytes.count }
        var cursor = terminals.cursor[terminal]
        let now = MonotonicClock.nanoseconds - startNanoseconds
        while true {
            switch framer.next(in: bytes, at: &cursor) {
            case .needMore(let droppable):
                cursor.dropped(droppable)
                terminals.cursor[terminal] = cursor
                finishIfDrained()
                return droppable
            case .rejected:
                result.brokenFrames += 1
            case .frame(let run):
                do throws(DecodeError) {
                    let frame = try JT808Frame(checking: framer.contents(of: run, in: bytes))
                    guard frame.header.messageID == 0x8001, frame.body.count >= 5,
                        terminals.state[terminal] == .ready
                    else {
                        try other(JT808Codec.decode(frame), terminal, on: loop)
                        continue
                    }
                    let flowID = UInt16(frame.body[0]) << 8 | UInt16(frame.body[1])
                    acknowledged(terminal, flowID: flowID, code: frame.body[4], now: now)
                } catch {
                    result.brokenFrames += 1
                }
            }
        }
    }

    private func acknowledged(_ terminal: Int, flowID: UInt16, code: UInt8, now: Int64) {
        guard let report = terminals.answered(terminal, flowID: flowID) else { return }
        guard code == 0 || code == 4 else {
            result[isSOS: report.isSOS].refused += 1
            return
        }
        result[isSOS: report.isSOS].acknowledged += 1
        result[isSOS: report.isSOS].latency.record(UInt64(max(0, (now - report.due) / 1000)))
    }

    /// Everything that is not the answer to a report.
    private func other(_ packet: JT808Packet, _ terminal: Int, on loop: EventLoop) {
        switch packet.message {
        case .registrationReply(let reply) where terminals.state[terminal] == .registering:
            guard reply.result == 0 else {
                return refused(terminal, "a registration was refused with result \(reply.result)", on: loop)
            }
            _ = step(terminal, to: .authenticating)
            send(.authentication(JT808Authentication(authCode: reply.authCode ?? "")), terminal, on: loop)
        case .platformResponse(let answer)
        where terminals.state[terminal] == .authenticating && answer.messageID == 0x0102:
            guard answer.result == .ok else {
                return refused(
                    terminal, "an authentication was refused with result \(answer.result.rawValue)", on: loop)
            }
            result.registration.record(step(terminal, to: .ready))
            opening -= 1
            openMore(on: loop)
        case .platformResponse, .registrationReply, .mediaAcknowledgement: break
        case .queryLocation:
            result.commands += 1
            let location = JT808Location(
                basic: JT808BasicLocation(
                    status: 3, latitude: 28_235_567, longitude: 112_985_654, time: JT808Time(rawValue: 0)))
            let reply = JT808LocationReply(flowID: packet.header.flowID, location: location)
            send(.locationReply(reply), terminal, on: loop)
        default:
            result.commands += 1
            let answer = JT808Response(
                flowID: packet.header.flowID, messageID: packet.header.messageID, result: .ok)
            send(.terminalResponse(answer), terminal, on: loop)
        }
    }

    private func refused(_ terminal: Int, _ reason: String, on loop: EventLoop) {
        fail(terminal, because: reason)
        loop.close(terminals.connection[terminal], reason: .requested(code: 0))
        openMore(on: loop)
    }
}
