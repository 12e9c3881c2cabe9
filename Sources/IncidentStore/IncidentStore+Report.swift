import GRDB
public import IncidentCore
public import TerminalModel

/// How incidents of one service, opened in one period, were answered and followed to their end.
public struct ServiceFigures: Sendable, Equatable {
    public var service: Service
    public var opened = 0
    /// A human took over.
    public var answered = 0
    public var answeredWithin60Seconds = 0
    public var answeredWithin180Seconds = 0
    public var closed = 0
    /// Handed over with a due time.
    public var supervised = 0
    /// Of those, closed by the due time without ever having been overdue.
    public var closedOnTime = 0
    /// Of those, found overdue at least once.
    public var overdue = 0

    public init(service: Service) {
        self.service = service
    }
}

extension IncidentStore {
    /// Incidents opened at `from` or later and before `to`, by service; drills, and services without any, are left out.
    public func figures(from: Timestamp, to: Timestamp) throws(StoreError) -> [ServiceFigures] {
        try storing {
            try readers.read { database in
                try Row.fetchAll(
                    database,
                    sql: """
                        SELECT service, COUNT(*), COUNT(answered_at), SUM(IFNULL(answered_at - opened_at <= 60000, 0)),
                            SUM(IFNULL(answered_at - opened_at <= 180000, 0)), COUNT(closed_at), COUNT(due_at),
                            SUM(IFNULL(closed_at <= due_at AND times_overdue = 0, 0)), SUM(times_overdue > 0)
                        FROM incidents
                        WHERE opened_at >= ? AND opened_at < ? AND IFNULL(json_extract(snapshot, '$.isDrill'), 0) = 0
                        GROUP BY service ORDER BY service
                        """, arguments: [from.milliseconds, to.milliseconds]
                ).compactMap(ServiceFigures.init(row:))
            }
        }
    }
}

extension ServiceFigures {
    fileprivate init?(row: Row) {
        guard let service = Service(rawValue: row[0]) else { return nil }
        self.init(service: service)
        opened = row[1]
        answered = row[2]
        answeredWithin60Seconds = row[3]
        answeredWithin180Seconds = row[4]
        closed = row[5]
        supervised = row[6]
        closedOnTime = row[7]
        overdue = row[8]
    }
}
