import AlarmPipeline
import Reactor
import TerminalModel
import TerminalSession

/// What one loop records; there is none while nothing is to be recorded, so that the frame path has a single question to ask.
final class LoopCapture {
    /// A connection, line or peer that is recorded.
    struct Session {
        let name: String
        let listener: String
        /// The whole port or line is recorded, whoever speaks.
        let isOfPort: Bool
        var protocolName: ProtocolName?
        /// Bytes of an unfinished frame that come again in front of the next ones and are recorded already.
        var held = 0
    }

    let writer: RawCapture
    var settings: CaptureSettings
    var sessions: [SessionHandle: Session] = [:]
    private let loopName: String
    private var sessionCount = 0

    init(_ writer: RawCapture, _ settings: CaptureSettings, loop: UInt16) {
        self.writer = writer
        self.settings = settings
        // Names of sessions differ between runs of the gateway.
        loopName = "\(SystemClock.now().wall.milliseconds)-\(loop)"
    }

    func nextName() -> String {
        sessionCount += 1
        return "\(loopName)-\(sessionCount)"
    }
}

extension TransportLoop {
    /// Takes up what is to be recorded from now on. What is recorded and need not be any more ends at once; terminals are
    /// recorded from now on, ports with their next connections and datagrams.
    func take(_ settings: CaptureSettings?, _ writer: RawCapture?, on loop: EventLoop) {
        guard let settings, let writer else {
            capture = nil
            return
        }
        let capture = capture ?? LoopCapture(writer, settings, loop: index)
        self.capture = capture
        capture.settings = settings
        for handle in capture.sessions.keys {
            guard let slot = slot(handle), isToBeRecorded(slot, by: capture) else {
                capture.sessions[handle] = nil
                continue
            }
        }
        guard !settings.terminals.isEmpty else { return }
        for terminal in settings.terminals {
            for bearer in Bearer.allCases {
                guard let handle = places[terminal, bearer], let slot = slot(handle) else { continue }
                if capture.sessions[handle] == nil { beginRecording(slot, by: capture) }
            }
        }
    }

    private func isToBeRecorded(_ slot: SessionSlot, by capture: LoopCapture) -> Bool {
        if slot.session.terminals.contains(where: capture.settings.terminals.contains) { return true }
        return capture.sessions[slot.handle]?.isOfPort == true && isPortRecorded(slot, by: capture)
    }

    private func isPortRecorded(_ slot: SessionSlot, by capture: LoopCapture) -> Bool {
        switch slot.bearer {
        case .serial: isLineRecorded(slot)
        case .tcp:
            listeners.values.contains { $0.isCaptured && "\($0.address)" == capture.sessions[slot.handle]?.listener }
        case .udp: listener(of: slot.socket)?.isCaptured ?? false
        }
    }

    private func isLineRecorded(_ slot: SessionSlot) -> Bool {
        tags[slot.socket.index].flatMap { lines[$0]?.line.isCaptured } ?? false
    }

    func listener(of socket: Connection) -> TerminalListener? {
        sources.first { $0.value == socket }.flatMap { listeners[$0.key] }
    }

    /// A connection was accepted or a line was opened.
    func captureOpened(_ slot: SessionSlot, _ listener: TerminalListener?, isRecorded: Bool) {
        guard let capture, isRecorded else { return }
        beginRecording(slot, by: capture, listener: listener, isOfPort: true)
    }

    private func beginRecording(
        _ slot: SessionSlot, by capture: LoopCapture, listener: TerminalListener? = nil, isOfPort: Bool = false
    ) {
        let listener = listener ?? self.listener(of: slot.socket)
        capture.sessions[slot.handle] = LoopCapture.Session(
            name: capture.nextName(), listener: listener.map { "\($0.address)" } ?? "",
            isOfPort: isOfPort, protocolName: listener?.protocols.count == 1 ? slot.protocolName : nil)
    }

    /// Bytes have arrived, and the session has read `used` of them; what it asks for is not carried out yet.
    func captureArrival(_ bytes: Span<UInt8>, used: Int, _ slot: SessionSlot) {
        guard let capture else { return }
        if capture.sessions[slot.handle] == nil, isIdentified(by: capture) { beginRecording(slot, by: capture) }
        guard var session = capture.sessions[slot.handle] else { return }
        if let detected = actions.detected { session.protocolName = detected }
        let fresh = bytes.extracting(min(session.held, bytes.count)..<bytes.count)
        session.held = bytes.count - used
        capture.sessions[slot.handle] = session
        record(fresh, .incoming, slot, session, by: capture)
    }

    /// A terminal that is to be recorded has said who it is in the bytes that were just read.
    private func isIdentified(by capture: LoopCapture) -> Bool {
        guard !capture.settings.terminals.isEmpty else { return false }
        return actions.requests.contains { request in
            if case .identified(let terminal) = request { capture.settings.terminals.contains(terminal) } else { false }
        }
    }

    /// A datagram of a terminal that is served.
    func captureDatagram(_ bytes: Span<UInt8>, _ slot: SessionSlot) {
        guard let capture else { return }
        if capture.sessions[slot.handle] == nil {
            let isOfPort = isPortRecorded(slot, by: capture)
            let isOfTerminal =
                isIdentified(by: capture) || slot.session.terminals.contains(where: capture.settings.terminals.contains)
            guard isOfPort || isOfTerminal else { return }
            beginRecording(slot, by: capture, isOfPort: isOfPort)
        }
        guard var session = capture.sessions[slot.handle] else { return }
        session.protocolName = slot.protocolName
        record(bytes, .incoming, slot, session, by: capture)
    }

    /// A datagram of nobody who is known.
    func captureStray(_ bytes: Span<UInt8>, _ peer: PeerAddress, _ listener: TerminalListener) {
        guard let capture, listener.isCaptured else { return }
        capture.writer.record(
            CaptureRecord(
                time: SystemClock.now().wall, session: "udp \(listener.address) \(peer)", direction: .incoming,
                transport: .udp,
                listener: "\(listener.address)", peer: "\(peer)", bytes: bytes.copied))
    }

    /// Bytes leave for a terminal.
    func captureDeparture(_ bytes: [UInt8], _ slot: SessionSlot) {
        guard let capture, let session = capture.sessions[slot.handle] else { return }
        record(bytes.span, .outgoing, slot, session, by: capture)
    }

    func captureEnded(_ slot: SessionSlot) {
        capture?.sessions[slot.handle] = nil
    }

    private func record(
        _ bytes: Span<UInt8>, _ direction: CaptureRecord.Direction, _ slot: SessionSlot, _ session: LoopCapture.Session,
        by capture: LoopCapture
    ) {
        guard bytes.count > 0 else { return }
        let peer = "\(slot.peer)"
        capture.writer.record(
            CaptureRecord(
                time: SystemClock.now().wall, session: session.name, direction: direction, transport: slot.bearer,
                listener: slot.bearer == .serial ? peer : session.listener, peer: peer,
                protocolName: session.protocolName, bytes: bytes.copied))
    }
}

extension Span<UInt8> {
    fileprivate var copied: [UInt8] {
        withUnsafeBufferPointer { Array($0) }
    }
}
