public import CoreMetrics
import Synchronization

/// The metrics backend: keeps every series in memory and renders the Prometheus text format 0.0.4.
///
/// All listed metrics exist from the start with every combination of label values at zero. A label value outside its
/// list becomes `other`; metrics that are not listed (those of libraries) are kept up to `maximumUnlistedSeries`.
/// Thread-safe: handles are lock-free counters and gauges, histograms take a short lock.
public final class PrometheusRegistry: MetricsFactory, Sendable {
    /// Series of metrics that are not in the list, before further ones are ignored (promise P6).
    public static let maximumUnlistedSeries = 1_000
    /// The value of the HTTP header `Content-Type`.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    struct Family {
        var definition: MetricDefinition
        var isListed: Bool
        /// Keyed by label values in the order of the definition's labels.
        var series: [[String]: any PrometheusSeries] = [:]
    }

    private struct State {
        var families: [String: Family] = [:]
        var unlistedSeries = 0
    }

    private let state: Mutex<State>

    /// - Parameters:
    ///   - definitions: the metrics to create.
    ///   - configured: values of the labels that the configuration fills, by label name: `["channel": ["care-hub"]]`.
    public init(_ definitions: [MetricDefinition] = GatewayMetric.all, configured: [String: [String]] = [:]) {
        var state = State()
        for definition in definitions {
            state.families[definition.name] = Family(definition: definition, isListed: true)
        }
        self.state = Mutex(state)
        for definition in definitions where !definition.labels.contains(where: \.values.isEmpty) {
            self.state.withLock { $0.families[definition.name]?.createAll() }
        }
        for (label, values) in configured { declare(label, values: values) }
    }

    /// Adds values to a label that the configuration fills, after a reload; series appear at zero, none disappears.
    public func declare(_ label: String, values: [String]) {
        state.withLock { state in
            for name in state.families.keys {
                state.families[name]?.declare(label, values: values)
            }
        }
    }

    /// The present value of a counter or gauge; nil when there is no such series.
    public func value(_ name: String, _ labelValues: String...) -> Double? {
        let series = state.withLock { $0.families[name]?.series[labelValues] }
        if case .value(let value)? = series?.samples() { return value }
        return nil
    }

    /// Sum over all series of a counter or gauge; 0 for an unknown name.
    public func total(_ name: String) -> Double {
        let series = state.withLock { $0.families[name].map { Array($0.series.values) } ?? [] }
        return series.reduce(0) { sum, series in
            if case .value(let value) = series.samples() { return sum + value }
            return sum
        }
    }

    /// The whole exposition, families and series in the order of their names.
    public func exposition() -> String {
        let families = state.withLock { Array($0.families.values) }
        var text = ""
        for family in families.sorted(by: { $0.definition.name < $1.definition.name }) where !family.series.isEmpty {
            PrometheusText.write(family, to: &text)
        }
        return text
    }
}

extension PrometheusRegistry {
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions, orElse: .counter) as? any CounterHandler ?? NOOPMetricsHandler.instance
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, orElse: .gauge) as? any MeterHandler ?? NOOPMetricsHandler.instance
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        let kind: MetricDefinition.Kind = aggregate ? .histogram(buckets: Self.unlistedBuckets) : .gauge
        return series(label, dimensions, orElse: kind) as? any RecorderHandler ?? NOOPMetricsHandler.instance
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let kind = MetricDefinition.Kind.histogram(buckets: Self.unlistedBuckets)
        return series(label, dimensions, orElse: kind) as? any TimerHandler ?? NOOPMetricsHandler.instance
    }

    // Series live as long as the process: a counter that vanishes and returns reads as a reset.
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}

    private static let unlistedBuckets = [0.001, 0.01, 0.1, 1, 10]

    /// The series for these labels; nil when the label names differ or there is no room.
    private func series(
        _ name: String, _ dimensions: [(String, String)], orElse kind: MetricDefinition.Kind
    ) -> (any PrometheusSeries)? {
        state.withLock { state in
            let name = state.families[name] == nil ? PrometheusText.metricName(name) : name
            var family =
                state.families[name]
                ?? Family(
                    definition: MetricDefinition(
                        name, "Not listed by the gateway.", kind,
                        labels: dimensions.map { MetricLabel(PrometheusText.labelName($0.0)) }),
                    isListed: false)
            guard let key = family.key(dimensions) else { return nil }
            if let existing = family.series[key] { return existing }
            if !family.isListed {
                guard state.unlistedSeries < Self.maximumUnlistedSeries else { return nil }
                state.unlistedSeries += 1
            }
            let series = family.create(key)
            state.families[name] = family
            return series
        }
    }
}

extension PrometheusRegistry.Family {
    /// The label values in the order of the definition; nil when the label names are not those of the definition.
    func key(_ dimensions: [(String, String)]) -> [String]? {
        guard dimensions.count == definition.labels.count else { return nil }
        var key: [String] = []
        for label in definition.labels {
            guard let value = dimensions.first(where: { PrometheusText.labelName($0.0) == label.name })?.1 else {
                return nil
            }
            let isAllowed = !isListed || label.values.contains(value)
            key.append(isAllowed ? value : MetricDefinition.other)
        }
        return key
    }

    mutating func create(_ key: [String]) -> any PrometheusSeries {
        if let existing = series[key] { return existing }
        let new: any PrometheusSeries =
            switch definition.kind {
            case .counter: PrometheusCounter()
            case .gauge: PrometheusGauge()
            case .histogram(let buckets): PrometheusHistogram(buckets: buckets)
            }
        series[key] = new
        return new
    }

    /// Every combination of label values.
    mutating func createAll() {
        var keys: [[String]] = [[]]
        for label in definition.labels {
            keys = keys.flatMap { key in label.values.map { key + [$0] } }
        }
        for key in keys { _ = create(key) }
    }

    mutating func declare(_ label: String, values: [String]) {
        guard isListed, let index = definition.labels.firstIndex(where: { $0.name == label }) else { return }
        for value in values where !definition.labels[index].values.contains(value) {
            definition.labels[index].values.append(value)
        }
        createAll()
    }
}
