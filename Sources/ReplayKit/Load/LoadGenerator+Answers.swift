internal import Histogram
internal import Reactor

/// What the gateway says.
extension LoadGenerator {
    func received(_ connection: Connection, bytes: Span<UInt8>, on loop: EventLoop) -> Int {
        let terminal = Int(terminalOfSlot[connection.index])
        guard terminal >= 0 else { return bytes.count }
        let now = now
        let used = dialect.read(bytes) { _, answer in take(answer, terminal, now: now, on: loop) }
        finishIfDrained()
        return used
    }

    func datagram(_ socket: Connection, from peer: SocketAddress, bytes: Span<UInt8>, on loop: EventLoop) {
        let now = now
        _ = dialect.read(bytes) { number, answer in
            guard let number, number >= firstTerminal, number - firstTerminal < UInt64(terminals.count) else {
                result.brokenFrames += 1
                return
            }
            take(answer, Int(number - firstTerminal), now: now, on: loop)
        }
        finishIfDrained()
    }

    private func take(_ answer: LoadAnswer, _ terminal: Int, now: Int64, on loop: EventLoop) {
        switch answer {
        case .taken(let serial):
            if terminals.state[terminal] == .ready {
                taken(terminal, serial, now: now, on: loop)
            } else if terminals.state[terminal] == .loggingIn, serial == terminals.serial[terminal] &- 1 {
                served(terminal, on: loop)
            }
        case .refused(let serial, let code):
            if terminals.state[terminal] == .loggingIn {
                refused(terminal, "a registration or authentication was refused with result \(code)", on: loop)
            } else if let report = terminals.answered(terminal, serial: serial) {
                result[isSOS: report.isSOS].refused += 1
            }
        case .challenge(let code): authenticate(terminal, code: code, on: loop)
        case .command:
            result.commands += 1
            dialect.makeReply(terminal: number(terminal), serial: terminals.takeSerial(terminal))
            _ = write(terminal, on: loop)
        case .broken: result.brokenFrames += 1
        }
    }

    private func taken(_ terminal: Int, _ serial: UInt16, now: Int64, on loop: EventLoop) {
        guard let report = terminals.answered(terminal, serial: serial) else { return }
        result[isSOS: report.isSOS].acknowledged += 1
        let microseconds = UInt64(max(0, now - report.due)) / 1000
        result[isSOS: report.isSOS].latency.record(microseconds)
        if report.isSOS, !stormSOS.isEmpty, let left = stormSOS.removeValue(forKey: terminal << 16 | Int(serial)) {
            result.stormSOS.record(UInt64(max(0, now - left)) / 1000)
        }
        if options.saturates, !report.isSOS, phase == .running {
            send(terminal, due: self.now, isSOS: false, on: loop)
        }
    }
}
