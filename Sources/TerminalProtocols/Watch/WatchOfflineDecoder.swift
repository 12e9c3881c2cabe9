import TerminalModel
import WireBytes

extension Watch {
    static let registration = ProtocolRegistration(
        name: .watch, likelihood: likelihood, makeDecoder: { _ in WatchOfflineDecoder() })

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

    /// Found at the end of the stream and not yet handed out.
    private var lastFrames: [DecodedFrame] = []

    private static let pieceBytes = 1 << 20

    public init(profile: WatchProfile = .standard) {
        self.profile = profile
    }

    public mutating func feed(stream bytes: [UInt8]) -> [DecodedFrame] {
        // In pieces, so that offsets stay small and a long recording is not held twice.
        var frames: [DecodedFrame] = []
        for start in stride(from: 0, to: bytes.count, by: Self.pieceBytes) {
            pendingBytes += bytes[start..<min(bytes.count, start + Self.pieceBytes)]
            frames += drain(isComplete: false)
        }
        return frames
    }

    /// One thing a call: frames whose end could not be told before, then what is left.
    public mutating func finish() -> DecodedFrame? {
        if !pendingBytes.isEmpty {
            lastFrames += drain(isComplete: true)
            if !pendingBytes.isEmpty {
                let error = WatchFrame.refusal(
                    .badLength, "close", pendingBytes.count, "a bracket ] that ends the frame", "the end of the input")
                lastFrames.append(cut(pendingBytes, error))
                pendingBytes = []
            }
            cursor = WatchFramer.Cursor()
        }
        return lastFrames.isEmpty ? nil : lastFrames.removeFirst()
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

    private mutating func drain(isComplete: Bool) -> [DecodedFrame] {
        let framer = WatchFramer()
        let bytes = pendingBytes
        var position = cursor
        var frames: [DecodedFrame] = []
        while true {
            switch framer.next(in: bytes.span, at: &position, isComplete: isComplete) {
            case .needMore(let droppable):
                pendingBytes.removeFirst(droppable)
                position.dropped(droppable)
                cursor = position
                return frames
            case .rejected(let error, let range): frames.append(cut(Array(bytes[range]), error))
            case .frame(let range): frames.append(decoded(Array(bytes[range])))
            }
        }
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
