extension EventLoop {
    /// Arms the connection's one timer, or moves it. It fires at most one tick late, ends with the connection, and several
    /// purposes share it: the handler keeps its deadlines and asks for the earliest. False for a stale handle.
    @discardableResult
    public func setTimer(_ connection: Connection, afterMilliseconds delay: Int64) -> Bool {
        setTimer(connection, atMilliseconds: nowMilliseconds &+ delay)
    }

    /// `setTimer` for a time on the scale of `nowMilliseconds`.
    @discardableResult
    public func setTimer(_ connection: Connection, atMilliseconds deadline: Int64) -> Bool {
        guard let slot = slots.find(connection), slot.pointee.kind.isStream,
            !slot.pointee.flags.contains(.closing)
        else { return false }
        if slot.pointee.timer != 0, wheel.rearm(TimerID(rawValue: slot.pointee.timer), atMilliseconds: deadline) {
            return true
        }
        let timer = wheel.arm(
            atMilliseconds: deadline, token: connection.rawValue, kind: TimerKind.connection.rawValue)
        slot.pointee.timer = timer?.rawValue ?? 0
        return timer != nil
    }

    /// Disarms the connection's timer.
    public func cancelTimer(_ connection: Connection) {
        guard let slot = slots.find(connection), slot.pointee.kind.isStream, slot.pointee.timer != 0 else { return }
        wheel.cancel(TimerID(rawValue: slot.pointee.timer))
        slot.pointee.timer = 0
    }

    /// Arms a timer of the handler itself, `timer(token:on:)` follows once. Nil when `maximumScheduledTimers` are armed.
    public func schedule(afterMilliseconds delay: Int64, token: UInt64) -> TimerID? {
        guard scheduledTimers < limits.maximumScheduledTimers else { return nil }
        let timer = wheel.arm(
            atMilliseconds: nowMilliseconds &+ delay, token: token, kind: TimerKind.handler.rawValue)
        if timer != nil { scheduledTimers += 1 }
        return timer
    }

    /// Moves a timer made by `schedule`; false when it has fired or was cancelled.
    @discardableResult
    public func reschedule(_ timer: TimerID, afterMilliseconds delay: Int64) -> Bool {
        wheel.rearm(timer, atMilliseconds: nowMilliseconds &+ delay)
    }

    /// Cancels a timer made by `schedule`; false when it has fired or was cancelled before.
    @discardableResult
    public func cancel(_ timer: TimerID) -> Bool {
        guard wheel.cancel(timer) else { return false }
        scheduledTimers -= 1
        return true
    }
}
