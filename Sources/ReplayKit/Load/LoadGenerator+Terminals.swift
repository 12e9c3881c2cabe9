internal import Histogram
internal import Reactor

/// How terminals come, log in, are lost and come back.
extension LoadGenerator {
    /// A login over a bearer that loses messages is said again after this time.
    private static let loginPauseNanoseconds: Int64 = 1_000_000_000

    /// Opens the sockets that terminals share, each with a source address of its own.
    func openSockets(on loop: EventLoop) throws(ReactorError) {
        for index in 0..<options.sockets {
            let own = options.share.index * options.sockets + index
            let address = options.source(of: own) ?? collected.target.anyLocal
            let socket = try DatagramSocket(binding: address)
            sockets.append(try loop.receive(socket, tag: UInt32(index)))
        }
    }

    func openMore(on loop: EventLoop) {
        // A terminal without a login is served before `connect` returns.
        guard !isOpeningMore else { return }
        isOpeningMore = true
        defer { isOpeningMore = false }
        while phase == .opening, nextToOpen < terminals.count, opening < options.opening {
            nextToOpen += 1
            opening += 1
            connect(nextToOpen - 1, on: loop)
        }
        guard phase == .opening, nextToOpen == terminals.count, opening == 0 else { return }
        phase = .waiting
        result.setUpMicroseconds = UInt64((MonotonicClock.nanoseconds - startNanoseconds) / 1000)
        post(.ready)
    }

    private func connect(_ terminal: Int, on loop: EventLoop) {
        terminals.since[terminal] = MonotonicClock.nanoseconds
        if options.isDatagram {
            terminals.connection[terminal] = sockets[terminal % sockets.count]
            return connected(terminal, on: loop)
        }
        terminals.state[terminal] = .connecting
        do throws(ReactorError) {
            let connection = try loop.connect(
                to: collected.target, from: options.source(of: options.ownTerminals.lowerBound + terminal),
                tag: UInt32(terminal))
            terminals.connection[terminal] = connection
            while terminalOfSlot.count <= connection.index { terminalOfSlot.append(-1) }
            terminalOfSlot[connection.index] = Int32(terminal)
        } catch {
            fail(terminal, because: error.description)
        }
    }

    func opened(_ connection: Connection, from origin: ConnectionOrigin, on loop: EventLoop) {
        let terminal = Int(terminalOfSlot[connection.index])
        result.connect.record(sinceMicroseconds(terminal))
        connected(terminal, on: loop)
    }

    private func connected(_ terminal: Int, on loop: EventLoop) {
        if stormStart == nil { result.connected += 1 }
        guard options.registers, dialect.logsIn else { return served(terminal, on: loop) }
        terminals.state[terminal] = .loggingIn
        terminals.since[terminal] = MonotonicClock.nanoseconds
        login(terminal, on: loop)
    }

    private func login(_ terminal: Int, on loop: EventLoop) {
        if options.isDatagram { terminals.loginSent[terminal] = MonotonicClock.nanoseconds }
        dialect.makeLogin(terminal: number(terminal), serial: terminals.takeSerial(terminal))
        _ = write(terminal, on: loop)
    }

    func authenticate(_ terminal: Int, code: String, on loop: EventLoop) {
        guard terminals.state[terminal] == .loggingIn else { return }
        let serial = terminals.takeSerial(terminal)
        dialect.makeAuthentication(terminal: number(terminal), serial: serial, code: code)
        _ = write(terminal, on: loop)
    }

    /// The terminal's number on the wire.
    func number(_ terminal: Int) -> UInt64 {
        firstTerminal + UInt64(terminal)
    }

    /// The gateway knows the terminal: it may report.
    func served(_ terminal: Int, on loop: EventLoop) {
        if terminals.state[terminal] == .loggingIn { result.registration.record(sinceMicroseconds(terminal)) }
        terminals.state[terminal] = .ready
        guard let stormStart else {
            opening -= 1
            return openMore(on: loop)
        }
        result.stormServed.record(UInt64(max(0, now - stormStart)) / 1000)
        unserved -= 1
        for report in backlog.take(terminal) {
            send(terminal, due: report.due, isSOS: report.isSOS, waited: true, on: loop)
        }
    }

    private func sinceMicroseconds(_ terminal: Int) -> UInt64 {
        UInt64(max(0, MonotonicClock.nanoseconds - terminals.since[terminal])) / 1000
    }

    /// Says logins again that were lost, and gives up those that stay unanswered.
    func hurryLogins(on loop: EventLoop) {
        let now = MonotonicClock.nanoseconds
        let limit = now - Int64(options.timeoutSeconds * 1e9)
        for terminal in 0..<terminals.count {
            let state = terminals.state[terminal]
            guard state == .connecting || state == .loggingIn else { continue }
            if terminals.since[terminal] < limit {
                refused(terminal, "a terminal's connection or registration was not answered in time", on: loop)
            } else if options.isDatagram, now - terminals.loginSent[terminal] > Self.loginPauseNanoseconds {
                result.loginsRepeated += 1
                login(terminal, on: loop)
            }
        }
    }

    private func fail(_ terminal: Int, because reason: String) {
        terminals.state[terminal] = .closed
        result.failed += 1
        result.firstError = result.firstError ?? reason
        if stormStart == nil { opening -= 1 } else { unserved -= 1 }
        for report in backlog.take(terminal) { result[isSOS: report.isSOS].notSent += 1 }
    }

    func refused(_ terminal: Int, _ reason: String, on loop: EventLoop) {
        fail(terminal, because: reason)
        if !options.isDatagram { loop.close(terminals.connection[terminal], reason: .requested(code: 0)) }
        openMore(on: loop)
    }

    func closed(_ connection: Connection, reason: CloseReason, on loop: EventLoop) {
        let terminal = Int(terminalOfSlot[connection.index])
        terminalOfSlot[connection.index] = -1
        guard terminal >= 0, terminals.connection[terminal] == connection else { return }
        switch terminals.state[terminal] {
        case .closed: break
        case .dropped: reopening.append(terminal)
        case .ready:
            terminals.state[terminal] = .closed
            if phase != .finished, reason != .stopping {
                result.closed += 1
                result.firstError = result.firstError ?? "connection closed: \(reason)"
            }
        case .connecting, .loggingIn:
            fail(terminal, because: text(reason))
        }
        openMore(on: loop)
    }

    private func text(_ reason: CloseReason) -> String {
        switch reason {
        case .endOfInput: "the gateway closed a connection during the set-up"
        case .failed(let code): ReactorError(operation: "connect to \(collected.target)", code: code).description
        default: "a connection ended during the set-up: \(reason)"
        }
    }
}

// MARK: The storm

extension LoadGenerator {
    /// Every terminal loses its connection; what it has not heard an answer to it sends again when it is back.
    func dropAll(on loop: EventLoop) {
        stormStart = now
        for terminal in 0..<terminals.count where terminals.state[terminal] == .ready {
            unserved += 1
            terminals.state[terminal] = .dropped
            for report in terminals.takeUnanswered(terminal) {
                result[isSOS: report.isSOS].sent -= 1
                backlog.add(terminal, due: report.due, isSOS: report.isSOS)
            }
            if options.isDatagram {
                reopening.append(terminal)
            } else {
                loop.close(terminals.connection[terminal], reason: .requested(code: 0))
            }
        }
    }

    /// All at once: nothing holds a district back when its network returns.
    func reopen(on loop: EventLoop) {
        let lost = reopening
        reopening.removeAll(keepingCapacity: true)
        for terminal in lost { connect(terminal, on: loop) }
    }
}
