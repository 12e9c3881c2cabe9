import TerminalModel
import Testing
import WireBytes

@testable import TerminalProtocols
@testable import TerminalSession

/// The protocol that the folder `_Template` is once its name is replaced and its lines are added: what a fifth protocol gets
/// by following "Adding a protocol".
@Suite("A fifth protocol made from the template")
struct TinyProtocolTests {
    private static let terminal = TerminalID(nibbles: 0x1234_5678)
    private static let messages: [TinyMessage] = [
        .report(TinyReport(alarm: 0)),
        .report(TinyReport(alarm: 1, latitude: 28_234_567, longitude: -112_987_654, batteryPercent: 83)),
        .done(counter: 9), .acknowledgement(of: 1), .locate(counter: 0x54), .unknown(0x77, [1, 0x54, 3]),
    ]

    private func frame(_ message: TinyMessage) -> [UInt8] { TinyCodec.encode(message, terminal: Self.terminal) }

    @Test func bytesAreThoseOfTheDocument() {
        // By hand from the diagram; the CRC is that of the published check value's algorithm.
        let body: [UInt8] = [0x06, 0x82, 0x12, 0x34, 0x56, 0x78, 0x05]
        let checksum = CRC16.x25(body.span)
        #expect(frame(.locate(counter: 5)) == [0x54] + body + [UInt8(checksum >> 8), UInt8(checksum & 0xFF)])
    }

    @Test func everyMessageSurvivesTheWire() throws {
        for message in Self.messages {
            let bytes = frame(message)
            let packet = try TinyCodec.decode(try TinyFrame(checking: bytes.span))
            #expect(packet == TinyPacket(terminal: Self.terminal, message: message, trailing: []))
        }
    }

    @Test func aReportIsAnEvent() throws {
        var decoder = TinyOfflineDecoder()
        let decoded = try #require(decoder.decode(frame: frame(Self.messages[1])).first)
        let event = try #require(decoded.events.first)
        #expect(event.terminal == Self.terminal)
        #expect(event.alarms == AlarmSet(.sos))
        #expect(event.position?.latitudeDegrees == 28.234567)
        #expect(event.batteryPercent == 83)
        #expect(decoded.fields?.text.contains(#""longitude":-112987654"#) == true)
    }

    @Test func anAlarmIsNotLostWithItsPlace() throws {
        var decoder = TinyOfflineDecoder()
        let event = decoder.decode(frame: frame(.report(TinyReport(alarm: 1)))).first?.events.first
        #expect(event?.kind == .alarm)
        #expect(event?.alarms == AlarmSet(.sos))
    }

    @Test func streamsSplitHoweverTheyArrive() {
        let frames = Self.messages.map(frame)
        let noise: [UInt8] = [0, 0x54, 0xFF, 0x54]
        let stream = noise + frames.flatMap { $0 + noise.prefix(3) }
        for piece in 1...stream.count {
            var decoder = TinyOfflineDecoder()
            var found: [[UInt8]] = []
            for start in stride(from: 0, to: stream.count, by: piece) {
                found += decoder.feed(stream: Array(stream[start..<min(stream.count, start + piece)]))
                    .filter { $0.error == nil }.map(\.bytes)
            }
            #expect(found == frames, "in pieces of \(piece)")
        }
    }

    /// No changed byte traps, and none but the right one is taken for a frame.
    @Test func changedBytesAreRefused() {
        let bytes = frame(Self.messages[1])
        for index in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[index] ^= 1 << bit
                var decoder = TinyOfflineDecoder()
                #expect(!decoder.decode(frame: changed).contains { $0.error == nil })
                #expect(decoder.explain(changed).contains { $0.isWrong })
            }
            var decoder = TinyOfflineDecoder()
            #expect(!decoder.decode(frame: Array(bytes[..<index])).contains { $0.error == nil })
        }
    }

    @Test func everyByteIsExplained() {
        for message in Self.messages {
            let rows = TinyOfflineDecoder().explain(frame(message))
            #expect(rows.flatMap(\.bytes) == frame(message))
            #expect(!rows.contains { $0.isWrong })
        }
    }

    @Test func itIsRecognisedAmongAll() {
        #expect(ProtocolRegistration.all.map(\.name.rawValue) == ProtocolName.allCases.map(\.rawValue))
        #expect(ProtocolRegistration.recognised(in: frame(.done(counter: 1)))?.name == .tiny)
        let peer = Peer(TerminalSessions.protocols)
        peer.hear([0x7E, 0x78, 0x78] + frame(Self.messages[1]))
        #expect(peer.actions.detected == .tiny)
        #expect(peer.actions.frameCount == 1)
    }

    // MARK: A session

    private final class Peer {
        let session: any TerminalSession
        var scratch = SessionScratch()
        var actions = SessionActions()
        let now = Moment(wall: Timestamp(seconds: 1_773_454_200), monotonicMilliseconds: 1_000)
        private var kept: [UInt8] = []

        init(_ protocols: [ProtocolName]) {
            let known = [TinyProtocolTests.terminal: KnownTerminal(trustedByID: true)]
            let environment = SessionEnvironment(
                directory: TerminalDirectory(known), makeAuthCode: { "" }, digest: { _ in [] })
            session = TerminalSessions.make(
                protocols, environment: environment, bearer: .tcp, peer: "127.0.0.1:9", now: now)
        }

        func hear(_ bytes: [UInt8]) {
            actions.clear()
            kept += bytes
            kept.removeFirst(session.receive(kept.span, now: now, scratch: &scratch, into: &actions))
        }

        var report: (report: InboundReport, request: UInt32?)? {
            for case .report(let report, let request) in actions.requests { return (report, request) }
            return nil
        }

        var outcomes: [CommandOutcome] {
            actions.requests.compactMap { if case .command(_, let outcome) = $0 { outcome } else { nil } }
        }
    }

    @Test("An SOS is acknowledged after it is stored, and not when it is not")
    func alarm() throws {
        for isStored in [true, false] {
            let peer = Peer([.tiny])
            peer.hear(frame(Self.messages[1]))
            #expect(peer.actions.output.isEmpty)
            let (report, request) = try #require(peer.report)
            #expect(report.event.alarms == AlarmSet(.sos))
            #expect(report.trust == .byID)
            #expect(report.frame == frame(Self.messages[1]))
            peer.actions.clear()
            let number = try #require(request)
            peer.session.resolve(
                request: number, stored: isStored, isAlarm: true, now: peer.now, into: &peer.actions)
            #expect(peer.actions.output == (isStored ? frame(.acknowledgement(of: 1)) : []))
        }
    }

    @Test("A command is confirmed by the answer that repeats its counter, and refused where there is no message")
    func commands() {
        let peer = Peer([.tiny])
        peer.hear(frame(Self.messages[1]))
        peer.actions.clear()
        peer.session.send(.locate, id: 7, to: Self.terminal, expires: .max, now: peer.now, into: &peer.actions)
        #expect(peer.actions.output == frame(.locate(counter: 0)))
        #expect(peer.outcomes == [.sent])
        peer.hear(frame(.done(counter: 1)))
        #expect(peer.outcomes == [])
        peer.hear(frame(.done(counter: 0)))
        #expect(peer.outcomes == [.confirmed])
        peer.actions.clear()
        peer.session.send(.restart, id: 8, to: Self.terminal, expires: .max, now: peer.now, into: &peer.actions)
        #expect(peer.outcomes == [.failed(reason: "this protocol has no message for restart")])
    }
}
