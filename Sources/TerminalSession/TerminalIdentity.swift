import TerminalModel

/// Who speaks and how far that is proven (promise P6), with what helps to know a frame again.
struct TerminalIdentity: Sendable {
    let terminal: TerminalID
    private(set) var trust = Trust.unknown
    /// It showed the right secret on this connection; that verifies it as soon as the site lists it.
    private(set) var hasProvedItself = false
    /// It has a secret here, so that its id alone is not enough whatever its model allows.
    var needsProof = false
    /// What the directory had seen when it was asked last.
    private var generation: UInt32 = 0
    private var lookedUpAt: Int64
    /// Frames with alarms or keys: one that comes again is a retransmission.
    var recentAlarmFrames = RecentFrames()

    /// A terminal that has just been listed or assigned is recognised at most this much later.
    static let lookUpAgainMilliseconds: Int64 = 5_000

    /// Nothing is known before `lookUp`.
    init(_ terminal: TerminalID, now: Int64) {
        self.terminal = terminal
        lookedUpAt = now
    }

    /// Asks the directory.
    ///
    /// - Returns: what a protocol's profile is made from.
    mutating func lookUp(in environment: SessionEnvironment, now: Int64) -> TerminalFacts {
        generation = environment.directory.generation
        lookedUpAt = now
        let known = environment.directory[terminal]
        trust = trust(of: known)
        guard let known else { return TerminalFacts() }
        return TerminalFacts(
            model: environment.modelProfile(known.model), utcOffsetMinutes: known.utcOffsetMinutes)
    }

    /// Asks again after something has changed in the directory; nil when what is known still holds.
    mutating func lookUpIfChanged(in environment: SessionEnvironment, now: Int64) -> TerminalFacts? {
        guard environment.directory.generation != generation, now - lookedUpAt >= Self.lookUpAgainMilliseconds else {
            return nil
        }
        return lookUp(in: environment, now: now)
    }

    /// The terminal showed its secret; one that proved itself and now shows another has proved nothing any more. Look it up
    /// afterwards.
    mutating func showedSecret(isRight: Bool) {
        hasProvedItself = isRight
    }

    /// False for a terminal of which only alarms and keys are kept.
    func isServed(by environment: SessionEnvironment) -> Bool {
        trust != .unknown || environment.unknownTerminals == .accept
    }

    private func trust(of known: KnownTerminal?) -> Trust {
        guard let known, known.isListed else { return .unknown }
        if hasProvedItself { return .verified }
        return known.trustedByID && !needsProof ? .byID : .claimed
    }
}

/// What the site knows of a terminal; the defaults are those of one of which it knows nothing.
struct TerminalFacts: Sendable, Equatable {
    var model = ModelProfile.standard
    /// Minutes east of UTC of the terminal's clock.
    var utcOffsetMinutes = 480
}

/// Hashes of the last few frames, newest last. Empty, it takes no heap.
struct RecentFrames: Sendable {
    /// More retransmissions than this are not in flight at once: each waits for its answer.
    static let maximumCount = 8

    private var hashes: [UInt64] = []

    init() {}

    /// Remembers a frame and tells whether it was there already.
    mutating func hasSeen(_ hash: UInt64) -> Bool {
        guard !hashes.contains(hash) else { return true }
        if hashes.count == Self.maximumCount { hashes.removeFirst() }
        hashes.append(hash)
        return false
    }
}
