public import TerminalModel

/// Facts of GT06, the protocol of Concox, Jimi and the many terminals made like theirs, and of the look-alike family that
/// uses the same markers without serial and CRC.
///
/// Source: the vendor's manuals of several models; section numbers in this folder are those of the project's protocol
/// document.
public enum GT06 {
    public static let protocolName = ProtocolName.gt06

    /// Twice this byte starts a frame with a length of one byte (section 2).
    @inlinable public static var shortMarker: UInt8 { 0x78 }
    /// Twice this byte starts a frame with a length of two bytes (section 2).
    @inlinable public static var longMarker: UInt8 { 0x79 }
    /// Number, serial and CRC: a smaller length is none (section 2).
    @inlinable public static var minimumLength: Int { 5 }
    /// A frame in the long form that declares more is a false start (section 2).
    @inlinable public static var maximumLength: Int { 8192 }
    /// Marker, length, number, serial, CRC and 0D 0A of a frame in the short form.
    @inlinable public static var minimumFrameBytes: Int { 10 }
    /// The longest frame; a receiver needs no larger buffer.
    @inlinable public static var maximumFrameBytes: Int { maximumLength + 6 }
    /// How far from its start the end of a frame with a wrong length is searched (section 2).
    @inlinable public static var repairBytes: Int { 300 }
    /// The largest content that the length of the short form can state.
    public static let maximumShortContentBytes = 250
    /// The largest content of the long form.
    public static let maximumLongContentBytes = maximumLength - minimumLength
    /// A device time this close to the receive time shows in which zone it is meant (section 5.1).
    public static let zoneToleranceMilliseconds: Int64 = 15 * 60_000
}

/// Which envelope a frame has (sections 2 and 7.14).
public enum GT06Form: UInt8, Sendable, CaseIterable {
    /// 78 78, length of one byte.
    case short
    /// 79 79, length of two bytes.
    case long
    /// 78 78 without serial and CRC.
    case lookAlike

    /// The name in the fields of a decoded frame.
    public var name: String {
        switch self {
        case .short: "7878"
        case .long: "7979"
        case .lookAlike: "look-alike"
        }
    }
}

/// What is known of one terminal beside its bytes; the defaults suit a terminal of which nothing is known.
public struct GT06Profile: Sendable, Equatable {
    /// Minutes east of UTC in which the terminal may state its time where its login does not tell; its first report shows
    /// whether it does (section 5.1).
    public var utcOffsetMinutes: Int
    /// What the terminal's alarm codes mean.
    public var alarms: GT06Alarms
    /// How the terminal is asked for things.
    public var commands: GT06CommandTexts

    public init(
        utcOffsetMinutes: Int = 0, alarms: GT06Alarms = .standard, commands: GT06CommandTexts = .standard
    ) {
        self.utcOffsetMinutes = utcOffsetMinutes
        self.alarms = alarms
        self.commands = commands
    }

    /// The profile of a terminal of this model.
    public init(_ model: ModelProfile, utcOffsetMinutes: Int) {
        self.init(
            utcOffsetMinutes: utcOffsetMinutes, alarms: GT06Alarms(overrides: model.alarmCodes),
            commands: GT06CommandTexts(overrides: model.commandTexts))
    }

    public static let standard = GT06Profile()
}
