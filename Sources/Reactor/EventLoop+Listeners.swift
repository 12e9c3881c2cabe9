internal import CReactor
internal import Glibc

extension EventLoop {
    /// Accepts connections from `socket`, which belongs to the loop from now on; `tag` comes back with each connection.
    @discardableResult
    public func listen(_ socket: ListeningSocket, tag: UInt32) throws(ReactorError) -> Connection {
        try addSource(.listener, descriptor: socket.descriptor, tag: tag, name: "tcp \(socket.address)")
    }

    /// Ends a listener, datagram socket or mailbox. Connections that came from a listener stay.
    public func removeSource(_ source: Connection) {
        guard let slot = slots.find(source), !slot.pointee.kind.isStream else { return }
        setWaitsForRoom(source, slot, false)
        datagramSockets[source.index] = nil
        if slot.pointee.timer != 0 { wheel.cancel(TimerID(rawValue: slot.pointee.timer)) }
        if slot.pointee.kind == .mailbox {
            mailDrains[source.index] = nil
            _ = reactor_epoll_remove(epoll, slot.pointee.descriptor)
        } else {
            _ = reactor_close(slot.pointee.descriptor)
        }
        slots.release(source)
    }

    /// Calls `receive` on the loop's thread for each message. A mailbox belongs to one loop.
    @discardableResult
    public func attach<Message>(
        _ mailbox: Mailbox<Message>, _ receive: @escaping (Message, EventLoop) -> Void
    ) throws(ReactorError) -> Connection {
        let source = try addSource(.mailbox, descriptor: mailbox.wakeUp, tag: 0, name: "mailbox \(mailbox.name)")
        let maximum = limits.messagesPerWakeUp
        mailDrains[source.index] = { [unowned self] in
            mailbox.drain(maximum: maximum) { receive($0, self) }
        }
        return source
    }

    func addSource(
        _ kind: SlotKind, descriptor: Int32, tag: UInt32, name: String
    ) throws(ReactorError) -> Connection {
        guard let source = slots.take(kind, descriptor: descriptor, tag: tag) else {
            throw ReactorError(operation: "add \(name)", code: ENOMEM)
        }
        slots[source.index].pointee.interest = EventMask.readable
        let result = reactor_epoll_add(epoll, descriptor, EventMask.readable, source.rawValue)
        if result < 0 {
            slots.release(source)
            throw ReactorError(operation: "add \(name)", code: -result)
        }
        return source
    }
}

extension EventLoop {
    func acceptReady(_ listener: Connection, _ slot: UnsafeMutablePointer<Slot>) {
        let descriptor = slot.pointee.descriptor
        let tag = slot.pointee.tag
        for attempt in 0..<limits.acceptsPerWakeUp {
            var peer = reactor_address()
            let accepted = reactor_accept(descriptor, &peer)
            if accepted >= 0 {
                admit(accepted, from: SocketAddress(peer), tag: tag)
                // The handler may have removed the listener.
                guard slots.find(listener) != nil else { return }
                continue
            }
            switch -accepted {
            case EAGAIN:
                return
            case EMFILE, ENFILE:
                refuseWithReserve(descriptor, atMost: limits.acceptsPerWakeUp - attempt)
                return rest(listener, slot)
            case ECONNABORTED, EINTR, EPROTO, EPERM, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENOPROTOOPT,
                EOPNOTSUPP:
                // The error belongs to a connection that ended before it was accepted (accept(2)).
                counters.acceptFailures += 1
            default:
                counters.acceptFailures += 1
                return rest(listener, slot)
            }
        }
    }

    private func admit(_ descriptor: Int32, from peer: SocketAddress, tag: UInt32) {
        guard counters.connectionsOpen < UInt64(limits.maximumConnections) else {
            counters.connectionsRefusedFull += 1
            return reactor_close_reset(descriptor)
        }
        let counts = limits.maximumConnectionsPerPeer < limits.maximumConnections
        let key = peer.countingKey
        if counts, connectionsPerPeer[key, default: 0] >= limits.maximumConnectionsPerPeer {
            counters.connectionsRefusedPeer += 1
            return reactor_close_reset(descriptor)
        }
        guard let connection = addStream(.stream, descriptor: descriptor, tag: tag, flags: counts ? .counted : [])
        else {
            counters.connectionsRefusedDescriptors += 1
            return reactor_close_reset(descriptor)
        }
        if counts {
            slots[connection.index].pointee.peerKey = key
            connectionsPerPeer[key, default: 0] += 1
        }
        counters.connectionsAccepted += 1
        handler?.opened(connection, from: .accepted(tag: tag, peer: peer), on: self)
    }

    func uncountPeer(_ key: UInt64) {
        guard let count = connectionsPerPeer[key] else { return }
        connectionsPerPeer[key] = count > 1 ? count - 1 : nil
    }

    /// Tells waiting peers that there is no room: the reserve descriptor makes room for accepting one at a time.
    private func refuseWithReserve(_ descriptor: Int32, atMost: Int) {
        guard reserve >= 0 else { return }
        _ = reactor_close(reserve)
        for _ in 0..<atMost {
            var peer = reactor_address()
            let accepted = reactor_accept(descriptor, &peer)
            guard accepted >= 0 else { break }
            counters.connectionsRefusedDescriptors += 1
            reactor_close_reset(accepted)
        }
        reserve = max(-1, reactor_open_reserve())
    }

    /// Leaves a listener alone for a while: without this its readiness would keep the loop turning for nothing.
    private func rest(_ listener: Connection, _ slot: UnsafeMutablePointer<Slot>) {
        guard slot.pointee.timer == 0 else { return }
        let deadline = nowMilliseconds + limits.acceptPauseMilliseconds
        let timer = wheel.arm(
            atMilliseconds: deadline, token: listener.rawValue, kind: TimerKind.listener.rawValue)
        guard let timer else { return }
        slot.pointee.timer = timer.rawValue
        slot.pointee.interest = 0
        _ = reactor_epoll_modify(epoll, slot.pointee.descriptor, 0, listener.rawValue)
        counters.acceptPauses += 1
    }

    func resumeListener(_ listener: Connection) {
        guard let slot = slots.find(listener), slot.pointee.kind == .listener else { return }
        if reserve < 0 { reserve = max(-1, reactor_open_reserve()) }
        slot.pointee.timer = 0
        slot.pointee.interest = EventMask.readable
        _ = reactor_epoll_modify(epoll, slot.pointee.descriptor, EventMask.readable, listener.rawValue)
    }
}
