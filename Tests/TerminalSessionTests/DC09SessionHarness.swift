import TerminalModel
import TerminalProtocols

@testable import TerminalSession

/// A session with a panel's hand on the other end: sends frames as text, reads answers, moves the clock.
final class DC09SessionHarness {
    let session: any TerminalSession
    let directory: TerminalDirectory
    var scratch = SessionScratch()
    var actions = SessionActions()
    var now = Moment(
        wall: Timestamp("2026-03-01T02:30:45Z") ?? Timestamp(milliseconds: 0), monotonicMilliseconds: 1_000)
    let terminal = TerminalID(nibbles: 0x100001)
    private var kept: [UInt8] = []

    /// Stands for AES where only the session counts.
    static let key = DC09Cipher(encrypt: { $0.map { $0 ^ 0xA5 } }, decrypt: { $0.map { $0 ^ 0xA5 } })
    static let otherKey = DC09Cipher(encrypt: { $0.map { $0 ^ 0x5A } }, decrypt: { $0.map { $0 ^ 0x5A } })

    init(
        known: KnownTerminal? = KnownTerminal(trustedByID: true), policy: UnknownTerminalPolicy = .quarantine,
        limits: SessionLimits = SessionLimits(), bearer: Bearer = .tcp, key: DC09Cipher? = nil
    ) {
        let terminal = terminal
        directory = TerminalDirectory(known.map { [terminal: $0] } ?? [:])
        let environment = SessionEnvironment(
            directory: directory, unknownTerminals: policy, limits: limits, makeAuthCode: { "" }, digest: { _ in [] },
            panelCipher: { $0 == terminal ? key : nil })
        session = TerminalSessions.make(.dc09, environment: environment, bearer: bearer, peer: "127.0.0.1:9", now: now)
    }

    /// A frame of the panel, stamped `seconds` from now; nil leaves the time out.
    func frame(
        _ data: String, name: String = "ADM-CID", sequence: Int = 1, seconds: Int64? = 0, account: String = "100001"
    ) -> [UInt8] {
        let number = String(repeating: "0", count: 4 - String(sequence).count) + String(sequence)
        return DC09Codec.framed(
            Array("\"\(name)\"\(number)L0#\(account)[\(data)]\(stamp(seconds))".utf8))
    }

    /// The same under a key.
    func sealed(_ data: String, sequence: Int = 1, seconds: Int64 = 0, key: DC09Cipher = key) -> [UInt8] {
        let header = DC09Header(.sia, isEncrypted: true, sequence: UInt16(sequence), account: "100001")
        let packet = DC09Packet(
            header, dataAccount: "#100001", message: .sia(DC09SIAData(data)),
            time: DC09Time(now.wall.adding(milliseconds: seconds * 1000)))
        return DC09Codec.encode(packet, cipher: key)
    }

    private func stamp(_ seconds: Int64?) -> String {
        guard let seconds else { return "" }
        return "_" + DC09Time(now.wall.adding(milliseconds: seconds * 1000)).text
    }

    func sos(sequence: Int = 1, seconds: Int64? = 0) -> [UInt8] {
        frame("#100001|1101 00 001", sequence: sequence, seconds: seconds)
    }

    /// Hands bytes over and returns what the session said at once.
    @discardableResult
    func receive(_ bytes: [UInt8]) -> String {
        actions.clear()
        kept += bytes
        let used = session.receive(kept.span, now: now, scratch: &scratch, into: &actions)
        kept.removeFirst(used)
        return said
    }

    func resolve(stored: Bool = true) -> String {
        let request = reports.first?.request ?? 0
        actions.clear()
        session.resolve(request: request, stored: stored, isAlarm: true, now: now, into: &actions)
        return said
    }

    func wait(milliseconds: Int64) {
        now.monotonicMilliseconds += milliseconds
        now.wall = now.wall.adding(milliseconds: milliseconds)
    }

    func text(_ content: String) -> String { String(decoding: DC09Codec.framed(Array(content.utf8)), as: UTF8.self) }

    var said: String { String(decoding: actions.output, as: UTF8.self) }

    var reports: [(report: InboundReport, request: UInt32?)] {
        actions.requests.compactMap { request in
            if case .report(let report, let number) = request { (report, number) } else { nil }
        }
    }

    var unreadable: Int {
        actions.requests.count { request in
            if case .unreadable = request { true } else { false }
        }
    }
}
