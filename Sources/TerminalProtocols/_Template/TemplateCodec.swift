public import TerminalModel
import WireBytes

/// Frames to messages and messages to wire bytes.
public enum TemplateCodec {
    /// - Throws: which codes, and when.
    public static func decode(
        _ frame: borrowing TemplateFrame, profile: TemplateProfile = .standard
    ) throws(DecodeError) -> TemplateMessage {
        .unknown(id: 0, [])
    }

    /// One frame, ready to be sent.
    public static func encode(_ message: TemplateMessage) -> [UInt8] {
        []
    }
}
