internal import CReactor

/// Accepted connections of which the handler has not said that it knows who speaks wait in an epoll of their own, which is one
/// source of the loop.
///
/// When a district reconnects, thousands of them have something to say at once. A wake-up serves only a few, so that
/// whoever is known, perhaps with an alarm, and what other threads send wait for those few and not for all.
extension EventLoop {
    /// The handler knows who speaks on a connection: from here on it is served before newcomers.
    public func recognise(_ connection: Connection) {
        guard let slot = slots.find(connection), slot.pointee.flags.contains(.newcomer) else { return }
        slot.pointee.flags.remove(.newcomer)
        guard slot.pointee.flags.isDisjoint(with: [.closing, .detached]) else { return }
        _ = reactor_epoll_remove(newcomers, slot.pointee.descriptor)
        let result = reactor_epoll_add(epoll, slot.pointee.descriptor, slot.pointee.interest, connection.rawValue)
        if result < 0 { close(connection, reason: .failed(code: -result)) }
    }

    /// Serves some newcomers; those that are left make the epoll ready again.
    func newcomersReady() {
        let ready = reactor_wait(newcomers, newcomerEvents, limits.newcomersPerWakeUp, 0)
        for index in 0..<max(0, Int(ready)) {
            dispatch(Connection(rawValue: newcomerEvents[index].tag), newcomerEvents[index].events)
        }
    }

    /// The epoll that watches a slot's descriptor.
    func watcher(of slot: Slot) -> Int32 {
        slot.flags.contains(.newcomer) ? newcomers : epoll
    }
}
