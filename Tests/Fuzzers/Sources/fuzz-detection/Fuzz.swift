import TerminalModel
import TerminalProtocols
import TerminalSession

/// Bytes on a port where every protocol may be spoken, in reads of a size that the first byte chooses; the second chooses what
/// happens between the reads.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let data, count > 2 else { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: data + 2, count: count - 2))
    let carrier = Carrier(bearer: data[0] & 1 == 0 ? .tcp : .udp)
    let piece = 1 << Int(data[0] >> 1 & 15)
    let pause: Int64 = data[1] & 1 == 0 ? 1 : 40_000
    let isStored = data[1] & 2 == 0
    for start in stride(from: 0, to: bytes.count, by: piece) {
        guard carrier.read(bytes[start..<min(bytes.count, start + piece)], isStored: isStored) else { return 0 }
        guard carrier.wait(milliseconds: pause) else { return 0 }
        if data[1] & 4 != 0 { carrier.restart() }
    }
    carrier.end()
    return 0
}

/// What a transport does for a session, and the promises that it relies on.
private final class Carrier {
    /// A carrier's own limit for bytes that a session does not take.
    private static let maximumKeptBytes = 1 << 20

    private static let environment = SessionEnvironment(
        directory: TerminalDirectory(), unknownTerminals: .accept, makeAuthCode: { "A1" }, digest: { Array($0.utf8) })

    private let session: any TerminalSession
    private var scratch = SessionScratch()
    private var actions = SessionActions()
    private var now = Moment(wall: Timestamp(seconds: 1_773_454_200), monotonicMilliseconds: 1_000)
    private var kept: [UInt8] = []
    private var command: Int64 = 0

    init(bearer: Bearer) {
        session = TerminalSessions.make(
            TerminalSessions.protocols, environment: Self.environment, bearer: bearer, peer: "127.0.0.1:1", now: now)
    }

    /// False when the session ended the connection.
    func read(_ bytes: ArraySlice<UInt8>, isStored: Bool) -> Bool {
        kept += bytes
        let used = session.receive(kept.span, now: now, scratch: &scratch, into: &actions)
        guard (0...kept.count).contains(used) else { fatalError("used \(used) of \(kept.count) bytes") }
        kept.removeFirst(used)
        guard kept.count <= Self.maximumKeptBytes else { fatalError("\(kept.count) bytes are kept") }
        return settle(isStored: isStored)
    }

    func wait(milliseconds: Int64) -> Bool {
        now.monotonicMilliseconds += milliseconds
        session.timer(now: now, into: &actions)
        return settle(isStored: true)
    }

    func restart() {
        session.restart()
        kept = []
    }

    func end() { session.end(into: &actions) }

    /// Answers what the session asked for, as long as answers lead to more.
    private func settle(isStored: Bool) -> Bool {
        var rounds = 0
        while !actions.requests.isEmpty, actions.close == nil {
            let requests = actions.requests
            actions.clear()
            for request in requests {
                switch request {
                case .report(let report, let number?):
                    let isAlarm = !report.event.alarms.isEmpty
                    session.resolve(request: number, stored: isStored, isAlarm: isAlarm, now: now, into: &actions)
                case .register(_, let number):
                    session.resolve(request: number, stored: isStored, isAlarm: false, now: now, into: &actions)
                case .identified(let terminal):
                    command += 1
                    session.send(
                        .locate, id: command, to: terminal, expires: .max, now: now, into: &actions)
                default: break
                }
            }
            rounds += 1
            guard rounds < 100 else { fatalError("requests without end") }
        }
        let isOpen = actions.close == nil
        actions.clear()
        return isOpen
    }
}
