import AsyncHTTPClient
public import Foundation
import Glibc
import NIOCore
import NIOHTTP1

/// Talks to the gateway over its status socket.
public struct ControlClient: Sendable {
    /// Where the gateway listens unless its configuration says otherwise.
    public static let defaultSocketPath = "/run/yidiantong/status.sock"
    /// The largest answer that is read, in bytes: a whole page of incidents with evidence is far below.
    public static let maximumAnswerBytes = 64 * 1024 * 1024

    public let socketPath: String
    private let timeout: TimeAmount

    public init(socketPath: String = Self.defaultSocketPath, timeoutSeconds: Int64 = 30) {
        self.socketPath = socketPath
        self.timeout = .seconds(timeoutSeconds)
    }

    /// Asks and returns the body of a 2xx answer.
    ///
    /// - Throws: `ControlClientError`.
    public func request(
        _ method: String, _ path: String, query: [(String, String)] = [], contentType: String? = nil,
        body: Data? = nil, accept: String? = nil
    ) async throws -> Data {
        let response = try await execute(
            method, path, query: query, contentType: contentType, body: body, accept: accept,
            deadline: .now() + timeout)
        var buffer: ByteBuffer
        do {
            buffer = try await response.body.collect(upTo: Self.maximumAnswerBytes)
        } catch {
            throw ControlClientError.broken(socketPath: socketPath, detail: "\(error)")
        }
        let data = Data(buffer.readBytes(length: buffer.readableBytes) ?? [])
        guard (200...299).contains(response.status.code) else { throw refusal(response.status, data) }
        return data
    }

    public func get<Answer: Decodable>(
        _ type: Answer.Type, _ path: String, query: [(String, String)] = []
    ) async throws -> Answer {
        try decode(type, await request("GET", path, query: query))
    }

    public func send<Answer: Decodable>(
        _ method: String, _ path: String, _ body: some Encodable & Sendable, as type: Answer.Type
    ) async throws -> Answer {
        let data = try ControlJSON.encode(body)
        return try decode(type, await request(method, path, contentType: "application/json", body: data))
    }

    /// Follows the server-sent events until the connection ends or the task is cancelled; one element an event.
    public func events() -> AsyncThrowingStream<ControlEvent, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    let response = try await execute(
                        "GET", "/v1/events", query: [], contentType: nil, body: nil, accept: "text/event-stream",
                        deadline: .now() + .hours(24 * 365))
                    guard response.status == .ok else {
                        let body = try await response.body.collect(upTo: 65_536)
                        throw refusal(response.status, Data(body.readableBytesView))
                    }
                    var parser = ControlEventParser()
                    for try await chunk in response.body {
                        for event in parser.append(chunk.readableBytesView) { continuation.yield(event) }
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    /// One path segment with everything escaped that has a meaning in a path.
    public static func segment(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? text
    }

    private static let unreserved = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

    private func execute(
        _ method: String, _ path: String, query: [(String, String)], contentType: String?, body: Data?,
        accept: String?, deadline: NIODeadline
    ) async throws -> HTTPClientResponse {
        try diagnoseSocket()
        var uri = path
        if !query.isEmpty {
            uri += "?" + query.map { "\(Self.segment($0.0))=\(Self.segment($0.1))" }.joined(separator: "&")
        }
        guard let url = URL(httpURLWithSocketPath: socketPath, uri: uri) else {
            throw ControlClientError.broken(socketPath: socketPath, detail: "the path cannot stand in a URL")
        }
        var request = HTTPClientRequest(url: url.absoluteString)
        request.method = HTTPMethod(rawValue: method)
        request.headers.add(name: "Host", value: "localhost")
        if let accept { request.headers.add(name: "Accept", value: accept) }
        if let contentType { request.headers.add(name: "Content-Type", value: contentType) }
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        do {
            return try await HTTPClient.shared.execute(request, deadline: deadline)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw ControlClientError.broken(socketPath: socketPath, detail: "\(error)")
        }
    }

    private func decode<Answer: Decodable>(_ type: Answer.Type, _ data: Data) throws -> Answer {
        do {
            return try ControlJSON.decode(type, from: data)
        } catch {
            throw ControlClientError.broken(
                socketPath: socketPath, detail: "the answer is not what this version expects: \(error)")
        }
    }

    private func refusal(_ status: HTTPResponseStatus, _ data: Data) -> ControlClientError {
        if let problem = try? ControlJSON.decode(Problem.self, from: data) { return .refused(problem) }
        return .broken(socketPath: socketPath, detail: "HTTP status \(status.code) without an explanation")
    }

    /// Finds out quickly and in words why nobody answers; the HTTP client would try again until its deadline.
    private func diagnoseSocket() throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(socketPath.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw ControlClientError.broken(
                socketPath: socketPath, detail: "a socket path has at most 107 bytes, this one has \(bytes.count)")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result != 0 else { return }
        switch errno {
        case ENOENT, ECONNREFUSED, ENOTDIR: throw ControlClientError.notRunning(socketPath: socketPath)
        case EACCES, EPERM:
            throw ControlClientError.permissionDenied(socketPath: socketPath, group: SocketGroup.name(of: socketPath))
        default:
            throw ControlClientError.broken(socketPath: socketPath, detail: String(cString: strerror(errno)))
        }
    }
}

/// Why there is no answer, in words that say what to do.
public enum ControlClientError: Error, Sendable, Equatable, CustomStringConvertible {
    case notRunning(socketPath: String)
    /// The group that may use the socket, when it can be found out.
    case permissionDenied(socketPath: String, group: String?)
    case refused(Problem)
    case broken(socketPath: String, detail: String)

    public var description: String {
        switch self {
        case .notRunning(let path):
            "No gateway answers on \(path). Is it running (systemctl status yidiantongd)? "
                + "If its socket is elsewhere, name it with --socket."
        case .permissionDenied(let path, let group):
            "You may not use \(path). "
                + (group.map {
                    "Members of the group \"\($0)\" may: ask the administrator for `usermod -aG \($0) USER`."
                }
                    ?? "Ask the administrator which group may.")
        case .refused(let problem): problem.description
        case .broken(let path, let detail): "The exchange over \(path) failed: \(detail)."
        }
    }
}

private enum SocketGroup {
    /// The group of the socket, or of the nearest directory above it that can be seen.
    static func name(of path: String) -> String? {
        var path = path
        while path.count > 1 {
            var status = stat()
            if stat(path, &status) == 0 {
                guard let entry = getgrgid(status.st_gid) else { return nil }
                return String(cString: entry.pointee.gr_name)
            }
            path = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        }
        return nil
    }
}
