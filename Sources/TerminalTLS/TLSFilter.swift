import NIOCore
import NIOEmbedded
import NIOSSL
import NIOTLS
import Reactor

/// TLS of one connection between its socket and its session.
///
/// swift-nio-ssl works inside a NIO channel. This one is embedded: it has no socket and no thread of its own, all it does
/// happens within the call that brings the bytes, on the thread of the reactor's loop. So accept budget, limits, queues,
/// timers and draining are those of every other connection.
final class TLSFilter: StreamFilter {
    private let channel: EmbeddedChannel
    private let watcher = HandshakeWatcher()

    /// `loop` is shared by all filters of a thread and never has work waiting between two calls.
    init(_ context: NIOSSLContext, loop: EmbeddedEventLoop) throws {
        channel = EmbeddedChannel(loop: loop)
        // A terminal that has said its last word still reads the acknowledgement.
        channel.allowRemoteHalfClosure = true
        let handler = NIOSSLServerHandler(context: context)
        try channel.pipeline.syncOperations.addHandlers([handler, watcher])
        // The address is of no meaning; being connected lets the handshake begin.
        channel.connect(to: try NIOCore.SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
    }

    func received(_ bytes: Span<UInt8>, into step: inout FilterStep) {
        do {
            try channel.writeInbound(buffer(bytes))
        } catch {
            step.failure = "\(error)"
        }
        gather(into: &step)
    }

    func send(_ bytes: Span<UInt8>, into step: inout FilterStep) {
        channel.writeAndFlush(buffer(bytes), promise: nil)
        do {
            try channel.throwIfErrorCaught()
        } catch {
            step.failure = "\(error)"
        }
        gather(into: &step)
    }

    func end(into step: inout FilterStep) {
        channel.close(promise: nil)
        gather(into: &step)
        // The handler would wait so long for the peer's own farewell; the socket is closed without it.
        channel.embeddedEventLoop.advanceTime(by: .seconds(10))
    }

    private func buffer(_ bytes: Span<UInt8>) -> ByteBuffer {
        var buffer = channel.allocator.buffer(capacity: bytes.count)
        bytes.withUnsafeBytes { _ = buffer.writeBytes($0) }
        return buffer
    }

    private func gather(into step: inout FilterStep) {
        while let bytes = try? channel.readOutbound(as: ByteBuffer.self) { step.outward += bytes.readableBytesView }
        while let bytes = try? channel.readInbound(as: ByteBuffer.self) { step.inward += bytes.readableBytesView }
        step.isReady = watcher.isReady
        step.inputEnded = watcher.inputEnded
    }
}

/// Stands behind the TLS handler and notes what it says beside bytes.
private final class HandshakeWatcher: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private(set) var isReady = false
    private(set) var inputEnded = false

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case TLSUserEvent.handshakeCompleted: isReady = true
        case ChannelEvent.inputClosed: inputEnded = true
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }
}
