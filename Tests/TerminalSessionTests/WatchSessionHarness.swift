import TerminalModel
import TerminalProtocols

@testable import TerminalSession

/// A session with a watch's hand on the other end: sends frames as text, reads answers, moves the clock.
final class WatchSessionHarness {
    let session: any TerminalSession
    let directory: TerminalDirectory
    var scratch = SessionScratch()
    var actions = SessionActions()
    var now = Moment(
        wall: Timestamp("2026-03-14T01:16:02Z") ?? Timestamp(milliseconds: 0), monotonicMilliseconds: 1_000)
    let terminal: TerminalID
    private var kept: [UInt8] = []

    init(
        id: String = "1000000003", known: KnownTerminal? = KnownTerminal(trustedByID: true),
        policy: UnknownTerminalPolicy = .quarantine, limits: SessionLimits = SessionLimits(), bearer: Bearer = .tcp,
        model: ModelProfile = .standard
    ) {
        let terminal = TerminalID(id) ?? TerminalID(nibbles: 0)
        self.terminal = terminal
        directory = TerminalDirectory(known.map { [terminal: $0] } ?? [:])
        let environment = SessionEnvironment(
            directory: directory, unknownTerminals: policy, limits: limits, makeAuthCode: { "" }, digest: { _ in [] },
            modelProfile: { _ in model })
        session = TerminalSessions.make(.watch, environment: environment, bearer: bearer, peer: "127.0.0.1:9", now: now)
    }

    /// A frame of the watch `1000000003`.
    static func frame(_ content: String, maker: String = "3G", id: String = "1000000003", index: UInt16? = nil)
        -> String
    {
        let header = WatchHeader(
            maker: maker, id: WatchID(TerminalID(id) ?? TerminalID(nibbles: 0), digitCount: id.utf8.count), index: index
        )
        return String(decoding: WatchCodec.encode(content: Array(content.utf8), header: header), as: UTF8.self)
    }

    /// An alarm or position of Changsha.
    static func position(_ keyword: String, status: String = "00000000", second: Int = 0) -> String {
        let time = "0116" + (second < 10 ? "0\(second)" : "\(second)")
        return "\(keyword),140326,\(time),A,28.234567,N,112.987654,E,0.00,0.0,57.0,9,95,82,1521,3,\(status),0,0"
    }

    /// Sends one frame and returns what the session said at once.
    @discardableResult
    func send(_ content: String, maker: String = "3G", index: UInt16? = nil) -> String {
        receive(Self.frame(content, maker: maker, index: index))
    }

    @discardableResult
    func sos(second: Int = 0) -> String { send(Self.position("AL", status: "00010000", second: second)) }

    @discardableResult
    func receive(_ text: String) -> String { receive(Array(text.utf8)) }

    @discardableResult
    func receive(_ bytes: [UInt8]) -> String {
        actions.clear()
        kept += bytes
        let used = session.receive(kept.span, now: now, scratch: &scratch, into: &actions)
        kept.removeFirst(used)
        return said
    }

    func resolve(_ request: UInt32?, stored: Bool = true, isAlarm: Bool = false) -> String {
        actions.clear()
        session.resolve(request: request ?? 0, stored: stored, isAlarm: isAlarm, now: now, into: &actions)
        return said
    }

    func command(_ command: TerminalCommand, id: Int64, expiresIn milliseconds: Int64 = 3_600_000) -> String {
        actions.clear()
        session.send(
            command, id: id, to: terminal, expires: now.monotonicMilliseconds + milliseconds, now: now, into: &actions)
        return said
    }

    func wait(milliseconds: Int64) -> String {
        now.monotonicMilliseconds += milliseconds
        now.wall = now.wall.adding(milliseconds: milliseconds)
        actions.clear()
        session.timer(now: now, into: &actions)
        return said
    }

    private var said: String { String(decoding: actions.output, as: UTF8.self) }

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
}
