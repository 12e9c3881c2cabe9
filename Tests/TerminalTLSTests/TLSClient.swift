import Glibc
import NIOCore
import NIOEmbedded
import NIOSSL
import NIOTLS

/// A terminal's end of a TLS connection over a real socket; all calls from one thread.
final class TLSClient {
    private let descriptor: Int32
    private let channel: EmbeddedChannel
    private let watcher = Watcher()
    private var unread: [UInt8] = []

    private final class Watcher: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var isReady = false

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case TLSUserEvent.handshakeCompleted = event { isReady = true }
        }
    }

    /// The embedded channel would end as a whole where a socket would only end its output.
    private final class HalfCloser: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer

        func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
            guard case .output = mode else { return context.close(mode: mode, promise: promise) }
            promise?.succeed()
        }
    }

    init(_ context: NIOSSLContext, port: UInt16) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.descriptor = descriptor
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        channel = EmbeddedChannel()
        channel.allowRemoteHalfClosure = true
        let handler = try NIOSSLClientHandler(context: context, serverHostname: nil)
        try channel.pipeline.syncOperations.addHandlers([HalfCloser(), handler, watcher])
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: Int(port)), promise: nil)
        flush()
    }

    deinit {
        channel.close(promise: nil)
        channel.embeddedEventLoop.advanceTime(by: .seconds(10))
        Glibc.close(descriptor)
    }

    /// The error that ended the handshake, nil when it went well.
    func handshake() -> String? {
        while !watcher.isReady {
            do {
                guard try step() else { return "ended by the gateway" }
            } catch {
                return "\(error)"
            }
        }
        return nil
    }

    func send(_ bytes: [UInt8]) {
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
        flush()
    }

    /// TLS's own end of sending; the socket stays as it is.
    func endOutput() {
        channel.close(mode: .output, promise: nil)
        flush()
    }

    /// What the gateway said next; empty at the end, nil when nothing came in time.
    func read(milliseconds: Int32 = 5_000) -> [UInt8]? {
        while unread.isEmpty {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, milliseconds) > 0 else { return nil }
            guard (try? step()) == true else { break }
        }
        defer { unread = [] }
        return unread
    }

    /// Bytes past TLS, as somebody on the way would send them.
    func sendRaw(_ bytes: [UInt8]) {
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// Reads once from the socket; false at its end.
    private func step() throws -> Bool {
        var room = [UInt8](repeating: 0, count: 65_536)
        let count = Glibc.recv(descriptor, &room, room.count, 0)
        guard count > 0 else { return false }
        defer { flush() }
        try channel.writeInbound(ByteBuffer(bytes: room[..<count]))
        while let bytes = try channel.readInbound(as: ByteBuffer.self) { unread += bytes.readableBytesView }
        return true
    }

    private func flush() {
        while let bytes = try? channel.readOutbound(as: ByteBuffer.self) { sendRaw(Array(bytes.readableBytesView)) }
    }
}
