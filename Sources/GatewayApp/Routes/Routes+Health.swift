import ControlAPI
import Foundation

private struct Health: Encodable {
    var ok: Bool
    var detail: String?
}

extension Routes {
    static let status = Route(
        method: .get, template: "/v1/status", operation: "getStatus",
        summary: "Health, counts and what is wrong now",
        responses: [.json(200, "The state of the gateway.", Shapes.status)]
    ) { _, operations in
        try .json(await operations.status())
    }

    static let health = Route(
        method: .get, template: "/healthz", operation: "getHealth",
        summary: "Whether everything that an alarm needs works",
        responses: [
            .json(200, "It works.", Shapes.health),
            .json(503, "Something is wrong; /v1/status says what.", Shapes.health),
        ]
    ) { _, operations in
        let status = try await operations.status()
        let detail = status.faults.map(\.detail).joined(separator: " ")
        return try .json(
            Health(ok: status.healthy, detail: detail.isEmpty ? nil : detail), status: status.healthy ? 200 : 503)
    }

    static let ready = Route(
        method: .get, template: "/readyz", operation: "getReadiness",
        summary: "Whether terminals are answered",
        responses: [
            .json(200, "They are.", Shapes.health), .json(503, "The gateway is starting or stopping.", Shapes.health),
        ]
    ) { _, operations in
        let status = try await operations.status()
        return try .json(Health(ok: status.ready), status: status.ready ? 200 : 503)
    }

    static let metrics = Route(
        method: .get, template: "/metrics", operation: "getMetrics",
        summary: "Counters in the Prometheus text format",
        responses: [Route.Response(status: 200, note: "The metrics.", content: [("text/plain", .string)])]
    ) { _, operations in
        .text(try await operations.metrics(), mediaType: "text/plain; version=0.0.4; charset=utf-8")
    }

    static let devices = Route(
        method: .get, template: "/v1/devices", operation: "listDevices",
        summary: "Serial ports and why each is used or not, and where the gateway is",
        responses: [.json(200, "All that were seen.", Shapes.devices)]
    ) { _, operations in
        try .json(await operations.devices())
    }

    static let events = Route(
        method: .get, template: "/v1/events", operation: "watchEvents",
        summary: "Frames, incidents, sessions and commands as they happen (server-sent events)",
        responses: [
            Route.Response(status: 200, note: "Events without end.", content: [("text/event-stream", .string)])
        ],
        hasEnd: false
    ) { _, operations in
        Answer(status: 200, mediaType: "text/event-stream", content: .events(try await operations.events()))
    }

    static let document = Route(
        method: .get, template: "/v1/openapi.json", operation: "getDocument",
        summary: "This document",
        responses: [.json(200, "The OpenAPI document.", .anything)]
    ) { _, _ in
        Answer(
            status: 200, mediaType: "application/json",
            content: .data(Data(OpenAPIDocument.text.utf8)))
    }
}
