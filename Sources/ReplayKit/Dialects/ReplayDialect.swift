internal import TerminalModel
internal import TerminalProtocols

/// What an answer says it answers. What either side does not know, because the protocol has no such field, is left out of the
/// comparison.
struct AnswerKey: Sendable, Equatable {
    var terminal: TerminalID?
    /// The message that is answered, in the terminal's direction.
    var message: MessageName?
    /// The serial number of the message that is answered.
    var serial: UInt16?
    /// What else an answer repeats: the number of an upload, the time of a report.
    var subject: Int?

    func answers(_ awaited: AnswerKey) -> Bool {
        Self.agree(terminal, awaited.terminal) && Self.agree(message, awaited.message)
            && Self.agree(serial, awaited.serial) && Self.agree(subject, awaited.subject)
    }

    private static func agree<Value: Equatable>(_ left: Value?, _ right: Value?) -> Bool {
        guard let left, let right else { return true }
        return left == right
    }
}

/// What a frame of a terminal means to who plays it.
struct ReplayHead: Sendable, Equatable {
    /// A step of a login that a fresh one takes the place of.
    enum Step: Sendable {
        case registration, authentication, other
    }

    var terminal: TerminalID?
    var message: MessageName
    /// The sender's message counter, where the protocol has one.
    var serial: UInt16?
    var step = Step.other
    /// True where the bytes alone show that the platform sent them.
    var isFromPlatform = false
    /// What the answer will say; nil when the protocol foresees none.
    var awaited: AnswerKey?
}

/// What the platform says.
enum Heard {
    case answer(ReplayAnswer)
    /// A message that answers nothing, a command for one.
    case message(ReplayHead)
    /// A report of a terminal that comes back.
    case echo(ReplayHead)
    case broken(DecodeError)
}

/// One answer of the platform.
struct ReplayAnswer: Equatable {
    var key: AnswerKey
    /// The protocol's result code; 0 where answers carry none.
    var result = 0
    /// The platform has taken what it answers.
    var isTaken = true
    /// Several messages, the packages of an upload, have this one answer.
    var isShared = false
    /// What a registered terminal authenticates with.
    var code: String?
}

/// One protocol from the terminals' side: what their recorded frames are, and what the platform's mean to them.
///
/// One dialect serves the frames of one connection, line or peer in their order: who logged in is known from then on.
protocol ReplayDialect: AnyObject {
    var name: ProtocolName { get }

    /// The first good frame in `bytes`, nil when there is none.
    func head(of bytes: [UInt8]) -> ReplayHead?

    /// Reads everything complete of the platform's bytes; the rest is handed in again in front of what follows.
    ///
    /// - Returns: how many bytes are done with.
    func hear(_ bytes: Span<UInt8>, _ body: (Heard) -> Void) -> Int

    /// Terminals register for a code, which `authentication` gives back.
    var registers: Bool { get }

    /// A registration of the terminal that sent `frame`; nil where a terminal does not register.
    func registration(like frame: [UInt8], serial: UInt16) -> [UInt8]?

    /// What follows a registration that was taken.
    func authentication(like frame: [UInt8], code: String, serial: UInt16) -> [UInt8]?

    /// The frame as its terminal would send it now, where the platform refuses one that was sent long ago.
    func restamped(_ frame: [UInt8], now: Timestamp) -> [UInt8]
}

extension ReplayDialect {
    var registers: Bool { false }
    func registration(like frame: [UInt8], serial: UInt16) -> [UInt8]? { nil }
    func authentication(like frame: [UInt8], code: String, serial: UInt16) -> [UInt8]? { nil }
    func restamped(_ frame: [UInt8], now: Timestamp) -> [UInt8] { frame }
}

/// The protocols that can be played.
enum ReplayDialects {
    /// Sorted by name; adding one is one line here.
    private static let all: [(name: ProtocolName, make: @Sendable () -> any ReplayDialect)] = [
        (.dc09, { DC09ReplayDialect() }),
        (.ev07b, { EV07BReplayDialect() }),
        (.gt06, { GT06ReplayDialect() }),
        (.jt808, { JT808ReplayDialect() }),
        (.watch, { WatchReplayDialect() }),
    ]

    static var names: [ProtocolName] { all.map(\.name) }

    /// - Throws: `ReplayFailure` for a protocol that no dialect stands for yet.
    static func make(_ name: ProtocolName) throws(ReplayFailure) -> any ReplayDialect {
        if let found = all.first(where: { $0.name == name }) { return found.make() }
        throw ReplayFailure(
            .usage,
            "\(name.rawValue) cannot be played; protocols that can: \(names.map(\.rawValue).joined(separator: ", "))")
    }
}
