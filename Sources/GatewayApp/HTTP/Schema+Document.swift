import TerminalModel

extension Schema {
    /// The JSON Schema (2020-12) of this shape; named schemas become references and are added to `components`.
    func document(_ components: inout [String: JSONValue]) -> JSONValue {
        switch self {
        case .text(let text): return Self.document(text)
        case .choice(let words):
            return ["type": "string", "enum": .array(words.map(JSONValue.string))]
        case .integer(let range):
            return ["type": "integer", "minimum": .int(range.lowerBound), "maximum": .int(range.upperBound)]
        case .number(let range):
            return ["type": "number", "minimum": .double(range.lowerBound), "maximum": .double(range.upperBound)]
        case .boolean: return ["type": "boolean"]
        case .array(let element, let count):
            var object = JSONObject()
            object.set("type", "array")
            object.set("items", element.document(&components))
            if count.lowerBound > 0 { object.set("minItems", count.lowerBound) }
            if count.upperBound < Int.max { object.set("maxItems", count.upperBound) }
            return object.value
        case .object(let properties): return Self.document(properties, &components)
        case .variants(_, let variants):
            return ["oneOf": .array(variants.map { $0.schema.document(&components) })]
        case .orNull(let schema):
            return ["anyOf": [schema.document(&components), ["type": "null"]]]
        case .map(let schema):
            return ["type": "object", "additionalProperties": schema.document(&components)]
        case .named(let name, let schema):
            if components[name] == nil {
                components[name] = .null
                components[name] = schema.document(&components)
            }
            return ["$ref": .string("#/components/schemas/\(name)")]
        case .anything: return [:]
        }
    }

    private static func document(_ text: Text) -> JSONValue {
        var object = JSONObject()
        object.set("type", "string")
        switch text.kind {
        case .time: object.set("format", "date-time")
        case .any: break
        case .date: object.set("pattern", text.pattern)
        default:
            if text.length.lowerBound > 0 { object.set("minLength", text.length.lowerBound) }
            object.set("maxLength", text.length.upperBound)
            object.set("pattern", text.pattern)
        }
        return object.value
    }

    private static func document(_ properties: [Property], _ components: inout [String: JSONValue]) -> JSONValue {
        var members = JSONObject()
        for property in properties {
            var schema = property.schema.document(&components)
            if !property.note.isEmpty, case .object(var parts) = schema {
                parts.append(.init("description", .string(property.note)))
                schema = .object(parts)
            }
            members.set(property.name, schema)
        }
        var object = JSONObject()
        object.set("type", "object")
        object.set("properties", members.value)
        let required = properties.filter(\.isRequired).map { JSONValue.string($0.name) }
        if !required.isEmpty { object.set("required", .array(required)) }
        object.set("additionalProperties", false)
        return object.value
    }
}
