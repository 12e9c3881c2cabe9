/// When the reports of one process leave: fixed before the first one, so that waiting counts as waiting.
///
/// Arrivals of each kind are spread evenly and moved up to the next point of a grid of one millisecond, because a sleep is no
/// more exact than its wake-up and a wake-up for each report would cost more than the report. With several reports in flight
/// an arrival is that many reports of one terminal.
struct LoadSchedule: Sendable, Equatable {
    static let gridNanoseconds: Int64 = 1_000_000

    let durationNanoseconds: Int64
    /// The last wake-up: reports that follow answers go on to the end.
    let lastNanoseconds: Int64
    private let ordinaryGap: Double
    private let sosGap: Double
    private let phase: Double

    /// Arrivals of ordinary reports.
    let ordinaryCount: Int
    let sosCount: Int

    init(_ options: LoadOptions) {
        let part = Double(options.ownTerminals.count) / Double(options.terminals)
        durationNanoseconds = Int64(options.durationSeconds * 1e9)
        lastNanoseconds = options.saturates ? durationNanoseconds : 0
        // Reports that follow answers have no times.
        let arrivals = options.saturates ? 0 : options.reportsPerSecond / Double(options.inFlight)
        ordinaryGap = 1e9 / (arrivals * part)
        sosGap = 1e9 / (options.sosPerSecond * part)
        phase = (Double(options.share.index) + 0.5) / Double(options.share.count)
        func count(_ gap: Double, _ phase: Double, _ duration: Int64) -> Int {
            gap.isFinite ? max(0, Int((Double(duration) / gap - phase).rounded(.up))) : 0
        }
        ordinaryCount = count(ordinaryGap, phase, durationNanoseconds)
        sosCount = count(sosGap, phase, durationNanoseconds)
    }

    /// When ordinary arrival `index` is due, in nanoseconds from the start; nil behind the last one.
    func ordinary(_ index: Int) -> Int64? {
        index < ordinaryCount ? Self.onGrid((Double(index) + phase) * ordinaryGap) : nil
    }

    /// The same for SOS reports.
    func sos(_ index: Int) -> Int64? {
        index < sosCount ? Self.onGrid((Double(index) + phase) * sosGap) : nil
    }

    private static func onGrid(_ time: Double) -> Int64 {
        (Int64(time) + gridNanoseconds - 1) / gridNanoseconds * gridNanoseconds
    }
}
