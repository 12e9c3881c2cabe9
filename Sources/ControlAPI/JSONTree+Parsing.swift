public import Foundation

/// Where and why a text is no JSON.
public struct JSONSyntaxFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// 1 is the first.
    public var line: Int
    /// In bytes, 1 is the first of the line.
    public var column: Int
    public var found: String

    public var description: String { "\(found) in line \(line), column \(column)" }
}

extension JSONTree {
    /// Deeper nesting is refused, so that a body cannot exhaust the stack.
    public static let maximumDepth = 64

    /// Reads a whole JSON text in UTF-8. Of a name that stands twice in an object the text is refused: two readers could
    /// see two different things in it.
    ///
    /// Source: RFC 8259. Throws where the text stops being JSON.
    public init(parsing data: Data) throws(JSONSyntaxFault) {
        var parser = JSONParser(bytes: Array(data))
        self = try parser.document()
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    var offset = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func document() throws(JSONSyntaxFault) -> JSONTree {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw fault("bytes that are not UTF-8", at: 0) }
        let value = try value(depth: 0)
        skipSpace()
        guard offset == bytes.count else { throw unexpected() }
        return value
    }

    private mutating func value(depth: Int) throws(JSONSyntaxFault) -> JSONTree {
        skipSpace()
        guard offset < bytes.count else { throw unexpected() }
        switch bytes[offset] {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard depth < JSONTree.maximumDepth else {
                throw fault("more than \(JSONTree.maximumDepth) levels of nesting", at: offset)
            }
            return bytes[offset] == UInt8(ascii: "{") ? try object(depth: depth) : try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func object(depth: Int) throws(JSONSyntaxFault) -> JSONTree {
        offset += 1
        var members: [String: JSONTree] = [:]
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipSpace()
            let start = offset
            guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") else { throw unexpected() }
            let name = try string()
            guard take(UInt8(ascii: ":")) else { throw unexpected() }
            let value = try value(depth: depth + 1)
            guard members.updateValue(value, forKey: name) == nil else {
                throw fault("the name \"\(name)\" a second time", at: start)
            }
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw unexpected() }
        }
    }

    private mutating func array(depth: Int) throws(JSONSyntaxFault) -> JSONTree {
        offset += 1
        var elements: [JSONTree] = []
        if take(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            elements.append(try value(depth: depth + 1))
            if take(UInt8(ascii: "]")) { return .array(elements) }
            guard take(UInt8(ascii: ",")) else { throw unexpected() }
        }
    }

    private mutating func string() throws(JSONSyntaxFault) -> String {
        let start = offset
        offset += 1
        var content: [UInt8] = []
        while offset < bytes.count {
            let byte = bytes[offset]
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                return String(decoding: content, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &content)
            case 0..<0x20: throw fault("a control character inside a string", at: offset)
            default:
                content.append(byte)
                offset += 1
            }
        }
        throw fault("a string that never ends", at: start)
    }

    private mutating func escape(into content: inout [UInt8]) throws(JSONSyntaxFault) {
        let start = offset
        offset += 2
        guard start + 1 < bytes.count else { throw fault("a string that never ends", at: start) }
        switch bytes[start + 1] {
        case UInt8(ascii: "\""): content.append(0x22)
        case UInt8(ascii: "\\"): content.append(0x5C)
        case UInt8(ascii: "/"): content.append(0x2F)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "u"):
            var units = [try codeUnit(at: start)]
            if UTF16.isLeadSurrogate(units[0]), offset + 1 < bytes.count, bytes[offset] == UInt8(ascii: "\\"),
                bytes[offset + 1] == UInt8(ascii: "u")
            {
                offset += 2
                units.append(try codeUnit(at: start))
            }
            guard let text = String(validating: units, as: UTF16.self) else {
                throw fault("half of a surrogate pair", at: start)
            }
            content += text.utf8
        default: throw fault("an unknown escape", at: start)
        }
    }

    private mutating func codeUnit(at start: Int) throws(JSONSyntaxFault) -> UInt16 {
        guard offset + 4 <= bytes.count else { throw fault("an escape that never ends", at: start) }
        let digits = bytes[offset..<offset + 4]
        let isHex = digits.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
        guard isHex, let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16) else {
            throw fault("an escape without four hexadecimal digits", at: start)
        }
        offset += 4
        return unit
    }

    private mutating func word(_ text: String, _ value: JSONTree) throws(JSONSyntaxFault) -> JSONTree {
        guard bytes[offset...].starts(with: text.utf8) else { throw unexpected() }
        offset += text.utf8.count
        return value
    }

    private mutating func number() throws(JSONSyntaxFault) -> JSONTree {
        let start = offset
        if offset < bytes.count, bytes[offset] == UInt8(ascii: "-") { offset += 1 }
        let whole = digits()
        guard whole > 0, whole == 1 || bytes[offset - whole] != UInt8(ascii: "0") else {
            offset = start
            throw unexpected()
        }
        var isInteger = true
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
            offset += 1
            isInteger = false
            guard digits() > 0 else { throw unexpected() }
        }
        if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
            offset += 1
            isInteger = false
            if offset < bytes.count, [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(bytes[offset]) { offset += 1 }
            guard digits() > 0 else { throw unexpected() }
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if isInteger, let value = Int(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw fault("a number out of range", at: start) }
        return .number(value)
    }

    private mutating func digits() -> Int {
        let start = offset
        while offset < bytes.count, (0x30...0x39).contains(bytes[offset]) { offset += 1 }
        return offset - start
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard offset < bytes.count, bytes[offset] == byte else { return false }
        offset += 1
        return true
    }

    private mutating func skipSpace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            default: return
            }
        }
    }

    private func unexpected() -> JSONSyntaxFault {
        guard offset < bytes.count else { return fault("the end of the text", at: offset) }
        let byte = bytes[offset]
        let shown = (0x21...0x7E).contains(byte) ? "\"\(Character(Unicode.Scalar(byte)))\"" : "byte \(byte)"
        return fault("unexpected \(shown)", at: offset)
    }

    private func fault(_ found: String, at offset: Int) -> JSONSyntaxFault {
        let before = bytes[..<offset]
        let line = before.count { $0 == 0x0A } + 1
        let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        return JSONSyntaxFault(line: line, column: offset - start + 1, found: found)
    }
}
