import TerminalModel
import TerminalProtocols
import Testing

@testable import TerminalSession

@Suite("Unfinished messages of all terminals together")
struct PackageBudgetTests {
    /// A terminal at its session, and the packages of a recording that it sends.
    private final class Sender {
        let session: any TerminalSession
        let phone: JT808Phone
        var scratch = SessionScratch()
        var actions = SessionActions()
        var now = Moment(wall: Timestamp(seconds: 1_773_454_200), monotonicMilliseconds: 1_000)

        init(_ number: UInt128, packages: PackageBudget, policy: UnknownTerminalPolicy, isKnown: Bool = false) {
            phone = JT808Phone(nibbles: number, isLong: false)
            let environment = SessionEnvironment(
                directory: TerminalDirectory(isKnown ? [phone.terminal: KnownTerminal()] : [:]),
                unknownTerminals: policy, packages: packages, makeAuthCode: { "A" }, digest: { _ in [] })
            session = TerminalSessions.make(
                .jt808, environment: environment, bearer: .udp, peer: .ipv4(0x7F00_0001, port: 7), now: now)
        }

        func send(_ frame: [UInt8]) {
            actions.clear()
            _ = session.receive(frame.span, now: now, scratch: &scratch, into: &actions)
        }

        /// Three packages of about a kilobyte.
        var recording: [[UInt8]] {
            let about = JT808MediaEvent(mediaID: 81, type: 1, format: 3, event: 2, channel: 0)
            let media = JT808Media(about: about, location: nil, data: [UInt8](repeating: 7, count: 2_500))
            var flow: UInt16 = 20
            return JT808Codec.encode(.media(media), phone: phone, edition: .v2011, flowID: &flow)
        }

        /// Two packages, the first with an SOS.
        var sos: [[UInt8]] {
            let body: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 2] + [UInt8](repeating: 1, count: 20) + [0x01, 4, 0, 0, 0, 9]
            var flow: UInt16 = 40
            return JT808Codec.encode(
                body: body, messageID: 0x0200, phone: phone, flowID: &flow, maximumBodyBytes: 28)
        }

        var reports: [InboundReport] {
            actions.requests.compactMap { if case .report(let report, _) = $0 { report } else { nil } }
        }
    }

    @Test("Of a terminal that is not served nothing unfinished is kept, but its alarm is", arguments: [1, 2])
    func strangers(packages: Int) {
        let budget = PackageBudget()
        for policy in [UnknownTerminalPolicy.quarantine, .refuse] {
            let stranger = Sender(0x1770_0000_0102, packages: budget, policy: policy)
            for frame in stranger.recording.prefix(packages) { stranger.send(frame) }
            #expect(!stranger.actions.output.isEmpty, "it is answered, so that it does not repeat for ever")
            #expect(budget.heldBytes == 0)
            stranger.send(stranger.sos[0])
            #expect(stranger.reports.first?.event.alarms.contains(.sos) == true)
            #expect(budget.heldBytes == 0)
        }
    }

    @Test("All together stay within the budget, refusals are counted, and an alarm still comes through")
    func budget() {
        let budget = PackageBudget(maximumBytes: 5_000)
        let senders = (1...10).map { Sender($0, packages: budget, policy: .accept) }
        for sender in senders {
            sender.send(sender.recording[0])
            sender.send(sender.recording[1])
        }
        #expect(budget.heldBytes > 2_000)
        #expect(budget.heldBytes <= 5_000)
        #expect(budget.refusedPackages >= 14)
        #expect(senders[9].actions.refusals.first?.field == "package")
        senders[9].send(senders[9].sos[0])
        #expect(senders[9].reports.first?.event.alarms.contains(.sos) == true)
        // What was kept is whole with its last package, and leaves room.
        senders[0].send(senders[0].recording[2])
        #expect(senders[0].reports.first?.media?.id == 81)
    }

    @Test("What is finished, given up, displaced or ended gives its room back")
    func givesBack() {
        let budget = PackageBudget()
        func sender() -> Sender {
            let sender = Sender(0x1770_0000_0101, packages: budget, policy: .quarantine, isKnown: true)
            sender.send(sender.recording[0])
            #expect(budget.heldBytes > 1_000)
            return sender
        }
        let finished = sender()
        for frame in finished.recording.dropFirst() { finished.send(frame) }
        #expect(budget.heldBytes == 0)
        let givenUp = sender()
        givenUp.now.monotonicMilliseconds += JT808Reassembly.giveUpMilliseconds
        givenUp.session.timer(now: givenUp.now, into: &givenUp.actions)
        #expect(budget.heldBytes == 0)
        let displaced = sender()
        #expect(displaced.session.displace(displaced.phone.terminal))
        #expect(budget.heldBytes == 0)
        let ended = sender()
        ended.session.end(into: &ended.actions)
        #expect(budget.heldBytes == 0)
        _ = sender()
        #expect(budget.heldBytes == 0, "a session that nobody ended")
    }
}
