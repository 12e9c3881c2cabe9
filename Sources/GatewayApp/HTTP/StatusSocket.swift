import Foundation
import Glibc
import Hummingbird
public import Logging
import NIOCore
public import ServiceLifecycle

/// Serves the status socket until graceful shutdown.
public struct StatusSocket: Service {
    /// Who may open the socket may use it: the owner and the group.
    static let mode: mode_t = 0o660
    /// A connection without a request is closed after this time.
    static let idleSeconds: Int64 = 120

    private let path: String
    private let operations: any GatewayOperations
    private let logger: Logger
    private let isListening: @Sendable () async -> Void

    /// `isListening` is called once, when requests are answered.
    public init(
        path: String, operations: any GatewayOperations, logger: Logger,
        isListening: @escaping @Sendable () async -> Void = {}
    ) {
        self.path = path
        self.operations = operations
        self.logger = logger
        self.isListening = isListening
    }

    public func run() async throws {
        try SocketFile.prepare(path)
        let application = Application(
            responder: ControlResponder(table: Routes.table, operations: operations),
            server: .http1(configuration: .init(idleTimeout: .seconds(Self.idleSeconds))),
            configuration: ApplicationConfiguration(address: .unixDomainSocket(path: path)),
            onServerRunning: { [path, logger, isListening] _ in
                if chmod(path, Self.mode) != 0 {
                    logger.error("Status socket keeps the wrong mode", metadata: ["socket.path": "\(path)"])
                }
                await isListening()
            }, logger: logger)
        defer { unlink(path) }
        try await application.run()
    }
}

/// Why the status socket cannot be opened.
public struct SocketFileError: Error, Sendable, Equatable, CustomStringConvertible {
    public var description: String
}

enum SocketFile {
    /// Removes a socket that a dead gateway left; a file that is no socket, and a socket that answers, are left alone.
    ///
    /// - Throws: `SocketFileError` when the socket cannot be opened here.
    static func prepare(_ path: String) throws(SocketFileError) {
        // The attributes are those of the path itself, also when it is a link.
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else {
            try prepareDirectory(of: path)
            return
        }
        guard attributes[.type] as? FileAttributeType == .typeSocket else {
            throw SocketFileError(description: "\(path) exists and is no socket; name another path or remove it")
        }
        guard !answers(path) else {
            throw SocketFileError(description: "another gateway already answers on \(path)")
        }
        guard unlink(path) == 0 || errno == ENOENT else {
            throw SocketFileError(
                description: "the old socket \(path) cannot be removed: \(String(cString: strerror(errno)))")
        }
    }

    private static func prepareDirectory(of path: String) throws(SocketFileError) {
        let directory = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        guard !directory.isEmpty, access(directory, W_OK) != 0 else { return }
        if errno == ENOENT, mkdir(directory, 0o750) == 0 { return }
        throw SocketFileError(
            description:
                "the directory \(directory) of the status socket cannot be used: \(String(cString: strerror(errno)))")
    }

    private static func answers(_ path: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }
}
