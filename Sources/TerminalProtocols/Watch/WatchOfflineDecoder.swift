import TerminalModel
import WireBytes

extension Watch {
    static let registration = ProtocolRegistration(
        name: .watch, likelihood: likelihood, makeDecoder: { WatchOfflineDecoder() })

    /// There is no checksum; a frame whose length is right is as good as one.
    private static func likelihood(_ bytes: [UInt8]) -> Int {
        guard let start = bytes.firstIndex(where: { $0 > 0x20 }), bytes[start] == open else { return 0 }
        var cursor = WatchFramer.Cursor()
        switch WatchFramer().next(in: bytes.span.extracting(start..<bytes.count), at: &cursor, isComplete: true) {
        case .rejected: return 0
        case .needMore: return 1
        case .frame(let range):
            let frame = try? WatchFrame(
                checking: bytes.span.extracting(start + range.lowerBound..<start + range.upperBound))
            return frame?.lengthMismatch == 0 ? 2 : 1
        }
    }
}

/// Decodes recorded bytes of watches. Every frame names its terminal and its time is in UTC, so that nothing carries over from
/// frame to frame.
public struct WatchOfflineDecoder: OfflineDecoder {
    public var profile: WatchProfile
    private var cursor = WatchFramer.Cursor()
    /// Bytes of an unfinished frame.
    public private(set) var pendingBytes: [UInt8] = []

    private static let pieceBytes = 1 << 20

    public init(profile: WatchProfile = .standard) {
        self.profile = profile
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

    /// One frame a call: a frame whose end could not be told before, then what is left.
    public mutating func finish() -> DecodedFrame? {
        if let frame = next(isComplete: true) { return frame }
        let rest = pendingBytes
        pendingBytes = []
        cursor = WatchFramer.Cursor()
        guard !rest.isEmpty else { return nil }
        let error = WatchFrame.refusal(
            .badLength, "close", rest.count, "a bracket ] that ends the frame", "the end of the input")
        return cut(rest, error)
    }

    public mutating func decode(frame bytes: [UInt8]) -> [DecodedFrame] {
        var alone = WatchOfflineDecoder(profile: profile)
        alone.pendingBytes = bytes
        var frames: [DecodedFrame] = []
        while let frame = alone.finish() { frames.append(frame) }
        guard frames.isEmpty else { return frames }
        let error = WatchFrame.refusal(
            .notThisProtocol, "open", 0, "a bracket [", bytes.isEmpty ? "nothing" : "white space")
        return [DecodedFrame(bytes: bytes, result: .failed(error))]
    }

    /// Takes the next frame, or what is none, from the front of the pending bytes.
    private mutating func next(isComplete: Bool) -> DecodedFrame? {
        var position = cursor
        let step = WatchFramer().next(in: pendingBytes.span, at: &position, isComplete: isComplete)
        let used: Int
        let frame: DecodedFrame?
        switch step {
        case .needMore(let droppable):
            used = droppable
            frame = nil
        case .rejected(let error, let range):
            used = range.upperBound
            frame = cut(Array(pendingBytes[range]), error)
        case .frame(let range):
            used = range.upperBound
            frame = decoded(Array(pendingBytes[range]))
        }
        pendingBytes.removeFirst(used)
        position.dropped(used)
        cursor = position
        return frame
    }

    private func decoded(_ bytes: [UInt8]) -> DecodedFrame {
        do throws(DecodeError) {
            return understood(bytes, try WatchCodec.decode(try WatchFrame(checking: bytes.span)))
        } catch {
            return DecodedFrame(bytes: bytes, result: .failed(error))
        }
    }

    /// A frame that was cut: an error, unless an alarm is in it.
    private func cut(_ bytes: [UInt8], _ error: DecodeError) -> DecodedFrame {
        guard let packet = WatchCodec.alarm(inCut: bytes.span) else {
            return DecodedFrame(bytes: bytes, result: .failed(error))
        }
        return understood(bytes, packet)
    }

    private func understood(_ bytes: [UInt8], _ packet: WatchPacket) -> DecodedFrame {
        DecodedFrame(
            bytes: bytes, result: .events([packet.event(profile: profile)], fields: packet.fields(profile: profile)))
    }

    public func explain(_ bytes: [UInt8]) -> [ExplainedField] {
        WatchExplainer.explain(bytes, profile: profile)
    }
}
