public import Reactor
public import TerminalModel

/// How a recording is played.
public struct SendOptions: Sendable {
    public enum Target: Sendable {
        /// One connection for each terminal in the recording, or for each recorded session.
        case tcp(NetworkTarget)
        /// One socket for each terminal in the recording, or for each recorded session.
        case udp(NetworkTarget)
        /// One line for all terminals in the recording.
        case serial(SerialOptions)
    }

    public enum Speed: Sendable, Equatable {
        /// The recorded times, this many times as fast.
        case recorded(Double)
        /// Each terminal sends its next frame when the one before it was answered or given up.
        case acknowledged
    }

    public var target: Target
    public var speed: Speed
    /// How long a frame waits for its answer.
    public var timeoutMilliseconds: Int64
    /// Registers and authenticates each terminal first, with the code that the platform hands out; only JT/T 808 knows this.
    public var registers: Bool
    /// Nil tells the protocol by the bytes.
    public var protocolName: ProtocolName?

    public init(
        target: Target, speed: Speed = .recorded(1), timeoutMilliseconds: Int64 = 5000, registers: Bool = false,
        protocolName: ProtocolName? = nil
    ) {
        self.target = target
        self.speed = speed
        self.timeoutMilliseconds = timeoutMilliseconds
        self.registers = registers
        self.protocolName = protocolName
    }
}

/// What became of one frame.
public struct SendOutcome: Sendable {
    public enum Result: Sendable, Equatable {
        /// Answered after this time, with this result code (0 for answers that carry none).
        case acknowledged(nanoseconds: Int64, result: Int)
        /// Answered after this time, but not with a yes.
        case refused(nanoseconds: Int64, result: Int)
        /// Sent; the protocol foresees no answer.
        case needsNoAnswer
        case notAcknowledged(String)
        case notSent(String)
    }

    /// `file:line`, or what the tool itself sent.
    public let source: String
    /// Nil for a broken frame.
    public let message: String?
    public let terminal: String?
    public let serial: Int?
    public let result: Result

    /// True when the platform has taken the frame, or need not say so.
    public var isGood: Bool {
        switch result {
        case .acknowledged, .needsNoAnswer: true
        case .refused, .notAcknowledged, .notSent: false
        }
    }

    /// One line for people.
    public var text: String {
        let name = "\(source)  \(message ?? "broken")  \(terminal ?? "-")  serial \(serial.map(String.init) ?? "-")  "
        switch result {
        case .acknowledged(let time, let code):
            return name + "acknowledged  \(Decimal.milliseconds(nanoseconds: time)) ms  result \(code)"
        case .refused(let time, let code):
            return name + "refused  \(Decimal.milliseconds(nanoseconds: time)) ms  result \(code)"
        case .needsNoAnswer: return name + "sent, needs no answer"
        case .notAcknowledged(let reason): return name + "not acknowledged: \(reason)"
        case .notSent(let reason): return name + "not sent: \(reason)"
        }
    }
}

/// Numbers with a fixed count of decimals, without the help of a formatter.
enum Decimal {
    static func text(_ value: Double, decimals: Int) -> String {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let units = Int((abs(value) * scale).rounded())
        let fraction = String(units % Int(scale))
        let sign = value < 0 && units > 0 ? "-" : ""
        guard decimals > 0 else { return "\(sign)\(units)" }
        return "\(sign)\(units / Int(scale))." + String(repeating: "0", count: decimals - fraction.count) + fraction
    }

    static func milliseconds(nanoseconds: Int64) -> String {
        text(Double(nanoseconds) / 1_000_000, decimals: 3)
    }
}
