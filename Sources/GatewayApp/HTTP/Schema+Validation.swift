import ControlAPI

/// The first place where a value does not fit its schema.
struct SchemaViolation: Error, Equatable {
    /// A JSON pointer, empty for the whole value. Source: RFC 6901.
    var pointer: String
    var found: String
    var allowed: String
    /// The value has the right form, and the site must not have it all the same.
    var isForbidden = false
}

extension Schema {
    func validate(_ value: JSONTree, at pointer: String = "") throws(SchemaViolation) {
        switch (self, value) {
        case (.named(_, let schema), _): try schema.validate(value, at: pointer)
        case (.anything, _), (.boolean, .boolean), (.orNull, .null): return
        case (.orNull(let schema), _): try schema.validate(value, at: pointer)
        case (.text(let text), .string(let string)):
            guard text.accepts(string) else { throw violation(value, at: pointer) }
            guard !text.forbids(string) else {
                var violation = violation(value, at: pointer)
                violation.isForbidden = true
                throw violation
            }
        case (.choice(let words), .string(let string)):
            guard words.contains(string) else { throw violation(value, at: pointer) }
        case (.integer(let range), _):
            guard let number = value.integerValue, range.contains(number) else { throw violation(value, at: pointer) }
        case (.number(let range), _):
            guard let number = value.numberValue, range.contains(number) else { throw violation(value, at: pointer) }
        case (.array(let element, let count), .array(let values)):
            guard count.contains(values.count) else { throw violation(value, at: pointer) }
            for (index, inner) in values.enumerated() { try element.validate(inner, at: "\(pointer)/\(index)") }
        case (.object(let properties), .object(let members)):
            try Self.validate(members, against: properties, at: pointer)
        case (.map(let schema), .object(let members)):
            for (name, inner) in members { try schema.validate(inner, at: "\(pointer)/\(name)") }
        case (.variants(let key, let variants), .object(let members)):
            let words = variants.map(\.word)
            guard let word = members[key]?.stringValue, let variant = variants.first(where: { $0.word == word }) else {
                try Schema.choice(words).validate(members[key] ?? .null, at: "\(pointer)/\(key)")
                return
            }
            try variant.schema.validate(value, at: pointer)
        default: throw violation(value, at: pointer)
        }
    }

    private static func validate(
        _ members: [String: JSONTree], against properties: [Property], at pointer: String
    ) throws(SchemaViolation) {
        for property in properties {
            let place = "\(pointer)/\(property.name)"
            guard let member = members[property.name] else {
                guard !property.isRequired else {
                    throw SchemaViolation(pointer: place, found: "nothing", allowed: property.schema.allowed)
                }
                continue
            }
            try property.schema.validate(member, at: place)
        }
        let names = properties.map(\.name)
        if let unknown = members.keys.sorted().first(where: { !names.contains($0) }) {
            let escaped = unknown.replacing("~", with: "~0").replacing("/", with: "~1")
            throw SchemaViolation(
                pointer: "\(pointer)/\(escaped)", found: "a member that does not belong here",
                allowed: names.joined(separator: ", "))
        }
    }

    private func violation(_ value: JSONTree, at pointer: String) -> SchemaViolation {
        SchemaViolation(pointer: pointer, found: Self.shown(value), allowed: allowed)
    }

    /// What may stand there, in words.
    var allowed: String {
        switch self {
        case .text(let text): text.allowed
        case .choice(let words): words.map { $0.isEmpty ? "nothing" : $0 }.joined(separator: ", ")
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .number(let range): "a number from \(range.lowerBound) to \(range.upperBound)"
        case .boolean: "true or false"
        case .array(_, let count): "an array of \(count.lowerBound) to \(count.upperBound) elements"
        case .object(let properties): "an object with \(properties.map(\.name).joined(separator: ", "))"
        case .variants(let key, let variants):
            "an object whose \(key) is one of \(variants.map(\.word).joined(separator: ", "))"
        case .orNull(let schema): schema.allowed + ", or null"
        case .map: "an object"
        case .named(_, let schema): schema.allowed
        case .anything: "any JSON value"
        }
    }

    static func shown(_ value: JSONTree) -> String {
        switch value {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let text): text.count > 100 ? "a string of \(text.unicodeScalars.count) characters" : "\"\(text)\""
        case .array(let values): "an array of \(values.count)"
        case .object: "an object"
        }
    }
}
