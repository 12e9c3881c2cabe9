import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A real HTTP/1.1 server on loopback that answers by a plan, one entry a request, the last one repeating.
final class HTTPPeer: Sendable {
    enum Answer: Sendable {
        case respond(Int, headers: [(String, String)] = [], body: String = "")
        /// Head and some bytes, then nothing more.
        case stallInBody(Int, body: String)
        case endless(Int)
        case hang
        case closeAtOnce
        case garbage
    }

    struct Request: Sendable {
        var path: String
        var headers: [(String, String)]
        var body: [UInt8]
        /// Which connection it came on, from 1.
        var connection: Int

        func header(_ name: String) -> String {
            headers.first { $0.0.lowercased() == name }?.1 ?? ""
        }
    }

    private struct State {
        var plan: [Answer]
        var requests: [Request] = []
        var connections = 0
    }

    private let state: Mutex<State>
    private let channel: any Channel

    private init(state: State, host: String, tls: NIOSSLContext?) async throws {
        let box = Box()
        self.channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let connection = box.peer.withLock { $0 }?.accepted() ?? 0
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(Handler(box: box, connection: connection))
                }
            }
            .bind(host: host, port: 0).get()
        self.state = Mutex(state)
        box.peer.withLock { $0 = self }
    }

    /// Runs a server for the time of the closure.
    static func with<Result>(
        _ plan: [Answer], host: String = "127.0.0.1", tls: NIOSSLContext? = nil,
        _ body: (HTTPPeer) async throws -> Result
    ) async throws -> Result {
        let peer = try await HTTPPeer(state: State(plan: plan), host: host, tls: tls)
        do {
            let result = try await body(peer)
            try await peer.channel.close()
            return result
        } catch {
            try? await peer.channel.close()
            throw error
        }
    }

    var port: Int { channel.localAddress?.port ?? 0 }
    var requests: [Request] { state.withLock { $0.requests } }
    var connections: Int { state.withLock { $0.connections } }

    private func accepted() -> Int {
        state.withLock {
            $0.connections += 1
            return $0.connections
        }
    }

    private func take(_ request: Request) -> Answer {
        state.withLock {
            $0.requests.append(request)
            return $0.plan.count > 1 ? $0.plan.removeFirst() : $0.plan[0]
        }
    }

    /// Handlers exist before the peer does.
    private final class Box: Sendable {
        let peer = Mutex<HTTPPeer?>(nil)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let box: Box
        private let connection: Int
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []

        init(box: Box, connection: Int) {
            self.box = box
            self.connection = connection
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                body = []
            case .body(let buffer):
                body += buffer.readableBytesView
            case .end:
                guard let head, let peer = box.peer.withLock({ $0 }) else { return }
                let request = Request(
                    path: head.uri, headers: head.headers.map { ($0.name, $0.value) }, body: body,
                    connection: connection)
                answer(peer.take(request), context: context)
            }
        }

        private func answer(_ answer: Answer, context: ChannelHandlerContext) {
            switch answer {
            case .respond(let status, let headers, let body):
                write(status, headers + [("content-length", "\(body.utf8.count)")], body, context)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            case .stallInBody(let status, let body):
                write(status, [("content-length", "100000")], body, context)
            case .endless(let status):
                write(status, [("content-length", "100000000")], String(repeating: "x", count: 1_000_000), context)
            case .hang:
                break
            case .closeAtOnce:
                context.close(promise: nil)
            case .garbage:
                context.channel.pipeline.context(handlerType: HTTPResponseEncoder.self).whenSuccess { encoder in
                    encoder.writeAndFlush(NIOAny(ByteBuffer(string: "no HTTP at all\r\n\r\n")), promise: nil)
                }
            }
        }

        private func write(
            _ status: Int, _ headers: [(String, String)], _ body: String, _ context: ChannelHandlerContext
        ) {
            let head = HTTPResponseHead(
                version: .http1_1, status: .init(statusCode: status), headers: HTTPHeaders(headers))
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
