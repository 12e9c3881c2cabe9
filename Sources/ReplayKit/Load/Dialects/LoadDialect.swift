internal import TerminalModel

/// What a simulated terminal hears from the gateway.
enum LoadAnswer: Equatable {
    /// The message with this serial number was taken.
    case taken(serial: UInt16)
    /// The message with this serial number was answered, but not with a yes.
    case refused(serial: UInt16, result: Int)
    /// The login goes on with `makeAuthentication` and this code.
    case challenge(code: String)
    /// Something that the platform asks for; `makeReply` answers it.
    case command
    /// A frame that cannot be read.
    case broken
}

/// One protocol as its terminals speak it: makes what they send and reads what they hear.
///
/// One dialect serves all terminals of an event loop. A message carries a serial number of 16 bits, and its answer names it.
/// Frames are made in `wire` without touching the heap, because the generator must cost less than what it measures.
protocol LoadDialect: AnyObject {
    /// The frame that was made last, ready for the wire.
    var wire: [UInt8] { get }

    /// Terminals say who they are before their first report.
    var logsIn: Bool { get }

    /// Answers carry the terminal's number, so that many terminals can share a socket.
    var namesTerminals: Bool { get }

    /// The serial numbers that a terminal counts through, the first again behind the last.
    var serials: ClosedRange<UInt16> { get }

    /// Puts the terminals' clock to this time, milliseconds since 1970.
    func setTime(wallMilliseconds: Int64)

    /// Makes the first message of a login.
    func makeLogin(terminal: UInt64, serial: UInt16)

    /// Makes the message of a login that follows a challenge.
    func makeAuthentication(terminal: UInt64, serial: UInt16, code: String)

    /// Makes a report with a position.
    func makeReport(terminal: UInt64, serial: UInt16, isSOS: Bool)

    /// Makes the answer to the command that `read` found last.
    func makeReply(terminal: UInt64, serial: UInt16)

    /// Reads what the platform says, the commands that `makeReply` answers too.
    var ear: any ReplayDialect { get }
}

extension LoadDialect {
    var serials: ClosedRange<UInt16> { 0...UInt16.max }

    /// Reads everything complete in `bytes`; the rest is handed in again in front of what follows.
    ///
    /// - Parameter body: gets each answer, with the number of its terminal where the protocol names it.
    /// - Returns: how many bytes are done with.
    func read(_ bytes: Span<UInt8>, _ body: (_ terminal: UInt64?, _ answer: LoadAnswer) -> Void) -> Int {
        ear.hear(bytes) { heard in
            switch heard {
            case .answer(let answer): body(LoadDialects.number(answer.key.terminal), LoadAnswer(answer))
            case .message(let head): body(LoadDialects.number(head.terminal), .command)
            // Only the bare echo of the benchmarks sends a report back.
            case .echo(let head): body(LoadDialects.number(head.terminal), .taken(serial: head.serial ?? 0))
            case .broken: body(nil, .broken)
            }
        }
    }
}

extension LoadAnswer {
    fileprivate init(_ answer: ReplayAnswer) {
        let serial = answer.key.serial ?? 0
        guard answer.isTaken else {
            self = .refused(serial: serial, result: answer.result)
            return
        }
        self = answer.code.map { .challenge(code: $0) } ?? .taken(serial: serial)
    }
}

/// The protocols that can be spoken.
enum LoadDialects {
    /// Sorted by name; adding one is one line here.
    private static let all: [(name: ProtocolName, make: @Sendable () -> any LoadDialect)] = [
        (.dc09, { DC09Dialect() }),
        (.ev07b, { EV07BDialect() }),
        (.gt06, { GT06Dialect() }),
        (.jt808, { JT808Dialect() }),
        (.watch, { WatchDialect() }),
    ]

    static var names: [ProtocolName] { all.map(\.name) }

    /// - Throws: `ReplayFailure` for a protocol that no dialect stands for yet.
    static func make(_ name: ProtocolName) throws(ReplayFailure) -> any LoadDialect {
        if let found = all.first(where: { $0.name == name }) { return found.make() }
        throw ReplayFailure(
            .usage, "--protocol \(name.rawValue): terminals can speak \(names.map(\.rawValue).joined(separator: ", "))")
    }

    /// Packs the decimal digits of a number into half bytes, the last digit lowest.
    static func nibbles(_ number: UInt64) -> UInt64 {
        var rest = number
        var nibbles: UInt64 = 0
        for digit in 0..<16 {
            nibbles |= (rest % 10) << UInt64(digit * 4)
            rest /= 10
        }
        return nibbles
    }

    fileprivate static func number(_ terminal: TerminalID?) -> UInt64? {
        terminal.flatMap { number(nibbles: UInt64(truncatingIfNeeded: $0.nibbles)) }
    }

    /// The inverse of `nibbles`; nil when a half byte is no digit.
    static func number(nibbles: UInt64) -> UInt64? {
        var number: UInt64 = 0
        for digit in (0..<16).reversed() {
            let value = nibbles >> UInt64(digit * 4) & 15
            guard value < 10 else { return nil }
            number = number * 10 + value
        }
        return number
    }
}
