/// Writes families in the Prometheus text format. Source: Prometheus exposition formats, text format 0.0.4.
enum PrometheusText {
    static func write(_ family: PrometheusRegistry.Family, to text: inout String) {
        let definition = family.definition
        let kind =
            switch definition.kind {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        text += "# HELP \(definition.name) \(escapedHelp(definition.help))\n"
        text += "# TYPE \(definition.name) \(kind)\n"
        let names = definition.labels.map(\.name)
        for (key, series) in family.series.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            let labels = zip(names, key).map { "\($0)=\"\(escapedLabel($1))\"" }
            switch (series.samples(), definition.kind) {
            case (.value(let value), _):
                text += "\(definition.name)\(braces(labels)) \(number(value))\n"
            case (.histogram(let counts, let sum), .histogram(let buckets)):
                var cumulative: UInt64 = 0
                for (bound, count) in zip(buckets + [.infinity], counts) {
                    cumulative += count
                    let bucket = braces(labels + ["le=\"\(number(bound))\""])
                    text += "\(definition.name)_bucket\(bucket) \(cumulative)\n"
                }
                text += "\(definition.name)_sum\(braces(labels)) \(number(sum))\n"
                text += "\(definition.name)_count\(braces(labels)) \(cumulative)\n"
            case (.histogram, _):
                break
            }
        }
    }

    /// Any text as a metric name: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    static func metricName(_ text: String) -> String {
        name(text, colon: true)
    }

    /// Any text as a label name: `[a-zA-Z_][a-zA-Z0-9_]*`.
    static func labelName(_ text: String) -> String {
        name(text, colon: false)
    }

    private static func name(_ text: String, colon: Bool) -> String {
        var output = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "_": output.unicodeScalars.append(scalar)
            case ":" where colon: output.unicodeScalars.append(scalar)
            case "0"..."9" where !output.isEmpty: output.unicodeScalars.append(scalar)
            default: output += "_"
            }
        }
        return output.isEmpty ? "_" : output
    }

    private static func braces(_ labels: [String]) -> String {
        labels.isEmpty ? "" : "{" + labels.joined(separator: ",") + "}"
    }

    private static func escapedHelp(_ text: String) -> String {
        text.reduce(into: "") { output, character in
            switch character {
            case "\\": output += "\\\\"
            case "\n", "\r\n": output += "\\n"
            default: output.append(character)
            }
        }
    }

    private static func escapedLabel(_ text: String) -> String {
        text.reduce(into: "") { output, character in
            switch character {
            case "\\": output += "\\\\"
            case "\"": output += "\\\""
            case "\n", "\r\n": output += "\\n"
            default: output.append(character)
            }
        }
    }

    /// Whole numbers without a point, the rest in the shortest form that reads back the same.
    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return String(whole) }
        return value.description
    }
}
