/// A small generator of pseudo-random numbers: the same seed gives the same story.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func next(_ range: ClosedRange<Int64>) -> Int64 { .random(in: range, using: &self) }

    /// True so many times in a hundred.
    mutating func happens(_ percent: Int64) -> Bool { next(0...99) < percent }
}
