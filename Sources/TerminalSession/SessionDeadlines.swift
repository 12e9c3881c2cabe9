/// The time limits of one connection: first frame, unfinished frame, idleness. All times are monotonic milliseconds.
struct SessionDeadlines: Sendable {
    /// When the last valid frame came; before the first one, when the connection was opened.
    private var heardAt: Int64
    /// When the bytes of an unfinished frame began to wait; bytes that trickle in do not move it.
    private var unfinishedSince = Self.never
    private var hasHeardFrame = false

    private static let never = Int64.max

    init(openedAt: Int64) {
        heardAt = openedAt
    }

    /// A valid frame came.
    mutating func heardFrame(now: Int64) {
        heardAt = now
        hasHeardFrame = true
    }

    /// Says whether a begun frame waits for its rest.
    mutating func waitsForRest(_ waits: Bool, now: Int64) {
        if !waits {
            unfinishedSince = Self.never
        } else if unfinishedSince == Self.never {
            unfinishedSince = now
        }
    }

    /// What was begun is given up.
    mutating func forgetRest() {
        unfinishedSince = Self.never
    }

    func next(_ limits: SessionLimits) -> Int64 {
        let silence = heardAt + (hasHeardFrame ? limits.idleMilliseconds : limits.firstFrameMilliseconds)
        return min(silence, rest(limits))
    }

    /// When a begun frame must be complete; never, when none is begun.
    func rest(_ limits: SessionLimits) -> Int64 {
        unfinishedSince == Self.never ? Self.never : unfinishedSince + limits.frameCompletionMilliseconds
    }

    /// Why the connection should end now, nil while it may go on.
    func due(_ limits: SessionLimits, now: Int64) -> SessionCloseReason? {
        if now >= rest(limits) { return .slowFrame }
        if hasHeardFrame { return now >= heardAt + limits.idleMilliseconds ? .idle : nil }
        return now >= heardAt + limits.firstFrameMilliseconds ? .noFirstFrame : nil
    }
}
