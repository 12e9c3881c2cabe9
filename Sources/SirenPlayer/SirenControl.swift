public import SirenLatch

/// Says from the latch what should be heard now.
public struct SirenControl: Sendable {
    /// The yelp turns into a wail after this.
    static let yelpMilliseconds: Int64 = 60_000

    private let directories: [LatchDirectory]

    /// - Parameter directories: The durable one first, then the one in memory for when the disk is full or hangs. The
    ///   siren sounds while any of them says so.
    public init(directories: [LatchDirectory]) {
        self.directories = directories
    }

    /// nil while all is quiet.
    public func sound(at now: BootTime) -> SirenSound? {
        var loudest: SirenSound?
        for directory in directories {
            switch directory.latch() {
            case .clear: continue
            // Nobody knows since when: the nearer sound.
            case .damaged: return .yelp
            case .set(let latch):
                if directory.silence()?.covers(latch, at: now) == true { continue }
                // Another boot's moment is longer ago than a minute.
                let age = now.milliseconds(since: latch.since) ?? .max
                if age < Self.yelpMilliseconds { return .yelp }
                loudest = .wail
            }
        }
        return loudest
    }
}
