public import TerminalModel

/// Facts of SIA DC-09, by which alarm panels report over networks and serial lines, and of the Contact ID lines of 16 digits that
/// older ones send.
///
/// Source: the project's document of escalation interfaces, section 1; section numbers in this folder are those of it. There the
/// gateway is the sender, here it is the receiver: the frames are the same.
public enum DC09 {
    public static let protocolName = ProtocolName.dc09

    /// LF stands before a frame (section 1.1).
    @inlinable public static var lineFeed: UInt8 { 0x0A }
    /// CR ends a frame (section 1.1).
    @inlinable public static var carriageReturn: UInt8 { 0x0D }
    /// DC4, by which some receivers end a line of 16 digits on a serial port.
    @inlinable public static var deviceControl4: UInt8 { 0x14 }
    /// The byte that confirms a line of 16 digits: ACK of ASCII.
    public static let lineAcknowledgement: UInt8 = 0x06

    /// Four digits of the CRC and four of the length (section 1.1).
    static let prefixByteCount = 8
    /// The length has three hexadecimal digits (section 1.1).
    public static let maximumContentBytes = 0xFFF
    /// LF, CRC and length, what the length counts, and CR.
    public static let maximumFrameBytes = 1 + prefixByteCount + maximumContentBytes + 1
    /// A Contact ID line (section 1.4).
    static let lineByteCount = 16
    /// AES works on blocks of this size, and the padding makes whole ones (section 1.3).
    public static let blockByteCount = 16
    /// 9999 is followed by 0001; 0000 belongs to `NULL` and `NAK` (section 1.1).
    public static let maximumSequence: UInt16 = 9999

    /// A frame may be stamped this much later than the receiver's clock shows (section 1.7).
    public static let maximumAheadMilliseconds: Int64 = 20_000
    /// And this much earlier (section 1.7).
    public static let maximumBehindMilliseconds: Int64 = 40_000
    /// An event that happened this long before its frame was stamped had been stored.
    static let storedMilliseconds: Int64 = 60_000
    /// A claim further ahead than this is a wrong clock.
    static let maximumFutureMilliseconds: Int64 = 86_400_000
}

/// What is known of one panel beside its bytes. Times are UTC (section 1.1), so that no offset belongs to a panel.
public struct DC09Profile: Sendable, Equatable {
    /// What the panel's codes mean.
    public var alarms: DC09Alarms

    public init(alarms: DC09Alarms = .standard) {
        self.alarms = alarms
    }

    /// The profile of a panel of this model.
    public init(_ model: ModelProfile) {
        alarms = DC09Alarms(overrides: model.alarmCodes)
    }

    public static let standard = DC09Profile()
}

/// AES in CBC mode under the key of one account; whoever holds keys makes one, since nothing here knows cryptography.
///
/// Both directions take whole blocks of 16 bytes, begin with an IV of zeros and pad nothing (section 1.3).
public struct DC09Cipher: Sendable {
    public let encrypt: @Sendable ([UInt8]) -> [UInt8]
    public let decrypt: @Sendable ([UInt8]) -> [UInt8]

    public init(
        encrypt: @escaping @Sendable ([UInt8]) -> [UInt8], decrypt: @escaping @Sendable ([UInt8]) -> [UInt8]
    ) {
        self.encrypt = encrypt
        self.decrypt = decrypt
    }
}
