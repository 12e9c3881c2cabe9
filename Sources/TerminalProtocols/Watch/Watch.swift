public import TerminalModel

/// Facts of the bracket protocol of children's and elders' watches (3G, SG, CS, ZJ and other maker codes).
///
/// Source: section numbers in this folder are those of the project's protocol document.
public enum Watch {
    public static let protocolName = ProtocolName.watch

    /// `[` starts every frame (section 2).
    @inlinable public static var open: UInt8 { 0x5B }
    /// `]` ends every frame; network names contain it too (section 2).
    @inlinable public static var close: UInt8 { 0x5D }
    /// `*` stands between the parts of the header (section 2).
    @inlinable public static var separator: UInt8 { 0x2A }
    /// `,` stands between the fields of the content (section 2).
    @inlinable public static var comma: UInt8 { 0x2C }
    /// `}` announces an escaped byte in voice and pictures (section 3).
    @inlinable public static var escape: UInt8 { 0x7D }

    /// Ten digits of an IMEI or all fifteen; some firmware writes other numbers of digits (section 2).
    @inlinable public static var idDigits: ClosedRange<Int> { 8...20 }
    /// Four hexadecimal digits declare the length (section 2).
    @inlinable public static var maximumContentBytes: Int { 0xFFFF }
    /// `[`, maker 2, id 20, index 4, length 4 and four `*` (section 2).
    @inlinable public static var maximumHeaderBytes: Int { 35 }
    /// A frame whose end has not come after this many bytes is given up.
    @inlinable public static var maximumFrameBytes: Int { maximumHeaderBytes + maximumContentBytes + 1 }
    /// The longest keyword known has 20 characters (section 8).
    @inlinable public static var maximumKeywordBytes: Int { 32 }
    /// Dates before this year come from a clock that was never set (section 10).
    public static let firstYear = 2015
    /// What a watch shows as its local time without a setting, minutes east of UTC; positions are in UTC (section 5).
    public static let standardUTCOffsetMinutes = 480
}

/// What is known of one terminal beside its bytes; the defaults suit a terminal of which nothing is known.
public struct WatchProfile: Sendable, Equatable {
    /// Minutes east of UTC of the time that the watch shows; positions always state UTC.
    public var utcOffsetMinutes: Int
    /// What the terminal's status bits mean.
    public var alarms: WatchAlarms

    public init(utcOffsetMinutes: Int = Watch.standardUTCOffsetMinutes, alarms: WatchAlarms = .standard) {
        self.utcOffsetMinutes = utcOffsetMinutes
        self.alarms = alarms
    }

    /// The profile of a terminal of this model whose display runs `utcOffsetMinutes` east of UTC.
    public init(_ model: ModelProfile, utcOffsetMinutes: Int) {
        self.init(utcOffsetMinutes: utcOffsetMinutes, alarms: WatchAlarms(overrides: model.alarmCodes))
    }

    public static let standard = WatchProfile()
}
