import CoreMetrics
import GatewayTelemetry
import Logging
import Reactor
import TerminalModel

extension TransportLoop {
    func take(_ order: LineOrder, on loop: EventLoop) {
        switch order {
        case .open(let tag, let line):
            lines[tag] = LineListening(line)
            guard !loop.addSerialLine(line.options, tag: tag) else { return }
            lines[tag] = nil
            transport.tell(tag, .waiting(.noRoom))
        case .close(let tag): loop.removeSerialLine(tag: tag)
        case .retry(let tag): loop.retrySerialLine(tag: tag)
        }
    }

    func serialLine(tag: UInt32, changedTo state: SerialLineState, on loop: EventLoop) {
        switch state {
        case .opened(let connection):
            tags[connection.index] = tag
            lines[tag]?.opened()
            transport.tell(tag, .opened)
        case .waiting(let fault, _):
            transport.tell(tag, .waiting(fault))
        case .removed:
            lines[tag] = nil
            transport.tell(tag, .closed)
        }
    }

    /// Bytes of a serial line have been looked at: tells that frames come, or tries the next rate when none do.
    func listen(to connection: Connection, bytes: Int, frames: Int, on loop: EventLoop) {
        guard let tag = tags[connection.index], let path = lines[tag]?.line.options.path,
            let conclusion = lines[tag]?.received(bytes: bytes, frames: frames, now: loop.nowMilliseconds)
        else { return }
        switch conclusion {
        case .nothing: break
        case .heard: transport.tell(tag, .heard(baud: lines[tag]?.baud ?? 0))
        case .tryBaud(let baud):
            guard loop.setBaud(baud, ofSerialLine: tag) else { return }
            metrics.baudsTried.increment()
            logger.debug(
                "Another rate is tried on a serial line",
                metadata: .keyed([.connectionPeer: "\(path)", .count: "\(baud)"]))
        }
    }

    /// A pager beside the gateway that has no position of its own is where the gateway is, and says so.
    func place(_ report: inout InboundReport, from slot: SessionSlot) {
        guard slot.bearer == .serial, let gatewayPosition, !report.event.historical,
            [.report, .alarm, .key].contains(report.event.kind), report.event.position?.valid != true,
            let tag = tags[slot.socket.index], lines[tag]?.line.isBesideGateway == true
        else { return }
        report.event.position = gatewayPosition
    }
}
