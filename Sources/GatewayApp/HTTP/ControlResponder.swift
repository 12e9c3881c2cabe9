import ControlAPI
import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// What a request carries beside itself: the connection, which knows the peer.
struct ControlContext: InitializableFromSource {
    let channel: any Channel
    let logger: Logger

    init(source: ApplicationRequestContextSource) {
        channel = source.channel
        logger = source.logger
    }
}

/// Answers every request on the status socket from the route table.
struct ControlResponder: HTTPResponder {
    typealias Context = ControlContext

    let table: RouteTable
    let operations: any GatewayOperations

    func respond(to request: Request, context: ControlContext) async throws -> Response {
        let (answer, allow) = await answer(to: request, context: context)
        var response = Response(status: .init(code: answer.status))
        if let allow { response.headers[.allow] = allow }
        if !answer.mediaType.isEmpty { response.headers[.contentType] = answer.mediaType }
        if answer.status == 415 { response.headers[.connection] = nil }
        switch answer.content {
        case .none: break
        case .data(let data): response.body = ResponseBody(byteBuffer: ByteBuffer(bytes: data))
        case .events(let events):
            response.headers[.cacheControl] = "no-store"
            response.body = Self.stream(events)
        }
        return response
    }

    private func answer(to request: Request, context: ControlContext) async -> (Answer, allow: String?) {
        let target = request.head.path ?? "/"
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = String(parts.first ?? "/")
        switch table.match(method: request.method.rawValue, path: path) {
        case .nothing:
            var problem = Problem.notFound("route \"\(path)\"")
            problem.allowed = "the paths in /v1/openapi.json"
            return (.problem(problem), nil)
        case .wrongMethod(let allowed):
            let names = allowed.joined(separator: ", ")
            let problem = Problem(
                status: 405, title: "Wrong method", code: "method_not_allowed",
                detail: "This place does not know the method.", found: request.method.rawValue, allowed: names)
            return (.problem(problem), names)
        case .route(let route, let parameters):
            do {
                let body = try await collect(request, route)
                let user = await PeerCredentials.unixUser(of: context.channel)
                let input = try RouteTable.check(
                    route, path: parameters, query: parts.count == 2 ? String(parts[1]) : "",
                    contentType: request.headers[.contentType], body: body, unixUser: user)
                return (try await route.handler(input, operations), nil)
            } catch let problem as Problem {
                return (.problem(problem), nil)
            } catch {
                context.logger.error(
                    "Request failed", metadata: ["route": "\(route.operation)", "error": "\(error)"])
                return (.problem(.fault(error)), nil)
            }
        }
    }

    private func collect(_ request: Request, _ route: Route) async throws -> Data {
        guard let body = route.body else { return Data() }
        do {
            let buffer = try await request.body.collect(upTo: body.maximumBytes)
            return Data(buffer.readableBytesView)
        } catch is NIOTooManyBytesError {
            throw RouteTable.tooLarge(body)
        }
    }

    private static func stream(_ events: AsyncStream<ServerEvent>) -> ResponseBody {
        ResponseBody { writer in
            for await event in events.cancelOnGracefulShutdown() {
                try await writer.write(ByteBuffer(string: event.wireText))
            }
            try await writer.finish(nil)
        }
    }
}

extension Problem {
    /// A fault of our own or of the store: never the fault of who asked.
    static func fault(_ error: any Error) -> Problem {
        Problem(
            status: 503, title: "Not possible now", code: "internal_fault",
            detail: "The gateway could not do this. Its log says more.", found: "\(error)")
    }
}
