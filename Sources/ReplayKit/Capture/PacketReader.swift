internal import TerminalModel

/// What was in a packet capture beside the bytes of terminals.
public struct PacketCounts: Sendable, Equatable {
    public var packets = 0
    /// Of other protocols than TCP and UDP, or of other ports.
    public var others = 0
    /// Sessions that look like no terminal; only where no port was given.
    public var foreignSessions = 0
    public var foreignBytes = 0
    /// Parts of IP packets, which are not put together.
    public var fragments = 0
    /// Shorter than their headers say.
    public var broken = 0
    /// Kept only in part by who recorded them; the bytes that lack of datagrams.
    public var truncated = 0
    public var truncatedBytes = 0
    /// Bytes of TCP that came again.
    public var repeatedBytes = 0
}

/// Turns the packets of a file into what a gateway would have recorded.
struct PacketReader {
    private struct Flow: Hashable {
        /// The lower one of the two ends first, so that both directions are one flow.
        let first: PacketEndpoint
        let second: PacketEndpoint
        let isTCP: Bool

        init(_ from: PacketEndpoint, _ to: PacketEndpoint, isTCP: Bool) {
            let isInOrder = (from.port, from.description) <= (to.port, to.description)
            first = isInOrder ? from : to
            second = isInOrder ? to : from
            self.isTCP = isTCP
        }
    }

    /// A connection or the datagrams between two ends.
    private struct Session {
        let name: String
        let listener: PacketEndpoint
        let peer: PacketEndpoint
        var incoming = TCPAssembly()
        var outgoing = TCPAssembly()
    }

    private(set) var counts = PacketCounts()
    private let file: PcapFile
    private let ports: Set<UInt16>
    private var sessions: [Flow: Session] = [:]
    private var sessionCount = 0
    private var found: [CaptureRecord] = []

    /// - Parameter ports: those of the gateway; none takes whatever looks like a terminal.
    init(path: String, ports: Set<UInt16>) throws(ReplayFailure) {
        file = try PcapFile(path: path)
        self.ports = ports
    }

    /// Everything that terminals and gateway said, in the order of time.
    ///
    /// - Throws: `ReplayFailure` for a damaged file.
    mutating func records() throws(ReplayFailure) -> [CaptureRecord] {
        while let packet = try file.next() {
            counts.packets += 1
            if packet.bytes.count < packet.wireBytes { counts.truncated += 1 }
            switch PacketLayers.content(of: packet, link: file.link) {
            case .tcp(let segment): take(segment, packet.time)
            case .udp(let from, let to, let bytes, let lacking): take(from, to, bytes, lacking, packet.time)
            case .fragment: counts.fragments += 1
            case .other: counts.others += 1
            case .broken: counts.broken += 1
            }
        }
        for flow in sessions.keys.sorted(by: { $0.first.description < $1.first.description }) { end(flow) }
        let sorted = found.enumerated().sorted { left, right in
            (left.element.time, left.offset) < (right.element.time, right.offset)
        }.map(\.element)
        return ports.isEmpty ? withoutForeign(sorted) : sorted
    }

    private func isWanted(_ from: PacketEndpoint, _ to: PacketEndpoint) -> Bool {
        ports.isEmpty || ports.contains(from.port) || ports.contains(to.port)
    }

    /// The gateway is where the chosen port is; else `likely`.
    private func listener(_ from: PacketEndpoint, _ to: PacketEndpoint, likely: PacketEndpoint) -> PacketEndpoint {
        if ports.contains(to.port) { return to }
        return ports.contains(from.port) ? from : likely
    }

    private mutating func begin(_ flow: Flow, _ listener: PacketEndpoint) -> Session {
        sessionCount += 1
        let peer = flow.first == listener ? flow.second : flow.first
        return Session(
            name: "\(flow.isTCP ? "tcp" : "udp") \(peer) \(listener) \(sessionCount)", listener: listener, peer: peer)
    }

    // MARK: UDP

    private mutating func take(
        _ from: PacketEndpoint, _ to: PacketEndpoint, _ bytes: [UInt8], _ lacking: Int, _ time: Timestamp
    ) {
        guard isWanted(from, to) else {
            counts.others += 1
            return
        }
        counts.truncatedBytes += lacking
        let flow = Flow(from, to, isTCP: false)
        let session = sessions[flow] ?? begin(flow, listener(from, to, likely: to))
        sessions[flow] = session
        guard !bytes.isEmpty else { return }
        add(bytes, to == session.listener ? .incoming : .outgoing, session, .udp, missing: 0, time)
    }

    // MARK: TCP

    private mutating func take(_ segment: PacketSegment, _ time: Timestamp) {
        guard isWanted(segment.from, segment.to) else {
            counts.others += 1
            return
        }
        let flow = Flow(segment.from, segment.to, isTCP: true)
        if segment.isFirst, let known = sessions[flow] {
            let assembly = segment.to == known.listener ? known.incoming : known.outgoing
            if assembly.isOther(segment.sequence) { end(flow) }
        }
        // Who is called listens; where the call was not seen, the end with the lower port.
        let called = segment.isAcknowledgement ? segment.from : segment.to
        let likely = segment.isFirst ? called : flow.first
        var session = sessions[flow] ?? begin(flow, listener(segment.from, segment.to, likely: likely))
        let direction = segment.to == session.listener ? CaptureRecord.Direction.incoming : .outgoing
        var assembly = direction == .incoming ? session.incoming : session.outgoing
        if segment.isFirst, !assembly.isBegun { assembly.begin(at: segment.sequence) }
        // A SYN takes a number of its own, also where data comes with it.
        let sequence = segment.isFirst ? segment.sequence &+ 1 : segment.sequence
        let pieces = assembly.take(segment.bytes, at: sequence, time: time)
        if direction == .incoming { session.incoming = assembly } else { session.outgoing = assembly }
        sessions[flow] = session
        for piece in pieces { add(piece.bytes, direction, session, .tcp, missing: piece.missing, piece.time) }
        if segment.isReset { end(flow) }
    }

    /// The connection is over: what waits behind a gap goes out.
    private mutating func end(_ flow: Flow) {
        guard var session = sessions.removeValue(forKey: flow), flow.isTCP else { return }
        for piece in session.incoming.end() {
            add(piece.bytes, .incoming, session, .tcp, missing: piece.missing, piece.time)
        }
        for piece in session.outgoing.end() {
            add(piece.bytes, .outgoing, session, .tcp, missing: piece.missing, piece.time)
        }
        counts.repeatedBytes += session.incoming.repeatedBytes + session.outgoing.repeatedBytes
    }

    private mutating func add(
        _ bytes: [UInt8], _ direction: CaptureRecord.Direction, _ session: Session, _ transport: Bearer, missing: Int?,
        _ time: Timestamp
    ) {
        found.append(
            CaptureRecord(
                time: time, session: session.name, direction: direction, transport: transport,
                listener: session.listener.description, peer: session.peer.description, missing: missing, bytes: bytes))
    }

    /// Without the sessions in which no protocol is spoken that is known.
    private mutating func withoutForeign(_ records: [CaptureRecord]) -> [CaptureRecord] {
        var bySession: [String: [CaptureRecord]] = [:]
        for record in records { bySession[record.session, default: []].append(record) }
        var foreign: Set<String> = []
        for (name, records) in bySession where !CaptureSplitter.isKnown(records) {
            foreign.insert(name)
            counts.foreignBytes += records.reduce(0) { $0 + $1.bytes.count }
        }
        counts.foreignSessions = foreign.count
        return records.filter { !foreign.contains($0.session) }
    }
}
