import Foundation
import Testing

@testable import GatewayTelemetry

/// `docs/operating.md` lists every metric and every error code in the words of the code.
@Suite struct OperatingPageTests {
    private static func page() throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: "docs/operating.md"), encoding: .utf8)
    }

    @Test func everyMetricIsOnThePage() throws {
        let page = try Self.page()
        for metric in GatewayMetric.all {
            let kind =
                switch metric.kind {
                case .counter: "counter"
                case .gauge: "gauge"
                case .histogram: "histogram"
                }
            let labels = metric.labels.map { "`\($0.name)`" }.joined(separator: ", ")
            let row = "| `\(metric.name)` | \(kind) | \(labels) | \(metric.help) |"
            #expect(page.contains(row), "the page lacks the row: \(row)")
        }
        #expect(page.matches(of: /\n\| `yidiantong_/).count == GatewayMetric.all.count)
    }

    @Test func everyErrorCodeIsOnThePage() throws {
        let page = try Self.page()
        for code in ErrorCode.allCases {
            let row = "| `\(code.rawValue)` | \(code.explanation) |"
            #expect(page.contains(row), "the page lacks the row: \(row)")
        }
    }
}
