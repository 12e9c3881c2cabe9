import Foundation
import GRDB
public import IncidentCore
public import TerminalModel

/// Which incidents are asked for; members that are nil ask for all.
public struct IncidentFilter: Sendable, Equatable {
    public static let maximumLimit = 1000

    public var states: [IncidentState]?
    public var service: Service?
    public var terminal: TerminalID?
    public var person: String?
    /// Opened at or after.
    public var from: Timestamp?
    /// The last one shown: those behind it are asked for. An id that does not exist has nothing behind it.
    public var after: IncidentID?
    /// 1 to `maximumLimit` + 1, the one more telling whether another page follows.
    public var limit: Int

    public init(
        states: [IncidentState]? = nil, service: Service? = nil, terminal: TerminalID? = nil, person: String? = nil,
        from: Timestamp? = nil, after: IncidentID? = nil, limit: Int = 100
    ) {
        self.states = states
        self.service = service
        self.terminal = terminal
        self.person = person
        self.from = from
        self.after = after
        self.limit = min(max(limit, 1), Self.maximumLimit + 1)
    }
}

/// One incident with everything that is stored of it.
public struct IncidentHistory: Sendable, Equatable {
    public var incident: Incident
    public var timeline: [TimelineEntry]
    public var evidence: [Evidence]
    public var outbox: [OutboxRow]
    public var attempts: [AttemptRow]
    public var commands: [CommandRecord]
}

/// One notice for one target.
public struct OutboxRow: Sendable, Equatable {
    public var event: String
    public var target: String
    public var state: DeliveryAttempt.RowState
    public var attempts: Int
    public var nextAttemptAt: Timestamp
}

/// One or more attempts in a row that ended alike.
public struct AttemptRow: Sendable, Equatable {
    public var event: String
    public var target: String
    public var firstAttempt: Int
    public var lastAttempt: Int
    public var startedAt: Timestamp
    public var endedAt: Timestamp
    public var outcome: String
    public var evidence: String
}

/// How much the gateway knows, for the status page.
public struct StoreCounts: Sendable, Equatable {
    public var people: Int
    public var terminals: Int
    public var fences: Int
    public var openIncidents: Int
    public var outboxPending: Int
}

/// Reading for the status socket. Each function throws SQLite's codes, and `unreadable` for a damaged value.
extension IncidentStore {
    /// Newest first.
    public func incidents(_ filter: IncidentFilter) throws(StoreError) -> [Incident] {
        var conditions: [String] = []
        var arguments: StatementArguments = []
        if let states = filter.states {
            // Open incidents stand in an index of their own.
            if !states.contains(.closed) { conditions.append("closed_at IS NULL") }
            conditions.append("state IN (\(states.map { "'\($0.rawValue)'" }.joined(separator: ", ")))")
        }
        func add(_ condition: String, _ value: (any DatabaseValueConvertible)?) {
            guard let value else { return }
            conditions.append(condition)
            arguments += [value]
        }
        add("service = ?", filter.service?.rawValue)
        add("terminal = ?", filter.terminal?.description)
        add("person = ?", filter.person)
        add("opened_at >= ?", filter.from?.milliseconds)
        add("(opened_at, id) < (SELECT opened_at, id FROM incidents WHERE id = ?)", filter.after?.description)
        let filtering = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        let sql = """
            SELECT snapshot FROM incidents \(filtering) ORDER BY opened_at DESC, id DESC LIMIT \(filter.limit)
            """
        return try storing {
            try readers.read { database in
                try String.fetchAll(database, sql: sql, arguments: arguments).map {
                    try ColumnJSON.value(Incident.self, $0)
                }
            }
        }
    }

    /// One incident with its whole history; nil when there is none with this id.
    public func history(of id: IncidentID) throws(StoreError) -> IncidentHistory? {
        try storing {
            try readers.read { database in
                let key = id.description
                guard
                    let snapshot = try String.fetchOne(
                        database, sql: "SELECT snapshot FROM incidents WHERE id = ?", arguments: [key])
                else { return nil }
                return IncidentHistory(
                    incident: try ColumnJSON.value(Incident.self, snapshot),
                    timeline: try Row.fetchAll(
                        database, sql: "SELECT at, kind, actor, detail FROM timeline WHERE incident = ? ORDER BY id",
                        arguments: [key]
                    ).compactMap(TimelineEntry.init(row:)),
                    evidence: try Row.fetchAll(
                        database, sql: "SELECT * FROM evidence WHERE incident = ? ORDER BY id", arguments: [key]
                    ).compactMap(Evidence.init(row:)),
                    outbox: try Row.fetchAll(
                        database, sql: "SELECT * FROM outbox WHERE incident = ? ORDER BY event, target",
                        arguments: [key]
                    ).map(OutboxRow.init(row:)),
                    attempts: try Row.fetchAll(
                        database, sql: "SELECT * FROM attempts WHERE incident = ? ORDER BY id", arguments: [key]
                    ).map(AttemptRow.init(row:)),
                    commands: try Row.fetchAll(
                        database, sql: "SELECT * FROM commands WHERE incident = ? ORDER BY id", arguments: [key]
                    ).map(CommandRecord.init(row:)))
            }
        }
    }

    public func person(_ id: String) throws(StoreError) -> Person? {
        try storing {
            try readers.read { database in
                try String.fetchOne(database, sql: "SELECT card FROM people WHERE id = ?", arguments: [id]).map {
                    try ColumnJSON.value(Person.self, $0)
                }
            }
        }
    }

    /// In the order of their ids, those after `after`.
    public func hasPeople(inGroup group: String) throws(StoreError) -> Bool {
        try storing {
            try readers.read { database in
                try Bool.fetchOne(
                    database,
                    sql: """
                        SELECT EXISTS (
                            SELECT 1 FROM people WHERE EXISTS (SELECT 1 FROM json_each(card, '$.groups') WHERE value = ?))
                        """, arguments: [group]) ?? false
            }
        }
    }

    public func people(after: String = "", limit: Int = 100) throws(StoreError) -> [Person] {
        try storing {
            try readers.read { database in
                try String.fetchAll(
                    database, sql: "SELECT card FROM people WHERE id > ? ORDER BY id LIMIT ?",
                    arguments: [after, min(max(limit, 1), IncidentFilter.maximumLimit + 1)]
                ).map { try ColumnJSON.value(Person.self, $0) }
            }
        }
    }

    /// The terminals that belong to a person now.
    public func terminals(of person: String) throws(StoreError) -> [TerminalID] {
        try storing {
            try readers.read { database in
                try String.fetchAll(
                    database, sql: "SELECT terminal FROM terminals WHERE person = ?", arguments: [person]
                ).compactMap { TerminalID($0) }
            }
        }
    }

    /// Fences as they were drawn, as JSON, in the order of their ids.
    public func fences() throws(StoreError) -> [String] {
        try storing {
            try readers.read { try String.fetchAll($0, sql: "SELECT fence FROM fences ORDER BY id") }
        }
    }

    /// The fences in whose text these words stand somewhere, as JSON.
    public func fences(containing text: String) throws(StoreError) -> [String] {
        try storing {
            try readers.read {
                try String.fetchAll(
                    $0, sql: "SELECT fence FROM fences WHERE instr(fence, ?) > 0 ORDER BY id", arguments: [text])
            }
        }
    }

    public func terminalState(_ terminal: TerminalID) throws(StoreError) -> TerminalStateRecord? {
        try storing {
            try readers.read { database in
                try Row.fetchOne(
                    database, sql: "SELECT last_seen, event FROM terminal_states WHERE terminal = ?",
                    arguments: [terminal.description]
                ).map {
                    TerminalStateRecord(
                        terminal: terminal, lastSeen: Timestamp(milliseconds: $0[0]), event: $0[1])
                }
            }
        }
    }

    /// What a terminal said beside positions and incidents, newest first, without the media.
    public func messages(from terminal: TerminalID, limit: Int = 100) throws(StoreError) -> [MessageRecord] {
        try storing {
            try readers.read { database in
                try Row.fetchAll(
                    database,
                    sql: """
                        SELECT received, kind, event FROM messages WHERE terminal = ?
                        ORDER BY received DESC, id DESC LIMIT ?
                        """, arguments: [terminal.description, limit]
                ).map { row in
                    MessageRecord(
                        terminal: terminal, received: Timestamp(milliseconds: row[0]),
                        kind: EventKind(rawValue: row[1]) ?? .other, event: row[2])
                }
            }
        }
    }

    /// What a terminal sent in pictures and sound, newest first.
    public func media(from terminal: TerminalID, limit: Int = 10) throws(StoreError) -> [MediaRecord] {
        try storing {
            try readers.read { database in
                try Row.fetchAll(
                    database,
                    sql: """
                        SELECT media_id, type, format, event_code, data FROM media WHERE terminal = ?
                        ORDER BY received DESC, id DESC LIMIT ?
                        """, arguments: [terminal.description, limit]
                ).map { row in
                    MediaRecord(
                        mediaID: row[0], type: row[1], format: row[2], eventCode: row[3], data: [UInt8](row[4] as Data))
                }
            }
        }
    }

    /// Newest first.
    public func commands(for terminal: TerminalID, limit: Int = 100) throws(StoreError) -> [CommandRecord] {
        try storing {
            try readers.read { database in
                try Row.fetchAll(
                    database, sql: "SELECT * FROM commands WHERE terminal = ? ORDER BY id DESC LIMIT ?",
                    arguments: [terminal.description, min(max(limit, 1), IncidentFilter.maximumLimit)]
                ).map(CommandRecord.init(row:))
            }
        }
    }

    public func command(_ id: Int64) throws(StoreError) -> CommandRecord? {
        try storing {
            try readers.read { database in
                try Row.fetchOne(database, sql: "SELECT * FROM commands WHERE id = ?", arguments: [id])
                    .map(CommandRecord.init(row:))
            }
        }
    }

    /// Newest first.
    public func audit(limit: Int = 100) throws(StoreError) -> [AuditEntry] {
        try storing {
            try readers.read { database in
                try Row.fetchAll(
                    database, sql: "SELECT * FROM audit ORDER BY id DESC LIMIT ?",
                    arguments: [min(max(limit, 1), IncidentFilter.maximumLimit)]
                ).map {
                    AuditEntry(
                        at: Timestamp(milliseconds: $0["at"]),
                        actor: Operator(id: $0["actor"], unixUser: $0["unix_user"]), action: $0["action"],
                        detail: $0["detail"])
                }
            }
        }
    }

    public func counts() throws(StoreError) -> StoreCounts {
        try storing {
            try readers.read { database in
                func count(_ what: String) throws -> Int {
                    try Int.fetchOne(database, sql: "SELECT count(*) FROM \(what)") ?? 0
                }
                return StoreCounts(
                    people: try count("people"), terminals: try count("terminals"), fences: try count("fences"),
                    openIncidents: try count("incidents WHERE closed_at IS NULL"),
                    outboxPending: try count("outbox WHERE state = 'pending'"))
            }
        }
    }
}

extension TimelineEntry {
    fileprivate init?(row: Row) {
        guard let kind = Kind(rawValue: row[1]) else { return nil }
        self.init(at: Timestamp(milliseconds: row[0]), kind: kind, actor: row[2], detail: row[3])
    }
}

extension Evidence {
    fileprivate init?(row: Row) {
        guard let protocolName = ProtocolName(rawValue: row["protocol"]), let bearer = Bearer(rawValue: row["bearer"])
        else { return nil }
        self.init(
            at: Timestamp(milliseconds: row["at"]), protocolName: protocolName, peer: row["peer"], bearer: bearer,
            frame: [UInt8](row["frame"] as Data), event: row["event"])
    }
}

extension OutboxRow {
    fileprivate init(row: Row) {
        self.init(
            event: row["event"], target: row["target"],
            state: DeliveryAttempt.RowState(rawValue: row["state"]) ?? .pending, attempts: row["attempts"],
            nextAttemptAt: Timestamp(milliseconds: row["next_attempt_at"]))
    }
}

extension AttemptRow {
    fileprivate init(row: Row) {
        self.init(
            event: row["event"], target: row["target"], firstAttempt: row["first_attempt"],
            lastAttempt: row["last_attempt"], startedAt: Timestamp(milliseconds: row["started_at"]),
            endedAt: Timestamp(milliseconds: row["ended_at"]), outcome: row["outcome"], evidence: row["evidence"])
    }
}
