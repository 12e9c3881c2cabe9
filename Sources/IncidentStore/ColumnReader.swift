import GRDB
import GRDBSQLite
import TerminalModel

/// One row of a statement, read column by column without a value in between: a start reads a million of them.
struct ColumnReader {
    private let statement: OpaquePointer

    fileprivate init(_ statement: OpaquePointer) { self.statement = statement }

    func integer(_ column: Int32) -> Int64? {
        sqlite3_column_type(statement, column) == SQLITE_NULL ? nil : sqlite3_column_int64(statement, column)
    }

    func text(_ column: Int32) -> String? {
        sqlite3_column_text(statement, column).map { text in
            let count = Int(sqlite3_column_bytes(statement, column))
            return String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
        }
    }

    func bytes(_ column: Int32) -> [UInt8]? {
        sqlite3_column_blob(statement, column).map { bytes in
            Array(UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(statement, column))))
        }
    }

    /// nil when the text is no terminal id.
    func terminal(_ column: Int32) -> TerminalID? { text(column).flatMap { TerminalID($0) } }
}

extension Database {
    /// Calls `body` for each row of a query.
    ///
    /// - Throws: SQLite's codes, and what `body` throws.
    func forEachRow(
        _ sql: String, _ arguments: StatementArguments = StatementArguments(), _ body: (ColumnReader) throws -> Void
    ) throws {
        let prepared = try cachedStatement(sql: sql)
        try prepared.setArguments(arguments)
        let statement = prepared.sqliteStatement
        defer { sqlite3_reset(statement) }
        let row = ColumnReader(statement)
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: try body(row)
            case SQLITE_DONE: return
            case let code:
                throw DatabaseError(
                    resultCode: ResultCode(rawValue: code),
                    message: sqliteConnection.map { String(cString: sqlite3_errmsg($0)) })
            }
        }
    }
}
