import CoreMetrics
import GatewayTelemetry

/// The handles of one database's metrics.
struct CommitMetrics: Sendable {
    private let ok: Counter
    private let bad: Counter
    private let time: Timer
    private let rows: Recorder
    private let healthy: Meter
    private let window: Meter
    private let gaveWay: Counter

    init(database: String) {
        ok = GatewayMetric.commits.counter(database, "ok")
        bad = GatewayMetric.commits.counter(database, "failed")
        time = GatewayMetric.commitDuration.timer(database)
        rows = GatewayMetric.commitRows.recorder(database)
        healthy = GatewayMetric.storeHealthy.gauge(database)
        healthy.set(1)
        window = GatewayMetric.commitWindow.gauge(database)
        gaveWay = GatewayMetric.commitsStoodBack.counter(database)
    }

    func committed(rows count: Int, in duration: Duration) {
        ok.increment()
        rows.record(count)
        time.recordNanoseconds(Int64(duration / .nanoseconds(1)))
    }

    func failed() { bad.increment() }

    /// How long the next commit waits for more.
    func setWindow(milliseconds: Int64) { window.set(Double(milliseconds) / 1000) }

    /// A commit waited until alarms were on the disk.
    func stoodBack() { gaveWay.increment() }

    func setHealthy(_ isHealthy: Bool) { healthy.set(isHealthy ? 1 : 0) }
}
