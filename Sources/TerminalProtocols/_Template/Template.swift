public import TerminalModel

/// Facts of <protocol>, <edition of the document>.
///
/// Source: <document, edition>; section numbers in this folder are those of <document>.
public enum Template {
    public static let protocolName = ProtocolName.template

    /// Starts every frame (section 0).
    @inlinable public static var startMarker: UInt8 { 0x00 }
    /// Why no frame is longer (section 0).
    @inlinable public static var maximumFrameBytes: Int { 1024 }

    static let registration = ProtocolRegistration(
        name: .template, likelihood: likelihood, makeDecoder: { TemplateOfflineDecoder() })

    /// 0: not this protocol. 1: its markers. 2: its checksum too.
    private static func likelihood(_ bytes: [UInt8]) -> Int {
        0
    }
}

/// What is known of one terminal beside its bytes.
public struct TemplateProfile: Sendable, Equatable {
    public var alarms: TemplateAlarms = .standard
    /// Minutes east of UTC in which the terminal states its time.
    public var utcOffsetMinutes = 0

    public init() {}

    /// The profile of a terminal of this model whose clock runs `utcOffsetMinutes` east of UTC.
    public init(_ model: ModelProfile, utcOffsetMinutes: Int) {
        alarms = TemplateAlarms(overrides: model.alarmCodes)
        self.utcOffsetMinutes = utcOffsetMinutes
    }

    public static let standard = TemplateProfile()
}
