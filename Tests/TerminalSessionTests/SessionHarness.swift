import Synchronization
import TerminalModel
import TerminalProtocols

@testable import TerminalSession

/// A session with a terminal's hand on the other end: sends messages, reads answers, moves the clock.
final class SessionHarness {
    let session: any TerminalSession
    let directory: TerminalDirectory
    var scratch = SessionScratch()
    var actions = SessionActions()
    var now = Moment(
        wall: Timestamp("2026-03-14T02:10:12Z") ?? Timestamp(milliseconds: 0), monotonicMilliseconds: 1_000)
    var phone: JT808Phone
    private var flowID: UInt16 = 0
    private var kept: [UInt8] = []

    init(
        phone: String = "017700000101", known: KnownTerminal? = KnownTerminal(),
        policy: UnknownTerminalPolicy = .quarantine, limits: SessionLimits = SessionLimits()
    ) {
        let terminal = TerminalID(phone) ?? TerminalID(nibbles: 0)
        self.phone = JT808Phone(terminal, isLong: phone.count == 20)
        self.directory = TerminalDirectory(known.map { [terminal: $0] } ?? [:])
        let codes = Counter()
        let environment = SessionEnvironment(
            directory: directory, unknownTerminals: policy, limits: limits,
            makeAuthCode: { "CODE-\(codes.next())" }, digest: { Array("digest:\($0)".utf8) })
        session = TerminalSessions.make(.jt808, environment: environment, bearer: .tcp, peer: "127.0.0.1:9", now: now)
    }

    var terminal: TerminalID { phone.terminal }

    /// Sends one message and returns what the session answered to it at once.
    @discardableResult
    func send(_ message: JT808Message, flowID given: UInt16? = nil) -> [JT808Message] {
        if let given { flowID = given }
        return receive(JT808Codec.encode(message, phone: phone, flowID: &flowID).flatMap { $0 })
    }

    @discardableResult
    func receive(_ bytes: [UInt8]) -> [JT808Message] {
        actions.clear()
        kept += bytes
        let used = session.receive(kept.span, now: now, scratch: &scratch, into: &actions)
        kept.removeFirst(used)
        return answers()
    }

    func resolve(_ request: UInt32, stored: Bool = true, isAlarm: Bool = false) -> [JT808Message] {
        actions.clear()
        session.resolve(request: request, stored: stored, isAlarm: isAlarm, now: now, into: &actions)
        return answers()
    }

    func command(_ command: TerminalCommand, id: Int64, expiresIn milliseconds: Int64 = 600_000) -> [JT808Message] {
        actions.clear()
        session.send(
            command, id: id, to: terminal, expires: now.monotonicMilliseconds + milliseconds, now: now, into: &actions)
        return answers()
    }

    func wait(milliseconds: Int64) -> [JT808Message] {
        now.monotonicMilliseconds += milliseconds
        now.wall = now.wall.adding(milliseconds: milliseconds)
        actions.clear()
        session.timer(now: now, into: &actions)
        return answers()
    }

    var reports: [(report: InboundReport, request: UInt32?)] {
        actions.requests.compactMap { request in
            if case .report(let report, let number) = request { (report, number) } else { nil }
        }
    }

    var outcomes: [CommandOutcome] {
        actions.requests.compactMap { request in
            if case .command(_, let outcome) = request { outcome } else { nil }
        }
    }

    var registrationRequest: UInt32? {
        actions.requests.lazy.compactMap { request in
            if case .register(_, let number) = request { number } else { nil }
        }.first
    }

    /// What stands in the session's output, read as the terminal would.
    private func answers() -> [JT808Message] {
        var framer = JT808Framer()
        var cursor = JT808Framer.Cursor()
        var found: [JT808Message] = []
        let output = actions.output
        while true {
            switch framer.next(in: output.span, at: &cursor) {
            case .frame(let run):
                guard let frame = try? JT808Frame(checking: framer.contents(of: run, in: output.span)),
                    let packet = try? JT808Codec.decode(frame)
                else { continue }
                found.append(packet.message)
            case .rejected: continue
            case .needMore: return found
            }
        }
    }

    private final class Counter: Sendable {
        private let value = Mutex(0)
        func next() -> Int {
            value.withLock { value in
                value += 1
                return value
            }
        }
    }
}

extension JT808Message {
    /// A location of Changsha with these alarm bits.
    static func position(alarms: UInt32 = 0, second: Int64 = 0) -> JT808Message {
        let time = Timestamp(seconds: 1_773_454_200 + second)
        return .location(
            JT808Location(
                basic: JT808BasicLocation(
                    alarmFlags: alarms, status: JT808Status.fixed, latitude: 28_234_567, longitude: 112_987_654,
                    altitude: 57, speed: 0, direction: 0, time: JT808Time(time, utcOffsetMinutes: 480))))
    }
}
