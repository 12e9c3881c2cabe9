import TerminalModel
import TerminalProtocols
import Testing

@testable import TerminalSession

/// Detection among all protocols that are served, each shown by one good frame of its corpus.
@Suite("A place where several protocols may be spoken")
struct DetectingSessionTests {
    /// One good frame of each protocol that names its terminal and is answered at once or reported.
    static let samples: [(name: ProtocolName, frame: [UInt8])] = TerminalSessions.protocols.compactMap { name in
        switch name {
        case .dc09: return (name, DC09Codec.framed(Array("\"NULL\"0000L0#8800000016[]".utf8)))
        case .ev07b:
            let header = EV07BHeader(properties: 0x10, sequence: 1)
            return (name, EV07BCodec.encode(.report(), header: header))
        case .gt06:
            let login = GT06Login(imeiNibbles: 0x8600_0000_0000_015, typeCode: 0x2203, zone: 0x3201)
            return (name, GT06Codec.encode(.login(login), serial: 1))
        case .jt808:
            var flow: UInt16 = 1
            let phone = JT808Phone(nibbles: 0x1770_0000_0101, isLong: false)
            return (name, JT808Codec.encode(.heartbeat(JT808Bytes()), phone: phone, flowID: &flow).flatMap { $0 })
        case .watch: return (name, Array("[3G*8800000015*0002*LK]".utf8))
        }
    }

    private final class Peer {
        let session: any TerminalSession
        var scratch = SessionScratch()
        var actions = SessionActions()
        var now = Moment(wall: Timestamp(seconds: 1_773_454_200), monotonicMilliseconds: 1_000)
        private var kept: [UInt8] = []

        init(
            _ protocols: [ProtocolName] = TerminalSessions.protocols + TerminalSessions.protocols, bearer: Bearer = .tcp
        ) {
            let environment = SessionEnvironment(
                directory: TerminalDirectory(), unknownTerminals: .accept, makeAuthCode: { "A" }, digest: { _ in [] })
            session = TerminalSessions.make(protocols, environment: environment, bearer: bearer, peer: "", now: now)
        }

        /// Sends bytes and returns how many good frames came of them.
        func send(_ bytes: [UInt8]) -> Int {
            actions.clear()
            kept += bytes
            kept.removeFirst(session.receive(kept.span, now: now, scratch: &scratch, into: &actions))
            return actions.frameCount
        }

        var keptCount: Int { kept.count }

        var alarms: [AlarmSet] {
            actions.requests.compactMap { if case .report(let report, _) = $0 { report.event.alarms } else { nil } }
        }

        func wait(milliseconds: Int64) -> SessionCloseReason? {
            now.monotonicMilliseconds += milliseconds
            actions.clear()
            session.timer(now: now, into: &actions)
            return actions.close
        }
    }

    private static let noises: [[UInt8]] = [
        [], [0], [0x7E], [0x7E, 0x7E, 1, 2, 3], [0x78, 0x78], [0x78, 0x78, 0xFF], [0xAB], [0xAB, 0x10, 0xFF, 0x0F],
        Array("[3G*".utf8), Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8),
        (0..<600).map { UInt8(truncatingIfNeeded: $0 &* 37) },
    ]

    @Test("Each protocol is found behind each kind of noise, in one piece and byte by byte", arguments: noises)
    func found(noise: [UInt8]) {
        for sample in Self.samples {
            for isSplit in [false, true] {
                let peer = Peer()
                var frames = 0
                var detected: ProtocolName?
                let bytes = noise + sample.frame + sample.frame
                for piece in isSplit ? bytes.map({ [$0] }) : [bytes] {
                    frames += peer.send(piece)
                    detected = peer.actions.detected ?? detected
                }
                #expect(frames == 2, "\(sample.name) behind \(noise.count) bytes")
                #expect(detected == sample.name)
            }
        }
    }

    @Test("A connection may change what it speaks, also right behind a stray marker of the other")
    func changes() {
        for first in Self.samples {
            for second in Self.samples {
                for noise in Self.noises {
                    let peer = Peer()
                    #expect(peer.send(first.frame) == 1)
                    _ = peer.send(noise)
                    let frames = peer.send(second.frame) + peer.send(second.frame)
                    #expect(frames == 2, "\(second.name) after \(first.name) and \(noise.count) bytes")
                    #expect(peer.session.terminals.count == 1)
                }
            }
        }
    }

    @Test("What nobody understands is bounded, and its time too")
    func bounded() {
        let peer = Peer()
        for _ in 0..<100 {
            _ = peer.send([0x7E] + [UInt8](repeating: 0x11, count: 999))
            #expect(peer.keptCount <= DetectingSession.maximumUndecidedBytes)
        }
        #expect(!peer.actions.refusals.isEmpty)
        #expect(peer.wait(milliseconds: 29_000) == nil)
        #expect(peer.wait(milliseconds: 1_000) != nil)
        let quiet = Peer()
        #expect(quiet.session.nextDeadline == 31_000)
        #expect(quiet.wait(milliseconds: 30_000) == .noFirstFrame)
    }

    /// Of the length that this frame declares no byte is missing but those that never come.
    private static let tooLong = Array(
        ("[3G*8800000015*0100*AL,140326,021530,A,28.234567,N,112.987654,E,0.50,90.0,60.0,11,80,83,1000,0,00010000,"
            + "1,1,460,0,9340,3663,130,0]").utf8)

    @Test(
        "An SOS whose length is too long is heard though nothing follows it, also as the first frame", arguments: noises
    )
    func tooLongAlarm(noise: [UInt8]) {
        let peer = Peer()
        _ = peer.send(noise + Self.tooLong)
        #expect(peer.wait(milliseconds: 1_000) == nil)
        #expect(peer.alarms == [AlarmSet(.sos)], "behind \(noise.count) bytes")
        let datagram = Peer(bearer: .udp)
        _ = datagram.send(Self.tooLong)
        #expect(datagram.alarms == [AlarmSet(.sos)])
    }

    /// Bytes that are no frames and look like the beginning of some: markers, plausible lengths, headers, cut frames.
    private static func garbage(_ random: inout some RandomNumberGenerator) -> [UInt8] {
        (0..<Int.random(in: 1...12, using: &random)).flatMap { _ -> [UInt8] in
            switch Int.random(in: 0..<9, using: &random) {
            case 0: [0x7E]
            case 1: [0x78, 0x78, UInt8.random(in: 5...255, using: &random)]
            case 2: [0x79, 0x79, UInt8.random(in: 0...32, using: &random), 0xFF]
            case 3: [0xAB, 0x10, 0xFF, 0x0F]
            case 4: Array("[3G*8800000015*FFFF*AL,".utf8)
            case 5: Self.tooLong
            case 6:
                Array(Self.samples.randomElement(using: &random)!.frame.dropLast(Int.random(in: 1...4, using: &random)))
            default:
                (0..<Int.random(in: 0...200, using: &random)).map { _ in .random(in: 0...255, using: &random) }
            }
        }
    }

    /// More than any protocol waits for while nothing was found, and more than a found one can swallow at once.
    private static let patienceBytes = 70_000

    @Test("Under garbage no wrong guess sticks: each protocol is understood in the end", arguments: UInt64(0)..<20)
    func garbageBeforeFrames(seed: UInt64) {
        var random = Seeded(state: seed)
        for sample in Self.samples {
            let noise = Self.garbage(&random)
            let peer = Peer()
            _ = peer.send(noise)
            _ = peer.wait(milliseconds: 1_500)
            var sent = 0
            var understood = 0
            // Three in a row, one read each.
            while understood < 3, sent < Self.patienceBytes {
                understood = peer.send(sample.frame) == 1 ? understood + 1 : 0
                sent += sample.frame.count
            }
            #expect(understood == 3, "\(sample.name) is not understood behind \(noise)")
            #expect(peer.session.terminals.count == 1)
        }
    }

    private struct Seeded: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}
