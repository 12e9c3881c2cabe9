import TerminalModel
import WireBytes

extension JT808 {
    static let registration = ProtocolRegistration(
        name: .jt808, likelihood: likelihood, makeDecoder: { _ in JT808OfflineDecoder() })

    private static func likelihood(_ bytes: [UInt8]) -> Int {
        guard bytes.first == flag || bytes.last == flag else { return 0 }
        var decoder = JT808OfflineDecoder()
        return decoder.decode(frame: bytes).contains { $0.error == nil } ? 2 : 1
    }
}

/// Decodes recorded JT/T 808 bytes; packages of a message are put together across frames.
public struct JT808OfflineDecoder: OfflineDecoder {
    public var profile: JT808Profile
    private var reassembly = JT808Reassembly()
    private var cursor = JT808Framer.Cursor()
    private var pending: [UInt8] = []
    /// Recorded frames carry no time of their own, so each counts as one millisecond: nothing ever times out.
    private var clock: Int64 = 0

    private static let pieceBytes = 1 << 20

    public init(profile: JT808Profile = .standard) {
        self.profile = profile
    }

    /// Bytes of an unfinished frame, without the flag that opened it.
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
        cursor = JT808Framer.Cursor()
        guard rest.count > JT808.maximumSilentRunBytes else { return nil }
        return DecodedFrame(
            bytes: [JT808.flag] + rest,
            result: .failed(
                DecodeError(
                    .badLength, protocolName: .jt808, field: "flag", offset: rest.count + 1,
                    expected: "a flag 7e that ends the frame", found: "the end of the input")))
    }

    public mutating func decode(frame bytes: [UInt8]) -> [DecodedFrame] {
        var alone = JT808OfflineDecoder(profile: profile)
        swap(&alone.reassembly, &reassembly)
        alone.clock = clock
        var frames = alone.feed(stream: bytes)
        if let rest = alone.finish() { frames.append(rest) }
        swap(&alone.reassembly, &reassembly)
        clock = alone.clock
        guard frames.isEmpty else { return frames }
        let error =
            bytes.contains(JT808.flag)
            ? DecodeError(
                .badLength, protocolName: .jt808, field: "frame", offset: 0,
                expected: "at least \(JT808.minimumRunBytes) bytes between flags", found: "\(bytes.count) bytes")
            : DecodeError(
                .notThisProtocol, protocolName: .jt808, field: "flag", offset: 0, expected: "a flag 7e",
                found: bytes.isEmpty ? "nothing" : Hex.text(bytes.prefix(1).map { $0 }))
        return [DecodedFrame(bytes: bytes, result: .failed(error))]
    }

    private mutating func drain() -> [DecodedFrame] {
        var framer = JT808Framer()
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
                frames.append(DecodedFrame(bytes: Self.wire(range, bytes), result: .failed(error)))
            case .frame(let run):
                let result: DecodedFrame.Result
                do throws(DecodeError) {
                    result = try decode(JT808Frame(checking: framer.contents(of: run, in: bytes.span)))
                } catch {
                    result = .failed(error)
                }
                frames.append(DecodedFrame(bytes: Self.wire(run.range, bytes), result: result))
            }
        }
    }

    /// A run with the flags that stood around it.
    private static func wire(_ range: Range<Int>, _ bytes: [UInt8]) -> [UInt8] {
        [JT808.flag] + bytes[range] + (range.upperBound < bytes.count ? [JT808.flag] : [])
    }

    private mutating func decode(_ frame: borrowing JT808Frame) throws(DecodeError) -> DecodedFrame.Result {
        var packet = try JT808Codec.decode(frame, profile: profile)
        if case .part(_, let part) = packet.message {
            clock += 1
            switch reassembly.insert(part.bytes, header: packet.header, now: clock) {
            case .complete(let body):
                packet.assembled = try JT808Codec.decode(
                    assembled: body, header: packet.header, profile: profile)
            case .incomplete, .duplicate: break
            case .refused(let reason):
                throw DecodeError(
                    .badValue, protocolName: .jt808, message: packet.header.message, field: "package",
                    offset: frame.headerByteCount - 3, expected: "a package of a message in hand",
                    found: reason.rawValue)
            }
        }
        return .events(packet.events(profile: profile), fields: packet.fields)
    }

    public func explain(_ bytes: [UInt8]) -> [ExplainedField] {
        JT808Explainer.explain(bytes, profile: profile)
    }
}
