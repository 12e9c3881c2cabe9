import TerminalModel

/// The OpenAPI document, written from the table that also answers, so that the two cannot differ.
enum OpenAPIDocument {
    static let text: String = make(Routes.all).text + "\n"

    static func make(_ routes: [Route]) -> JSONValue {
        var components: [String: JSONValue] = [:]
        var paths = JSONObject()
        var streams = JSONObject()
        var index = 0
        while index < routes.count {
            let template = routes[index].template
            var methods = JSONObject()
            let first = routes[index]
            while index < routes.count, routes[index].template == template {
                methods.set(routes[index].method.rawValue.lowercased(), operation(routes[index], &components))
                index += 1
            }
            if first.hasEnd { paths.set(template, methods.value) } else { streams.set(template, methods.value) }
        }
        let schemas = components.sorted { $0.key < $1.key }.map { JSONValue.Member($0.key, $0.value) }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Yidiantong gateway: status socket",
                "version": "1.0.0",
                "description":
                    "HTTP over a Unix socket. Who may open the socket may use it; its permissions are the access control. Every refusal is application/problem+json with a stable code, what was found and what is allowed.",
            ],
            "servers": [["url": "http://localhost", "description": "through the Unix socket"]],
            "paths": paths.value,
            // An OpenAPI 3.1 response has an end and these have none, so they stand beside the paths.
            "x-streams": streams.value,
            "components": ["schemas": .object(schemas)],
        ]
    }

    private static func operation(_ route: Route, _ components: inout [String: JSONValue]) -> JSONValue {
        var object = JSONObject()
        object.set("operationId", route.operation)
        object.set("summary", route.summary)
        let parameters =
            route.pathParameters.map { parameter($0, in: "path", required: true, &components) }
            + route.queryParameters.map { parameter($0, in: "query", required: $0.isRequired, &components) }
        if !parameters.isEmpty { object.set("parameters", .array(parameters)) }
        if let body = route.body {
            let content = body.mediaTypes.map {
                JSONValue.Member($0, ["schema": body.schema.document(&components)])
            }
            object.set("requestBody", ["required": true, "content": .object(content)])
        }
        var responses = JSONObject()
        for response in route.allResponses { responses.set(String(response.status), document(response, &components)) }
        object.set("responses", responses.value)
        return object.value
    }

    private static func parameter(
        _ parameter: Route.Parameter, in place: String, required: Bool, _ components: inout [String: JSONValue]
    ) -> JSONValue {
        var object = JSONObject()
        object.set("name", parameter.name)
        object.set("in", place)
        object.set("required", required)
        if !parameter.note.isEmpty { object.set("description", parameter.note) }
        object.set("schema", parameter.schema.document(&components))
        return object.value
    }

    private static func document(
        _ response: Route.Response, _ components: inout [String: JSONValue]
    ) -> JSONValue {
        var object = JSONObject()
        object.set("description", response.note)
        let content = response.content.map {
            JSONValue.Member($0.mediaType, ["schema": $0.schema.document(&components)])
        }
        if !content.isEmpty { object.set("content", .object(content)) }
        return object.value
    }
}
