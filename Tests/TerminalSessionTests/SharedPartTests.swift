import TerminalModel
import TerminalProtocols
import Testing

@testable import TerminalSession

@Suite("What the sessions of all protocols share")
struct SharedPartTests {
    private static func outcomes(_ actions: SessionActions) -> [CommandOutcome] {
        actions.requests.compactMap { if case .command(_, let outcome) = $0 { outcome } else { nil } }
    }

    @Test func aCommandThatTheProtocolCannotExpressMakesRoomForTheNext() {
        var queue = CommandQueue<Int>()
        var actions = SessionActions()
        let limits = SessionLimits()
        queue.add(.locate, id: 1, expires: 100, limits: limits, into: &actions)
        queue.add(.locate, id: 1, expires: 100, limits: limits, into: &actions)
        queue.add(.message(text: "a", urgent: false), id: 2, expires: 100, limits: limits, into: &actions)
        while let next = queue.next(now: 0, into: &actions) {
            if next.id == 1 {
                queue.refuse(next, reason: "no message for it", into: &actions)
            } else {
                queue.sent(next, frames: [[7]], expecting: 3, limits: limits, now: 0, into: &actions)
            }
        }
        #expect(Self.outcomes(actions) == [.failed(reason: "no message for it"), .sent])
        #expect(actions.output == [7])
        #expect(queue.outstanding?.expected == 3)
        #expect(queue.deadline == limits.commandTimeoutMilliseconds)
        queue.finish(.confirmed, into: &actions)
        #expect(queue.isEmpty)
        // Bit for bit a new one: it holds no block of memory.
        let used = withUnsafeBytes(of: queue) { Array($0) }
        #expect(used == withUnsafeBytes(of: CommandQueue<Int>()) { Array($0) })
    }

    /// Who is in need hears that help comes, also from a terminal that never answers what it was asked before.
    @Test func whatSpeaksToSomebodyInNeedDoesNotWaitForAnAnswer() {
        var queue = CommandQueue<Int>()
        var actions = SessionActions()
        let limits = SessionLimits()
        func order(_ command: TerminalCommand, _ id: Int64) {
            queue.add(command, id: id, expires: 100, limits: limits, into: &actions)
            while let next = queue.next(now: 0, into: &actions) {
                queue.sent(next, frames: [[UInt8(id)]], expecting: 0, limits: limits, now: 0, into: &actions)
            }
        }
        order(.locate, 1)
        order(.confirmAlarm(sequence: 7), 2)
        #expect(Self.outcomes(actions) == [.sent, .queued, .sent])
        #expect(queue.outstanding?.id == 2)
        // Its like waits, and so does everything else.
        order(.message(text: "a", urgent: true), 3)
        order(.track(intervalSeconds: 1, durationSeconds: 1), 4)
        #expect(actions.output == [1, 2])
    }

    @Test func waitingCommandsAreBounded() {
        var queue = CommandQueue<Int>()
        var actions = SessionActions()
        let limits = SessionLimits()
        for id in 0..<Int64(limits.maximumWaitingCommands + 3) {
            queue.add(.locate, id: id, expires: 100, limits: limits, into: &actions)
            if let next = queue.next(now: 0, into: &actions) {
                queue.sent(next, frames: [], expecting: 0, limits: limits, now: 0, into: &actions)
            }
        }
        #expect(Self.outcomes(actions).filter { $0.name == "failed" }.count == 2)
    }

    @Test func aKnownTerminalIsLookedUpAgainOnlyAfterAChange() throws {
        let terminal = try #require(TerminalID("42"))
        let directory = TerminalDirectory()
        let environment = SessionEnvironment(
            directory: directory, makeAuthCode: { "" }, digest: { _ in [] },
            modelProfile: { ModelProfile(name: $0, edition: 2011) })
        var identity = TerminalIdentity(terminal, now: 0)
        let nothing = identity.lookUp(in: environment, now: 0)
        #expect(nothing.model == .standard)
        #expect(identity.trust == .unknown)
        let unchanged = identity.lookUpIfChanged(in: environment, now: 60_000)
        #expect(unchanged == nil, "nothing has changed")
        directory[terminal] = KnownTerminal(model: "m", utcOffsetMinutes: 60, trustedByID: true)
        let early = identity.lookUpIfChanged(in: environment, now: 4_999)
        #expect(early == nil, "looked up a moment ago")
        let late = identity.lookUpIfChanged(in: environment, now: 5_000)
        let facts = try #require(late)
        #expect(facts.model == ModelProfile(name: "m", edition: 2011))
        #expect(facts.utcOffsetMinutes == 60)
        #expect(identity.trust == .byID)
        identity.showedSecret(isRight: true)
        _ = identity.lookUp(in: environment, now: 5_000)
        #expect(identity.trust == .verified)
        directory[terminal] = nil
        _ = identity.lookUpIfChanged(in: environment, now: 20_000)
        #expect(identity.trust == .unknown, "taken off the list while connected")
    }

    @Test func onlyTheLastFramesAreKnownAgain() {
        var frames = RecentFrames()
        let new = (0..<UInt64(RecentFrames.maximumCount)).map { frames.hasSeen($0) }
        #expect(!new.contains(true))
        let again = [0, 99, 0].map { frames.hasSeen($0) }
        #expect(again == [true, false, false], "the oldest made room")
    }

    @Test(arguments: [
        (PeerAddress.ipv4(0x7F00_0001, port: 6808), "127.0.0.1:6808"),
        (.ipv6(high: 0, low: 1, scope: 0, port: 9), "[::1]:9"),
        (.ipv6(high: 0, low: 0, scope: 0, port: 0), "[::]:0"),
        (.ipv6(high: 0x2001_0db8_0000_0000, low: 0x0001_0000_0000_0001, scope: 0, port: 1), "[2001:db8::1:0:0:1]:1"),
        (
            .ipv6(high: 0x2001_0db8_0000_0001, low: 0x0001_0001_0001_0001, scope: 0, port: 1),
            "[2001:db8:0:1:1:1:1:1]:1"
        ),
        (.ipv6(high: 0xfe80_0000_0000_0000, low: 0xa, scope: 3, port: 1), "[fe80::a%3]:1"),
        (.path("/dev/ttyUSB0"), "/dev/ttyUSB0"),
    ])
    func peersAsText(peer: PeerAddress, text: String) {
        #expect(peer.description == text)
    }
}
