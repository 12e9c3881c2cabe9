import Testing

@testable import WireBytes

struct ByteScanTests {
    /// What the finder must say, byte by byte.
    private static func plainFind(_ bytes: [UInt8], from: Int) -> (end: Int, mark: Int) {
        let end = bytes[from...].firstIndex(of: 0x7E) ?? bytes.count
        return (end, bytes[from..<end].firstIndex(of: 0x7D) ?? end)
    }

    @Test func bothFormsOfTheFinderAgreeWithALoop() {
        var random = SplitMix(seed: 0x808)
        for length in 0..<96 {
            for _ in 0..<24 {
                // Few byte values, and neighbours of the wanted ones, make every kind of hit and near miss likely.
                let bytes = (0..<length).map { _ in
                    [0x7E, 0x7D, 0x7C, 0x7F, 0xFE, 0xFD, 0x00, 0x80, 0x01, 0x81, 0x11, 0x22][random.below(12)] as UInt8
                }
                let sparse = bytes.map { random.below(5) == 0 ? $0 : 0x30 }
                for sample in [bytes, sparse] {
                    let from = random.below(length + 1)
                    let expected = Self.plainFind(sample, from: from)
                    let fast = ByteScan.find(0x7E, marking: 0x7D, in: sample.span, from: from)
                    let portable = ByteScan.findPortably(0x7E, marking: 0x7D, in: sample.span, from: from)
                    #expect(fast == expected, "\(sample) from \(from)")
                    #expect(portable == expected, "\(sample) from \(from)")
                }
            }
        }
    }

    @Test func bothFormsOfTheSumAgreeWithALoop() {
        var random = SplitMix(seed: 77)
        for length in 0..<80 {
            let bytes = (0..<length).map { _ in UInt8(random.below(256)) }
            let expected = bytes.reduce(0, ^)
            #expect(ByteScan.xor(bytes.span) == expected)
            #expect(ByteScan.xorPortably(bytes.span) == expected)
        }
    }

    @Test func escapesAreTakenOut() {
        #expect(unescape([0x30, 0x7D, 0x02, 0x7D, 0x01, 0x55]) == [0x30, 0x7E, 0x7D, 0x55])
        #expect(unescape([0x7D, 0x01]) == [0x7D])
        #expect(unescape([0x30, 0x7D, 0x05]) == -2)
        #expect(unescape([0x30, 0x7D, 0x00]) == -2)
        #expect(unescape([0x30, 0x31, 0x7D]) == -3)
    }

    private enum Unescaped: Equatable, ExpressibleByArrayLiteral, ExpressibleByIntegerLiteral {
        case bytes([UInt8])
        case failed(Int)
        init(arrayLiteral elements: UInt8...) { self = .bytes(elements) }
        init(integerLiteral value: Int) { self = .failed(value) }
    }

    private func unescape(_ bytes: [UInt8]) -> Unescaped {
        var output = [UInt8](repeating: 0xAA, count: bytes.count)
        var target = output.mutableSpan
        let first = bytes.firstIndex(of: 0x7D) ?? bytes.count
        let length = ByteScan.unescape7D(bytes.span, firstEscape: first, into: &target)
        return length < 0 ? .failed(length) : .bytes(Array(output.prefix(length)))
    }
}

/// A small seeded generator: the same numbers on every machine.
struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
