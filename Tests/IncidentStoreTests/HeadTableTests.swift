import TerminalModel
import Testing

@testable import IncidentStore

@Suite struct HeadTableTests {
    private func terminal(_ number: Int) -> TerminalID { TerminalID(nibbles: UInt128(number) << 60 | UInt128(number)) }

    /// The table against a dictionary: transactions of random size, every third of which is taken back.
    @Test func itHoldsWhatADictionaryHolds() {
        var table = HeadTable()
        var model: [TerminalID: Int64] = [:]
        var saved: Int64 = 0
        var random = SystemRandomNumberGenerator()
        for round in 0..<300 {
            let rows = (0..<Int.random(in: 1...40, using: &random)).map { _ in
                terminal(Int.random(in: 1...2000, using: &random))
            }
            table.reserve(rows.count)
            var next = model
            for terminal in rows {
                let row = table.last + 1
                #expect(table.append(row, of: terminal) == next[terminal])
                // Readers see what is committed.
                #expect(table.committedRow(of: terminal) == model[terminal])
                next[terminal] = row
            }
            if round % 3 == 0 {
                table.rollBack()
            } else {
                table.commit()
                model = next
            }
            if round == 150 { saved = table.lastCommitted }
        }
        #expect(table.count == model.count)
        for number in 1...2000 { #expect(table.committedRow(of: terminal(number)) == model[terminal(number)]) }
        let changed = model.filter { $0.value > saved }
        #expect(changed.count < model.count)
        #expect(table.changed(since: saved).map(\.terminal) == changed.keys.sorted())
        #expect(table.changed(since: saved).allSatisfy { changed[$0.terminal] == $0.row })
    }

    @Test func theNewestRestoredRowCounts() {
        var table = HeadTable()
        table.restore(7, of: terminal(1))
        table.restore(3, of: terminal(1))
        table.noteLast(9)
        #expect(table.committedRow(of: terminal(1)) == 7)
        #expect(table.committedRow(of: terminal(2)) == nil)
        #expect(table.last == 9 && table.count == 1)
    }
}
