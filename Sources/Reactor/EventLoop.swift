internal import CReactor

/// One thread's loop: waits for readiness, reads, hands bytes over, fires timers, and writes once per wake-up.
///
/// Not `Sendable`: it is created on its thread by `ReactorThread` and every call belongs there. Other threads reach it through
/// a `Mailbox` or `ReactorThread.execute`.
public final class EventLoop {
    /// The meaning of a wheel timer's `token`.
    enum TimerKind: UInt8 {
        case handler, connection, handshake, listener, serial, drain
    }

    public let name: String
    public let limits: ReactorLimits
    /// Milliseconds since the machine was started, read once per wake-up.
    public internal(set) var nowMilliseconds: Int64
    /// True after `stop`: no new connections and no further reads, answers that are on their way are still written.
    public internal(set) var isDraining = false
    /// The live numbers; other threads read `ReactorThread.counters`.
    public internal(set) var counters = ReactorCounters()

    let epoll: Int32
    let newcomers: Int32
    let newcomerEvents: UnsafeMutablePointer<reactor_event>
    var slots: SlotTable
    var wheel: TimerWheel
    var handler: (any ConnectionHandler)?
    /// Room for the longest kept partial frame and one read behind it.
    let readBuffer: UnsafeMutableRawPointer
    /// Given up for a moment when the process has no descriptor left; -1 while it could not be opened again.
    var reserve: Int32

    var flushList: [Connection] = []
    var closingList: [(connection: Connection, reason: CloseReason)] = []
    var redeliverList: [Connection] = []
    /// The lists that are being worked off, exchanged with those above so that no wake-up allocates.
    private var flushing: [Connection] = []
    private var finishing: [(connection: Connection, reason: CloseReason)] = []
    let census: ConnectionCensus
    /// Filters by slot index of their stream.
    var filters: [Int: FilteredStream] = [:]
    /// What makes the filter of a connection, by slot index of its listener.
    var filterMakers: [Int: () -> (any StreamFilter)?] = [:]
    var mailDrains: [Int: () -> Int] = [:]
    var serialLines: [UInt32: SerialLine] = [:]
    var serialTags: [Int: UInt32] = [:]
    var datagramSockets: [Int: DatagramState] = [:]
    /// Connections whose peer did not take everything yet.
    var waitingForRoom = 0
    var scheduledTimers = 0
    /// When the wait for events returned last, in microseconds, and whether that was soon after the time before.
    private var wokenAt: Int64 = 0
    private var isBusy = false
    private let events: UnsafeMutablePointer<reactor_event>
    private let published: PublishedCounters
    private let stopRequest: StopRequest

    init(
        name: String, limits: ReactorLimits, census: ConnectionCensus, published: PublishedCounters,
        stopRequest: StopRequest
    ) throws(ReactorError) {
        self.name = name
        self.limits = limits
        self.census = census
        self.published = published
        self.stopRequest = stopRequest
        self.nowMilliseconds = reactor_milliseconds()
        let epoll = try checked(reactor_epoll_create(), "create epoll for \(name)")
        self.epoll = epoll
        self.newcomers = try checked(reactor_epoll_create(), "create epoll for newcomers of \(name)")
        self.reserve = max(-1, reactor_open_reserve())
        self.slots = SlotTable(capacity: max(1, limits.maximumConnections) + max(1, limits.maximumSources) + 1)
        self.wheel = TimerWheel(
            // One for each slot, for each serial line that waits, and for the end of draining.
            capacity: slots.capacity + limits.maximumScheduledTimers + limits.maximumSources + 1,
            tickMilliseconds: limits.timerTickMilliseconds,
            nowMilliseconds: nowMilliseconds)
        self.readBuffer = .allocate(byteCount: limits.readBytes + limits.maximumPartialBytes, alignment: 64)
        self.events = .allocate(capacity: Int(REACTOR_EVENTS_PER_WAIT))
        self.newcomerEvents = .allocate(capacity: Int(REACTOR_EVENTS_PER_WAIT))
        _ = try addSource(.newcomers, descriptor: newcomers, tag: 0, name: "newcomers of \(name)")
    }

    deinit {
        for index in 0..<slots.used where slots[index].pointee.kind != .free && slots[index].pointee.kind != .mailbox {
            _ = reactor_close(slots[index].pointee.descriptor)
        }
        if reserve >= 0 { _ = reactor_close(reserve) }
        _ = reactor_close(epoll)
        readBuffer.deallocate()
        events.deallocate()
        newcomerEvents.deallocate()
    }

    /// `Connection.index` is always below this.
    public var slotCapacity: Int {
        slots.capacity
    }
}

extension EventLoop {
    /// Runs until the stop was asked for and everything is drained or its time is over.
    func run(_ handler: any ConnectionHandler) {
        self.handler = handler
        for tag in serialLines.keys.sorted() { openSerialLine(tag: tag) }
        finishWakeUp()
        while !isFinished {
            turn()
        }
        closeEverything()
        handler.stopped(on: self)
        self.handler = nil
        mailDrains.removeAll()
        published.publish(counters)
    }

    private func turn() {
        published.publish(counters)
        if isBusy { gather() }
        let ready = reactor_wait(epoll, events, REACTOR_EVENTS_PER_WAIT, timeout())
        noteWakeUp(isFull: ready == REACTOR_EVENTS_PER_WAIT)
        for index in 0..<max(0, Int(ready)) {
            dispatch(Connection(rawValue: events[index].tag), events[index].events)
        }
        wheel.advance(toMilliseconds: nowMilliseconds)
        while let due = wheel.popDue() {
            fire(due)
        }
        if !isDraining, let milliseconds = stopRequest.milliseconds {
            startDraining(milliseconds)
        }
        finishWakeUp()
    }

    /// Lets arrivals gather until the last wake-up is long enough ago.
    private func gather() {
        let rest = wokenAt + limits.gatherMicroseconds - reactor_microseconds()
        if rest > 0 { reactor_sleep(rest) }
    }

    /// A loop is busy when it is woken again at once, though it gathers; with a full list of events more waits already.
    private func noteWakeUp(isFull: Bool) {
        let now = reactor_microseconds()
        isBusy = !isFull && now - wokenAt < 2 * limits.gatherMicroseconds
        wokenAt = now
        nowMilliseconds = now / 1_000
        counters.wakeUps += 1
    }

    /// Milliseconds until the next timer, -1 when there is none: a loop with nothing to do does not wake up.
    private func timeout() -> Int32 {
        guard let next = wheel.nextMilliseconds else { return -1 }
        return Int32(clamping: max(0, next - reactor_milliseconds()))
    }

    func dispatch(_ connection: Connection, _ events: UInt32) {
        guard let slot = slots.find(connection), !slot.pointee.flags.contains(.closing) else {
            counters.staleEvents += 1
            return
        }
        switch slot.pointee.kind {
        case .stream, .serial: streamReady(connection, slot, events)
        case .listener: acceptReady(connection, slot)
        case .datagram: datagramReady(connection, slot, events)
        case .newcomers: newcomersReady()
        case .mailbox: counters.messagesReceived += UInt64(mailDrains[connection.index]?() ?? 0)
        case .free: break
        }
    }

    private func fire(_ due: TimerWheel.Due) {
        counters.timersFired += 1
        switch TimerKind(rawValue: due.kind) {
        case .handler:
            scheduledTimers -= 1
            handler?.timer(token: due.token, on: self)
        case .connection:
            let connection = Connection(rawValue: due.token)
            guard let slot = slots.find(connection) else { return }
            slot.pointee.timer = 0
            if !slot.pointee.flags.contains(.closing) { handler?.timer(connection, on: self) }
        case .handshake:
            let connection = Connection(rawValue: due.token)
            slots.find(connection)?.pointee.timer = 0
            close(connection, reason: .handshakeTimeout)
        case .listener: resumeListener(Connection(rawValue: due.token))
        case .serial: openSerialLine(tag: UInt32(truncatingIfNeeded: due.token))
        case .drain, nil: break
        }
    }

    /// Lets the handler pass on what it gathered, writes, and carries out what was asked to close; once more for what the
    /// callbacks of that asked for, so that nothing gathered or queued waits for the next wake-up.
    private func finishWakeUp() {
        repeat {
            if !redeliverList.isEmpty {
                let again = redeliverList
                redeliverList.removeAll()
                for connection in again { redeliver(connection) }
            }

            handler?.endOfWakeUp(on: self)

            swap(&flushList, &flushing)
            for connection in flushing {
                guard let slot = slots.find(connection) else { continue }
                slot.pointee.flags.remove(.flushListed)
                flush(connection, slot)
            }
            flushing.removeAll(keepingCapacity: true)
        } while finishClosings() || !redeliverList.isEmpty || !flushList.isEmpty
    }

    /// Ends the connections that were asked to close; false when there were none.
    private func finishClosings() -> Bool {
        guard !closingList.isEmpty else { return false }
        swap(&closingList, &finishing)
        for (connection, reason) in finishing { finishClosing(connection, reason) }
        finishing.removeAll(keepingCapacity: true)
        return true
    }

    private var isFinished: Bool {
        guard isDraining, let handler, let deadline = stopRequest.deadline else { return false }
        if nowMilliseconds >= deadline { return true }
        return waitingForRoom == 0 && handler.isDrained(on: self)
    }

    private func startDraining(_ milliseconds: Int64) {
        isDraining = true
        let deadline = nowMilliseconds + max(0, milliseconds)
        stopRequest.deadline = deadline
        for index in 0..<slots.used where slots[index].pointee.kind == .listener {
            let listener = Connection(index: index, generation: slots[index].pointee.generation)
            // Connections of a shared socket wait for the next process. On one of our own they end with it, so those that
            // were made already are served: one may have brought an SOS.
            if !slots[index].pointee.flags.contains(.shared) { acceptAll(listener, slots[index]) }
            removeSource(listener)
        }
        for index in 0..<slots.used {
            let source = Connection(index: index, generation: slots[index].pointee.generation)
            switch slots[index].pointee.kind {
            case .stream, .serial: readLast(source, slots[index])
            case .datagram: receiveLast(source, slots[index])
            case .free, .listener, .mailbox, .newcomers: break
            }
        }
        _ = wheel.arm(atMilliseconds: deadline, token: 0, kind: TimerKind.drain.rawValue)
        handler?.draining(on: self)
    }

    /// What has arrived by now is handed over; what follows stays unread and unanswered, and the terminal sends it again.
    private func readLast(_ connection: Connection, _ slot: UnsafeMutablePointer<Slot>) {
        if slot.pointee.flags.contains(.handshaking) { return close(connection, reason: .stopping) }
        if slot.pointee.flags.isDisjoint(with: [.closing, .paused, .inputEnded, .connecting]) {
            readStream(connection, slot, broken: false)
        }
        pauseReading(connection)
    }

    private func closeEverything() {
        for tag in serialLines.keys.sorted() { removeSerialLine(tag: tag, reason: .stopping) }
        for index in 0..<slots.used where slots[index].pointee.kind.isStream {
            close(Connection(index: index, generation: slots[index].pointee.generation), reason: .stopping)
        }
        finishWakeUp()
        for index in 0..<slots.used where slots[index].pointee.kind != .free {
            removeSource(Connection(index: index, generation: slots[index].pointee.generation))
        }
    }
}
