import TerminalModel
import WireBytes

/// Decodes recorded bytes; says which state (login, packages, time zone) it carries from frame to frame.
public struct TemplateOfflineDecoder: OfflineDecoder {
    public mutating func feed(stream bytes: [UInt8]) -> [DecodedFrame] { [] }
    public mutating func finish() -> DecodedFrame? { nil }
    public mutating func decode(frame bytes: [UInt8]) -> [DecodedFrame] { [] }
    public func explain(_ bytes: [UInt8]) -> [ExplainedField] { TemplateExplainer.explain(bytes) }
}
