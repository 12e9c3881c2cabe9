public import TerminalModel

/// One position of a terminal as it is kept in the track files.
public struct TrackPoint: Sendable, Equatable {
    public var terminal: TerminalID
    /// When the gateway received it; orders the track (promise P8).
    public var received: Timestamp
    /// What the terminal's clock claimed.
    public var deviceTime: Timestamp?
    public var sequence: Int?
    /// It was stored on the terminal before it was sent.
    public var historical: Bool
    public var position: Position
    public var alarms: AlarmSet
    public var batteryPercent: Int?

    public init(
        terminal: TerminalID, received: Timestamp, deviceTime: Timestamp?, sequence: Int?, historical: Bool,
        position: Position, alarms: AlarmSet = [], batteryPercent: Int? = nil
    ) {
        self.terminal = terminal
        self.received = received
        self.deviceTime = deviceTime
        self.sequence = sequence
        self.historical = historical
        self.position = position
        self.alarms = alarms
        self.batteryPercent = batteryPercent
    }

    /// nil when the event carries no position.
    public init?(_ event: TerminalEvent, received: Timestamp) {
        guard let position = event.position else { return nil }
        self.init(
            terminal: event.terminal, received: received, deviceTime: event.deviceTime, sequence: event.sequence,
            historical: event.historical, position: position, alarms: event.alarms,
            batteryPercent: event.batteryPercent)
    }
}

/// A UTC day as it stands in a file name: `20260314`.
public struct TrackDay: Hashable, Sendable, Comparable, CustomStringConvertible {
    static let milliseconds: Int64 = 86_400_000

    /// Days since 1970-01-01.
    public let number: Int64

    public init(_ time: Timestamp) {
        let whole = time.milliseconds / Self.milliseconds
        number = time.milliseconds % Self.milliseconds < 0 ? whole - 1 : whole
    }

    /// Reads `YYYYMMDD`; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let digits = Array(text.utf8)
        guard digits.count == 8, digits.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int(text),
            let time = Timestamp(
                year: value / 10_000, month: value / 100 % 100, day: value % 100, hour: 0, minute: 0, second: 0)
        else { return nil }
        self.init(time)
    }

    func contains(_ time: Timestamp) -> Bool {
        time.milliseconds >= number * Self.milliseconds && time.milliseconds < (number + 1) * Self.milliseconds
    }

    public var start: Timestamp { Timestamp(milliseconds: number * Self.milliseconds) }

    public static func < (left: TrackDay, right: TrackDay) -> Bool { left.number < right.number }

    public var description: String {
        String(start.description.prefix(10).filter { $0 != "-" })
    }
}

extension TerminalID {
    /// The digits as bytes, most significant first, without leading zero bytes; at least one byte.
    func withKeyBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        var bigEndian = nibbles.bigEndian
        let length = max(1, (UInt128.bitWidth - nibbles.leadingZeroBitCount + 7) / 8)
        return try withUnsafeBytes(of: &bigEndian) { try body(UnsafeRawBufferPointer(rebasing: $0.suffix(length))) }
    }

    init(keyBytes: UnsafeRawBufferPointer) {
        self.init(nibbles: keyBytes.reduce(0 as UInt128) { $0 << 8 | UInt128($1) })
    }
}
