public import TerminalModel
import WireBytes

extension DC09 {
    static let registration = ProtocolRegistration(
        name: .dc09, likelihood: likelihood, makeDecoder: { DC09OfflineDecoder(cipher: $0.cipher) })

    private static func likelihood(_ bytes: [UInt8]) -> Int {
        var cursor = DC09Framer.Cursor()
        guard case .frame(let range) = DC09Framer().next(in: bytes.span, at: &cursor, isComplete: true) else {
            return 0
        }
        return (try? DC09Frame(checking: bytes.span.extracting(range))) == nil ? 1 : 2
    }
}

/// Decodes recorded bytes of panels. Every frame names its panel, so that nothing carries over from frame to frame.
public struct DC09OfflineDecoder: OfflineDecoder {
    public var profile: DC09Profile
    /// The key of an account, where it is known.
    public var cipher: @Sendable (TerminalID) -> DC09Cipher?
    private var cursor = DC09Framer.Cursor()
    /// Bytes of an unfinished frame.
    public private(set) var pendingBytes: [UInt8] = []

    private static let pieceBytes = 1 << 20

    public init(
        profile: DC09Profile = .standard, cipher: @escaping @Sendable (TerminalID) -> DC09Cipher? = { _ in nil }
    ) {
        self.profile = profile
        self.cipher = cipher
    }

    public mutating func feed(stream bytes: [UInt8]) -> [DecodedFrame] {
        // In pieces, so that offsets stay small and a long recording is not held twice.
        var frames: [DecodedFrame] = []
        for start in stride(from: 0, to: bytes.count, by: Self.pieceBytes) {
            pendingBytes += bytes[start..<min(bytes.count, start + Self.pieceBytes)]
            while let frame = next(isComplete: false) { frames.append(frame) }
        }
        return frames
    }

    public mutating func finish() -> DecodedFrame? {
        if let frame = next(isComplete: true) { return frame }
        pendingBytes = []
        cursor = DC09Framer.Cursor()
        return nil
    }

    public mutating func decode(frame bytes: [UInt8]) -> [DecodedFrame] {
        var alone = DC09OfflineDecoder(profile: profile, cipher: cipher)
        alone.pendingBytes = bytes
        var frames: [DecodedFrame] = []
        while let frame = alone.finish() { frames.append(frame) }
        guard frames.isEmpty else { return frames }
        let error = DC09Frame.refusal(
            .notThisProtocol, "frame", 0, "eight hexadecimal digits and a quotation mark, or 16 digits",
            bytes.isEmpty ? "nothing" : "ends of lines")
        return [DecodedFrame(bytes: bytes, result: .failed(error))]
    }

    private mutating func next(isComplete: Bool) -> DecodedFrame? {
        let bytes = pendingBytes
        switch DC09Framer().next(in: bytes.span, at: &cursor, isComplete: isComplete) {
        case .needMore(let droppable):
            pendingBytes.removeFirst(droppable)
            cursor.dropped(droppable)
            return nil
        case .rejected(let error, let range):
            return DecodedFrame(bytes: Array(bytes[range]), result: .failed(error))
        case .frame(let range): return decoded(Array(bytes[range]))
        }
    }

    private func decoded(_ bytes: [UInt8]) -> DecodedFrame {
        do throws(DecodeError) {
            let frame = try DC09Frame(checking: bytes.span)
            let packet = try DC09Codec.decode(frame, cipher: cipher(frame.header.terminal))
            return DecodedFrame(
                bytes: bytes, result: .events([packet.event(profile: profile)], fields: packet.fields))
        } catch {
            return DecodedFrame(bytes: bytes, result: .failed(error))
        }
    }

    public func explain(_ bytes: [UInt8]) -> [ExplainedField] {
        DC09Explainer.explain(bytes, profile: profile, cipher: cipher)
    }
}
