import GRDB
import IncidentCore
import TerminalModel
import Testing

@testable import IncidentStore

/// Figures of how incidents were answered and followed to their end.
@Suite struct ReportTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func open() throws -> IncidentStore {
        try IncidentStore(directory: directory.path, now: Sample.noon)
    }

    private func incident(_ number: UInt64, _ change: (inout Incident) -> Void) -> StoreWrite {
        var incident = Sample.incident(number)
        incident.openedAt = Sample.noon
        change(&incident)
        return .change(IncidentChange(incident: incident))
    }

    @Test func figuresSayWhatHappened() throws {
        let store = try open()
        try store.write([
            incident(1) {
                $0.answeredAt = Sample.later(60)
                $0.dueAt = Sample.later(3600)
                $0.closedAt = Sample.later(3600)
            },
            incident(2) {
                $0.answeredAt = Sample.later(61)
                $0.dueAt = Sample.later(3600)
                $0.timesOverdue = 2
                $0.closedAt = Sample.later(9000)
            },
            // Handed over anew with a later time after it was overdue: that is not in time.
            incident(3) {
                $0.answeredAt = Sample.later(181)
                $0.dueAt = Sample.later(20_000)
                $0.timesOverdue = 1
                $0.closedAt = Sample.later(9000)
            },
            incident(4) { _ in },
            incident(5) { $0.service = .lifeAssistance },
            incident(6) { $0.openedAt = Sample.later(86_400) },
        ])
        let figures = try store.figures(from: Sample.noon, to: Sample.later(86_400))
        var emergency = ServiceFigures(service: .emergency)
        emergency.opened = 4
        emergency.answered = 3
        emergency.answeredWithin60Seconds = 1
        emergency.answeredWithin180Seconds = 2
        emergency.closed = 3
        emergency.supervised = 3
        emergency.closedOnTime = 1
        emergency.overdue = 2
        var assistance = ServiceFigures(service: .lifeAssistance)
        assistance.opened = 1
        #expect(figures == [emergency, assistance])
        #expect(try store.figures(from: Sample.later(1), to: Sample.later(2)).isEmpty)
        // A later state of an incident takes the place of the earlier one.
        try store.write([incident(4) { $0.answeredAt = Sample.later(5) }])
        #expect(try store.figures(from: Sample.noon, to: Sample.later(1)).first?.answeredWithin60Seconds == 2)
        try store.close()
    }

    /// From version 4 of the file, which had no columns for them.
    @Test func incidentsOfAnEarlierVersionAreCounted() throws {
        let old = try DatabaseQueue(path: directory.path + "/" + IncidentStore.fileName)
        try IncidentSchema.migrator.migrate(old, upTo: "4 fences as plans")
        var incident = Sample.incident(1)
        incident.openedAt = Sample.noon
        incident.acknowledgedAt = Sample.later(30)
        incident.dueAt = Sample.later(3600)
        try old.write { database in
            try database.execute(
                sql: """
                    INSERT INTO incidents (id, state, service, terminal, opened_at, acknowledged_at, snapshot)
                    VALUES (?, 'handed_over', 'emergency', '1', ?, ?, ?)
                    """,
                arguments: [
                    incident.id.description, Sample.noon.milliseconds, Sample.later(30).milliseconds,
                    try ColumnJSON.text(incident),
                ])
        }
        try old.close()
        let store = try open()
        var expected = ServiceFigures(service: .emergency)
        expected.opened = 1
        expected.answered = 1
        expected.answeredWithin60Seconds = 1
        expected.answeredWithin180Seconds = 1
        expected.supervised = 1
        #expect(try store.figures(from: Sample.noon, to: Sample.later(1)) == [expected])
        #expect(try store.restore(now: Sample.noon).incidents == [incident])
        try store.close()
    }
}
