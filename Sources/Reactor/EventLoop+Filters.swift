internal import CReactor

/// A filter with what `opened` will be told.
struct FilteredStream {
    let filter: any StreamFilter
    let tag: UInt32
    let peer: SocketAddress
    /// Why the handshake failed, in the filter's words.
    var failure: String?
}

extension EventLoop {
    /// The handler gets to know the connection when the filter is ready; until then the connection has a limit of time.
    func startHandshake(_ connection: Connection, _ filter: any StreamFilter, from peer: SocketAddress, tag: UInt32) {
        let slot = slots[connection.index]
        slot.pointee.flags.formUnion([.filtered, .handshaking])
        filters[connection.index] = FilteredStream(filter: filter, tag: tag, peer: peer)
        let timer = wheel.arm(
            atMilliseconds: nowMilliseconds + limits.handshakeMilliseconds, token: connection.rawValue,
            kind: TimerKind.handshake.rawValue)
        slot.pointee.timer = timer?.rawValue ?? 0
    }

    /// Passes the first `count` bytes of the read buffer through the filter and does what it says.
    func filter(_ connection: Connection, _ slot: UnsafeMutablePointer<Slot>, count: Int) {
        guard let stream = filters[connection.index] else { return }
        var step = FilterStep()
        let bytes = UnsafeBufferPointer(start: readBuffer.assumingMemoryBound(to: UInt8.self), count: count)
        stream.filter.received(bytes.span, into: &step)
        if !step.outward.isEmpty { enqueue(connection, slot, step.outward.span) }
        if step.isReady, slot.pointee.flags.contains(.handshaking) { finishHandshake(connection, slot, stream) }
        deliver(step.inward.span, connection, slot)
        if let failure = step.failure {
            filters[connection.index]?.failure = failure
            close(connection, reason: .filterFailed)
        } else if step.inputEnded, !slot.pointee.flags.contains(.closing) {
            inputEnded(connection, slot)
        }
    }

    private func finishHandshake(
        _ connection: Connection, _ slot: UnsafeMutablePointer<Slot>, _ stream: FilteredStream
    ) {
        guard !slot.pointee.flags.contains(.closing) else { return }
        slot.pointee.flags.remove(.handshaking)
        cancelTimer(connection)
        counters.handshakesCompleted += 1
        handler?.opened(connection, from: .accepted(tag: stream.tag, peer: stream.peer), on: self)
    }

    /// Hands over what came out of the filter, behind what the handler left, in pieces that fit the read buffer.
    private func deliver(_ bytes: Span<UInt8>, _ connection: Connection, _ slot: UnsafeMutablePointer<Slot>) {
        var rest = bytes
        while !rest.isEmpty, !slot.pointee.flags.contains(.closing) {
            let piece = rest.extracting(first: limits.readBytes)
            rest = rest.extracting(droppingFirst: limits.readBytes)
            let kept = Int(slot.pointee.partialCount)
            if kept > 0, let partial = slot.pointee.partial { readBuffer.copyMemory(from: partial, byteCount: kept) }
            piece.withUnsafeBytes { source in
                if let start = source.baseAddress {
                    (readBuffer + kept).copyMemory(from: start, byteCount: source.count)
                }
            }
            deliver(connection, slot, count: kept + piece.count)
        }
    }

    /// `write` for a filtered stream.
    func writeFiltered(_ connection: Connection, _ slot: UnsafeMutablePointer<Slot>, _ bytes: Span<UInt8>) -> Bool {
        guard let stream = filters[connection.index] else { return false }
        var step = FilterStep()
        stream.filter.send(bytes, into: &step)
        if step.failure != nil {
            close(connection, reason: .filterFailed)
            return false
        }
        return step.outward.isEmpty || enqueue(connection, slot, step.outward.span)
    }

    /// The filter's last word, as far as there is room for it.
    func endFilter(_ connection: Connection, _ slot: UnsafeMutablePointer<Slot>) {
        guard let stream = filters[connection.index] else { return }
        var step = FilterStep()
        stream.filter.end(into: &step)
        guard !step.outward.isEmpty, slot.pointee.flags.isDisjoint(with: [.outputBroken]) else { return }
        enqueue(connection, slot, step.outward.span)
    }

    /// Counts and tells how a handshake failed; that the loop stopped meanwhile is no failure.
    func handshakeFailed(_ stream: FilteredStream, _ reason: CloseReason) {
        let detail: String
        switch reason {
        case .stopping: return
        case .handshakeTimeout:
            counters.handshakesTimedOut += 1
            detail = "not finished within \(limits.handshakeMilliseconds) ms"
        case .failed(let code):
            counters.handshakesFailed += 1
            detail = systemText(code)
        default:
            counters.handshakesFailed += 1
            detail = stream.failure ?? "ended by the peer"
        }
        handler?.handshakeFailed(tag: stream.tag, peer: stream.peer, detail: detail, on: self)
    }
}
