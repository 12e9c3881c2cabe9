import Foundation
import GRDB
public import TerminalModel

extension IncidentStore {
    private static let terminalColumns = """
        SELECT terminals.terminal, listed, person, model, utc_offset_minutes, trusted_by_id, digest_used, digest_new,
            registered_model, last_seen
        FROM terminals LEFT JOIN terminal_states ON terminal_states.terminal = terminals.terminal
        """

    /// Terminals in the order of their ids as text, those after `after`; only those of `person` when one is named.
    ///
    /// - Throws: SQLite's codes.
    public func terminals(
        after: TerminalID? = nil, person: String? = nil, limit: Int = 100
    ) throws(StoreError) -> [TerminalRecord] {
        try storing {
            try readers.read { database in
                try Row.fetchAll(
                    database,
                    sql: Self.terminalColumns + """
                         WHERE terminals.terminal > ? AND (? IS NULL OR person = ?)
                        ORDER BY terminals.terminal LIMIT ?
                        """,
                    arguments: [
                        after?.description ?? "", person, person, min(max(limit, 1), IncidentFilter.maximumLimit),
                    ]
                ).compactMap(TerminalRecord.init(row:))
            }
        }
    }

    /// One terminal that was listed or has registered.
    ///
    /// - Throws: SQLite's codes.
    public func terminal(_ id: TerminalID) throws(StoreError) -> TerminalRecord? {
        try storing {
            try readers.read { database in
                try Row.fetchOne(
                    database, sql: Self.terminalColumns + " WHERE terminals.terminal = ?",
                    arguments: [id.description]
                ).flatMap(TerminalRecord.init(row:))
            }
        }
    }
}
