import TerminalModel
import WireBytes

/// Decodes recorded bytes. Every frame names its terminal, so that nothing is carried from frame to frame; say here what is
/// (login, packages, time zone).
public struct TemplateOfflineDecoder: OfflineDecoder {
    public var profile: TemplateProfile
    private var cursor = TemplateFramer.Cursor()
    /// Bytes of an unfinished frame.
    public private(set) var pendingBytes: [UInt8] = []

    public init(profile: TemplateProfile = .standard) {
        self.profile = profile
    }

    public mutating func feed(stream bytes: [UInt8]) -> [DecodedFrame] {
        let all = pendingBytes + bytes
        var frames: [DecodedFrame] = []
        while true {
            switch TemplateFramer().next(in: all.span, at: &cursor) {
            case .needMore(let droppable):
                pendingBytes = Array(all[droppable...])
                cursor.dropped(droppable)
                return frames
            case .rejected(let error, let range):
                frames.append(DecodedFrame(bytes: Array(all[range]), result: .failed(error)))
            case .frame(let range): frames.append(decoded(Array(all[range])))
            }
        }
    }

    public mutating func finish() -> DecodedFrame? {
        guard !pendingBytes.isEmpty else { return nil }
        defer {
            pendingBytes = []
            cursor = TemplateFramer.Cursor()
        }
        return decoded(pendingBytes)
    }

    public mutating func decode(frame bytes: [UInt8]) -> [DecodedFrame] {
        var alone = TemplateOfflineDecoder(profile: profile)
        var frames = alone.feed(stream: bytes)
        if let rest = alone.finish() { frames.append(rest) }
        return frames.isEmpty ? [decoded(bytes)] : frames
    }

    private func decoded(_ bytes: [UInt8]) -> DecodedFrame {
        do throws(DecodeError) {
            let packet = try TemplateCodec.decode(try TemplateFrame(checking: bytes.span))
            return DecodedFrame(bytes: bytes, result: .events(packet.events(profile: profile), fields: packet.fields))
        } catch {
            return DecodedFrame(bytes: bytes, result: .failed(error))
        }
    }

    public func explain(_ bytes: [UInt8]) -> [ExplainedField] {
        TemplateExplainer.explain(bytes, profile: profile)
    }
}
