import TerminalModel
import WireBytes

extension EV07B {
    static let registration = ProtocolRegistration(
        name: .ev07b, likelihood: likelihood, makeDecoder: { _ in EV07BOfflineDecoder() })

    private static func likelihood(_ bytes: [UInt8]) -> Int {
        guard bytes.first == marker else { return 0 }
        var decoder = EV07BOfflineDecoder()
        return decoder.decode(frame: bytes).contains { $0.error == nil } ? 2 : 1
    }
}

/// Decodes recorded EV07B bytes; the terminal that a report names is that of the frames behind it which name none.
public struct EV07BOfflineDecoder: OfflineDecoder {
    public var profile: EV07BProfile
    private var terminal = TerminalID(nibbles: 0)
    private var cursor = EV07BFramer.Cursor()
    private var pending: [UInt8] = []

    private static let pieceBytes = 1 << 20

    public init(profile: EV07BProfile = .standard) {
        self.profile = profile
    }

    /// Bytes of an unfinished frame.
    public var pendingBytes: [UInt8] { cursor.isBetweenFrames ? [] : pending }

    public mutating func feed(stream bytes: [UInt8]) -> [DecodedFrame] {
        // In pieces, so that offsets stay small and a long recording is not held twice.
        var frames: [DecodedFrame] = []
        for start in stride(from: 0, to: bytes.count, by: Self.pieceBytes) {
            pending += bytes[start..<min(bytes.count, start + Self.pieceBytes)]
            frames += drain()
        }
        return frames
    }

    public mutating func finish() -> DecodedFrame? {
        let rest = pendingBytes
        pending = []
        cursor = EV07BFramer.Cursor()
        guard !rest.isEmpty else { return nil }
        return DecodedFrame(bytes: rest, result: .failed(Self.refusal(rest)))
    }

    public mutating func decode(frame bytes: [UInt8]) -> [DecodedFrame] {
        var alone = EV07BOfflineDecoder(profile: profile)
        alone.terminal = terminal
        var frames = alone.feed(stream: bytes)
        if let rest = alone.finish() { frames.append(rest) }
        terminal = alone.terminal
        return frames.isEmpty ? [DecodedFrame(bytes: bytes, result: .failed(Self.refusal(bytes)))] : frames
    }

    /// Why bytes that are no frame are none, told of their first marker.
    private static func refusal(_ bytes: [UInt8]) -> DecodeError {
        let start = bytes.first == EV07B.encryptedMarker ? 0 : bytes.firstIndex(of: EV07B.marker) ?? 0
        do throws(DecodeError) {
            _ = try EV07BFrame(checking: bytes.span.extracting(start..<bytes.count))
        } catch {
            return error
        }
        // Not reached: a frame that can be checked is found by the framer.
        return DecodeError(
            .badLength, protocolName: .ev07b, field: "frame", offset: 0, expected: "a frame",
            found: "\(bytes.count) bytes")
    }

    private mutating func drain() -> [DecodedFrame] {
        let framer = EV07BFramer()
        var frames: [DecodedFrame] = []
        let bytes = pending
        while true {
            switch framer.next(in: bytes.span, at: &cursor) {
            case .needMore(let droppable):
                pending.removeFirst(droppable)
                cursor.dropped(droppable)
                return frames
            case .rejected(let error, let range):
                frames.append(DecodedFrame(bytes: Array(bytes[range]), result: .failed(error)))
            case .frame(let range):
                let result: DecodedFrame.Result
                do throws(DecodeError) {
                    result = try decode(EV07BFrame(checking: bytes.span.extracting(range)))
                } catch {
                    result = .failed(error)
                }
                frames.append(DecodedFrame(bytes: Array(bytes[range]), result: result))
            }
        }
    }

    private mutating func decode(_ frame: borrowing EV07BFrame) throws(DecodeError) -> DecodedFrame.Result {
        let packet = try EV07BCodec.decode(frame)
        terminal = frame.terminal ?? terminal
        return .events(frame.events(terminal: terminal, profile: profile), fields: packet.fields)
    }

    public func explain(_ bytes: [UInt8]) -> [ExplainedField] {
        EV07BExplainer.explain(bytes, profile: profile)
    }
}
