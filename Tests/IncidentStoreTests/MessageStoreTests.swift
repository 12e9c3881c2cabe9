import Foundation
import GRDB
import TerminalModel
import Testing

@testable import IncidentStore

@Suite struct MessageStoreTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    static let other = TerminalID(nibbles: 0x55)

    private func open() throws -> IncidentStore { try IncidentStore(directory: directory.path, now: Sample.noon) }

    private func message(_ seconds: Int64, _ terminal: TerminalID = Sample.terminal, picture: Bool = false)
        -> MessageWrite
    {
        let media = MediaRecord(
            mediaID: 1, type: 0, format: 0, eventCode: 0, data: [UInt8](repeating: 0xD8, count: 9000))
        return .message(
            MessageRecord(
                terminal: terminal, received: Sample.later(seconds), kind: picture ? .media : .text, event: "{}",
                media: picture ? media : nil))
    }

    private func seconds(_ store: IncidentStore, _ terminal: TerminalID = Sample.terminal) throws -> [Int64] {
        try store.messages(from: terminal).map { ($0.received.milliseconds - Sample.noon.milliseconds) / 1000 }
    }

    @Test func everyCommitIsSynced() throws {
        let store = try open()
        try store.messages.write([message(1)])
        #expect(try store.messages.synchronousLevel() == 2)
    }

    @Test func lastWordsKeepTheEventAndLeaveWithTheTerminal() throws {
        let store = try open()
        let words = TerminalStateRecord(terminal: Sample.terminal, lastSeen: Sample.noon, event: "{\"a\":1}")
        try store.messages.write([
            .terminalState(words),
            .terminalState(TerminalStateRecord(terminal: Sample.terminal, lastSeen: Sample.later(5), event: nil)),
        ])
        #expect(try store.terminalState(Sample.terminal)?.event == "{\"a\":1}")
        #expect(try store.terminalState(Sample.terminal)?.lastSeen == Sample.later(5))
        try store.messages.write([.forget(Sample.terminal)])
        #expect(try store.terminalState(Sample.terminal) == nil)
    }

    @Test func retentionRemovesWhatIsOlder() throws {
        let store = try open()
        // More than leave in one transaction.
        try store.messages.write(
            (1...1200).map { message($0) } + (1...50).map { message($0, Self.other, picture: true) })
        try store.messages.write([message(2000), message(2000, Self.other, picture: true)])
        #expect(try store.messages.removeReceived(before: Sample.later(2000)) == 1300)
        #expect(try seconds(store) == [2000])
        #expect(try store.media(from: Self.other, limit: 100).count == 1)
    }

    @Test func erasingTakesOneHoldersStretchOnly() throws {
        let store = try open()
        try store.messages.write(
            (1...6).map { message($0, picture: $0 == 3) } + [message(3, Self.other)]
                + [
                    .terminalState(
                        TerminalStateRecord(terminal: Sample.terminal, lastSeen: Sample.later(9), event: nil))
                ])
        try store.messages.erase([
            Holding(terminal: Sample.terminal, since: Sample.later(3), until: Sample.later(5))
        ])
        #expect(try seconds(store) == [6, 5, 2, 1])
        #expect(try store.media(from: Sample.terminal).isEmpty)
        #expect(try seconds(store, Self.other) == [3])
        #expect(try store.terminalState(Sample.terminal) != nil)
        try store.messages.erase([Holding(terminal: Sample.terminal, since: Sample.later(6), until: nil)])
        #expect(try store.terminalState(Sample.terminal) == nil)
    }

    /// From version 2 of `incidents.sqlite`, which held these tables; also when the start was interrupted in between.
    @Test(arguments: [false, true]) func theTablesOfAnEarlierVersionMoveHere(interrupted: Bool) throws {
        let old = try DatabaseQueue(path: directory.path + "/" + IncidentStore.fileName)
        try IncidentSchema.migrator.migrate(old, upTo: "2 messages, media")
        let terminal = Sample.terminal.description
        try old.write { database in
            try database.execute(
                sql: "INSERT INTO terminals (terminal, listed) VALUES (?, 1)", arguments: [terminal])
            try database.execute(
                sql: "INSERT INTO terminal_states VALUES (?, ?, '{}')", arguments: [terminal, Sample.noon.milliseconds])
            try database.execute(
                sql: "INSERT INTO messages VALUES (7, ?, ?, 'text', '{}')",
                arguments: [terminal, Sample.noon.milliseconds])
            try database.execute(
                sql: "INSERT INTO media VALUES (3, ?, ?, 9, 0, 0, 0, ?)",
                arguments: [terminal, Sample.noon.milliseconds, Data([1, 2])])
        }
        try old.close()
        if interrupted {
            // The copy was made and the start ended before the old tables were dropped.
            try MessageStore(directory: directory.path, now: Sample.noon, willCommit: nil).close()
        }
        let store = try open()
        #expect(try store.terminalState(Sample.terminal)?.lastSeen == Sample.noon)
        #expect(try seconds(store) == [0])
        #expect(try store.media(from: Sample.terminal).map(\.data) == [[1, 2]])
        #expect(try store.terminal(Sample.terminal)?.lastSeen == Sample.noon)
        try store.close()
        let tables = try DatabaseQueue(path: directory.path + "/" + IncidentStore.fileName).read {
            try String.fetchAll($0, sql: "SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        #expect(!tables.contains("messages") && !tables.contains("media") && !tables.contains("terminal_states"))
        #expect(tables.contains("incidents"))
    }

    @Test func aDamagedFileIsSetAside() throws {
        try directory.write(Array(repeating: 0x5A, count: 8192), to: MessageStore.fileName)
        let store = try open()
        #expect(store.setAside.map(\.original) == [store.messages.path])
        try store.messages.write([message(1)])
        #expect(try seconds(store) == [1])
    }

    @Test func aBackupHasTheMessages() throws {
        let store = try open()
        try store.messages.write([message(1)])
        try store.backUp(to: directory.path + "/copy")
        let copy = try IncidentStore(directory: directory.path + "/copy", now: Sample.noon)
        #expect(try seconds(copy) == [1])
    }
}
