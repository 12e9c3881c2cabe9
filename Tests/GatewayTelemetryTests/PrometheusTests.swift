import CoreMetrics
import GatewayTelemetry
import Testing

@Suite struct PrometheusTests {
    @Test func everyListedSeriesStandsAtZeroFromTheStart() {
        let registry = PrometheusRegistry(configured: ["channel": ["care-hub", "dispatch-120"], "version": ["1.0"]])
        let text = registry.exposition()
        for definition in GatewayMetric.all {
            #expect(text.contains("# HELP \(definition.name) \(definition.help)\n# TYPE \(definition.name) "))
        }
        #expect(text.contains("yidiantong_frames_rejected_total{protocol=\"jt808\",reason=\"bad_integrity\"} 0\n"))
        #expect(text.contains("yidiantong_escalation_attempts_total{channel=\"care-hub\",outcome=\"accepted\"} 0\n"))
        #expect(text.contains("yidiantong_escalation_latency_seconds_count{channel=\"dispatch-120\"} 0\n"))
        #expect(text.contains("yidiantong_build_info{version=\"1.0\"} 0\n"))
    }

    @Test func namesFollowTheRules() {
        for definition in GatewayMetric.all {
            #expect(definition.name.wholeMatch(of: /yidiantong_[a-z0-9_]+/) != nil)
            #expect(definition.name.hasSuffix("_total") == (definition.kind == .counter), "\(definition.name)")
            #expect(definition.help.hasSuffix("."))
            #expect(!definition.labels.contains { $0.name.contains("terminal") })
        }
        #expect(Set(GatewayMetric.all.map(\.name)).count == GatewayMetric.all.count)
    }

    @Test func handlesOfOneSeriesShareItsValue() {
        let registry = PrometheusRegistry()
        GatewayMetric.framesReceived.counter("jt808", factory: registry).increment(by: 3)
        GatewayMetric.framesReceived.counter("jt808", factory: registry).increment()
        GatewayMetric.terminalsConnected.gauge("tcp", factory: registry).set(19_000)
        GatewayMetric.terminalsConnected.gauge("tcp", factory: registry).decrement(by: 0.5)
        #expect(registry.value("yidiantong_frames_received_total", "jt808") == 4)
        #expect(registry.value("yidiantong_terminals_connected", "tcp") == 18_999.5)
        #expect(registry.exposition().contains("yidiantong_terminals_connected{transport=\"tcp\"} 18999.5\n"))
    }

    @Test func valuesOutsideTheListAreCountedTogether() {
        let registry = PrometheusRegistry(configured: ["channel": ["care-hub"]])
        for name in ["no-such", "nor-this"] {
            GatewayMetric.escalationAttempts.counter(name, "accepted", factory: registry).increment()
        }
        #expect(registry.value("yidiantong_escalation_attempts_total", "other", "accepted") == 2)
        #expect(registry.total("yidiantong_escalation_attempts_total") == 2)
        registry.declare("channel", values: ["no-such"])
        GatewayMetric.escalationAttempts.counter("no-such", "accepted", factory: registry).increment()
        #expect(registry.value("yidiantong_escalation_attempts_total", "no-such", "accepted") == 1)
    }

    @Test func durationsFallIntoCumulativeBuckets() {
        let registry = PrometheusRegistry()
        let timer = GatewayMetric.alarmToCommit.timer(factory: registry)
        for milliseconds: Int64 in [1, 19, 20, 90_000] { timer.recordMilliseconds(milliseconds) }
        let text = registry.exposition()
        #expect(text.contains("yidiantong_alarm_to_commit_seconds_bucket{le=\"0.001\"} 1\n"))
        #expect(text.contains("yidiantong_alarm_to_commit_seconds_bucket{le=\"0.01\"} 1\n"))
        #expect(text.contains("yidiantong_alarm_to_commit_seconds_bucket{le=\"0.02\"} 3\n"))
        #expect(text.contains("yidiantong_alarm_to_commit_seconds_bucket{le=\"60\"} 3\n"))
        #expect(text.contains("yidiantong_alarm_to_commit_seconds_bucket{le=\"+Inf\"} 4\n"))
        #expect(text.contains("yidiantong_alarm_to_commit_seconds_sum 90.04\n"))
        #expect(text.contains("yidiantong_alarm_to_commit_seconds_count 4\n"))
    }

    @Test func textIsEscaped() {
        let odd = MetricDefinition("odd", "back\\slash\nline", .gauge, labels: [MetricLabel("name", ["a\"b\\c\nd"])])
        let registry = PrometheusRegistry([odd])
        #expect(
            registry.exposition()
                == "# HELP odd back\\\\slash\\nline\n# TYPE odd gauge\nodd{name=\"a\\\"b\\\\c\\nd\"} 0\n")
    }

    @Test func metricsOfLibrariesAreKeptUpToALimit() {
        let registry = PrometheusRegistry([])
        for index in 0...PrometheusRegistry.maximumUnlistedSeries {
            Counter(label: "http.requests", dimensions: [("path", "\(index)")], factory: registry).increment()
        }
        #expect(registry.total("http_requests") == Double(PrometheusRegistry.maximumUnlistedSeries))
        // The same name as another kind is a mistake of a library, not a reason to stop.
        Meter(label: "http.requests", dimensions: [("path", "1")], factory: registry).set(5)
        #expect(registry.value("http_requests", "1") == 1)
    }

    /// The shape that a scraper insists on: one HELP and TYPE a family, before its samples, families not torn apart.
    @Test func everyLineIsWellFormed() throws {
        let registry = PrometheusRegistry(configured: ["channel": ["care-hub"]])
        Timer(label: "library.time", dimensions: [], factory: registry).recordSeconds(2)
        var seen: Set<String> = []
        var family = ""
        for line in registry.exposition().split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if let match = line.wholeMatch(of: /# HELP ([a-z_:][a-z0-9_:]*) .+/.ignoresCase()) {
                family = String(match.1)
                #expect(seen.insert(family).inserted, "\(family) twice")
            } else if line.hasPrefix("# TYPE") {
                #expect(line.wholeMatch(of: /# TYPE ([a-z0-9_:]+) (counter|gauge|histogram)/)?.1 == family[...])
            } else {
                let sample = /([a-zA-Z0-9_:]+)(\{([a-z_]+="[^"]*",?)+\})? ([0-9.e+-]+|\+Inf|NaN)/
                let match = try #require(line.wholeMatch(of: sample), "\(line)")
                #expect([family, family + "_bucket", family + "_sum", family + "_count"].contains(String(match.1)))
            }
        }
        #expect(registry.exposition().hasSuffix("\n"))
    }
}
