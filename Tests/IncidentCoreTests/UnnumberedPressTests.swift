import IncidentCore
import TerminalModel
import Testing

private let sos = AlarmSet(.sos)

/// Events without a message counter, as of a watch: its repetition and a further press may look the same (DESIGN section 6,
/// promises P2, P8 and P9).
@Suite struct UnnumberedPressTests {
    @discardableResult
    private func press(_ bench: inout Bench, device: Int64?, again: Bool = false) -> Decision {
        bench.report(sos, device: .some(device), again: again, protocolName: .watch)
    }

    /// A watch repeats an alarm up to 10 times every 30 s (watch.md section 4).
    @Test(arguments: [0, nil] as [Int64?])
    func repetitionsAreOnePress(device: Int64?) {
        var bench = Bench()
        press(&bench, device: device)
        for _ in 1...10 {
            bench.time += 30_000
            #expect(press(&bench, device: device, again: device == nil).entries.contains(.attached))
        }
        #expect(bench.known.count == 1)
        #expect(bench.newest?.presses == 1)
    }

    @Test(
        "A standing or unset clock mutes no press after the incident was closed", arguments: [0, nil] as [Int64?],
        [60_000, 300_000, 3_600_000] as [Int64])
    func pressAfterClosing(device: Int64?, wait: Int64) throws {
        var bench = Bench()
        press(&bench, device: device)
        try bench.operate(.close(disposition: "helped", reason: ""))
        bench.time += wait
        #expect(press(&bench, device: device, again: true).told == ["opened:dispatch-120,care-hub,siren"])
        #expect(bench.known.count == 2)
    }

    @Test(arguments: [0, nil] as [Int64?])
    func pressAfterTakingOver(device: Int64?) throws {
        var bench = Bench()
        press(&bench, device: device)
        try bench.operate(.acknowledge(reason: ""))
        bench.time += 120_000
        #expect(press(&bench, device: device, again: true).told == ["escalated:dispatch-120,care-hub,siren"])
        #expect(bench.newest?.presses == 2)
        #expect(bench.newest?.state == .open)
    }

    @Test(arguments: [0, nil] as [Int64?])
    func pressAfterTheTimeOfRepetitions(device: Int64?) throws {
        var bench = Bench()
        press(&bench, device: device)
        bench.time += 400_000
        press(&bench, device: device, again: true)
        #expect(bench.newest?.presses == 2)
        #expect(bench.known.count == 1)
    }

    @Test func otherBytesWithoutTimeAreAPress() throws {
        var bench = Bench()
        press(&bench, device: nil)
        bench.time += 1000
        press(&bench, device: nil)
        #expect(bench.newest?.presses == 2)
    }

    @Test func repetitionIsKnownAfterARestart() throws {
        var bench = Bench()
        press(&bench, device: 0)
        try bench.restart()
        bench.time += 30_000
        press(&bench, device: 0)
        #expect(bench.newest?.presses == 1)
    }

    @Test func strangersThatShareAnIncidentAreCountedAlike() throws {
        var rules = IncidentRules.example
        rules.unidentifiedLimit = 0
        var bench = Bench(rules)
        bench.trust = .unknown
        bench.person = nil
        for number in 1...2 {
            bench.terminal = TerminalID(nibbles: UInt128(0x9000 + number))
            press(&bench, device: 0)
            bench.time += 30_000
            press(&bench, device: 0)
        }
        let shared = try required(bench.known.first)
        #expect(shared.gathered == 1)
        #expect(shared.presses == 2)
        try bench.operate(.acknowledge(reason: ""), on: shared.id)
        bench.time += 120_000
        press(&bench, device: 0)
        #expect(bench.newest?.state.awaitsHuman == true)
    }
}
