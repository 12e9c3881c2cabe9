import SirenPlayer
import Testing

/// The sound itself: pitch, speed and smoothness.
struct SirenSweepTests {
    private static let rate = 48_000

    private func samples(_ sound: SirenSound, seconds: Double) -> [Int16] {
        var sweep = SirenSweep(samplesPerSecond: Self.rate)
        var all: [Int16] = []
        var chunk = [Int16](repeating: 0, count: 960)
        while Double(all.count) < seconds * Double(Self.rate) {
            sweep.fill(&chunk, with: sound, volume: 1)
            all += chunk
        }
        return all
    }

    /// Pitch from one upward crossing of zero to the next.
    private func pitches(_ samples: [Int16]) -> [Double] {
        var last: Double?
        var found: [Double] = []
        for index in 1..<samples.count where samples[index - 1] < 0 && samples[index] >= 0 {
            let before = Double(samples[index - 1])
            let place = Double(index - 1) + before / (before - Double(samples[index]))
            if let last { found.append(Double(Self.rate) / (place - last)) }
            last = place
        }
        return found
    }

    @Test(arguments: [(SirenSound.yelp, 3.0), (.wail, 0.25)])
    func sweepsBetweenItsBounds(sound: SirenSound, sweepsPerSecond: Double) {
        let found = pitches(samples(sound, seconds: 8))
        #expect(abs((found.min() ?? 0) - SirenSweep.lowestHertz) < 15)
        #expect(abs((found.max() ?? 0) - SirenSweep.highestHertz) < 15)
        let middle = (SirenSweep.lowestHertz + SirenSweep.highestHertz) / 2
        let rises = zip(found, found.dropFirst()).count { $0 < middle && $1 >= middle }
        #expect(abs(Double(rises) - 8 * sweepsPerSecond) <= 1)
    }

    @Test func theSelfTestIsOneSteadyTone() {
        let found = pitches(samples(.selfTest, seconds: 1))
        #expect(found.allSatisfy { abs($0 - 1000) < 5 })
    }

    /// A jump would click and tear the sweep: no step is steeper than the highest pitch can be.
    @Test(arguments: [SirenSound.yelp, .wail, .selfTest]) func neverJumps(sound: SirenSound) {
        let all = samples(sound, seconds: 2)
        let steepest = zip(all, all.dropFirst()).map { abs(Int($1) - Int($0)) }.max() ?? 0
        let bound = 32_767.0 * (0.8 + 3 * 0.15) * 2 * .pi * SirenSweep.highestHertz / Double(Self.rate)
        #expect(Double(steepest) <= bound)
    }

    @Test func changesItsSoundWithoutAJump() {
        var sweep = SirenSweep(samplesPerSecond: Self.rate)
        var first = [Int16](repeating: 0, count: 960)
        var second = first
        sweep.fill(&first, with: .yelp, volume: 1)
        sweep.fill(&second, with: .wail, volume: 1)
        let bound = 32_767.0 * (0.8 + 3 * 0.15) * 2 * .pi * SirenSweep.highestHertz / Double(Self.rate)
        #expect(abs(Double(second[0]) - Double(first[959])) <= bound)
    }

    @Test func volumeScales() {
        var sweep = SirenSweep(samplesPerSecond: Self.rate)
        var loud = [Int16](repeating: 0, count: 960)
        sweep.fill(&loud, with: .yelp, volume: 0.5)
        let peak = loud.map { abs(Int($0)) }.max() ?? 0
        #expect(peak > 10_000 && peak <= 16_384)
    }
}
