import TerminalModel
import WireBytes

extension GT06 {
    static let registration = ProtocolRegistration(
        name: .gt06, likelihood: likelihood, makeDecoder: { _ in GT06OfflineDecoder() })

    private static func likelihood(_ bytes: [UInt8]) -> Int {
        guard bytes.starts(with: [shortMarker, shortMarker]) || bytes.starts(with: [longMarker, longMarker]) else {
            return 0
        }
        var decoder = GT06OfflineDecoder()
        return decoder.decode(frame: bytes).contains { $0.error == nil } ? 2 : 1
    }
}

/// Decodes recorded GT06 bytes; who logged in, the zone of its clock and its family are carried from frame to frame.
public struct GT06OfflineDecoder: OfflineDecoder {
    public var profile: GT06Profile
    private var link = GT06Link()
    private var cursor = GT06Framer.Cursor()
    private var pending: [UInt8] = []

    private static let pieceBytes = 1 << 20
    /// Strays of this length at the end of a stream, half a marker, are not worth an error.
    private static let maximumSilentBytes = 1

    public init(profile: GT06Profile = .standard) {
        self.profile = profile
    }

    /// Bytes of an unfinished frame.
    public var pendingBytes: [UInt8] { cursor.isWaiting ? pending : [] }

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
        cursor = GT06Framer.Cursor(mode: cursor.mode)
        guard rest.count > Self.maximumSilentBytes else { return nil }
        return DecodedFrame(bytes: rest, result: .failed(Self.unfinished(rest)))
    }

    public mutating func decode(frame bytes: [UInt8]) -> [DecodedFrame] {
        var alone = GT06OfflineDecoder(profile: profile)
        alone.link = link
        alone.cursor = GT06Framer.Cursor(mode: cursor.mode == .lookAlike ? .lookAlike : .undecided)
        var frames = alone.feed(stream: bytes)
        if let rest = alone.finish() { frames.append(rest) }
        link = alone.link
        cursor = GT06Framer.Cursor(mode: alone.cursor.mode)
        guard frames.isEmpty else { return frames }
        return [DecodedFrame(bytes: bytes, result: .failed(GT06Frame.noMarker(bytes.span)))]
    }

    private mutating func drain() -> [DecodedFrame] {
        let framer = GT06Framer()
        var frames: [DecodedFrame] = []
        let bytes = pending
        var position = cursor
        while true {
            switch framer.next(in: bytes.span, at: &position) {
            case .needMore(let droppable):
                pending.removeFirst(droppable)
                position.dropped(droppable)
                cursor = position
                return frames
            case .rejected(let error, let range):
                frames.append(DecodedFrame(bytes: Array(bytes[range]), result: .failed(error)))
            case .frame(let run):
                let result: DecodedFrame.Result
                do throws(DecodeError) {
                    result = try decode(framer.frame(run, in: bytes.span))
                } catch {
                    result = .failed(error)
                }
                frames.append(DecodedFrame(bytes: Array(bytes[run.range]), result: result))
            }
        }
    }

    private mutating func decode(_ frame: borrowing GT06Frame) throws(DecodeError) -> DecodedFrame.Result {
        let packet = try GT06Codec.decode(frame)
        return .events(link.events(packet, profile: profile), fields: packet.fields)
    }

    /// Why bytes at the end of the input are no frame.
    private static func unfinished(_ bytes: [UInt8]) -> DecodeError {
        let total = GT06Framer.declaredTotal(bytes)
        if let total, total <= bytes.count {
            return GT06Frame.noStop(bytes.span.uint16BE(at: total - 2), at: total - 2)
        }
        return DecodeError(
            .badLength, protocolName: .gt06, field: "frame", offset: bytes.count,
            expected: total.map { "\($0) bytes" } ?? "a whole frame", found: "the end of the input")
    }

    public func explain(_ bytes: [UInt8]) -> [ExplainedField] {
        GT06Explainer.explain(bytes, profile: profile, isLookAlike: cursor.mode == .lookAlike)
    }
}
