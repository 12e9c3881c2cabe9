internal import CReactor
internal import Glibc

/// What the loop remembers of a datagram socket.
struct DatagramState {
    /// The socket is IPv6 and writes IPv4 peers in their mapped form.
    let mapsIPv4: Bool
}

extension EventLoop {
    /// Receives datagrams on `socket`, which belongs to the loop from now on.
    @discardableResult
    public func receive(_ socket: DatagramSocket, tag: UInt32) throws(ReactorError) -> Connection {
        let source = try addSource(.datagram, descriptor: socket.descriptor, tag: tag, name: "udp \(socket.address)")
        let family = reactor_socket_family(socket.descriptor)
        datagramSockets[source.index] = DatagramState(mapsIPv4: family == AF_INET6)
        return source
    }

    /// Sends one datagram at once. False, and counted, when the system does not take it: the terminal asks again, as it does
    /// when the network loses one.
    @discardableResult
    public func send(_ bytes: Span<UInt8>, to peer: SocketAddress, from socket: Connection) -> Bool {
        guard let slot = slots.find(socket), slot.pointee.kind == .datagram,
            let state = datagramSockets[socket.index]
        else { return false }
        let descriptor = slot.pointee.descriptor
        let sent = bytes.withUnsafeBytes {
            reactor_send_to(descriptor, $0.baseAddress, $0.count, peer.system, state.mapsIPv4 ? 1 : 0)
        }
        guard sent >= 0 else {
            counters.datagramsDropped += 1
            return false
        }
        counters.datagramsSent += 1
        counters.bytesSent += UInt64(sent)
        return true
    }

    /// `send` for an array.
    @discardableResult
    public func send(_ bytes: [UInt8], to peer: SocketAddress, from socket: Connection) -> Bool {
        send(bytes.span, to: peer, from: socket)
    }

    func datagramReady(_ socket: Connection, _ slot: UnsafeMutablePointer<Slot>, _ events: UInt32) {
        let descriptor = slot.pointee.descriptor
        for _ in 0..<limits.datagramsPerWakeUp {
            var peer = reactor_address()
            var truncated: Int32 = 0
            let got = reactor_receive_from(descriptor, readBuffer, limits.maximumDatagramBytes, &peer, &truncated)
            // An error here is the answer to a datagram sent earlier (port unreachable) and is gone once read.
            guard got >= 0 else {
                if got == -Int(EAGAIN) { return }
                continue
            }
            guard truncated == 0 else {
                counters.datagramsTooLong += 1
                continue
            }
            counters.datagramsReceived += 1
            counters.bytesReceived += UInt64(got)
            let bytes = UnsafeBufferPointer(start: readBuffer.assumingMemoryBound(to: UInt8.self), count: got)
            handler?.datagram(socket, from: SocketAddress(peer), bytes: bytes.span, on: self)
            guard slots.find(socket) != nil else { return }
        }
    }
}
