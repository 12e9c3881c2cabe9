import GRDB

/// Why the store could not do what it was asked, with a code that stays the same over versions.
public struct StoreError: Error, Sendable, CustomStringConvertible {
    /// Stable names for operators and scripts.
    public enum Code: String, Sendable, CaseIterable {
        /// No space or quota left for the file.
        case diskFull = "disk_full"
        /// Reading, writing or syncing failed.
        case inputOutput = "io_error"
        /// The file is damaged or is no database.
        case corrupt
        /// Somebody else holds the file.
        case busy
        /// The file or its directory may not be written.
        case readOnly = "read_only"
        case cannotOpen = "cannot_open"
        /// `PRAGMA synchronous` does not read back 2 (FULL): nothing would be durable.
        case notSynchronous = "not_synchronous"
        /// A rule of the schema was broken: our own mistake.
        case constraint
        /// A stored value does not read back: our own mistake or a hand-edited file.
        case unreadable
        /// The request cannot be granted in the present state, for example erasing a person with an open incident.
        case refused
        case unexpected = "unexpected_error"
    }

    public var code: Code
    public var message: String
    /// SQLite's extended result code, 0 when SQLite was not involved.
    public var sqliteCode: Int32
    public var file: String
    public var line: Int

    public init(
        _ code: Code, _ message: String, sqliteCode: Int32 = 0, file: String = #fileID, line: Int = #line
    ) {
        self.code = code
        self.message = message
        self.sqliteCode = sqliteCode
        self.file = file
        self.line = line
    }

    public var description: String { "\(code.rawValue): \(message)" }

    /// Translates whatever GRDB or Foundation threw; a `StoreError` passes unchanged.
    init(_ error: any Error, file: String = #fileID, line: Int = #line) {
        switch error {
        case let error as StoreError:
            self = error
        case let error as DatabaseError:
            self.init(
                Self.code(of: error.resultCode), error.message ?? error.resultCode.description,
                sqliteCode: error.extendedResultCode.rawValue, file: file, line: line)
        case is DecodingError, is EncodingError:
            self.init(.unreadable, "\(error)", file: file, line: line)
        default:
            self.init(.unexpected, "\(error)", file: file, line: line)
        }
    }

    private static func code(of result: ResultCode) -> Code {
        switch result {
        case .SQLITE_FULL: .diskFull
        case .SQLITE_IOERR, .SQLITE_NOMEM: .inputOutput
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: .corrupt
        case .SQLITE_BUSY, .SQLITE_LOCKED: .busy
        case .SQLITE_READONLY, .SQLITE_PERM: .readOnly
        case .SQLITE_CANTOPEN: .cannotOpen
        case .SQLITE_CONSTRAINT, .SQLITE_TOOBIG, .SQLITE_MISMATCH, .SQLITE_RANGE: .constraint
        default: .unexpected
        }
    }
}

/// Runs `body` and translates what it throws.
func storing<Result>(
    file: String = #fileID, line: Int = #line, _ body: () throws -> Result
) throws(StoreError) -> Result {
    do {
        return try body()
    } catch {
        throw StoreError(error, file: file, line: line)
    }
}
