import Glibc
public import TerminalModel

/// The directory through which gateway and siren speak; what stands in it outlives both, and the machine.
///
///     latch              why the siren sounds; no file, no sound
///     silence            a rest of at most two minutes
///     acknowledgements   given at the siren, taken over by the gateway
///     test-request       the gateway's wish for a self-test, until the siren takes it
///     self-test          how the last self-test ended
///     watched            locked while a siren runs
///     lock               held by whoever changes one of them
///
/// Each file is written beside its place, synced, renamed and its directory synced, so that a reader, and the machine
/// after a power cut, finds the old or the new content and never half of one. Who may write in the directory may set and
/// clear the latch: the user and group of the gateway. Source: DESIGN section 2 (P3), escalation document section 5.
public struct LatchDirectory: Sendable {
    public let path: String

    public init(path: String) {
        self.path = path
    }

    private var latchPath: String { path + "/latch" }
    private var silencePath: String { path + "/silence" }
    private var acknowledgementsPath: String { path + "/acknowledgements" }

    // MARK: - Reading

    public func latch() -> LatchState {
        switch FileContents.read(latchPath) {
        case .absent: return .clear
        case .failed(let code):
            return .damaged("cannot read \(latchPath): \(String(cString: strerror(code)))")
        case .bytes(let bytes):
            guard let latch = Latch(text: String(decoding: bytes, as: UTF8.self)) else {
                return .damaged("\(latchPath) names no generation")
            }
            return .set(latch)
        }
    }

    /// nil when there is none, or none that can be read: then the siren sounds.
    public func silence() -> Silence? {
        guard case .bytes(let bytes) = FileContents.read(silencePath) else { return nil }
        return Silence(text: String(decoding: bytes, as: UTF8.self))
    }

    /// What was acknowledged at the siren and not taken over yet, the oldest first.
    public func acknowledgements() -> [LatchAcknowledgement] {
        guard case .bytes(let bytes) = FileContents.read(acknowledgementsPath) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap {
            LatchAcknowledgement(line: $0)
        }
    }

    // MARK: - The gateway's side

    /// Sets the latch; with `isNewPress` the generation grows and ends every silence.
    ///
    /// - Returns: what stands in the file now.
    /// - Throws: when it cannot be written and synced.
    @discardableResult
    public func set(incidents: [String], isNewPress: Bool, at: Timestamp, now: BootTime) throws(LatchError) -> Latch {
        try withLock { () throws(LatchError) in
            var latch = Latch(generation: 1, at: at, since: now, incidents: incidents)
            if case .set(let present) = self.latch() {
                latch = Latch(
                    generation: present.generation &+ (isNewPress ? 1 : 0), at: present.at, since: present.since,
                    incidents: incidents)
                if latch == present { return present }
            } else if let silence = silence() {
                // A rest that was asked for during an earlier latch must not fit the new one.
                latch.generation = silence.generation &+ 1
            }
            try write(latch.text, to: latchPath)
            return latch
        }
    }

    /// Ends the sound: a human has taken over everything that was open.
    public func clear() throws(LatchError) {
        try withLock { () throws(LatchError) in try remove(latchPath) }
    }

    /// Forgets acknowledgements once the gateway has stored what they say.
    public func forget(_ taken: [LatchAcknowledgement]) throws(LatchError) {
        guard !taken.isEmpty else { return }
        try withLock { () throws(LatchError) in
            let rest = acknowledgements().filter { !taken.contains($0) }
            if rest.isEmpty {
                try remove(acknowledgementsPath)
            } else {
                try write(rest.map(\.line).joined(), to: acknowledgementsPath)
            }
        }
    }

    // MARK: - The humans' side

    /// What became of the wish for a rest.
    public enum SilenceAnswer: Sendable, Equatable {
        case given(Silence)
        case notSounding
        /// So long until the next one may be asked for.
        case tooSoon(milliseconds: Int64)
    }

    /// Lets the siren rest; it is not an acknowledgement.
    ///
    /// - Parameter milliseconds: 1...`Silence.maximumMilliseconds`; a longer one is cut to that.
    public func silence(for milliseconds: Int64, by: String, now: BootTime) throws(LatchError) -> SilenceAnswer {
        try withLock { () throws(LatchError) in
            guard case .set(let latch) = latch() else { return .notSounding }
            if let last = silence(), last.generation == latch.generation,
                let rest = last.until.milliseconds(since: now), rest > -Silence.soundBetweenMilliseconds
            {
                return .tooSoon(milliseconds: rest + Silence.soundBetweenMilliseconds)
            }
            let span = min(max(1, milliseconds), Silence.maximumMilliseconds)
            let silence = Silence(
                generation: latch.generation, until: now.adding(milliseconds: span),
                by: String(by.map { $0.isNewline ? " " : $0 }))
            try write(silence.text, to: silencePath)
            return .given(silence)
        }
    }

    /// A human takes over at the siren, for the times when no gateway runs: written down for the gateway first, then the
    /// siren rests for good.
    ///
    /// - Returns: the incidents that were acknowledged; empty when the siren did not sound.
    public func acknowledge(by: String, unixUser: String, reason: String, at: Timestamp) throws(LatchError) -> [String]
    {
        try withLock { () throws(LatchError) in
            let incidents: [String]
            switch latch() {
            case .clear: return []
            case .set(let latch): incidents = latch.incidents
            case .damaged: incidents = []
            }
            let acknowledgement = LatchAcknowledgement(
                at: at, by: by, unixUser: unixUser, reason: reason, incidents: incidents)
            let all = acknowledgements() + [acknowledgement]
            try write(all.map(\.line).joined(), to: acknowledgementsPath)
            try remove(latchPath)
            return incidents
        }
    }
}
