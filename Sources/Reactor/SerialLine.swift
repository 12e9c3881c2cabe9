internal import CReactor
internal import Glibc

/// How a serial line is opened.
public struct SerialOptions: Sendable, Hashable {
    public enum Parity: String, Sendable, Hashable, CaseIterable {
        case none, odd, even
    }

    /// The rates that the kernel knows and a terminal receiver may use.
    public static let bauds = [
        1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 500_000, 576_000, 921_600,
    ]

    /// The device or a link to it, such as `/dev/serial/by-id/…`; a pseudo-terminal works too.
    public var path: String
    /// One of `bauds`.
    public var baud: Int
    /// 7 or 8.
    public var dataBits: Int
    public var parity: Parity
    /// 1 or 2.
    public var stopBits: Int
    /// RTS/CTS. There is no XON/XOFF: its characters are ordinary bytes of binary frames.
    public var hardwareFlowControl: Bool
    /// Received bytes are handed over at once where the driver can (ASYNC_LOW_LATENCY), not after its usual 16 ms.
    public var isLowLatency: Bool
    /// RS-485: the driver raises RTS while it sends and hears nothing of that. An adapter whose driver cannot is one that
    /// turns the line round by itself.
    public var isHalfDuplex: Bool

    public init(
        path: String, baud: Int = 115_200, dataBits: Int = 8, parity: Parity = .none, stopBits: Int = 1,
        hardwareFlowControl: Bool = false, isLowLatency: Bool = true, isHalfDuplex: Bool = false
    ) {
        self.path = path
        self.baud = baud
        self.dataBits = dataBits
        self.parity = parity
        self.stopBits = stopBits
        self.hardwareFlowControl = hardwareFlowControl
        self.isLowLatency = isLowLatency
        self.isHalfDuplex = isHalfDuplex
    }
}

/// Why a serial line is not open.
public enum SerialLineFault: Sendable, Hashable, CustomStringConvertible {
    case notOpenedYet
    /// The system refused to open or to set it up: EACCES, EBUSY, ENOENT and the like.
    case refused(code: Int32)
    /// The device was pulled out, or the other end of a pseudo-terminal closed.
    case hungUp
    case readFailed(code: Int32)
    /// Somebody here closed it.
    case closed(CloseReason)
    /// The loop has no place for another stream.
    case noRoom

    public var description: String {
        switch self {
        case .notOpenedYet: "not opened yet"
        case .refused(let code): systemText(code)
        case .hungUp: "the line hung up"
        case .readFailed(let code): "reading failed: \(systemText(code))"
        case .closed(let reason): "closed: \(reason)"
        case .noRoom: "all connections of the loop are in use"
        }
    }

    init(_ reason: CloseReason) {
        self =
            switch reason {
            case .hangUp: .hungUp
            case .failed(let code): .readFailed(code: code)
            default: .closed(reason)
            }
    }
}

/// Where a serial line stands.
public enum SerialLineState: Sendable, Hashable {
    /// Open; bytes come as those of `connection`.
    case opened(connection: Connection)
    /// Not open; tried again after the pause.
    case waiting(SerialLineFault, pauseMilliseconds: Int64)
    /// Taken out, or the loop has stopped.
    case removed
}

/// One serial line of a loop: a device that may come and go.
struct SerialLine {
    var options: SerialOptions
    var state: SerialLineState
    var pauseMilliseconds: Int64
    var timer: TimerID?
    /// When the line was last opened, on the loop's time scale.
    var openedMilliseconds: Int64 = 0
}

extension SerialOptions {
    /// Opens and prepares the device; the negated errno on failure.
    fileprivate func open() -> Int32 {
        let descriptor = reactor_serial_open(path)
        guard descriptor >= 0 else { return descriptor }
        let result = configure(descriptor)
        guard result == 0 else {
            _ = reactor_close(descriptor)
            return result
        }
        if isLowLatency { _ = reactor_serial_low_latency(descriptor) }
        if isHalfDuplex { _ = reactor_serial_half_duplex(descriptor) }
        return descriptor
    }

    fileprivate func configure(_ descriptor: Int32) -> Int32 {
        let parity: Int32 = parity == .none ? 0 : parity == .odd ? 1 : 2
        return reactor_serial_configure(
            descriptor, Int32(clamping: baud), Int32(clamping: dataBits), parity, Int32(clamping: stopBits),
            hardwareFlowControl ? 1 : 0)
    }
}

extension EventLoop {
    /// Opens a serial line and keeps it open: after a hang-up, or while the device is not there, it is tried again with pauses
    /// that double from `serialRetryFirstMilliseconds` to `serialRetryMaximumMilliseconds`. Every change is reported by
    /// `serialLine(tag:changedTo:on:)`. False when `tag` or all places are taken.
    @discardableResult
    public func addSerialLine(_ options: SerialOptions, tag: UInt32) -> Bool {
        guard serialLines[tag] == nil, serialLines.count < limits.maximumSources else { return false }
        serialLines[tag] = SerialLine(
            options: options, state: .waiting(.notOpenedYet, pauseMilliseconds: 0),
            pauseMilliseconds: limits.serialRetryFirstMilliseconds)
        // Lines added while the loop is being set up wait until it has its handler, and those added while others are being
        // closed until these have let go of their device, which may be the same.
        if handler != nil, closingList.isEmpty {
            openSerialLine(tag: tag)
        } else if handler != nil {
            serialLines[tag]?.timer = wheel.arm(
                atMilliseconds: nowMilliseconds, token: UInt64(tag), kind: TimerKind.serial.rawValue)
        }
        return true
    }

    /// Closes a line and forgets it.
    public func removeSerialLine(tag: UInt32, reason: CloseReason = .requested(code: 0)) {
        guard let line = serialLines.removeValue(forKey: tag) else { return }
        if let timer = line.timer { wheel.cancel(timer) }
        if case .opened(let connection) = line.state { close(connection, reason: reason) }
        handler?.serialLine(tag: tag, changedTo: .removed, on: self)
    }

    /// Tries a waiting line at once, for example because the device was just reported.
    public func retrySerialLine(tag: UInt32) {
        guard let line = serialLines[tag], case .waiting = line.state else { return }
        if let timer = line.timer { wheel.cancel(timer) }
        serialLines[tag]?.timer = nil
        openSerialLine(tag: tag)
    }

    /// Sets an open line to another rate; it stays so when the line is opened again. False when that cannot be.
    @discardableResult
    public func setBaud(_ baud: Int, ofSerialLine tag: UInt32) -> Bool {
        guard let line = serialLines[tag], case .opened(let connection) = line.state,
            let slot = slots.find(connection)
        else { return false }
        var options = line.options
        options.baud = baud
        guard options.configure(slot.pointee.descriptor) == 0 else { return false }
        serialLines[tag]?.options = options
        return true
    }

    /// The line's present state, nil for an unknown tag.
    public func serialLineState(tag: UInt32) -> SerialLineState? {
        serialLines[tag]?.state
    }

    func openSerialLine(tag: UInt32) {
        guard let line = serialLines[tag], !isDraining else { return }
        serialLines[tag]?.timer = nil
        let descriptor = line.options.open()
        guard descriptor >= 0 else {
            counters.serialOpenFailures += 1
            return waitForSerialLine(tag: tag, .refused(code: -descriptor))
        }
        guard let connection = addStream(.serial, descriptor: descriptor, tag: tag, flags: []) else {
            _ = reactor_close(descriptor)
            return waitForSerialLine(tag: tag, .noRoom)
        }
        counters.serialOpened += 1
        serialLines[tag]?.state = .opened(connection: connection)
        serialLines[tag]?.openedMilliseconds = nowMilliseconds
        handler?.opened(connection, from: .serial(tag: tag), on: self)
        handler?.serialLine(tag: tag, changedTo: .opened(connection: connection), on: self)
    }

    func serialLineLost(tag: UInt32, worked: Bool, reason: CloseReason) {
        guard let line = serialLines[tag], case .opened = line.state else { return }
        // A line that worked starts with the short pause, one that is lost as soon as it is opened waits longer and longer.
        if worked || nowMilliseconds - line.openedMilliseconds >= limits.serialRetryMaximumMilliseconds {
            serialLines[tag]?.pauseMilliseconds = limits.serialRetryFirstMilliseconds
        }
        waitForSerialLine(tag: tag, SerialLineFault(reason))
    }

    private func waitForSerialLine(tag: UInt32, _ fault: SerialLineFault) {
        guard let line = serialLines[tag] else { return }
        let pause = line.pauseMilliseconds
        serialLines[tag]?.pauseMilliseconds = min(pause * 2, limits.serialRetryMaximumMilliseconds)
        serialLines[tag]?.state = .waiting(fault, pauseMilliseconds: pause)
        serialLines[tag]?.timer = wheel.arm(
            atMilliseconds: nowMilliseconds + pause, token: UInt64(tag), kind: TimerKind.serial.rawValue)
        handler?.serialLine(tag: tag, changedTo: .waiting(fault, pauseMilliseconds: pause), on: self)
    }
}
