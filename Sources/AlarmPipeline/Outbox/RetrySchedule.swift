import IncidentCore

/// When a notice that a target has not accepted is tried again. Source: escalation document sections 0 and 3.
enum RetrySchedule: Sendable {
    /// Raising the alarm for a life: quickly, then for ever, until accepted or a human has taken over.
    case lifeSafety
    /// Everything else: with growing pauses, then given up.
    case ordinary

    /// The pause before attempt `index` + 1.
    private static let lifeSafetyMilliseconds: [Int64] = [0, 1000, 2000, 4000, 8000, 15_000]
    private static let ordinaryMilliseconds: [Int64] = [
        0, 5000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000, 86_400_000,
    ]
    /// A target that asks for a longer pause does not get it for a life-safety notice (promise P3).
    static let longestLifeSafetyPauseMilliseconds: Int64 = 60_000
    /// Shorter pauses are kept exact.
    private static let jitterFromMilliseconds: Int64 = 15_000

    init(_ notice: Notice) {
        self = notice.incident.service.isLifeSafety && notice.raisesAlarm ? .lifeSafety : .ordinary
    }

    /// No pause is longer, whatever the wall clock has done since it was written down.
    var longestPauseMilliseconds: Int64 {
        self == .lifeSafety ? Self.longestLifeSafetyPauseMilliseconds : 2 * 86_400_000
    }

    /// The pause after `attempts` failed attempts, or nil to give up.
    ///
    /// - Parameters:
    ///   - attempts: How many were made, 1 or more.
    ///   - asked: The pause that the target asked for.
    ///   - jitter: A factor from 0.8 to 1.2, so that many notices do not return at the same instant.
    func pauseMilliseconds(afterAttempts attempts: Int, asked: Int?, jitter: Double) -> Int64? {
        let schedule = self == .lifeSafety ? Self.lifeSafetyMilliseconds : Self.ordinaryMilliseconds
        guard attempts < schedule.count || self == .lifeSafety else { return nil }
        let base = schedule[min(attempts, schedule.count - 1)]
        let pause = base < Self.jitterFromMilliseconds ? base : Int64(Double(base) * min(max(jitter, 0.8), 1.2))
        let wanted = max(pause, asked.map { Int64(min(max($0, 0), 86_400_000)) } ?? 0)
        return self == .lifeSafety ? min(wanted, Self.longestLifeSafetyPauseMilliseconds) : wanted
    }
}

extension Notice {
    /// True for facts that call for a human; they end when one has taken over.
    var raisesAlarm: Bool {
        switch kind {
        case .opened, .updated, .escalated: true
        case .acknowledged, .handedOver, .cancelled, .due, .closed: false
        }
    }
}
