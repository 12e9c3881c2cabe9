public import TerminalModel

/// Facts of JT/T 808, editions 2011, 2013 and 2019.
///
/// Source: JT/T 808-2011, -2013 and -2019; section numbers in this folder are those of the project's protocol document.
public enum JT808 {
    public static let protocolName = ProtocolName.jt808

    /// Ends and starts every frame (section 2).
    @inlinable public static var flag: UInt8 { 0x7E }
    /// Announces an escaped byte (section 2).
    @inlinable public static var escape: UInt8 { 0x7D }
    /// A 12-byte header and the check code (section 2).
    @inlinable public static var minimumRunBytes: Int { 13 }
    /// A longer run of bytes between two flags is given up: the longest legal one has 2,090 bytes (section 2).
    @inlinable public static var maximumRunBytes: Int { 4096 }
    /// Strays of up to this length between flags, such as CR LF, are not worth an error (section 2).
    public static let maximumSilentRunBytes = 3
    /// The body length has ten bits (section 4).
    public static let maximumBodyBytes = 1023
    /// Devices without a setting state their time in China standard time, minutes east of UTC (section 5).
    public static let standardUTCOffsetMinutes = 480
}

/// The edition of the standard that a message is laid out in.
public enum JT808Edition: UInt16, Sendable, CaseIterable, Comparable {
    case v2011 = 2011
    case v2013 = 2013
    case v2019 = 2019

    public static func < (left: JT808Edition, right: JT808Edition) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// What is known of one terminal beside its bytes; the defaults suit a terminal of which nothing is known.
public struct JT808Profile: Sendable, Equatable {
    /// What the terminal's alarm bits mean.
    public var alarms: JT808Alarms
    /// The edition of a terminal with the 12-byte header; nil tells 2011 from 2013 by the length of its bodies.
    public var edition: JT808Edition?
    /// Minutes east of UTC in which the terminal states its time.
    public var utcOffsetMinutes: Int

    public init(
        edition: JT808Edition? = nil, utcOffsetMinutes: Int = JT808.standardUTCOffsetMinutes,
        alarms: JT808Alarms = .standard
    ) {
        self.edition = edition
        self.utcOffsetMinutes = utcOffsetMinutes
        self.alarms = alarms
    }

    /// The profile of a terminal of this model whose clock runs `utcOffsetMinutes` east of UTC.
    public init(_ model: ModelProfile, utcOffsetMinutes: Int) {
        self.init(
            edition: model.edition.flatMap { JT808Edition(rawValue: UInt16(clamping: $0)) },
            utcOffsetMinutes: utcOffsetMinutes, alarms: JT808Alarms(model))
    }

    public static let standard = JT808Profile()
}
