public import CoreMetrics

/// One label of a metric and every value it may have; anything else is counted as `other` (promise P6).
public struct MetricLabel: Sendable, Equatable {
    public var name: String
    /// Empty for a label whose values come from the configuration, such as the names of targets.
    public var values: [String]

    public init(_ name: String, _ values: [String] = []) {
        self.name = name
        self.values = values
    }
}

/// What is measured: name, help text, kind and bounded labels. Names: `yidiantong_<thing>_<unit>[_total]`, base units.
public struct MetricDefinition: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        case counter
        case gauge
        /// Upper bounds in ascending order; `+Inf` is added.
        case histogram(buckets: [Double])
    }

    public var name: String
    public var help: String
    public var kind: Kind
    public var labels: [MetricLabel]

    public init(_ name: String, _ help: String, _ kind: Kind, labels: [MetricLabel] = []) {
        self.name = name
        self.help = help
        self.kind = kind
        self.labels = labels
    }

    /// Pairs the values with the labels in the order of the definition; missing values are `other`.
    func dimensions(_ values: [String]) -> [(String, String)] {
        labels.enumerated().map { ($1.name, $0 < values.count ? values[$0] : MetricDefinition.other) }
    }

    static let other = "other"
}

/// A number that only grows.
public struct CounterMetric: Sendable {
    public let definition: MetricDefinition

    /// The handle for one combination of label values, in the order of the definition; keep it, asking costs a lock.
    public func counter(_ values: String..., factory: any MetricsFactory = MetricsSystem.factory) -> Counter {
        Counter(label: definition.name, dimensions: definition.dimensions(values), factory: factory)
    }
}

/// A number that goes up and down.
public struct GaugeMetric: Sendable {
    public let definition: MetricDefinition

    /// See `CounterMetric.counter`.
    public func gauge(_ values: String..., factory: any MetricsFactory = MetricsSystem.factory) -> Meter {
        Meter(label: definition.name, dimensions: definition.dimensions(values), factory: factory)
    }
}

/// A distribution of durations, shown in seconds.
public struct DurationMetric: Sendable {
    public let definition: MetricDefinition

    /// See `CounterMetric.counter`; record with `recordNanoseconds` or `recordMilliseconds`.
    public func timer(_ values: String..., factory: any MetricsFactory = MetricsSystem.factory) -> Timer {
        Timer(label: definition.name, dimensions: definition.dimensions(values), factory: factory)
    }
}

/// A distribution of counts.
public struct SizeMetric: Sendable {
    public let definition: MetricDefinition

    /// See `CounterMetric.counter`.
    public func recorder(_ values: String..., factory: any MetricsFactory = MetricsSystem.factory) -> Recorder {
        Recorder(label: definition.name, dimensions: definition.dimensions(values), factory: factory)
    }
}
