/// Finds the line on which a key path of a TOML document stands.
///
/// The parser names lines only for syntax errors; a person who wrote `tcp = 6808` under the third `[[listener]]` wants to
/// be shown that line. This scanner follows the structure of a document that the parser has already accepted: headers,
/// arrays of tables, dotted keys, inline tables, arrays over several lines. Paths look like `policy[0].steps[1].targets`.
struct TOMLLineIndex {
    private var lines: [String: Int] = [:]
    private var arrayLengths: [String: Int] = [:]
    private var bytes: [UInt8]
    private var offset = 0
    private var line = 1

    init(_ text: String) {
        bytes = Array(text.utf8)
        scanDocument()
        bytes = []
    }

    /// The line of the path itself, else of the nearest table or array around it; nil for the empty document.
    func line(of path: String) -> Int? {
        var path = Substring(path)
        while !path.isEmpty {
            if let line = lines[String(path)] { return line }
            guard let cut = path.lastIndex(where: { $0 == "." || $0 == "[" }) else { return nil }
            path = path[..<cut]
        }
        return nil
    }

    private var current: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func advance() {
        if current == UInt8(ascii: "\n") { line += 1 }
        offset += 1
    }

    private mutating func scanDocument() {
        var table = ""
        while true {
            skipBlank(newlines: true)
            guard let byte = current else { return }
            let start = offset
            if byte == UInt8(ascii: "[") {
                table = scanHeader()
                skipRestOfLine()
            } else {
                scanAssignment(in: table)
            }
            if offset == start { advance() }
        }
    }

    /// Reads `[a.b]` or `[[a.b]]` and returns the path that the following keys belong to.
    private mutating func scanHeader() -> String {
        advance()
        let isArray = current == UInt8(ascii: "[")
        if isArray { advance() }
        let headerLine = line
        let key = scanKey()
        var path = ""
        for (index, part) in key.enumerated() {
            path = path.isEmpty ? part : path + "." + part
            if isArray, index == key.count - 1 {
                arrayLengths[path, default: 0] += 1
                if lines[path] == nil { lines[path] = headerLine }
            }
            if let length = arrayLengths[path] { path += "[\(length - 1)]" }
            if lines[path] == nil { lines[path] = headerLine }
        }
        return path
    }

    private mutating func scanAssignment(in table: String) {
        let keyLine = line
        let key = scanKey()
        var path = table
        for part in key {
            path = path.isEmpty ? part : path + "." + part
            if lines[path] == nil { lines[path] = keyLine }
        }
        skipBlank(newlines: false)
        guard current == UInt8(ascii: "=") else {
            skipRestOfLine()
            return
        }
        advance()
        scanValue(at: path)
    }

    /// Bare, quoted and dotted keys.
    private mutating func scanKey() -> [String] {
        var parts: [String] = []
        while let byte = current {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "."): advance()
            case UInt8(ascii: "\""), UInt8(ascii: "'"): parts.append(scanQuoted())
            case UInt8(ascii: "="), UInt8(ascii: "]"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "#"):
                return parts
            default:
                let start = offset
                while let byte = current, !Self.endsBareKey.contains(byte) { advance() }
                parts.append(String(decoding: bytes[start..<offset], as: UTF8.self))
            }
        }
        return parts
    }

    private static let endsBareKey = Set(" \t.=]\r\n\"'#".utf8)

    private mutating func scanValue(at path: String) {
        skipBlank(newlines: false)
        switch current {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): _ = scanQuoted()
        case UInt8(ascii: "["): scanArray(at: path)
        case UInt8(ascii: "{"): scanInlineTable(at: path)
        default:
            while let byte = current, !Self.endsScalar.contains(byte) { advance() }
        }
    }

    private static let endsScalar = Set(",]}\r\n#".utf8)

    private mutating func scanArray(at path: String) {
        advance()
        var index = 0
        while true {
            skipBlank(newlines: true)
            switch current {
            case nil: return
            case UInt8(ascii: "]"):
                advance()
                return
            case UInt8(ascii: ","): advance()
            default:
                let start = offset
                let element = "\(path)[\(index)]"
                lines[element] = line
                scanValue(at: element)
                index += 1
                if offset == start { advance() }
            }
        }
    }

    private mutating func scanInlineTable(at path: String) {
        advance()
        while true {
            skipBlank(newlines: true)
            switch current {
            case nil: return
            case UInt8(ascii: "}"):
                advance()
                return
            case UInt8(ascii: ","): advance()
            default:
                let start = offset
                scanAssignment(in: path)
                if offset == start { advance() }
            }
        }
    }

    /// A string of any of the four kinds; escapes other than of the quote itself do not matter for finding keys.
    private mutating func scanQuoted() -> String {
        guard let quote = current else { return "" }
        let isLong = bytes[offset...].prefix(3).elementsEqual([quote, quote, quote])
        let delimiter = isLong ? 3 : 1
        for _ in 0..<delimiter { advance() }
        let start = offset
        while let byte = current {
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                advance()
                advance()
                continue
            }
            if byte == quote, bytes[offset...].prefix(delimiter).allSatisfy({ $0 == quote }) {
                // A long string may end in up to two quotes of its own.
                while isLong, offset + 3 < bytes.count, bytes[offset + 3] == quote { advance() }
                let text = String(decoding: bytes[start..<offset], as: UTF8.self)
                for _ in 0..<delimiter { advance() }
                return text
            }
            advance()
        }
        return ""
    }

    private mutating func skipBlank(newlines: Bool) {
        while let byte = current {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"): advance()
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                guard newlines else { return }
                advance()
            case UInt8(ascii: "#"):
                guard newlines else { return }
                skipRestOfLine()
            default: return
            }
        }
    }

    private mutating func skipRestOfLine() {
        while let byte = current, byte != UInt8(ascii: "\n") { advance() }
    }
}
