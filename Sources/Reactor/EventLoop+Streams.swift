internal import CReactor
internal import Glibc

extension EventLoop {
    /// Queues bytes; they leave at the end of the wake-up together with everything else for this connection.
    ///
    /// False when the handle is stale or closing, or when a limit is passed: then nothing of `bytes` is queued and the
    /// connection is closed as a slow peer.
    @discardableResult
    public func write(_ connection: Connection, _ bytes: Span<UInt8>) -> Bool {
        guard let slot = slots.find(connection), slot.pointee.kind.isStream,
            slot.pointee.flags.isDisjoint(with: [.closing, .outputBroken])
        else { return false }
        guard !bytes.isEmpty else { return true }
        if slot.pointee.flags.contains(.filtered) { return writeFiltered(connection, slot, bytes) }
        return enqueue(connection, slot, bytes)
    }

    /// Puts bytes behind the connection's queue, or closes it when there is no room.
    @discardableResult
    func enqueue(_ connection: Connection, _ slot: UnsafeMutablePointer<Slot>, _ bytes: Span<UInt8>) -> Bool {
        let waiting = Int(slot.pointee.queueEnd - slot.pointee.queueStart)
        guard bytes.count <= limits.maximumQueuedBytes - waiting else {
            close(connection, reason: .slowPeer)
            return false
        }
        guard makeRoom(slot, waiting: waiting, more: bytes.count), let queue = slot.pointee.queue else {
            close(connection, reason: .memoryLimit)
            return false
        }
        bytes.withUnsafeBytes { source in
            if let start = source.baseAddress {
                (queue + Int(slot.pointee.queueEnd)).copyMemory(from: start, byteCount: source.count)
            }
        }
        slot.pointee.queueEnd += UInt32(bytes.count)
        listForFlush(connection, slot)
        return true
    }

    /// `write` for an array.
    @discardableResult
    public func write(_ connection: Connection, _ bytes: [UInt8]) -> Bool {
        write(connection, bytes.span)
    }

    /// Ends a connection at the end of this wake-up; what is queued is offered to the socket once before. Harmless with a
    /// stale handle. Only `closed` is called for the connection from now on.
    public func close(_ connection: Connection, reason: CloseReason) {
        guard let slot = slots.find(connection), slot.pointee.kind.isStream,
            !slot.pointee.flags.contains(.closing)
        else { return }
        slot.pointee.flags.insert(.closing)
        closingList.append((connection, reason))
        if slot.pointee.flags.contains(.filtered) { endFilter(connection, slot) }
    }

    /// True while the handle names an open connection that is not closing.
    public func isOpen(_ connection: Connection) -> Bool {
        guard let slot = slots.find(connection) else { return false }
        return slot.pointee.kind.isStream && !slot.pointee.flags.contains(.closing)
    }

    /// Bytes queued for the peer and not yet taken by the system; 0 for a stale handle.
    public func queuedBytes(_ connection: Connection) -> Int {
        guard let slot = slots.find(connection) else { return 0 }
        return Int(slot.pointee.queueEnd - slot.pointee.queueStart)
    }

    /// Bytes of an incomplete frame that are kept for the next read; 0 for a stale handle.
    public func partialBytes(_ connection: Connection) -> Int {
        slots.find(connection).map { Int($0.pointee.partialCount) } ?? 0
    }

    /// Stops reading from a connection, so that a full queue further on holds up the peer instead of memory.
    public func pauseReading(_ connection: Connection) {
        guard let slot = slots.find(connection), slot.pointee.kind.isStream else { return }
        slot.pointee.flags.insert(.paused)
        updateInterest(connection, slot)
    }

    /// Reads again; bytes kept from before are handed over at the end of this wake-up even when no new ones arrive.
    public func resumeReading(_ connection: Connection) {
        guard let slot = slots.find(connection), slot.pointee.flags.contains(.paused) else { return }
        slot.pointee.flags.remove(.paused)
        if slot.pointee.flags.contains(.detached) {
            slot.pointee.flags.remove(.detached)
            slot.pointee.interest = wantedInterest(slot.pointee)
            let result = reactor_epoll_add(
                watcher(of: slot.pointee), slot.pointee.descriptor, slot.pointee.interest, connection.rawValue)
            if result < 0 { close(connection, reason: .failed(code: -result)) }
        }
        updateInterest(connection, slot)
        if slot.pointee.partialCount > 0 { redeliverList.append(connection) }
    }

    /// Makes a TCP connection without waiting: `opened` follows, or `closed` when it fails. `from` chooses the source address.
    public func connect(
        to peer: SocketAddress, from source: SocketAddress? = nil, tag: UInt32
    ) throws(ReactorError) -> Connection {
        guard counters.connectionsOpen < UInt64(limits.maximumConnections) else {
            throw ReactorError(operation: "connect to \(peer)", code: EMFILE)
        }
        let descriptor = try checked(
            reactor_connect(peer.system, source?.system ?? reactor_address()), "connect to \(peer)")
        _ = setStreamOptions(descriptor, limits)
        guard let connection = addStream(.stream, descriptor: descriptor, tag: tag, flags: .connecting) else {
            _ = reactor_close(descriptor)
            throw ReactorError(operation: "connect to \(peer)", code: ENOMEM)
        }
        return connection
    }
}

extension EventLoop {
    /// Puts a descriptor into the table and under epoll; nil when either has no room (the descriptor stays the caller's).
    func addStream(_ kind: SlotKind, descriptor: Int32, tag: UInt32, flags: SlotFlags) -> Connection? {
        guard let connection = slots.take(kind, descriptor: descriptor, tag: tag) else { return nil }
        let slot = slots[connection.index]
        slot.pointee.flags = flags
        slot.pointee.interest = wantedInterest(slot.pointee)
        let watcher = watcher(of: slot.pointee)
        guard reactor_epoll_add(watcher, descriptor, slot.pointee.interest, connection.rawValue) == 0 else {
            slots.release(connection)
            return nil
        }
        counters.connectionsOpen += 1
        return connection
    }

    func streamReady(_ connection: Connection, _ slot: UnsafeMutablePointer<Slot>, _ events: UInt32) {
        if slot.pointee.flags.contains(.connecting) {
            finishConnecting(connection, slot)
            return
        }
        if events & EventMask.writable != 0, slot.pointee.flags.contains(.waitsForRoom) {
            setWaitsForRoom(connection, slot, false)
            listForFlush(connection, slot)
        }
        let broken = events & (EventMask.hangUp | EventMask.error) != 0
        guard broken || events & EventMask.readable != 0 else { return }
        if slot.pointee.flags.isDisjoint(with: [.paused, .inputEnded]) {
            readStream(connection, slot, broken: broken)
        } else if broken, slot.pointee.flags.contains(.inputEnded) {
            closeBroken(connection, slot)
        } else if broken {
            // What the peer sent before it went is read when the handler resumes.
            slot.pointee.flags.insert(.detached)
            _ = reactor_epoll_remove(watcher(of: slot.pointee), slot.pointee.descriptor)
        }
    }

    private func finishConnecting(_ connection: Connection, _ slot: UnsafeMutablePointer<Slot>) {
        let error = reactor_socket_error(slot.pointee.descriptor)
        var peer = reactor_address()
        guard error == 0 else { return close(connection, reason: .failed(code: -error)) }
        guard reactor_peer_name(slot.pointee.descriptor, &peer) == 0 else { return }
        slot.pointee.flags.remove(.connecting)
        updateInterest(connection, slot)
        let origin = ConnectionOrigin.connected(tag: slot.pointee.tag, peer: SocketAddress(peer))
        handler?.opened(connection, from: origin, on: self)
        if slot.pointee.queueEnd > slot.pointee.queueStart { listForFlush(connection, slot) }
    }

    func readStream(_ connection: Connection, _ slot: UnsafeMutablePointer<Slot>, broken: Bool) {
        let isFiltered = slot.pointee.flags.contains(.filtered)
        let kept = isFiltered ? 0 : Int(slot.pointee.partialCount)
        let got = reactor_read(slot.pointee.descriptor, readBuffer + kept, limits.readBytes)
        if got > 0 {
            counters.reads += 1
            counters.bytesReceived += UInt64(got)
            if isFiltered { return filter(connection, slot, count: got) }
            if slot.pointee.kind == .serial { slot.pointee.flags.insert(.hasReceived) }
            if kept > 0, let partial = slot.pointee.partial {
                readBuffer.copyMemory(from: partial, byteCount: kept)
            }
            deliver(connection, slot, count: kept + got)
        } else if got == 0 {
            inputEnded(connection, slot)
        } else if got == -Int(EAGAIN) {
            if broken { closeBroken(connection, slot) }
        } else if slot.pointee.kind == .serial, [EIO, ENODEV, ENXIO].contains(Int32(-got)) {
            // What a tty says whose device is gone.
            close(connection, reason: .hangUp)
        } else {
            close(connection, reason: .failed(code: Int32(-got)))
        }
    }

    /// Hands over the first `count` bytes of the read buffer and keeps what the handler did not use.
    func deliver(_ connection: Connection, _ slot: UnsafeMutablePointer<Slot>, count: Int) {
        guard let handler else { return }
        let bytes = UnsafeBufferPointer(start: readBuffer.assumingMemoryBound(to: UInt8.self), count: count)
        let used = min(max(0, handler.received(connection, bytes: bytes.span, on: self)), count)
        guard used < count, !slot.pointee.flags.contains(.closing) else {
            dropPartial(slot)
            return
        }
        keepPartial(connection, slot, from: readBuffer + used, count: count - used)
    }

    func inputEnded(_ connection: Connection, _ slot: UnsafeMutablePointer<Slot>) {
        if slot.pointee.kind == .serial {
            close(connection, reason: .hangUp)
        } else if slot.pointee.flags.contains(.outputBroken) {
            close(connection, reason: .failed(code: slot.pointee.failure))
        } else if !slot.pointee.flags.contains(.handshaking), let handler,
            handler.keepsOpenAfterEndOfInput(connection, on: self)
        {
            slot.pointee.flags.insert(.inputEnded)
            updateInterest(connection, slot)
        } else {
            close(connection, reason: .endOfInput)
        }
    }

    /// Ends a connection that reports an error or hang-up and gives nothing more to read.
    private func closeBroken(_ connection: Connection, _ slot: UnsafeMutablePointer<Slot>) {
        guard slot.pointee.kind == .stream else { return close(connection, reason: .hangUp) }
        let error = reactor_socket_error(slot.pointee.descriptor)
        close(connection, reason: error == 0 ? .endOfInput : .failed(code: -error))
    }

    func redeliver(_ connection: Connection) {
        guard let slot = slots.find(connection), slot.pointee.flags.isDisjoint(with: [.closing, .paused]),
            let partial = slot.pointee.partial, slot.pointee.partialCount > 0
        else { return }
        let count = Int(slot.pointee.partialCount)
        readBuffer.copyMemory(from: partial, byteCount: count)
        deliver(connection, slot, count: count)
    }

    func finishClosing(_ connection: Connection, _ reason: CloseReason) {
        guard let slot = slots.find(connection) else { return }
        setWaitsForRoom(connection, slot, false)
        counters.bytesDropped += UInt64(slot.pointee.queueEnd - slot.pointee.queueStart)
        dropPartial(slot)
        dropQueue(slot)
        if slot.pointee.timer != 0 { wheel.cancel(TimerID(rawValue: slot.pointee.timer)) }
        if slot.pointee.flags.contains(.counted) { census.remove(slot.pointee.peerKey) }
        let isHandshaking = slot.pointee.flags.contains(.handshaking)
        let stream = filters.removeValue(forKey: connection.index)
        let kind = slot.pointee.kind
        let tag = slot.pointee.tag
        let worked = slot.pointee.flags.contains(.hasReceived)
        _ = reactor_close(slot.pointee.descriptor)
        slots.release(connection)
        counters.connectionsOpen -= 1
        counters.connectionsClosed += 1
        switch reason {
        case .slowPeer: counters.closedSlowPeer += 1
        case .partialTooLong: counters.closedPartialTooLong += 1
        case .memoryLimit: counters.closedMemoryLimit += 1
        case .failed: counters.closedFailed += 1
        case .filterFailed where !isHandshaking: counters.closedFilterFailed += 1
        case .endOfInput, .hangUp, .filterFailed, .handshakeTimeout, .requested, .stopping: break
        }
        if isHandshaking, let stream { return handshakeFailed(stream, reason) }
        handler?.closed(connection, reason: reason, on: self)
        if kind == .serial { serialLineLost(tag: tag, worked: worked, reason: reason) }
    }
}
