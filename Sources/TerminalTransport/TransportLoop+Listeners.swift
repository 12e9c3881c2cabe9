import GatewayTelemetry
import Logging
import Reactor

extension TransportLoop {
    /// Begins to accept on sockets of this loop alone.
    func listen(_ opened: [ListenerTable.Opened], on loop: EventLoop) throws(ReactorError) {
        for port in opened {
            for socket in port.sockets {
                switch socket {
                case .stream(let socket):
                    let filters = port.port.listener.filterSource?.makeFilters()
                    sources[port.port.tag] = try loop.listen(socket, tag: port.port.tag, filter: filters)
                case .datagram(let socket):
                    sources[port.port.tag] = try loop.receive(socket, tag: port.port.tag)
                }
                listeners[port.port.tag] = port.port.listener
            }
        }
    }

    /// Ports that are new, changed or gone; connections stay with what they were opened by.
    func take(_ change: ListenerTable.Change, on loop: EventLoop) {
        for port in change.removed {
            guard let source = sources.removeValue(forKey: port.tag) else { continue }
            // What it served stays known: a handshake may be under way.
            loop.removeSource(source)
            endFlows(of: source, on: loop)
        }
        for port in change.kept where listeners[port.tag] != nil { listeners[port.tag] = port.listener }
        do {
            try listen(change.opened, on: loop)
        } catch {
            change.close()
            logger.error(
                "A port cannot be served",
                metadata: .keyed([
                    .errorCode: "\(ErrorCode.listenerFailed.rawValue)", .errorDetail: "\(error)",
                ]))
        }
    }

    func handshakeFailed(tag: UInt32, peer: SocketAddress, detail: String, on loop: EventLoop) {
        guard case .write(let suppressed) = limiter.admit(.connectionTLSFailed, terminal: nil, at: loop.nowMilliseconds)
        else { return }
        logger.info(
            "A terminal did not get through TLS",
            metadata: .keyed([
                .errorCode: "\(ErrorCode.connectionTLSFailed.rawValue)", .errorDetail: "\(detail)",
                .connectionPeer: "\(peer)", .suppressedCount: "\(suppressed)",
            ]))
    }
}
