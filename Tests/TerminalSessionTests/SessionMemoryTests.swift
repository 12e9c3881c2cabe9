import Glibc
import TerminalModel
import TerminalProtocols
import Testing

@testable import TerminalSession

/// What a terminal costs while nothing is under way. Half a million of them are to fit.
@Suite("Memory of sessions")
struct SessionMemoryTests {
    /// Of the 512 bytes that a terminal may cost in the whole process.
    private static let maximumBytes = 320

    /// What the allocator gave for a block, with its own word in front.
    private static func cost(_ block: UnsafeRawPointer) throws -> Int {
        typealias Size = @convention(c) (UnsafeRawPointer) -> Int
        let symbol = try #require(dlsym(nil, "malloc_usable_size"))
        return unsafeBitCast(symbol, to: Size.self)(block) + MemoryLayout<Int>.size
    }

    @Test("An idle JT/T 808 terminal, after a heartbeat, an acknowledged report and a finished command")
    func idle() throws {
        let environment = SessionEnvironment(
            directory: TerminalDirectory(), unknownTerminals: .accept, makeAuthCode: { "A" }, digest: { _ in [] })
        var scratch = SessionScratch()
        var actions = SessionActions()
        let now = Moment(wall: Timestamp(seconds: 1_773_454_200), monotonicMilliseconds: 1_000)
        let session = JT808Session(
            environment: environment, bearer: .udp, peer: .ipv4(0x7F00_0001, port: 7), now: now)
        let phone = JT808Phone(nibbles: 0x1770_0000_0101, isLong: false)
        var flow: UInt16 = 0
        func send(_ message: JT808Message) {
            let frame = JT808Codec.encode(message, phone: phone, flowID: &flow).flatMap { $0 }
            _ = session.receive(frame.span, now: now, scratch: &scratch, into: &actions)
        }
        send(.heartbeat(JT808Bytes()))
        send(.position())
        for case .report(_, let request?) in actions.requests {
            session.resolve(request: request, stored: true, isAlarm: false, now: now, into: &actions)
        }
        session.send(.restart, id: 1, to: phone.terminal, expires: .max, now: now, into: &actions)
        send(.terminalResponse(JT808Response(flowID: 2, messageID: 0x8105, result: .ok)))
        #expect(!session.isAwaitingResult)
        #expect(session.states.allSatisfy { $0.commands.isEmpty && $0.reassembly.isEmpty })

        let object = try Self.cost(UnsafeRawPointer(Unmanaged.passUnretained(session).toOpaque()))
        // The elements stand behind the 32 bytes of their array's own.
        let states = try session.states.withUnsafeBufferPointer {
            try Self.cost(UnsafeRawPointer(try #require($0.baseAddress)) - 32)
        }
        #expect(object + states <= Self.maximumBytes, "session \(object), state \(states) bytes")
        print("an idle JT/T 808 session: \(object) + \(states) bytes")
    }
}
