import TerminalModel
import TerminalProtocols

@testable import TerminalSession

/// An EV07B session with a pendant's hand on the other end: sends messages, reads answers, moves the clock.
final class EV07BHarness {
    static let imei = "999910000000029"
    static let terminal = TerminalID(imei)!

    let session: any TerminalSession
    let directory: TerminalDirectory
    var scratch = SessionScratch()
    var actions = SessionActions()
    var now = Moment(
        wall: Timestamp("2026-03-14T02:10:12Z") ?? Timestamp(milliseconds: 0), monotonicMilliseconds: 1_000)
    private var kept: [UInt8] = []

    init(
        known: KnownTerminal? = KnownTerminal(), policy: UnknownTerminalPolicy = .quarantine,
        limits: SessionLimits = SessionLimits(), model: ModelProfile = .standard
    ) {
        directory = TerminalDirectory(known.map { [Self.terminal: $0] } ?? [:])
        let environment = SessionEnvironment(
            directory: directory, unknownTerminals: policy, limits: limits, makeAuthCode: { "" }, digest: { _ in [] },
            modelProfile: { _ in model })
        session = TerminalSessions.make(.ev07b, environment: environment, bearer: .tcp, peer: "127.0.0.1:9", now: now)
    }

    /// Sends one message and returns what the session answered to it at once.
    @discardableResult
    func send(_ message: EV07BMessage, sequence: UInt16 = 1, properties: UInt8 = 0x10) -> [EV07BPacket] {
        receive(EV07BCodec.encode(message, header: EV07BHeader(properties: properties, sequence: sequence)))
    }

    /// What the pendant says to a frame of ours.
    @discardableResult
    func respond(_ result: EV07BResult, sequence: UInt16) -> [EV07BPacket] {
        send(.response(result), sequence: sequence, properties: 0)
    }

    @discardableResult
    func receive(_ bytes: [UInt8]) -> [EV07BPacket] {
        actions.clear()
        kept += bytes
        let used = session.receive(kept.span, now: now, scratch: &scratch, into: &actions)
        kept.removeFirst(used)
        return answers()
    }

    func resolve(_ request: UInt32, stored: Bool = true, isAlarm: Bool = false) -> [EV07BPacket] {
        actions.clear()
        session.resolve(request: request, stored: stored, isAlarm: isAlarm, now: now, into: &actions)
        return answers()
    }

    func command(_ command: TerminalCommand, id: Int64, expiresIn milliseconds: Int64 = 600_000) -> [EV07BPacket] {
        actions.clear()
        session.send(
            command, id: id, to: Self.terminal, expires: now.monotonicMilliseconds + milliseconds, now: now,
            into: &actions)
        return answers()
    }

    func wait(milliseconds: Int64) -> [EV07BPacket] {
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

    var identified: [TerminalID] {
        actions.requests.compactMap { request in
            if case .identified(let terminal) = request { terminal } else { nil }
        }
    }

    var left: [TerminalID] {
        actions.requests.compactMap { if case .left(let terminal) = $0 { terminal } else { nil } }
    }

    var unreadable: [DecodeError] {
        actions.requests.compactMap { request in
            if case .unreadable(_, let error) = request { error } else { nil }
        }
    }

    /// What stands in the session's output, read as the pendant would.
    private func answers() -> [EV07BPacket] {
        let framer = EV07BFramer()
        var cursor = EV07BFramer.Cursor()
        var found: [EV07BPacket] = []
        let output = actions.output
        while true {
            switch framer.next(in: output.span, at: &cursor) {
            case .frame(let range):
                guard let frame = try? EV07BFrame(checking: output.span.extracting(range)),
                    let packet = try? EV07BCodec.decode(frame)
                else { continue }
                found.append(packet)
            case .rejected: continue
            case .needMore: return found
            }
        }
    }
}

extension EV07BPacket {
    /// An answer of the platform as it should be.
    static func answer(_ message: EV07BMessage, _ sequence: UInt16) -> EV07BPacket {
        EV07BPacket(header: EV07BHeader(properties: 0, sequence: sequence), message: message)
    }
}

extension EV07BMessage {
    /// A report of Changsha with these alarm bits; `second` moves both times.
    static func report(alarms: UInt32 = 0, second: UInt32 = 0, imei: String? = EV07BHarness.imei) -> EV07BMessage {
        let time: UInt32 = 1_773_450_930 + second
        var blocks: [EV07BBlock] = []
        if let imei { blocks.append(EV07BBlock(key: EV07BKey.identity, EV07BIdentity(imei: imei))) }
        blocks.append(EV07BBlock(key: EV07BKey.status, EV07BStatus(time: time, bits: 0x53A2_0201)))
        if alarms != 0 { blocks.append(EV07BBlock(key: EV07BKey.alarm, EV07BAlarm(flags: alarms, time: time))) }
        blocks.append(
            EV07BBlock(
                key: EV07BKey.gps,
                EV07BGPS(latitude: 282_345_678, longitude: 1_129_876_543, hdop: 12, satellites: 8)))
        return EV07BMessage(.data, blocks)
    }

    static let sos: UInt32 = 1 << 12

    /// A service frame with these empty requests.
    static func services(_ keys: UInt8...) -> EV07BMessage {
        EV07BMessage(
            .services,
            [EV07BBlock(key: EV07BKey.identity, EV07BIdentity(imei: EV07BHarness.imei))]
                + keys.map { EV07BBlock(key: $0) })
    }
}
