public import TerminalModel
import WireBytes

/// Facts of Template, the smallest protocol that works: two messages up, two down.
///
/// Source: README.md beside this file. Name here the document and its edition; section numbers in the folder are those of the
/// document.
public enum Template {
    /// Starts every frame, also inside one (section 1).
    @inlinable public static var startMarker: UInt8 { 0x54 }
    /// Start and length in front of what the length counts, and the CRC behind it.
    @inlinable public static var envelopeByteCount: Int { 4 }
    /// Message and terminal.
    @inlinable public static var minimumLength: Int { 5 }
    /// No message has more; what announces more is noise, so that it is not waited for (section 1).
    @inlinable public static var maximumLength: Int { 64 }

    static let registration = ProtocolRegistration(
        name: .template, likelihood: likelihood, makeDecoder: { _ in TemplateOfflineDecoder() })

    /// 0: not this protocol. 1: its marker. 2: its checksum too.
    private static func likelihood(_ bytes: [UInt8]) -> Int {
        guard bytes.first == startMarker else { return 0 }
        return (try? TemplateFrame(checking: bytes.span)) == nil ? 1 : 2
    }
}

/// What is known of one terminal beside its bytes.
public struct TemplateProfile: Sendable, Equatable {
    public var alarms: TemplateAlarms = .standard

    public init() {}

    public init(_ model: ModelProfile) {
        alarms = TemplateAlarms(overrides: model.alarmCodes)
    }

    public static let standard = TemplateProfile()
}
