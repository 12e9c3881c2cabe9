import CoreMetrics
import Synchronization

/// One series of a family: what a handle writes to and the exporter reads.
protocol PrometheusSeries: Sendable {
    func samples() -> SeriesSamples
}

enum SeriesSamples {
    case value(Double)
    /// Counts of each bucket (not cumulative), the last one `+Inf`.
    case histogram(counts: [UInt64], sum: Double)
}

final class PrometheusCounter: CounterHandler, PrometheusSeries {
    private let value = Atomic<Int64>(0)

    /// Negative amounts are a mistake of the caller and are left out; at the end of its range the counter stays.
    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        value.wrappingAdd(amount, ordering: .relaxed)
    }

    func reset() {
        value.store(0, ordering: .relaxed)
    }

    func samples() -> SeriesSamples {
        .value(Double(value.load(ordering: .relaxed)))
    }
}

final class PrometheusGauge: MeterHandler, RecorderHandler, PrometheusSeries {
    private let bits = Atomic<UInt64>(0)

    func set(_ value: Int64) { set(Double(value)) }

    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    func increment(by amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let attempt = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if attempt.exchanged { return }
            old = attempt.original
        }
    }

    func decrement(by amount: Double) { increment(by: -amount) }

    func record(_ value: Int64) { set(Double(value)) }

    func record(_ value: Double) { set(value) }

    func samples() -> SeriesSamples {
        .value(Double(bitPattern: bits.load(ordering: .relaxed)))
    }
}

final class PrometheusHistogram: TimerHandler, RecorderHandler, PrometheusSeries {
    private struct State {
        var counts: [UInt64]
        var sum: Double
    }

    private let buckets: [Double]
    private let state: Mutex<State>

    init(buckets: [Double]) {
        self.buckets = buckets
        self.state = Mutex(State(counts: Array(repeating: 0, count: buckets.count + 1), sum: 0))
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard !value.isNaN else { return }
        // Few buckets, and the common ones come first: a linear search is the fast one.
        let index = buckets.firstIndex { value <= $0 } ?? buckets.count
        state.withLock {
            $0.counts[index] += 1
            $0.sum += value
        }
    }

    func samples() -> SeriesSamples {
        state.withLock { .histogram(counts: $0.counts, sum: $0.sum) }
    }
}
