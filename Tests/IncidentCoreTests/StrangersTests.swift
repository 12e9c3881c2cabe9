import IncidentCore
import TerminalModel
import Testing

private let sos = AlarmSet(.sos)

/// Terminals in no list: bounded in incidents (promise P6), never muted (promise P2).
@Suite struct StrangersTests {
    private func bench(limit: Int = 3, perPeer: Int = 100) -> Bench {
        var rules = IncidentRules.example
        rules.unidentifiedLimit = limit
        rules.unidentifiedLimitPerPeer = perPeer
        var bench = Bench(rules)
        bench.trust = .unknown
        bench.person = nil
        return bench
    }

    @discardableResult
    private func press(_ bench: inout Bench, _ number: Int, _ alarms: AlarmSet = sos) -> Decision {
        bench.terminal = TerminalID(nibbles: UInt128(0x9000 + number))
        bench.time += 1000
        return bench.report(alarms)
    }

    @Test func everNewTerminalsShareOneIncidentAndEachIsEvidence() {
        var bench = bench()
        for number in 1...3 { press(&bench, number) }
        #expect(bench.known.count == 3)
        var kept = 0
        for number in 4...1000 {
            let changes = press(&bench, number).changes
            if changes.count == 1, changes[0].evidence != nil, changes[0].incident.trust == .unknown { kept += 1 }
        }
        #expect(kept == 997)
        #expect(bench.known.count == 4)
        let shared = bench.known.first { $0.gathered != nil }
        #expect(shared?.gathered == 996)
        #expect(shared?.presses == 997)
        // The hub has heard of it at least once a minute.
        let told = bench.decisions.flatMap(\.changes).filter { $0.incident.gathered != nil }.flatMap(\.deliveries)
        #expect(told.filter { $0.notice.kind == .updated && $0.targets.contains("care-hub") }.count >= 990 / 60)
        #expect(!told.flatMap(\.targets).contains("dispatch-120"))
    }

    @Test func aFurtherPressAfterTakingOverRaisesAttentionAgain() throws {
        var bench = bench(limit: 1)
        for number in 1...3 { press(&bench, number) }
        let shared = try required(bench.known.first { $0.gathered != nil })
        try bench.operate(.acknowledge(reason: ""), on: shared.id)
        bench.time += 120_000
        // Holding the bit is no new press; releasing it and pressing again is, and so is another terminal.
        #expect(press(&bench, 3).changes.isEmpty)
        press(&bench, 3, [])
        #expect(press(&bench, 3).changes.first?.incident.state.awaitsHuman == true)
        try bench.operate(.acknowledge(reason: ""), on: shared.id)
        bench.time += 120_000
        #expect(press(&bench, 4).changes.first?.incident.state.awaitsHuman == true)
        #expect(bench.known.first { $0.id == shared.id }?.gathered == 2)
    }

    @Test func closingStartsAfresh() throws {
        var bench = bench(limit: 1)
        for number in 1...3 { press(&bench, number) }
        let shared = try required(bench.known.first { $0.gathered != nil })
        try bench.operate(.close(disposition: "nuisance", reason: ""), on: shared.id)
        press(&bench, 3)
        let anew = bench.known.filter { $0.gathered != nil && $0.state.isOpen }
        #expect(anew.map(\.terminal) == [TerminalID(nibbles: 0x9003)])
        for incident in bench.known.filter(\.state.isOpen) {
            try bench.operate(.close(disposition: "nuisance", reason: ""), on: incident.id)
        }
        press(&bench, 9)
        #expect(bench.known.last { $0.state.isOpen }?.gathered == nil)
    }

    @Test func onePeerCannotUseUpTheRoomOfOthers() {
        var bench = bench(limit: 50, perPeer: 2)
        for number in 1...10 {
            bench.peer = .ipv4(0x0A00_0001, port: UInt16(5000 + number))
            press(&bench, number)
        }
        #expect(bench.known.count == 3)
        bench.peer = .ipv4(0x0A00_0002, port: 7)
        press(&bench, 11)
        #expect(bench.known.count == 4)
        // Whoever is known is never counted with strangers.
        bench.peer = .ipv4(0x0A00_0001, port: 9)
        bench.trust = .verified
        bench.person = .wang
        press(&bench, 12)
        #expect(bench.known.count == 5)
    }

    @Test func survivesARestart() throws {
        var bench = bench(limit: 2)
        for number in 1...6 { press(&bench, number) }
        try bench.restart()
        press(&bench, 7)
        #expect(bench.known.count == 3)
        #expect(bench.known.first { $0.gathered != nil }?.gathered == 4)
    }
}
