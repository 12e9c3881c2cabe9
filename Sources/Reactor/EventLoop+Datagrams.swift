internal import CReactor
internal import Glibc

/// What the loop keeps for a datagram socket.
final class DatagramState {
    /// The socket is IPv6 and writes IPv4 peers in their mapped form.
    let mapsIPv4: Bool
    /// Room for one call's datagrams.
    let room: UnsafeMutablePointer<UInt8>
    /// What is sent at the end of the wake-up: the datagrams' bytes one behind the other, from `sentBytes` and `sentCount` on.
    var queuedBytes: [UInt8] = []
    var queued: [reactor_datagram] = []
    var sentBytes = 0
    var sentCount = 0

    init(mapsIPv4: Bool, stride: Int) {
        self.mapsIPv4 = mapsIPv4
        self.room = .allocate(capacity: stride * Int(REACTOR_DATAGRAMS_PER_CALL))
    }

    deinit {
        room.deallocate()
    }

    var waiting: Int { queued.count - sentCount }

    func forgetSent() {
        queued.removeFirst(sentCount)
        queuedBytes.removeFirst(sentBytes)
        sentBytes = 0
        sentCount = 0
    }
}

extension EventLoop {
    /// Receives datagrams on `socket`, which belongs to the loop from now on.
    @discardableResult
    public func receive(_ socket: DatagramSocket, tag: UInt32) throws(ReactorError) -> Connection {
        let source = try addSource(.datagram, descriptor: socket.descriptor, tag: tag, name: "udp \(socket.address)")
        datagramSockets[source.index] = DatagramState(
            mapsIPv4: reactor_socket_family(socket.descriptor) == AF_INET6, stride: limits.maximumDatagramBytes)
        return source
    }

    /// Queues a datagram; all of one wake-up are sent together at its end. False, and counted as dropped, when
    /// `maximumQueuedDatagrams` wait already: the terminal asks again, as it does when the network loses one.
    @discardableResult
    public func send(_ bytes: Span<UInt8>, to peer: SocketAddress, from socket: Connection) -> Bool {
        guard let slot = slots.find(socket), slot.pointee.kind == .datagram,
            let state = datagramSockets[socket.index]
        else { return false }
        guard bytes.count <= limits.maximumDatagramBytes, state.waiting < limits.maximumQueuedDatagrams else {
            counters.datagramsDropped += 1
            return false
        }
        bytes.withUnsafeBufferPointer { state.queuedBytes.append(contentsOf: $0) }
        state.queued.append(reactor_datagram(peer: peer.system, count: UInt32(bytes.count), truncated: 0))
        listForFlush(socket, slot)
        return true
    }

    /// `send` for an array.
    @discardableResult
    public func send(_ bytes: [UInt8], to peer: SocketAddress, from socket: Connection) -> Bool {
        send(bytes.span, to: peer, from: socket)
    }
}

extension EventLoop {
    func datagramReady(_ socket: Connection, _ slot: UnsafeMutablePointer<Slot>, _ events: UInt32) {
        if events & EventMask.writable != 0, slot.pointee.flags.contains(.waitsForRoom) {
            setWaitsForRoom(socket, slot, false)
            listForFlush(socket, slot)
        }
        guard events & ~EventMask.writable != 0, let state = datagramSockets[socket.index] else { return }
        let stride = limits.maximumDatagramBytes
        let perCall = Int(REACTOR_DATAGRAMS_PER_CALL)
        withUnsafeTemporaryAllocation(of: reactor_datagram.self, capacity: perCall) { datagrams in
            var rest = limits.datagramsPerWakeUp
            while rest > 0 {
                let asked = min(rest, perCall)
                let got = Int(
                    reactor_receive_many(
                        slot.pointee.descriptor, state.room, stride, datagrams.baseAddress, Int32(asked)))
                rest -= asked
                // Any other error is the answer to a datagram sent earlier (port unreachable) and is gone once read.
                if got == -Int(EAGAIN) { return }
                for index in 0..<max(0, got) {
                    handOver(datagrams[index], at: state.room + index * stride, socket)
                    // The handler may have removed the socket.
                    guard slots.find(socket) != nil else { return }
                }
                if got >= 0, got < asked { return }
            }
        }
    }

    /// Hands over what has arrived, as much as can also be answered; what follows stays unread.
    func receiveLast(_ socket: Connection, _ slot: UnsafeMutablePointer<Slot>) {
        for _ in 0...limits.maximumQueuedDatagrams / limits.datagramsPerWakeUp {
            let before = counters.datagramsReceived
            datagramReady(socket, slot, EventMask.readable)
            guard slots.find(socket) != nil, counters.datagramsReceived > before else { break }
        }
        guard slots.find(socket) != nil else { return }
        slot.pointee.flags.insert(.paused)
        updateInterest(socket, slot)
    }

    private func handOver(_ datagram: reactor_datagram, at start: UnsafeMutablePointer<UInt8>, _ socket: Connection) {
        guard datagram.truncated == 0 else {
            counters.datagramsTooLong += 1
            return
        }
        counters.datagramsReceived += 1
        counters.bytesReceived += UInt64(datagram.count)
        let bytes = UnsafeBufferPointer(start: start, count: Int(datagram.count))
        handler?.datagram(socket, from: SocketAddress(datagram.peer), bytes: bytes.span, on: self)
    }

    /// Sends what is queued; what the system does not take yet waits for epoll.
    func flushDatagrams(_ socket: Connection, _ slot: UnsafeMutablePointer<Slot>) {
        guard let state = datagramSockets[socket.index], !slot.pointee.flags.contains(.waitsForRoom) else { return }
        while state.waiting > 0 {
            let sent = Int(sendWaiting(state, slot.pointee.descriptor))
            if sent == -Int(EAGAIN) {
                state.forgetSent()
                return setWaitsForRoom(socket, slot, true)
            }
            // An error belongs to the first datagram alone, which is given up.
            if sent > 0 { counters.datagramsSent += UInt64(sent) } else { counters.datagramsDropped += 1 }
            for _ in 0..<max(1, sent) {
                let count = Int(state.queued[state.sentCount].count)
                if sent > 0 { counters.bytesSent += UInt64(count) }
                state.sentBytes += count
                state.sentCount += 1
            }
        }
        state.forgetSent()
    }

    private func sendWaiting(_ state: DatagramState, _ descriptor: Int32) -> Int32 {
        state.queuedBytes.withUnsafeBufferPointer { bytes in
            state.queued.withUnsafeBufferPointer { queued in
                guard let first = queued.baseAddress else { return 0 }
                // Empty datagrams alone have no bytes and need no address.
                let start = bytes.baseAddress.map { $0 + state.sentBytes }
                return reactor_send_many(
                    descriptor, start, first + state.sentCount, Int32(clamping: state.waiting), state.mapsIPv4 ? 1 : 0)
            }
        }
    }
}
