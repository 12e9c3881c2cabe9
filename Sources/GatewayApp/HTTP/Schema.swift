import ControlAPI
import IncidentCore
import TerminalModel

/// The shape of a JSON value: written into the OpenAPI document and applied to requests, so that the two cannot differ.
indirect enum Schema: Sendable {
    case text(Text)
    case choice([String])
    case integer(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    case boolean
    case array(Schema, count: ClosedRange<Int>)
    case object([Property])
    /// Objects told apart by a member that holds one fixed word.
    case variants(by: String, [(word: String, schema: Schema)])
    case orNull(Schema)
    /// An object with any names and one kind of value.
    case map(Schema)
    /// A named schema under `components`.
    case named(String, Schema)
    case anything

    struct Property: Sendable {
        var name: String
        var schema: Schema
        var isRequired: Bool
        var note: String
    }

    /// A string: each kind is a regular expression for the document and a test of characters for the gateway.
    struct Text: Sendable {
        enum Kind: Sendable {
            /// Any characters except control characters, at least one of them visible.
            case line
            /// The same, or nothing at all.
            case lineOrEmpty
            case identifier
            case terminal
            case incident
            /// A number that a request is about; whether it may be dialled says the pipeline.
            case phone
            /// The number of a person, which others are asked to ring: the guard of emergency numbers refuses some (promise P7).
            case privatePhone
            case privatePhoneOrEmpty
            case date
            case time
            /// Anything that has the right length: answers only.
            case any
        }

        var kind: Kind
        var length: ClosedRange<Int>
    }

    static func line(_ length: ClosedRange<Int>) -> Schema { .text(Text(kind: .line, length: length)) }
    static func lineOrEmpty(_ maximum: Int) -> Schema { .text(Text(kind: .lineOrEmpty, length: 0...maximum)) }
    static let identifier = Schema.text(Text(kind: .identifier, length: 1...64))
    static let terminal = Schema.text(Text(kind: .terminal, length: 1...32))
    static let incident = Schema.text(Text(kind: .incident, length: 16...16))
    static let phone = Schema.text(Text(kind: .phone, length: 3...32))
    static let privatePhone = Schema.text(Text(kind: .privatePhone, length: 3...32))
    static let time = Schema.text(Text(kind: .time, length: 20...40))
    static let string = Schema.text(Text(kind: .any, length: 0...1_000_000))
}

extension Schema.Property {
    static func required(_ name: String, _ schema: Schema, _ note: String = "") -> Schema.Property {
        Schema.Property(name: name, schema: schema, isRequired: true, note: note)
    }

    static func optional(_ name: String, _ schema: Schema, _ note: String = "") -> Schema.Property {
        Schema.Property(name: name, schema: schema, isRequired: false, note: note)
    }
}

extension Schema.Text {
    var pattern: String? {
        switch kind {
        case .line:
            "^[^\\u0000-\\u001F\\u007F]*[^\\u0000-\\u0020\\u007F\\u00A0\\u3000][^\\u0000-\\u001F\\u007F]*$"
        case .lineOrEmpty: "^[^\\u0000-\\u001F\\u007F]*$"
        case .identifier: "^[A-Za-z0-9_-][A-Za-z0-9._-]*$"
        case .terminal: "^[0-9A-Fa-f]+$"
        case .incident: "^[0-9A-F]{16}$"
        case .phone, .privatePhone: "^\\+?\\(?[0-9][0-9() -]+$"
        case .privatePhoneOrEmpty: "^(\\+?\\(?[0-9][0-9() -]+)?$"
        case .date: "^([12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8]))?$"
        case .time, .any: nil
        }
    }

    var allowed: String {
        let size =
            length.lowerBound == length.upperBound
            ? "\(length.lowerBound)" : "\(length.lowerBound) to \(length.upperBound)"
        return switch kind {
        case .line: "text of \(size) characters on one line"
        case .lineOrEmpty: "text of at most \(length.upperBound) characters on one line"
        case .identifier: "\(size) characters out of A-Z, a-z, 0-9, '.', '_' and '-', the first one no '.'"
        case .terminal: "\(size) hexadecimal digits"
        case .incident: "16 hexadecimal digits in upper case"
        case .phone: "a telephone number of \(size) digits, spaces, hyphens and brackets, with or without '+' before it"
        case .privatePhone:
            "a telephone number of \(size) digits, spaces, hyphens and brackets, with or without '+' before it, not that of an emergency service"
        case .privatePhoneOrEmpty:
            "a telephone number of digits, spaces, hyphens and brackets, with or without '+' before it, not that of an emergency service, or nothing"
        case .date: "a date YYYY-MM-DD, or nothing"
        case .time: "a time such as 2026-03-14T02:10:12Z"
        case .any: "a string of \(size) characters"
        }
    }

    /// True for a number that no card may hold, however it is written (promise P7).
    func forbids(_ text: String) -> Bool {
        switch kind {
        case .privatePhone, .privatePhoneOrEmpty:
            if !text.isEmpty, case .refused = DialGuard().examine(text) { true } else { false }
        default: false
        }
    }

    func accepts(_ text: String) -> Bool {
        let scalars = text.unicodeScalars
        switch kind {
        case .time: return Timestamp(rfc3339: text) != nil
        case .date: return text.isEmpty || Timestamp("\(text)T00:00:00Z") != nil
        default: break
        }
        guard length.contains(scalars.count) else { return false }
        switch kind {
        case .line:
            return scalars.allSatisfy(Self.isPrintable)
                && scalars.contains { ![0x20, 0xA0, 0x3000].contains($0.value) }
        case .lineOrEmpty: return scalars.allSatisfy(Self.isPrintable)
        case .identifier:
            return scalars.first != "."
                && scalars.allSatisfy { Self.isAlphanumeric($0) || "._-".unicodeScalars.contains($0) }
        case .terminal: return scalars.allSatisfy { $0.properties.isASCIIHexDigit }
        case .incident: return scalars.allSatisfy { ("0"..."9").contains($0) || ("A"..."F").contains($0) }
        case .privatePhoneOrEmpty where scalars.isEmpty: return true
        case .phone, .privatePhone, .privatePhoneOrEmpty:
            var number = scalars.first == "+" ? scalars.dropFirst() : scalars[...]
            if number.first == "(" { number = number.dropFirst() }
            return number.count >= 2 && number.first.map(Self.isDigit) == true
                && number.allSatisfy { Self.isDigit($0) || "() -".unicodeScalars.contains($0) }
        case .any, .date, .time: return true
        }
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool { scalar.value >= 0x20 && scalar.value != 0x7F }
    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
    private static func isAlphanumeric(_ scalar: Unicode.Scalar) -> Bool {
        isDigit(scalar) || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
    }
}
