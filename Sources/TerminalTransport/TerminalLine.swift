public import Reactor
public import TerminalModel

/// A serial line on which terminals speak.
public struct TerminalLine: Sendable, Equatable {
    public var options: SerialOptions
    /// As those of a listener.
    public var protocols: [ProtocolName]
    /// Rates that are tried in turn, from `options.baud` on, until a good frame comes; empty: that one alone.
    public var bauds: [Int]
    /// The terminals on this line stand beside the gateway: without a position of their own they are where it is.
    public var isBesideGateway: Bool
    /// The raw bytes of this line are recorded, where `TransportConfiguration.capture` says.
    public var isCaptured: Bool

    public init(
        options: SerialOptions, protocols: [ProtocolName], bauds: [Int] = [], isBesideGateway: Bool = false,
        isCaptured: Bool = false
    ) {
        self.options = options
        self.protocols = protocols
        self.bauds = bauds
        self.isBesideGateway = isBesideGateway
        self.isCaptured = isCaptured
    }
}

/// What happens on a serial line, told on a loop's thread: whoever listens must not block.
public enum TerminalLineEvent: Sendable, Equatable {
    case opened
    /// Not open; tried again after a pause that is bounded.
    case waiting(SerialLineFault)
    /// A good frame came; told at most once a second for each line.
    case heard(baud: Int)
    case closed
}

/// What is asked of the loop that has the serial lines.
enum LineOrder: Sendable {
    case open(UInt32, TerminalLine)
    case close(UInt32)
    case retry(UInt32)
}

/// What a loop keeps of a serial line: whether frames come, and which rate to try next when only noise does.
struct LineListening {
    /// Noise for so long, or of so many bytes, means the wrong rate. A frame takes far less at any rate.
    static let noiseMilliseconds: Int64 = 2_000
    static let noiseBytes = 1_024
    static let heardIntervalMilliseconds: Int64 = 1_000

    let line: TerminalLine
    private(set) var baud: Int
    private var isDecided = false
    private var noiseSince: Int64?
    private var noise = 0
    private var toldAt: Int64?

    init(_ line: TerminalLine) {
        self.line = line
        baud = line.options.baud
    }

    enum Conclusion: Equatable {
        case nothing
        /// Frames come, which is to be told.
        case heard
        case tryBaud(Int)
    }

    /// The line is open, perhaps to another device than before.
    mutating func opened() {
        isDecided = false
        toldAt = nil
        quiet()
    }

    /// `bytes` came, and `frames` good frames in them.
    mutating func received(bytes: Int, frames: Int, now: Int64) -> Conclusion {
        if frames > 0 {
            isDecided = true
            if let toldAt, now - toldAt < Self.heardIntervalMilliseconds { return .nothing }
            toldAt = now
            return .heard
        }
        guard !isDecided, line.bauds.count > 1 else { return .nothing }
        noise += bytes
        let since = noiseSince ?? now
        noiseSince = since
        guard now - since >= Self.noiseMilliseconds || noise >= Self.noiseBytes else { return .nothing }
        let place = line.bauds.firstIndex(of: baud).map { $0 + 1 } ?? 0
        baud = line.bauds[place % line.bauds.count]
        quiet()
        return .tryBaud(baud)
    }

    private mutating func quiet() {
        noiseSince = nil
        noise = 0
    }
}
