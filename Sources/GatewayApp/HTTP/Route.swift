import ControlAPI
import Foundation

/// One thing that can be asked of the status socket: its place, its shape and what answers it.
struct Route: Sendable {
    enum Method: String, Sendable, CaseIterable {
        case delete = "DELETE"
        case get = "GET"
        case post = "POST"
        case put = "PUT"
    }

    struct Parameter: Sendable {
        var name: String
        var schema: Schema
        var note: String
        /// Of a query; a part of the path is always there.
        var isRequired = false
    }

    struct Body: Sendable {
        /// The first one is documented first.
        var mediaTypes: [String]
        var schema: Schema
        var maximumBytes: Int

        static func json(_ schema: Schema, maximumBytes: Int = 65_536) -> Body {
            Body(mediaTypes: ["application/json"], schema: schema, maximumBytes: maximumBytes)
        }
    }

    struct Response: Sendable {
        var status: Int
        var note: String
        /// Media type and shape of each form; none for an answer without a body.
        var content: [(mediaType: String, schema: Schema)]

        static func json(_ status: Int, _ note: String, _ schema: Schema) -> Response {
            Response(status: status, note: note, content: [("application/json", schema)])
        }

        static func problem(_ status: Int, _ note: String) -> Response {
            Response(status: status, note: note, content: [("application/problem+json", Shapes.problem)])
        }
    }

    typealias Handler = @Sendable (RouteInput, any GatewayOperations) async throws -> Answer

    var method: Method
    /// For example `/v1/incidents/{incident}/note`.
    var template: String
    var operation: String
    var summary: String
    var pathParameters: [Parameter] = []
    var queryParameters: [Parameter] = []
    var body: Body?
    /// What this route answers on purpose; refusals that follow from its shape are added by `allResponses`.
    var responses: [Response]
    /// False for a stream, which the document describes beside the paths because an OpenAPI response has an end.
    var hasEnd = true
    var handler: Handler

    var segments: [Substring] { template.split(separator: "/") }

    /// With the refusals that follow from the shape of the route.
    var allResponses: [Response] {
        var all = responses
        func add(_ status: Int, _ note: String) {
            if !all.contains(where: { $0.status == status }) { all.append(.problem(status, note)) }
        }
        if body != nil || !pathParameters.isEmpty || !queryParameters.isEmpty {
            add(400, "The request is wrong; the answer says where, what was found and what is allowed.")
        }
        if body != nil {
            add(413, "The body is too large.")
            add(415, "The body has a media type that is not allowed here.")
        }
        add(503, "The gateway cannot do this now, for example because the disk is full.")
        return all.sorted { $0.status < $1.status }
    }
}

/// A request that fits its route: every parameter and the body have been checked.
struct RouteInput: Sendable {
    var path: [String: String] = [:]
    var query: [String: String] = [:]
    var mediaType = ""
    var body = Data()
    /// The Unix user at the other end of the socket.
    var unixUser = "unknown"

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        do {
            return try ControlJSON.decode(type, from: body)
        } catch {
            throw Problem.request(pointer: nil, found: "\(error)", allowed: "the body that the document describes")
        }
    }

    func path(_ name: String) -> String { path[name] ?? "" }

    func integer(_ name: String, default value: Int) -> Int { query[name].flatMap { Int($0) } ?? value }

    func flag(_ name: String) -> Bool { query[name] == "true" }
}

/// What a handler gives back.
struct Answer: Sendable {
    enum Content: Sendable {
        case none
        case data(Data)
        case events(AsyncStream<ServerEvent>)
    }

    var status: Int
    var mediaType: String
    var content: Content

    static func json(_ value: some Encodable, status: Int = 200, mediaType: String = "application/json") throws
        -> Answer
    {
        Answer(status: status, mediaType: mediaType, content: .data(try ControlJSON.encode(value)))
    }

    static func text(_ text: String, status: Int = 200, mediaType: String = "text/plain; charset=utf-8") -> Answer {
        Answer(status: status, mediaType: mediaType, content: .data(Data(text.utf8)))
    }

    static let nothing = Answer(status: 204, mediaType: "", content: .none)

    static func problem(_ problem: Problem) -> Answer {
        let data = (try? ControlJSON.encode(problem)) ?? Data("{}".utf8)
        return Answer(status: problem.status, mediaType: "application/problem+json", content: .data(data))
    }
}

extension Problem {
    static func request(pointer: String?, found: String?, allowed: String?) -> Problem {
        Problem(
            status: 400, title: "Wrong request", code: "request_invalid", detail: "The request cannot be understood.",
            pointer: pointer, found: found, allowed: allowed)
    }

    static func notFound(_ what: String) -> Problem {
        Problem(status: 404, title: "Not found", code: "not_found", detail: "There is no \(what).")
    }

    static func conflict(_ detail: String, found: String? = nil, allowed: String? = nil) -> Problem {
        Problem(
            status: 409, title: "Not possible now", code: "conflict", detail: detail, found: found, allowed: allowed)
    }
}
