import Foundation
import GRDB
import Geofencing
import IncidentCore
import TerminalModel
import Testing

@testable import IncidentStore

@Suite struct IncidentStoreTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func open(_ options: IncidentStore.Options = .init()) throws -> IncidentStore {
        try IncidentStore(directory: directory.path, now: Sample.noon, options: options)
    }

    @Test func everyCommitIsSynced() throws {
        let store = try open()
        #expect(try store.synchronousLevel() == 2)
        try store.write([.person(Sample.person())])
        #expect(try store.synchronousLevel() == 2)
    }

    /// What opening commits without a sync must not stand in the log before the first commit of ours.
    @Test func whatOpeningWroteIsInTheFileWithoutItsLog() throws {
        let store = try open()
        let copy = directory.path + "/without-log.sqlite"
        try FileManager.default.copyItem(atPath: store.path, toPath: copy)
        let tables = try DatabaseQueue(path: copy).read {
            try String.fetchAll($0, sql: "SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        #expect(tables.contains("incidents"))
        #expect(tables.contains("care_contacts"))
    }

    @Test func anIncidentReadsBackWithItsWholeHistory() throws {
        let store = try open()
        let incident = Sample.incident()
        try store.write([.change(Sample.opening(incident))])
        let history = try #require(try store.history(of: incident.id))
        #expect(history.incident == incident)
        #expect(history.timeline.map(\.kind) == [.opened])
        #expect(history.evidence.map(\.frame) == [[0x7E, 2, 0x7E]])
        #expect(history.outbox.map(\.target) == ["dispatch", "hub"])
        #expect(history.outbox.allSatisfy { $0.state == .pending && $0.attempts == 0 })
        #expect(try store.history(of: IncidentID(rawValue: 99)) == nil)
    }

    @Test func aRestartRestoresWhatIsOpen() throws {
        var closedLately = Sample.incident(2, openedAt: Sample.later(-9000))
        closedLately.state = .closed
        closedLately.closedAt = Sample.later(-1800)
        var closedLongAgo = closedLately
        closedLongAgo.id = IncidentID(rawValue: 3)
        closedLongAgo.closedAt = Sample.later(-90_000)
        let store = try open()
        try store.write([
            .change(Sample.opening(Sample.incident())), .change(Sample.opening(closedLately, targets: [])),
            .change(Sample.opening(closedLongAgo, targets: [])), .setting(key: "commissioned", value: "yes"),
            .fence(try Sample.fence()),
            .fenceState(FenceStateRecord(terminal: Sample.terminal, fence: "home", isInside: true, since: Sample.noon)),
            .assignment(TerminalAssignment(terminal: Sample.terminal, person: "p1"), at: Sample.noon),
            .command(
                CommandRecord(
                    id: 7, terminal: Sample.terminal, command: .callBack(number: "073112345678", listen: true),
                    incident: nil, by: "li", createdAt: Sample.noon, expiresAt: Sample.later(60))),
        ])
        try store.messages.write([
            .terminalState(TerminalStateRecord(terminal: Sample.terminal, lastSeen: Sample.noon, event: "{}"))
        ])
        try store.close()
        let reopened = try open()
        let state = try reopened.restore(now: Sample.noon)
        #expect(state.incidents.map(\.id.rawValue) == [1, 2])
        #expect(state.outbox.map(\.target).sorted() == ["dispatch", "hub"])
        #expect(state.outbox.first?.notice.person == Sample.person())
        #expect(state.fences.map(\.id) == ["home"])
        #expect(state.fences == [try Sample.fence().plan])
        #expect(try Sample.fenceStates(reopened).map(\.isInside) == [true])
        #expect(try Sample.fenceStates(reopened).map(\.since) == [Sample.noon])
        #expect(try Sample.terminals(reopened).map(\.assignment.person) == ["p1"])
        var seen: [Timestamp] = []
        try reopened.forEachLastSeen(groupSize: 10) { seen += $0.map(\.1) }
        #expect(seen == [Sample.noon])
        #expect(state.commands.map(\.command) == [.callBack(number: "073112345678", listen: true)])
        #expect(state.lastCommandID == 7)
        #expect(state.settings == ["commissioned": "yes"])
        #expect(state.unreadable.isEmpty)
    }

    @Test(arguments: [
        TerminalCommand.locate, .message(text: "好", urgent: true), .callBack(number: "1", listen: true),
        .reportInterval(seconds: 9), .track(intervalSeconds: 1, durationSeconds: 2), .confirmAlarm(sequence: 3), .find,
        .setNumbers(.monitor, ["1", "2"]), .setNumbers(.sos, []), .fallDetection(isOn: false), .restart, .powerOff,
    ])
    func commandsComeBackAsTheyWere(command: TerminalCommand) throws {
        let store = try open()
        try store.write([
            .command(
                CommandRecord(
                    id: 1, terminal: Sample.terminal, command: command, incident: nil, by: "li", createdAt: Sample.noon,
                    expiresAt: Sample.later(60)))
        ])
        #expect(try store.commands(for: Sample.terminal).map(\.command) == [command])
        try store.close()
    }

    @Test func aFailedCommitLeavesNothing() throws {
        let fault = FaultSwitch()
        let store = try open(.init(willCommit: fault.willCommit))
        fault.isOn = true
        #expect { try store.write([.person(Sample.person()), .change(Sample.opening(Sample.incident()))]) } throws: {
            ($0 as? StoreError)?.code == .inputOutput
        }
        #expect(try store.person("p1") == nil)
        fault.isOn = false
        try store.write([.person(Sample.person()), .change(Sample.opening(Sample.incident()))])
        #expect(try store.incidents(IncidentFilter()).count == 1)
        #expect(try store.history(of: IncidentID(rawValue: 1))?.timeline.count == 1)
    }

    @Test func aFullDiskIsNamedAndRecovers() throws {
        let store = try open()
        try store.limitPages(1)
        let big = (1...40).map { number in
            StoreWrite.person(Person(id: "p\(number)", name: String(repeating: "x", count: 4000)))
        }
        #expect { try store.write(big) } throws: { ($0 as? StoreError)?.code == .diskFull }
        try store.limitPages(nil)
        try store.write(big)
        #expect(try store.people(limit: 100).count == 40)
    }

    @Test func aDamagedFileIsKeptUnderAnotherName() throws {
        try directory.write(Array(repeating: 0x5A, count: 8192), to: "incidents.sqlite")
        let store = try open()
        let kept = try #require(store.setAside.first)
        #expect(kept.original == store.path)
        #expect(FileManager.default.contents(atPath: kept.keptAs)?.count == 8192)
        try store.write([.person(Sample.person())])
        #expect(try store.person("p1") != nil)
    }

    @Test func alikeAttemptsShareOneLine() throws {
        let store = try open()
        let incident = Sample.incident()
        let event = "inc_\(incident.id)_1"
        try store.write([.change(Sample.opening(incident))])
        func attempt(_ number: Int, _ outcome: String, _ state: DeliveryAttempt.RowState) -> StoreWrite {
            .attempt(
                DeliveryAttempt(
                    event: event, incident: incident.id, target: "hub", attempt: number,
                    startedAt: Sample.later(Int64(number)), endedAt: Sample.later(Int64(number)), outcome: outcome,
                    evidence: outcome == "retry" ? "refused" : "200", state: state,
                    nextAttemptAt: Sample.later(Int64(number) + 1)))
        }
        try store.write([attempt(1, "retry", .pending), attempt(2, "retry", .pending)])
        try store.write([attempt(3, "retry", .pending), attempt(4, "accepted", .accepted)])
        let history = try #require(try store.history(of: incident.id))
        #expect(history.attempts.map(\.lastAttempt) == [3, 4])
        #expect(history.attempts.map(\.firstAttempt) == [1, 4])
        #expect(history.outbox.map(\.state) == [.pending, .accepted])
        #expect(try store.restore(now: Sample.noon).outbox.map(\.target) == ["dispatch"])
    }

    @Test func aHumanStopsWhatRaisesTheAlarmOnly() throws {
        let store = try open()
        var incident = Sample.incident()
        try store.write([.change(Sample.opening(incident))])
        incident.state = .acknowledged
        incident.lastEventNumber = 2
        let notice = Notice(kind: .acknowledged, at: Sample.later(5), incident: incident, person: nil)
        try store.write([
            .change(IncidentChange(incident: incident, deliveries: [.init(notice: notice, targets: ["hub"])])),
            .stopRaising(incident.id),
        ])
        #expect(try store.restore(now: Sample.noon).outbox.map(\.notice.kind) == [.acknowledged])
        let late = DeliveryAttempt(
            event: "inc_\(incident.id)_1", incident: incident.id, target: "hub", attempt: 1, startedAt: Sample.noon,
            endedAt: Sample.noon, outcome: "accepted", evidence: "200", state: .accepted, nextAttemptAt: Sample.noon)
        try store.write([.attempt(late)])
        let states = try #require(try store.history(of: incident.id)).outbox.map(\.state)
        #expect(states == [.stopped, .accepted, .pending])
    }

    @Test func oldAndNewCodeAreGoodUntilOneIsUsed() throws {
        let store = try open()
        func register(_ digest: UInt8) throws {
            try store.write([
                .registration(
                    TerminalRegistration(
                        terminal: Sample.terminal, protocolName: .jt808, maker: "m", model: "x", serialNumber: "1",
                        codeDigest: [digest], at: Sample.noon))
            ])
        }
        func digests() throws -> [[UInt8]] { try Sample.terminals(store).flatMap(\.authCodeDigests) }
        try register(1)
        try register(2)
        #expect(try digests() == [[1], [2]])
        try register(3)
        #expect(try digests() == [[1], [3]])
        try store.write([.authenticated(Sample.terminal, digest: [9])])
        #expect(try digests() == [[1], [3]])
        try store.write([.authenticated(Sample.terminal, digest: [3])])
        #expect(try digests() == [[3]])
    }

    @Test func filtersAndPagesIncidents() throws {
        let store = try open()
        for number in 1...5 {
            var incident = Sample.incident(
                UInt64(number), person: number == 2 ? "p2" : "p1", openedAt: Sample.later(Int64(number)))
            if number == 3 { (incident.state, incident.closedAt) = (.closed, Sample.later(9)) }
            try store.write([.change(Sample.opening(incident, targets: []))])
        }
        func numbers(_ filter: IncidentFilter) throws -> [UInt64] { try store.incidents(filter).map(\.id.rawValue) }
        #expect(try numbers(IncidentFilter()) == [5, 4, 3, 2, 1])
        #expect(try numbers(IncidentFilter(states: [.open])) == [5, 4, 2, 1])
        #expect(try numbers(IncidentFilter(states: [.closed])) == [3])
        #expect(try numbers(IncidentFilter(person: "p2")) == [2])
        #expect(try numbers(IncidentFilter(after: IncidentID(rawValue: 4), limit: 2)) == [3, 2])
        #expect(try numbers(IncidentFilter(after: IncidentID(rawValue: 99))) == [])
    }

    @Test func erasingForgetsWhoAndWhere() throws {
        let store = try open()
        var incident = Sample.incident()
        try store.write([
            .person(Sample.person()), .change(Sample.opening(incident)),
            .assignment(TerminalAssignment(terminal: Sample.terminal, person: "p1"), at: Sample.later(-60)),
        ])
        #expect { try store.erase(person: "p1", now: Sample.noon) } throws: {
            ($0 as? StoreError)?.code == .refused
        }
        (incident.state, incident.closedAt) = (.closed, Sample.noon)
        try store.write([.change(IncidentChange(incident: incident))])
        let holdings = try store.erase(person: "p1", now: Sample.noon)
        #expect(holdings == [Holding(terminal: Sample.terminal, since: Sample.later(-60), until: nil)])
        let history = try #require(try store.history(of: incident.id))
        #expect(history.incident.person == nil && history.incident.position == nil)
        #expect(history.evidence.isEmpty && history.timeline.map(\.detail) == [""])
        #expect(try store.person("p1") == nil)
        #expect(try store.terminals(of: "p1").isEmpty)
        // An erasure that was interrupted finds the same again.
        #expect(try store.erase(person: "p1", now: Sample.noon) == holdings)
        try store.forgetHoldings(of: "p1")
        #expect(try store.erase(person: "p1", now: Sample.noon).isEmpty)
    }

    /// A query that lasts holds neither a commit nor the moving of the log back.
    @Test func readersNeverHoldTheWriterBack() throws {
        let store = try open()
        try store.write([.change(Sample.opening(Sample.incident()))])
        let hasWritten = DispatchSemaphore(value: 0)
        let sql = "SELECT count(*) FROM incidents"
        try store.readers.read { database in
            let before = try Int.fetchOne(database, sql: sql)
            Thread {
                for number: UInt64 in 2...60 { try? store.write([.change(Sample.opening(Sample.incident(number)))]) }
                try? store.moveLog()
                hasWritten.signal()
            }.start()
            #expect(hasWritten.wait(timeout: .now() + 20) == .success)
            // It still sees what there was.
            #expect(before == 1)
            let after = try Int.fetchOne(database, sql: sql)
            #expect(after == 1)
        }
        #expect(try store.counts().openIncidents == 60)
    }

    @Test func theLogIsMovedByAnotherConnection() throws {
        let store = try open()
        var number: UInt64 = 0
        while !store.isLogDue {
            number += 1
            try store.write([.change(Sample.opening(Sample.incident(number)))])
        }
        func size(_ suffix: String) -> Int {
            (try? FileManager.default.attributesOfItem(atPath: store.path + suffix)[.size] as? Int) ?? 0
        }
        let before = size("")
        // SQLite's own limit of 1,000 pages has passed and no commit has moved anything.
        #expect(size("-wal") > 1000 * 4096 && before < size("-wal") / 4)
        try store.moveLog()
        #expect(size("") > before && !store.isLogDue)
        let length = size("-wal")
        try store.write([.change(Sample.opening(Sample.incident(number + 1)))])
        #expect(size("-wal") == length, "the log begins anew")
        #expect(try store.counts().openIncidents == Int(number) + 1)
    }

    /// From version 3 of the file, which kept fences and their states as text alone.
    @Test func fencesOfAnEarlierVersionBecomePlans() throws {
        let old = try DatabaseQueue(path: directory.path + "/" + IncidentStore.fileName)
        try IncidentSchema.migrator.migrate(old, upTo: "3 messages leave")
        let record = try Sample.fence()
        let state = FenceState(terminal: Sample.terminal, fence: "home", isInside: true, since: Sample.noon)
        try old.write { database in
            try database.execute(
                sql: "INSERT INTO fences (id, fence) VALUES ('home', ?), ('broken', '{}')", arguments: [record.json])
            try database.execute(
                sql: "INSERT INTO fence_states (terminal, fence, state) VALUES (?, 'home', ?), ('55', 'home', '{}')",
                arguments: [
                    Sample.terminal.description,
                    String(decoding: try JSONEncoder().encode(state), as: UTF8.self),
                ])
        }
        try old.close()
        let store = try open()
        let restored = try store.restore(now: Sample.noon)
        #expect(restored.fences == [record.plan])
        #expect(restored.unreadable.count == 1)
        #expect(restored.unreadable.first?.hasPrefix("fence broken") == true)
        let states = try Sample.fenceStates(store)
        let expected = FenceStateRecord(
            terminal: Sample.terminal, fence: "home", isInside: true, since: Sample.noon)
        #expect(states == [expected])
        #expect(try store.fences() == ["{}", record.json])
    }

    /// A plan of another edition, or a damaged one, is made anew from the fence as it was drawn.
    @Test func aPlanThatCannotBeReadIsMadeAnew() throws {
        let store = try open()
        let record = try Sample.fence()
        try store.write([.fence(record)])
        try store.close()
        let raw = try DatabaseQueue(path: directory.path + "/" + IncidentStore.fileName)
        try raw.write { try $0.execute(sql: "UPDATE fences SET plan = x'FF00'") }
        try raw.close()
        let restored = try open().restore(now: Sample.noon)
        #expect(restored.fences == [record.plan])
        #expect(restored.unreadable.isEmpty)
    }

    @Test func aBackupIsWholeAndNeverOverwrites() throws {
        let store = try open()
        try store.write([.change(Sample.opening(Sample.incident()))])
        let copy = directory.path + "/copy"
        try store.backUp(to: copy)
        try store.write([.change(Sample.opening(Sample.incident(2)))])
        let restored = try IncidentStore(directory: copy, now: Sample.noon)
        #expect(try restored.incidents(IncidentFilter()).map(\.id.rawValue) == [1])
        #expect { try store.backUp(to: copy) } throws: { ($0 as? StoreError)?.code == .refused }
    }
}
