internal import CReactor
internal import Glibc

extension EventLoop {
    /// Accepts connections from `socket`, which belongs to the loop from now on; `tag` comes back with each connection.
    ///
    /// `makeFilter` gives each connection its filter; one for which it gives none is refused.
    @discardableResult
    public func listen(
        _ socket: ListeningSocket, tag: UInt32, filter makeFilter: (() -> (any StreamFilter)?)? = nil
    ) throws(ReactorError) -> Connection {
        let events = socket.isShared ? EventMask.readable | EventMask.exclusive : EventMask.readable
        let listener = try addSource(
            .listener, descriptor: socket.descriptor, tag: tag, name: "tcp \(socket.address)", events: events)
        if socket.isShared { slots[listener.index].pointee.flags.insert(.shared) }
        filterMakers[listener.index] = makeFilter
        return listener
    }

    /// Ends a listener, datagram socket or mailbox. Connections that came from a listener stay.
    public func removeSource(_ source: Connection) {
        guard let slot = slots.find(source), !slot.pointee.kind.isStream else { return }
        setWaitsForRoom(source, slot, false)
        datagramSockets[source.index] = nil
        filterMakers[source.index] = nil
        if slot.pointee.timer != 0 { wheel.cancel(TimerID(rawValue: slot.pointee.timer)) }
        // Closing would not do where somebody else holds the same socket: epoll would go on to report it.
        _ = reactor_epoll_remove(epoll, slot.pointee.descriptor)
        if slot.pointee.kind == .mailbox {
            mailDrains[source.index] = nil
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
        _ kind: SlotKind, descriptor: Int32, tag: UInt32, name: String, events: UInt32 = EventMask.readable
    ) throws(ReactorError) -> Connection {
        guard let source = slots.take(kind, descriptor: descriptor, tag: tag) else {
            throw ReactorError(operation: "add \(name)", code: ENOMEM)
        }
        slots[source.index].pointee.interest = events
        let result = reactor_epoll_add(epoll, descriptor, events, source.rawValue)
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
                admit(accepted, from: SocketAddress(peer), on: listener, tag: tag)
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

    /// Accepts whatever waits, for a listener that is about to be removed.
    func acceptAll(_ listener: Connection, _ slot: UnsafeMutablePointer<Slot>) {
        for _ in 0..<limits.listenBacklog {
            var peer = reactor_address()
            let accepted = reactor_accept(slot.pointee.descriptor, &peer)
            guard accepted >= 0 else { return }
            admit(accepted, from: SocketAddress(peer), on: listener, tag: slot.pointee.tag)
        }
    }

    private func admit(_ descriptor: Int32, from peer: SocketAddress, on listener: Connection, tag: UInt32) {
        guard counters.connectionsOpen < UInt64(limits.maximumConnections) else {
            counters.connectionsRefusedFull += 1
            return reactor_close_reset(descriptor)
        }
        let key = peer.countingKey
        switch census.admit(key) {
        case .admitted: break
        case .full:
            counters.connectionsRefusedFull += 1
            return reactor_close_reset(descriptor)
        case .peerFull:
            counters.connectionsRefusedPeer += 1
            return reactor_close_reset(descriptor)
        }
        let makeFilter = filterMakers[listener.index]
        let filter = makeFilter?()
        guard makeFilter == nil || filter != nil,
            let connection = addStream(.stream, descriptor: descriptor, tag: tag, flags: [.counted, .newcomer])
        else {
            census.remove(key)
            counters.connectionsRefusedDescriptors += 1
            return reactor_close_reset(descriptor)
        }
        slots[connection.index].pointee.peerKey = key
        counters.connectionsAccepted += 1
        if let filter {
            startHandshake(connection, filter, from: peer, tag: tag)
        } else {
            handler?.opened(connection, from: .accepted(tag: tag, peer: peer), on: self)
        }
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
        _ = reactor_epoll_remove(epoll, slot.pointee.descriptor)
        counters.acceptPauses += 1
    }

    func resumeListener(_ listener: Connection) {
        guard let slot = slots.find(listener), slot.pointee.kind == .listener else { return }
        if reserve < 0 { reserve = max(-1, reactor_open_reserve()) }
        slot.pointee.timer = 0
        let result = reactor_epoll_add(epoll, slot.pointee.descriptor, slot.pointee.interest, listener.rawValue)
        if result < 0 { rest(listener, slot) }
    }
}
