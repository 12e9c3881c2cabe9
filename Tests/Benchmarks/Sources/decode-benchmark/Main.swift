import CDecodeReference
import Glibc
import TerminalModel
import TerminalProtocols

/// Decodes 1,000 different location reports over and over: of JT/T 808 in Swift and in C, and of each other protocol.
///
///     decode-benchmark                ns and allocations per frame of every variant, interleaved rounds
///     decode-benchmark VARIANT N      one variant N times and nothing else, for counting instructions
///
/// Variants: `c`, `swift` and `events` of JT/T 808; `ev07b`, `gt06` and `watch`, to events as well.
@main
enum DecodeBenchmark {
    private static let rounds = 15
    private static let repetitionsPerRound = 200

    static func main() {
        let stream = Frames.stream()
        let arguments = CommandLine.arguments.dropFirst()
        if let variant = arguments.first {
            let repetitions = arguments.dropFirst().first.flatMap { Int($0) } ?? 100
            var framer = JT808Framer()
            guard run(variant, stream, &framer, repetitions) != nil else {
                print("usage: decode-benchmark [c|swift|events|ev07b|gt06|watch REPETITIONS]")
                exit(2)
            }
            return
        }
        compare(stream)
    }

    private static func run(
        _ variant: String, _ stream: [UInt8], _ framer: inout JT808Framer, _ repetitions: Int
    ) -> decode_digest? {
        var digest = decode_digest()
        switch variant {
        case "swift": for _ in 0..<repetitions { Decode.values(stream.span, &framer, into: &digest) }
        case "c":
            stream.withUnsafeBufferPointer { buffer in
                for _ in 0..<repetitions { reference_decode(buffer.baseAddress, buffer.count, &digest) }
            }
        case "events":
            for _ in 0..<repetitions { digest.frames &+= UInt64(Decode.events(stream.span, &framer)) }
        default:
            guard let sample = Protocols.samples.first(where: { $0.name.rawValue == variant }) else { return nil }
            for _ in 0..<repetitions {
                let (sum, events) = sample.decode(sample.stream.span)
                guard events == Protocols.count else { return nil }
                digest.frames &+= UInt64(sum)
            }
        }
        return digest
    }

    /// The best round counts: everything that disturbs makes a round slower, never faster.
    private static func compare(_ stream: [UInt8]) {
        let variants = ["c", "swift", "events"] + Protocols.samples.map(\.name.rawValue)
        let bytes = [stream, stream, stream].map(\.count) + Protocols.samples.map(\.stream.count)
        var best = [Double](repeating: .infinity, count: variants.count)
        var allocations = [UInt64](repeating: 0, count: variants.count)
        var digests = [String](repeating: "", count: variants.count)
        var framer = JT808Framer()
        for _ in 0..<rounds {
            for (index, variant) in variants.enumerated() {
                let before = reference_allocations()
                let start = nanoseconds()
                let digest = run(variant, stream, &framer, repetitionsPerRound)
                let elapsed = Double(nanoseconds() - start)
                let decoded = Double(Frames.count * repetitionsPerRound)
                allocations[index] = reference_allocations() - before
                best[index] = min(best[index], elapsed / decoded)
                digests[index] = digest.map(text) ?? ""
            }
        }
        for (index, variant) in variants.enumerated() {
            let digest = index < 2 ? "  digest \(digests[index])" : ""
            print(
                "\(variant): \(rounded(best[index])) ns/frame, \(rounded(Double(bytes[index]) / Double(Frames.count))) "
                    + "bytes/frame, \(rounded(best[index] / best[0])) x C, "
                    + "\(allocations[index]) allocations in \(Frames.count * repetitionsPerRound) frames\(digest)")
        }
        guard digests[0] == digests[1] else {
            print("the decoders do not agree")
            exit(1)
        }
    }

    /// FNV-1a over the sums.
    private static func text(_ digest: decode_digest) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        withUnsafeBytes(of: digest) { for byte in $0 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 } }
        return String(hash, radix: 16) + " (\(digest.frames) frames, \(digest.escaped) escaped, "
            + "\(digest.rejected) rejected, \(digest.items) items)"
    }

    private static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private static func rounded(_ value: Double) -> String {
        String((value * 100).rounded() / 100)
    }
}
