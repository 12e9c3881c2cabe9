internal import CReactor
internal import Glibc

/// Partial frames and write queues: memory that a connection has only while it needs it.
extension EventLoop {
    /// The smallest blocks; both grow by doubling.
    private static let smallestPartial = 256
    private static let smallestQueue = 512

    private static func capacity(for count: Int, smallest: Int, largest: Int) -> Int {
        var capacity = smallest
        while capacity < count { capacity *= 2 }
        return min(capacity, max(largest, count))
    }

    func keepPartial(
        _ connection: Connection, _ slot: UnsafeMutablePointer<Slot>, from bytes: UnsafeMutableRawPointer, count: Int
    ) {
        guard count <= limits.maximumPartialBytes else { return close(connection, reason: .partialTooLong) }
        if slot.pointee.partialCapacity < count {
            dropPartial(slot)
            let capacity = Self.capacity(
                for: count, smallest: Self.smallestPartial, largest: limits.maximumPartialBytes)
            guard Int(counters.partialBytes) + capacity <= limits.maximumPartialBytesTotal else {
                return close(connection, reason: .memoryLimit)
            }
            slot.pointee.partial = .allocate(byteCount: capacity, alignment: 8)
            slot.pointee.partialCapacity = UInt32(capacity)
            counters.partialBytes += UInt64(capacity)
        }
        slot.pointee.partial?.copyMemory(from: bytes, byteCount: count)
        slot.pointee.partialCount = UInt32(count)
    }

    func dropPartial(_ slot: UnsafeMutablePointer<Slot>) {
        guard let partial = slot.pointee.partial else { return }
        partial.deallocate()
        counters.partialBytes -= UInt64(slot.pointee.partialCapacity)
        slot.pointee.partial = nil
        slot.pointee.partialCapacity = 0
        slot.pointee.partialCount = 0
    }

    /// Makes room behind the queue's end; false when all queues together would pass their limit.
    func makeRoom(_ slot: UnsafeMutablePointer<Slot>, waiting: Int, more: Int) -> Bool {
        if Int(slot.pointee.queueCapacity) - Int(slot.pointee.queueEnd) >= more { return true }
        let start = Int(slot.pointee.queueStart)
        if let queue = slot.pointee.queue, Int(slot.pointee.queueCapacity) - waiting >= more {
            memmove(queue, queue + start, waiting)
        } else {
            let capacity = Self.capacity(
                for: waiting + more, smallest: Self.smallestQueue, largest: limits.maximumQueuedBytes)
            let growth = capacity - Int(slot.pointee.queueCapacity)
            guard Int(counters.queuedBytes) + growth <= limits.maximumQueuedBytesTotal else { return false }
            let queue = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
            if let old = slot.pointee.queue {
                queue.copyMemory(from: old + start, byteCount: waiting)
                old.deallocate()
            }
            slot.pointee.queue = queue
            slot.pointee.queueCapacity = UInt32(capacity)
            counters.queuedBytes += UInt64(growth)
        }
        slot.pointee.queueStart = 0
        slot.pointee.queueEnd = UInt32(waiting)
        return true
    }

    func dropQueue(_ slot: UnsafeMutablePointer<Slot>) {
        guard let queue = slot.pointee.queue else { return }
        queue.deallocate()
        counters.queuedBytes -= UInt64(slot.pointee.queueCapacity)
        slot.pointee.queue = nil
        slot.pointee.queueCapacity = 0
        slot.pointee.queueStart = 0
        slot.pointee.queueEnd = 0
    }

    func listForFlush(_ connection: Connection, _ slot: UnsafeMutablePointer<Slot>) {
        guard slot.pointee.flags.isDisjoint(with: [.flushListed, .waitsForRoom, .connecting]) else { return }
        slot.pointee.flags.insert(.flushListed)
        flushList.append(connection)
    }

    /// Offers the queue to the system in one write; what is not taken waits for epoll.
    func flush(_ connection: Connection, _ slot: UnsafeMutablePointer<Slot>) {
        if slot.pointee.kind == .datagram { return flushDatagrams(connection, slot) }
        guard let queue = slot.pointee.queue, !slot.pointee.flags.contains(.waitsForRoom) else { return }
        let start = Int(slot.pointee.queueStart)
        let count = Int(slot.pointee.queueEnd) - start
        let descriptor = slot.pointee.descriptor
        let sent =
            slot.pointee.kind == .serial
            ? reactor_write(descriptor, queue + start, count) : reactor_send(descriptor, queue + start, count)
        guard sent >= 0 || sent == -Int(EAGAIN) else { return outputFailed(connection, slot, code: Int32(-sent)) }
        if sent > 0 {
            counters.writes += 1
            counters.bytesSent += UInt64(sent)
        }
        if sent == count {
            dropQueue(slot)
        } else {
            slot.pointee.queueStart += UInt32(max(0, sent))
            if !slot.pointee.flags.contains(.closing) { setWaitsForRoom(connection, slot, true) }
        }
    }

    /// A peer that is gone may have sent something before it went, an SOS for one: that is read before the connection ends.
    private func outputFailed(_ connection: Connection, _ slot: UnsafeMutablePointer<Slot>, code: Int32) {
        counters.bytesDropped += UInt64(slot.pointee.queueEnd - slot.pointee.queueStart)
        dropQueue(slot)
        let leavesInput = code == EPIPE || code == ECONNRESET || code == ETIMEDOUT || code == EIO
        guard leavesInput, slot.pointee.flags.isDisjoint(with: [.paused, .inputEnded]) else {
            return close(connection, reason: slot.pointee.kind == .serial ? .hangUp : .failed(code: code))
        }
        slot.pointee.failure = code
        slot.pointee.flags.insert(.outputBroken)
    }

    func setWaitsForRoom(_ connection: Connection, _ slot: UnsafeMutablePointer<Slot>, _ waits: Bool) {
        guard slot.pointee.flags.contains(.waitsForRoom) != waits else { return }
        if waits {
            slot.pointee.flags.insert(.waitsForRoom)
            waitingForRoom += 1
        } else {
            slot.pointee.flags.remove(.waitsForRoom)
            waitingForRoom -= 1
        }
        updateInterest(connection, slot)
    }

    func wantedInterest(_ slot: Slot) -> UInt32 {
        if slot.flags.contains(.connecting) { return EventMask.writable }
        var interest: UInt32 = 0
        if slot.flags.isDisjoint(with: [.paused, .inputEnded]) { interest |= EventMask.readable }
        if slot.flags.contains(.waitsForRoom) { interest |= EventMask.writable }
        return interest
    }

    func updateInterest(_ connection: Connection, _ slot: UnsafeMutablePointer<Slot>) {
        let wanted = wantedInterest(slot.pointee)
        guard wanted != slot.pointee.interest, !slot.pointee.flags.contains(.detached) else { return }
        slot.pointee.interest = wanted
        _ = reactor_epoll_modify(watcher(of: slot.pointee), slot.pointee.descriptor, wanted, connection.rawValue)
    }
}
