import Glibc

/// What the siren plays.
public enum SirenSound: Sendable, Equatable {
    /// Sweeps up and down three times a second: an SOS nobody has taken over.
    case yelp
    /// One sweep in four seconds: nobody has taken over for a minute.
    case wail
    /// A steady tone, once a day.
    case selfTest

    /// Full sweeps, up and down, in one second; 0 stays at one pitch.
    var sweepsPerSecond: Double {
        switch self {
        case .yelp: 3
        case .wail: 0.25
        case .selfTest: 0
        }
    }
}

/// Makes the sound sample by sample; its phase runs on from chunk to chunk and from sound to sound, so that nothing clicks.
///
/// The pitch moves on a straight line between `lowestHertz` and `highestHertz`: below what old ears lose first.
/// Source: escalation document section 5, table "Sounds".
public struct SirenSweep: Sendable {
    public static let lowestHertz = 650.0
    public static let highestHertz = 1650.0
    static let selfTestHertz = 1000.0
    /// Of full scale; the rest is room for the third harmonic.
    static let fundamental = 0.8
    static let thirdHarmonic = 0.15

    public let samplesPerSecond: Double
    /// Parts of a turn, 0..<1.
    private var phase = 0.0
    /// Where in its up and down the sweep is, 0..<1; 0.5 is the top.
    private var sweep = 0.0

    public init(samplesPerSecond: Int) {
        self.samplesPerSecond = Double(samplesPerSecond)
    }

    /// Fills `samples` with signed 16-bit values at `volume`, 0...1 of full scale.
    public mutating func fill(_ samples: inout [Int16], with sound: SirenSound, volume: Double) {
        let sweepStep = sound.sweepsPerSecond / samplesPerSecond
        for index in samples.indices {
            let height = sweep < 0.5 ? sweep * 2 : 2 - sweep * 2
            let hertz =
                sound == .selfTest
                ? Self.selfTestHertz : Self.lowestHertz + (Self.highestHertz - Self.lowestHertz) * height
            let angle = phase * 2 * .pi
            let value = Self.fundamental * sin(angle) + Self.thirdHarmonic * sin(3 * angle)
            samples[index] = Int16((value * volume * 32_767).rounded())
            phase = (phase + hertz / samplesPerSecond).truncatingRemainder(dividingBy: 1)
            sweep = (sweep + sweepStep).truncatingRemainder(dividingBy: 1)
        }
    }
}
