internal import TerminalModel
internal import TerminalProtocols

/// The decoders of one file: the protocol that was asked for, or the one that the bytes look like.
///
/// Each protocol's decoder lives as long as the file, so what one frame leaves behind (packages, logins) is there for the next.
struct ProtocolChoice {
    private struct Candidate {
        let registration: ProtocolRegistration
        var decoder: any OfflineDecoder
    }

    /// Enough of a stream to tell its protocol: more than the longest frame.
    static let streamSampleBytes = 8192

    private let isAutomatic: Bool
    private let keys: DecoderKeys
    private var candidates: [Candidate]
    /// The protocol of the latest frame that was understood.
    private var current = 0
    private var streamSample: [UInt8]? = []

    /// - Parameter name: nil tells the protocol by the bytes.
    init(_ name: ProtocolName?, keys: DecoderKeys) {
        isAutomatic = name == nil
        self.keys = keys
        candidates = ProtocolRegistration.all.filter { name == nil || $0.name == name }
            .map { Candidate(registration: $0, decoder: $0.makeDecoder(keys: keys)) }
        // Until something is recognised, errors go under the protocol that is the default everywhere.
        current = candidates.firstIndex { $0.registration.name == .jt808 } ?? 0
    }

    /// The protocol that errors are reported under.
    var name: ProtocolName {
        candidates[current].registration.name
    }

    mutating func decode(frame bytes: [UInt8]) -> [DecodedFrame] {
        if isAutomatic, candidates.count > 1 { choose(bytes) }
        return candidates[current].decoder.decode(frame: bytes)
    }

    mutating func feed(stream bytes: [UInt8]) -> [DecodedFrame] {
        guard var sample = streamSample else { return candidates[current].decoder.feed(stream: bytes) }
        sample += bytes
        streamSample = sample
        return sample.count < Self.streamSampleBytes ? [] : startStream(sample)
    }

    /// What is left of the stream, the unfinished frame at its end included.
    mutating func finish() -> [DecodedFrame] {
        var frames = streamSample.map { startStream($0) } ?? []
        while let rest = candidates[current].decoder.finish() { frames.append(rest) }
        return frames
    }

    private mutating func startStream(_ sample: [UInt8]) -> [DecodedFrame] {
        streamSample = nil
        if isAutomatic, candidates.count > 1 { choose(sample) }
        return candidates[current].decoder.feed(stream: sample)
    }

    /// Takes the protocol whose markers are there; behind noise they are not, then the one that understands something.
    private mutating func choose(_ bytes: [UInt8]) {
        let found =
            ProtocolRegistration.recognised(in: bytes)
            ?? candidates.map(\.registration).first { registration in
                var decoder = registration.makeDecoder(keys: keys)
                return decoder.decode(frame: bytes).contains { $0.error == nil }
            }
        guard let found, let index = candidates.firstIndex(where: { $0.registration.name == found.name }) else {
            return
        }
        current = index
    }
}
