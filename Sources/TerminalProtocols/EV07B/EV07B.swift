public import TerminalModel

/// Facts of the binary protocol of the Eview EV-07B pendant and its relatives.
///
/// Source: the project's protocol document; section numbers in this folder are those of it.
public enum EV07B {
    public static let protocolName = ProtocolName.ev07b

    /// Starts every frame (section 2).
    @inlinable public static var marker: UInt8 { 0xAB }
    /// Starts an encrypted envelope, which cannot be read without the key of the device (section 2).
    public static let encryptedMarker: UInt8 = 0xA5
    /// Marker, properties, length, checksum and sequence (section 2).
    @inlinable public static var headerByteCount: Int { 8 }
    /// The largest body seen has 1,370 bytes; more than this is not waited for (section 2).
    @inlinable public static var maximumBodyBytes: Int { 4096 }
    /// Commands ask for an answer (section 5).
    public static let commandProperties: UInt8 = 0x10
    /// A frame that has begun and is not continued for this long was none (section 2).
    public static let silenceMilliseconds: Int64 = 2_000
    /// Clocks that were never set count from 2010-01-01 or from 1970, and no device is older than this (section 12).
    static let earliestSetClock: UInt32 = 1_293_840_000
    /// A record older than this states the time of a wrong clock (section 12).
    static let maximumAgeMilliseconds: Int64 = 366 * 86_400_000
    /// So does one further ahead (section 12).
    static let maximumFutureMilliseconds: Int64 = 86_400_000
    /// Coordinates are ten-millionths of a degree (section 9).
    static let degreeScale = 10_000_000.0
}

/// What is known of one terminal beside its bytes; the defaults suit a terminal of which nothing is known.
///
/// Times are UTC whatever the clock on the wall shows (section 1), so that no offset belongs to a terminal.
public struct EV07BProfile: Sendable, Equatable {
    /// What the terminal's alarm bits mean.
    public var alarms: EV07BAlarms

    public init(alarms: EV07BAlarms = .standard) {
        self.alarms = alarms
    }

    /// The profile of a terminal of this model.
    public init(_ model: ModelProfile) {
        alarms = EV07BAlarms(overrides: model.alarmCodes)
    }

    public static let standard = EV07BProfile()
}
