/// One record of a CSV file.
struct CSVRecord: Equatable {
    /// The line on which the record begins, 1 is the first.
    var line: Int
    var fields: [String]
}

/// Reads comma-separated values; a field in quotes may hold commas, quotes written twice, and line ends.
///
/// Line ends are LF, CR LF or CR; empty lines are skipped; the separator is a comma, or a semicolon or tab when the
/// first line holds no comma. Source: RFC 4180.
enum CSVReader {
    /// What cannot be read as CSV, with the line where it begins.
    struct Fault: Error, Equatable {
        var line: Int
        var found: String
        var allowed: String
    }

    static func read(_ text: String) throws(Fault) -> [CSVRecord] {
        var scanner = Scanner(text)
        var records: [CSVRecord] = []
        while let record = try scanner.next() {
            if record.fields != [""] { records.append(record) }
        }
        return records
    }

    private struct Scanner {
        private let bytes: [UInt8]
        private let separator: UInt8
        private var offset = 0
        private var line = 1

        init(_ text: String) {
            bytes = Array(text.utf8)
            let first = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
            let candidates = [UInt8(ascii: ","), UInt8(ascii: "\t"), UInt8(ascii: ";")]
            separator = candidates.first { first.contains($0) } ?? UInt8(ascii: ",")
        }

        mutating func next() throws(Fault) -> CSVRecord? {
            guard offset < bytes.count else { return nil }
            var record = CSVRecord(line: line, fields: [])
            while true {
                record.fields.append(try field())
                guard offset < bytes.count else { return record }
                if bytes[offset] == separator {
                    offset += 1
                    continue
                }
                skipLineEnd()
                return record
            }
        }

        private mutating func field() throws(Fault) -> String {
            guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") else {
                let start = offset
                while offset < bytes.count, !isEnd(bytes[offset]) {
                    guard bytes[offset] != UInt8(ascii: "\"") else {
                        throw Fault(
                            line: line, found: "a quote inside a field without quotes",
                            allowed: "the whole field in quotes and each quote inside written twice")
                    }
                    offset += 1
                }
                return String(decoding: bytes[start..<offset], as: UTF8.self)
            }
            return try quotedField()
        }

        private mutating func quotedField() throws(Fault) -> String {
            let start = line
            var content: [UInt8] = []
            offset += 1
            while offset < bytes.count {
                let byte = bytes[offset]
                offset += 1
                if byte == UInt8(ascii: "\"") {
                    if offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") {
                        offset += 1
                    } else {
                        guard offset == bytes.count || isEnd(bytes[offset]) else {
                            throw Fault(
                                line: line, found: "text after the closing quote", allowed: "a separator or a line end")
                        }
                        return String(decoding: content, as: UTF8.self)
                    }
                } else if byte == UInt8(ascii: "\n") {
                    line += 1
                }
                content.append(byte)
            }
            throw Fault(line: start, found: "a quote that is never closed", allowed: "a closing quote")
        }

        private func isEnd(_ byte: UInt8) -> Bool {
            byte == separator || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
        }

        private mutating func skipLineEnd() {
            if bytes[offset] == UInt8(ascii: "\r"), offset + 1 < bytes.count, bytes[offset + 1] == UInt8(ascii: "\n") {
                offset += 1
            }
            offset += 1
            line += 1
        }
    }
}
