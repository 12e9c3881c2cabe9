import ControlAPI
import TerminalModel

extension Routes {
    static let report = Route(
        method: .get, template: "/v1/report", operation: "reportSupervision",
        summary: "How incidents of a period were answered and followed to their end, by service",
        queryParameters: [
            .init(name: "from", schema: .time, note: "opened at or after; 30 days before `to` when absent"),
            .init(name: "to", schema: .time, note: "opened before; now when absent"),
        ],
        responses: [.json(200, "Figures of each service that had an incident.", Shapes.report)]
    ) { input, operations in
        func time(_ name: String) -> Timestamp? { input.query[name].flatMap { Timestamp(rfc3339: $0) } }
        return try .json(await operations.report(from: time("from"), to: time("to")))
    }
}
