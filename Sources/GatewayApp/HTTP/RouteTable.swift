import ControlAPI
import Foundation

/// Finds the route of a request and checks the request against it.
struct RouteTable: Sendable {
    let routes: [Route]

    /// What a request line leads to.
    enum Match {
        case route(Route, [String: String])
        /// The place exists, the method does not.
        case wrongMethod(allowed: [String])
        case nothing
    }

    func match(method: String, path: String) -> Match {
        var allowed: [String] = []
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        var best: (route: Route, parameters: [String: String])?
        for route in routes {
            guard let parameters = Self.parameters(route.segments, segments) else { continue }
            if route.method.rawValue == method {
                // A place with fewer variable parts is the more exact one.
                if best == nil || parameters.count < (best?.parameters.count ?? 0) { best = (route, parameters) }
            } else {
                allowed.append(route.method.rawValue)
            }
        }
        if let best { return .route(best.route, best.parameters) }
        return allowed.isEmpty ? .nothing : .wrongMethod(allowed: allowed.sorted())
    }

    private static func parameters(_ template: [Substring], _ path: ArraySlice<Substring>) -> [String: String]? {
        guard template.count == path.count else { return nil }
        var parameters: [String: String] = [:]
        for (pattern, segment) in zip(template, path) {
            if pattern.hasPrefix("{") {
                guard !segment.isEmpty, let text = segment.removingPercentEncoding else { return nil }
                parameters[String(pattern.dropFirst().dropLast())] = text
            } else if pattern != segment {
                return nil
            }
        }
        return parameters
    }

    /// Checks parameters, media type and body; throws `Problem`.
    static func check(
        _ route: Route, path: [String: String], query: String, contentType: String?, body: Data, unixUser: String
    ) throws -> RouteInput {
        var input = RouteInput()
        input.unixUser = unixUser
        for parameter in route.pathParameters {
            let text = path[parameter.name] ?? ""
            try check(text, parameter.schema, place: "path.\(parameter.name)")
            input.path[parameter.name] = text
        }
        input.query = try checkQuery(query, route.queryParameters)
        guard let expected = route.body else { return input }
        input.mediaType = try checkMediaType(contentType, expected)
        guard body.count <= expected.maximumBytes else { throw tooLarge(expected) }
        input.body = body
        if input.mediaType.hasSuffix("json") { try checkJSON(body, expected.schema) }
        return input
    }

    static func tooLarge(_ body: Route.Body) -> Problem {
        Problem(
            status: 413, title: "Too large", code: "request_too_large", detail: "The body is too large.",
            allowed: "at most \(body.maximumBytes) bytes")
    }

    private static func check(_ text: String, _ schema: Schema, place: String) throws(Problem) {
        let value: JSONTree
        switch schema {
        case .integer: value = Int(text).map(JSONTree.integer) ?? .string(text)
        case .boolean: value = text == "true" ? .boolean(true) : text == "false" ? .boolean(false) : .string(text)
        default: value = .string(text)
        }
        do {
            try schema.validate(value)
        } catch {
            throw Problem.request(pointer: place, found: error.found, allowed: error.allowed)
        }
    }

    private static func checkQuery(_ query: String, _ parameters: [Route.Parameter]) throws(Problem) -> [String: String]
    {
        var values: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let decoded = parts.map { $0.replacing("+", with: "%20").removingPercentEncoding }
            guard let name = decoded[0], let value = decoded.count == 2 ? decoded[1] : "" else {
                throw Problem.request(
                    pointer: "query", found: "\"\(pair)\"", allowed: "percent-encoded UTF-8 (RFC 3986)")
            }
            guard let parameter = parameters.first(where: { $0.name == name }) else {
                let names = parameters.map(\.name).joined(separator: ", ")
                throw Problem.request(
                    pointer: "query.\(name)", found: "an unknown parameter",
                    allowed: names.isEmpty ? "no parameters" : names)
            }
            guard values[name] == nil else {
                throw Problem.request(pointer: "query.\(name)", found: "the parameter twice", allowed: "it once")
            }
            try check(value, parameter.schema, place: "query.\(name)")
            values[name] = value
        }
        return values
    }

    private static func checkMediaType(_ header: String?, _ body: Route.Body) throws(Problem) -> String {
        let parts = (header ?? "").lowercased().split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
        let charset = parts.dropFirst().first { $0.hasPrefix("charset=") }
        let isUTF8 =
            charset == nil || ["charset=utf-8", "charset=\"utf-8\""].contains(charset)
            || body.mediaTypes == ["text/csv"]
        guard let type = parts.first, body.mediaTypes.contains(type), isUTF8 else {
            throw Problem(
                status: 415, title: "Wrong media type", code: "media_type_unsupported",
                detail: "The body cannot be read in this form.", pointer: "Content-Type",
                found: header.map { "\"\($0)\"" } ?? "nothing", allowed: body.mediaTypes.joined(separator: ", "))
        }
        return type
    }

    private static func checkJSON(_ body: Data, _ schema: Schema) throws(Problem) {
        let tree: JSONTree
        do {
            tree = try JSONTree(parsing: body)
        } catch {
            throw Problem.request(pointer: "", found: error.description, allowed: "JSON (RFC 8259) in UTF-8")
        }
        do {
            try schema.validate(tree)
        } catch {
            guard !error.isForbidden else {
                throw Problem(
                    status: 403, title: "Number refused", code: "number_refused",
                    detail: "A number of an emergency service stands on no card.", pointer: error.pointer,
                    found: error.found, allowed: error.allowed)
            }
            throw Problem.request(pointer: error.pointer, found: error.found, allowed: error.allowed)
        }
    }
}
